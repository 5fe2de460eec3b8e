"""Windows of a report: half-open ranges of clinic-local days."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Literal

from django.utils.translation import gettext as _

Unit = Literal["week", "month", "quarter", "year", "free"]
Step = Literal["week", "month"]
MONTHS = {"month": 1, "quarter": 3, "year": 12}
UNITS: tuple[Unit, ...] = ("week", "month", "quarter", "year", "free")
FIRST, LAST = date(2000, 1, 1), date(2099, 12, 31)
LONGEST_DAYS = 3 * 366
PERIODS = 13  # of a trend


class BadWindow(ValueError):
    """The days asked for make no sense; the text says why, in the reader's language."""


@dataclass(frozen=True)
class Window:
    """The days from `start` to the day before `end`."""

    start: date
    end: date
    unit: Unit = "free"

    def __post_init__(self) -> None:
        if self.end <= self.start:
            raise BadWindow(_("The last day lies before the first."))
        if not FIRST <= self.start <= self.end <= LAST + timedelta(days=1):
            raise BadWindow(_("Only days between 2000 and 2099 can be shown."))
        if (self.end - self.start).days > LONGEST_DAYS:
            raise BadWindow(_("At most three years can be shown at once."))

    @classmethod
    def of(cls, unit: Unit, day: date) -> "Window":
        """Return the week (from Monday), month, quarter or year that holds a day."""
        if unit == "week":
            monday = day - timedelta(days=day.weekday())
            return cls(monday, monday + timedelta(days=7), unit)
        months = MONTHS[unit]
        start = date(day.year, (day.month - 1) // months * months + 1, 1)
        return cls(start, plus_months(start, months), unit)

    def moved(self, steps: int) -> "Window":
        """Return the window `steps` windows later; a free one moves by its own length."""
        if self.unit in MONTHS:
            months = MONTHS[self.unit] * steps
            return Window(plus_months(self.start, months), plus_months(self.end, months), self.unit)
        days = (self.end - self.start) * steps
        return Window(self.start + days, self.end + days, self.unit)

    @property
    def last_day(self) -> date:
        return self.end - timedelta(days=1)

    @property
    def step(self) -> Step:
        """In what steps its trend goes: weeks for up to a month and a half, else months."""
        return "week" if self.unit == "week" or (self.unit == "free" and (self.end - self.start).days < 45) else "month"

    def trend(self, step: Step) -> "list[Window]":
        """Return the 13 whole weeks or months up to the one that holds the last day, oldest first."""
        last = Window.of(step, self.last_day)
        earliest = Window.of(step, FIRST + timedelta(days=7)).start
        starts = [_stepped(last.start, step, -n) for n in range(PERIODS - 1, -1, -1)]
        return [Window.of(step, day) for day in starts if day >= earliest]

    def params(self) -> dict[str, str]:
        """Return the window as it stands in an address."""
        if self.unit == "free":
            return {"from": self.start.isoformat(), "to": self.last_day.isoformat()}
        return {"window": self.unit, "day": self.start.isoformat()}


def _stepped(day: date, step: Step, steps: int) -> date:
    return day + timedelta(days=7 * steps) if step == "week" else plus_months(day, steps)


def plus_months(day: date, months: int) -> date:
    """Return the first of the month that lies `months` after the month of `day`."""
    index = day.year * 12 + day.month - 1 + months
    return date(index // 12, index % 12 + 1, 1)


def read_window(params: Mapping[str, str], today: date) -> Window:
    """Return the window of an address: `window` and `day`, or `from` and `to` (the last day); else this month.

    Raises:
        BadWindow: an unknown unit, an unreadable day, an end before the start.
    """
    if params.get("from") or params.get("to"):
        start, last = _day(params.get("from", "")), _day(params.get("to", ""))
        if not last <= LAST:
            raise BadWindow(_("Only days between 2000 and 2099 can be shown."))
        return Window(start, last + timedelta(days=1))
    unit = params.get("window") or "month"
    day = _day(params["day"]) if params.get("day") else today
    for known in UNITS[:-1]:
        if known == unit:
            if not FIRST <= day <= LAST:
                raise BadWindow(_("Only days between 2000 and 2099 can be shown."))
            return Window.of(known, day)
    raise BadWindow(_("Unknown span: %(unit)s") % {"unit": unit[:20]})


def _day(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise BadWindow(_("Not a day: %(text)s") % {"text": text[:20] or "—"})
