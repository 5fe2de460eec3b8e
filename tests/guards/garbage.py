"""What a browser never sends, and people who try things out do."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from django.core.handlers.wsgi import WSGIRequest
from django.http import QueryDict

BAD = (
    "",
    "abc",
    "-1",
    "²",  # a digit to str.isdigit, not to int
    "٣",  # a digit to both
    "9223372036854775808",  # one more than the database counts to
    "1" * 5000,  # more digits than int reads
    "NaN",
    "Infinity",
    "1e999999",
    "2026-13-45T25:61:00+08:00",
    "0001-01-01",
    "9999-12-31",
    "0001-01-01T00:00:00+14:00",
    "9999-12-31T23:59:59-12:00",
    '{"a": "\\u0000", "b": ["\\ud800"]}',
    "[[[1]]]",
    "null",
    "𠮷\u202e\u200b%s{{7*7}}'\"<>\\",
    "x" * 10_000,
)

# Fields that say what to do: with garbage alone, what they lead to would not be reached.
SWITCHES: dict[str, tuple[str, ...]] = {
    "action": (
        "ask", "caption", "carry_over", "done", "draft", "finish", "order", "present", "remove", "restore", "revoke",
        "send", "take_back", "undo", "let_go", "linked", "book", "cancel", "reopen", "skip", "charge",
    ),
    "what": ("phone", "wechat"),
    "op": ("up:x", "remove:x", "add:complaint", "add:x"),
    "go": ("back", "language", "next"),
    "decision": ("accepted", "deposit", "undecided", "refused"),
}  # fmt: skip


class Garbage(QueryDict):
    """Answers every field that is asked for with the same bad text, or with what `but` says.

    Names that nobody can know, like those of questions, are thereby sent too; `asked` keeps all of them.
    """

    def __init__(self, text: str, but: dict[str, str] | None = None, many: int = 1) -> None:
        super().__init__("", mutable=True)
        self.text, self.but, self.many = text, but or {}, many
        self.asked: set[str] = set()
        self.setlist("csrfmiddlewaretoken", [text])
        for name, value in self.but.items():
            self.setlist(name, [value])

    def _said(self, key: str) -> str:
        self.asked.add(key)
        return self.but.get(key, self.text)

    def __getitem__(self, key: Any) -> Any:
        return self._said(key)

    def get(self, key: Any, default: Any = None) -> Any:
        return self._said(key)

    def getlist(self, key: Any, default: Any = None) -> Any:
        return [self._said(key)] * self.many

    def __contains__(self, key: Any) -> bool:
        self.asked.add(str(key))
        return True

    def __bool__(self) -> bool:
        return True

    def __len__(self) -> int:
        return 1

    def copy(self) -> QueryDict:
        fresh = Garbage(self.text, self.but, self.many)
        fresh.asked = self.asked
        return fresh

    def __deepcopy__(self, memo: Any) -> QueryDict:
        return self.copy()


@contextmanager
def posting(data: Garbage) -> Iterator[None]:
    """Let every POST carry `data`, whatever the client sent."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(WSGIRequest, "POST", property(lambda self: data, lambda self, value: None))
        yield


@contextmanager
def querying(data: Garbage) -> Iterator[None]:
    """Let every address carry `data` as its query."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(WSGIRequest, "GET", data)
        yield
