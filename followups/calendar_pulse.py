"""Whether anything on the calendar changed, told by five small statements."""

import hashlib
from datetime import datetime

from django.db.models import Count, Max

from accounts.models import Clinic
from followups.calendar_look import Look
from followups.models import Absence, Appointment, AppointmentChange, WaitingEntry, WorkingHours


def calendar_pulse(*, clinic: Clinic, look: Look, now: datetime) -> str:
    """Return a short text that differs once the calendar would, and every five minutes, since free times pass."""
    start, end = clinic.day_bounds(look.days[0])[0], clinic.day_bounds(look.days[-1])[1]
    changes = AppointmentChange.objects.for_clinic(clinic).filter(
        appointment__starts_at__gte=start, appointment__starts_at__lt=end
    )
    rows = Appointment.objects.for_clinic(clinic).filter(starts_at__gte=start, starts_at__lt=end)
    facts = [
        rows.aggregate(Count("id"), Max("id")),
        changes.aggregate(Count("id"), Max("id"), Max("appointment__visit__left_at"), Count("appointment__visit")),
        WaitingEntry.objects.for_clinic(clinic)
        .filter(status__in=["waiting", "offered"])
        .aggregate(Count("id"), Max("id"), Max("offered_at")),
        Absence.objects.for_clinic(clinic).filter(ends_at__gt=start).aggregate(Count("id"), Max("id")),
        WorkingHours.objects.for_clinic(clinic).aggregate(Count("id"), Max("id")),
    ]
    return hashlib.blake2b(repr((int(now.timestamp() // 300), look, facts)).encode(), digest_size=12).hexdigest()
