"""Recording money paid back, and taking a wrong record of it back."""

from typing import Any

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST
from django_htmx.http import HttpResponseClientRedirect

from accounts.access import StaffRequest, requires
from accounts.models import Clinic
from accounts.permissions import Permission
from consultations.errors import VisitError
from consultations.forms import RefundForm
from consultations.models import Refund, Visit
from consultations.services import refunds
from consultations.views.workspace import get_visit


def _done(request: StaffRequest, visit: Visit) -> HttpResponse:
    url = visit.get_absolute_url()
    return HttpResponseClientRedirect(url) if request.htmx else redirect(url)


def _show(request: StaffRequest, visit: Visit, form: RefundForm, status: int, problem: str = "") -> HttpResponse:
    case = visit.consultation
    rows = Refund.objects.filter(consultation=case, cancels=None).select_related("by", "taken_back__by")
    context: dict[str, Any] = {
        "visit": visit,
        "form": form,
        "rows": rows,
        "most": refunds.most_refundable(case),
        "in_full": any(row.is_full and not hasattr(row, "taken_back") for row in rows),
        "payable": refunds.payable(case),
        "problem": problem,
    }
    template = "consultations/refund/_dialog.html" if request.htmx else "consultations/refund/page.html"
    return render(request, template, context, status=status)


@requires(Permission.REFUND)
@require_http_methods(["GET", "POST"])
def visit_refund(request: StaffRequest, clinic: Clinic, pk: int) -> HttpResponse:
    """Record a refund for the case of a visit; what was refunded before stands beside it."""
    visit = get_visit(request, pk)
    if request.method == "GET":
        return _show(request, visit, RefundForm(), 200)
    form = RefundForm(request.POST)
    if not form.is_valid():
        return _show(request, visit, form, 422)
    try:
        row = refunds.refund(consultation=visit.consultation, by=request.user, **form.cleaned_data)
    except VisitError as error:
        form.add_error(None, error.message)
        return _show(request, visit, form, 422)
    words = _("Refunded in full") if row.is_full else _("Refund recorded")
    messages.success(request, words)
    return _done(request, visit)


@requires(Permission.REFUND)
@require_POST
def refund_take_back(request: StaffRequest, clinic: Clinic, pk: int, refund: int) -> HttpResponse:
    """Take a wrongly recorded refund back, with a reason."""
    visit = get_visit(request, pk)
    rows = Refund.objects.for_user(request.user).for_clinic(clinic)
    row: Refund = get_object_or_404(rows, pk=refund, consultation=visit.consultation_id)
    try:
        refunds.take_back(refund=row, reason=request.POST.get("reason", ""), by=request.user)
    except VisitError as error:
        return _show(request, visit, RefundForm(), 422, problem=error.message)
    messages.success(request, _("Refund taken back"))
    return _done(request, visit)
