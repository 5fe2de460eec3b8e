"""Carrying what a completed form says over to the patient's record, where that says nothing yet."""

from typing import TYPE_CHECKING, Any

from django.db.models import F
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from accounts.audit import record
from accounts.models import User
from consultations.form_facts import PatientFacts, facts_from
from consultations.form_rules import spoken
from consultations.models import Consultation, Visit
from patients.models import Patient, Registration
from patients.models.registration import Channel

if TYPE_CHECKING:
    from consultations.services.forms import Sheet

COLUMNS: dict[str, Any] = {
    "allergies": _("allergies"),
    "medical_notes": _("medical history"),
    "occupation": _("occupation"),
    "daily_rhythm": _("daily rhythm"),
    "call_tone": _("tone for calls"),
}


def fill_patient(*, sheet: "Sheet", by: User) -> list[str]:
    """Fill the empty columns of the patient and registration; call inside a transaction.

    What the record holds already is never overwritten. Returns the names of what was filled.
    """
    visit = sheet.form.visit
    facts = facts_from(sheet.asked_questions, sheet.form.answers)
    patient = Patient.objects.select_for_update(no_key=True).get(pk=visit.patient_id)
    values = {name: value for name in COLUMNS if (value := getattr(facts, name)) and not getattr(patient, name)}
    filled = [str(COLUMNS[name]) for name in values]
    if facts.call_from and facts.call_to and patient.call_from is None:
        values |= {"call_from": facts.call_from, "call_to": facts.call_to}
        filled.append(str(_("call hours")))
    if values:
        Patient.objects.filter(pk=patient.pk).update(**values, version=F("version") + 1, updated_at=timezone.now())
    if _fill_channel(visit, facts):
        filled.append(str(_("channel")))
    _fill_complaint(visit, facts)
    if filled:
        record(action="patient_filled_from_form", clinic=visit.clinic, by=by, subject=patient, fields=sorted(values))
    return filled


def _fill_channel(visit: Visit, facts: PatientFacts) -> bool:
    if facts.channel not in Channel.values:
        return False
    registrations = Registration.objects.for_clinic(visit.clinic_id).filter(patient=visit.patient_id, channel="")
    return bool(registrations.update(channel=facts.channel))


def _fill_complaint(visit: Visit, facts: PatientFacts) -> None:
    if facts.complaint:
        cases = Consultation.objects.filter(pk=visit.consultation_id, complaint_text="")
        cases.update(complaint_text=facts.complaint)


def differences(sheet: "Sheet") -> list[dict[str, str]]:
    """Return where the form says otherwise than the record on allergies: name, record, form."""
    record_says = sheet.form.visit.patient.allergies
    question = next((q for q in sheet.asked_questions if q.fills == "allergies"), None)
    answer = sheet.form.answers.get(question.code) if question else None
    if question is None or not record_says or not answer or answer.get("detail") == record_says:
        return []
    return [
        {
            "label": str(COLUMNS["allergies"]),
            "record": record_says,
            "form": answer.get("detail") or spoken(question, answer),
        }
    ]
