"""Times of chats, in all the ways in which chat systems write them."""

import re
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

from patients.importing.dates import EPOCH_1900, read_moment
from patients.importing.errors import Unreadable

YEARS = range(2000, 2100)
_STAMP = re.compile(r"\d{10}(?:\d{3})?(?:\.\d+)?", re.ASCII)


def read_time(value: object, tz: ZoneInfo, *, epoch: date = EPOCH_1900) -> datetime | None:
    """Return an aware time, None for nothing. A time without a zone is the clinic's. Raises Unreadable."""
    if value is None or value == "":
        return None
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        raise Unreadable(repr(value)[:40])
    text = str(value).strip()
    if not text:
        return None
    try:
        found = datetime.fromisoformat(text)
        if len(text) <= 10:  # a day alone is no time
            raise Unreadable(text)
    except ValueError:
        found = _otherwise(text[:60], epoch)
    return _placed(found, tz)


def _otherwise(text: str, epoch: date) -> datetime:
    if _STAMP.fullmatch(text):
        seconds = float(text)
        try:
            return datetime.fromtimestamp(seconds / 1000 if seconds > 1e11 else seconds, UTC)
        except (ValueError, OverflowError, OSError) as error:
            raise Unreadable(text) from error
    day, clock = read_moment(text, epoch=epoch)
    if clock is None:
        raise Unreadable(text)
    return datetime(day.year, day.month, day.day, clock.hour, clock.minute, clock.second)  # noqa: DTZ001 - placed below


def _placed(found: datetime, tz: ZoneInfo) -> datetime:
    if found.year not in YEARS:
        raise Unreadable(found.isoformat())
    aware = found.replace(tzinfo=tz) if found.tzinfo is None else found
    try:
        return aware.replace(microsecond=0).astimezone(UTC)
    except OverflowError as error:
        raise Unreadable(found.isoformat()) from error


def is_future(at: datetime, now: datetime) -> bool:
    """Tell whether a time lies ahead, more than clocks may differ."""
    return at > now + timedelta(days=1)
