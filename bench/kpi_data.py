"""Two years of five clinics' visits, made by SQL alone: one case in two has a second visit two weeks later."""

from django.core.management import call_command
from django.db import connection, transaction

from accounts.models import Clinic, Membership, User
from accounts.permissions import Role
from bench.measure import seconds
from clinic_crm.demo.history import trusted
from metrics.services import standing

CLINICS, COORDINATORS, DOCTORS = 5, 4, 2
ZONES = ["Asia/Shanghai"] * 4 + ["Asia/Urumqi"]
# What hangs on a case: its number j, person k, when it began, how it ended.
CASES = """
CREATE TEMP TABLE bench_case AS
SELECT j, j - (j %% 5 = 0)::int AS k, clinic.id AS clinic_id,
    (SELECT array_agg(m.user_id ORDER BY m.user_id) FROM accounts_membership m
        WHERE m.clinic_id = clinic.id AND m.role = 'coordinator') AS staff,
    (SELECT min(m.user_id) FROM accounts_membership m WHERE m.clinic_id = clinic.id AND m.role = 'doctor') AS doctor_id,
    timestamptz '2024-11-01 09:00+08' + floor(730.0 * j / %(cases)s) * interval '1 day'
        + (hashint4(j) & 511) * interval '1 minute' + (j %% 5 = 0)::int * interval '1 day' AS at,
    (hashint4(j + 7) & 1023) %% 10 AS fate, (hashint4(j + 99) & 1023) %% 20 AS luck, j %% 2 = 0 AS again
FROM generate_series(1, %(cases)s) j
JOIN (SELECT id, row_number() OVER (ORDER BY id) - 1 AS place FROM accounts_clinic WHERE code LIKE 'BK%%') clinic
    ON clinic.place = ((j - (j %% 5 = 0)::int) / 7) %% 5
"""
MAKE = (
    CASES,
    "ANALYZE bench_case",
    """INSERT INTO patients_patient (id, name, name_key, name_pinyin, name_initials, name_grams, sex, birth_day_known,
        wechat_id, qq, allergies, medical_notes, occupation, daily_rhythm, region, family, call_tone, notes,
        is_important, guardian_name, guardian_relation, class_code, wechat_linked_guardian, version, created_at,
        updated_at, wechat_linked_at)
       SELECT k, '测速' || k, '', '', '', '{}', '', true, '', '', '', '', '', '', '', '', '', '', false, '', '', '',
        false, 1, min(at), min(at), CASE WHEN min(luck) < 16 THEN min(at) + interval '1 hour' END
       FROM bench_case GROUP BY k""",
    """INSERT INTO patients_registration (patient_id, clinic_id, number, channel, channel_detail, complaint, tags,
        active_at, created_at)
       SELECT k, min(clinic_id), 'B' || k, 'dianping', '', '', '{}', max(at), min(at) FROM bench_case GROUP BY k""",
    """INSERT INTO consultations_consultation (id, clinic_id, patient_id, complaint, complaint_text, status,
        coordinator_id, first_received_at, opened_at)
       SELECT j, clinic_id, k, 'implant', '缺牙', CASE WHEN fate < 3 THEN 'accepted' WHEN fate = 3 THEN 'deposit'
            WHEN fate < 8 THEN 'open' WHEN fate = 8 THEN 'refused' ELSE 'no_treatment' END,
        staff[1 + k %% 4], at, at FROM bench_case""",
    """INSERT INTO consultations_visit (clinic_id, patient_id, consultation_id, coordinator_id, doctor_id, is_first,
        number, stage, stage_since, route, route_reason, arrived_at, received_at, form_completed_at,
        complaint_confirmed_at, handoff_at, explaining_started_at, explained_points, decided_at, decision,
        decision_amount, deposit_amount, obstacle, treat_today, left_at, closed_at, unseen_reason, is_error, version,
        updated_at)
       SELECT clinic_id, k, j, staff[1 + k %% 4], doctor_id, n = 0 AND j = k, 1, 'closed', t, 'exam_first', '', t, t,
        CASE WHEN luck < 18 THEN t + interval '10 minutes' END, t + interval '20 minutes', t + interval '30 minutes',
        t + interval '50 minutes', '{}', t + interval '60 minutes', decision, 8000,
        CASE WHEN decision = 'deposit' THEN 500 END, '', '', t + interval '70 minutes', t + interval '70 minutes', '',
        false, 1, t
       FROM (SELECT b.*, n, at + n * interval '14 days' AS t,
            CASE WHEN n = 0 AND again THEN 'undecided' WHEN fate < 3 THEN 'accepted' WHEN fate = 3 THEN 'deposit'
                WHEN fate < 8 THEN 'undecided' WHEN fate = 8 THEN 'refused' ELSE 'no_treatment' END AS decision
            FROM bench_case b CROSS JOIN generate_series(0, 1) n WHERE n = 0 OR again) v ORDER BY t""",
    """INSERT INTO patients_classchange (clinic_id, patient_id, old_class, new_class, awareness, trust, suggested,
        suggestion_reason, reason, is_correction, at, by_id)
       SELECT v.clinic_id, v.patient_id, '', CASE WHEN v.is_first THEN 'C-E' ELSE 'C-D' END, 3, 3, '', '', '', false,
        v.left_at - interval '5 minutes', v.coordinator_id
       FROM consultations_visit v WHERE v.decision IN ('undecided', 'refused') AND v.id %% 10 < 9 ORDER BY v.left_at""",
    """INSERT INTO followups_appointment (clinic_id, patient_id, doctor_id, kind, starts_at, ends_at, status, holds_slot,
        purpose, ended_at, is_late, absence_reason, absence_side, absence_note, number, note, created_at, created_by_id)
       SELECT clinic_id, patient_id, NULL, 'recheck', t, t + interval '30 minutes',
        CASE WHEN luck < 2 THEN 'cancelled_patient' WHEN luck = 2 THEN 'no_show' ELSE 'kept' END, false, '',
        CASE WHEN luck < 3 THEN t END, luck < 1, '', '', '', '', '', left_at - interval '3 minutes', coordinator_id
       FROM (SELECT v.*, arrived_at + interval '14 days' AS t, (hashint8(id) & 1023) %% 20 AS luck
            FROM consultations_visit v WHERE v.id %% 10 < 8) v ORDER BY t""",
    """INSERT INTO patients_referral (clinic_id, referrer_id, referred_id, effective_at, created_at)
       SELECT clinic_id, k - 30, k, at, at FROM bench_case WHERE j = k AND k %% 6 = 3 AND k > 40""",
    """INSERT INTO patients_complaintcase (clinic_id, patient_id, number, category, severity, source, what, wish,
        subject, about_id, contact_name, contact_last4, received_at, due_at, closed_at, outcome, is_upheld, version)
       SELECT clinic_id, k, 'B' || j, 'waiting', 'low', 'phone', '', '', '', staff[1 + k %% 4], '', '', at, at, at,
        'explained', j %% 2 = 0, 1 FROM bench_case WHERE j %% 80 = 1""",
    "DROP TABLE bench_case",
)


def grow_to(visits: int) -> None:
    """Throw everything away and make that many visits, two years of them up to the end of October 2026."""
    call_command("flush", interactive=False, verbosity=0, allow_cascade=True)
    for n in range(CLINICS):
        clinic = Clinic.objects.create(code=f"BK{n}", name=f"测速门诊 {n}", zone=ZONES[n])
        for role, many in ((Role.COORDINATOR, COORDINATORS), (Role.DOCTOR, DOCTORS)):
            for m in range(many):
                user = User.objects.create(username=f"bk{n}{role}{m}", full_name=f"测速 {n}-{m}")
                Membership.objects.create(user=user, clinic=clinic, role=role)
    spent = seconds(lambda: _make(visits * 2 // 3))
    spent += seconds(standing.rebuild)
    with connection.cursor() as cursor:
        cursor.execute("VACUUM ANALYZE")
    print(f"made {visits:,} visits in {spent:.0f} s", flush=True)


def _make(cases: int) -> None:
    with transaction.atomic(), trusted(), connection.cursor() as cursor:
        for statement in MAKE:
            cursor.execute(statement, {"cases": cases})
        for table in ("patients_patient", "consultations_consultation"):
            cursor.execute(f"SELECT setval(pg_get_serial_sequence('{table}', 'id'), (SELECT max(id) FROM {table}))")
