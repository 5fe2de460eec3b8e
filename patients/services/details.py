"""Editing what is known of a person."""

from collections.abc import Collection, Mapping, Sequence
from typing import Any

from django.db import transaction
from django.db.models import F, Max
from django.utils import timezone
from django.utils.translation import gettext as _

from accounts.audit import record
from accounts.models import Clinic, Membership, User
from patients.errors import Refused, StaleEdit
from patients.models import Patient, PatientPhone, Registration

PATIENT_FIELDS = (
    "name", "sex", "birth_date", "birth_day_known", "wechat_id", "qq", "allergies", "medical_notes", "occupation",
    "daily_rhythm", "region", "family", "call_from", "call_to", "call_tone", "notes", "is_important",
    "guardian_name", "guardian_relation",
)  # fmt: skip
REGISTRATION_FIELDS = ("owner", "doctor", "channel", "channel_detail", "complaint", "tags")


@transaction.atomic
def update_patient(
    *,
    registration: Registration,
    values: Mapping[str, Any],
    version: int,
    by: User,
    add_phones: Sequence[tuple[str, str]] = (),
    remove_phones: Collection[int] = (),
) -> Patient:
    """Write what changed of a person and their registration.

    Args: values: by field of PATIENT_FIELDS and REGISTRATION_FIELDS; version: the one that was edited;
    add_phones: (digits, whose) pairs; remove_phones: ids of rows.
    Raises: StaleEdit when the version is another by now, Refused for an owner of another clinic; nothing is written.
    """
    patient = Patient.objects.select_for_update(no_key=True).get(pk=registration.patient_id)
    if patient.version != version:
        raise StaleEdit(patient)
    _check_staff(registration.clinic, [values.get("owner"), values.get("doctor")])
    changed = _assign(patient, values, PATIENT_FIELDS)
    changed_here = _assign(registration, values, REGISTRATION_FIELDS)
    phones = _change_phones(patient, add_phones, remove_phones)
    if changed_here:
        registration.save(update_fields=changed_here)
    if changed or changed_here or phones:
        patient.version += 1
        patient.save(update_fields=[*changed, "version", "updated_at"])
        what = [*changed, *changed_here, *phones]
        record(action="patient_edited", clinic=registration.clinic, by=by, subject=patient, fields=what)
    return patient


def _assign(row: Patient | Registration, values: Mapping[str, Any], allowed: Sequence[str]) -> list[str]:
    """Set what differs; return which fields did."""
    changed = [name for name in allowed if name in values and getattr(row, name) != values[name]]
    for name in changed:
        setattr(row, name, values[name])
    return changed


def _check_staff(clinic: Clinic, people: Sequence[User | None]) -> None:
    ids = {person.pk for person in people if person is not None}
    here = Membership.objects.for_clinic(clinic).filter(user__in=ids).values("user").distinct().count() if ids else 0
    if here != len(ids):
        raise Refused(_("This person does not work in the clinic."))


def _change_phones(patient: Patient, add: Sequence[tuple[str, str]], remove: Collection[int]) -> list[str]:
    gone = patient.phones.filter(pk__in=remove).delete()[0] if remove else 0
    held = {bytes(index) for index in patient.phones.values_list("number_index", flat=True)} if add else set()
    first = (patient.phones.aggregate(last=Max("position"))["last"] or 0) + 1 if add else 0
    rows = [PatientPhone.build(patient, n, label=label, position=first + i) for i, (n, label) in enumerate(add)]
    fresh = list({bytes(row.number_index): row for row in rows if bytes(row.number_index) not in held}.values())
    PatientPhone.objects.bulk_create(fresh)
    return ["phones"] if gone or fresh else []


@transaction.atomic
def set_allergies(*, patient: Patient, clinic: Clinic, allergies: str, medical_notes: str, by: User) -> None:
    """Record what treating must heed; the newest word holds, the old one stays in the history."""
    _set(patient, {"allergies": allergies, "medical_notes": medical_notes}, clinic, by)


@transaction.atomic
def set_important(*, patient: Patient, clinic: Clinic, important: bool, by: User) -> None:
    """Mark a patient as important, or no longer ([S1]: they get explanations and similar cases to read)."""
    _set(patient, {"is_important": important}, clinic, by)


def _set(patient: Patient, values: dict[str, Any], clinic: Clinic, by: User) -> None:
    Patient.objects.filter(pk=patient.pk).update(**values, version=F("version") + 1, updated_at=timezone.now())
    record(action="patient_edited", clinic=clinic, by=by, subject=patient, fields=list(values))
    patient.refresh_from_db(fields=[*values, "version", "updated_at"])
