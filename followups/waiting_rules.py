"""Who on the waiting list fits a free time. No database here."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from followups.slots import Slot


@dataclass(frozen=True)
class Gap:
    """A free stretch of a doctor's calendar."""

    starts_at: datetime
    ends_at: datetime
    doctor: int | None = None
    room: int | None = None


@dataclass(frozen=True)
class Wait:
    """What somebody who waits would take. `doctor` None: any; the hours are liked, not demanded."""

    pk: int
    minutes: int
    from_day: date
    until_day: date
    doctor: int | None = None
    liked_from: time | None = None
    liked_to: time | None = None


@dataclass(frozen=True)
class Fit:
    """A time that suits somebody who waits."""

    wait: Wait
    slot: Slot
    gap: Gap
    is_liked: bool


def _starts(gap: Gap, length: timedelta, step: timedelta) -> list[datetime]:
    found, start = [], gap.starts_at
    while start + length <= gap.ends_at:
        found.append(start)
        start += step
    return found


def _is_liked(wait: Wait, slot: Slot, tz: ZoneInfo) -> bool:
    if wait.liked_from is None or wait.liked_to is None:
        return True
    first, last = slot.starts_at.astimezone(tz).time(), slot.ends_at.astimezone(tz).time()
    return wait.liked_from <= first and last <= wait.liked_to


def fit(wait: Wait, gap: Gap, *, tz: ZoneInfo, step: timedelta) -> Fit | None:
    """Return the first time in a gap that suits, one within the liked hours before any other; None when none does."""
    if wait.doctor is not None and wait.doctor != gap.doctor:
        return None
    if not wait.from_day <= gap.starts_at.astimezone(tz).date() <= wait.until_day:
        return None
    length = timedelta(minutes=wait.minutes)
    slots = [Slot(start, start + length) for start in _starts(gap, length, step)]
    fits = [Fit(wait, slot, gap, _is_liked(wait, slot, tz)) for slot in slots]
    return next((f for f in fits if f.is_liked), fits[0] if fits else None)


def best(wait: Wait, gaps: Iterable[Gap], *, tz: ZoneInfo, step: timedelta) -> Fit | None:
    """Return the earliest suiting time among gaps, those within the liked hours first."""
    fits = [found for gap in gaps if (found := fit(wait, gap, tz=tz, step=step)) is not None]
    return min(fits, key=lambda f: (not f.is_liked, f.slot.starts_at), default=None)


def who_fits(waits: Sequence[Wait], gap: Gap, *, tz: ZoneInfo, step: timedelta) -> list[Fit]:
    """Return whom a gap suits: those whose liked hours it meets first, else in the order given (longest wait)."""
    fits = [found for wait in waits if (found := fit(wait, gap, tz=tz, step=step)) is not None]
    return sorted(fits, key=lambda f: not f.is_liked)
