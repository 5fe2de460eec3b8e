"""Two coordinators on one list of follow-ups: nobody is called twice, one key logs, u takes it back."""

import re
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from accounts.models import Team
from accounts.permissions import Role
from followups.models import Contact, Task, TaskKind
from patients.models import Patient
from tests.e2e.conftest import PHONE, House, Opener
from tests.factories import PatientFactory, TaskFactory

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def patient(house: House) -> Patient:
    found: Patient = PatientFactory(clinic=house.clinic, name="林书瑶", phone="19900002267", class_code="C-C")
    return found


def make(house: House, patient: Patient, **more: Any) -> Task:
    given = {"clinic": house.clinic, "patient": patient, "owner": house.coordinator, "script": "{surname}{title}您好。"}
    return TaskFactory(**(given | more))


def test_two_coordinators_on_one_list(house: House, open_page: Opener, patient: Patient) -> None:
    task = make(house, patient)
    make(house, patient, kind=TaskKind.PLAN_SENT, title="方案第三天")
    Team.objects.get_or_create(clinic=house.clinic, name="咨询一组")
    first, second = open_page(house.coordinator), open_page(house.person(Role.COORDINATOR, "张敏"))
    first.goto(f"/tasks/{task.pk}/")
    first.wait_for_load_state("networkidle")
    second.goto("/tasks/?scope=all")
    expect(second.locator(".task-list")).to_contain_text("曹素铭正在联系")
    second.locator(".row-link", has_text="林书瑶").first.click()
    expect(second.locator(".task-panel")).to_contain_text("曹素铭正在联系")
    expect(second.locator('button[value="reached"]').first).to_be_disabled()
    assert not Contact.objects.exists()
    first.keyboard.press("1")
    expect(first.locator("#toasts .toast")).to_contain_text("林书瑶")
    assert Contact.objects.get().by == house.coordinator
    second.reload()
    expect(second.locator(".task-panel")).not_to_contain_text("正在联系")


def _log(page: Page, key: str) -> None:
    with page.expect_navigation():
        page.keyboard.press(key)


def test_keys_log_and_undo(house: House, open_page: Opener, patient: Patient) -> None:
    task = make(house, patient)
    other = make(house, PatientFactory(clinic=house.clinic, name="石开宇"))
    page = open_page(house.coordinator)
    page.goto("/tasks/")
    page.keyboard.press("j")
    expect(page.locator(".task-panel")).to_contain_text("林书瑶")
    expect(page.locator("#words-wechat")).to_contain_text("林女士您好。")
    page.keyboard.press("4")  # needs its reason first
    expect(page.locator("#task-note")).to_be_focused()
    page.locator("h1").click()
    _log(page, "3")
    task.refresh_from_db()
    assert task.contacts == 1
    expect(page).to_have_url(re.compile(f"/tasks/{other.pk}/"))
    _log(page, "u")
    task.refresh_from_db()
    assert Contact.objects.filter(undoes__isnull=False).count() == 1


def test_on_a_phone_a_task_is_a_page_of_its_own(house: House, open_page: Opener, patient: Patient) -> None:
    make(house, patient)
    page = open_page(house.coordinator, viewport=PHONE)
    page.goto("/tasks/")
    expect(page.locator(".task-side")).to_be_hidden()
    page.locator(".row-link").first.click()
    expect(page.locator(".task-panel")).to_be_visible()
    expect(page.locator(".task-list")).to_be_hidden()
    assert page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]
    page.locator(".task-back").click()
    expect(page.locator(".task-list")).to_be_visible()
