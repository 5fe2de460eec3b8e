"""Who said no gets nothing, by no path; and who speaks for a child."""

from datetime import date, timedelta
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone, translation

from accounts.permissions import Role
from followups.errors import BookingError
from followups.models import Material, Message, MessagePurpose, Task, TaskKind
from followups.services import outbox
from followups.services.consents_said import consents_said
from followups.services.sending import send_due
from followups.services.tasks import create_task
from patients.consent_wordings import CURRENT, WORDINGS, wording
from patients.errors import Refused
from patients.models import Consent, ConsentPurpose
from patients.services import record_consent
from tests.factories import AppointmentFactory, ClinicFactory, ConsentFactory, PatientFactory, UserFactory

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _english():
    """Refusals are matched in the language of the code."""
    with translation.override("en"):
        yield


NOON = "2026-11-25T12:00+08:00"


@pytest.fixture
def clinic():
    return ClinicFactory()


@pytest.fixture
def by(clinic):
    return UserFactory(clinic=clinic, role=Role.COORDINATOR)


@pytest.fixture
def patient(clinic):
    found = PatientFactory(clinic=clinic, phone="19900000001", class_code="C-C")
    for purpose in ("contact", "marketing"):
        ConsentFactory(clinic=clinic, patient=found, purpose=purpose, at=timezone.now() - timedelta(days=9))
    return found


def say_no(patient: Any, clinic: Any, by: Any, purpose: str = "contact") -> None:
    consents_said(patient=patient, clinic=clinic, purpose=purpose, given=False, by=by)


def message(clinic: Any, patient: Any, purpose: str, **more: Any) -> Any:
    values = {"subject": f"{purpose}:1", "due_at": timezone.now(), "nature": "service", "variables": {"text": "x"}}
    return outbox.queue(clinic=clinic, patient=patient, purpose=purpose, **(values | more))


def task(clinic: Any, patient: Any, kind: str, nature: str = "service") -> Any:
    return create_task(
        clinic=clinic, patient=patient, kind=kind, nature=nature, title="x", due_at=timezone.now(), by=None
    )


ADVERTISING = {MessagePurpose.CAMPAIGN: "marketing"}
TO_STAFF = ("digest", "kpi_digest", "alert")
TO_PATIENTS = [purpose for purpose in MessagePurpose.values if purpose not in TO_STAFF]
CONTACTS = [kind for kind in TaskKind.values if kind != TaskKind.RECHECK_PLAN]


@pytest.mark.parametrize("purpose", TO_PATIENTS)
def test_a_message_that_waits_is_suppressed_at_once(clinic, by, patient, purpose):
    queued = message(clinic, patient, purpose, nature=ADVERTISING.get(purpose, "service"))
    say_no(patient, clinic, by)
    queued.refresh_from_db()
    assert (queued.state, queued.suppressed_reason) == ("suppressed", "consent")


@pytest.mark.parametrize("purpose", TO_PATIENTS)
def test_a_message_queued_after_the_no_never_leaves(clinic, by, patient, purpose, time_machine):
    time_machine.move_to(NOON)
    say_no(patient, clinic, by)
    message(clinic, patient, purpose, nature=ADVERTISING.get(purpose, "service"))
    send_due(now=timezone.now() + timedelta(minutes=1))
    assert not Message.objects.filter(patient=patient).exclude(state="suppressed").exists()
    assert not Message.objects.filter(patient=patient, accepted_at__isnull=False).exists()


def test_reminders_of_an_appointment_and_readings_are_suppressed(clinic, by, patient):
    appointment = AppointmentFactory(clinic=clinic, patient=patient)
    material = Material.objects.create(clinic=clinic, kind="case", title="x", body="x")
    message(clinic, patient, MessagePurpose.REMINDER_DAY, appointment=appointment)
    message(clinic, patient, MessagePurpose.MATERIAL, material=material)
    say_no(patient, clinic, by)
    assert not Message.objects.exclude(state="suppressed").exists()


@pytest.mark.parametrize("kind", CONTACTS)
def test_an_open_task_of_every_kind_closes_and_no_new_one_is_made(clinic, by, patient, kind):
    made = task(clinic, patient, kind)
    say_no(patient, clinic, by)
    made.refresh_from_db()
    assert (made.status, made.closed_reason) == (Task.Status.CLOSED, "consent")
    with pytest.raises(BookingError):
        task(clinic, patient, kind)


def test_a_no_to_advertising_leaves_what_care_needs(clinic, by, patient):
    care, ad = task(clinic, patient, "care"), task(clinic, patient, "activity", "marketing")
    mine = message(clinic, patient, MessagePurpose.CARE)
    theirs = message(clinic, patient, MessagePurpose.CARE, subject="ad", nature="marketing")
    say_no(patient, clinic, by, "marketing")
    for row in (care, ad, mine, theirs):
        row.refresh_from_db()
    assert (care.status, ad.status, mine.state, theirs.state) == ("open", "closed", "queued", "suppressed")


# --- wordings and guardians ------------------------------------------------------------------------


def test_every_purpose_has_words_in_every_version():
    for version in WORDINGS:
        assert all(wording(purpose, version) for purpose in ConsentPurpose.values)
    assert CURRENT in WORDINGS


def born(years: int) -> date:
    today = timezone.localdate()
    return date(today.year - years, today.month, min(today.day, 28))


@pytest.mark.parametrize(("years", "needed"), [(13, True), (14, False), (30, False)])
def test_under_fourteen_a_guardian_agrees(clinic, by, years, needed):
    child = PatientFactory(clinic=clinic, birth_date=born(years))
    say = {"patient": child, "clinic": clinic, "purpose": "contact", "by": by}
    if needed:
        with pytest.raises(Refused, match="guardian"):
            record_consent(given=True, **say)
        said = record_consent(given=True, guardian_name="周岚", guardian_relation="母亲", **say)
        assert said.guardian == "周岚 (母亲)"
    else:
        assert record_consent(given=True, **say).guardian == ""


def test_a_no_needs_nobody(clinic, by):
    child = PatientFactory(clinic=clinic, birth_date=born(6))
    assert record_consent(patient=child, clinic=clinic, purpose="contact", given=False, by=by).given is False


def test_the_guardian_in_the_record_is_taken(clinic, by):
    child = PatientFactory(clinic=clinic, birth_date=born(6), guardian_name="周岚", guardian_relation="母亲")
    assert record_consent(patient=child, clinic=clinic, purpose="care", given=True, by=by).guardian == "周岚 (母亲)"


def test_the_form_asks_for_the_guardian_and_shows_who_agreed(clinic, by):
    child = PatientFactory(clinic=clinic, birth_date=born(6))
    client = Client()
    client.force_login(by, backend="allauth.account.auth_backends.AuthenticationBackend")
    address = reverse("patient_consents", args=[child.pk])
    assert "guardian_name" in client.get(address).content.decode()
    refused = client.post(address, {"purpose": "care", "given": "1", "guardian_name": "周岚"})
    assert refused.status_code == 422
    assert "周岚" in refused.content.decode()
    client.post(address, {"purpose": "care", "given": "1", "guardian_name": "周岚", "guardian_relation": "母亲"})
    assert Consent.objects.get().guardian == "周岚 (母亲)"
    assert "周岚 (母亲)" in client.get(address).content.decode()


def test_the_guardians_record_is_chosen_by_search(clinic, by):
    child = PatientFactory(clinic=clinic, birth_date=born(6))
    mother = PatientFactory(clinic=clinic, name="周岚")
    client = Client()
    client.force_login(by, backend="allauth.account.auth_backends.AuthenticationBackend")
    address = reverse("patient_guardian", args=[child.pk])
    assert client.get(address).status_code == 200
    assert "周岚" in client.post(address, {"referrer_q": "周岚"}).content.decode()
    assert client.post(address, {"referrer": mother.pk}).status_code == 422
    assert client.post(address, {"referrer": child.pk, "relation": "母亲"}).status_code == 422
    client.post(address, {"referrer": mother.pk, "relation": "母亲"})
    child.refresh_from_db()
    assert (child.guardian, child.guardian_name, child.guardian_relation) == (mother, "周岚", "母亲")
    assert record_consent(patient=child, clinic=clinic, purpose="care", given=True, by=by).guardian == "周岚 (母亲)"
    client.post(address, {"unlink": "1"})
    child.refresh_from_db()
    assert child.guardian is None
