"""Two records of one person: found, compared, merged by choosing fields, and taken apart again by one click."""

import pytest
from playwright.sync_api import expect

from patients.models import Patient
from tests.e2e.conftest import House, Opener
from tests.factories import PatientFactory, TaskFactory

pytestmark = pytest.mark.django_db(transaction=True)


def test_a_manager_merges_two_records_and_undoes_it(house: House, open_page: Opener) -> None:
    facts = {"clinic": house.clinic, "phone": "19900003311"}
    first: Patient = PatientFactory(name="周雨薇", occupation="护士", **facts)
    second: Patient = PatientFactory(name="周雨微", occupation="教师", **facts)
    TaskFactory(clinic=house.clinic, patient=second, title="问候")
    page = open_page(house.manager)
    page.goto("/duplicates/")
    expect(page.get_by_text("号码相同")).to_be_visible()
    page.get_by_role("link", name="比对").click()
    page.locator("input[name=name][value=loser]").check()
    page.get_by_role("button", name="合并", exact=True).click()
    page.wait_for_url(f"**/patients/{first.pk}/")
    expect(page.get_by_role("heading", name="周雨微")).to_be_visible()
    assert [task.title for task in first.tasks.all()] == ["问候"]
    page.goto(f"/patients/{second.pk}/")
    page.wait_for_url(f"**/patients/{first.pk}/")
    page.goto("/merges/")
    page.locator("tbody a").first.click()
    page.get_by_role("button", name="撤销合并").click()
    expect(page.locator("#toasts")).to_contain_text("两份")
    first.refresh_from_db()
    second.refresh_from_db()
    assert (first.name, second.merged_into) == ("周雨薇", None)
    assert second.tasks.count() == 1
