"""Follow-ups for the demo: playbooks of the undecided, some contacts made, some tasks due and overdue today."""

from datetime import datetime, timedelta
from typing import Any

from django.db import connection
from django.utils import timezone

from accounts.models import Clinic
from consultations.models import Plan, Visit
from consultations.stages import Decision
from followups.models import Appointment, Contact, Playbook, PlaybookRun, Task
from followups.services import appointment_tasks, materialise
from patients.models import Patient

LEFT_WITHIN = timedelta(days=75)
OVERDUE, TODAY = 3, 9  # tasks of each coordinator
BATCH = 5000

# Raw, so that a history of a hundred thousand patients is told in one statement.
RUNS = """
INSERT INTO {run} (clinic_id, patient_id, playbook_id, class_change_id, owner_id, started_at, left_at, plan_sent_at,
                   plan_words, end_reason)
SELECT v.clinic_id, v.patient_id, book.id, v.classification_id, v.coordinator_id, v.left_at, v.left_at,
       CASE WHEN plan.id IS NOT NULL THEN v.left_at END,
       CASE WHEN plan.id IS NULL THEN '' ELSE left(plan.title, 80) END,
       ''
FROM (SELECT DISTINCT ON (clinic_id, patient_id) * FROM {visit} WHERE left_at IS NOT NULL AND NOT is_error
      ORDER BY clinic_id, patient_id, arrived_at DESC) v
JOIN {patient} p ON p.id = v.patient_id
JOIN {book} book ON book.clinic_id = v.clinic_id AND book.class_code = p.class_code AND book.is_current
LEFT JOIN {plan} plan ON plan.visit_id = v.id AND plan.finished_at IS NOT NULL AND NOT plan.no_treatment
WHERE v.clinic_id = %(clinic)s AND v.left_at > %(since)s AND v.decision = %(undecided)s
ON CONFLICT DO NOTHING
"""
# What was due before: done in its time, but for each one's latest few.
DONE = """
WITH latest AS (SELECT id, owner_id, due_at, row_number() OVER (PARTITION BY patient_id ORDER BY due_at DESC, id) AS nth
                FROM {task} WHERE clinic_id = %(clinic)s AND status = 'open' AND due_at < %(now)s),
over AS (SELECT id, nth, row_number() OVER (PARTITION BY owner_id ORDER BY nth, due_at DESC, id) AS place FROM latest),
done AS (UPDATE {task} t SET status = 'done', outcome = 'reached', ended_at = t.due_at + interval '25 minutes',
                ended_by_id = t.owner_id, contacts = 1
         FROM over WHERE over.id = t.id AND (over.place > %(kept)s OR over.nth > 1)
         RETURNING t.id, t.clinic_id, t.patient_id, t.channel, t.due_at, t.owner_id)
INSERT INTO {contact} (clinic_id, patient_id, task_id, channel, outcome, note, at, by_id)
SELECT clinic_id, patient_id, id, channel, 'reached', '', due_at + interval '25 minutes', owner_id FROM done
"""
TO_TODAY = """
WITH busy AS (SELECT patient_id FROM {task} WHERE clinic_id = %(clinic)s AND status = 'open' AND due_at <= %(now)s),
mixed AS (SELECT id, owner_id, due_at, patient_id,
                 row_number() OVER (PARTITION BY patient_id ORDER BY (patient_id + id) %% 5, id) AS nth
          FROM {task} WHERE clinic_id = %(clinic)s AND status = 'open' AND due_at > %(now)s AND owner_id IS NOT NULL
            AND appointment_id IS NULL AND patient_id NOT IN (SELECT patient_id FROM busy)),
next AS (SELECT id, row_number() OVER (PARTITION BY owner_id ORDER BY due_at, id) AS place FROM mixed WHERE nth = 1)
UPDATE {task} t SET due_at = least(%(now)s + next.place * interval '35 minutes', %(evening)s)
FROM next WHERE next.id = t.id AND next.place <= %(today)s
"""


def _run(statement: str, **values: Any) -> None:
    tables = {
        "run": PlaybookRun, "visit": Visit, "patient": Patient, "book": Playbook, "plan": Plan, "task": Task,
        "contact": Contact,
    }  # fmt: skip
    with connection.cursor() as cursor:
        cursor.execute(statement.format(**{name: model._meta.db_table for name, model in tables.items()}), values)


def tell_tasks(clinic: Clinic) -> int:
    """Start the playbooks of the undecided and make today's list lively; returns how many tasks there are."""
    now = timezone.now()
    evening = datetime.combine(clinic.today(), datetime.min.time(), clinic.tz) + timedelta(hours=20)
    _run(RUNS, clinic=clinic.pk, since=now - LEFT_WITHIN, undecided=Decision.UNDECIDED.value)
    runs = list(PlaybookRun.objects.for_clinic(clinic).filter(generate_at=None).values_list("pk", flat=True))
    for start in range(0, len(runs), BATCH):
        materialise.generate_for(runs[start : start + BATCH], now=now)
    _appointments(clinic, now)
    _run(DONE, clinic=clinic.pk, now=now, kept=OVERDUE)
    _run(TO_TODAY, clinic=clinic.pk, now=now, evening=max(evening, now + timedelta(minutes=30)), today=TODAY)
    return Task.objects.for_clinic(clinic).count()


def _appointments(clinic: Clinic, now: datetime) -> None:
    """Ask after those who stayed away lately, and lead up to the appointments of the coming days."""
    rows = Appointment.objects.for_clinic(clinic).with_people().select_related("clinic")
    missed = rows.filter(status=Appointment.Status.NO_SHOW, starts_at__gt=now - timedelta(days=14), starts_at__lt=now)
    for appointment in missed.order_by("-starts_at")[:4]:
        appointment_tasks.missed(appointment, by=None)
    for appointment in rows.expected().filter(starts_at__gt=now).order_by("starts_at")[:16]:
        appointment_tasks.booked(appointment, by=None)
