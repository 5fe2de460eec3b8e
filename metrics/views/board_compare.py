"""The comparison table: each coordinator, team, doctor or clinic beside the others, nearest the bottom first."""

from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from django.urls import reverse
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, pgettext_lazy

from accounts.models import Team, User
from metrics.counting import figures
from metrics.figures import Figure
from metrics.filters import Asked
from metrics.kpis import KPIS
from metrics.scope import Breakdown
from metrics.views.board_words import STATUS, Words, target_text
from metrics.words import fraction_text, number_text

COMPARED: dict[str, Words] = {
    "coordinator": gettext_lazy("Coordinators"),
    "team": gettext_lazy("Teams"),
    "doctor": gettext_lazy("Doctors"),
    "clinic": gettext_lazy("Clinics"),
}
# In the address the people of a row are named so.
NAMES = {"coordinator": "tc", "team": "team", "doctor": "doctor", "clinic": "clinic"}
SHORT: dict[str, Words] = {
    "classification": pgettext_lazy("figure", "Classified"), "classification.accuracy": pgettext_lazy("figure", "Accurate"),
    "c_conversion": pgettext_lazy("figure", "C moves"), "etiquette": pgettext_lazy("figure", "Etiquette"), "form": pgettext_lazy("figure", "Form"),
    "next_appointment": pgettext_lazy("figure", "Next visit"), "cancellation": pgettext_lazy("figure", "Cancelled"),
    "closing": pgettext_lazy("figure", "Closed"), "wechat": pgettext_lazy("figure", "WeChat"), "referral": pgettext_lazy("figure", "Referred"),
    "complaints": pgettext_lazy("figure", "Complaints"),
}  # fmt: skip


@dataclass(frozen=True)
class Cell:
    """One figure of one row; few: shown as its fraction, without a status."""

    figure: Figure
    url: str

    @property
    def few(self) -> bool:
        return self.figure.is_small

    @property
    def text(self) -> str:
        if self.few and self.figure.of.unit == "percent" and self.figure.denominator:
            return fraction_text(self.figure)
        return number_text(self.figure)

    @property
    def status(self) -> str:
        """The status shown: none where it is met, as only what is off is coloured."""
        if self.few:
            return "few" if self.figure.denominator else ""
        return "" if self.figure.status in ("good", "none") else self.figure.status

    @property
    def between(self) -> str:
        """The 95 % Wilson interval, short; "" where there is none."""
        if self.figure.interval is None:
            return ""
        low, high = self.figure.interval
        return f"{round(low)}–{round(high)}%"

    @property
    def title(self) -> str:
        """What stands behind the number: fraction, status and the Wilson interval."""
        said = [fraction_text(self.figure)] if self.figure.denominator else [_("nothing to count")]
        if self.status:
            said.append(str(STATUS[self.status]))
        if self.figure.interval is not None:
            low, high = self.figure.interval
            said.append(_("95%% interval %(low)s–%(high)s%%") % {"low": round(low, 1), "high": round(high, 1)})
        return " · ".join(said)


@dataclass(frozen=True)
class Row:
    pk: int | None
    name: str | Promise
    cells: list[Cell]
    visits: int


@dataclass(frozen=True)
class Column:
    slug: str
    label: Words
    target: str
    sort: str
    sort_url: str
    current: bool


@dataclass(frozen=True)
class Table:
    columns: list[Column]
    whole: Row
    rows: list[Row]
    sort: str
    switch: list[tuple[str, Words, str]]


def table_of(asked: Asked, by: str, sort: str) -> Table:
    """Return the table, sorted by the distance to the target of one figure, the furthest first; without a choice
    by the mean distance over all."""
    breakdown: Breakdown = by  # type: ignore[assignment]
    counted = figures(asked.scope, asked.window, by=breakdown)
    whole = Row(None, _("All"), _cells(asked, counted[None], {}), _visits(counted[None]))
    names = _names(asked, by, [pk for pk in counted if isinstance(pk, int)])
    rows = [
        Row(pk, names[pk], _cells(asked, found, _scoped(asked, by, pk)), _visits(found))
        for pk, found in counted.items()
        if isinstance(pk, int) and pk in names and any(figure.denominator for figure in found)
    ]
    slugs = [cell.figure.of.slug for cell in whole.cells]
    chosen = sort if sort in slugs else ""
    rows.sort(key=lambda row: (-_distance(row, chosen), str(row.name)))
    columns = [
        Column(slug, SHORT[slug], target_text(cell.figure), slug, asked.query(by=by, sort=slug), slug == chosen)
        for slug, cell in zip(slugs, whole.cells, strict=True)
    ]
    switch = [(key, words, asked.url("kpi_compare", by=key)) for key, words in _switch(asked)]
    return Table(columns, whole, rows, chosen, switch)


def _switch(asked: Asked) -> list[tuple[str, Words]]:
    few = asked.is_own
    several = len(asked.scope.clinics) > 1
    return [
        (key, words)
        for key, words in COMPARED.items()
        if not (few and key in ("team", "clinic")) and (several or key != "clinic")
    ]


def _scoped(asked: Asked, by: str, pk: int) -> dict[str, Any]:
    """Return what narrows the address to one row; own figures are narrow already."""
    return {} if asked.is_own and by == "coordinator" else {NAMES[by]: pk}


def _flat(found: list[Figure]) -> list[Figure]:
    """Return the figures of a row: the ten, and the accuracy of the first."""
    flat = []
    for figure in found:
        flat.append(figure)
        accuracy = figure.companions.get("classification.accuracy")
        if accuracy is not None:
            flat.append(accuracy)
    return flat


def _cells(asked: Asked, found: list[Figure], narrowed: dict[str, Any]) -> list[Cell]:
    cells = []
    for figure in _flat(found):
        slug = figure.of.slug
        kpi = slug.partition(".")[0]
        more = narrowed | ({"figure": slug} if slug != kpi else {})
        cells.append(Cell(figure, reverse("kpi_records", args=[kpi]) + asked.query(**more)))
    return cells


def _visits(found: list[Figure]) -> int:
    """Return how many visits ended: the denominator of the next appointment."""
    place = next(n for n, kpi in enumerate(KPIS) if kpi.slug == "next_appointment")
    return found[place].n


def _names(asked: Asked, by: str, ids: list[int]) -> dict[int, str]:
    rows: Any
    if by == "clinic":
        return {clinic.pk: clinic.name for clinic in asked.scope.clinics}
    if by == "team":
        rows = Team.objects.filter(pk__in=ids, clinic__in=asked.scope.clinic_ids).values_list("pk", "name")
        return dict(rows)
    rows = User.objects.filter(pk__in=ids, memberships__clinic__in=asked.scope.clinic_ids)
    return {user.pk: str(user) for user in rows.distinct()}


def _distance(row: Row, slug: str) -> Decimal:
    """Return how many points a row lies off the target; a row that cannot be judged comes last."""
    gaps = []
    for cell in row.cells:
        figure = cell.figure
        if slug and figure.of.slug != slug:
            continue
        if figure.value is None or figure.target is None or figure.is_small:
            continue
        gap = figure.target - figure.value if figure.of.direction == "up" else figure.value - figure.target
        gaps.append(gap if slug else max(gap, Decimal(0)))
    return sum(gaps, Decimal(0)) / len(gaps) if gaps else Decimal(-1000)
