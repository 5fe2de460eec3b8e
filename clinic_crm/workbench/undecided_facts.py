"""What the cards of the undecided board are made of, read for a window of them at once.

Raw, because the look-ups behind a card took the ORM longer to put together than PostgreSQL to answer.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import connection

from accounts.models import Clinic, User
from consultations.models import Consultation, Visit
from consultations.stages import OPEN
from followups.models import Appointment, Contact, Task
from patients.models import Patient, Registration

TABLES = {
    "registration": Registration._meta.db_table,
    "patient": Patient._meta.db_table,
    "user": User._meta.db_table,
    "consultation": Consultation._meta.db_table,
    "visit": Visit._meta.db_table,
    "contact": Contact._meta.db_table,
    "appointment": Appointment._meta.db_table,
    "task": Task._meta.db_table,
}
# In the order of Facts. Contacts and tasks are read for all cards together: one by one PostgreSQL might walk through a
# clinic's until it meets one of the patient's.
STATEMENT = """
WITH people AS MATERIALIZED (
  SELECT patient_id FROM {registration} WHERE clinic_id = %(clinic)s AND id = ANY(%(ids)s)
), spoken AS MATERIALIZED (
  SELECT DISTINCT ON (patient_id) patient_id, at, channel, outcome, note FROM {contact} s
  WHERE patient_id = ANY(ARRAY(SELECT patient_id FROM people)) AND clinic_id = %(clinic)s AND undoes_id IS NULL
    AND NOT EXISTS (SELECT 1 FROM {contact} n WHERE n.undoes_id = s.id)
  ORDER BY patient_id, at DESC
), waiting AS MATERIALIZED (
  SELECT DISTINCT ON (patient_id) patient_id, id, title, due_at FROM {task}
  WHERE patient_id = ANY(ARRAY(SELECT patient_id FROM people)) AND clinic_id = %(clinic)s AND status = %(waiting)s
  ORDER BY patient_id, due_at
)
SELECT r.id, p.id, p.name, p.class_code, coalesce(nullif(u.full_name, ''), u.username, ''), r.complaint,
  coalesce(c.complaint_text, ''), coalesce(c.complaint, ''), v.visited, coalesce(v.blocked, ''), v.here, v.stage,
  s.at, s.channel, s.outcome, coalesce(s.note, ''), a.coming, a.missed, t.id, t.title, t.due_at
FROM {registration} r
JOIN {patient} p ON p.id = r.patient_id
LEFT JOIN {user} u ON u.id = r.owner_id
LEFT JOIN LATERAL (
  SELECT complaint_text, complaint FROM {consultation} c
  WHERE c.patient_id = p.id AND c.clinic_id = r.clinic_id AND NOT (  -- a case of mistakes alone is none
    EXISTS (SELECT 1 FROM {visit} e WHERE e.patient_id = p.id AND e.consultation_id = c.id AND e.is_error)
    AND NOT EXISTS (SELECT 1 FROM {visit} g WHERE g.patient_id = p.id AND g.consultation_id = c.id AND NOT g.is_error)
  ) ORDER BY opened_at DESC, id DESC LIMIT 1
) c ON TRUE
LEFT JOIN LATERAL (
  SELECT max(arrived_at) AS visited,
    (array_agg(obstacle ORDER BY arrived_at DESC) FILTER (WHERE obstacle <> ''))[1] AS blocked,
    (array_agg(id ORDER BY arrived_at DESC) FILTER (WHERE stage = ANY(%(open)s)))[1] AS here,
    (array_agg(stage ORDER BY arrived_at DESC) FILTER (WHERE stage = ANY(%(open)s)))[1] AS stage
  FROM {visit} v WHERE v.patient_id = p.id AND v.clinic_id = r.clinic_id AND NOT v.is_error
) v ON TRUE
LEFT JOIN spoken s ON s.patient_id = p.id
LEFT JOIN LATERAL (
  SELECT min(starts_at) FILTER (WHERE status = ANY(%(expected)s) AND starts_at >= %(today_start)s) AS coming,
    max(starts_at) FILTER (WHERE status = %(missed)s AND starts_at <= %(now)s) AS missed
  FROM {appointment} a WHERE a.patient_id = p.id AND a.clinic_id = r.clinic_id
) a ON TRUE
LEFT JOIN waiting t ON t.patient_id = p.id
WHERE r.clinic_id = %(clinic)s AND r.id = ANY(%(ids)s)
"""


@dataclass(frozen=True, slots=True)
class Facts:
    """`words`, `code`: the case's complaint; `here`: the visit under way; `coming`, `missed`: appointments."""

    registration_id: int
    patient_id: int
    name: str
    klass: str
    owner: str
    complaint: str
    words: str
    code: str
    visited: datetime | None
    blocked: str
    here: int | None
    stage: str | None
    spoke_at: datetime | None
    channel: str | None
    outcome: str | None
    note: str
    coming: datetime | None
    missed: datetime | None
    task: int | None
    task_title: str | None
    task_due: datetime | None


def facts_of(clinic: Clinic, registrations: Sequence[int], now: datetime) -> list[Facts]:
    """Return the facts of the clinic's registrations with these ids; one statement."""
    values: dict[str, Any] = {
        "clinic": clinic.pk,
        "ids": list(registrations),
        "open": sorted(OPEN),
        "expected": [Appointment.Status.BOOKED.value, Appointment.Status.CONFIRMED.value],
        "missed": Appointment.Status.NO_SHOW.value,
        "waiting": Task.Status.OPEN.value,
        "today_start": clinic.day_bounds(clinic.today())[0],
        "now": now,
    }
    with connection.cursor() as cursor:
        cursor.execute(STATEMENT.format(**TABLES), values)
        return [Facts(*row) for row in cursor.fetchall()]
