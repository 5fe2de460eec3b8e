"""Marking a visit as entered in error."""

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods
from django_htmx.http import HttpResponseClientRedirect

from accounts.access import StaffRequest, requires
from accounts.models import Clinic
from accounts.permissions import Permission
from consultations.errors import VisitError
from consultations.forms import MistakeForm
from consultations.services.mistakes import mark_error
from consultations.views.workspace import get_visit


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
