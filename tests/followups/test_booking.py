"""Booking, moving, confirming and cancelling."""

from datetime import datetime, time, timedelta
from typing import Any

import pytest
import time_machine
from django.db import OperationalError

from accounts.models import Clinic
from accounts.permissions import Role
from followups.errors import Busy, Outdated, Refused, SlotTaken
from followups.models import Appointment, AppointmentChange
from followups.services import book, booking, cancel, confirm, free_slots, move, restore, suggest_slots
from tests.factories import AppointmentFactory, ClinicFactory, PatientFactory, RoomFactory, UserFactory

pytestmark = pytest.mark.django_db
NOW = datetime.fromisoformat("2026-11-18T10:42:00+08:00")
Status = Appointment.Status


@pytest.fixture(autouse=True)
def _at_work():
    with time_machine.travel(NOW, tick=False):
        yield


class Desk:
    """A clinic with a doctor, a room and somebody who books."""

    def __init__(self) -> None:
        self.clinic: Clinic = ClinicFactory()
        self.doctor = UserFactory(clinic=self.clinic, role=Role.DOCTOR)
        self.room = RoomFactory(clinic=self.clinic)
        self.by = UserFactory(clinic=self.clinic, role=Role.FRONT_DESK)

    def at(self, clock: str, days: int = 1) -> datetime:
        day = self.clinic.today() + timedelta(days=days)
        return datetime.combine(day, time.fromisoformat(clock), self.clinic.tz)

    def book(self, clock: str = "10:00", minutes: int = 30, **over: Any) -> Appointment:
        starts_at = over.pop("starts_at", None) or self.at(clock, over.pop("days", 1))
        given = {
            "clinic": self.clinic,
            "patient": over.pop("patient", None) or PatientFactory(clinic=self.clinic),
            "doctor": self.doctor,
            "room": self.room,
            "kind": "recheck",
            "starts_at": starts_at,
            "ends_at": starts_at + timedelta(minutes=minutes),
            "by": self.by,
        }
        return book(**(given | over))


@pytest.fixture
def desk() -> Desk:
    return Desk()


def test_booking_keeps_who_booked_and_holds_the_slot(desk):
    row = desk.book(purpose="种植复查")
    assert (row.status, row.holds_slot, row.purpose) == (Status.BOOKED, True, "种植复查")
    change = row.changes.get()
    assert (change.old_status, change.new_status, change.by) == ("", Status.BOOKED, desk.by)


def test_a_taken_doctor_says_so_and_names_the_nearest_free_times(desk):
    desk.book("10:00", room=None)
    with pytest.raises(SlotTaken) as taken:
        desk.book("10:00", room=None)
    assert taken.value.whose == "doctor"
    assert [s.starts_at.astimezone(desk.clinic.tz).strftime("%H:%M") for s in taken.value.nearest] == [
        "09:00", "09:30", "10:30",
    ]  # fmt: skip


def test_a_taken_room_is_told_as_the_room(desk):
    desk.book()
    with pytest.raises(SlotTaken) as taken:
        desk.book(doctor=UserFactory(clinic=desk.clinic, role=Role.DOCTOR))
    assert taken.value.whose == "room"


def test_back_to_back_appointments_do_not_overlap(desk):
    desk.book("10:00", 30)
    desk.book("10:30", 30)
    desk.book("09:30", 30)
    assert Appointment.objects.count() == 3


def test_the_doctor_is_held_across_clinics(desk):
    other = Desk()
    UserFactory._meta.model.objects.get(pk=desk.doctor.pk).memberships.create(clinic=other.clinic, role=Role.DOCTOR)
    desk.book("10:00")
    with pytest.raises(SlotTaken):
        other.book("10:00", doctor=desk.doctor)


@pytest.mark.parametrize(
    ("over", "field"),
    [
        ({"days": -1}, "at"),
        ({"minutes": 0}, "minutes"),
        ({"minutes": -30}, "minutes"),
        ({"minutes": 9 * 60}, "minutes"),
        ({"doctor": None, "room": None}, "doctor"),
    ],
)
def test_senseless_times_are_refused(desk, over, field):
    with pytest.raises(Refused) as refused:
        desk.book(**over)
    assert refused.value.field == field
    assert not Appointment.objects.exists()


def test_people_of_another_clinic_are_refused(desk):
    other = Desk()
    for over in (
        {"patient": PatientFactory(clinic=other.clinic)},
        {"doctor": other.doctor},
        {"room": other.room},
        {"doctor": desk.by},
    ):
        with pytest.raises(Refused):
            desk.book(**over)


def test_a_patient_cannot_be_in_two_places(desk):
    first = desk.book("10:00")
    with pytest.raises(Refused, match="10:00"):
        desk.book("10:15", patient=first.patient, doctor=UserFactory(clinic=desk.clinic, role=Role.DOCTOR), room=None)


def test_moving_keeps_the_old_row_and_frees_its_slot(desk):
    old = desk.book("10:00", purpose="洁牙")
    new = move(
        appointment=old,
        starts_at=desk.at("10:15"),
        ends_at=desk.at("10:45"),
        doctor=desk.doctor,
        room=desk.room,
        by=desk.by,
    )
    old.refresh_from_db()
    assert (old.status, old.holds_slot) == (Status.MOVED, False)
    assert (new.moved_from, new.purpose, new.status) == (old, "洁牙", Status.BOOKED)
    desk.book("09:45", 30)


def test_a_move_to_a_taken_time_changes_nothing(desk):
    desk.book("11:00")
    old = desk.book("10:00")
    with pytest.raises(SlotTaken):
        move(
            appointment=old,
            starts_at=desk.at("11:00"),
            ends_at=desk.at("11:30"),
            doctor=desk.doctor,
            room=None,
            by=desk.by,
        )
    old.refresh_from_db()
    assert (old.status, old.holds_slot, old.changes.count()) == (Status.BOOKED, True, 1)


def test_cancelling_frees_the_slot_and_needs_a_reason(desk):
    row = desk.book()
    with pytest.raises(Refused):
        cancel(appointment=row, outcome=Status.CANCELLED_PATIENT, reason=" ", by=desk.by)
    cancel(appointment=row, outcome=Status.CANCELLED_PATIENT, reason="天气", by=desk.by)
    desk.book()
    assert AppointmentChange.objects.filter(appointment=row, reason="天气").exists()


def test_what_was_cancelled_is_not_confirmed_or_cancelled_again(desk):
    row = desk.book()
    cancel(appointment=row, outcome=Status.CANCELLED_CLINIC, reason="医生外出", by=desk.by)
    for again in (
        lambda: confirm(appointment=row, by=desk.by),
        lambda: cancel(appointment=row, outcome=Status.ERROR, reason="重复", by=desk.by),
        lambda: move(appointment=row, starts_at=desk.at("15:00"), ends_at=desk.at("16:00"), room=desk.room, by=desk.by),
    ):
        with pytest.raises(Outdated):
            again()


def test_confirming_twice_is_one_change(desk):
    row = desk.book()
    confirm(appointment=row, by=desk.by)
    confirm(appointment=row, by=desk.by)
    assert row.changes.count() == 2


def test_no_show_is_said_only_once_its_time_has_come(desk):
    row = desk.book("10:00")
    with pytest.raises(Refused):
        cancel(appointment=row, outcome=Status.NO_SHOW, reason="联系不上", by=desk.by)
    with time_machine.travel(desk.at("10:40")):
        row = cancel(appointment=row, outcome=Status.NO_SHOW, reason="联系不上", by=desk.by)
    assert (row.status, row.holds_slot) == (Status.NO_SHOW, True)


def test_a_cancellation_is_taken_back_while_the_time_is_still_free(desk):
    row = desk.book()
    cancel(appointment=row, outcome=Status.CANCELLED_PATIENT, reason="天气", by=desk.by)
    assert restore(appointment=row, by=desk.by).status == Status.BOOKED
    cancel(appointment=row, outcome=Status.CANCELLED_PATIENT, reason="天气", by=desk.by)
    desk.book()
    with pytest.raises(SlotTaken):
        restore(appointment=row, by=desk.by)


class Deadlock(Exception):
    pgcode = "40P01"


def _deadlock() -> OperationalError:
    error = OperationalError("deadlock detected")
    error.__cause__ = Deadlock()
    return error


def test_a_deadlock_is_tried_again(desk, monkeypatch):
    real, calls = booking._hold_calendars, []

    def first_fails(*args: Any) -> None:
        calls.append(1)
        if len(calls) == 1:
            raise _deadlock()
        real(*args)

    monkeypatch.setattr(booking, "_hold_calendars", first_fails)
    assert desk.book().pk
    assert len(calls) == 2


def test_endless_deadlocks_end_in_words(desk, monkeypatch):
    def fails(*args: Any) -> None:
        raise _deadlock()

    monkeypatch.setattr(booking, "_hold_calendars", fails)
    monkeypatch.setattr(booking.time, "sleep", lambda seconds: None)
    with pytest.raises(Busy):
        desk.book()


def test_free_times_leave_out_what_is_booked_and_past(desk, django_assert_num_queries):
    desk.book(minutes=60, starts_at=desk.at("11:00", 0))
    with django_assert_num_queries(2):
        found = free_slots(
            clinic=desk.clinic, doctor=desk.doctor, start=desk.clinic.today(), length=timedelta(minutes=30)
        )
    clocks = [slot.starts_at.strftime("%H:%M") for slot in found]
    assert clocks[0] == "12:00"
    assert clocks[-1] == "17:30"


def test_a_recheck_is_suggested_from_a_week_on_within_the_preferred_hours(desk):
    patient = PatientFactory(clinic=desk.clinic, call_from=time(14), call_to=time(17))
    found = suggest_slots(clinic=desk.clinic, patient=patient, doctor=desk.doctor, kind="recheck")
    assert [slot.starts_at.strftime("%d %H:%M") for slot in found] == ["25 14:00", "25 15:00", "26 14:00"]


def test_a_first_visit_is_suggested_today(desk):
    patient = PatientFactory(clinic=desk.clinic)
    found = suggest_slots(clinic=desk.clinic, patient=patient, doctor=desk.doctor, kind="first")
    assert [slot.starts_at.strftime("%d %H:%M") for slot in found] == ["18 11:00", "18 12:00", "19 09:00"]


def test_moving_offers_the_time_that_the_appointment_itself_holds(desk):
    row = AppointmentFactory(clinic=desk.clinic, doctor=desk.doctor, starts_at=desk.at("10:00"))
    given = {
        "clinic": desk.clinic,
        "doctor": desk.doctor,
        "start": desk.at("10:00").date(),
        "length": timedelta(minutes=30),
    }
    assert desk.at("10:00") not in [slot.starts_at for slot in free_slots(**given)]
    assert desk.at("10:00") in [slot.starts_at for slot in free_slots(**given, but=row.pk)]
