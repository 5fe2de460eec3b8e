"""Word of mouth of one patient: asked for, done, declined."""

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from accounts.access import StaffRequest, requires
from accounts.models import Clinic
from accounts.permissions import Permission
from accounts.reading import whole_number
from patients.errors import PatientError
from patients.models import WordOfMouth
from patients.services import word_of_mouth as service
from patients.views.common import done, get_registration, panel, patient_url

SHOWN = 30


@requires(Permission.RECORD_CARE)
@require_http_methods(["GET", "POST"])
def patient_word_of_mouth(request: StaffRequest, clinic: Clinic, pk: int) -> HttpResponse:
    """What the patient was asked for and what became of it; asking again, and marking what was done."""
    registration = get_registration(request, clinic, pk, Permission.RECORD_CARE)
    patient, by = registration.patient, request.user
    rows = WordOfMouth.objects.for_user(by).filter(patient=patient).select_related("asked_by", "answered_by")
    error = ""
    if request.method == "POST":
        picked = whole_number(request.POST.get("row"))
        try:
            if picked is not None:
                service.answer(row=get_object_or_404(rows, pk=picked), state=request.POST.get("state", ""), by=by)
            else:
                platform = request.POST.get("platform", "")
                service.ask(clinic=registration.clinic, patient=patient, platform=platform, by=by)
        except PatientError as refused:
            error = refused.message
        else:
            messages.success(request, _("Written down."))
            return done(request, patient_url(pk)) if request.htmx else redirect("patient_word_of_mouth", pk)
    context = {
        "patient": patient,
        "rows": list(rows.order_by("-asked_at", "-pk")[:SHOWN]),
        "platforms": WordOfMouth.Platform.choices,
        "error": error,
    }
    title, status = _("Word of mouth"), 422 if error else 200
    return panel(request, "patients/_word_of_mouth.html", context, title=title, back=patient_url(pk), status=status)
