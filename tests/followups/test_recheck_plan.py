"""Recheck plans: due before the recheck, two people named, missed ones shown."""

from collections.abc import Iterator
from datetime import datetime, timedelta

import pytest
import time_machine
from django.test import Client

from accounts.permissions import Role
from clinic_crm.workbench.gaps import gaps_of
from consultations.models import Visit
from consultations.services.reception import check_in
from consultations.services.rechecks import plan_for
from followups.errors import Refused
from followups.models import Appointment, CalendarSettings, Task, TaskEvent, TaskKind
from followups.services import after
from followups.services.booking import move
from followups.services.classes import set_class
from followups.services.recheck_plans import for_doctor, missing_tomorrow, words_of, write_plan
from tests.factories import AppointmentFactory, ClinicFactory, PatientFactory, UserFactory

NOW = datetime.fromisoformat("2026-11-18T10:42:00+08:00")  # a Wednesday
pytestmark = pytest.mark.django_db


class Desk:
    def __init__(self) -> None:
        self.clinic = ClinicFactory()
        self.tc = UserFactory(clinic=self.clinic)
        self.doctor = UserFactory(clinic=self.clinic, role=Role.DOCTOR)
        self.patient = PatientFactory(clinic=self.clinic, reg_owner=self.tc)

    def classify(self, code: str = "C-C") -> None:
        set_class(patient=self.patient, clinic=self.clinic, code=code, awareness=2, trust=2, by=self.tc)

    def book(self, at: datetime, kind: str = "recheck") -> Appointment:
        given = {"clinic": self.clinic, "patient": self.patient, "doctor": self.doctor, "kind": kind}
        row = AppointmentFactory(starts_at=at, ends_at=at + timedelta(minutes=30), **given)
        after.booked(row, by=self.tc)
        return row

    def plan(self) -> Task:
        return Task.objects.get(kind=TaskKind.RECHECK_PLAN, status="open")


@pytest.fixture
def desk() -> Iterator[Desk]:
    with time_machine.travel(NOW, tick=False):
        yield Desk()


def test_a_recheck_of_a_c_c_patient_asks_for_its_plan_by_noon_the_day_before(desk: Desk) -> None:
    desk.classify()
    desk.book(NOW + timedelta(days=8))
    task = desk.plan()
    assert task.due_at == datetime.fromisoformat("2026-11-25T12:00:00+08:00")
    assert (task.owner, task.doctor) == (desk.tc, desk.doctor)


def test_before_a_holiday_it_is_the_last_day_worked(desk: Desk) -> None:
    CalendarSettings.objects.create(clinic=desk.clinic, closed_on_holidays=True)
    desk.classify()
    desk.book(datetime.fromisoformat("2027-01-02T10:00:00+08:00"))  # after New Year's day
    assert desk.plan().due_at == datetime.fromisoformat("2026-12-31T12:00:00+08:00")


def test_a_class_set_after_booking_asks_for_it_too(desk: Desk) -> None:
    desk.book(NOW + timedelta(days=3))
    assert not Task.objects.filter(kind=TaskKind.RECHECK_PLAN).exists()
    desk.classify()
    assert desk.plan()


def test_booked_for_this_afternoon_it_is_due_at_once(desk: Desk) -> None:
    desk.classify()
    desk.book(NOW + timedelta(hours=5))
    assert desk.plan().due_at == NOW


@pytest.mark.parametrize(("code", "kind"), [("C-E", "recheck"), ("C-C", "treatment")])
def test_others_are_not_asked(desk: Desk, code: str, kind: str) -> None:
    desk.classify(code)
    desk.book(NOW + timedelta(days=3), kind)
    assert not Task.objects.filter(kind=TaskKind.RECHECK_PLAN).exists()


def test_writing_it_needs_words_and_ends_the_task(desk: Desk) -> None:
    desk.classify()
    desk.book(NOW + timedelta(days=1))
    with pytest.raises(Refused):
        write_plan(task=desk.plan(), note="  ", by=desk.doctor)
    task = write_plan(task=desk.plan(), note="看牙周恢复，再讲种植时间", by=desk.doctor)
    assert task.status == Task.Status.DONE
    assert TaskEvent.objects.get(task=task, action="done").detail["note"] == "看牙周恢复，再讲种植时间"


def test_moving_the_appointment_moves_the_plan(desk: Desk) -> None:
    desk.classify()
    old = desk.book(NOW + timedelta(days=2))
    Appointment.objects.filter(pk=old.pk).update(status="moved", holds_slot=False)
    old.refresh_from_db()
    after.freed(old, by=desk.tc)
    desk.book(NOW + timedelta(days=6))
    assert Task.objects.filter(kind=TaskKind.RECHECK_PLAN).count() == 2
    assert desk.plan().due_at == datetime.fromisoformat("2026-11-23T12:00:00+08:00")


def test_a_plan_that_was_written_holds_for_the_appointment_moved_to(desk: Desk) -> None:
    desk.classify()
    old = desk.book(NOW + timedelta(days=2))
    write_plan(task=desk.plan(), note="先看牙周", by=desk.tc)
    move(appointment=old, starts_at=NOW + timedelta(days=6), ends_at=NOW + timedelta(days=6, minutes=30),
         doctor=desk.doctor, by=desk.tc)  # fmt: skip
    assert not Task.objects.filter(kind=TaskKind.RECHECK_PLAN, status="open").exists()


def test_a_plan_of_a_recheck_that_was_kept_does_not_hold_for_the_next(desk: Desk) -> None:
    desk.classify()
    old = desk.book(NOW + timedelta(hours=2))
    write_plan(task=desk.plan(), note="先看牙周", by=desk.tc)
    Appointment.objects.filter(pk=old.pk).update(status="kept")
    desk.book(NOW + timedelta(days=6))
    assert desk.plan()


def test_a_second_appointment_asks_for_a_plan_of_its_own(desk: Desk) -> None:
    desk.classify()
    desk.book(NOW + timedelta(days=2))
    write_plan(task=desk.plan(), note="先看牙周", by=desk.tc)
    desk.book(NOW + timedelta(days=20))
    assert desk.plan()


def test_a_plan_can_be_worded_otherwise_until_the_patient_comes(client: Client, desk: Desk) -> None:
    desk.classify()
    row = desk.book(NOW + timedelta(days=1))
    task = write_plan(task=desk.plan(), note="先看牙周", by=desk.tc)
    first = words_of(task)
    assert first is not None
    client.force_login(desk.doctor)
    address = f"/tasks/{task.pk}/"
    assert f'name="instead_of" value="{first.pk}"' in client.get(address).content.decode()
    assert client.post(f"{address}plan/", {"note": "先拍片", "instead_of": first.pk}).status_code == 302
    assert words_of(task).detail["note"] == "先拍片"
    late = client.post(
        f"{address}plan/", {"note": "我写的别丢", "instead_of": first.pk}
    )  # read before the other's words
    assert late.status_code == 409
    assert "我写的别丢" in late.content.decode()  # what was typed stays
    Appointment.objects.filter(pk=row.pk).update(status="kept")
    last = words_of(task)
    assert client.post(f"{address}plan/", {"note": "太迟", "instead_of": last.pk}).status_code == 409
    assert words_of(task).detail["note"] == "先拍片"


def test_the_plan_is_read_where_the_patient_is_received_and_examined(client: Client, desk: Desk) -> None:
    desk.classify()
    row = desk.book(NOW + timedelta(hours=3))
    write_plan(task=desk.plan(), note="先看牙周，再讲种植时间", by=desk.tc)
    with time_machine.travel(NOW + timedelta(hours=3), tick=False):
        visit = check_in(clinic=desk.clinic, patient=desk.patient, by=desk.tc, appointment=row)
        for user, address in ((desk.tc, visit.get_absolute_url()), (desk.doctor, f"/doctor/{visit.pk}/")):
            client.force_login(user)
            assert "先看牙周，再讲种植时间" in client.get(address).content.decode()
    Visit.objects.filter(pk=visit.pk).update(stage="closed", received_at=visit.arrived_at)
    with time_machine.travel(NOW + timedelta(days=9), tick=False):
        again = check_in(clinic=desk.clinic, patient=desk.patient, by=desk.tc)
        assert plan_for(again) is None  # it was for the visit before


def test_the_doctor_sees_the_weeks_plans_and_the_board_the_missing_ones(desk: Desk) -> None:
    desk.classify()
    desk.book(NOW + timedelta(days=1))
    assert [t.patient for t in for_doctor(clinic=desk.clinic, doctor=desk.doctor, now=NOW)] == [desk.patient]
    assert [t.patient for t in missing_tomorrow(clinic=desk.clinic, now=NOW)] == [desk.patient]
    assert [gap.code for gap in gaps_of(desk.clinic, NOW)] == ["recheck_plan"]
    assert not missing_tomorrow(clinic=desk.clinic, now=NOW - timedelta(days=2))


def test_the_doctor_writes_it_from_the_queue(client: Client, desk: Desk) -> None:
    desk.classify()
    desk.book(NOW + timedelta(days=1))
    client.force_login(desk.doctor)
    address = f"/tasks/{desk.plan().pk}/"
    assert address in client.get("/doctor/", follow=True).content.decode()
    assert client.get(address).status_code == 200
    assert client.post(f"{address}plan/", {"note": ""}).status_code == 422
    assert client.post(f"{address}plan/", {"note": "讲种植"}).status_code == 302
    assert not Task.objects.filter(kind=TaskKind.RECHECK_PLAN, status="open").exists()


def test_another_doctor_does_not(client: Client, desk: Desk) -> None:
    desk.classify()
    desk.book(NOW + timedelta(days=1))
    client.force_login(UserFactory(clinic=desk.clinic, role=Role.DOCTOR))
    assert client.get(f"/tasks/{desk.plan().pk}/").status_code == 404
    assert client.post(f"/tasks/{desk.plan().pk}/plan/", {"note": "x"}).status_code == 404
