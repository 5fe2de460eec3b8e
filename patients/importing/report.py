"""A stored import report, as its pages show it."""

from collections import Counter
from dataclasses import dataclass
from typing import Any

from django.utils.functional import Promise, cached_property

from patients.importing.patient_rules import REASON_TEXTS
from patients.importing.referrals import WHY_TEXTS


@dataclass(frozen=True)
class Count:
    """How often something happened."""

    code: str
    text: str | Promise
    count: int


@dataclass(frozen=True)
class Example:
    """One row, by which a person sees what happens."""

    row: int
    name: str
    texts: list[str | Promise]
    into_row: int | None


class Report:
    """The figures, reasons and examples of one import."""

    def __init__(self, stored: dict[str, Any]) -> None:
        self._stored = stored
        self.rows: int = stored.get("rows", 0)
        self.created: int = stored.get("created", 0)
        self.updated: int = stored.get("updated", 0)
        self.merged: int = len(stored.get("merged", ()))
        self.header_row: int = stored.get("header_row", 1)
        self.referrals_found: int = stored.get("referrals", {}).get("found", 0)

    @cached_property
    def rejected(self) -> dict[int, str]:
        """Reason by row number."""
        return {item["row"]: item["reason"] for item in self._stored.get("rejected", ())}

    @property
    def importable(self) -> int:
        return self.rows - len(self.rejected)

    @property
    def rejected_reasons(self) -> list[Count]:
        return _counts(Counter(self.rejected.values()), REASON_TEXTS)

    @property
    def warning_reasons(self) -> list[Count]:
        return _counts(Counter(item["reason"] for item in self._stored.get("warnings", ())), REASON_TEXTS)

    @property
    def warnings(self) -> int:
        return len({item["row"] for item in self._stored.get("warnings", ())})

    @property
    def open_referrals(self) -> list[Count]:
        return _counts(Counter(item["why"] for item in self._stored.get("referrals", {}).get("open", ())), WHY_TEXTS)

    @property
    def examples(self) -> dict[str, list[Example]]:
        """The first rows of each kind."""
        stored: dict[str, list[dict[str, Any]]] = self._stored.get("examples", {})
        return {kind: [_example(item) for item in items] for kind, items in stored.items()}


def _example(item: dict[str, Any]) -> Example:
    texts = [REASON_TEXTS.get(reason, reason) for reason in item.get("reasons", ())]
    return Example(item["row"], item["name"], texts, item.get("into_row"))


def _counts(counter: Counter[str], texts: dict[str, str | Promise]) -> list[Count]:
    return [Count(code, texts.get(code, code), count) for code, count in counter.most_common()]
