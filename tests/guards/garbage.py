"""What a browser never sends, and people who try things out do."""

from collections.abc import Iterator
from contextlib import contextmanager
from threading import Event
from typing import Any

import pytest
from django.core.handlers.wsgi import WSGIRequest
from django.http import QueryDict

BAD = (
    "²",  # a digit to str.isdigit, not to int
    "9223372036854775808",  # one more than the database counts to
    "1" * 5000,  # more digits than int reads
    "1e999999",
    "2026-13-45T25:61:00+08:00",
    "9999-12-31T23:59:59-12:00",
    '{"a": "\\u0000", "pain": ["\\ud800"]}',
    "𠮷\u202e\u200b%s{{7*7}}'\"<>\\" + "x" * 10_000,
)
# More of the same, for when there is time: ALL_BAD_INPUT=1.
MORE_BAD = ("", "abc", "-1", "٣", "NaN", "Infinity", "0001-01-01", "9999-12-31", "0001-01-01T00:00:00+14:00", "[[[1]]]")

# What else leads on, by route: fields that say what to do, and those without which the others are not read.
SWITCHES: dict[str, list[dict[str, str | None]]] = {
    "doctor_exams": [{"action": "send"}],
    "form_template_edit": [{"op": "up:x"}, {"op": "remove:x"}, {"op": "add:complaint"}],
    "handoff_send": [{"action": "draft"}],
    "patient_form_step": [{"go": "back"}, {"go": "language"}],
    "patient_reveal": [{"what": "phone"}, {"what": "wechat"}],
    "patient_consents": [{"purpose": "care"}],
    "plan_edit": [
        {"add_option": None, "add_item": None, "drop": None},
        {"add_option": None, "add_item": None, "drop": None, "version": "0", "title": "x", "action": "finish"},
        {"add_option": None},
    ],
    "plan_sign": [{"action": "take_back"}],
    "plan_terms": [{"version": "1"}],
    "tooth_mark": [{"action": "undo"}, {"action": "carry_over"}, {"tooth": "11"}],
    "visit_checkout_item": [{"action": "let_go"}, {"action": "undo"}],
    "visit_complaint": [{"complaint": "implant", "route": "doctor_first", "expected": "arrived"}],
    "visit_decision": [{"decision": "deposit"}, {"decision": "undecided"}],
    "visit_exam": [{"action": "done"}, {"action": "cancel"}],
    "visit_exam_file": [{"action": "remove"}],
}


class Garbage(QueryDict):
    """Answers every field that is asked for with the same bad text, or with what `but` says.

    Names that nobody can know, like those of questions, are thereby sent too. A None in `but`: not sent.
    `asked` tells whether anybody has looked at the text: an answer for which nobody did is the same for every text.
    """

    def __init__(self, text: str, but: dict[str, str | None] | None = None, asked: Event | None = None) -> None:
        super().__init__("", mutable=True)
        self.text, self.but = text, but or {}
        self.asked = asked or Event()
        self.nul_sought = False
        for name, value in {"csrfmiddlewaretoken": text, **self.but}.items():
            if value is not None:
                self.setlist(name, [value])

    def _said(self, key: str) -> str | None:
        if key not in self.but:
            self.asked.set()
        return self.but.get(key, self.text)

    def __getitem__(self, key: Any) -> Any:
        return self._said(key)

    def get(self, key: Any, default: Any = None) -> Any:
        said = self._said(key)
        return default if said is None else said

    def getlist(self, key: Any, default: Any = None) -> Any:
        said = self._said(key)
        return [] if said is None else [said, said]

    def __contains__(self, key: Any) -> bool:
        return self.but.get(key, self.text) is not None  # whatever the text is

    def __iter__(self) -> Iterator[Any]:
        self.asked.set()
        return super().__iter__()

    def keys(self) -> Any:
        self.asked.set()
        return super().keys()

    def __bool__(self) -> bool:
        return True

    def __len__(self) -> int:
        return 1

    def lists(self) -> Any:
        if self.nul_sought:
            self.asked.set()
        self.nul_sought = True  # by InputLimitsMiddleware, once in every request
        return super().lists()

    def items(self) -> Any:
        self.asked.set()
        return super().items()

    def values(self) -> Any:
        self.asked.set()
        return super().values()

    def dict(self) -> Any:
        self.asked.set()
        return super().dict()

    def urlencode(self, safe: Any = None) -> str:
        self.asked.set()
        return super().urlencode(safe)

    def copy(self) -> QueryDict:
        return Garbage(self.text, self.but, self.asked)

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
