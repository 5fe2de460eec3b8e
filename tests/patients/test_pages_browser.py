"""Search, quick-add, opening a number and the stale edit, in a real browser."""

import re
from collections.abc import Callable

import pytest
from axe_playwright_python.sync_playwright import Axe
from django.urls import reverse
from playwright.sync_api import Page, expect

from accounts.models import AuditEvent, Clinic, User
from accounts.permissions import Role
from patients.models import Patient
from tests.factories import ClinicFactory, PatientFactory, UserFactory

pytestmark = pytest.mark.django_db(transaction=True)
PHONE = {"width": 390, "height": 844}


@pytest.fixture
def clinic() -> Clinic:
    return ClinicFactory(code="QH")


@pytest.fixture
def tc(clinic: Clinic) -> User:
    return UserFactory(clinic=clinic, role=Role.COORDINATOR)


def grave(page: Page) -> list[str]:
    """Return the serious accessibility findings of a page."""
    found = Axe().run(page).response["violations"]
    return [f"{v['id']}: {v['nodes'][0]['html'][:120]}" for v in found if v["impact"] in {"serious", "critical"}]


def test_search_by_keys_alone(open_page: Callable[..., Page], clinic: Clinic, tc: User) -> None:
    PatientFactory(name="孙亦文", clinic=clinic)
    wanted = PatientFactory(name="沈雨薇", clinic=clinic, phone="19900001734")
    page = open_page(tc)
    page.goto("/patients/")
    page.keyboard.press("/")
    page.keyboard.type("s", delay=20)
    expect(page.locator("#search-pop [role=option]")).to_have_count(3)
    page.keyboard.type("yw", delay=20)
    first = page.locator("#search-pop [role=option]").first
    expect(first).to_have_attribute("aria-selected", "true")
    while wanted.name not in page.locator("#search-pop [aria-selected=true]").inner_text():
        page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    expect(page).to_have_url(re.compile(reverse("patient", args=[wanted.pk])))


def test_quick_add_warns_of_a_known_number_and_checks_in(
    open_page: Callable[..., Page], clinic: Clinic, tc: User
) -> None:
    PatientFactory(name="周岚", clinic=clinic, phone="19900001734")
    page = open_page(tc)
    page.goto("/patients/")
    page.keyboard.press("n")
    page.fill("dialog #id_name", "沈雨薇")
    page.locator("dialog #id_phone").press_sequentially("19900001734", delay=5)
    expect(page.locator("#same-phone")).to_contain_text("周岚")
    page.fill("dialog #id_phone", "19900002")
    page.keyboard.press("Enter")
    expect(page.locator("dialog .is-invalid #id_phone")).to_have_value("19900002")
    expect(page.locator("dialog #id_name")).to_have_value("沈雨薇")
    page.fill("dialog #id_phone", "19900002345")
    page.keyboard.press("Enter")
    expect(page.locator("dialog .alert-good")).to_contain_text("沈雨薇")
    page.locator("dialog form button.btn-primary").click()
    expect(page).to_have_url(re.compile("today"))
    assert Patient.objects.get(name="沈雨薇").visits.count() == 1


def test_a_number_is_opened_by_one_click(open_page: Callable[..., Page], clinic: Clinic, tc: User) -> None:
    patient = PatientFactory(name="沈雨薇", clinic=clinic, phone="19900001734")
    page = open_page(tc)
    page.goto(reverse("patient", args=[patient.pk]))
    expect(page.locator("body")).not_to_contain_text("19900001734")
    page.locator(".page-head-facts form button").first.click()
    expect(page.locator(".page-head-facts a[href^='tel:']")).to_have_text("19900001734")
    assert AuditEvent.objects.filter(action="contact_revealed").count() == 1


def test_classifying_in_the_drawer_shows_on_the_page(open_page: Callable[..., Page], clinic: Clinic, tc: User) -> None:
    patient = PatientFactory(name="沈雨薇", clinic=clinic)
    page = open_page(tc)
    page.goto(reverse("patient", args=[patient.pk]))
    page.keyboard.press("m")
    page.locator("#id_awareness label").nth(1).click()
    page.locator("#id_trust label").nth(2).click()
    page.locator("#id_class_code label").nth(0).click()
    page.locator("dialog button.btn-primary").click()
    expect(page.locator(".page-head .class-chip")).to_have_text("C-E")


@pytest.mark.parametrize("viewport", [None, PHONE], ids=["desktop", "phone"])
def test_no_page_is_cut_off_or_grave_for_assistive_technology(
    open_page: Callable[..., Page], clinic: Clinic, tc: User, viewport: dict[str, int] | None
) -> None:
    patient = PatientFactory(
        name="沈雨薇", clinic=clinic, phone="19900001734", class_code="C-C", awareness=2, trust=3, reg_tags=["怕疼"]
    )
    page = open_page(tc, **({"viewport": viewport} if viewport else {}))
    here = reverse("patient", args=[patient.pk])
    for path in ("/patients/", "/patients/?klass=C-C", here, f"{here}?tab=profile", f"{here}edit/", "/patients/add/"):
        page.goto(path)
        assert page.evaluate("document.documentElement.scrollWidth - innerWidth") <= 0, path
        assert grave(page) == [], path
