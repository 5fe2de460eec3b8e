"""Small acts on one patient: opening a number, consent, allergies, importance, who referred them."""

from typing import Any

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
from patients.models import Consent, ConsentPurpose, Patient, PatientPhone, Referral, Registration
from patients.search import find
from patients.services import link_referral, link_wechat, record_consent, reveal_contact, set_allergies, set_important
from patients.views.common import done, get_registration, panel, patient_url


@requires(Permission.REVEAL_CONTACT)
@require_POST
def patient_reveal(request: StaffRequest, clinic: Clinic, pk: int) -> HttpResponse:
    """Open one number or id in full; logged. Answers the fragment that replaces the masked one."""
    registration = get_registration(request, clinic, pk, Permission.REVEAL_CONTACT)
    what, phone = request.POST.get("what", ""), None
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


@requires(Permission.EDIT_PATIENTS)
@require_http_methods(["GET", "POST"])
def patient_consents(request: StaffRequest, clinic: Clinic, pk: int) -> HttpResponse:
    """What the patient agreed to, per purpose; giving and withdrawing."""
    registration = get_registration(request, clinic, pk, Permission.EDIT_PATIENTS)
    patient = registration.patient
    purpose = request.POST.get("purpose", "")
    if request.method == "POST" and purpose in ConsentPurpose.values:
        given = request.POST.get("given") == "1"
        record_consent(patient=patient, clinic=registration.clinic, purpose=purpose, given=given, by=request.user)
        words = _("Agreed: %(purpose)s") if given else _("Withdrawn: %(purpose)s")
        messages.success(request, words % {"purpose": ConsentPurpose(purpose).label})
        return done(request, patient_url(pk))
    rows = Consent.objects.for_user(request.user).filter(patient=pk).select_related("by").order_by("-at", "-id")
    history = list(rows[:30])
    latest: dict[str, Consent] = {}
    for row in history:
        latest.setdefault(row.purpose, row)
    purposes = [(value, label, latest.get(value)) for value, label in ConsentPurpose.choices]
    context = {"patient": patient, "purposes": purposes, "history": history}
    return panel(request, "patients/_consents.html", context, title=_("Consent"), back=patient_url(pk))


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


@requires(Permission.EDIT_PATIENTS)
@require_POST
def patient_wechat(request: StaffRequest, clinic: Clinic, pk: int) -> HttpResponse:
    """The patient, or a minor's guardian, was added on WeChat."""
    registration = get_registration(request, clinic, pk, Permission.EDIT_PATIENTS)
    guardian = request.POST.get("guardian") == "1"
    link_wechat(patient=registration.patient, clinic=registration.clinic, by=request.user, guardian=guardian)
    messages.success(request, _("Added on WeChat: %(patient)s") % {"patient": registration.patient})
    return done(request, patient_url(pk))


@requires(Permission.EDIT_PATIENTS)
@require_http_methods(["GET", "POST"])
def patient_referral(request: StaffRequest, clinic: Clinic, pk: int) -> HttpResponse:
    """Who brought this patient, and whom they brought."""
    registration = get_registration(request, clinic, pk, Permission.EDIT_PATIENTS)
    context = _referrals(request, registration)
    status = 200
    if request.method == "POST":
        status = 422
        if not request.POST.get("referrer"):
            said = request.POST.get("referrer_q", "")
            hits = [hit for hit in find(said, user=request.user, clinic=clinic, limit=6) if hit.patient.pk != pk]
            context |= {"hits": hits, "said": said, "error": _("Choose who it was.")}
        else:
            error = _link(request, registration, request.POST["referrer"])
            if not error:
                return done(request, patient_url(pk))
            context["error"] = error
    return panel(request, "patients/_referral.html", context, title=_("Referral"), back=patient_url(pk), status=status)


def _referrals(request: StaffRequest, registration: Registration) -> dict[str, Any]:
    links = Referral.objects.for_user(request.user).select_related("referrer", "referred")
    return {
        "patient": registration.patient,
        "referral": links.filter(referred=registration.patient_id).first(),
        "brought": links.filter(referrer=registration.patient_id).order_by("-created_at")[:20],
    }


def _link(request: StaffRequest, registration: Registration, picked: str) -> str:
    """Link the chosen referrer; return what was refused, "" when done."""
    people = Patient.objects.for_user(request.user).living()
    referrer = get_object_or_404(people, pk=whole_number(picked) or 0)
    try:
        link_referral(referrer=referrer, referred=registration.patient, clinic=registration.clinic, by=request.user)
    except PatientError as error:
        return error.message
    messages.success(
        request, _("%(referrer)s brought %(patient)s.") % {"referrer": referrer, "patient": registration.patient}
    )
    return ""
