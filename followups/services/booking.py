"""Booking, moving, confirming and cancelling.

A booking locks the doctor's and the room's row, so that two for one calendar stand in a queue instead of in
a deadlock, and inserts. The exclusion constraints are the guard: whatever else is wrong, nobody is booked twice.
"""

import random
import time
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import TypeVar

from django.db import IntegrityError, OperationalError, transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from accounts.models import Clinic, Membership, User
from accounts.permissions import Role
from followups.errors import Busy, Outdated, Refused, SlotTaken
from followups.models import AbsenceReason, Appointment, AppointmentChange, Room, Side
from followups.outcomes import ASKED, lateness, side_of
from followups.services import after
from followups.services.availability import nearest_slots
from patients.models import Patient, Registration

EXCLUSION = "23P01"
RETRIED = frozenset({"40P01", "40001"})  # deadlock, serialization failure
TRIES = 5
SHORTEST, LONGEST = timedelta(minutes=5), timedelta(hours=8)
UNDO_WITHIN = timedelta(minutes=10)
LATE_ENTRY = timedelta(minutes=5)  # a slot that has just begun can still be booked

Status = Appointment.Status
EXPECTED = (Status.BOOKED, Status.CONFIRMED)
_OUTCOME = ("ended_at", "is_late", "absence_reason", "absence_side", "absence_note")
T = TypeVar("T")


def _code(error: Exception) -> str:
    """Return PostgreSQL's code of a database error."""
    return getattr(error.__cause__, "pgcode", None) or ""


def _retried(write: Callable[[], T]) -> T:
    """Run `write` in a transaction of its own, again after a deadlock; raises Busy after the last try."""
    for attempt in range(TRIES):
        try:
            with transaction.atomic():
                return write()
        except OperationalError as error:
            if _code(error) not in RETRIED:
                raise
        time.sleep(random.uniform(0, 0.02) * 2**attempt)  # noqa: S311
    raise Busy


def _hold_calendars(doctor: User | None, room: Room | None) -> None:
    """Lock the calendars, always the doctor's first. NO KEY: rows that refer to them are not held up."""
    if doctor is not None:
        list(User.objects.select_for_update(no_key=True).filter(pk=doctor.pk).values_list("pk"))
    if room is not None:
        list(Room.objects.select_for_update(no_key=True).filter(pk=room.pk).values_list("pk"))


def _check_people(clinic: Clinic, patient: Patient, doctor: User | None, room: Room | None) -> None:
    if doctor is None and room is None:
        raise Refused(_("Choose a doctor or a room."), field="doctor")
    if patient.merged_into_id or not Registration.objects.for_clinic(clinic).filter(patient=patient).exists():
        raise Refused(_("%(patient)s is not registered in this clinic.") % {"patient": patient}, field="patient")
    works_here = Membership.objects.people().with_role(Role.DOCTOR).filter(clinic=clinic, user=doctor)
    if doctor is not None and not works_here.exists():
        raise Refused(_("%(doctor)s is not a doctor of this clinic.") % {"doctor": doctor}, field="doctor")
    if room is not None and (room.clinic_id != clinic.pk or not room.is_active):
        raise Refused(_("%(room)s is not a room of this clinic.") % {"room": room}, field="room")


def _check_patient_free(patient: Patient, starts_at: datetime, ends_at: datetime, *, but: int | None = None) -> None:
    """Nobody can be in two places; not raced for, so asked for before and not guarded by a constraint."""
    other = patient.appointments.holding().overlapping(starts_at, ends_at).exclude(pk=but).first()
    if other is not None:
        clock = timezone.localtime(other.starts_at, other.clinic.tz).strftime("%H:%M")
        raise Refused(_("The patient has another appointment then, at %(clock)s.") % {"clock": clock}, field="at")


def _check_time(starts_at: datetime, ends_at: datetime) -> None:
    if starts_at < timezone.now() - LATE_ENTRY:
        raise Refused(_("This time is past."), field="at")
    if not SHORTEST <= ends_at - starts_at <= LONGEST:
        raise Refused(_("An appointment takes 5 minutes to 8 hours."), field="minutes")


def _insert(row: Appointment, *, reason: str = "") -> Appointment:
    """Insert an appointment with its history row; raises SlotTaken."""
    try:
        with transaction.atomic():
            row.save(force_insert=True)
    except IntegrityError as error:
        if _code(error) != EXCLUSION:
            raise
        raise _taken(row, error) from error
    AppointmentChange.objects.create(
        appointment=row, new_status=row.status, reason=reason, by=row.created_by, at=row.created_at
    )
    return row


def _taken(row: Appointment, error: IntegrityError) -> SlotTaken:
    name = getattr(getattr(error.__cause__, "diag", None), "constraint_name", "") or ""
    near = nearest_slots(
        clinic=row.clinic,
        wanted=row.starts_at,
        length=row.ends_at - row.starts_at,
        doctor=row.doctor,
        room=row.room,
        but=row.pk,
    )
    return SlotTaken(whose="room" if name.startswith("room") else "doctor", nearest=near)


def book(
    *,
    clinic: Clinic,
    patient: Patient,
    doctor: User | None,
    room: Room | None,
    kind: str,
    starts_at: datetime,
    ends_at: datetime,
    by: User,
    purpose: str = "",
) -> Appointment:
    """Book a time for a patient and keep who booked it.

    Args: doctor, room: at least one of them, of this clinic; kind: an Appointment.Kind; starts_at, ends_at: aware.
    Raises: Refused for a past time, a senseless length or people of another clinic; SlotTaken with the
    nearest free times; Busy. Source: DOMAIN §4.
    """
    _check_people(clinic, patient, doctor, room)
    _check_time(starts_at, ends_at)
    _check_patient_free(patient, starts_at, ends_at)

    def write() -> Appointment:
        _hold_calendars(doctor, room)
        row = Appointment(
            clinic=clinic,
            patient=patient,
            doctor=doctor,
            room=room,
            kind=kind,
            starts_at=starts_at,
            ends_at=ends_at,
            purpose=purpose[:200],
            created_by=by,
        )
        _insert(row)
        after.booked(row, by=by)
        return row

    return _retried(write)


def _locked(appointment: Appointment) -> Appointment:
    fresh: Appointment = (
        Appointment.objects.select_for_update(of=("self",), no_key=True)
        .with_people()
        .select_related("clinic")
        .get(pk=appointment.pk)
    )
    return fresh


def _change(appointment: Appointment, status: str, *, by: User, reason: str = "", holds: bool | None = None) -> None:
    """Write a new status with its history row, as the appointment says why; the appointment is locked."""
    old = appointment.status
    appointment.status = status
    if holds is not None:
        appointment.holds_slot = holds
    appointment.save(update_fields=["status", "holds_slot", *_OUTCOME])
    AppointmentChange.objects.create(
        appointment=appointment,
        old_status=old,
        new_status=status,
        reason=reason.strip()[:300],
        absence_reason=appointment.absence_reason,
        absence_side=appointment.absence_side,
        is_late=appointment.is_late,
        by=by,
    )


def _end(appointment: Appointment, status: str, *, reason: str, absence_reason: str, absence_side: str) -> None:
    """Set when and why an appointment ended, and whether that was late by the clinic's threshold."""
    now = timezone.now()
    appointment.ended_at = now
    appointment.is_late = lateness(
        status=status, starts_at=appointment.starts_at, at=now, hours=appointment.clinic.late_cancel_hours
    )
    appointment.absence_reason = absence_reason
    appointment.absence_side = side_of(absence_reason, absence_side)
    appointment.absence_note = reason.strip()[:300]


def _check_why(absence_reason: str, absence_side: str) -> None:
    if absence_reason and absence_reason not in AbsenceReason.values:
        raise Refused(_("Choose the reason."), field="absence_reason")
    if absence_side and absence_side not in Side.values:
        raise Refused(_("Choose whose side it lies on."), field="absence_side")


def _expected(appointment: Appointment) -> Appointment:
    """Return the appointment locked; raises Outdated unless its patient is still to come."""
    fresh = _locked(appointment)
    if fresh.status not in EXPECTED:
        raise Outdated(fresh.get_status_display())
    return fresh


def move(
    *,
    appointment: Appointment,
    starts_at: datetime,
    ends_at: datetime,
    by: User,
    doctor: User | None = None,
    room: Room | None = None,
    reason: str = "",
    absence_reason: str = "",
    absence_side: str = "",
) -> Appointment:
    """Move an appointment: the old row stays as moved, early or late, a new one refers to it.

    Args: doctor, room: the new ones (None keeps nobody, pass the old ones to keep them); absence_reason: an
    AbsenceReason, where the patient said why; absence_side: a Side, by default the reason's usual one.
    Raises: as `book`, and Outdated when the appointment is no longer expected.
    """
    _check_why(absence_reason, absence_side)
    _check_people(appointment.clinic, appointment.patient, doctor, room)
    _check_time(starts_at, ends_at)
    _check_patient_free(appointment.patient, starts_at, ends_at, but=appointment.pk)

    def write() -> Appointment:
        _hold_calendars(doctor, room)
        old = _expected(appointment)
        _end(old, Status.MOVED, reason=reason, absence_reason=absence_reason, absence_side=absence_side)
        _change(old, Status.MOVED, by=by, reason=reason, holds=False)
        row = Appointment(
            clinic=old.clinic,
            patient=old.patient,
            doctor=doctor,
            room=room,
            kind=old.kind,
            starts_at=starts_at,
            ends_at=ends_at,
            purpose=old.purpose,
            moved_from=old,
            created_by=by,
        )
        _insert(row, reason=reason.strip()[:300])
        after.freed(old, by=by)
        after.booked(row, by=by)
        return row

    return _retried(write)


@transaction.atomic
def confirm(*, appointment: Appointment, by: User) -> Appointment:
    """The patient said they will come. Raises: Outdated."""
    fresh = _expected(appointment)
    if fresh.status != Status.CONFIRMED:
        _change(fresh, Status.CONFIRMED, by=by)
        after.confirmed(fresh, by=by)
    return fresh


@transaction.atomic
def cancel(
    *,
    appointment: Appointment,
    outcome: str,
    reason: str = "",
    absence_reason: str = "",
    absence_side: str = "",
    by: User,
) -> Appointment:
    """Record why an appointment does not take place; a cancelled one frees its slot.

    Args: outcome: cancelled by the patient, by the clinic, entered in error, or no-show once its time has come;
    absence_reason: an AbsenceReason, where it lies with the patient's coming; absence_side: a Side, by default
    the reason's usual one; reason: in words, enough by itself.
    Raises: Refused without any reason, or for a no-show before its time; Outdated. Source: DOMAIN §4, [S2].
    """
    if outcome not in (*Appointment.FREE, Status.NO_SHOW) or outcome == Status.MOVED:
        raise Refused(_("Choose what happened."), field="outcome")
    if outcome not in ASKED:
        absence_reason = absence_side = ""
    _check_why(absence_reason, absence_side)
    if not reason.strip() and not absence_reason:
        raise Refused(_("Give the reason."), field="absence_reason" if outcome in ASKED else "reason")
    fresh = _expected(appointment)
    if outcome == Status.NO_SHOW and fresh.starts_at > timezone.now():
        raise Refused(_("Its time has not come yet."), field="outcome")
    _end(fresh, outcome, reason=reason, absence_reason=absence_reason, absence_side=absence_side)
    _change(fresh, outcome, by=by, reason=reason, holds=fresh.holds_slot and outcome == Status.NO_SHOW)
    follow = after.missed if outcome == Status.NO_SHOW else after.freed
    follow(fresh, by=by)
    return fresh


def restore(*, appointment: Appointment, by: User) -> Appointment:
    """Take a confirmation, cancellation or no-show back: the appointment is booked again.

    Raises: SlotTaken when the time was given away; Outdated when it was moved or kept.
    """

    def write() -> Appointment:
        _hold_calendars(appointment.doctor, appointment.room)
        fresh = _locked(appointment)
        if fresh.status in (Status.MOVED, Status.KEPT):
            raise Outdated(fresh.get_status_display())
        if fresh.status == Status.BOOKED:
            return fresh
        try:
            with transaction.atomic():
                again = fresh.status not in EXPECTED
                for field in _OUTCOME:
                    setattr(fresh, field, None if field in ("ended_at", "is_late") else "")
                _change(fresh, Status.BOOKED, by=by, holds=True)
        except IntegrityError as error:
            if _code(error) != EXCLUSION:
                raise
            raise _taken(fresh, error) from error
        if again:
            after.booked(fresh, by=by)
        return fresh

    return _retried(write)


@transaction.atomic
def expect_again(*, appointment: Appointment, by: User) -> Appointment:
    """The patient had not come after all: a kept appointment is expected as it was before.

    What their coming closed is open again. One that is not kept stays as it is.
    """
    fresh = _locked(appointment)
    if fresh.status != Status.KEPT:
        return fresh
    before = fresh.changes.filter(new_status=Status.KEPT).order_by("-pk").values_list("old_status", flat=True).first()
    _change(fresh, before if before in EXPECTED else Status.BOOKED, by=by)
    after.not_kept(fresh, by=by)
    return fresh


@transaction.atomic
def undo(*, appointment: Appointment, by: User) -> Appointment:
    """Take a booking back that was just made by oneself: it counts as entered in error.

    Raises: Refused for another's booking or after ten minutes; Outdated.
    """
    if appointment.created_by_id != by.pk or timezone.now() - appointment.created_at > UNDO_WITHIN:
        raise Refused(_("This can no longer be undone; cancel the appointment instead."))
    return cancel(appointment=appointment, outcome=Status.ERROR, reason=_("undone"), by=by)
