"""What a report is about: whose chats, of which days, by which way they came."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any
from urllib.parse import urlencode

from django.db.models import QuerySet
from django.utils.translation import gettext as _

from accounts.models import Clinic, Team, User
from accounts.permissions import Permission
from accounts.reading import whole_number
from accounts.windows import BadWindow, Window, read_window
from conversations.reports.opening import open_times

OPENING = {"open": True, "off": False}


@dataclass(frozen=True)
class Scope:
    """The filters of a report; None means all. `person` is who gets the credit, fact by fact."""

    clinic: Clinic
    window: Window
    person: int | None = None
    team: int | None = None
    channel: str | None = None
    opening: bool | None = None  # True: within the clinic's opening hours, False: outside
    own: bool = False  # the reader may see the own figures only
    trouble: str = ""  # what of the address could not be read
    _open: list[str] = field(default_factory=list, compare=False, repr=False)

    @property
    def bounds(self) -> tuple[datetime, datetime]:
        """The window as moments."""
        return self.clinic.day_bounds(self.window.start)[0], self.clinic.day_bounds(self.window.last_day)[1]

    @property
    def open_times(self) -> str:
        """The stretches the clinic is open, as PostgreSQL reads them; worked out once."""
        if not self._open:
            self._open.append(open_times(self.clinic, self.window.start, self.window.end))
        return self._open[0]

    def values(self, *, opening: bool = False) -> dict[str, Any]:
        """Return what the statements of conversations.reports.sql ask for by name."""
        start, end = self.bounds
        asked = opening or self.opening is not None
        return {
            "clinic": self.clinic.pk, "zone": self.clinic.zone, "start": start, "end": end, "person": self.person,
            "team": self.team, "channel": self.channel, "opening": self.opening,
            "open": self.open_times if asked else "{}",
        }  # fmt: skip

    def over(self, window: Window) -> "Scope":
        """Return the same for other days."""
        return replace(self, window=window, _open=[])

    def params(self) -> dict[str, str]:
        """Return the scope as it stands in an address."""
        said: dict[str, Any] = {"consultant": None if self.own else self.person, "team": self.team}
        said |= {"channel": self.channel}
        if self.opening is not None:
            said["hours"] = "open" if self.opening else "off"
        return self.window.params() | {name: str(value) for name, value in said.items() if value is not None}

    def query(self, **more: Any) -> str:
        """Return the address's query, with more in it."""
        return urlencode(self.params() | {name: str(value) for name, value in more.items() if value is not None})


def read_scope(params: Mapping[str, str], clinic: Clinic, user: User) -> Scope:
    """Return what an address asks for; what cannot be read is as not said, `trouble` tells of bad days.

    Without SCORE_CONVERSATIONS a person sees the own figures only, whatever the address says.
    """
    trouble = ""
    try:
        window = read_window(params, today=clinic.today())
    except BadWindow as error:
        window, trouble = Window.of("month", clinic.today()), str(error)
    own = not user.may(Permission.SCORE_CONVERSATIONS, clinic)
    person, team = whole_number(params.get("consultant")), whole_number(params.get("team"))
    if params.get("consultant") and person is None:
        trouble = trouble or _("Not a consultant: %(text)s") % {"text": params["consultant"][:20]}
    return Scope(
        clinic=clinic,
        window=window,
        person=user.pk if own else person,
        team=team,
        channel=plain(params["channel"][:60]) if params.get("channel") else None,
        opening=OPENING.get(params.get("hours", "")),
        own=own,
        trouble=trouble,
    )


def plain(text: str) -> str:
    """Return a text of an address as the database can compare it."""
    return text.replace("\x00", "")


def people_of(clinic: Clinic) -> "QuerySet[User]":
    """Return who can be chosen as a consultant."""
    rows: QuerySet[User] = User.objects.for_clinic(clinic).persons().order_by("full_name", "pk")  # type: ignore[attr-defined]
    return rows


def teams_of(clinic: Clinic) -> "QuerySet[Team]":
    rows: QuerySet[Team] = Team.objects.for_clinic(clinic).order_by("name", "pk")  # type: ignore[attr-defined]
    return rows
