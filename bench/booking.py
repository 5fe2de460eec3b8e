"""Sixty-four people booking one slot at the same moment, a hundred times over; then once without the protection.

Run by `make bench`. Fails (AssertionError) unless every round has exactly one winner and no deadlock, and unless
the control, with lock and constraints off, has more than one.
"""

import uuid
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import datetime, timedelta
from threading import Barrier
from typing import Any
from unittest import mock

from django.db import connection, connections

from accounts.models import Clinic, Membership, User
from accounts.permissions import Role
from bench.measure import seconds
from followups.errors import BookingError
from followups.models import Appointment, Room
from followups.services import book, booking
from patients.models import Patient, Registration

PEOPLE, ROUNDS, CONTROLS = 64, 100, 3
A_DAY = 8  # rounds on one day, from nine
CONSTRAINTS = ("doctor_not_booked_twice", "room_not_booked_twice")


class Contest:
    """People of a clinic made for it, each with a connection of their own."""

    def __init__(self) -> None:
        mark = uuid.uuid4().hex[:6].upper()
        self.clinic = Clinic.objects.create(code=mark, name=f"抢号测试 {mark}")
        self.by = self._member("前台", Role.FRONT_DESK, mark)
        self.doctor = self._member("医生", Role.DOCTOR, mark)
        self.room = Room.objects.create(clinic=self.clinic, name="1 诊室")
        self.patients = [self._patient(n, mark) for n in range(PEOPLE)]
        self.barrier = Barrier(PEOPLE)

    def _member(self, name: str, role: str, mark: str) -> User:
        user = User.objects.create(username=f"{mark}-{role}".lower(), full_name=name)
        Membership.objects.create(clinic=self.clinic, user=user, role=role)
        return user

    def _patient(self, number: int, mark: str) -> Patient:
        patient = Patient.objects.create(name=f"抢号 {number}", sex="f")
        Registration.objects.create(patient=patient, clinic=self.clinic, number=f"{mark}{number:03}")
        return patient

    def slot(self, played: int) -> datetime:
        """Return the time that a round is about."""
        midnight = self.clinic.day_bounds(self.clinic.today())[1]
        return midnight + timedelta(days=played // A_DAY, hours=9 + played % A_DAY)

    def play(self, rounds: range) -> list[Counter[str]]:
        """Play rounds; returns how the bookings of each ended."""
        with ThreadPoolExecutor(PEOPLE) as pool:
            found = list(pool.map(lambda patient: self._rounds(patient, rounds), self.patients))
        return [Counter(ended) for ended in zip(*found, strict=True)]

    def _rounds(self, patient: Patient, rounds: range) -> list[str]:
        try:
            connection.ensure_connection()
            return [self._try(patient, self.slot(n)) for n in rounds]
        finally:
            connections.close_all()

    def _try(self, patient: Patient, starts_at: datetime) -> str:
        self.barrier.wait(timeout=120)
        ends_at = starts_at + timedelta(minutes=30)
        where: dict[str, Any] = {"clinic": self.clinic, "doctor": self.doctor, "room": self.room}
        try:
            book(patient=patient, kind="recheck", starts_at=starts_at, ends_at=ends_at, by=self.by, **where)
        except BookingError as error:
            return type(error).__name__
        return "won"


@contextmanager
def unguarded() -> Iterator[None]:
    """Take the lock and the constraints away, and put them back; what was booked meanwhile loses its hold."""
    kept = [c for c in Appointment._meta.constraints if c.name in CONSTRAINTS]
    with connection.schema_editor() as editor:
        for constraint in kept:
            editor.remove_constraint(Appointment, constraint)
    try:
        with mock.patch.object(booking, "_hold_calendars"):
            yield
    finally:
        with connection.schema_editor() as editor:
            for constraint in kept:
                editor.add_constraint(Appointment, constraint)


def report() -> None:
    """Print how the rounds ended."""
    contest = Contest()
    ended: list[Counter[str]] = []
    took = seconds(lambda: ended.extend(contest.play(range(ROUNDS))))
    one_winner = {"won": 1, "SlotTaken": PEOPLE - 1}
    held = Appointment.objects.holding().filter(clinic=contest.clinic)
    print(f"\n{PEOPLE} people × {ROUNDS} rounds on one slot: {dict(sum(ended, Counter()))}, {took:.0f} s")
    assert all(one == one_winner for one in ended), "a round without exactly one winner"
    assert held.count() == ROUNDS
    with unguarded():
        control = contest.play(range(ROUNDS, ROUNDS + CONTROLS))
        held.filter(starts_at__gte=contest.slot(ROUNDS)).update(holds_slot=False)
    print(f"control, protection off: winners {[one['won'] for one in control]}")
    assert any(one["won"] > 1 for one in control), "the control found one winner: the rounds above prove nothing"
