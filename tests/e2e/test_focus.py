"""By keyboard alone: after everything that is done, the focus stands where the work goes on, never at nothing."""

from datetime import datetime, time, timedelta
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from followups.models import Appointment
from tests.e2e.conftest import House, Opener
from tests.factories import AppointmentFactory, PatientFactory, TaskFactory

pytestmark = pytest.mark.django_db(transaction=True)


def book(house: House, name: str, start: datetime) -> Appointment:
    row: Appointment = AppointmentFactory(
        clinic=house.clinic, patient=PatientFactory(clinic=house.clinic, name=name), doctor=house.doctor,
        starts_at=start, ends_at=start + timedelta(minutes=20), kind="first",
    )  # fmt: skip
    return row


def at(house: House, clock: str, days: int = 1) -> datetime:
    day = house.clinic.today() + timedelta(days=days)
    return datetime.combine(day, time.fromisoformat(clock), house.clinic.tz)


def focused(page: Page) -> Any:
    return page.locator(":focus")


def test_checking_in_goes_on_to_the_next_patient_and_u_comes_back(
    house: House, open_page: Opener, time_machine: Any
) -> None:
    day = house.clinic.today() + timedelta(days=1)
    time_machine.move_to(datetime.combine(day, time(9, 30), house.clinic.tz))
    first, second = book(house, "季雨桐", at(house, "09:50", 0)), book(house, "陶晓蕾", at(house, "10:10", 0))
    page = open_page(house.desk)
    page.goto("/today/")
    page.locator(f"#in-{first.pk}").focus()
    page.keyboard.press("Enter")
    expect(page.locator("#toasts")).to_contain_text("季雨桐")
    expect(page.locator(f"#in-{first.pk}")).to_have_count(0)
    expect(focused(page)).to_have_text("陶晓蕾")  # a link: Enter pressed again checks nobody in
    page.keyboard.press("u")
    expect(page.locator(f"#in-{first.pk}")).to_be_focused()
    assert not Appointment.objects.filter(pk__in=[first.pk, second.pk], status="kept").exists()


def test_what_opened_a_dialog_has_the_focus_again_once_it_closes(house: House, open_page: Opener) -> None:
    row = book(house, "季雨桐", at(house, "10:00"))
    page = open_page(house.desk)
    page.goto(f"/appointments/?day={at(house, '10:00').date().isoformat()}")
    block = page.locator(f"#a-{row.pk}")
    block.focus()
    page.keyboard.press("Enter")
    expect(page.locator("#appointment :focus")).to_have_count(1)  # it is open: from now on it has the focus
    page.locator("#appointment a[href$='/cancel/']").focus()
    page.keyboard.press("Enter")
    expect(page.locator("#cancel")).to_be_visible()  # took the place of the first
    page.keyboard.press("Escape")
    expect(block).to_be_focused()
    page.goto("/patients/")
    page.keyboard.press("n")
    expect(page.locator("#add-form [name=name]")).to_be_focused()
    page.keyboard.press("Escape")
    expect(page.locator(".topbar-new")).to_be_focused()


def test_a_booked_time_has_the_focus_in_the_calendar(house: House, open_page: Opener) -> None:
    patient = PatientFactory(clinic=house.clinic, name="叶慕白")
    day = at(house, "10:00").date().isoformat()
    where = f"doctor={house.doctor.pk}&day={day}&at=10:00&patient={patient.pk}&next=/appointments/%3Fday%3D{day}"
    page = open_page(house.desk)
    page.goto(f"/appointments/new/?{where}")
    page.locator("#booking .btn-primary").focus()
    page.keyboard.press("Enter")
    expect(page.locator("#toasts")).to_contain_text("已约")
    expect(page.locator(f"#a-{Appointment.objects.get().pk}")).to_be_focused()


def test_a_task_opened_from_its_row_goes_on_in_the_panel(house: House, open_page: Opener) -> None:
    patient = PatientFactory(clinic=house.clinic, name="林书瑶")
    TaskFactory(clinic=house.clinic, patient=patient, owner=house.coordinator, script="{surname}{title}您好。")
    page = open_page(house.coordinator)
    page.goto("/tasks/?scope=all")
    page.locator(".row-link").first.focus()
    page.keyboard.press("Enter")
    expect(page.locator(".task-panel")).to_be_focused()
    page.keyboard.press("1")
    expect(page.locator("#toasts")).to_contain_text("林书瑶")
    page.keyboard.press("u")
    expect(page.locator(".task-panel")).to_be_focused()
    assert "scope=all" in page.url  # the list stays as it was filtered


def test_leaving_the_search_goes_back_to_what_one_was_at(house: House, open_page: Opener) -> None:
    page = open_page(house.desk)
    page.goto("/patients/")
    link = page.locator(".rail-item").nth(1)
    link.focus()
    page.keyboard.press("/")
    page.keyboard.type("陶")
    page.keyboard.press("Escape")
    expect(link).to_be_focused()
