"""The thresholds and word lists of the inspection: the built-in ones, and what a clinic changed of them."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import Any, Final

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from conversations.inspection import lexicon
from conversations.inspection.codes import CODES
from conversations.inspection.matcher import Matcher


class RulesError(ValueError):
    """A clinic's rules that cannot be used: `path` says where (e.g. words.abuse.added.0), str() what is wrong."""

    def __init__(self, path: str, message: str | Promise) -> None:
        super().__init__(str(message))
        self.path = path


@dataclass(frozen=True)
class Threshold:
    """A number that a clinic may set."""

    label: Promise
    unit: Promise
    default: float
    lowest: float
    highest: float


THRESHOLDS: Final[dict[str, Threshold]] = {
    "first_reply_seconds": Threshold(_("First reply within"), _("seconds"), 30, 1, 86_400),
    "silence_seconds": Threshold(_("No silence longer than"), _("seconds"), 120, 1, 86_400),
    "few_words_ratio": Threshold(_("At least this share of the visitor's characters"), _("ratio"), 0.5, 0, 10),
}

#: Word lists by category. A finding category is the code itself; the others say what counts as asked or offered.
SCHEMA: Final[dict[str, Promise]] = {
    "abuse": CODES["abuse"].label,
    "taboo.scolding": CODES["taboo.scolding"].label,
    "taboo.rhetorical": CODES["taboo.rhetorical"].label,
    "taboo.interrogating": CODES["taboo.interrogating"].label,
    "taboo.perfunctory": CODES["taboo.perfunctory"].label,
    "taboo.shirking": CODES["taboo.shirking"].label,
    "taboo.colloquial": CODES["taboo.colloquial"].label,
    "error.typo": CODES["error.typo"].label,
    "offer.technique": _("Counts as offering a technique"),
    "offer.expert": _("Counts as offering an expert"),
    "offer.brand": _("Counts as presenting the clinic"),
    "offer.service": _("Counts as offering service"),
    "ask.profile": _("Counts as asking age or marital status"),
    "ask.condition": _("Counts as asking about the condition"),
    "ask.social": _("Counts as asking about circumstances"),
    "invite": _("Counts as inviting"),
}

WORD_LENGTH: Final = 40
WORDS_PER_CATEGORY: Final = 500


@dataclass(frozen=True, eq=False)
class Rules:
    """What inspect() judges by. `words` maps a category to {word: advice}; "…" in a word is a gap of a few characters."""

    first_reply_seconds: float = THRESHOLDS["first_reply_seconds"].default
    silence_seconds: float = THRESHOLDS["silence_seconds"].default
    few_words_ratio: float = THRESHOLDS["few_words_ratio"].default
    added: Mapping[str, Mapping[str, str]] = field(default_factory=dict)  # category -> word -> advice
    removed: Mapping[str, frozenset[str]] = field(default_factory=dict)
    advice: Mapping[str, str] = field(default_factory=dict)  # code -> advice
    word_advice: Mapping[str, Mapping[str, str]] = field(default_factory=dict)  # category -> built-in word -> advice
    off: frozenset[str] = frozenset()
    deductions: Mapping[str, float] = field(default_factory=dict)
    _own: Matcher | None = field(default=None, repr=False)

    def own_matcher(self) -> Matcher:
        """The clinic's own words, compiled once for these rules."""
        if self._own is None:
            object.__setattr__(self, "_own", Matcher(self.added))
        assert self._own is not None
        return self._own

    def own_advice(self, code: str, word: str = "") -> str:
        """What the clinic itself says to do instead: for the word, or for the rule unless the list knows better.

        "" where the built-in advice holds: advice.advice() tells it to whoever reads the finding.
        """
        if not (self.added or self.word_advice or self.advice):
            return ""
        own = self.added.get(code, {}).get(word) or self.word_advice.get(code, {}).get(word)
        if own:
            return own
        return "" if lexicon.INSTEAD.get(code, {}).get(word) else self.advice.get(code, "")

    @staticmethod
    @cache
    def builtin() -> "Rules":
        """The rules as delivered."""
        return Rules()

    @staticmethod
    def from_data(data: Any) -> "Rules":
        """Read what a clinic changed (RuleSet.data).

        {"thresholds": {"silence_seconds": 90}, "off": ["taboo.colloquial"], "advice": {"abuse": "…"},
         "words": {"taboo.colloquial": {"added": [{"word": "亲亲", "advice": "您"}], "removed": ["麻烦您"],
                                        "advice": {"不好意思": "很抱歉"}}},
         "deductions": {"error.typo": 2}}

        Raises:
            RulesError: with the path of the first value that cannot be used.
        """
        return _read(data)


def describe() -> dict[str, Any]:
    """Give an editor all it needs: thresholds with bounds, categories with built-in words, codes with defaults."""
    return {
        "thresholds": [
            {"key": key, "label": t.label, "unit": t.unit, "default": t.default, "min": t.lowest, "max": t.highest}
            for key, t in THRESHOLDS.items()
        ],
        "categories": [
            {
                "key": key,
                "label": label,
                "words": [{"word": word, "advice": advice} for word, advice in lexicon.builtin_words(key).items()],
            }
            for key, label in SCHEMA.items()
        ],
        "codes": [
            {
                "code": code,
                "label": c.label,
                "group": c.group,
                "severity": c.severity,
                "deduction": c.deduction,
                "advice": c.advice,
            }
            for code, c in CODES.items()
        ],
    }


def _mapping(value: Any, path: str) -> Mapping[str, Any]:
    if value is None:
        return {}
    if not isinstance(value, Mapping) or not all(isinstance(key, str) for key in value):
        raise RulesError(path, _("Names with values are expected here."))
    return value


def _items(value: Any, path: str) -> list[Any]:
    if value is None:
        return []
    if not isinstance(value, list):
        raise RulesError(path, _("A list is expected here."))
    if len(value) > WORDS_PER_CATEGORY:
        raise RulesError(path, _("At most %(count)d entries.") % {"count": WORDS_PER_CATEGORY})
    return value


def _text(value: Any, path: str, *, limit: int, required: bool = True) -> str:
    if not isinstance(value, str):
        raise RulesError(path, _("Text is expected here."))
    text = value.strip()
    if required and not text.replace("…", "").strip():
        raise RulesError(path, _("This may not be empty."))
    if len(text) > limit:
        raise RulesError(path, _("At most %(count)d characters.") % {"count": limit})
    return text


def _number(value: Any, path: str, lowest: float, highest: float) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not lowest <= value <= highest:
        raise RulesError(
            path, _("A number from %(lowest)g to %(highest)g is expected.") % {"lowest": lowest, "highest": highest}
        )
    return value


def _known(keys: Any, known: Any, path: str) -> None:
    for key in keys:
        if not isinstance(key, str) or key not in known:
            raise RulesError(f"{path}.{key}", _("This name is not known."))


def _words(data: Any, path: str) -> tuple[dict[str, str], frozenset[str], dict[str, str]]:
    entry = _mapping(data, path)
    _known(entry, ("added", "removed", "advice"), path)
    added: dict[str, str] = {}
    for index, item in enumerate(_items(entry.get("added"), f"{path}.added")):
        place = f"{path}.added.{index}"
        given = {"word": item} if isinstance(item, str) else _mapping(item, place)
        word = _text(given.get("word"), f"{place}.word", limit=WORD_LENGTH)
        added[word] = _text(given.get("advice", ""), f"{place}.advice", limit=300, required=False)
    removed = frozenset(
        _text(item, f"{path}.removed.{index}", limit=2000)
        for index, item in enumerate(_items(entry.get("removed"), f"{path}.removed"))
    )
    advice = {
        word: _text(text, f"{path}.advice.{word}", limit=300, required=False)
        for word, text in _mapping(entry.get("advice"), f"{path}.advice").items()
    }
    return added, removed, advice


def _read(data: Any) -> Rules:
    top = _mapping(data, "")
    _known(top, ("thresholds", "words", "advice", "off", "deductions"), "")
    thresholds = _mapping(top.get("thresholds"), "thresholds")
    _known(thresholds, THRESHOLDS, "thresholds")
    numbers = {
        key: _number(value, f"thresholds.{key}", THRESHOLDS[key].lowest, THRESHOLDS[key].highest)
        for key, value in thresholds.items()
    }
    words = _mapping(top.get("words"), "words")
    _known(words, SCHEMA, "words")
    read = {key: _words(value, f"words.{key}") for key, value in words.items()}
    advice = _mapping(top.get("advice"), "advice")
    _known(advice, CODES, "advice")
    off = _items(top.get("off"), "off")
    _known(off, CODES, "off")
    deductions = _mapping(top.get("deductions"), "deductions")
    _known(deductions, CODES, "deductions")
    return Rules(
        first_reply_seconds=numbers.get("first_reply_seconds", THRESHOLDS["first_reply_seconds"].default),
        silence_seconds=numbers.get("silence_seconds", THRESHOLDS["silence_seconds"].default),
        few_words_ratio=numbers.get("few_words_ratio", THRESHOLDS["few_words_ratio"].default),
        added={key: value[0] for key, value in read.items() if value[0]},
        removed={key: value[1] for key, value in read.items() if value[1]},
        word_advice={key: value[2] for key, value in read.items() if value[2]},
        advice={code: _text(text, f"advice.{code}", limit=300, required=False) for code, text in advice.items()},
        off=frozenset(off),
        deductions={code: _number(value, f"deductions.{code}", 0, 100) for code, value in deductions.items()},
    )
