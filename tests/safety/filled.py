"""Filling a page's forms in as a person does: what is chosen stays chosen, and every line that takes words gets some."""

from collections.abc import Callable
from dataclasses import dataclass, field
from html.parser import HTMLParser

WORDS = {"text", "search", ""}


@dataclass
class Form:
    """One form of a page."""

    action: str
    method: str
    fields: list[tuple[str, str]] = field(default_factory=list)  # name and value, as they are sent
    words: list[str] = field(default_factory=list)  # names of what takes words

    def filled(self, say: Callable[[str], str]) -> dict[str, list[str]]:
        """Return what is sent; `say` returns the words for a field."""
        sent: dict[str, list[str]] = {}
        for name, value in self.fields:
            sent.setdefault(name, []).append(value)
        return sent | {name: [say(name)] for name in self.words}


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.forms: list[Form] = []
        self.form: Form | None = None
        self.by_id: dict[str, Form] = {}
        self.select: tuple[str, list[tuple[str, bool]]] | None = None

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        told = {name: value or "" for name, value in attrs}
        if tag == "option" and self.select is not None:
            self.select[1].append((told.get("value", ""), "selected" in told))
        if tag == "form":
            self.form = Form(told.get("action", ""), told.get("method", "get").lower())
            self.forms.append(self.form)
            self.by_id[told.get("id", "")] = self.form
        owner = self.by_id.get(told["form"]) if "form" in told else self.form
        name = told.get("name", "")
        if owner is None or not name or "disabled" in told:
            return
        if tag == "textarea":
            owner.words.append(name)
        elif tag == "input":
            self._input(owner, name, told)
        elif tag == "select":
            self.select = (name, [])
        self._owner = owner

    def _input(self, owner: Form, name: str, told: dict[str, str]) -> None:
        kind = told.get("type", "")
        if kind in WORDS and told.get("inputmode", "text") == "text":
            owner.words.append(name)
        elif kind in ("checkbox", "radio"):
            first = kind == "radio" and all(name != known for known, _value in owner.fields) and "required" in told
            if "checked" in told or first:
                owner.fields.append((name, told.get("value", "on")))
        elif kind not in ("file", "submit", "button", "image", "reset"):
            owner.fields.append((name, told.get("value", "")))

    def handle_endtag(self, tag: str) -> None:
        if tag == "form":
            self.form = None
        elif tag == "select" and self.select is not None:
            name, options = self.select
            chosen = [value for value, picked in options if picked] or [value for value, _picked in options if value]
            self._owner.fields += [(name, value) for value in chosen[:1]]
            self.select = None


def forms_of(page: str) -> list[Form]:
    """Return the forms of a page that write something."""
    reader = _Reader()
    reader.feed(page)
    return [form for form in reader.forms if form.method == "post"]
