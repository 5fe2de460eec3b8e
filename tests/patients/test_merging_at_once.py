"""Merges of the same records at the same moment: one wins, the other sees why; and, as a control, without the lock."""

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from typing import Any

import pytest
from django.db import DatabaseError, connection, connections
from django.utils import translation

from accounts.permissions import Role
from clinic_crm.workbench.merging import merge_patients, undo_merge
from patients.errors import Refused
from patients.models import Patient, PatientMerge
from patients.services import merging
from tests.factories import ClinicFactory, PatientFactory, PhoneFactory, TaskFactory, UserFactory

pytestmark = pytest.mark.django_db(transaction=True)
ROUNDS = 4


class Race:
    """Three records and a manager; two merges start together."""

    def __init__(self) -> None:
        self.clinic = ClinicFactory()
        self.by = UserFactory(clinic=self.clinic, role=Role.MANAGER)
        self.a, self.b, self.c = (PatientFactory(clinic=self.clinic) for _ in range(3))
        for number, patient in enumerate((self.a, self.b, self.c)):
            TaskFactory(clinic=self.clinic, patient=patient)
            PhoneFactory(patient=patient, number=f"1990000{number:04d}")
        self.barrier = Barrier(2)

    def _merge(self, pair: tuple[Patient, Patient]) -> str:
        try:
            translation.activate("en")
            connection.ensure_connection()
            self.barrier.wait(timeout=60)
            merge_patients(winner=pair[0], loser=pair[1], clinic=self.clinic, by=self.by)
        except Refused as error:
            return str(error)
        except DatabaseError as error:  # without the lock: a constraint, or a deadlock that PostgreSQL broke
            return type(error).__name__
        else:
            return "won"
        finally:
            connections.close_all()

    def run(self, *pairs: tuple[Patient, Patient]) -> list[str]:
        with ThreadPoolExecutor(2) as pool:
            return sorted(pool.map(self._merge, pairs))


def one_won(said: list[str]) -> bool:
    return said.count("won") == 1 and any("meanwhile" in words for words in said)


def test_each_into_the_other_has_one_winner_and_no_circle():
    for _round in range(ROUNDS):
        race = Race()
        assert one_won(race.run((race.a, race.b), (race.b, race.a)))
        assert Patient.objects.filter(pk__in=[race.a.pk, race.b.pk]).living().count() == 1


def test_one_record_into_two_goes_into_one():
    for _round in range(ROUNDS):
        race = Race()
        assert one_won(race.run((race.a, race.c), (race.b, race.c)))
        assert PatientMerge.objects.filter(loser=race.c).count() == 1


def test_a_merge_and_its_undo_twice_at_once():
    race = Race()
    made = merge_patients(winner=race.a, loser=race.b, clinic=race.clinic, by=race.by)

    def undo(_n: int) -> str:
        try:
            race.barrier.wait(timeout=60)
            undo_merge(merge=made, by=race.by)
        except Refused:
            return "refused"
        else:
            return "undone"
        finally:
            connections.close_all()

    with ThreadPoolExecutor(2) as pool:
        assert sorted(pool.map(undo, range(2))) == ["refused", "undone"]


def test_control_without_the_lock_both_go_through(monkeypatch: Any):
    """Both read before either writes: without waiting for each other each finds the records unmerged."""
    both_read = Barrier(2)

    def unlocked(winner: int, loser: int) -> tuple[Patient, Patient]:
        rows = Patient.objects.in_bulk([winner, loser])
        both_read.wait(timeout=60)
        return rows[winner], rows[loser]

    race = Race()
    monkeypatch.setattr(merging, "_locked", unlocked)
    monkeypatch.setattr(merging, "TRIES", 1)  # a second try would wait for a second reader
    said = race.run((race.a, race.b), (race.b, race.a))
    assert not one_won(said)
