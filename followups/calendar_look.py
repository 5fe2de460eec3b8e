"""What a calendar's address says: which days, by whom, which column."""

from calendar import monthcalendar
from dataclasses import dataclass, replace
from datetime import date, timedelta
from functools import cached_property
from typing import Any
from urllib.parse import urlencode

from django.http import QueryDict
from django.utils.translation import pgettext_lazy

from accounts import reading
from accounts.models import Clinic
from followups.models import Weekday

VIEWS = ("day", "week", "list")
WEEKDAYS = [
    pgettext_lazy("weekday", "Mo"),
    pgettext_lazy("weekday", "Tu"),
    pgettext_lazy("weekday", "We"),
    pgettext_lazy("weekday", "Th"),
    pgettext_lazy("weekday", "Fr"),
    pgettext_lazy("weekday", "Sa"),
    pgettext_lazy("weekday", "Su"),
]


@dataclass(frozen=True)
class Look:
    """The part of the calendar that somebody looks at. `col` is one doctor or room, 0 for nobody's, None for all."""

    day: date
    today: date
    view: str = "day"
    by: str = "doctor"
    col: int | None = None
    month: date | None = None  # that the small month shows, when it is not the day's own

    @classmethod
    def of(cls, params: QueryDict, clinic: Clinic) -> "Look":
        """Read an address leniently: anything unreadable counts as not said."""
        view, by = params.get("view", ""), params.get("by", "")
        today = clinic.today()
        return cls(
            day=reading.day(params.get("day")) or today,
            today=today,
            view=view if view in VIEWS else "day",
            by=by if by == "room" else "doctor",
            col=reading.whole_number(params.get("col")),
            month=reading.day(f"{params.get('month', '')}-01"),
        )

    @property
    def days(self) -> list[date]:
        """The days that are shown: one, or Monday to Sunday."""
        if self.view != "week":
            return [self.day]
        monday = self.day - timedelta(days=self.day.weekday())
        return [monday + timedelta(days=n) for n in range(7)]

    def query(self, **over: Any) -> str:
        """Return the address of this look, or of one that differs in the named parts."""
        other = replace(self, **over)
        parts = {"day": other.day.isoformat()}
        if other.view != "day":
            parts["view"] = other.view
        if other.by != "doctor":
            parts["by"] = other.by
        if other.col is not None:
            parts["col"] = str(other.col)
        if other.month is not None:
            parts["month"] = other.month.strftime("%Y-%m")
        return "?" + urlencode(parts)

    @cached_property
    def here(self) -> str:
        return self.query()

    @property
    def before(self) -> str:
        return self.query(day=self.day - self._step, month=None)

    @property
    def after(self) -> str:
        return self.query(day=self.day + self._step, month=None)

    @property
    def now(self) -> str:
        return self.query(day=self.today, month=None)

    @property
    def as_day(self) -> str:
        return self.query(view="day", col=None)

    @property
    def as_week(self) -> str:
        return self.query(view="week")

    @property
    def as_list(self) -> str:
        return self.query(view="list", col=None, by="doctor")

    @property
    def by_doctor(self) -> str:
        return self.query(by="doctor", col=None)

    @property
    def by_room(self) -> str:
        return self.query(by="room", col=None)

    @property
    def _step(self) -> timedelta:
        return timedelta(days=7 if self.view == "week" else 1)


@dataclass(frozen=True)
class MonthDay:
    day: date
    href: str
    is_shown: bool
    is_today: bool
    is_outside: bool


@dataclass(frozen=True)
class Month:
    """A small month to walk about in."""

    first: date
    heads: list[Any]
    weeks: list[list[MonthDay]]
    before: str
    after: str


def month_of(look: Look) -> Month:
    """Return the month that stands beside the calendar."""
    first = (look.month or look.day).replace(day=1)
    start = first - timedelta(days=first.weekday())
    rows = len(monthcalendar(first.year, first.month))
    shown = set(look.days)

    def cell(day: date) -> MonthDay:
        outside = day.month != first.month
        return MonthDay(day, look.query(day=day, month=None), day in shown, day == look.today, outside)

    weeks = [[cell(start + timedelta(days=7 * row + n)) for n in range(7)] for row in range(rows)]
    return Month(
        first=first,
        heads=list(zip(WEEKDAYS, Weekday.labels, strict=True)),
        weeks=weeks,
        before=look.query(month=(first - timedelta(days=1)).replace(day=1)),
        after=look.query(month=(first + timedelta(days=32)).replace(day=1)),
    )
