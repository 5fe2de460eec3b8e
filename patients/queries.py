"""What the patients' pages read."""

from collections.abc import Sequence
from datetime import date, datetime
from typing import Any

from django.apps import apps
from django.db.models import OuterRef, QuerySet, Subquery

from accounts.models import Clinic, Membership, User
from accounts.permissions import Role
from accounts.statements import Statement
from patients import crypto
from patients.models import Patient, PatientPhone, Registration

TAG_SAMPLE = 500  # the latest registrations, whose tags are offered to filter by


def expected_appointments(clinic: Clinic) -> Any:
    """Return the clinic's appointments from today on whose patient is still to come, soonest first.

    Found by name: appointments belong to the app above, which imports this one.
    """
    start, _end = clinic.day_bounds(clinic.today())
    return _expected(clinic.pk, start)


def _expected(clinic: int, start: datetime) -> Any:
    model = apps.get_model("followups", "Appointment")
    return model.objects.for_clinic(clinic).expected().filter(starts_at__gte=start).order_by("starts_at")


def next_appointment_start(clinic: Clinic) -> Subquery:
    """Return, for a queryset of registrations, when the patient comes next."""
    mine = expected_appointments(clinic).filter(patient=OuterRef("patient"))
    return Subquery(mine.values("starts_at")[:1])


def attach_next_appointments(rows: Sequence[Any], clinic: Clinic) -> None:
    """Set `next_appointment` (or None) on each registration, by one query."""
    start, _end = clinic.day_bounds(clinic.today())
    ids = tuple(dict.fromkeys(row.patient_id for row in rows))
    coming = _COMING.rows(clinic=clinic.pk, start=start, patients=ids)
    by_patient = {found.patient_id: found for found in coming}
    for row in rows:
        row.next_appointment = by_patient.get(row.patient_id)


def _coming(*, clinic: int, start: datetime, patients: tuple[int, ...]) -> Any:
    rows = _expected(clinic, start).filter(patient__in=patients).order_by("patient", "starts_at").distinct("patient")
    return rows.only("patient", "starts_at")


_COMING = Statement(_coming)


def staff_with_roles(clinic: Clinic, *roles: str) -> list[tuple[str, str]]:
    """Return (id, name) of the clinic's active staff who have one of the roles."""
    members = Membership.objects.for_clinic(clinic).people().with_role(*roles)
    rows = members.order_by("user__full_name").values_list("user_id", "user__full_name")
    return [(str(pk), name) for pk, name in rows]


def owners(clinic: Clinic) -> list[tuple[str, str]]:
    """Return whom a patient may belong to in the clinic."""
    return staff_with_roles(clinic, Role.COORDINATOR, Role.ONLINE_CONSULTANT, Role.MANAGER)


def doctors(clinic: Clinic) -> list[tuple[str, str]]:
    return staff_with_roles(clinic, Role.DOCTOR)


def recent_tags(clinic: Clinic) -> list[str]:
    """Return the tags of the clinic's latest patients, most used first; bounded at any size."""
    latest = Registration.objects.for_clinic(clinic).order_by("-active_at", "-id").values_list("tags", flat=True)
    counts: dict[str, int] = {}
    for tags in latest[:TAG_SAMPLE]:
        for tag in tags:
            counts[tag] = counts.get(tag, 0) + 1
    return sorted(counts, key=lambda tag: (-counts[tag], tag))[:30]


def bearers_of(number: str) -> QuerySet[Patient]:
    """Return the people of the whole group who have exactly this number (digits only)."""
    held = PatientPhone.objects.filter(number_index=crypto.blind_index(number)).values("patient")
    found: QuerySet[Patient] = Patient.objects.living().filter(pk__in=held)
    return found


def same_number(number: str, user: User) -> tuple[list[Registration], list[Registration]]:
    """Return the registrations of those who have this number: in the user's clinics, and elsewhere in the group.

    A person known in one of the user's clinics is not listed again elsewhere.
    """
    rows = Registration.objects.filter(patient__in=bearers_of(number)).select_related("patient", "clinic")
    ids = set(user.clinic_ids())
    ordered = list(rows.order_by("patient_id", "id")[:20])
    here = [row for row in ordered if row.clinic_id in ids]
    known = {row.patient_id for row in here}
    return here, [row for row in ordered if row.patient_id not in known]


def age_to_birth(age: int, today: date) -> date:
    """Return the birth date that stands for an age in years: the first of January, its day not known."""
    return date(today.year - age, 1, 1)
