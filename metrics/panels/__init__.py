"""What the dashboard shows below its cards: each panel is counted, drawn and opened by itself."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from django.db.models import QuerySet
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from accounts.windows import Window
from metrics.panels import absences, cohort, funnel, leaks, moves
from metrics.scope import Scope


@dataclass(frozen=True)
class Panel:
    """One panel.

    Args:
        count: what it shows; given to the template as `data`.
        records: the records behind one of its numbers; None for a number it does not have.
        words: what the records of a number are, in words.
        for_own: shown also to those who see own figures only.
        wide: takes the broad column.
    """

    slug: str
    title: str | Promise
    template: str
    count: Callable[[Scope, Window], Any]
    records: Callable[[Scope, Window, str], QuerySet[Any] | None]
    words: Callable[[str], str]
    for_own: bool = True
    wide: bool = False


PANELS: dict[str, Panel] = {
    panel.slug: panel
    for panel in (
        Panel("matrix", _("Moves between classes"), "metrics/_matrix.html", moves.count, moves.records, moves.words),
        Panel(
            "funnel",
            _("From conversation to acceptance"),
            "metrics/_funnel.html",
            funnel.count,
            funnel.records,
            funnel.words,
            for_own=False,
            wide=True,
        ),
        Panel("cohort", _("C-E to C-A"), "metrics/_cohort.html", cohort.count, cohort.records, cohort.words),
        Panel(
            "leaks",
            _("Where the most money was lost"),
            "metrics/_leaks.html",
            leaks.count,
            leaks.records,
            leaks.words,
            for_own=False,
            wide=True,
        ),
        Panel(
            "absences",
            _("Why patients did not come"),
            "metrics/_absences.html",
            absences.count,
            absences.records,
            absences.words,
        ),
    )
}
