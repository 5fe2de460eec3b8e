"""The today board in real browsers: what one does the other sees, and nothing under one's hands is lost."""

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone
from playwright.sync_api import Page, expect

from accounts.permissions import Role
from consultations.models import Visit
from consultations.stages import Stage
from tests.factories import AppointmentFactory, ClinicFactory, PatientFactory, UserFactory, VisitFactory

pytestmark = pytest.mark.django_db(transaction=True)
SOON = 7_000  # milliseconds: asked every 4 s


@pytest.fixture
def clinic():
    return ClinicFactory()


@pytest.fixture
def coordinators(clinic):
    return [UserFactory(clinic=clinic, full_name=name) for name in ("曹素铭", "石瑞彤")]


def visit(clinic: Any, name: str, stage: str = Stage.ARRIVED, **facts: Any) -> Visit:
    usual = {"stage_since": timezone.now() - timedelta(minutes=4)}
    return VisitFactory(clinic=clinic, patient=PatientFactory(clinic=clinic, name=name), stage=stage, **(usual | facts))


def in_column(page: Page, column: str, row: Visit):
    return page.locator(f"#list-{column} #card-{row.pk}")


def test_a_card_received_in_one_browser_moves_in_the_other(clinic, coordinators, open_page):
    row = visit(clinic, "郑一鸣")
    mine, theirs = (open_page(user) for user in coordinators)
    for page in (mine, theirs):
        page.goto("/today/")
        expect(in_column(page, "arrived", row)).to_be_visible()
    mine.locator(f"#do-{row.pk}").click()
    expect(in_column(mine, "reception", row)).to_be_visible()
    expect(in_column(theirs, "reception", row)).to_be_visible(timeout=SOON)
    row.refresh_from_db()
    assert row.coordinator == coordinators[0]


def test_who_comes_second_sees_who_was_first_and_the_board_as_it_is(clinic, coordinators, open_page):
    row = visit(clinic, "郑一鸣")
    mine, theirs = (open_page(user) for user in coordinators)
    theirs.goto("/today/")
    theirs.evaluate("document.getElementById('today').removeAttribute('data-poll')")  # has not seen it yet
    mine.goto("/today/")
    mine.locator(f"#do-{row.pk}").click()
    expect(in_column(mine, "reception", row)).to_be_visible()
    theirs.locator(f"#do-{row.pk}").click()
    expect(theirs.locator("#toasts")).to_contain_text("曹素铭")
    expect(in_column(theirs, "reception", row)).to_be_visible()


def test_refreshing_keeps_scrolling_focus_and_open_dialogs(clinic, coordinators, open_page):
    rows = [visit(clinic, f"患者{number}") for number in range(12)]
    last = visit(clinic, "叶晓彤", Stage.LEAVING, coordinator=coordinators[0], received_at=timezone.now())
    page = open_page(coordinators[0], viewport={"width": 820, "height": 900})
    page.goto("/today/")
    page.evaluate("document.getElementById('board').scrollLeft = 400")
    page.evaluate("document.getElementById('list-arrived').scrollTop = 300")
    page.locator(f"#do-{last.pk}").focus()
    page.evaluate("document.getElementById('board').scrollLeft = 400")
    visit(clinic, "新来的")
    expect(page.locator("#board")).to_contain_text("新来的", timeout=SOON)
    assert page.evaluate("document.getElementById('board').scrollLeft") == pytest.approx(400, abs=12)  # it snaps
    assert page.evaluate("document.getElementById('list-arrived').scrollTop") == 300
    assert page.evaluate("document.activeElement.id") == f"do-{last.pk}"
    expect(page.locator(".htmx-added, .htmx-settling")).to_have_count(0)  # the button just drawn knows its request
    page.keyboard.press("i")
    field = page.locator("dialog[open] input[name=q]")
    field.fill(rows[0].patient.name)
    visit(clinic, "又来一位")
    expect(page.locator("#board")).to_contain_text("又来一位", timeout=SOON)
    expect(field).to_have_value(rows[0].patient.name)


def test_one_tap_checks_in_who_is_expected(clinic, coordinators, open_page):
    now = timezone.now()
    row = AppointmentFactory(clinic=clinic, doctor=None, starts_at=now, ends_at=now + timedelta(minutes=30))
    page = open_page(coordinators[0])
    page.goto("/today/")
    page.locator(f"#in-{row.pk}").click()
    expect(page.locator("#list-arrived")).to_contain_text(row.patient.name)
    expect(page.locator(f"#soon-{row.pk}")).to_have_count(0)


def test_a_walk_in_is_found_and_checked_in_from_the_dialog(clinic, open_page):
    patient = PatientFactory(clinic=clinic, name="沈雨薇")
    page = open_page(UserFactory(clinic=clinic, role=Role.FRONT_DESK))
    page.goto("/today/")
    page.keyboard.press("i")
    page.locator("dialog[open] input[name=q]").fill("沈雨")
    page.locator("dialog[open] .hits button").click()
    expect(page.locator("dialog[open]")).to_have_count(0)
    expect(page.locator("#list-arrived")).to_contain_text(patient.name)


def test_a_phone_shows_one_stage_at_a_time_and_never_scrolls_sideways(clinic, coordinators, open_page):
    here = visit(clinic, "郑一鸣")
    there = visit(clinic, "冯立群", Stage.EXAM, coordinator=coordinators[0], received_at=timezone.now())
    page = open_page(coordinators[0], viewport={"width": 390, "height": 844}, has_touch=True)
    page.goto("/today/")
    expect(in_column(page, "arrived", here)).to_be_visible()
    expect(in_column(page, "exam", there)).to_be_hidden()
    page.locator(".board-stages a").nth(2).click()
    expect(in_column(page, "exam", there)).to_be_visible()
    assert "stage=exam" in page.url
    assert page.evaluate("document.documentElement.scrollWidth <= document.documentElement.clientWidth")


def test_booking_with_one_tap_and_a_taken_time_in_place(clinic, coordinators, open_page):
    doctor = UserFactory(clinic=clinic, role=Role.DOCTOR)
    patient = PatientFactory(clinic=clinic)
    page = open_page(coordinators[0])
    page.goto(f"/appointments/new/?patient={patient.pk}")
    page.locator("#id_doctor").select_option(str(doctor.pk))
    slots = page.locator(".slot")
    expect(slots).to_have_count(3)
    page.locator("#id_purpose").fill("洁牙")
    chosen = page.locator("#times input[name=at]").nth(4)
    clock = chosen.get_attribute("value")
    day = clinic.today() + timedelta(days=1)
    chosen.check(force=True)
    shown = page.locator("#id_day").input_value()
    start = clinic.day_bounds(day.fromisoformat(shown))[0] + timedelta(hours=int(clock[:2]), minutes=int(clock[3:]))
    AppointmentFactory(clinic=clinic, doctor=doctor, starts_at=start, ends_at=start + timedelta(minutes=60))
    page.locator("#times .btn-primary").click()
    expect(page.locator("#times [role=alert]")).to_be_visible()
    expect(page.locator("#id_purpose")).to_have_value("洁牙")
    page.locator("#times [role=alert] + div button, #times .field .btn-accent").first.click()
    page.wait_for_url(f"**/patients/{patient.pk}/")
    assert patient.appointments.get().purpose == "洁牙"
