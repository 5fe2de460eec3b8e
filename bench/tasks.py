"""Making the tasks of 100,000 patients whose playbooks have come due, against inserting the same rows in plain SQL."""

import uuid
from datetime import timedelta
from typing import Any

from django.db import connection, transaction
from django.utils import timezone

from accounts.models import Clinic
from bench.measure import seconds
from clinic_crm.demo.history import trusted
from followups.models import Playbook, PlaybookRun, PlaybookStep, Task
from followups.services.builtin import ensure_builtin_playbooks
from followups.services.generation import generate_due

PEOPLE = 100_000
# People of class C-E with a consent, who left the clinic yesterday.
MAKE = (
    """INSERT INTO patients_patient (name, name_key, name_pinyin, name_initials, name_grams, sex, birth_day_known,
        wechat_id, qq, allergies, medical_notes, occupation, daily_rhythm, region, family, call_tone, notes,
        is_important, guardian_name, guardian_relation, class_code, wechat_linked_guardian, version, created_at,
        updated_at)
       SELECT %(mark)s || n, '', '', '', '{}', '', true, '', '', '', '', '', '', '', '', '', '', false, '', '', 'C-E',
        false, 1, now(), now() FROM generate_series(1, %(people)s) n""",
    """INSERT INTO patients_consent (clinic_id, patient_id, purpose, given, wording_version, channel, guardian, at)
       SELECT %(clinic)s, id, 'contact', true, '1', 'desk', '', now() FROM patients_patient WHERE name LIKE %(mark)s || '%%'""",
    """INSERT INTO followups_playbookrun (clinic_id, patient_id, playbook_id, started_at, left_at, plan_words, end_reason,
        generate_at)
       SELECT %(clinic)s, id, %(playbook)s, %(left)s, %(left)s, '', '', %(left)s FROM patients_patient
        WHERE name LIKE %(mark)s || '%%'""",
)
AGAIN = """
INSERT INTO followups_task (clinic_id, patient_id, kind, title, script, channel, nature, owner_id, owner_role, due_at,
    status, closed_by, run_id, step_id, dedupe_key, contacts, closed_reason, outcome, created_at)
SELECT clinic_id, patient_id, kind, title, script, channel, nature, owner_id, owner_role, due_at, status, closed_by,
    run_id, step_id, dedupe_key || 'b', contacts, closed_reason, outcome, created_at
FROM followups_task WHERE clinic_id = %s
"""


def report() -> None:
    """Print tasks per second of the generation, beside the floor, and what a second run costs."""
    mark = uuid.uuid4().hex[:5].upper()
    clinic = Clinic.objects.create(code=f"G{mark}", name=f"任务测速 {mark}")
    ensure_builtin_playbooks(clinic)
    playbook = Playbook.objects.get(clinic=clinic, class_code="C-E")
    now = timezone.now()
    values: dict[str, Any] = {
        "mark": mark,
        "people": PEOPLE,
        "clinic": clinic.pk,
        "playbook": playbook.pk,
        "left": now - timedelta(days=1),
    }
    try:
        with connection.cursor() as cursor:
            for statement in MAKE:
                cursor.execute(statement, values)
            for table in ("patients_patient", "patients_consent", "followups_playbookrun"):
                cursor.execute(f"ANALYZE {table}")
        spent = seconds(lambda: generate_due(now=now, limit=PEOPLE))
        made = Task.objects.filter(clinic=clinic).count()
        idle = seconds(lambda: generate_due(now=now, limit=PEOPLE))
        assert made == 3 * PEOPLE, made
        assert Task.objects.filter(clinic=clinic).count() == made, "a second run made tasks again"
        floor = seconds(lambda: _copy(clinic))
    finally:
        _forget(clinic, mark)
    print(
        f"\ntasks of {PEOPLE:,} patients: {made:,} in {spent:.1f} s ({made / spent:,.0f}/s); again, nothing due: {idle * 1000:.1f} ms"
    )
    print(f"the same rows by INSERT … SELECT: {made / floor:,.0f}/s · generation ÷ floor: {floor / spent:.0%}")


def _copy(clinic: Clinic) -> None:
    with connection.cursor() as cursor:
        cursor.execute(AGAIN, [clinic.pk])


def _forget(clinic: Clinic, mark: str) -> None:
    with transaction.atomic(), trusted(), connection.cursor() as cursor:
        for model in (Task, PlaybookRun):
            cursor.execute(f"DELETE FROM {model._meta.db_table} WHERE clinic_id = %s", [clinic.pk])
        cursor.execute("DELETE FROM patients_consent WHERE clinic_id = %s", [clinic.pk])
        cursor.execute("DELETE FROM patients_patient WHERE name LIKE %s", [f"{mark}%"])
        PlaybookStep.objects.filter(playbook__clinic=clinic).delete()
        Playbook.objects.filter(clinic=clinic).delete()
        Clinic.objects.filter(pk=clinic.pk).delete()
