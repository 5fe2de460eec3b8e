"""Tables of a report: what a page shows and an export writes is the same object."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from decimal import ROUND_HALF_UP, Decimal
from functools import cached_property
from typing import Any, Literal

from django.utils.translation import gettext as _

from conversations.reports.figures import Share

Kind = Literal["text", "count", "share", "money", "score", "seconds", "bar"]
DASH = "—"


@dataclass(frozen=True)
class Column:
    """A head; `hint` says how it is counted."""

    label: str
    kind: Kind = "count"
    hint: str = ""


@dataclass(frozen=True)
class Head:
    """The head of a column that sorts: `href` sorts by it, `current` says how it is sorted now (-key: the most first)."""

    column: Column
    key: str
    href: str
    current: str = ""


@dataclass(frozen=True)
class Cell:
    """A value with the address of the chats behind it; `under` stands small below it."""

    value: Any
    kind: Kind = "count"
    href: str = ""
    under: str = ""
    tone: str = ""
    bar: int | None = None  # percent of the longest

    @property
    def shown(self) -> str:
        return shown(self.value, self.kind)

    @property
    def below(self) -> str:
        if self.kind == "share" and self.value.of:
            return f"{self.value.n:,}/{self.value.of:,}"
        return self.under

    @property
    def is_small(self) -> bool:
        return self.kind == "share" and self.value.is_small

    @property
    def title(self) -> str:
        """How sure a share is."""
        between = self.value.interval if self.kind == "share" else None
        return _("95%% of the time between %(low).1f%% and %(high).1f%%") % between_words(between) if between else ""


def between_words(between: tuple[float, float]) -> dict[str, float]:
    return {"low": between[0], "high": between[1]}


@dataclass
class Row:
    """A line: its head, and a cell for each column after the first; made when asked for, where they are many."""

    label: str
    made: list[Cell] | Callable[[], list[Cell]]
    href: str = ""
    whole: bool = False
    indent: bool = False

    @cached_property
    def cells(self) -> list[Cell]:
        return self.made() if callable(self.made) else self.made


@dataclass(frozen=True)
class Table:
    """A titled table; `slug` names it in the address of its export."""

    slug: str
    title: str
    columns: list[Column]
    rows: list[Row]
    hint: str = ""
    notes: list[str] = field(default_factory=list)
    limit: int | None = None  # rows on the page; the export has all
    sorts: bool = False  # by any column; no table whose rows have an order of their own
    heads: list[Head] = field(default_factory=list)  # of one that sorts (conversations.reports.sorting)

    @property
    def page_rows(self) -> list[Row]:
        return self.rows[: self.limit]

    @property
    def left_out(self) -> int:
        return len(self.rows) - len(self.page_rows)

    @property
    def is_empty(self) -> bool:
        return not any(not row.whole for row in self.rows)

    @property
    def has_small(self) -> bool:
        return any(cell.is_small for row in self.page_rows for cell in row.cells)

    def lines(self) -> Iterator[list[object]]:
        """Yield the head and the rows as an export has them: a share with its counts and interval."""
        head: list[object] = []
        among = _("of")
        for column in self.columns:
            head += [column.label]
            if column.kind == "share":
                head += [f"{column.label} n", f"{column.label} {among}"]
                head += [f"{column.label} 95% ≥", f"{column.label} 95% ≤"]
        yield head
        for row in self.rows:
            yield [row.label, *(value for cell in row.cells for value in plain(cell.value, cell.kind))]


def shown(value: Any, kind: Kind) -> str:
    """Return a value as a page shows it."""
    if value is None:
        return DASH
    if kind == "share":
        return f"{value.percent:.1f}%" if value.of else DASH
    if kind == "money":
        return f"¥{whole(value):,}"
    if kind == "score":
        return f"{rounded(value, '0.1')}"
    if kind == "seconds":
        return seconds(float(value))
    return f"{value:,}" if kind == "count" else str(value)


def plain(value: Any, kind: Kind) -> list[object]:
    """Return a value as an export writes it: numbers as numbers, "" for none."""
    if kind == "share":
        share: Share = value
        low, high = share.interval or (None, None)
        percent = [None if part is None else round(part, 2) for part in (share.percent, low, high)]
        return ["" if part is None else part for part in (percent[0], share.n, share.of, percent[1], percent[2])]
    if value is None:
        return [""]
    if kind in ("money", "score"):
        return [float(rounded(value, "0.01"))]
    return [round(float(value), 1) if kind == "seconds" else value]


def rounded(value: Decimal, to: str) -> Decimal:
    return Decimal(value).quantize(Decimal(to), ROUND_HALF_UP)


def whole(value: Decimal) -> int:
    """Yuan without cents: a report is read, not booked."""
    return int(rounded(value, "1"))


def seconds(value: float) -> str:
    """Return a length of time in words: 42 s, 2 min 5 s, 1 h 3 min."""
    whole_seconds = round(value)
    minutes, rest = divmod(whole_seconds, 60)
    if not minutes:
        return _("%(n)s s") % {"n": rest}
    if minutes < 60:
        return _("%(m)s min %(s)s s") % {"m": minutes, "s": rest} if rest else _("%(m)s min") % {"m": minutes}
    hours, minutes = divmod(minutes, 60)
    return _("%(h)s h %(m)s min") % {"h": hours, "m": minutes}
