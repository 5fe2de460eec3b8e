"""The calendar in real browsers: dragging, keys, two people at once, and a phone."""

import re
from datetime import datetime, time, timedelta
from typing import Any

import pytest
from playwright.sync_api import Locator, Page, expect

from followups.models import Appointment, WaitingEntry
from tests.e2e.conftest import PHONE, SOON, House, Opener
from tests.factories import AppointmentFactory, PatientFactory

pytestmark = pytest.mark.django_db(transaction=True)
WIDE = {"width": 1440, "height": 1000}


class Calendar:
    """Tomorrow in the clinic, so that no time is past."""

    def __init__(self, house: House) -> None:
        self.house = house
        self.doctors = [house.doctor, house.person("doctor", "徐梦琪")]
        self.day = house.clinic.today() + timedelta(days=1)
        self.url = f"/appointments/?day={self.day.isoformat()}&view=day"

    def at(self, clock: str) -> datetime:
        return datetime.combine(self.day, time.fromisoformat(clock), self.house.clinic.tz)

    def row(self, name: str, clock: str, doctor: int = 0, minutes: int = 60) -> Appointment:
        start = self.at(clock)
        patient = PatientFactory(clinic=self.house.clinic, name=name)
        return AppointmentFactory(
            clinic=self.house.clinic, patient=patient, doctor=self.doctors[doctor], starts_at=start,
            ends_at=start + timedelta(minutes=minutes), kind="treatment",
        )  # fmt: skip


@pytest.fixture
def calendar(house: House) -> Calendar:
    return Calendar(house)


def block(page: Page, row: Any) -> Locator:
    return page.locator(f"#a-{row.pk}")


def spot(page: Page, calendar: Calendar, clock: str, doctor: int = 0) -> tuple[float, float]:
    """Where a time of a doctor's column lies on the screen."""
    x, y = page.evaluate(
        """([col, minutes]) => {
          const grid = document.getElementById("cal-grid");
          const box = grid.querySelector(`[data-col="${col}"] [data-cal-rows]`).getBoundingClientRect();
          const top = Number(grid.dataset.top), bottom = Number(grid.dataset.bottom);
          return [box.left + box.width / 2, box.top + ((minutes - top) / (bottom - top)) * box.height];
        }""",
        [calendar.doctors[doctor].pk, calendar.at(clock).hour * 60 + calendar.at(clock).minute],
    )
    return x, y


def drag(page: Page, source: Locator, target: tuple[float, float]) -> None:
    """Take a block near its upper edge and let it go so that it begins at the target."""
    box = source.bounding_box()
    assert box is not None
    page.mouse.move(box["x"] + min(40, box["width"] / 2), box["y"] + 4)
    page.mouse.down()
    page.mouse.move(box["x"] + 60, box["y"] + 20, steps=3)
    page.mouse.move(target[0], target[1] + 4, steps=6)


def test_a_drag_moves_an_appointment_and_undo_takes_it_back(calendar: Calendar, open_page: Opener) -> None:
    row = calendar.row("温若兰", "10:00")
    page = open_page(calendar.house.desk, viewport=WIDE)
    page.goto(calendar.url)
    drag(page, block(page, row), spot(page, calendar, "11:30", doctor=1))
    expect(page.locator(".cal-ghost")).to_contain_text("11:30")
    expect(block(page, row)).to_have_class(re.compile("is-moving"))  # keeps its old place until saved
    page.mouse.up()
    expect(page.locator("#toasts")).to_contain_text("温若兰")
    new = Appointment.objects.get(moved_from=row)
    assert (new.starts_at, new.ends_at, new.doctor) == (calendar.at("11:30"), calendar.at("12:30"), calendar.doctors[1])
    expect(page.locator(f"[data-col='{calendar.doctors[1].pk}'] #a-{new.pk}")).to_be_visible()
    page.locator("#toasts form button").click()
    expect(block(page, row)).to_be_visible()
    row.refresh_from_db()
    assert row.status == Appointment.Status.BOOKED


def test_a_drop_on_a_taken_time_snaps_back_with_the_nearest_times(calendar: Calendar, open_page: Opener) -> None:
    row, other = calendar.row("温若兰", "10:00"), calendar.row("吴桂芳", "14:00")
    page = open_page(calendar.house.desk, viewport=WIDE)
    page.goto(calendar.url)
    drag(page, block(page, row), spot(page, calendar, "14:00"))
    expect(page.locator(".cal-ghost.is-taken")).to_be_visible()
    page.mouse.up()
    dialog = page.locator("#refused")
    expect(dialog).to_be_visible()
    expect(page.locator(".cal-ghost")).to_have_count(0)
    row.refresh_from_db()
    assert row.status == Appointment.Status.BOOKED
    dialog.get_by_role("button", name="15:00").click()
    expect(page.locator("#toasts")).to_contain_text("温若兰")
    assert Appointment.objects.get(moved_from=row).starts_at == calendar.at("15:00")
    expect(block(page, other)).to_be_visible()


def test_keys_move_a_focused_appointment(calendar: Calendar, open_page: Opener) -> None:
    row = calendar.row("温若兰", "10:00")
    page = open_page(calendar.house.desk, viewport=WIDE)
    page.goto(calendar.url)
    block(page, row).focus()
    page.keyboard.press("m")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Escape")
    expect(page.locator(".cal-ghost")).to_have_count(0)
    page.keyboard.press("m")
    for _n in range(4):
        page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    expect(page.locator("#toasts")).to_contain_text("11:00")
    assert Appointment.objects.get(moved_from=row).starts_at == calendar.at("11:00")


def test_who_waits_is_dragged_onto_a_free_time(calendar: Calendar, open_page: Opener) -> None:
    patient = PatientFactory(clinic=calendar.house.clinic, name="苗雨")
    facts = {"kind": "recheck", "from_day": calendar.day, "until_day": calendar.day}
    entry = WaitingEntry.objects.create(clinic=calendar.house.clinic, patient=patient, **facts)
    calendar.row("温若兰", "10:00")
    page = open_page(calendar.house.desk, viewport=WIDE)
    page.goto(calendar.url)
    drag(page, page.locator(f"[data-wait='{entry.pk}'] [data-wait-grip]"), spot(page, calendar, "16:00"))
    page.mouse.up()
    expect(page.locator("#toasts")).to_contain_text("苗雨")
    entry.refresh_from_db()
    assert entry.appointment is not None
    assert entry.appointment.starts_at in {calendar.at("16:00"), calendar.at("16:15")}


def test_what_a_colleague_books_shows_soon_and_a_drag_under_way_is_not_lost(
    calendar: Calendar, open_page: Opener
) -> None:
    row = calendar.row("温若兰", "10:00")
    page = open_page(calendar.house.desk, viewport=WIDE)
    page.goto(calendar.url)
    calendar.row("陶思远", "13:00")
    expect(page.locator("#cal-grid")).to_contain_text("陶思远", timeout=SOON)
    drag(page, block(page, row), spot(page, calendar, "16:00"))
    calendar.row("叶知秋", "11:00", doctor=1)
    page.wait_for_timeout(SOON)
    expect(page.locator(".cal-ghost")).to_contain_text("16:00")
    page.mouse.up()
    expect(page.locator("#cal-grid")).to_contain_text("叶知秋")
    assert Appointment.objects.get(moved_from=row).starts_at == calendar.at("16:00")


def test_a_click_opens_the_appointment_and_a_free_time_opens_booking(calendar: Calendar, open_page: Opener) -> None:
    row = calendar.row("温若兰", "10:00")
    page = open_page(calendar.house.desk, viewport=WIDE)
    page.goto(calendar.url)
    block(page, row).click()
    expect(page.locator("dialog[open]")).to_contain_text("温若兰")
    page.keyboard.press("Escape")
    page.locator(".cal-free").first.click()
    page.wait_for_url("**/appointments/new/**")
    assert "at=" in page.url


def test_a_phone_shows_one_doctor_at_a_time_without_sideways_scroll(calendar: Calendar, open_page: Opener) -> None:
    first, second = calendar.row("温若兰", "10:00"), calendar.row("吴桂芳", "10:00", doctor=1)
    page = open_page(calendar.house.desk, viewport=PHONE)
    page.goto(calendar.url)
    assert page.evaluate("document.scrollingElement.scrollWidth <= innerWidth")
    expect(page.locator(".cal-col:visible")).to_have_count(1)
    page.locator("[data-cal-show]", has_text=calendar.doctors[1].full_name).click()
    expect(block(page, second)).to_be_visible()
    expect(block(page, first)).to_be_hidden()
    calendar.row("陶思远", "13:00", doctor=1)
    expect(page.locator(".cal-col:visible")).to_contain_text("陶思远", timeout=SOON)  # still the second doctor's
