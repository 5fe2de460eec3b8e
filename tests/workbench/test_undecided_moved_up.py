"""What moved patients up: who is compared with whom."""

from datetime import timedelta

import pytest
from django.utils import timezone

from clinic_crm.workbench.moved_up import compared
from patients.models import CareAction
from patients.services.care import undo_care
from tests.factories import ClassChangeFactory, ClinicFactory, PatientFactory, UserFactory

pytestmark = pytest.mark.django_db


def test_with_and_without_and_only_real_moves() -> None:
    clinic, now = ClinicFactory(), timezone.now()
    by = UserFactory(clinic=clinic)

    def person(*, up: int | None = None, correction: bool = False, care: int | None = None) -> None:
        """Classified 200 days ago; moved up and cared for so many days ago."""
        patient = PatientFactory(clinic=clinic)
        facts = {"clinic": clinic, "patient": patient, "by": by}
        ClassChangeFactory(**facts, new_class="C-E", at=now - timedelta(days=200))
        if up is not None:
            at = now - timedelta(days=up)
            ClassChangeFactory(**facts, old_class="C-E", new_class="C-D", at=at, is_correction=correction)
        if care is not None:
            CareAction.objects.create(clinic=clinic, patient=patient, kind="tbi", at=now - timedelta(days=care), by=by)

    person(care=190, up=150)
    person(care=190, up=50)  # later than 90 days after
    person(care=190, up=150, correction=True)
    person(care=190)
    person(care=30, up=20)  # not followed for 90 days yet
    person(up=150)
    person()
    undone = PatientFactory(clinic=clinic)
    made = CareAction.objects.create(clinic=clinic, patient=undone, kind="gift", at=now - timedelta(days=100), by=by)
    undo_care(action=made, by=by)
    (row,) = compared(clinic, now)
    assert (row.kind, row.done.n, row.done.up, row.done.percent) == ("tbi", 4, 1, 25)
    assert (row.others.n, row.others.up) == (2, 1)
    assert row.done.is_few


def test_nothing_recorded_compares_nothing() -> None:
    assert compared(ClinicFactory(), timezone.now()) == []
