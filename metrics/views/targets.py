"""What the clinic wants of each figure: today's targets, those before and those to come."""

from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from django import forms
from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_http_methods

from accounts.access import StaffRequest, requires
from accounts.models import Clinic
from accounts.permissions import Permission
from metrics.kpis import BY_SLUG, KPIS, Kpi
from metrics.models import KpiTarget
from metrics.services.targets import TargetRefused, set_target, usual_target
from metrics.targets import ACCURACY, targets_of
from metrics.views.board_words import Words
from metrics.words import plain

SHOWN = 6  # of each figure's history


class TargetForm(forms.Form):
    """One new target. Each figure's form has its own prefix."""

    value = forms.DecimalField(label=gettext_lazy("Target"), min_value=0, max_value=100, max_digits=5, decimal_places=2)
    valid_from = forms.DateField(label=gettext_lazy("From"), widget=forms.DateInput())

    def __init__(self, clinic: Clinic, slug: str, data: Any = None) -> None:
        super().__init__(data, prefix=slug, initial={"valid_from": clinic.today()})
        self.clinic = clinic

    def clean_valid_from(self) -> Any:
        day = self.cleaned_data["valid_from"]
        if day < self.clinic.today():
            raise forms.ValidationError(_("From today on: what was judged stays judged."))
        if day.year > self.clinic.today().year + 5:
            raise forms.ValidationError(_("Within five years."))
        return day


@dataclass(frozen=True)
class Line:
    """One figure with its target of today, its history and the form for a new one."""

    slug: str
    number: str
    name: Words
    meaning: Words
    sign: str
    unit: str
    target: str
    usual: str
    is_usual: bool
    history: list[KpiTarget]
    form: TargetForm


def _lines(clinic: Clinic, bound: TargetForm | None = None) -> list[Line]:
    """Return a line for each figure (two statements); `bound` stands in place of its figure's empty form."""
    today = clinic.today()
    now = targets_of([clinic], today)
    rows: dict[str, list[KpiTarget]] = {}
    for row in KpiTarget.objects.filter(clinic=clinic).select_related("created_by").order_by("-valid_from", "-pk"):
        rows.setdefault(row.slug, []).append(row)
    lines = []
    for kpi in KPIS:
        lines.append(_line(clinic, kpi.slug, kpi, now, rows, bound))
        if kpi.slug == "classification":
            lines.append(_line(clinic, ACCURACY, kpi, now, rows, bound))
    return lines


def _line(
    clinic: Clinic, slug: str, kpi: Kpi, now: Any, rows: dict[str, list[KpiTarget]], bound: TargetForm | None
) -> Line:
    usual = usual_target(slug) or Decimal(0)
    accuracy = slug == ACCURACY
    return Line(
        slug=slug,
        number="" if accuracy else str(kpi.number),
        name=kpi.companions[0].name if accuracy else kpi.name,
        meaning=_("Of classifications rated again by somebody who did not see the first answer: those that agree.")
        if accuracy
        else kpi.meaning,
        sign="≥" if accuracy or kpi.direction == "up" else "≤",
        unit="%" if kpi.unit == "percent" else _("points"),
        target=plain(now[slug]),
        usual=plain(usual),
        is_usual=now[slug] == usual,
        history=rows.get(slug, [])[:SHOWN],
        form=bound if bound is not None and bound.prefix == slug else TargetForm(clinic, slug),
    )


@requires(Permission.SET_TARGETS)
@require_http_methods(["GET", "POST"])
def targets(request: StaffRequest, clinic: Clinic) -> HttpResponse:
    """Today's targets of the clinic; posting adds one from a day on, or goes back to the usual one."""
    if request.method == "GET":
        return _page(request, clinic, None)
    slug = request.POST.get("figure", "")
    usual = usual_target(slug)
    if usual is None or (slug not in BY_SLUG and slug != ACCURACY):
        messages.error(request, _("Unknown figure."))
        return redirect("kpi_targets")
    form = TargetForm(clinic, slug, request.POST)
    try:
        if "restore" in request.POST:
            set_target(clinic=clinic, slug=slug, value=usual, valid_from=clinic.today(), by=request.user)
        elif form.is_valid():
            set_target(clinic=clinic, slug=slug, by=request.user, **form.cleaned_data)
        else:
            return _page(request, clinic, form, status=422)
    except TargetRefused:  # midnight passed between the form and here
        form.add_error("valid_from", _("From today on: what was judged stays judged."))
        return _page(request, clinic, form, status=422)
    messages.success(request, _("Target saved"))
    return redirect("kpi_targets")


def _page(request: StaffRequest, clinic: Clinic, bound: TargetForm | None, status: int = 200) -> HttpResponse:
    context = {"lines": _lines(clinic, bound), "today": clinic.today(), "bound": bound}
    return render(request, "metrics/targets.html", context, status=status)
