"""Free times on a grid. No database here."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

OPENS, CLOSES = time(9), time(18)  # where a clinic set no hours of its own
GRID = timedelta(minutes=30)
APART = timedelta(minutes=60)  # two suggestions on one day differ at least by this
A_DAY = 2  # suggestions on one day


@dataclass(frozen=True, order=True)
class Slot:
    """A stretch of time that could be booked; half-open, aware."""

    starts_at: datetime
    ends_at: datetime

    def overlaps(self, other: "Slot") -> bool:
        return self.starts_at < other.ends_at and other.starts_at < self.ends_at


def starts_in(stretch: Slot, *, length: timedelta, grid: timedelta = GRID) -> list[Slot]:
    """Return every slot of `length` that starts on the grid of a stretch and ends within it."""
    start, found = stretch.starts_at, []
    while start + length <= stretch.ends_at:
        found.append(Slot(start, start + length))
        start += grid
    return found


def day_slots(*, day: date, length: timedelta, tz: ZoneInfo) -> list[Slot]:
    """Return every slot of a day on which nobody set any hours."""
    return starts_in(Slot(datetime.combine(day, OPENS, tz), datetime.combine(day, CLOSES, tz)), length=length)


def free(slots: Iterable[Slot], *, busy: Sequence[Slot], after: datetime) -> list[Slot]:
    """Keep the slots that start after `after` and touch nothing busy."""
    return [s for s in slots if s.starts_at > after and not any(s.overlaps(b) for b in busy)]


def nearest(slots: Iterable[Slot], *, wanted: datetime, count: int) -> list[Slot]:
    """Return the `count` slots closest to `wanted`, in order of time."""
    return sorted(sorted(slots, key=lambda s: abs(s.starts_at - wanted))[:count])


def preferred(slots: Iterable[Slot], *, start: time | None, end: time | None, tz: ZoneInfo) -> list[Slot]:
    """Put the slots that lie within the hours a person prefers first, each part in order of time."""
    every = sorted(slots)
    if start is None or end is None or start >= end:
        return every

    def outside(slot: Slot) -> bool:
        first, last = slot.starts_at.astimezone(tz).time(), slot.ends_at.astimezone(tz).time()
        return not (start <= first and last <= end)

    return sorted(every, key=outside)


def spread(slots: Iterable[Slot], *, count: int, tz: ZoneInfo) -> list[Slot]:
    """Pick `count` slots in the order given, at most two a day and an hour apart, so that they offer a choice."""
    picked: list[Slot] = []
    for slot in slots:
        same_day = [p for p in picked if p.starts_at.astimezone(tz).date() == slot.starts_at.astimezone(tz).date()]
        if len(same_day) < A_DAY and all(abs(p.starts_at - slot.starts_at) >= APART for p in same_day):
            picked.append(slot)
        if len(picked) == count:
            break
    return picked
