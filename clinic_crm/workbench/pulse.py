"""Whether anything on the today board changed, told by one statement, so that asking every few seconds costs little."""

import hashlib
from datetime import datetime, timedelta
from functools import cache
from typing import Any

from django.db import connection

from accounts import prepared
from accounts.models import Clinic, User
from consultations.models import (
    CheckoutItem,
    Consultation,
    ConsultationForm,
    Exam,
    ExamFile,
    Handoff,
    HandoffQuestion,
    Plan,
    Visit,
)
from consultations.stages import OPEN
from followups.models import Appointment, Task
from patients.models import Patient

# Raw, because it is nine small reads in one round trip, each by an index and of open or recent rows alone.
SQL = """
WITH here AS MATERIALIZED (
  SELECT id, patient_id, consultation_id, stage, updated_at
    FROM {visit} WHERE clinic_id = %s AND stage = ANY(%s)
)
SELECT
  (SELECT string_agg(concat_ws(':', v.id, v.stage, v.updated_at, p.updated_at, c.complaint_text, h.saved_at,
                               h.sent_at, h.acknowledged_at, f.updated_at, l.version, l.finished_at), ',' ORDER BY v.id)
     FROM here v
     JOIN {patient} p ON p.id = v.patient_id
     JOIN {consultation} c ON c.id = v.consultation_id
     LEFT JOIN {handoff} h ON h.visit_id = v.id
     LEFT JOIN {form} f ON f.visit_id = v.id
     LEFT JOIN {plan} l ON l.visit_id = v.id),
  (SELECT concat_ws(':', count(*), count(e.done_at), max(e.id)) FROM here JOIN {exam} e ON e.visit_id = here.id),
  (SELECT concat_ws(':', count(*), count(x.removed_at))
     FROM here JOIN {exam} e ON e.visit_id = here.id JOIN {file} x ON x.exam_id = e.id),
  (SELECT concat_ws(':', count(*), count(i.done_at), count(i.waived_at), max(i.waiver_asked_at), max(i.refused_at))
     FROM here JOIN {item} i ON i.visit_id = here.id),
  (SELECT concat_ws(':', count(*), count(q.answered_at))
     FROM here JOIN {handoff} h ON h.visit_id = here.id JOIN {question} q ON q.handoff_id = h.id),
  (SELECT concat_ws(':', count(*), max(v.updated_at), max(p.updated_at))
     FROM {visit} v JOIN {patient} p ON p.id = v.patient_id
    WHERE v.clinic_id = %s AND v.left_at >= %s),
  (SELECT md5(string_agg(concat_ws(':', id, status), ',' ORDER BY id))
     FROM {appointment} WHERE clinic_id = %s AND starts_at >= %s AND starts_at < %s),
  (SELECT concat_ws(':', count(*), max(a.id)) FROM {appointment} a WHERE a.patient_id IN (SELECT patient_id FROM here)),
  (SELECT md5(string_agg(concat_ws(':', id, due_at), ',' ORDER BY id)) FROM {task}
    WHERE clinic_id = %s AND status = 'open' AND due_at < %s
      AND (owner_id = %s OR owner_id IS NULL AND owner_role = %s))
"""


@cache
def _statement() -> str:
    models = {
        "visit": Visit,
        "patient": Patient,
        "consultation": Consultation,
        "handoff": Handoff,
        "form": ConsultationForm,
        "plan": Plan,
        "exam": Exam,
        "file": ExamFile,
        "item": CheckoutItem,
        "question": HandoffQuestion,
        "appointment": Appointment,
        "task": Task,
    }
    return SQL.format(**{name: model._meta.db_table for name, model in models.items()})


def pulse_of(clinic: Clinic, user: User, now: datetime) -> str:
    """Return a short text that differs once the user's board would, and with every minute, since waiting shows."""
    today, tomorrow = clinic.day_bounds(clinic.today())
    values: list[Any] = [clinic.pk, list(OPEN), clinic.pk, today - timedelta(days=1), clinic.pk, today, tomorrow]
    values += [clinic.pk, tomorrow, user.pk, user.role_in(clinic) or ""]
    varying = [place for place, value in enumerate(values) if not isinstance(value, list)]
    known = prepared.execution(connection, "pulse", _statement(), values, varying)
    with connection.cursor() as cursor:
        cursor.execute(known or _statement(), [values[place] for place in varying] if known else values)
        row = cursor.fetchone()
    minute = int(now.timestamp() // 60)
    return hashlib.blake2b(repr((minute, row)).encode(), digest_size=12).hexdigest()
