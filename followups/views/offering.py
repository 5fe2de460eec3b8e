"""Saying at once who waits for a time that has just become free, and who stands on the calendar twice."""

from datetime import datetime
from urllib.parse import urlencode

from django.contrib import messages
from django.urls import reverse
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.utils.translation import ngettext, pgettext

from accounts.access import StaffRequest
from accounts.models import Clinic
from followups.models import Appointment
from followups.services.waiting import also_booked, fitting
from followups.waiting_rules import Gap
from patients.models import Patient


def offer_freed(request: StaffRequest, clinic: Clinic, row: Appointment) -> None:
    """Add a notice that leads to those on the waiting list whom the freed time fits; none when it fits nobody."""
    fits = fitting(clinic=clinic, gap=Gap(row.starts_at, row.ends_at, doctor=row.doctor_id, room=row.room_id))
    if row.holds_slot or not fits:
        return
    asked = {"start": row.starts_at.isoformat(), "end": row.ends_at.isoformat()}
    asked |= {"doctor": str(row.doctor_id or ""), "room": str(row.room_id or "")}
    count = len(fits)
    said = ngettext("%(count)s patient waits for such a time.", "%(count)s patients wait for such a time.", count) % {
        "count": count
    }
    messages.info(request, said, extra_tags=f"see {reverse('waiting_fits')}?{urlencode(asked)}")


def say_also_booked(request: StaffRequest, clinic: Clinic, patient: Patient, *, after: datetime) -> None:
    """Who comes sooner still holds a later time: somebody decides what becomes of it."""
    later = also_booked(clinic=clinic, patient=patient, after=after)
    if later is None:
        return
    day = date_format(timezone.localtime(later.starts_at, clinic.tz), pgettext("date format", "j M"))
    said = _("%(patient)s is still booked on %(day)s: move or cancel that one.") % {"patient": patient, "day": day}
    messages.warning(request, said, extra_tags=f"see {reverse('appointment', args=[later.pk])}")
