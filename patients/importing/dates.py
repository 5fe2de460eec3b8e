"""Dates and times in all the ways in which spreadsheets and people write them."""

import re
from datetime import date, datetime, time, timedelta
from typing import NamedTuple

from patients.importing.errors import Unreadable
from patients.importing.text import without_thousands

EPOCH_1900 = date(1899, 12, 30)
EPOCH_1904 = date(1904, 1, 1)
# Between them a bare number is a day's serial; below, it is rather a year; above, digits run together.
SERIALS = (2101, 109_574)
DAY_SECONDS = 86_400
REPUBLIC = 1911  # 民国 1 = 1912

_TIME = (
    r"(?P<half>上午|下午)?\s*"
    r"(?:(?P<h>\d{1,2}):(?P<m>\d{2})(?::(?P<s>\d{2})(?:\.\d+)?)?"
    r"|(?P<h2>\d{2})(?P<m2>\d{2})"
    r"|(?P<h3>\d{1,2})\s*[点时]\s*(?:(?P<m3>\d{1,2})\s*分?|(?P<mh>半))?)"
)
_DAY = (
    r"(?:(?P<y>\d{4})(?P<sep>[-/.])(?P<mo>\d{1,2})(?P=sep)(?P<d>\d{1,2})"
    r"|(?P<y2>\d{4})(?P<mo2>\d{2})(?P<d2>\d{2})"
    r"|(?:(?P<roc>民国)\s*)?(?P<y3>\d{1,4})\s*年\s*(?P<mo3>\d{1,2})\s*月\s*(?P<d3>\d{1,2})\s*[日号])"
)
_MOMENT = re.compile(rf"{_DAY}(?:(?:\s*T|\s+|(?<=[日号]))\s*{_TIME})?", re.ASCII)
_ONLY_TIME = re.compile(_TIME, re.ASCII)
_SERIAL = re.compile(r"\d{1,6}(?:\.\d+)?", re.ASCII)
_FRACTION = re.compile(r"0?\.\d+", re.ASCII)
_YEAR_MONTH = re.compile(r"(\d{4})(?:[-/.](\d{1,2})|\s*年\s*(\d{1,2})\s*月)", re.ASCII)
_NO_YEAR = re.compile(rf"(\d{{1,2}})\s*月\s*(\d{{1,2}})\s*[号日](?:\s*{_TIME})?", re.ASCII)


class Birth(NamedTuple):
    """A birth date; `day` is None when only year and month are known."""

    year: int
    month: int
    day: int | None

    def after(self, today: date) -> bool:
        """Tell whether this birth lies after `today`, as far as it is known."""
        if self.day is None:
            return (self.year, self.month) > (today.year, today.month)
        return date(self.year, self.month, self.day) > today

    def as_date(self) -> date:
        """Return the date, the first of the month when the day is unknown."""
        return date(self.year, self.month, self.day or 1)


def read_moment(text: str, *, epoch: date = EPOCH_1900) -> tuple[date, time | None]:
    """Return day and, where there is one, time of day. Raises Unreadable."""
    match = _MOMENT.fullmatch(text)
    if match is None:
        return _from_serial(text, epoch)
    part = match.groupdict()
    year = int(part["y"] or part["y2"] or part["y3"])
    if part["roc"]:
        year += REPUBLIC
    elif part["y3"] and len(part["y3"]) != 4:
        raise Unreadable(text)
    day = _day(year, part["mo"] or part["mo2"] or part["mo3"], part["d"] or part["d2"] or part["d3"])
    return day, _time(part) if part["h"] or part["h2"] or part["h3"] else None


def read_day(text: str, *, epoch: date = EPOCH_1900) -> date:
    """Return the day; a time beside it is read and dropped. Raises Unreadable."""
    return read_moment(text, epoch=epoch)[0]


def read_birth(text: str, *, epoch: date = EPOCH_1900) -> Birth:
    """Return a birth date; year and month alone are enough. Raises Unreadable."""
    if match := _YEAR_MONTH.fullmatch(text):
        year, month = int(match[1]), match[2] or match[3]
        return Birth(year, _day(year, month, "1").month, None)
    day = read_day(text, epoch=epoch)
    return Birth(day.year, day.month, day.day)


def read_near(text: str, *, today: date, ahead: bool, epoch: date = EPOCH_1900) -> date:
    """Return the day; one without a year is the latest up to `today`, or with `ahead` the earliest from it on.

    Raises Unreadable.
    """
    match = _NO_YEAR.fullmatch(text)
    if match is None:
        return read_day(text, epoch=epoch)
    if match["h"] or match["h2"] or match["h3"]:
        _time(match.groupdict())
    years = range(today.year, today.year + 9) if ahead else range(today.year, today.year - 9, -1)
    for year in years:  # nine years: 29 February may be that far away
        try:
            day = _day(year, match[1], match[2])
        except Unreadable:
            continue
        if day >= today if ahead else day <= today:
            return day
    raise Unreadable(text)


def read_time(text: str) -> time:
    """Return a time of day: 9:30, 09:30:00, 0930, 9点30分, 下午2:30, or the fraction of a day. Raises Unreadable."""
    if match := _ONLY_TIME.fullmatch(text):
        return _time(match.groupdict())
    if _FRACTION.fullmatch(text):
        return clock(round(float(text) * DAY_SECONDS))
    raise Unreadable(text)


def clock(seconds: int) -> time:
    """Return the time of day so many seconds after midnight."""
    return time(seconds // 3600 % 24, seconds // 60 % 60, seconds % 60)


def _day(year: int, month: str, day: str) -> date:
    try:
        return date(year, int(month), int(day))
    except ValueError as error:
        raise Unreadable(f"{year}-{month}-{day}") from error


def _time(part: dict[str, str | None]) -> time:
    hour = int(part["h"] or part["h2"] or part["h3"] or 0)
    minute = 30 if part["mh"] else int(part["m"] or part["m2"] or part["m3"] or 0)
    if part["half"] == "下午" and hour < 12:
        hour += 12
    elif part["half"] == "上午" and hour == 12:
        hour = 0
    try:
        return time(hour, minute, int(part["s"] or 0))
    except ValueError as error:
        raise Unreadable(str(part)) from error


def _from_serial(text: str, epoch: date) -> tuple[date, time | None]:
    number = without_thousands(text)
    if not _SERIAL.fullmatch(number):
        raise Unreadable(text)
    serial = float(number)
    if not SERIALS[0] <= serial <= SERIALS[1]:
        raise Unreadable(text)
    seconds = round((serial % 1) * DAY_SECONDS)
    moment = datetime.combine(epoch, time()) + timedelta(days=int(serial), seconds=seconds)
    return moment.date(), moment.time() if seconds else None
