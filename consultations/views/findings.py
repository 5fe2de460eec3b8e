"""The tooth chart by touch."""

from dataclasses import dataclass
from typing import Any

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_POST

from accounts.access import StaffRequest, requires
from accounts.models import Clinic
from accounts.permissions import Permission
from consultations.errors import VisitError
from consultations.models import ToothFinding, Visit
from consultations.services import findings as service
from consultations.teeth import (
    DECIDUOUS_ROWS,
    PERMANENT_ROWS,
    NotATooth,
    is_deciduous,
    offers_deciduous,
    parse_tooth,
)
from consultations.views.workspace import get_visit


@dataclass(frozen=True)
class Tooth:
    """One cell of the chart."""

    number: int
    kinds: frozenset[str]
    words: str
    selected: bool

    @property
    def kind_list(self) -> str:
        return " ".join(sorted(self.kinds))


def _selected(raw: str | None) -> int | None:
    try:
        return parse_tooth(raw or "")
    except NotATooth:
        return None


def chart_context(visit: Visit, found: list[ToothFinding], *, tooth: str | None, milk: str | None) -> dict[str, Any]:
    """What the chart shows. Args: tooth: the one touched, as text; milk: "1" shows the milk teeth."""
    kinds: dict[int, set[str]] = {}
    for finding in found:
        kinds.setdefault(finding.tooth, set()).add(finding.kind)
    chosen = _selected(tooth)
    labels = dict(ToothFinding.Kind.choices)

    def cell(number: int) -> Tooth:
        here = frozenset(kinds.get(number, ()))
        return Tooth(number, here, ", ".join(str(labels[kind]) for kind in labels if kind in here), number == chosen)

    milk_offered = offers_deciduous(visit.patient.age, kinds)
    return {
        "rows": [[cell(number) for number in row] for row in PERMANENT_ROWS],
        "milk_rows": [[cell(number) for number in row] for row in DECIDUOUS_ROWS] if milk_offered else [],
        "show_milk": milk_offered and (milk == "1" or (chosen is not None and is_deciduous(chosen))),
        "chosen": chosen,
        "chosen_kinds": kinds.get(chosen or 0, set()),
        "kinds": ToothFinding.Kind.choices,
        "has_findings": bool(found),
    }


def findings_context(request: StaffRequest, visit: Visit) -> dict[str, Any]:
    """What the doctor's page needs of the chart; offers the last visit's findings while there are none."""
    found = service.current_findings(visit)
    context = chart_context(visit, found, tooth=request.GET.get("tooth"), milk=request.GET.get("milk"))
    earlier = [] if found or visit.is_first else service.last_findings(visit)
    return context | {"earlier_on": earlier[0].visit.arrived_at if earlier else None}


@requires(Permission.TREAT)
@require_POST
def tooth_mark(request: StaffRequest, clinic: Clinic, pk: int) -> HttpResponse:
    """One gesture on the chart: a finding put on or taken off, undone, or the last visit's carried over."""
    visit, by = get_visit(request, pk), request.user
    action = request.POST.get("action", "")
    status = 200
    try:
        if action == "undo":
            service.undo_finding(visit=visit, by=by)
        elif action == "carry_over":
            service.carry_over(visit=visit, by=by)
        else:
            tooth = _selected(request.POST.get("tooth")) or 0
            service.toggle_finding(visit=visit, tooth=tooth, kind=request.POST.get("kind", ""), by=by)
    except VisitError as error:
        messages.error(request, error.message)
        status = 422
    tooth_text, milk = request.POST.get("tooth"), request.POST.get("milk")
    if not request.htmx:  # type: ignore[attr-defined]
        query = f"?tooth={_selected(tooth_text) or ''}&milk={'1' if milk == '1' else ''}"
        return redirect(reverse("doctor_visit", args=[visit.pk]) + query + "#teeth")
    found = service.current_findings(visit)
    context = {"visit": visit, "may_mark": True, "earlier_on": None}
    context |= chart_context(visit, found, tooth=tooth_text, milk=milk)
    return render(request, "consultations/doctor/_teeth.html", context, status=status)
