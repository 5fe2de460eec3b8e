"""Saying again why an appointment fell through, and marking those who did not come."""

from datetime import datetime

from django.db import transaction
from django.db.models import F
from django.utils import timezone
from django.utils.translation import gettext as _

from accounts.models import Clinic, User
from followups.errors import Outdated, Refused
from followups.models import AbsenceReason, Appointment, AppointmentChange, Side
from followups.outcomes import ASKED, BY_PATIENT, EXPECTED, side_of
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
