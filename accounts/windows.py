"""Windows: half-open ranges of clinic-local days, and those beside them (DOMAIN §6)."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Literal

from django.utils.translation import gettext as _

Unit = Literal["day", "week", "month", "quarter", "year", "free"]
UNITS: tuple[Unit, ...] = ("day", "week", "month", "quarter", "year", "free")
MONTHS = {"month": 1, "quarter": 3, "year": 12}
LONGEST_DAYS = 3 * 366  # of a free window
EARLIEST, LATEST = date(2000, 1, 1), date(2099, 12, 31)


class BadWindow(ValueError):
    """The window asked for makes no sense; the text says why, in the reader's language."""


@dataclass(frozen=True)
class Window:
    """The days from `start` to the day before `end`, in each clinic's own zone."""

    start: date
    end: date
    unit: Unit = "free"

    def __post_init__(self) -> None:
        if self.end <= self.start:
            raise BadWindow(_("The end must be after the start."))
        if not EARLIEST <= self.start <= self.end <= LATEST + timedelta(days=1):
            raise BadWindow(_("The window must lie between 2000 and 2099."))
        if (self.end - self.start).days > LONGEST_DAYS:
            raise BadWindow(_("A window may be three years long at most."))

    @classmethod
    def of(cls, unit: Unit, day: date) -> "Window":
        """Return the window of `unit` that holds `day`; weeks begin on Monday.

        Raises:
            BadWindow: `unit` is "free", or unknown.
        """
        if unit == "day":
            return cls(day, day + timedelta(days=1), unit)
        if unit == "week":
            monday = day - timedelta(days=day.weekday())
            return cls(monday, monday + timedelta(days=7), unit)
        if unit in MONTHS:
            months = MONTHS[unit]
            start = date(day.year, (day.month - 1) // months * months + 1, 1)
            return cls(start, plus_months(start, months), unit)
        raise BadWindow(_("Unknown window: %(unit)s") % {"unit": unit})

    def moved(self, steps: int) -> "Window":
        """Return the window `steps` windows later (earlier when negative); a free one moves by its length."""
        if self.unit in MONTHS:
            months = MONTHS[self.unit] * steps
            return Window(plus_months(self.start, months), plus_months(self.end, months), self.unit)
        days = (self.end - self.start) * steps
        return Window(self.start + days, self.end + days, self.unit)

    @property
    def before(self) -> "Window":
        return self.moved(-1)

    @property
    def year_ago(self) -> "Window":
        """The same days a year ago; for weeks 52 weeks, so that it is whole weeks."""
        if self.unit == "week":
            return self.moved(-52)
        return Window(plus_months(self.start, -12), plus_months(self.end, -12), self.unit)

    def trend(self, periods: int = 13) -> "list[Window]":
        """Return the last `periods` windows up to this one, oldest first."""
        return [self.moved(-n) for n in range(periods - 1, -1, -1)]

    @property
    def last_day(self) -> date:
        return self.end - timedelta(days=1)

    def params(self) -> dict[str, str]:
        """Return the window as it stands in an address."""
        if self.unit == "free":
            return {"window": "free", "from": self.start.isoformat(), "to": self.last_day.isoformat()}
        return {"window": self.unit, "day": self.start.isoformat()}


def plus_months(day: date, months: int) -> date:
    """Return `day` moved by months; a day that the month does not have becomes its last."""
    index = day.year * 12 + day.month - 1 + months
    year, month = index // 12, index % 12 + 1
    following = date(year + month // 12, month % 12 + 1, 1)
    return date(year, month, min(day.day, (following - timedelta(days=1)).day))


def read_window(params: Mapping[str, str], *, today: date) -> Window:
    """Return the window an address asks for: `window`, `day`, `from`, `to` (the last day); this month by default.

    Raises:
        BadWindow: an unknown unit, an unreadable day, an end before the start.
    """
    unit = params.get("window") or ("free" if params.get("from") or params.get("to") else "month")
    if unit == "free":
        start, last = _day(params.get("from", "")), _day(params.get("to", ""))
        if last >= LATEST:
            raise BadWindow(_("The window must lie between 2000 and 2099."))
        return Window(start, last + timedelta(days=1), "free")
    if unit not in UNITS:
        raise BadWindow(_("Unknown window: %(unit)s") % {"unit": unit[:20]})
    day = _day(params["day"]) if params.get("day") else today
    if not EARLIEST <= day <= LATEST:
        raise BadWindow(_("The window must lie between 2000 and 2099."))
    return Window.of(unit, day)


def _day(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise BadWindow(_("Not a day: %(text)s") % {"text": text[:20] or "—"})
