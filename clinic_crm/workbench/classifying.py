"""Classifying a patient from the patient page: class, awareness and trust, with the suggestion beside."""

from typing import Any

from django import forms
from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_http_methods

from accounts.access import StaffRequest, requires
from accounts.models import Clinic
from accounts.permissions import Permission
from accounts.reading import whole_number
from clinic_crm.workbench.patient_page import open_visit
from consultations.models import Visit
from consultations.services.leaving import classify_visit
from consultations.stages import Stage
from followups.services.classes import set_class
from patients.classification import ClassFacts, PatientClass, Suggestion, suggest
from patients.models import ClassChange, Patient, Registration
from patients.views.common import done, get_registration, panel, patient_url

SCORES = [(n, str(n)) for n in range(1, 6)]


class PatientClassForm(forms.Form):
    """A class with its judgements. A class other than the suggested one needs a reason."""

    class_code = forms.ChoiceField(label=gettext_lazy("Class"), choices=PatientClass.choices)
    awareness = forms.TypedChoiceField(label=gettext_lazy("Awareness"), choices=SCORES, coerce=int)
    trust = forms.TypedChoiceField(label=gettext_lazy("Trust"), choices=SCORES, coerce=int)
    reason = forms.CharField(label=gettext_lazy("Reason"), max_length=500, required=False)
    is_correction = forms.BooleanField(
        label=gettext_lazy("The old class was a mistake; this is no move"), required=False
    )


def suggestion_for(patient: Patient, clinic: Clinic, awareness: int | None) -> Suggestion:
    """Suggest a class from the latest visit in the clinic and the awareness judged now (DOMAIN §3)."""
    visits = Visit.objects.for_clinic(clinic).filter(patient=patient, is_error=False)
    latest = visits.select_related("consultation").order_by("-arrived_at").first()
    effective = patient.referrals_made.filter(effective_at__isnull=False).count()
    complaint = latest.consultation.complaint if latest else ""
    return suggest(ClassFacts(complaint, latest is not None and not latest.is_first, awareness, effective))


def _score(text: str | None) -> int | None:
    return int(text) if text in {"1", "2", "3", "4", "5"} else None


@requires(Permission.CLASSIFY)
@require_http_methods(["GET", "POST"])
def patient_classify(request: StaffRequest, clinic: Clinic, pk: int) -> HttpResponse:
    """Say what a patient is; ?awareness= answers the suggestion alone, as it changes with the judgement."""
    registration = get_registration(request, clinic, pk, Permission.CLASSIFY)
    patient = registration.patient
    if request.method == "GET" and request.htmx and "awareness" in request.GET:
        suggestion = suggestion_for(patient, registration.clinic, _score(request.GET["awareness"]))
        return render(request, "workbench/patient/_suggestion.html", {"suggestion": suggestion})
    judged = _score(request.POST.get("awareness")) if request.method == "POST" else patient.awareness
    suggestion = suggestion_for(patient, registration.clinic, judged)
    initial = {"class_code": patient.class_code or suggestion.code, "awareness": patient.awareness}
    form = PatientClassForm(request.POST or None, initial=initial | {"trust": patient.trust})
    overtaken = _overtaken(request, patient) if request.method == "POST" else ""
    if overtaken:
        form.add_error(None, overtaken)
    elif request.method == "POST" and _is_complete(form, suggestion):
        _classify(request, registration, suggestion, form.cleaned_data)
        return done(request, patient_url(pk))
    history = ClassChange.objects.for_user(request.user).filter(patient=patient).select_related("by")
    context = {
        "form": form,
        "patient": patient,
        "suggestion": suggestion,
        "history": history.order_by("-at", "-id")[:10],
        "seen": _last_change(patient),
    }
    status = 409 if overtaken else 422 if form.is_bound else 200
    return panel(
        request, "workbench/patient/_classify.html", context, title=_("Classify"), back=patient_url(pk), status=status
    )


def _last_change(patient: Patient) -> int:
    """Return the number of the patient's latest classification, 0 when there is none."""
    return ClassChange.objects.filter(patient=patient).order_by("-at", "-id").values_list("pk", flat=True).first() or 0


def _overtaken(request: StaffRequest, patient: Patient) -> str:
    """Say who classified the patient since the form was opened; "" when nobody else did."""
    seen = whole_number(request.POST.get("seen", ""))
    if seen is None or _last_change(patient) == seen:
        return ""
    last = ClassChange.objects.filter(patient=patient).select_related("by").order_by("-at", "-id").first()
    if last is None or last.by_id == request.user.pk:
        return ""
    words = {"who": last.by or "—", "code": last.new_class or "—"}
    return _("%(who)s has set the class to %(code)s meanwhile. Save again if it is to be changed.") % words


def _is_complete(form: PatientClassForm, suggestion: Suggestion) -> bool:
    if not form.is_valid():
        return False
    data = form.cleaned_data
    if data["class_code"] != suggestion.code and not data["reason"].strip():
        form.add_error("reason", _("Say why the class differs from the suggestion."))
    return not form.errors


def _classify(request: StaffRequest, registration: Registration, suggestion: Suggestion, data: dict[str, Any]) -> None:
    """Write the class; a visit that is about to end counts as classified by it."""
    judgement = {name: data[name] for name in ("awareness", "trust", "reason", "is_correction")}
    judgement |= {"code": data["class_code"], "suggestion": suggestion, "by": request.user}
    visit = open_visit(registration)
    if visit is not None and visit.stage == Stage.LEAVING:
        change = classify_visit(visit=visit, **judgement)
    else:
        change = set_class(patient=registration.patient, clinic=registration.clinic, **judgement)
    words = {"patient": registration.patient, "code": change.new_class}
    messages.success(request, _("%(patient)s is %(code)s now.") % words)
