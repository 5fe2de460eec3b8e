"""Every number down to the patient: counted, failing and excluded records, each with what mends it."""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from django.db.models import QuerySet
from django.http import Http404, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET

from accounts.access import StaffRequest, requires
from accounts.models import Clinic
from accounts.permissions import Permission
from metrics.counting import figures, trend
from metrics.figures import Figure
from metrics.filters import Asked
from metrics.kpis import BY_SLUG, KPIS, Companion, Kpi
from metrics.models import KpiTarget
from metrics.panels import PANELS
from metrics.record_keys import querysets
from metrics.records import exclusions_of, records_of
from metrics.views.board import asked_for, base_context, check_own
from metrics.views.board_words import STATUS, Words, part_words, short_day, target_text, unit_of
from metrics.views.records_paging import page_of
from metrics.views.records_rows import Place, shown
from metrics.words import fraction_text, number_text, rounded

SHOWN_TARGETS = 12


@dataclass(frozen=True)
class Part:
    """One part of the records: its code, words, number, and why it is left out where it is."""

    code: str
    label: Words
    n: int
    url: str
    current: bool


def _figure_asked(request: StaffRequest, kpi: Kpi) -> Kpi | Companion:
    """Return the KPI, or the one of its companions that ?figure= names. Raises Http404 for another."""
    slug = request.GET.get("figure", "")
    if not slug or slug == kpi.slug:
        return kpi
    for companion in kpi.companions:
        if companion.slug == slug:
            return companion
    raise Http404


def _parts(asked: Asked, kpi: Kpi, of: Kpi | Companion, current: str) -> list[Part]:
    """Return the parts with their numbers; the first that has records is open unless another was asked for."""
    counted, failing = part_words(of.slug)
    more = {"figure": of.slug} if of is not kpi else {}
    found: list[tuple[str, Words, int]] = [
        (code, label, sum(rows.count() for rows in querysets(records_of(of, asked.scope, asked.window, code))))
        for code, label in (("failing", failing), ("counted", counted))
    ]
    if isinstance(of, Kpi):
        found += [(f"excluded:{code}", words, n) for code, words, n in exclusions_of(of, asked.scope, asked.window)]
    codes = [code for code, _words, _n in found]
    if current and current not in codes:
        raise Http404
    usual = "counted" if of.direction == "down" else "failing"
    chosen = current or next((code for code, _w, n in found if n and code == usual), "counted")
    return [
        Part(code, words, n, asked.url("kpi_records", kpi.slug, part=code, **more), code == chosen)
        for code, words, n in found
    ]


@requires(Permission.VIEW_OWN_KPIS)
@require_GET
@asked_for
def records(request: StaffRequest, clinic: Clinic, asked: Asked, slug: str) -> HttpResponse:
    """One figure with its records, definition, companions, targets and trend."""
    kpi = BY_SLUG.get(slug)
    if kpi is None:
        raise Http404
    of = _figure_asked(request, kpi)
    parts = _parts(asked, kpi, of, request.GET.get("part", ""))
    part = next(part for part in parts if part.current)
    rows = querysets(records_of(of, asked.scope, asked.window, part.code))
    context = base_context(request, clinic, asked) | _listed(request, clinic, rows, of.slug, part.code)
    context |= {"kpi": kpi, "of": of, "parts": parts, "part": part} | _beside(asked, kpi, of)
    return render(request, "metrics/records.html", context)


def _listed(
    request: StaffRequest, clinic: Clinic, rows: Sequence[QuerySet[Any]], slug: str, part: str
) -> dict[str, Any]:
    page = page_of(rows, request.GET.get("after", ""))
    place = Place(clinic, request.get_full_path(), slug, part)
    return {"rows": [shown(row, place) for row in page.rows], "after": page.after, "paged": "after" in request.GET}


def _beside(asked: Asked, kpi: Kpi, of: Kpi | Companion) -> dict[str, Any]:
    """Return what stands beside the list: the figure, its companions, and the targets over time."""
    whole = figures(asked.scope, asked.window)[None][KPIS.index(kpi)]
    figure = whole if of is kpi else whole.companions[of.slug]
    history = KpiTarget.objects.filter(clinic__in=asked.scope.clinic_ids, slug=kpi.slug).select_related(
        "clinic", "created_by"
    )
    return {
        "figure": figure,
        "value": number_text(figure),
        "fraction": _fraction(figure) if figure.denominator else "",
        "unit": unit_of(of),
        "target": target_text(figure),
        "status_text": STATUS[figure.status],
        "whole": whole,
        "companions": [
            (c, number_text(c), _fraction(c), asked.query(figure=c.of.slug, part=None))
            for c in whole.companions.values()
        ],
        "history": list(history.order_by("-valid_from", "-pk")[:SHOWN_TARGETS]),
    }


def _yuan(amount: Decimal) -> str:
    return f"¥{rounded(amount, '1'):,}"


def _fraction(figure: Figure) -> str:
    """Return numerator and denominator; those of money in yuan."""
    if figure.of.slug == "closing.money":
        return f"{_yuan(figure.numerator)}/{_yuan(figure.denominator)}"
    return fraction_text(figure)


@requires(Permission.VIEW_OWN_KPIS)
@require_GET
@asked_for
def trend_chart(request: StaffRequest, clinic: Clinic, asked: Asked, slug: str) -> HttpResponse:
    """One figure over thirteen windows, as a line with the table behind it."""
    kpi = BY_SLUG.get(slug)
    if kpi is None:
        raise Http404
    windows = asked.trend
    counted = [period[KPIS.index(kpi)] for period in trend(asked.scope, windows)]
    labels = [short_day(window.start) for window in windows]
    context = base_context(request, clinic, asked) | {
        "kpi": kpi,
        "points": [
            (window, label, figure, number_text(figure), fraction_text(figure), target_text(figure), asked.at(window))
            for window, label, figure in zip(windows, labels, counted, strict=True)
        ],
        "chart": _line(kpi, labels, counted),
    }
    return render(request, "metrics/_trend.html" if request.htmx else "metrics/trend.html", context)


def _line(kpi: Kpi, labels: list[str], counted: list[Figure]) -> dict[str, Any]:
    def values(found: list[Any]) -> list[float | None]:
        return [None if value is None else float(rounded(value)) for value in found]

    series = [{"name": str(kpi.name), "values": values([f.value for f in counted]), "tone": "accent"}]
    accuracy = [f.companions.get("classification.accuracy") for f in counted]
    if any(accuracy):
        name = str(next(f.of.name for f in accuracy if f))
        series.append({"name": name, "values": values([f and f.value for f in accuracy]), "tone": "ca"})
    goal = {"name": _("Target"), "values": values([f.target for f in counted]), "tone": "goal"}
    return {"type": "line", "labels": labels, "series": [*series, goal], "unit": "%" if kpi.unit == "percent" else ""}


@requires(Permission.VIEW_OWN_KPIS)
@require_GET
@asked_for
def panel_records(request: StaffRequest, clinic: Clinic, asked: Asked, slug: str) -> HttpResponse:
    """The records behind one number of a panel (?part=)."""
    panel = PANELS.get(slug)
    if panel is None:
        raise Http404
    part = request.GET.get("part", "")
    check_own(asked, for_own=panel.for_own)
    rows = panel.records(asked.scope, asked.window, part)
    if rows is None:
        raise Http404
    name = part if slug == "leaks" else slug
    context = base_context(request, clinic, asked) | _listed(request, clinic, [rows], name, part)
    context |= {"panel": panel, "n": rows.count(), "part_words": panel.words(part), "part_code": part}
    return render(request, "metrics/panel_records.html", context)
