"""What a patient agreed to, and that they were added on WeChat, with what follows from it for tasks."""

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST

from accounts.access import StaffRequest, requires
from accounts.models import Clinic
from accounts.permissions import Permission
from accounts.reading import own_address
from followups.services.consents_said import consents_said
from followups.services.wechat import add_wechat, take_wechat_back
from patients.consent_wordings import wording
from patients.errors import Refused
from patients.models import Consent, ConsentPurpose, Registration
from patients.services.consents import needs_guardian
from patients.views.common import done, get_registration, panel, patient_url


@requires(Permission.EDIT_PATIENTS)
@require_http_methods(["GET", "POST"])
def patient_consents(request: StaffRequest, clinic: Clinic, pk: int) -> HttpResponse:
    """What the patient agreed to, per purpose; giving and withdrawing."""
    registration = get_registration(request, clinic, pk, Permission.EDIT_PATIENTS)
    patient = registration.patient
    purpose = request.POST.get("purpose", "")
    error = ""
    if request.method == "POST" and purpose in ConsentPurpose.values:
        given = request.POST.get("given") == "1"
        try:
            _say(request, registration, purpose, given)
        except Refused as refusal:
            error = refusal.message
        else:
            words = _("Agreed: %(purpose)s") if given else _("Withdrawn: %(purpose)s")
            messages.success(request, words % {"purpose": ConsentPurpose(purpose).label})
            return done(request, patient_url(pk))
    rows = Consent.objects.for_user(request.user).filter(patient=pk).select_related("by").order_by("-at", "-id")
    history = list(rows[:30])
    latest: dict[str, Consent] = {}
    for row in history:
        latest.setdefault(row.purpose, row)
    context = {
        "patient": patient,
        "purposes": [(value, label, latest.get(value), wording(value)) for value, label in ConsentPurpose.choices],
        "history": history,
        "error": error,
        "said": request.POST,
        "child": needs_guardian(patient),
    }
    status = 422 if error else 200
    return panel(request, "patients/_consents.html", context, title=_("Consent"), back=patient_url(pk), status=status)


def _say(request: StaffRequest, registration: Registration, purpose: str, given: bool) -> None:
    """Record the word; the guardian named in the form is the one who said it."""
    consents_said(
        patient=registration.patient,
        clinic=registration.clinic,
        purpose=purpose,
        given=given,
        by=request.user,
        guardian_name=request.POST.get("guardian_name", "")[:60],
        guardian_relation=request.POST.get("guardian_relation", "")[:20],
    )


@requires(Permission.EDIT_PATIENTS)
@require_POST
def patient_wechat(request: StaffRequest, clinic: Clinic, pk: int) -> HttpResponse:
    """The patient, or a minor's guardian, was added on WeChat."""
    registration = get_registration(request, clinic, pk, Permission.EDIT_PATIENTS)
    guardian = request.POST.get("guardian") == "1" and registration.patient.is_minor
    add_wechat(patient=registration.patient, clinic=registration.clinic, by=request.user, guardian=guardian)
    words = _("Added on WeChat: %(patient)s") % {"patient": registration.patient}
    messages.success(request, words, extra_tags=f"undo {reverse('patient_wechat_undo', args=[pk])}")
    return done(request, patient_url(pk))


@requires(Permission.EDIT_PATIENTS)
@require_POST
def patient_wechat_undo(request: StaffRequest, clinic: Clinic, pk: int) -> HttpResponse:
    """They were not added after all."""
    registration = get_registration(request, clinic, pk, Permission.EDIT_PATIENTS)
    try:
        take_wechat_back(patient=registration.patient, clinic=registration.clinic, by=request.user)
    except Refused as error:
        messages.warning(request, error.message)
    else:
        messages.success(request, _("Not added on WeChat after all: %(patient)s") % {"patient": registration.patient})
    return redirect(own_address(request, request.POST.get("next"), patient_url(pk)))
