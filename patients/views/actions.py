"""Small acts on one patient: opening a number, allergies, importance, WeChat."""

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST

from accounts.access import StaffRequest, requires
from accounts.models import Clinic
from accounts.permissions import Permission
from accounts.reading import whole_number
from patients.errors import PatientError
from patients.forms import AllergyForm
from patients.models import PatientPhone
from patients.services import reveal_contact, set_allergies, set_important
from patients.views.common import done, get_registration, panel, patient_url


@requires(Permission.REVEAL_CONTACT, Permission.CALL_PATIENTS)
@require_POST
def patient_reveal(request: StaffRequest, clinic: Clinic, pk: int) -> HttpResponse:
    """Open one number or id in full; logged. Answers the fragment that replaces the masked one."""
    what, phone = request.POST.get("what", ""), None
    to_call = () if what in {"wechat", "qq"} else (Permission.CALL_PATIENTS,)
    registration = get_registration(request, clinic, pk, Permission.REVEAL_CONTACT, *to_call)
    if what == "phone":
        phone = get_object_or_404(
            PatientPhone.objects.filter(patient=pk), pk=whole_number(request.POST.get("phone")) or 0
        )
    try:
        shown = reveal_contact(
            patient=registration.patient, clinic=registration.clinic, what=what, by=request.user, phone=phone
        )
    except PatientError as error:
        messages.error(request, error.message)
        return redirect(patient_url(pk))
    page = "patients/_revealed.html" if request.htmx else "patients/revealed.html"
    return render(request, page, {"shown": shown, "what": what, "phone": phone, "patient": registration.patient})


@requires(Permission.EDIT_PATIENTS, Permission.TREAT, Permission.CAPTURE_EXAM)
@require_http_methods(["GET", "POST"])
def patient_allergies(request: StaffRequest, clinic: Clinic, pk: int) -> HttpResponse:
    """Allergies and medical history, which anyone who treats may write."""
    allowed = (Permission.EDIT_PATIENTS, Permission.TREAT, Permission.CAPTURE_EXAM)
    registration = get_registration(request, clinic, pk, *allowed)
    patient = registration.patient
    known = {"allergies": patient.allergies, "medical_notes": patient.medical_notes}
    form = AllergyForm(request.POST or None, initial=known)
    if request.method == "POST" and form.is_valid():
        set_allergies(patient=patient, clinic=registration.clinic, by=request.user, **form.cleaned_data)
        messages.success(request, _("Saved: %(patient)s") % {"patient": patient})
        return done(request, patient_url(pk))
    title, status = _("Allergies and medical history"), 422 if form.is_bound else 200
    context = {"patient": patient, "form": form}
    return panel(request, "patients/_allergies.html", context, title=title, back=patient_url(pk), status=status)


@requires(Permission.EDIT_PATIENTS)
@require_POST
def patient_important(request: StaffRequest, clinic: Clinic, pk: int) -> HttpResponse:
    """Mark as important or no longer; one gesture, undone by another."""
    registration = get_registration(request, clinic, pk, Permission.EDIT_PATIENTS)
    important = not registration.patient.is_important
    set_important(patient=registration.patient, clinic=registration.clinic, important=important, by=request.user)
    words = (
        _("%(patient)s is marked as important.") if important else _("%(patient)s is no longer marked as important.")
    )
    undo = f"undo {reverse('patient_important', args=[pk])}"
    messages.success(request, words % {"patient": registration.patient}, extra_tags=undo)
    return done(request, patient_url(pk))
