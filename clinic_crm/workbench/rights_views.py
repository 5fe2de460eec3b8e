"""A patient's rights in their data (PIPL): the report of what is held, and erasure."""

from django import forms
from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.http import content_disposition_header
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from accounts.access import StaffRequest, requires
from accounts.models import Clinic
from accounts.permissions import Permission
from clinic_crm.workbench.rights import erase_patient, legal_time, report_of
from patients.errors import Refused
from patients.models import Registration, RightsRequest
from patients.rights_report import render_pdf
from patients.views.common import get_registration, patient_url


class ErasureForm(forms.Form):
    """Why, and that it was understood."""

    reason = forms.CharField(
        label=gettext_lazy("What the patient asked for"),
        max_length=300,
        widget=forms.Textarea(attrs={"rows": 2}),
    )
    understood = forms.BooleanField(label=gettext_lazy("I know that this cannot be undone."))


def _registration(request: StaffRequest, clinic: Clinic, pk: int) -> Registration:
    return get_registration(request, clinic, pk, Permission.ANSWER_RIGHTS)


@requires(Permission.ANSWER_RIGHTS)
@require_GET
def patient_rights(request: StaffRequest, clinic: Clinic, pk: int) -> HttpResponse:
    """What a patient may ask for, and what was answered."""
    registration = _registration(request, clinic, pk)
    rows = RightsRequest.objects.for_user(request.user, Permission.ANSWER_RIGHTS).filter(patient=pk)
    asked = rows.select_related("done_by", "clinic").order_by("-asked_at", "-pk")[:50]
    context = {"registration": registration, "patient": registration.patient, "asked": asked}
    return render(request, "workbench/rights.html", context)


@requires(Permission.ANSWER_RIGHTS)
@require_POST
def rights_report(request: StaffRequest, clinic: Clinic, pk: int) -> HttpResponse:
    """The patient's own report as PDF; logged."""
    registration = _registration(request, clinic, pk)
    with timezone.override(registration.clinic.tz):
        report = report_of(patient=registration.patient, clinic=registration.clinic, by=request.user)
        body = render_pdf(report)
    name = f"{registration.number}-{registration.clinic.today():%Y%m%d}.pdf"
    headers = {"Content-Disposition": content_disposition_header(True, name) or "", "Cache-Control": "no-store"}
    return HttpResponse(body, content_type="application/pdf", headers=headers)


@requires(Permission.ANSWER_RIGHTS)
@require_http_methods(["GET", "POST"])
def rights_erase(request: StaffRequest, clinic: Clinic, pk: int) -> HttpResponse:
    """Erasure: what goes, what must stay and until when; confirmed in words."""
    registration = _registration(request, clinic, pk)
    patient, form = registration.patient, ErasureForm(request.POST or None)
    status = 200
    if request.method == "POST":
        status = 422
        if form.is_valid():
            try:
                erase_patient(
                    patient=patient, clinic=registration.clinic, reason=form.cleaned_data["reason"], by=request.user
                )
            except Refused as error:
                form.add_error(None, str(error.message))
                status = 409
            else:
                messages.success(request, _("Erased: what the law does not require to be kept."))
                return redirect("patient_rights", pk=pk)
    context = {"patient": patient, "form": form, "keep_until": legal_time(patient), "back": patient_url(pk)}
    return render(request, "workbench/rights_erase.html", context, status=status)
