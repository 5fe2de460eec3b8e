"""Marking a visit as entered in error, and taking a check-in or a reception back."""

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST
from django_htmx.http import HttpResponseClientRedirect

from accounts.access import StaffRequest, requires
from accounts.models import Clinic
from accounts.permissions import Permission
from consultations.errors import VisitError
from consultations.forms import MistakeForm
from consultations.services.mistakes import mark_error, undo_check_in, undo_receive
from consultations.views.workspace import get_visit, visit_errors
from followups.views.appointments import safe_next


@requires(Permission.APPROVE_WAIVER)
@require_http_methods(["GET", "POST"])
def visit_error(request: StaffRequest, clinic: Clinic, pk: int) -> HttpResponse:
    """Ask why, say what follows, and mark the visit; it cannot be taken back."""
    visit = get_visit(request, pk)
    form = MistakeForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            mark_error(visit=visit, reason=form.cleaned_data["reason"], by=request.user)
        except VisitError as error:
            form.add_error(None, error.message)
        else:
            messages.success(request, _("Visit marked as entered in error"))
            url = visit.get_absolute_url()
            return HttpResponseClientRedirect(url) if request.htmx else redirect(url)
    template = "consultations/mistake/_dialog.html" if request.htmx else "consultations/mistake/page.html"
    return render(request, template, {"visit": visit, "form": form}, status=422 if form.errors else 200)


@requires(Permission.CHECK_IN)
@require_POST
@visit_errors
def visit_check_in_undo(request: StaffRequest, clinic: Clinic, pk: int) -> HttpResponse:
    """Take a check-in back: it was somebody else who came."""
    visit = undo_check_in(visit=get_visit(request, pk), by=request.user)
    messages.success(request, _("The check-in of %(patient)s was taken back.") % {"patient": visit.patient})
    return redirect(safe_next(request, reverse("today")))


@requires(Permission.COORDINATE)
@require_POST
@visit_errors
def visit_receive_undo(request: StaffRequest, clinic: Clinic, pk: int) -> HttpResponse:
    """Take a reception back: it was somebody else whom one wanted to receive."""
    visit = undo_receive(visit=get_visit(request, pk), by=request.user)
    messages.success(request, _("The reception of %(patient)s was taken back.") % {"patient": visit.patient})
    return redirect(safe_next(request, reverse("today")))
