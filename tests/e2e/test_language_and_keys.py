"""Working without the mouse, in both languages; and numbers that open for a reason."""

import re

import pytest
from playwright.sync_api import expect

from accounts.models import AuditEvent
from tests.e2e.conftest import House, Opener
from tests.factories import PatientFactory

pytestmark = pytest.mark.django_db(transaction=True)


def test_slash_searches_and_arrow_keys_open_a_patient(house: House, open_page: Opener) -> None:
    PatientFactory(clinic=house.clinic, name="孙书瑶", phone="19900004401")
    second = PatientFactory(clinic=house.clinic, name="孙书岚", phone="19900004402")
    page = open_page(house.coordinator)
    page.goto("/today/")
    page.keyboard.press("/")
    expect(page.locator("#search")).to_be_focused()
    page.keyboard.type("ssy")
    options = page.locator("#search-pop [role=option].search-option:has(.who)")
    expect(options).to_have_count(1)  # initials
    page.locator("#search").fill("孙书")
    expect(options).to_have_count(2)
    wanted = options.all_inner_texts()[1]
    page.keyboard.press("ArrowDown")
    expect(options.nth(1)).to_have_attribute("aria-selected", "true")
    page.keyboard.press("Enter")
    expect(page.locator("h1")).to_contain_text(wanted[:3])
    page.keyboard.press("/")
    page.keyboard.type("4402")  # the last digits of a phone
    expect(options).to_have_count(1)
    page.keyboard.press("Enter")
    page.wait_for_url(f"**/patients/{second.pk}/")
    assert "4402" not in page.url


def test_escape_closes_the_search_and_nobody_found_offers_to_register(house: House, open_page: Opener) -> None:
    page = open_page(house.coordinator)
    page.goto("/patients/")
    page.keyboard.press("/")
    page.keyboard.type("陶无名")
    expect(page.locator("#search-pop")).to_contain_text("没有找到")
    page.keyboard.press("Enter")
    name = page.locator("#add-form [name=name]")
    expect(name).to_have_value("陶无名")
    expect(name).to_be_focused()
    page.keyboard.press("Escape")
    expect(page.locator("#add-form")).to_have_count(0)


def test_n_opens_quick_add_and_the_same_number_is_said_while_typing(house: House, open_page: Opener) -> None:
    PatientFactory(clinic=house.clinic, name="林嘉木", phone="19900005501")
    page = open_page(house.desk)
    page.goto("/today/")
    page.keyboard.press("n")
    form = page.locator("#add-form")
    expect(form.locator("[name=name]")).to_be_focused()
    form.locator("[name=phone]").press_sequentially("19900005501")
    expect(page.locator("#same-phone")).to_contain_text("林嘉木")
    form.locator("[name=phone]").press("Backspace")
    form.locator("[name=phone]").press_sequentially("2")
    expect(page.locator("#same-phone")).not_to_contain_text("林嘉木")  # another number, nobody's


def test_question_mark_lists_the_keys_of_the_page(house: House, open_page: Opener) -> None:
    page = open_page(house.coordinator)
    page.goto("/today/")
    page.keyboard.press("?")
    keys = page.locator("#keys")
    expect(keys).to_be_visible()
    for words in ("搜索", "新建患者", "签到"):
        expect(keys).to_contain_text(words)
    page.keyboard.press("Escape")
    expect(keys).to_be_hidden()


def test_keys_are_letters_while_somebody_types(house: House, open_page: Opener) -> None:
    page = open_page(house.coordinator)
    page.goto("/today/")
    page.keyboard.press("/")
    page.keyboard.type("n?")
    expect(page.locator("#search")).to_have_value("n?")
    expect(page.locator("#keys")).to_be_hidden()
    expect(page.locator("#add-form")).to_have_count(0)


def test_a_masked_number_opens_with_one_click_and_the_opening_is_logged(house: House, open_page: Opener) -> None:
    patient = PatientFactory(clinic=house.clinic, name="许慕白", phone="19900006601")
    page = open_page(house.coordinator)
    page.goto(f"/patients/{patient.pk}/")
    expect(page.locator("body")).not_to_contain_text("19900006601")
    expect(page.locator("body")).to_contain_text("199****6601")
    page.locator(f"form[action='/patients/{patient.pk}/reveal/'] button").first.click()
    expect(page.locator("a[href='tel:19900006601']")).to_be_visible()
    event = AuditEvent.objects.get(subject="patient", subject_id=patient.pk, action__contains="reveal")
    assert (event.actor, event.clinic) == (house.coordinator, house.clinic)
    assert "19900006601" not in str(event.detail)


def test_a_doctor_sees_no_way_to_open_a_number(house: House, open_page: Opener) -> None:
    patient = PatientFactory(clinic=house.clinic, name="许慕白", phone="19900006601")
    page = open_page(house.doctor)
    page.goto(f"/patients/{patient.pk}/")
    expect(page.locator("h1")).to_contain_text("许慕白")
    expect(page.locator("form[action$='/reveal/']")).to_have_count(0)


def test_english_is_one_switch_away_and_stays(house: House, open_page: Opener) -> None:
    page = open_page(house.coordinator)
    page.goto("/today/")
    expect(page.locator("h1")).to_have_text("今日")
    page.locator(".topbar-me summary").click()
    page.locator(".topbar-me button[value=en]").click()
    expect(page.locator("h1")).to_have_text("Today")
    page.goto("/patients/")
    expect(page.locator("html")).to_have_attribute("lang", re.compile("en"))
    expect(page.locator("h1")).to_contain_text("Patients")
