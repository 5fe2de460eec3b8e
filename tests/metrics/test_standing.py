"""PostgreSQL keeps how patients stand in their classes: always what the append-only facts say."""

from datetime import UTC, date, datetime, timedelta

import pytest
import time_machine
from django.db import connection

from accounts.permissions import Role
from accounts.windows import Window
from clinic_crm.demo.history import trusted
from clinic_crm.workbench.merging import merge_patients, undo_merge
from consultations.models import Consultation, Refund, Visit
from metrics.counting import figures
from metrics.models import Standing
from metrics.scope import Scope
from metrics.services import standing
from patients.models import ClassChange
from tests.factories import ClinicFactory, PatientFactory, UserFactory
from tests.metrics.standings import EVER, both_ways, kept, told

pytestmark = pytest.mark.django_db
START = datetime(2026, 3, 2, 2, tzinfo=UTC)


@pytest.fixture
def clinic():
    return ClinicFactory(zone="Asia/Shanghai")


def classify(patient, clinic, days, code, **values):
    return ClassChange.objects.create(
        clinic=clinic, patient=patient, new_class=code, at=START + timedelta(days=days), **values
    )


def accept(patient, clinic, days):
    at = START + timedelta(days=days)
    case = Consultation.objects.create(clinic=clinic, patient=patient, opened_at=at)
    return Visit.objects.create(
        clinic=clinic, patient=patient, consultation=case, arrived_at=at, received_at=at, decided_at=at, left_at=at,
        decision="accepted", decision_amount=100, stage="closed",
    )  # fmt: skip


def of(change):
    return Standing.objects.get(pk=change.pk)


def test_a_change_holds_until_the_next_one_and_the_last_one_for_ever(clinic):
    patient = PatientFactory(clinic=clinic)
    first, second = classify(patient, clinic, 0, "C-E"), classify(patient, clinic, 5, "C-D")
    assert (of(first).until, of(first).is_last) == (second.at, False)
    assert (of(second).until, of(second).is_last, of(second).is_first) == (EVER, True, False)
    between = classify(patient, clinic, 2, "C-C")
    assert of(first).until == between.at
    assert of(between).until == second.at
    assert kept() == told()


def test_acceptance_ends_a_standing_until_all_is_paid_back(clinic):
    patient = PatientFactory(clinic=clinic)
    change = classify(patient, clinic, 0, "C-E")
    visit = accept(patient, clinic, 3)
    assert of(change).until == of(change).accepted_at == visit.decided_at
    values = {"clinic": clinic, "consultation": visit.consultation, "amount": 100, "is_full": True}
    back = Refund.objects.create(**values, at=visit.decided_at + timedelta(days=1))
    assert of(change).until == EVER
    Refund.objects.create(**values, at=visit.decided_at + timedelta(days=2), cancels=back)
    assert of(change).until == visit.decided_at
    Visit.objects.filter(pk=visit.pk).update(is_error=True)
    assert (of(change).until, of(change).accepted_at) == (EVER, None)
    assert kept() == told()


def test_whoever_has_changes_in_two_clinics_is_not_ended_by_acceptance_in_one(clinic):
    patient, other = PatientFactory(clinic=clinic), ClinicFactory()
    change = classify(patient, clinic, 0, "C-E")
    accept(patient, clinic, 3)
    assert of(change).until < EVER
    classify(patient, other, 9, "C-D")
    assert (of(change).until, of(change).elsewhere) == (EVER, True)
    assert kept() == told()
    assert both_ways([clinic, other]) == []


def test_merging_takes_standings_along_and_undoing_brings_them_back(clinic):
    boss = UserFactory(role=Role.ADMIN, clinic=clinic)
    one, two = PatientFactory(clinic=clinic), PatientFactory(clinic=clinic)
    mine, theirs = classify(one, clinic, 0, "C-E"), classify(two, clinic, 4, "C-D")
    accept(two, clinic, 6)
    before = kept()
    with time_machine.travel(START + timedelta(days=8), tick=False):
        merge = merge_patients(winner=one, loser=two, clinic=clinic, by=boss, choices={"class_code": "winner"})
    assert of(mine).until == theirs.at
    assert of(theirs).patient_id == one.pk
    assert kept() == told()
    with time_machine.travel(START + timedelta(days=9), tick=False):
        undo_merge(merge=merge, by=boss)
    assert kept() == told() == before


def test_rows_copied_in_past_the_triggers_are_told_by_a_rebuild(clinic):
    patient = PatientFactory(clinic=clinic)
    with trusted():
        classify(patient, clinic, 0, "C-E")
    assert kept() == []
    assert standing.rebuild() == 1
    assert kept() == told() != []


def test_who_accepted_long_ago_costs_a_later_window_nothing(clinic):
    for _n in range(3):
        patient = PatientFactory(clinic=clinic)
        classify(patient, clinic, 0, "C-E")
        accept(patient, clinic, 1)
    scope, later = Scope((clinic,)), Window(date(2026, 4, 1), date(2026, 5, 1))
    assert figures(scope, later)[None][1].denominator == 0
    start = clinic.day_bounds(later.start)[0]
    assert not Standing.objects.filter(clinic=clinic, until__gte=start).exists()
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM metrics_standing")
        assert cursor.fetchone() == (3,)
