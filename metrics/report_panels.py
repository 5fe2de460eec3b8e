"""The panels of the dashboard as tables for paper."""

from collections.abc import Callable
from dataclasses import dataclass, field
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from django.utils.translation import gettext as _

from metrics.filters import Asked
from metrics.panels import PANELS
from metrics.words import DASH, rounded
from patients.classification import PatientClass

if TYPE_CHECKING:
    from metrics.panels.absences import Absences
    from metrics.panels.cohort import Span
    from metrics.panels.funnel import Funnel
    from metrics.panels.leaks import Leak
    from metrics.panels.moves import Matrix


@dataclass(frozen=True)
class Table:
    """A heading, column heads and rows of words. `widths` are shares of the page; `empty` is said without rows."""

    title: str
    heads: list[str]
    rows: list[list[str]] = field(default_factory=list)
    note: str = ""
    widths: tuple[float, ...] = ()
    size: float = 8.5
    empty: str = ""


def panel_tables(asked: Asked) -> list[Table]:
    """Return the panels' figures in the order of the dashboard."""
    tables = []
    for slug, panel in PANELS.items():
        if slug in _TABLES and (panel.for_own or not asked.is_own):
            tables.append(_TABLES[slug](str(panel.title), panel.count(asked.scope, asked.window)))
    return tables


def _matrix(title: str, found: "Matrix") -> Table:
    heads = [_("Began as"), _("Patients"), *PatientClass.values, _("Accepted"), _("Moved up")]
    rows = [
        [row.code, str(row.total), *(str(cell.n) if cell.n else DASH for cell in row.cells), share(row.share)]
        for row in found.rows
    ]
    note = _("up %(up)s · the same %(same)s · down %(down)s")
    told = note % {"up": found.ups, "same": found.same, "down": found.downs}
    return Table(title, heads, rows if found.total else [], note=told)


def _funnel(title: str, found: "Funnel") -> Table:
    rows = [[str(step.label), str(step.n), share(step.share), f"{step.gone} {step.gone_label}".strip() if step.gone else ""]
            for step in found.steps]  # fmt: skip
    note = _("cost of conversations %(cost)s · plans %(planned)s · accepted %(accepted)s")
    told = note % {"cost": yuan(found.cost), "planned": yuan(found.planned), "accepted": yuan(found.accepted)}
    heads = [_("Step"), "n", _("Of the step before"), ""]
    empty = _("No conversations imported in this window.")
    return Table(title, heads, rows if found.total else [], note=told if found.total else "", empty=empty)


def _cohort(title: str, found: "list[Span]") -> Table:
    heads = [_("Within"), _("Reached C-A"), _("Accepted"), "n", _("Share")]
    rows = [
        [
            _("%(days)s days") % {"days": span.days},
            str(span.reached),
            str(span.accepted),
            str(span.n),
            share(span.share),
        ]
        for span in found
    ]
    return Table(title, heads, rows)


def _leaks(title: str, found: "list[Leak]") -> Table:
    heads = [_("Where it went"), "n", _("Lost"), _("What is counted")]
    rows = [
        [str(leak.label), str(leak.n), yuan(leak.lost) if leak.lost is not None else DASH, str(leak.hint)]
        for leak in found
    ]
    return Table(title, heads, rows, widths=(3, 1, 2, 3))


def _absences(title: str, found: "Absences") -> Table:
    heads = [_("Whose side"), _("Reason"), _("No-shows"), _("Cancelled by the patient")]
    rows = [[str(r.side_label), str(r.label), str(r.no_shows), str(r.cancelled)] for r in found.reasons]
    return Table(title, heads, rows, note=f"n={found.total}")


_TABLES: dict[str, Callable[[str, Any], Table]] = {
    "matrix": _matrix, "funnel": _funnel, "cohort": _cohort, "leaks": _leaks, "absences": _absences,
}  # fmt: skip


def share(value: Decimal | None) -> str:
    """Return a percentage as printed, or a dash."""
    return f"{rounded(value)}%" if value is not None else DASH


def yuan(value: Decimal) -> str:
    """Return an amount as printed."""
    return f"¥{rounded(value, '1'):,}"
