"""What yesterday left undone."""

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from clinic_crm.workbench.gaps import gaps_of
from consultations.models import CheckoutItem, Visit
from consultations.stages import Stage
from tests.factories import AppointmentFactory, ClinicFactory, PatientFactory, VisitFactory

pytestmark = pytest.mark.django_db


@pytest.fixture
def clinic():
    return ClinicFactory()


def ended(clinic: Any, **facts: Any) -> Visit:
    """A visit that ended yesterday with everything done; `facts` take something away."""
    noon = clinic.day_bounds(clinic.today() - timedelta(days=1))[0] + timedelta(hours=12)
    linked = facts.pop("wechat", noon)
    whole = {
        "received_at": noon - timedelta(hours=2),
        "form_completed_at": noon,
        "left_at": noon,
        "decision": "undecided",
        "decided_at": noon,
        "classified_at": noon,
    }
    patient = PatientFactory(clinic=clinic, wechat_linked_at=linked)
    visit = VisitFactory(clinic=clinic, patient=patient, stage=Stage.CLOSED, **(whole | facts))
    if not facts.get("alone"):
        AppointmentFactory(clinic=clinic, patient=patient, doctor=None)
    return visit


def codes(clinic: Any) -> list[str]:
    return [gap.code for gap in gaps_of(clinic, timezone.now())]


def test_a_visit_that_ended_whole_leaves_no_gap(clinic):
    ended(clinic)
    assert codes(clinic) == []


@pytest.mark.parametrize(
    ("facts", "code"),
    [
        ({"wechat": None}, "wechat"),
        ({"classified_at": None}, "classification"),
        ({"form_completed_at": None}, "form"),
    ],
)
def test_each_thing_missing_is_told(clinic, facts, code):
    ended(clinic, **facts)
    assert codes(clinic) == [code]


def test_a_visit_without_a_later_appointment_is_told_with_a_link_that_books_it(clinic):
    visit = ended(clinic)
    visit.patient.appointments.all().update(status="cancelled_patient", holds_slot=False)
    gap = gaps_of(clinic, timezone.now())[0]
    assert gap.code == "next_appointment"
    assert f"patient={visit.patient_id}" in gap.url


def test_who_was_not_asked_to_decide_needs_no_class(clinic):
    ended(clinic, classified_at=None, decision="accepted")
    assert codes(clinic) == []


def test_a_return_visit_needs_no_form(clinic):
    ended(clinic, form_completed_at=None, is_first=False)
    assert codes(clinic) == []


def test_what_a_manager_let_go_is_no_gap(clinic):
    visit = ended(clinic, wechat=None)
    now = timezone.now()
    CheckoutItem.objects.create(visit=visit, code="wechat", waiver_reason="没有微信", waived_at=now)
    assert codes(clinic) == []


def test_only_yesterdays_received_visits_count(clinic):
    today = clinic.day_bounds(clinic.today())[0] + timedelta(minutes=1)
    ended(clinic, wechat=None, left_at=today)
    ended(clinic, wechat=None, left_at=today - timedelta(days=3))
    ended(clinic, wechat=None, received_at=None)
    ended(clinic, wechat=None, is_error=True)
    ended(ClinicFactory(), wechat=None)
    assert codes(clinic) == []


def test_it_is_two_statements_however_many_there_are(clinic, django_assert_num_queries):
    for _number in range(6):
        ended(clinic, wechat=None)
    with django_assert_num_queries(2):
        gap = gaps_of(clinic, timezone.now())[0]
    assert (len(gap.named), gap.more) == (4, 2)
