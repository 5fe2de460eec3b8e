"""The pages of the report: each a few tables, in a fixed number of statements."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from django.utils.formats import date_format
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from accounts.windows import Window
from conversations.reports import others, people, service
from conversations.reports.counting import WHOLE, Lines, lines, lines_of
from conversations.reports.figures import RESULTS, Line
from conversations.reports.filters import Scope
from conversations.reports.losses import losses_by
from conversations.reports.naming import Naming
from conversations.reports.tables import Table
from conversations.reports.times import folded, week_table
from conversations.reports.windows import Step, step_of

KEYWORDS = 50  # on the page; the export has all


@dataclass
class Page:
    """What one page shows. `extra` is for its template: the chart, and the days it shows where those are others."""

    tables: list[Table]
    whole: Line = field(default_factory=Line)
    extra: dict[str, Any] = field(default_factory=dict)


def people_page(scope: Scope, by: str) -> Page:
    """Consultants or teams, and what they cost."""
    found = lines(scope, by)
    naming = Naming(scope, by).learn(found)
    return Page([people.results(found, naming), people.costs(found, naming)], found[WHOLE])


def trend_page(scope: Scope, by: str) -> Page:
    """How it went over 13 weeks or months."""
    step = step_of(scope.window)
    points = people.over_time(scope, step)
    shown = Window(points[0][0].start, points[-1][0].end)
    whole = Line(chats=sum(line.chats for _window, line in points))
    return Page([people.trend(scope, points, step)], whole, {"chart": chart(points, step), "shown": shown})


def losses_page(scope: Scope, by: str) -> Page:
    """What lost the visitors, and who."""
    found = lines(scope, by)
    naming = Naming(scope, by).learn(found)
    kinds, of_each = losses_by(scope, by)
    tables = [others.by_kind(kinds, found[WHOLE], naming), others.loss_matrix(of_each, found, naming)]
    return Page(tables, found[WHOLE])


def sources_page(scope: Scope, by: str) -> Page:
    """Channels and keywords."""
    found = lines_of(scope, ("channel", "keyword"))
    channels, keywords = found["channel"], found["keyword"]
    tables = [
        people.sources(channels, Naming(scope, "channel"), title=_("By channel")),
        people.sources(keywords, Naming(scope, "keyword"), title=_("By keyword"), limit=KEYWORDS + 1),
    ]
    return Page(tables, channels[WHOLE])


def times_page(scope: Scope, by: str) -> Page:
    """Opening hours, weekdays, hours."""
    found = lines_of(scope, ("opening", "slot"))
    opening, slots = found["opening"], found["slot"]
    days, hours = folded(slots, 0), folded(slots, 1)
    tables = [
        people.sources(opening, Naming(scope, "opening"), title=_("By opening hours")),
        week_table(slots, Naming(scope, "slot")),
        people.sources(days, Naming(scope, "weekday"), title=_("By weekday"), keys=_in_order(days, 1, 8)),
        people.sources(hours, Naming(scope, "hour"), title=_("By hour"), keys=_in_order(hours, 0, 24)),
    ]
    return Page(tables, opening[WHOLE])


def service_page(scope: Scope, by: str) -> Page:
    """How quickly, how chats end, what became of the bookings."""
    limits = service.Limits.of(scope)
    paces = service.paces(scope, by, limits)
    ends = service.tally(scope, by, "led", "ending")
    coming = service.tally(scope, by, "coming")
    naming = Naming(scope, by).learn({*paces, *ends, *coming})
    spread = service.histograms(scope, limits)
    tables = [others.histogram(measure, counts, limits, naming) for measure, counts in spread.items()]
    tables += [others.pace_table(paces, limits, naming), others.endings(ends, naming)]
    tables += [others.bookings(coming, naming), others.no_shows(coming, naming)]
    return Page(tables, Line(chats=service.total(ends[WHOLE])))


PAGES: dict[str, tuple[Promise, Callable[[Scope, str], Page]]] = {
    "people": (gettext_lazy("Consultants and teams"), people_page),
    "trend": (gettext_lazy("Trend"), trend_page),
    "losses": (gettext_lazy("Losses"), losses_page),
    "sources": (gettext_lazy("Channels and keywords"), sources_page),
    "times": (gettext_lazy("Hours and weekdays"), times_page),
    "service": (gettext_lazy("Speed, endings, bookings"), service_page),
}
SWITCHED = ("people", "losses", "service")  # pages that can be seen by consultant or by team


def _in_order(found: Lines, first: int, end: int) -> list[str | None]:
    return [WHOLE, *(key for key in map(str, range(first, end)) if key in found)]


def chart(points: list[Any], step: Step) -> dict[str, Any]:
    """Return the trend of the shares for static/js/charts.js."""
    names = people.labels()
    series = []
    for part, tone in zip(RESULTS, ("accent", "watch", "ce", "bad"), strict=True):
        values = [line.share(part).percent for _window, line in points]
        rounded = [None if value is None else round(value, 1) for value in values]
        series.append({"name": names[part], "values": rounded, "tone": tone})
    shape = "MONTH_DAY_FORMAT" if step == "week" else "YEAR_MONTH_FORMAT"
    labels = [date_format(window.start, shape) for window, _line in points]
    return {"type": "line", "labels": labels, "unit": "%", "series": series}
