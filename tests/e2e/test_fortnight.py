"""A C-E patient thinks it over for a fortnight: tasks, reminders, and the way back, day by day."""

from datetime import date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from django.core.cache import cache
from playwright.sync_api import Page, expect

from consultations.models import Visit
from followups import jobs
from followups.models import Appointment, Message, Task, TaskKind, WorkingHours
from patients.models import Patient
from tests.consultations.clinical import Room
from tests.e2e.conftest import House, Opener, act, pick
from tests.factories import ConsentFactory, PatientFactory

pytestmark = pytest.mark.django_db(transaction=True)
ZONE = ZoneInfo("Asia/Shanghai")
MONDAY = datetime(2026, 11, 23, 10, 0, tzinfo=ZONE)
HOURS = ("09:05", "12:05", "14:05", "16:35", "18:05", "20:05")


class Here(Room):
    """The clinic of the browser tests, for the services that bring a visit to its decision."""

    def __init__(self, house: House) -> None:
        self.clinic, self.tc, self.doctor = house.clinic, house.coordinator, house.doctor


@pytest.fixture
def patient(house: House) -> Patient:
    found: Patient = PatientFactory(clinic=house.clinic, name="邵文若", sex="m", phone="19900002265")
    ConsentFactory(clinic=house.clinic, patient=found, purpose="contact")
    return found


def thinks_it_over(tc: Page, visit: Visit) -> None:
    """The patient wants to think; the coordinator books the recheck that is suggested, and lets them go."""
    tc.goto(f"/visits/{visit.pk}/?stage=decision")
    pick(tc, "decision", "undecided")
    tc.locator("[name=obstacle]").fill("想和家里商量")
    tc.get_by_role("button", name="记下决定").click()
    tc.locator("#item-next_appointment button[name=slot]").first.click()
    expect(tc.locator("#item-next_appointment")).to_have_count(0)
    for code in ("recheck_plan", "tbi", "wechat"):
        tc.locator(f"#item-{code} form").first.get_by_role("button").first.click()
        expect(tc.locator(f"#item-{code}")).to_have_count(0)
    tc.locator("#item-word_of_mouth button[value=declined]").click()
    tc.locator("form[action$='/close/'] button").click()
    expect(tc.locator("#today-panels")).to_contain_text("邵文若")


def beat(now: datetime) -> None:
    """What the workers do by themselves around `now`."""
    jobs.run_due(now=now)
    for name in jobs.SENDING:
        jobs.run(name, now=now)


def due(house: House, now: datetime) -> Any:
    return Task.objects.for_clinic(house.clinic).filter(status=Task.Status.OPEN, due_at__lte=now)


def contact(tc: Page, task: Task) -> None:
    """The coordinator works through what is due: reads the words, logs the contact with one key."""
    tc.goto("/tasks/")
    tc.keyboard.press("j")
    panel = tc.locator(".task-panel")
    expect(panel).to_contain_text("邵文若")
    expect(panel.locator("[id^=words-]").first).to_contain_text("邵先生您好")
    expect(panel).to_contain_text(task.title)
    with tc.expect_navigation():
        tc.keyboard.press("1")
    expect(tc.locator("#toasts .toast")).to_contain_text("邵文若")
    tc.close()


def live_until(last: date, house: House, open_page: Opener, clock: Any) -> list[tuple[int, str]]:
    """Let the days pass; return after how many days which contact was made."""
    made: list[tuple[int, str]] = []
    day = MONDAY.date()
    while day <= last:
        for hour in HOURS:
            now = datetime.combine(day, datetime.strptime(hour, "%H:%M").time(), ZONE)
            if now <= MONDAY + timedelta(hours=1) or (day == last and now.hour > 12):
                continue
            clock.move_to(now)
            beat(now)
            for task in due(house, now).filter(owner=house.coordinator):
                contact(open_page(house.coordinator), task)
                made.append(((day - MONDAY.date()).days, task.title))
        day += timedelta(days=1)
    return made


def comes_back(house: House, open_page: Opener, appointment: Appointment) -> Visit:
    """The front desk sees the patient among those expected and checks them in; the coordinator receives them."""
    desk, tc = open_page(house.desk), open_page(house.coordinator)
    desk.goto("/today/")
    act(desk, f"/appointments/{appointment.pk}/check-in/").first.click()
    expect(desk.locator("#list-arrived")).to_contain_text("邵文若")
    tc.goto("/today/")
    card = tc.locator("#list-arrived .board-card", has_text="邵文若")
    expect(card).not_to_contain_text("初诊")
    card.get_by_role("button", name="接待").click()
    expect(tc.locator("#list-reception")).to_contain_text("邵文若")
    return Visit.objects.latest("id")


def test_an_undecided_patient_is_kept_in_touch_with_and_comes_back(
    house: House, open_page: Opener, patient: Patient, time_machine: Any
) -> None:
    time_machine.move_to(MONDAY)
    cache.clear()
    here = Here(house)
    for weekday in range(7):  # afternoons, so that two hours before is no quiet hour
        WorkingHours.objects.create(
            clinic=house.clinic, doctor=house.doctor, weekday=weekday, opens=time(14), closes=time(18)
        )
    first, _plan = here.explaining(
        here.acknowledged(
            here.sent(here.visit("handoff", "pain", patient=patient, route="doctor_first"), class_code="C-E")
        )
    )
    Visit.objects.filter(pk=first.pk).update(explained_points=["price", "time", "pain", "alternatives"])
    tc = open_page(house.coordinator)
    thinks_it_over(tc, first)
    tc.close()
    patient.refresh_from_db()
    assert patient.class_code == "C-E"
    recheck = Appointment.objects.get(patient=patient)
    assert recheck.starts_at.date() == (MONDAY + timedelta(days=14)).date()

    contacts = live_until(recheck.starts_at.astimezone(ZONE).date(), house, open_page, time_machine)
    assert contacts == [(1, "首次问候"), (7, "刷牙指导后第 7 天")]
    assert not Task.objects.filter(patient=patient, kind=TaskKind.BOOK_RECHECK, status=Task.Status.OPEN).exists()
    reminders = Message.objects.filter(appointment=recheck, patient=patient).order_by("due_at")
    assert [(m.purpose, m.state) for m in reminders] == [
        ("reminder_day", Message.State.ACCEPTED),
        ("reminder_hours", Message.State.ACCEPTED),
    ]

    time_machine.move_to(recheck.starts_at - timedelta(minutes=10))
    second = comes_back(house, open_page, recheck)
    recheck.refresh_from_db()
    assert recheck.status == Appointment.Status.KEPT
    assert (second.is_first, second.consultation_id) == (False, first.consultation_id)
    assert second.received_at is not None
