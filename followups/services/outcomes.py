"""Saying again why an appointment fell through, and marking those who did not come."""

from datetime import datetime

from django.db import transaction
from django.db.models import F
from django.utils import timezone
from django.utils.translation import gettext as _

from accounts.models import Clinic, User
from followups.errors import Outdated, Refused
from followups.models import AbsenceReason, Appointment, AppointmentChange, Side
from followups.outcomes import ASKED, BY_PATIENT, CORRECTABLE, EXPECTED, lateness, side_of
from followups.services import after

Status = Appointment.Status


@transaction.atomic
def say_why(
    *, appointment: Appointment, absence_reason: str, absence_side: str = "", note: str = "", by: User
) -> Appointment:
    """Record or correct why a patient did not come; what was said before stays in the history.

    Args: absence_reason: an AbsenceReason; absence_side: a Side, by default the reason's usual one.
    Raises: Refused for an unknown reason or side; Outdated when the appointment did not fall through.
    Source: DOMAIN §4, [S2].
    """
    if absence_reason not in AbsenceReason.values:
        raise Refused(_("Choose the reason."), field="absence_reason")
    if absence_side and absence_side not in Side.values:
        raise Refused(_("Choose whose side it lies on."), field="absence_side")
    fresh = Appointment.objects.select_for_update(of=("self",), no_key=True).with_people().get(pk=appointment.pk)
    if fresh.status not in ASKED | BY_PATIENT:
        raise Outdated(fresh.get_status_display())
    said = absence_reason, side_of(absence_reason, absence_side), note.strip()[:300]
    if said == (fresh.absence_reason, fresh.absence_side, fresh.absence_note):
        return fresh
    fresh.absence_reason, fresh.absence_side, fresh.absence_note = said
    fresh.save(update_fields=["absence_reason", "absence_side", "absence_note"])
    AppointmentChange.objects.create(
        appointment=fresh, old_status=fresh.status, new_status=fresh.status, reason=said[2],
        absence_reason=said[0], absence_side=said[1], is_late=fresh.is_late, by=by,
    )  # fmt: skip
    return fresh


@transaction.atomic
def correct_outcome(
    *,
    appointment: Appointment,
    outcome: str,
    absence_reason: str = "",
    absence_side: str = "",
    note: str = "",
    by: User,
) -> Appointment:
    """Say that an appointment fell through otherwise than was noted; when it did stays, so its time may be given away.

    Args: outcome: cancelled by the patient, by the clinic, entered in error, or no-show once its time has come; the
    others as `say_why`. What was noted before stays in the history.
    Raises: Refused for another outcome, or without its reason; Outdated when the appointment did not fall through.
    """
    fresh = Appointment.objects.select_for_update(of=("self",), no_key=True).with_people().get(pk=appointment.pk)
    if outcome == fresh.status and outcome in ASKED:
        say = {"absence_reason": absence_reason, "absence_side": absence_side, "note": note}
        return say_why(appointment=fresh, by=by, **say)
    if fresh.status not in CORRECTABLE:
        raise Outdated(fresh.get_status_display())
    too_soon = outcome == Status.NO_SHOW and fresh.starts_at > timezone.now()
    if outcome not in {*CORRECTABLE, Status.ERROR} or too_soon:
        raise Refused(_("Choose what happened."), field="outcome")
    if outcome in ASKED:
        if absence_reason not in AbsenceReason.values or absence_side not in ("", *Side.values):
            raise Refused(_("Choose the reason."), field="absence_reason")
    elif not note.strip():
        raise Refused(_("Give the reason."), field="reason")
    _write_outcome(fresh, outcome, absence_reason if outcome in ASKED else "", absence_side, note.strip()[:300], by)
    return fresh


def _write_outcome(row: Appointment, outcome: str, reason: str, side: str, note: str, by: User) -> None:
    old, row.status = row.status, outcome
    row.absence_reason, row.absence_side, row.absence_note = reason, side_of(reason, side), note
    hours, at = row.clinic.late_cancel_hours, row.ended_at or timezone.now()
    row.is_late = lateness(status=outcome, starts_at=row.starts_at, at=at, hours=hours)
    row.holds_slot = row.holds_slot and outcome == Status.NO_SHOW
    row.save(update_fields=["status", "absence_reason", "absence_side", "absence_note", "is_late", "holds_slot"])
    AppointmentChange.objects.create(
        appointment=row, old_status=old, new_status=outcome, reason=note, absence_reason=row.absence_reason,
        absence_side=row.absence_side, is_late=row.is_late, by=by,
    )  # fmt: skip
    if old != outcome:
        after.fell_through_otherwise(row, old=old, by=by)


def mark_no_shows(*, now: datetime | None = None, limit: int = 500) -> int:
    """Mark the patients who were expected on days that have ended, by each clinic's clock, as not come.

    Why is still to be asked. What was entered after its own time (imported history) is left as it stands.
    Idempotent; at most `limit` appointments, each in a transaction of its own. Returns how many were marked.
    """
    at, marked = now or timezone.now(), 0
    for clinic in Clinic.objects.filter(is_active=True):
        midnight = clinic.day_bounds(at.astimezone(clinic.tz).date())[0]
        due = (
            Appointment.objects.for_clinic(clinic)
            .expected()
            .filter(starts_at__lt=midnight, created_at__lt=F("ends_at"))
        )
        keys = list(due.order_by("starts_at", "id").values_list("pk", flat=True)[: limit - marked])
        marked += sum(_mark(pk, at) for pk in keys)
        if marked >= limit:
            break
    return marked


@transaction.atomic
def _mark(pk: int, at: datetime) -> bool:
    rows = Appointment.objects.select_for_update(of=("self",), no_key=True, skip_locked=True).with_people()
    row = rows.select_related("clinic").filter(pk=pk, status__in=EXPECTED).first()
    if row is None:
        return False
    old, row.status, row.ended_at = row.status, Status.NO_SHOW, at
    row.save(update_fields=["status", "ended_at"])
    AppointmentChange.objects.create(appointment=row, old_status=old, new_status=Status.NO_SHOW, at=at)
    after.missed(row, by=None)
    return True
