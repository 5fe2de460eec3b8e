"""Suggested class changes: made once, answered, not repeated until something happens."""

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from accounts.models import Clinic, User
from followups.services.suggesting import Outdated, accept, dismiss, suggest_changes
from patients.models import ClassSuggestion, Patient
from tests.factories import ClinicFactory, PatientFactory, ReferralFactory, UserFactory, VisitFactory

pytestmark = pytest.mark.django_db
Status = ClassSuggestion.Status


@pytest.fixture
def clinic() -> Clinic:
    return ClinicFactory()


@pytest.fixture
def tc(clinic: Clinic) -> User:
    return UserFactory(clinic=clinic)


def classified(clinic: Clinic, code: str = "C-E", days: int = 30, **facts: Any) -> Patient:
    set_at = timezone.now() - timedelta(days=days)
    return PatientFactory(clinic=clinic, class_code=code, class_set_at=set_at, **({"awareness": 4} | facts))


def came_again(patient: Patient, clinic: Clinic, days: int = 5, **facts: Any) -> None:
    at = timezone.now() - timedelta(days=days)
    facts = {"arrived_at": at, "received_at": at, "stage": "closed", "left_at": at, "is_first": False} | facts
    VisitFactory(clinic=clinic, patient=patient, **facts)


def open_of(patient: Patient) -> list[tuple[str, str]]:
    rows = ClassSuggestion.objects.filter(patient=patient, status=Status.OPEN)
    return list(rows.values_list("old_class", "new_class"))


def test_two_rechecks_with_high_awareness_suggest_the_next_class_once(clinic: Clinic) -> None:
    patient = classified(clinic)
    came_again(patient, clinic)
    came_again(patient, clinic, days=2)
    assert suggest_changes(clinic=clinic) == 1
    assert suggest_changes(clinic=clinic) == 0
    assert open_of(patient) == [("C-E", "C-D")]


def test_visits_before_the_class_was_set_say_nothing(clinic: Clinic) -> None:
    patient = classified(clinic, days=1)
    came_again(patient, clinic, days=5)
    assert suggest_changes(clinic=clinic) == 0


def test_visits_in_error_and_first_visits_say_nothing(clinic: Clinic) -> None:
    patient = classified(clinic)
    came_again(patient, clinic, is_error=True)
    came_again(patient, clinic, is_first=True)
    assert suggest_changes(clinic=clinic) == 0


def test_a_first_effective_referral_suggests_the_highest_class(clinic: Clinic) -> None:
    patient = classified(clinic, code="C-D")
    ReferralFactory(clinic=clinic, referrer=patient, effective_at=timezone.now() - timedelta(hours=1))
    ReferralFactory(clinic=clinic, referrer=classified(clinic, code="C-D"))  # not effective
    assert suggest_changes(clinic=clinic) == 1
    assert open_of(patient) == [("C-D", "C-A")]


def test_a_dismissed_one_waits_for_something_new(clinic: Clinic, tc: User) -> None:
    patient = classified(clinic)
    came_again(patient, clinic)
    suggest_changes(clinic=clinic)
    dismiss(suggestion=ClassSuggestion.objects.get(), by=tc)
    assert suggest_changes(clinic=clinic) == 0
    came_again(patient, clinic, days=-1)  # after it was dismissed
    assert suggest_changes(clinic=clinic) == 1


def test_accepting_sets_the_class_with_the_judgements(clinic: Clinic, tc: User) -> None:
    patient = classified(clinic, trust=3)
    came_again(patient, clinic)
    suggest_changes(clinic=clinic)
    change = accept(suggestion=ClassSuggestion.objects.get(), by=tc)
    patient.refresh_from_db()
    assert (patient.class_code, patient.awareness, patient.trust) == ("C-D", 4, 3)
    assert change.by == tc
    assert ClassSuggestion.objects.get().status == Status.ACCEPTED


def test_answering_twice_or_after_a_change_is_refused(clinic: Clinic, tc: User) -> None:
    patient = classified(clinic)
    came_again(patient, clinic)
    suggest_changes(clinic=clinic)
    suggestion = ClassSuggestion.objects.get()
    Patient.objects.filter(pk=patient.pk).update(class_code="C-C")
    with pytest.raises(Outdated):
        accept(suggestion=suggestion, by=tc)
    suggest_changes(clinic=clinic)
    assert ClassSuggestion.objects.get(pk=suggestion.pk).status == Status.OUTDATED
    with pytest.raises(Outdated):
        dismiss(suggestion=suggestion, by=tc)
