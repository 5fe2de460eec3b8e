"""The sweep of due messages against claiming and updating the same rows in plain SQL."""

from datetime import timedelta

from django.db import connection, transaction
from django.utils import timezone

from accounts.models import Clinic
from bench.measure import seconds
from clinic_crm.demo.history import trusted
from followups.models import Message, MessagingSettings
from followups.services.sending import BATCH, send_due
from patients.models import Consent, Patient, PatientPhone, Registration

DUE = 100_000
PEOPLE = 20_000
CLAIM = """
UPDATE followups_message SET state = 'sending', lease_until = now() + interval '2 minutes', attempts = attempts + 1
WHERE id IN (SELECT id FROM followups_message WHERE state = 'queued' AND not_before <= now()
             ORDER BY not_before, id LIMIT %s FOR UPDATE SKIP LOCKED) RETURNING id
"""
DONE = "UPDATE followups_message SET state = 'accepted', accepted_at = now(), lease_until = NULL WHERE id = ANY(%s)"
WORDS = {"name": "沈雨薇", "clinic": "青禾口腔", "text": "早晚刷牙。"}


def report() -> None:
    """Print messages per second of the sweep, and of the floor before and after it."""
    clinic = Clinic.objects.create(code="SWP", name="发送测速门诊")
    MessagingSettings.objects.create(clinic=clinic, quiet_from="03:00", quiet_until="03:00")
    try:
        _make_people(clinic)
        with connection.cursor() as cursor:
            for table in ("patients_patient", "patients_consent", "patients_patientphone"):
                cursor.execute(f"ANALYZE {table}")
        floors = [_floor(clinic)]
        _queue(clinic)
        swept = seconds(_sweep)
        assert not Message.objects.filter(clinic=clinic).exclude(state="accepted").exists()
        floors.append(_floor(clinic))
    finally:
        _forget(clinic)
    print(f"\ndue messages: {DUE / swept:,.0f}/s of {DUE:,} (rules, words, history), in batches of {BATCH}")
    told = " and ".join(f"{DUE / floor:,.0f}/s" for floor in floors)
    print(f"claim and update in plain SQL: {told} · sweep ÷ floor: {sum(floors) / 2 / swept:.0%}")


def _make_people(clinic: Clinic) -> None:
    """People of the clinic with a number and a consent."""
    people = Patient.objects.bulk_create((Patient(name=f"sweep {n}") for n in range(PEOPLE)), batch_size=5000)
    Registration.objects.bulk_create(
        (Registration(patient=p, clinic=clinic, number=f"SW{p.pk}") for p in people), batch_size=5000
    )
    PatientPhone.objects.bulk_create(
        (PatientPhone.build(p, f"1990{n:07d}") for n, p in enumerate(people)), batch_size=5000
    )
    Consent.objects.bulk_create(
        (Consent(patient=p, clinic=clinic, purpose="contact", given=True) for p in people), batch_size=5000
    )


def _sweep() -> None:
    now = timezone.now()
    while send_due(now=now, limit=DUE):
        pass


def _floor(clinic: Clinic) -> float:
    _queue(clinic)
    return seconds(_claim_and_update)


def _claim_and_update() -> None:
    with connection.cursor() as cursor:
        while True:
            cursor.execute(CLAIM, [BATCH])
            ids = [row[0] for row in cursor.fetchall()]
            if not ids:
                return
            cursor.execute(DONE, [ids])


@transaction.atomic
def _clear(clinic: Clinic) -> None:
    with trusted(), connection.cursor() as cursor:
        cursor.execute("DELETE FROM followups_messageevent e USING followups_message m"
                       " WHERE m.id = e.message_id AND m.clinic_id = %s", [clinic.pk])  # fmt: skip
        cursor.execute("DELETE FROM followups_message WHERE clinic_id = %s", [clinic.pk])


def _queue(clinic: Clinic) -> None:
    """Have the same rows due again, in a table without dead ones."""
    _clear(clinic)
    with connection.cursor() as cursor:
        cursor.execute("VACUUM followups_message")
    due = timezone.now() - timedelta(hours=1)
    people = list(Patient.objects.filter(name__startswith="sweep ").values_list("pk", flat=True))
    rows = (
        Message(clinic=clinic, patient_id=people[n % PEOPLE], channel="sms", purpose="care", subject=f"sweep:{n}",
                due_at=due, not_before=due, variables=WORDS)
        for n in range(DUE)
    )  # fmt: skip
    Message.objects.bulk_create(rows, batch_size=5000)
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE followups_message")


def _forget(clinic: Clinic) -> None:
    _clear(clinic)
    with transaction.atomic(), trusted(), connection.cursor() as cursor:
        swept = "patient_id IN (SELECT id FROM patients_patient WHERE name LIKE 'sweep %%')"
        for table in ("patients_consent", "patients_patientphone", "patients_registration"):
            cursor.execute(f"DELETE FROM {table} WHERE {swept}", [])
        cursor.execute("DELETE FROM patients_patient WHERE name LIKE 'sweep %%'", [])
    MessagingSettings.objects.filter(clinic=clinic).delete()
    clinic.delete()
