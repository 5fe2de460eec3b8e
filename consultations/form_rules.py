"""The rules of a consultation form: what is asked of whom, what an answer may be, what is still missing.

No database here. A question set is stored as JSON (see consultations.form_sets) and read into these
dataclasses in one language; answers are a JSON object, question code → value.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import pgettext

TYPES = ("text", "long", "single", "multi", "yes_no", "number", "date", "scale", "month")
PICKED = frozenset({"single", "multi"})
YES_NO = ("yes", "no", "unsure")
EXCLUSIVE = "none"  # "none of these" stands alone among several choices
LONGEST = {"text": 120, "long": 1000}
DETAIL_LONGEST = 200
MAY_BE_PREGNANT = range(12, 56)  # years of age
MONTH = re.compile(r"(19|20)\d\d-(0[1-9]|1[0-2])")

Answers = Mapping[str, Any]


class AnswerError(ValueError):
    """An answer that cannot be taken; the message is for the person."""


@dataclass(frozen=True)
class Person:
    """What the questions depend on. `sex` is "m", "f" or ""; `age` in years or None."""

    sex: str = ""
    age: int | None = None

    @property
    def may_be_pregnant(self) -> bool:
        return self.sex != "m" and (self.age is None or self.age in MAY_BE_PREGNANT)


@dataclass(frozen=True)
class Condition:
    """When something is asked: an earlier answer is one of `within`, or the person has a trait."""

    answer: str = ""
    within: frozenset[str] = frozenset()
    person: str = ""

    def holds(self, answers: Answers, person: Person) -> bool:
        if self.person == "may_be_pregnant":
            return person.may_be_pregnant
        return not self.answer or not self.within.isdisjoint(codes_of(answers.get(self.answer)))


@dataclass(frozen=True)
class Question:
    code: str
    type: str
    label: str
    options: tuple[tuple[str, str], ...] = ()
    required: bool = False
    help: str = ""
    detail: str = ""
    note: str = ""
    show_if: Condition = Condition()
    fills: str = ""
    least: int = 0
    most: int = 10
    off: bool = False


@dataclass(frozen=True)
class Group:
    code: str
    title: str
    questions: tuple[Question, ...]
    show_if: Condition = Condition()


@dataclass(frozen=True)
class Progress:
    """How far a form is; `missing` are the required questions still open."""

    answered: int
    total: int
    missing: tuple[Question, ...] = field(default=())

    @property
    def complete(self) -> bool:
        return not self.missing


def codes_of(value: Any) -> set[str]:
    """Return what was picked in an answer of any type."""
    if isinstance(value, Mapping):
        return {str(value.get("value", ""))} - {""}
    if isinstance(value, list):
        return {str(v) for v in value}
    return {str(value)} if value not in (None, "") else set()


def said(words: Any, language: str) -> str:
    """Return a stored text in `language` ("zh…" or "en"), else in the other."""
    if not isinstance(words, Mapping):
        return str(words or "")
    first, second = ("zh", "en") if language.startswith("zh") else ("en", "zh")
    return str(words.get(first) or words.get(second) or "")


def _condition(raw: Mapping[str, Any] | None) -> Condition:
    raw = raw or {}
    return Condition(str(raw.get("answer", "")), frozenset(raw.get("in", ())), str(raw.get("person", "")))


def _question(raw: Mapping[str, Any], language: str) -> Question:
    return Question(
        code=raw["code"],
        type=raw["type"] if raw["type"] in TYPES else "text",
        label=said(raw["label"], language),
        options=tuple((o["code"], said(o["label"], language)) for o in raw.get("options", ())),
        required=bool(raw.get("required")),
        help=said(raw.get("help"), language),
        detail=said(raw.get("detail"), language),
        note=said(raw.get("note"), language),
        show_if=_condition(raw.get("show_if")),
        fills=raw.get("fills", ""),
        least=int(raw.get("least", 0)),
        most=int(raw.get("most", 10)),
        off=bool(raw.get("off")),
    )


def read(groups: list[dict[str, Any]], language: str, person: Person) -> tuple[Group, ...]:
    """Read a stored question set in one language, without what is switched off or never asked of `person`.

    Questions that depend on other answers stay in: see `asked`.
    """
    result = []
    for raw in groups:
        about = _condition(raw.get("show_if"))
        questions = tuple(q for q in (_question(r, language) for r in raw["questions"]) if not q.off)
        if questions and (not about.person or about.holds({}, person)):
            result.append(Group(raw["code"], said(raw["title"], language), questions, about))
    return tuple(result)


def asked(group: Group, answers: Answers, person: Person) -> tuple[Question, ...]:
    """Return the questions of a group that apply, given the answers so far."""
    if not group.show_if.holds(answers, person):
        return ()
    return tuple(q for q in group.questions if q.show_if.holds(answers, person))


def is_answered(question: Question, value: Any) -> bool:
    """Tell whether an answer is whole: a required yes that asks for a detail needs it."""
    if question.type == "yes_no":
        picked = value.get("value") if isinstance(value, Mapping) else ""
        needs_detail = picked == "yes" and question.required and question.detail
        return bool(picked) and not (needs_detail and not value.get("detail"))
    return value not in (None, "", [])


def progress(groups: tuple[Group, ...], answers: Answers, person: Person) -> Progress:
    """Count the questions that apply and those answered; name the required ones still open."""
    every = [q for group in groups for q in asked(group, answers, person)]
    done = [q for q in every if is_answered(q, answers.get(q.code))]
    missing = tuple(q for q in every if q.required and not is_answered(q, answers.get(q.code)))
    return Progress(len(done), len(every), missing)


def clean(question: Question, raw: Any, detail: str = "") -> Any:
    """Return an answer as it is stored; None when left empty.

    Args: raw: what was sent, a text or (multi) a list of texts; detail: the words after a yes.
    Raises: AnswerError when it is not an answer to this question.
    """
    if question.type == "multi":
        return _multi(question, [str(v) for v in raw or ()])
    text = str(raw or "").replace("\x00", "").strip()
    if not text:
        return None
    if question.type == "yes_no":
        return _yes_no(text, detail)
    if question.type == "single":
        return _one_of(text, {code for code, _label in question.options})
    if question.type in LONGEST:
        return _text(text, LONGEST[question.type])
    if question.type == "month":
        return _month(text)
    return _date(text) if question.type == "date" else _number(question, text)


def _one_of(text: str, codes: set[str]) -> str:
    if text not in codes:
        raise AnswerError(_("Choose one of the answers."))
    return text


def _multi(question: Question, picked: list[str]) -> list[str] | None:
    codes = [code for code, _label in question.options]
    for code in picked:
        _one_of(code, set(codes))
    if EXCLUSIVE in picked and len(set(picked)) > 1:
        picked = [code for code in picked if code != EXCLUSIVE]
    return [code for code in codes if code in picked] or None


def _yes_no(text: str, detail: str) -> dict[str, str]:
    value = {"value": _one_of(text, set(YES_NO))}
    words = _text(detail.replace("\x00", "").strip(), DETAIL_LONGEST)
    return value | ({"detail": words} if words and text == "yes" else {})


def _text(text: str, longest: int) -> str:
    if len(text) > longest:
        raise AnswerError(_("At most %(count)d characters.") % {"count": longest})
    return text


def _month(text: str) -> str:
    if not MONTH.fullmatch(text):
        raise AnswerError(_("Enter a year and month, such as 2026-03."))
    return text


def _date(text: str) -> str:
    try:
        return date.fromisoformat(text).isoformat()
    except ValueError:
        raise AnswerError(_("Enter a date, such as 2026-03-05.")) from None


def _number(question: Question, text: str) -> int:
    try:
        number = int(text) if len(text) <= 9 else None
    except ValueError:
        number = None
    if number is None or not question.least <= number <= question.most:
        limits = {"least": question.least, "most": question.most}
        raise AnswerError(_("Enter a whole number from %(least)d to %(most)d.") % limits)
    return number


def merge(stored: Answers, seen: Answers, sent: Answers) -> dict[str, Any]:
    """Return `stored` with what this writer changed: where `sent` differs from what the writer had `seen`.

    Two people fill one form at once. What a writer left alone keeps whatever the other one answered
    meanwhile; only on the same question the later one holds.
    """
    result = dict(stored)
    for code, value in sent.items():
        if value != seen.get(code):
            if value is None:
                result.pop(code, None)
            else:
                result[code] = value
    return result


def spoken(question: Question, value: Any) -> str:
    """Return an answer in words, for reading and printing; empty when there is none."""
    labels = dict(question.options)
    if isinstance(value, Mapping):
        word = {"yes": _("Yes"), "no": _("No"), "unsure": _("Not sure")}.get(str(value.get("value")), "")
        return (
            _("%(answer)s: %(detail)s") % {"answer": word, "detail": value["detail"]} if value.get("detail") else word
        )
    if isinstance(value, list):
        return pgettext("list", ", ").join(labels.get(v, str(v)) for v in value)
    if value in (None, ""):
        return ""
    if question.type == "scale":
        return f"{value} / {question.most}"
    return labels.get(str(value), str(value))
