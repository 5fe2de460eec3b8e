"""Calendars as sets of half-open stretches of time. No database here."""

from bisect import bisect_left, bisect_right
from collections.abc import Hashable, Iterable


class Calendar:
    """The taken time of one doctor or room: disjoint stretches in order, [start, end) in any one unit."""

    __slots__ = ("_ends", "_starts")

    def __init__(self) -> None:
        self._starts: list[float] = []
        self._ends: list[float] = []

    def is_taken(self, start: float, end: float) -> bool:
        """Tell whether any taken time lies within [start, end)."""
        at = bisect_right(self._ends, start)
        return at < len(self._starts) and self._starts[at] < end

    def take(self, start: float, end: float) -> None:
        """Take [start, end); stretches that overlap or touch become one."""
        first = bisect_left(self._ends, start)
        last = bisect_right(self._starts, end)
        if first < last:
            start, end = min(start, self._starts[first]), max(end, self._ends[last - 1])
        self._starts[first:last] = [start]
        self._ends[first:last] = [end]


class Calendars:
    """One calendar for each doctor and room."""

    def __init__(self) -> None:
        self._by_owner: dict[Hashable, Calendar] = {}

    def is_taken(self, owners: Iterable[Hashable], start: float, end: float) -> bool:
        """Tell whether any of these owners' calendars is taken within [start, end)."""
        found = (self._by_owner.get(owner) for owner in owners)
        return any(calendar.is_taken(start, end) for calendar in found if calendar is not None)

    def take(self, owners: Iterable[Hashable], start: float, end: float) -> None:
        """Take [start, end) in the calendars of all these owners."""
        for owner in owners:
            self._by_owner.setdefault(owner, Calendar()).take(start, end)
