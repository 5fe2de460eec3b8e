"""When the steps of a playbook are due. No database here."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

USUAL_TIME = time(10)  # a step without a time of its own
AHEAD = timedelta(days=14)  # tasks are made this long before they are due
STALE = timedelta(days=7)  # a step whose time passed longer ago is not made up for
NEVER_AGAIN = None


@dataclass(frozen=True)
class StepTimes:
    """What says when a step is due, counted from its anchor: days, clinic-local time, days between repeats."""

    offset_days: int
    at_time: time | None = None
    repeat_days: int | None = None


@dataclass(frozen=True)
class Due:
    """One occurrence of a step; `number` counts the repeats from 0."""

    at: datetime
    number: int


def due_at(*, anchor: datetime, times: StepTimes, tz: ZoneInfo, number: int = 0) -> datetime:
    """Return when an occurrence is due, aware: so many local days after the anchor's day, at the step's time.

    A step on the very day without a time of its own is due at the anchor itself.
    """
    days = times.offset_days + number * (times.repeat_days or 0)
    if days == 0 and times.at_time is None:
        return anchor
    day = anchor.astimezone(tz).date() + timedelta(days=days)
    return datetime.combine(day, times.at_time or USUAL_TIME, tz)


def _occurrences(anchor: datetime, times: StepTimes, tz: ZoneInfo, since: datetime) -> Iterator[Due]:
    """Yield the occurrences from about `since` on; one for a step that does not repeat."""
    if not times.repeat_days:
        yield Due(due_at(anchor=anchor, times=times, tz=tz), 0)
        return
    first = due_at(anchor=anchor, times=times, tz=tz)
    number = max(0, (since - first).days // times.repeat_days)
    while True:
        yield Due(due_at(anchor=anchor, times=times, tz=tz, number=number), number)
        number += 1


def occurrences(
    *, anchor: datetime, times: StepTimes, tz: ZoneInfo, now: datetime
) -> tuple[list[Due], datetime | None]:
    """Return the occurrences that are to be tasks now, and when the next one comes near enough (None: none).

    Those whose time passed more than a week ago are left out, so that missed days flood nobody.
    """
    ready: list[Due] = []
    for due in _occurrences(anchor, times, tz, now - STALE):
        if due.at > now + AHEAD:
            return ready, due.at - AHEAD
        if due.at >= now - STALE:
            ready.append(due)
    return ready, NEVER_AGAIN


def before_appointment(
    *, starts_at: datetime, times: StepTimes, tz: ZoneInfo, now: datetime, must: bool
) -> datetime | None:
    """Return when a step that is counted from an appointment is due.

    A step whose time has passed is due now when it `must` be done before the appointment, else left out.
    """
    at = due_at(anchor=starts_at, times=times, tz=tz)
    if at >= now or at >= starts_at:
        return at if at >= now - STALE else None
    return now if must and now < starts_at else None


def working_day_before(day: date, *, is_working: "dict[date, bool] | None" = None) -> date:
    """Return the last day before `day` that is worked on; without knowledge of holidays, any but a Sunday."""
    known = is_working or {}
    found = day - timedelta(days=1)
    for _n in range(14):
        if known.get(found, found.isoweekday() != 7):
            return found
        found -= timedelta(days=1)
    return day - timedelta(days=1)
