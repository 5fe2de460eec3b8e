"""The waiting list: who would come sooner, and what becomes of it."""

from datetime import date, datetime, timedelta
from typing import Any

from django.db import transaction
from django.db.models import OuterRef, QuerySet, Subquery
from django.utils import timezone
from django.utils.translation import gettext as _

from accounts.models import Clinic, User
from accounts.statements import Statement
from followups.errors import Outdated, Refused
from followups.models import Appointment, Room, WaitingEntry
from followups.services.availability import policy_of
from followups.services.booking import book, undo
from followups.waiting_rules import Fit, Gap, Wait, who_fits
from patients.models import Patient, Registration

Status = WaitingEntry.Status
LONGEST_WAIT = timedelta(days=366)
MINUTES = range(5, 481)


def _locked(entry: WaitingEntry) -> WaitingEntry:
    fresh: WaitingEntry = WaitingEntry.objects.select_for_update(no_key=True).get(pk=entry.pk)
    return fresh


def _open(entry: WaitingEntry) -> WaitingEntry:
    """Return the entry locked; raises Outdated unless the patient still waits."""
    fresh = _locked(entry)
    if fresh.status not in (Status.WAITING, Status.OFFERED):
        raise Outdated(fresh.get_status_display())
    return fresh


@transaction.atomic
def add_waiting(
    *,
    clinic: Clinic,
    patient: Patient,
    kind: str,
    minutes: int,
    from_day: date,
    until_day: date,
    by: User,
    doctor: User | None = None,
    note: str = "",
) -> WaitingEntry:
    """Put a patient on the waiting list. An entry that says the same is returned as it is.

    Args: minutes: how long the appointment takes, 5 to 480; from_day, until_day: clinic-local, both included;
    doctor: None takes any. Raises: Refused for a patient of another clinic or senseless days. Source: DOMAIN §4.
    """
    if patient.merged_into_id or not Registration.objects.for_clinic(clinic).filter(patient=patient).exists():
        raise Refused(_("%(patient)s is not registered in this clinic.") % {"patient": patient}, field="patient")
    if until_day < max(from_day, clinic.today()):
        raise Refused(_("This day is past, or before the first."), field="until_day")
    if until_day - from_day > LONGEST_WAIT:
        raise Refused(_("Nobody waits longer than a year."), field="until_day")
    if minutes not in MINUTES:
        raise Refused(_("An appointment takes 5 minutes to 8 hours."), field="minutes")
    list(Patient.objects.select_for_update(no_key=True).filter(pk=patient.pk).values_list("pk"))
    facts = {"clinic": clinic, "patient": patient, "doctor": doctor, "kind": kind, "minutes": minutes}
    days = {"from_day": from_day, "until_day": until_day}
    same = WaitingEntry.objects.filter(**facts, **days, status__in=[Status.WAITING, Status.OFFERED]).first()
    if same is not None:
        return same  # type: ignore[no-any-return]
    return WaitingEntry.objects.create(**facts, **days, note=note.strip()[:200], created_by=by)


@transaction.atomic
def withdraw_waiting(*, entry: WaitingEntry, by: User) -> WaitingEntry:
    """Take somebody off the list. Raises: Outdated when they were booked or withdrawn meanwhile."""
    fresh = _open(entry)
    fresh.status, fresh.closed_at = Status.WITHDRAWN, timezone.now()
    fresh.save(update_fields=["status", "closed_at"])
    return fresh


@transaction.atomic
def reopen_waiting(*, entry: WaitingEntry, by: User) -> WaitingEntry:
    """Let somebody wait again: after a withdrawal, or with the booking taken back that ended the wait.

    Raises: Refused when the booking can no longer be undone; Outdated when it was changed meanwhile.
    """
    fresh = _locked(entry)
    if fresh.appointment is not None:
        undo(appointment=fresh.appointment, by=by)
    fresh.status, fresh.appointment, fresh.closed_at = Status.WAITING, None, None
    fresh.offered_start = fresh.offered_at = None
    fresh.save(update_fields=["status", "appointment", "closed_at", "offered_start", "offered_at"])
    return fresh


@transaction.atomic
def offer_waiting(*, entry: WaitingEntry, starts_at: datetime, by: User) -> WaitingEntry:
    """Note that somebody is being asked about a time, so that nobody else asks them. Raises: Outdated."""
    fresh = _open(entry)
    fresh.status, fresh.offered_start, fresh.offered_at = Status.OFFERED, starts_at, timezone.now()
    fresh.save(update_fields=["status", "offered_start", "offered_at"])
    return fresh


@transaction.atomic
def book_waiting(
    *, entry: WaitingEntry, starts_at: datetime, doctor: User | None, room: Room | None, by: User
) -> Appointment:
    """Give a free time to somebody who waits; the entry ends with it.

    Raises: as `book`, and Outdated when they were booked or withdrawn meanwhile.
    """
    fresh = _open(entry)
    row = book(
        clinic=fresh.clinic,
        patient=fresh.patient,
        doctor=doctor,
        room=room,
        kind=fresh.kind,
        starts_at=starts_at,
        ends_at=starts_at + timedelta(minutes=fresh.minutes),
        by=by,
        purpose=fresh.note,
    )
    fresh.status, fresh.appointment, fresh.closed_at = Status.BOOKED, row, timezone.now()
    fresh.save(update_fields=["status", "appointment", "closed_at"])
    return row


def as_wait(entry: WaitingEntry) -> Wait:
    """Return an entry as the rules read it; its patient is loaded."""
    return Wait(
        pk=entry.pk,
        minutes=entry.minutes,
        from_day=entry.from_day,
        until_day=entry.until_day,
        doctor=entry.doctor_id,
        liked_from=entry.patient.call_from,
        liked_to=entry.patient.call_to,
    )


def waiting_rows(clinic: Clinic, *, until: date, since: date) -> list[WaitingEntry]:
    """Return who waits for any day between `since` and `until`, the longest wait first, as `with_coming` (one query)."""
    found: list[WaitingEntry] = _WAITING.rows(clinic=clinic.pk, until=until, since=since, now=timezone.now())
    return found


def with_coming(rows: QuerySet[Any], now: datetime) -> QuerySet[Any]:
    """Annotate entries with `coming_at`: when the patient comes anyway, null for who has no appointment."""
    coming = Appointment.objects.expected().filter(
        clinic=OuterRef("clinic"), patient=OuterRef("patient"), starts_at__gt=now
    )
    return rows.annotate(coming_at=Subquery(coming.order_by("starts_at").values("starts_at")[:1]))


def also_booked(*, clinic: Clinic, patient: Patient, after: datetime) -> Appointment | None:
    """Return the later appointment that a patient who comes sooner still has, if any."""
    rows = Appointment.objects.for_clinic(clinic).expected().filter(patient=patient, starts_at__gt=after)
    found: Appointment | None = rows.order_by("starts_at").first()
    return found


def _waiting(*, clinic: int, until: date, since: date, now: datetime) -> Any:
    rows = WaitingEntry.objects.for_clinic(clinic).filter(status__in=[Status.WAITING, Status.OFFERED])
    rows = rows.filter(from_day__lte=until, until_day__gte=since, patient__merged_into=None)
    return with_coming(rows, now).select_related("patient", "doctor").order_by("created_at", "id")


_WAITING = Statement(_waiting)


def fitting(*, clinic: Clinic, gap: Gap) -> list[tuple[WaitingEntry, Fit]]:
    """Return who on the waiting list would fit a time that has become free, best first (two queries)."""
    if gap.ends_at <= timezone.now():
        return []
    day = gap.starts_at.astimezone(clinic.tz).date()
    rows = {row.pk: row for row in waiting_rows(clinic, since=day, until=day)}
    found = who_fits([as_wait(row) for row in rows.values()], gap, tz=clinic.tz, step=policy_of(clinic).grid)
    return [(rows[fit.wait.pk], fit) for fit in found]
