"""When a message may leave, and why not: no database here (DESIGN §4, DOMAIN §4)."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from zoneinfo import ZoneInfo

FIRST_WAIT, LONGEST_WAIT = timedelta(minutes=1), timedelta(hours=1)
MAX_ATTEMPTS = 5
LATEST_REMINDER = timedelta(minutes=30)  # one that comes later than this before the appointment is of no use


@dataclass(frozen=True)
class Hours:
    """The quiet hours of a clinic, in its zone; equal ends mean that no hour is quiet."""

    quiet_from: time
    quiet_until: time
    zone: ZoneInfo

    def _quiet_span(self, at: datetime) -> tuple[datetime, datetime] | None:
        """Return the quiet time [begin, end) that `at` lies in, if it does."""
        if self.quiet_from == self.quiet_until:
            return None
        local = at.astimezone(self.zone)
        over_night = self.quiet_from > self.quiet_until
        for back in (0, 1):
            day = local.date() - timedelta(days=back)
            begin = datetime.combine(day, self.quiet_from, self.zone)
            end = datetime.combine(day + timedelta(days=over_night), self.quiet_until, self.zone)
            if begin <= local < end:
                return begin, end
        return None

    def is_quiet(self, at: datetime) -> bool:
        """Tell whether nothing may be sent at `at`."""
        return self._quiet_span(at) is not None

    def next_allowed(self, at: datetime) -> datetime:
        """Return `at`, or the end of the quiet hours it lies in."""
        span = self._quiet_span(at)
        return span[1] if span else at

    def last_allowed(self, at: datetime) -> datetime:
        """Return `at`, or the last minute before the quiet hours it lies in."""
        span = self._quiet_span(at)
        return span[0] - timedelta(minutes=1) if span else at


@dataclass(frozen=True)
class Facts:
    """What is known of a message, its patient and its clinic at the moment of sending."""

    stale_at: datetime | None = None
    merged: bool = False
    gone: bool = False  # its appointment is not expected any more
    ended: bool = False  # its task or campaign has ended
    forbidden: bool = False  # "never" for the class
    consented: bool = True
    channel_on: bool = True
    has_address: bool = True
    hours: Hours | None = None  # None: may leave at night (staff)
    over_cap: bool = False
    tomorrow: datetime | None = None  # when the day's count begins anew


@dataclass(frozen=True)
class Verdict:
    """Send (both empty), suppress for a reason, or put off until a time, and why."""

    suppress: str = ""
    until: datetime | None = None
    why: str = ""


SEND = Verdict()


def judge(facts: Facts, now: datetime) -> Verdict:
    """Decide what becomes of a due message; the first rule that is broken counts.

    Quiet hours and the daily limit put it off, unless it would be worth nothing by then. Source: DESIGN §4.
    """
    reasons: Mapping[str, bool] = {
        "merged": facts.merged,
        "stale": is_stale(facts.stale_at, now),
        "gone": facts.gone,
        "ended": facts.ended,
        "never": facts.forbidden,
        "consent": not facts.consented,
        "off": not facts.channel_on,
        "no_address": not facts.has_address,
    }
    broken = next((reason for reason, holds in reasons.items() if holds), "")
    if broken:
        return Verdict(suppress=broken)
    if facts.hours is not None and facts.hours.is_quiet(now):
        return _put_off(facts, facts.hours.next_allowed(now), "quiet", "stale")
    if facts.over_cap and facts.tomorrow is not None:
        until = facts.hours.next_allowed(facts.tomorrow) if facts.hours else facts.tomorrow
        return _put_off(facts, until, "cap", "cap")
    return SEND


def _put_off(facts: Facts, until: datetime, why: str, otherwise: str) -> Verdict:
    if is_stale(facts.stale_at, until):
        return Verdict(suppress=otherwise)
    return Verdict(until=until, why=why)


def is_stale(stale_at: datetime | None, at: datetime) -> bool:
    """Tell whether a message is worth nothing at `at`."""
    return stale_at is not None and at >= stale_at


def backoff(attempt: int, roll: float) -> timedelta:
    """Return how long to wait after a failed try: doubling from a minute to an hour, half of it by chance.

    Args: attempt: tries so far, from 1; roll: a random number in [0, 1).
    """
    whole = min(FIRST_WAIT * 2 ** max(0, attempt - 1), LONGEST_WAIT)
    return whole * (0.5 + roll / 2)


def ask_again_after(age: timedelta) -> timedelta:
    """Return when to ask the provider again about a message whose fate has been unknown for `age`."""
    return min(max(age, timedelta(minutes=1)), timedelta(hours=6))


def reminder_due(wanted: datetime, starts_at: datetime, hours: Hours, now: datetime) -> datetime | None:
    """Return when a reminder leaves: as wanted, moved out of the quiet hours, or None when too late.

    Later is better than earlier, as long as half an hour is left before the appointment.
    """
    later = hours.next_allowed(wanted)
    due = later if later <= starts_at - LATEST_REMINDER else hours.last_allowed(wanted)
    return due if now < due < starts_at else None
