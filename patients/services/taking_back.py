"""Taking back a registration made by mistake, as long as nothing came of it."""

from datetime import datetime

import pgtrigger
from django.apps import apps
from django.db import transaction
from django.db.models import ProtectedError

from accounts.audit import record
from accounts.models import User
from patients.models import Patient, Registration

HISTORIES = (("PatientEvent", "pgh_obj"), ("RegistrationEvent", "patient"))


@transaction.atomic
def take_back_registration(*, registration: Registration, since: datetime, by: User) -> bool:
    """Remove somebody who was registered at `since`, with their numbers; logged with the patient number alone.

    Returns whether they went. They stay when anything was changed since, when they are registered in another clinic,
    or when anything refers to them: a booking (also one that was taken back), a task, a message, a contact.
    """
    patient = Patient.objects.select_for_update().get(pk=registration.patient_id)
    if _changed(patient, since) or patient.registrations.exclude(pk=registration.pk).exists():
        return False
    clinic, number, pk = registration.clinic, registration.number, patient.pk
    try:
        with transaction.atomic():
            registration.delete()
            patient.delete()
    except ProtectedError:
        return False
    with pgtrigger.ignore(*(f"patients.{name}:append_only" for name, _field in HISTORIES)):
        for name, field in HISTORIES:
            apps.get_model("patients", name)._default_manager.filter(**{field: pk}).delete()
    record(action="registration_taken_back", clinic=clinic, by=by, number=number)
    return True


def _changed(patient: Patient, since: datetime) -> bool:
    """Whether the person or the registration was changed after `since`."""
    return any(
        apps.get_model("patients", name)
        ._default_manager.filter(**{field: patient.pk}, pgh_created_at__gt=since)
        .exists()
        for name, field in HISTORIES
    )
