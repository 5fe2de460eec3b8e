"""The filters above a report: days, consultant, team, opening hours; all of it in the address."""

from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from django.utils.formats import date_format
from django.utils.translation import gettext as _

from accounts.windows import BadWindow, Window, plus_months
from conversations.forms import consultants
from conversations.reports.filters import Scope, people_of, teams_of


@dataclass(frozen=True)
class Bar:
    """What the template of the filters needs; addresses are queries with their question mark."""

    segments: list[tuple[str, str, bool]]
    previous: str
    following: str
    title: str
    first: str
    last: str
    kept_days: list[tuple[str, str]]
    kept_others: list[tuple[str, str]]
    people: list[tuple[str, str]]
    person: str
    teams: list[tuple[str, str]]
    team: str
    hours: list[tuple[str, str]]
    opening: str
    chips: list[tuple[str, str]]


def days_words(window: Window) -> str:
    """Return the days of a window, the last one included."""
    first, last = (date_format(day, "DATE_FORMAT") for day in (window.start, window.last_day))
    return first if first == last else f"{first} – {last}"


def bar_of(scope: Scope, params: dict[str, str], extra: dict[str, str]) -> Bar:
    """Return the filters; two statements (none for who may see the own figures only).

    Args: extra: what else of the address stays as it is.
    """
    said = scope.params() | extra
    names = ("consultant", "team", "channel", "hours", *extra)
    others = [(name, value) for name, value in said.items() if name in names]
    chips = []
    if scope.channel is not None:
        rest = {name: value for name, value in said.items() if name != "channel"}
        chips.append((_("Channel: %(name)s") % {"name": scope.channel or _("(none)")}, _query(rest)))
    return Bar(
        segments=_segments(scope, extra),
        previous=_moved(scope, -1, extra),
        following=_moved(scope, 1, extra),
        title=days_words(scope.window),
        first=params.get("from", "")[:20] if scope.trouble else scope.window.start.isoformat(),
        last=params.get("to", "")[:20] if scope.trouble else scope.window.last_day.isoformat(),
        kept_days=[*scope.window.params().items(), *extra.items()],
        kept_others=others,
        people=[] if scope.own else _people(scope),
        person=str(scope.person or ""),
        teams=[] if scope.own else [("", _("All teams")), *((str(t.pk), t.name) for t in teams_of(scope.clinic))],
        team=str(scope.team or ""),
        hours=[("", _("All hours")), ("open", _("In opening hours")), ("off", _("Outside opening hours"))],
        opening={None: "", True: "open", False: "off"}[scope.opening],
        chips=chips,
    )


def _people(scope: Scope) -> list[tuple[str, str]]:
    """Those who may lead chats here, and the one chosen, who may have left."""
    rows = consultants(scope.clinic) if scope.person is None else people_of(scope.clinic)
    return [("", _("All consultants")), *((str(user.pk), str(user)) for user in rows)]


def _segments(scope: Scope, extra: dict[str, str]) -> list[tuple[str, str, bool]]:
    today = scope.clinic.today()
    month = Window.of("month", today)
    year = Window(plus_months(month.start, -11), month.end)
    spans: list[tuple[str, Window]] = [
        (_("This week"), Window.of("week", today)), (_("This month"), month), (_("Last month"), month.moved(-1)),
        (_("This quarter"), Window.of("quarter", today)), (_("12 months"), year),
    ]  # fmt: skip
    here = (scope.window.start, scope.window.end)
    return [(words, f"?{scope.over(span).query(**extra)}", here == (span.start, span.end)) for words, span in spans]


def _moved(scope: Scope, steps: int, extra: dict[str, str]) -> str:
    try:
        return f"?{scope.over(scope.window.moved(steps)).query(**extra)}"
    except (BadWindow, ValueError, OverflowError):  # beyond the calendar
        return ""


def _query(said: dict[str, Any]) -> str:
    return f"?{urlencode(said)}"
