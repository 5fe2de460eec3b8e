"""Registering people (建档)."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date

from django.db import IntegrityError, transaction
from django.utils.translation import gettext as _

from accounts.audit import record
from accounts.models import Clinic, User
from accounts.permissions import Role
from patients import crypto
from patients.errors import Refused
from patients.models import Channel, Patient, PatientNumberCounter, PatientPhone, Registration
from patients.services.referrals import link_referral


@dataclass(frozen=True)
class NewPatient:
    """What is known of somebody when they are registered. `phones` holds (digits, whose) pairs."""

    name: str
    phones: Sequence[tuple[str, str]] = ()
    sex: str = ""
    birth_date: date | None = None
    birth_day_known: bool = True
    channel: str = ""
    channel_detail: str = ""
    complaint: str = ""
    owner: User | None = None
    referrer: Patient | None = None
    tags: list[str] = field(default_factory=list)


@transaction.atomic
def register_patient(*, clinic: Clinic, details: NewPatient, by: User) -> Registration:
    """Create the person, their numbers and their registration with the next patient number.

    Without an owner the registering coordinator is it. A referrer makes the channel "referred".
    Raises: Refused (from the referral).
    """
    patient = Patient.objects.create(
        name=details.name,
        sex=details.sex,
        birth_date=details.birth_date,
        birth_day_known=details.birth_day_known,
        created_by=by,
    )
    labels = dict(reversed(details.phones))  # a number given twice counts once, as it was first given
    numbers = list(dict.fromkeys(number for number, _label in details.phones))
    rows = [PatientPhone.build(patient, n, label=labels[n], position=i) for i, n in enumerate(numbers)]
    PatientPhone.objects.bulk_create(rows)
    registration = _enrol(
        patient=patient,
        clinic=clinic,
        by=by,
        owner=details.owner,
        channel=details.channel or (Channel.REFERRAL if details.referrer else ""),
        channel_detail=details.channel_detail,
        complaint=details.complaint,
        tags=details.tags,
    )
    if details.referrer is not None:
        link_referral(referrer=details.referrer, referred=patient, clinic=clinic, by=by)
    return registration


def _enrol(*, patient: Patient, clinic: Clinic, by: User, owner: User | None = None, **values: object) -> Registration:
    [number] = PatientNumberCounter.take(clinic)
    if owner is None and by.role_in(clinic) == Role.COORDINATOR:
        owner = by
    created: Registration = Registration.objects.create(
        patient=patient, clinic=clinic, number=number, owner=owner, created_by=by, **values
    )
    return created


@transaction.atomic
def register_in_clinic(*, patient: Patient, clinic: Clinic, phone: str, by: User) -> Registration:
    """Register a person of the group in one more clinic, proven by an exact phone number; logged.

    Returns the registration they have here already, if so. Raises: Refused when the number is not theirs.
    """
    if not patient.phones.filter(number_index=crypto.blind_index(phone)).exists():
        raise Refused(_("This number is not theirs."))
    try:
        with transaction.atomic():
            here = Registration.objects.for_clinic(clinic).filter(patient=patient).first()
            if here is not None:
                return here
            made = _enrol(patient=patient, clinic=clinic, by=by)
    except IntegrityError:  # registered at the same moment by somebody else
        return Registration.objects.for_clinic(clinic).get(patient=patient)
    record(action="registered_in_clinic", clinic=clinic, by=by, subject=patient, number=made.number)
    return made
