"""Many people booking one slot at the same moment, with the protection on and, as a control, off."""

from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import datetime, timedelta
from threading import Barrier
from typing import Any

import pytest
from django.db import connection, connections

from accounts.permissions import Role
from followups.errors import BookingError, SlotTaken
from followups.models import Appointment
from followups.services import book, booking
from tests.factories import ClinicFactory, PatientFactory, RoomFactory, UserFactory

PEOPLE = 64
ROUNDS = 5  # bench/booking.py plays a hundred
CONSTRAINTS = ("doctor_not_booked_twice", "room_not_booked_twice")
pytestmark = pytest.mark.django_db(transaction=True)


class Race:
    """So many people at one clinic who all want ten o'clock tomorrow, in one room."""

    def __init__(self, people: int = PEOPLE) -> None:
        self.clinic = ClinicFactory()
        self.by = UserFactory(clinic=self.clinic, role=Role.FRONT_DESK)
        self.doctor = UserFactory(clinic=self.clinic, role=Role.DOCTOR)
        self.room = RoomFactory(clinic=self.clinic)
        self.patients = [PatientFactory(clinic=self.clinic) for _ in range(people)]
        self.starts_at: datetime = self.clinic.day_bounds(self.clinic.today())[1] + timedelta(hours=10)
        self.barrier = Barrier(people)

    def _try(self, patient: Any) -> str:
        try:
            connection.ensure_connection()
            self.barrier.wait(timeout=60)
            book(
                clinic=self.clinic,
                patient=patient,
                doctor=self.doctor,
                room=self.room,
                kind="recheck",
                starts_at=self.starts_at,
                ends_at=self.starts_at + timedelta(minutes=30),
                by=self.by,
            )
        except BookingError as error:
            return type(error).__name__
        else:
            return "won"
        finally:
            connections.close_all()

    def run(self) -> Counter[str]:
        with ThreadPoolExecutor(len(self.patients)) as pool:
            return Counter(pool.map(self._try, self.patients))


@contextmanager
def unguarded(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Take the lock and the constraints away, and put them back."""
    monkeypatch.setattr(booking, "_hold_calendars", lambda doctor, room: None)
    kept = [c for c in Appointment._meta.constraints if c.name in CONSTRAINTS]
    with connection.schema_editor() as editor:
        for constraint in kept:
            editor.remove_constraint(Appointment, constraint)
    try:
        yield
    finally:
        # a truncate is quicker than deletes, which the append-only history would refuse
        with connection.cursor() as cursor:
            cursor.execute("TRUNCATE followups_appointment CASCADE")
        with connection.schema_editor() as editor:
            for constraint in kept:
                editor.add_constraint(Appointment, constraint)


def test_sixty_four_bookings_of_one_slot_have_one_winner_each_round():
    race = Race()
    for played in range(1, ROUNDS + 1):
        assert race.run() == {"won": 1, "SlotTaken": PEOPLE - 1}
        assert Appointment.objects.holding().count() == played
        race.starts_at += timedelta(hours=1)


def test_without_the_protection_more_than_one_wins(monkeypatch):
    """The control: were this to find one winner, the test above would prove nothing."""
    with unguarded(monkeypatch):
        assert Race().run()["won"] > 1


def test_the_constraint_alone_lets_nobody_in_twice(monkeypatch):
    """Without the lock bookings may meet in a deadlock; it is retried and never reaches the person."""
    monkeypatch.setattr(booking, "_hold_calendars", lambda doctor, room: None)
    results = Race(6).run()
    assert results["won"] == 1
    assert set(results) <= {"won", SlotTaken.__name__, "Busy"}
