"""What the lines of a report are called, and where their numbers lead."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date
from functools import cached_property
from urllib.parse import urlencode

from django.urls import reverse
from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from accounts.models import Team, User
from accounts.reading import whole_number
from conversations.inspection.codes import CODES, GROUPS
from conversations.reports.counting import WHOLE
from conversations.reports.filters import Scope
from conversations.reports.records import Part
from followups.models.schedule import Weekday

ALSO = {
    "ending.consultant": gettext_lazy("Consultant ended the chat"),
    "nothing": gettext_lazy("Nothing found"),
    "uninspected": gettext_lazy("Not inspected yet"),
}


@dataclass
class Naming:
    """Names the keys of one grouping; people and teams are read once, in one statement."""

    scope: Scope
    by: str
    _names: dict[str, str] = field(default_factory=dict)

    def learn(self, keys: Iterable[str | None]) -> "Naming":
        """Read the names of people or teams; for other groupings nothing is asked."""
        model = {"consultant": User, "team": Team}.get(self.by)
        if model is None:
            return self
        wanted = sorted({pk for key in keys if (pk := whole_number(key)) is not None})
        rows = model.objects.for_clinic(self.scope.clinic).in_bulk(wanted)  # type: ignore[attr-defined]
        self._names = {str(pk): str(row) for pk, row in rows.items()}
        return self

    def name(self, key: str | None) -> str:
        """Return what a line is called."""
        if key == WHOLE:
            return self.scope.clinic.name
        if key is None:
            return _("Not linked to anybody") if self.by == "consultant" else _("Without a team")
        if self.by in ("consultant", "team"):
            return self._names.get(key, "—")
        try:
            return self._of_time(key)
        except ValueError:  # typed into an address
            return key

    def _of_time(self, key: str) -> str:
        if self.by in ("channel", "keyword", "whole"):
            return key or _("(none)")
        if self.by == "slot":
            weekday, _dash, hour = key.partition("-")
            return f"{Weekday(int(weekday) - 1).label} {int(hour):02}:00"
        if self.by == "hour":
            return f"{int(key):02}:00"
        if self.by == "weekday":
            return str(Weekday(int(key) - 1).label)
        if self.by == "opening":
            return _("In opening hours") if key == "open" else _("Outside opening hours")
        day = date.fromisoformat(key)
        if self.by == "week":
            return _("week of %(day)s") % {"day": date_format(day, "DATE_FORMAT")}
        return date_format(day, "YEAR_MONTH_FORMAT")

    def head(self, key: str | None) -> str:
        """Return where the head of a line leads: to the report of this one person, team or channel, or to its chats."""
        narrowed = {"consultant": "consultant", "team": "team", "channel": "channel"}.get(self.by)
        if key in (None, WHOLE, "") or narrowed is None or (self.scope.own and narrowed == "consultant"):
            return self.link(key)
        return f"{reverse('conversation_reports')}?{self.scope.query(**{narrowed: key})}"

    def link(self, key: str | None, name: str = "chats", value: str = "", **more: bool) -> str:
        """Return the address of the chats behind a number of a line."""
        by = "whole" if key == WHOLE else self.by
        part = Part(name, value, by, "" if key == WHOLE else key, **more)
        return f"{self._chats}&{urlencode(part.params())}"

    @cached_property
    def _chats(self) -> str:
        """The part of the address that all numbers share: there are thousands of them on a page."""
        return f"{reverse('conversation_report_chats')}?{self.scope.query()}"


def loss_name(value: str) -> str:
    """Return what a kind of loss or a code is called; one that is no longer known keeps its code."""
    if value in GROUPS:
        return str(GROUPS[value])
    if value in CODES:
        return str(CODES[value].label)
    return str(ALSO.get(value, value))
