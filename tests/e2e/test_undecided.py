"""In a browser: a card is dragged to another class and the columns count it; a sample is drawn, rated, read."""

from datetime import timedelta
from typing import Any

from django.utils import timezone

from accounts.permissions import Role
from patients.models import ClassAudit, ClassChange, Patient
from tests.e2e.conftest import PHONE, House, Opener
from tests.factories import ClassChangeFactory, PatientFactory


def person(house: House, code: str, **facts: Any) -> Patient:
    set_at = timezone.now() - timedelta(days=9)
    owner = house.coordinator
    return PatientFactory(clinic=house.clinic, class_code=code, class_set_at=set_at, reg_owner=owner, **facts)


def counted(page: Any, code: str) -> str:
    return str(page.locator(f"#head-{code} .und-head-line > span").inner_text())


def test_a_drag_asks_why_and_the_columns_count_it(house: House, open_page: Opener) -> None:
    patient = person(house, "C-C", awareness=2, trust=2, name="范文博")
    person(house, "C-B")
    page = open_page(house.coordinator, viewport={"width": 1440, "height": 900})
    page.goto("/undecided/")
    target = page.locator("[data-und-column='C-B'] [data-und-list]")
    page.locator(f"#und-{patient.pk}").drag_to(target, target_position={"x": 80, "y": 40})
    form = page.locator("[data-und-form]")
    form.locator("[name=reason]").fill("美学修复复诊，很看重品质")
    form.get_by_role("button", name="改为 C-B").click()
    page.locator(f"[data-und-column='C-B'] #und-{patient.pk}").wait_for()
    assert (counted(page, "C-C"), counted(page, "C-B")) == ("0", "2")
    assert ClassChange.objects.get().reason == "美学修复复诊，很看重品质"
    page.locator("#toasts").get_by_role("button", name="撤销").click()
    page.locator(f"[data-und-column='C-C'] #und-{patient.pk}").wait_for()
    assert ClassChange.objects.order_by("-pk")[0].is_correction


def test_the_keyboard_chooses_and_escape_gives_up(house: House, open_page: Opener) -> None:
    patient = person(house, "C-E", awareness=4)
    page = open_page(house.coordinator, viewport={"width": 1440, "height": 900})
    page.goto("/undecided/")
    page.locator(f"#und-open-{patient.pk}").focus()
    page.keyboard.press("m")
    page.locator("[data-und-form]").wait_for()
    page.keyboard.press("Escape")
    page.locator(f"#und-{patient.pk}").wait_for()
    page.keyboard.press("m")
    page.locator("[data-und-form] label", has_text="C-D").click()
    page.locator("[data-und-form] [name=reason]").fill("意识提高")
    page.keyboard.press("Enter")
    page.locator(f"[data-und-column='C-D'] #und-{patient.pk}").wait_for()


def test_a_phone_shows_one_column(house: House, open_page: Opener) -> None:
    person(house, "C-D")
    page = open_page(house.coordinator, viewport=PHONE)
    page.goto("/undecided/?klass=C-D")
    assert page.locator("[data-und-column]:visible").count() == 1
    assert page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]


def test_a_sample_is_drawn_rated_and_read(house: House, open_page: Opener) -> None:
    for _n in range(2):
        ClassChangeFactory(clinic=house.clinic, patient=person(house, "C-E"), by=house.coordinator, new_class="C-E")
    manager = open_page(house.manager)
    manager.goto("/class-audits/draw/")
    manager.select_option("[name=coordinator]", str(house.coordinator.pk))
    manager.fill("[name=size]", "2")
    manager.locator("main form .btn-primary").click()
    manager.wait_for_url("**/class-audits/*/")
    audit = ClassAudit.objects.get()
    rater = open_page(house.person(Role.COORDINATOR, "唐若水"))
    rater.goto(f"/class-audits/{audit.pk}/rate/")
    rater.keyboard.press("1")
    rater.get_by_text("1 / 2").first.wait_for()
    rater.keyboard.press("2")
    rater.get_by_text("全部复核完毕").wait_for()
    manager.reload()
    manager.get_by_text("50%").wait_for()
