"""Reminders of appointments: queued when booked, dropped when not expected any more, never in the past."""

from datetime import timedelta

import pytest

from accounts.permissions import Role
from followups.models import Message, MessagingSettings
from followups.services import book, cancel, reminders, restore, sending
from tests.factories import AppointmentFactory, ClinicFactory, UserFactory
from tests.followups.messaging import NOON, person

pytestmark = pytest.mark.django_db
State = Message.State


@pytest.fixture(autouse=True)
def _noon(time_machine):
    time_machine.move_to(NOON, tick=False)


def planned(starts_at, clinic=None):
    clinic = clinic or ClinicFactory()
    appointment = AppointmentFactory(
        clinic=clinic, patient=person(clinic), starts_at=starts_at, ends_at=starts_at + timedelta(minutes=30)
    )
    reminders.plan(appointment)
    return appointment


def due(appointment) -> dict:
    return {m.purpose: m.due_at for m in Message.objects.filter(appointment=appointment, state=State.QUEUED)}


def tomorrow(hour, minute=0):
    return NOON.replace(hour=hour, minute=minute) + timedelta(days=1)


def test_the_day_before_at_six_and_two_hours_before():
    assert due(planned(tomorrow(15))) == {"reminder_day": NOON.replace(hour=18), "reminder_hours": tomorrow(13)}


def test_early_appointments_are_reminded_of_when_the_quiet_hours_end():
    assert due(planned(tomorrow(10)))["reminder_hours"] == tomorrow(9)


def test_nothing_is_queued_for_the_past():
    assert due(planned(NOON + timedelta(hours=1))) == {}
    assert set(due(planned(NOON + timedelta(hours=3)))) == {"reminder_hours"}


def test_the_clinic_chooses_when():
    clinic = ClinicFactory()
    MessagingSettings.objects.create(clinic=clinic, remind_day_at="20:30", remind_hours=0)
    assert due(planned(tomorrow(15), clinic)) == {"reminder_day": NOON.replace(hour=20, minute=30)}
    MessagingSettings.objects.update(remind_day_before=False, remind_hours=4)
    assert due(planned(tomorrow(16), clinic)) == {"reminder_hours": tomorrow(12)}


def test_planning_twice_changes_nothing():
    appointment = planned(tomorrow(15))
    reminders.plan(appointment)
    assert Message.objects.count() == 2


def test_dropping_says_why_and_restoring_takes_them_up_again():
    appointment = planned(tomorrow(15))
    reminders.drop(appointment)
    assert set(Message.objects.values_list("state", "suppressed_reason")) == {("suppressed", "gone")}
    reminders.plan(appointment)
    assert len(due(appointment)) == 2


def test_booking_cancelling_and_restoring_keep_the_reminders_right():
    clinic = ClinicFactory()
    by = UserFactory(clinic=clinic, role=Role.FRONT_DESK)
    doctor = UserFactory(clinic=clinic, role=Role.DOCTOR)
    appointment = book(
        clinic=clinic, patient=person(clinic), doctor=doctor, room=None, kind="recheck", starts_at=tomorrow(15),
        ends_at=tomorrow(16), by=by,
    )  # fmt: skip
    assert len(due(appointment)) == 2
    cancel(appointment=appointment, outcome="cancelled_clinic", reason="停电", by=by)
    assert due(appointment) == {}
    restore(appointment=appointment, by=by)
    assert len(due(appointment)) == 2


def test_the_words_name_patient_time_and_doctor():
    appointment = planned(tomorrow(15))
    sending.send_due(now=NOON.replace(hour=18))
    body = Message.objects.get(purpose="reminder_day").body
    for part in (appointment.patient.name, "11月23日", "15:00", str(appointment.doctor), appointment.clinic.name):
        assert part in body


def test_the_reminder_of_yesterday_evening_is_not_sent_on_the_day():
    planned(tomorrow(15))
    sending.send_due(now=tomorrow(9))
    assert Message.objects.get(purpose="reminder_day").suppressed_reason == "stale"
