"""Whether anything on the calendar changed, told by one statement, so that asking every few seconds costs little."""

import hashlib
from datetime import datetime
from functools import cache
from typing import Any

from django.apps import apps
from django.db import connection

from accounts.models import Clinic
from followups.calendar_look import Look
from followups.models import Absence, Appointment, AppointmentChange, WaitingEntry, WorkingHours

# Raw, because it is five small reads in one round trip, each by an index and of a few days alone.
SQL = """
SELECT
  (SELECT concat_ws(':', count(*), max(id)) FROM {appointment}
    WHERE clinic_id = %(clinic)s AND starts_at >= %(start)s AND starts_at < %(end)s),
  (SELECT concat_ws(':', count(*), max(c.id), max(v.left_at), count(v.id))
     FROM {appointment} a JOIN {change} c ON c.appointment_id = a.id LEFT JOIN {visit} v ON v.appointment_id = a.id
    WHERE a.clinic_id = %(clinic)s AND a.starts_at >= %(start)s AND a.starts_at < %(end)s),
  (SELECT concat_ws(':', count(*), max(id), max(offered_at)) FROM {waiting}
    WHERE clinic_id = %(clinic)s AND status IN ('waiting', 'offered')),
  (SELECT concat_ws(':', count(*), max(id)) FROM {absence} WHERE clinic_id = %(clinic)s AND ends_at > %(start)s),
  (SELECT concat_ws(':', count(*), max(id)) FROM {hours} WHERE clinic_id = %(clinic)s)
"""


@cache
def _statement() -> str:
    models: dict[str, Any] = {
        "appointment": Appointment,
        "change": AppointmentChange,
        "waiting": WaitingEntry,
        "absence": Absence,
        "hours": WorkingHours,
        "visit": apps.get_model("consultations", "Visit"),  # of the app above, which imports this one
    }
    return SQL.format(**{name: model._meta.db_table for name, model in models.items()})


def calendar_pulse(*, clinic: Clinic, look: Look, now: datetime) -> str:
    """Return a short text that differs once the calendar would, and every five minutes, since free times pass."""
    start, end = clinic.day_bounds(look.days[0])[0], clinic.day_bounds(look.days[-1])[1]
    with connection.cursor() as cursor:
        cursor.execute(_statement(), {"clinic": clinic.pk, "start": start, "end": end})
        facts = cursor.fetchone()
    return hashlib.blake2b(repr((int(now.timestamp() // 300), look, facts)).encode(), digest_size=12).hexdigest()
