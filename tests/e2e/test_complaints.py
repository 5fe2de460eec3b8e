"""A complaint from the sheet at the desk to its end."""

import pytest
from django.core.cache import cache
from playwright.sync_api import expect

from patients.models import ComplaintCase
from patients.services.referral_links import link_for
from tests.e2e.conftest import PHONE, House, Opener
from tests.factories import PatientFactory

pytestmark = pytest.mark.django_db(transaction=True)


def test_a_patient_complains_by_the_code_and_the_manager_settles_it(house: House, open_page: Opener) -> None:
    cache.clear()
    PatientFactory(clinic=house.clinic, name="周雨薇", phone="19900003311")
    link = link_for(clinic=house.clinic, purpose="complaint", by=house.manager)

    phone = open_page(None, viewport=PHONE)
    phone.goto(f"/c/{link.code}/")
    phone.get_by_role("button", name="提交").click()
    expect(phone.locator(".is-invalid").first).to_be_visible()
    phone.get_by_text("等候", exact=True).click()
    phone.get_by_label("发生了什么？").fill("等了一个小时，没有人解释")
    phone.get_by_label("您的电话").fill("199 0000 3311")
    phone.get_by_role("button", name="提交").click()
    expect(phone.locator(".public-code")).to_contain_text("TS")
    number = phone.locator(".public-code").inner_text()

    desk = open_page(house.manager)
    desk.goto("/complaints/")
    desk.get_by_role("link", name=number).click()
    expect(desk.locator("body")).to_contain_text("周雨薇")
    desk.locator("#id_step_text").fill("已致电道歉")
    desk.get_by_role("button", name="已回复患者").click()
    expect(desk.locator(".tl").first).to_contain_text("已致电道歉")
    desk.get_by_label("结果").select_option("apologised")
    desk.get_by_text("成立", exact=True).click()
    desk.get_by_role("button", name="处理完毕").click()
    expect(desk.locator("body")).to_contain_text(f"已处理：{number}")
    case = ComplaintCase.objects.get()
    assert (case.outcome, case.is_upheld, case.closed_by) == ("apologised", True, house.manager)
    assert case.first_reply_at is not None


def test_after_a_mistake_is_corrected_going_back_shows_the_form(house: House, open_page: Opener) -> None:
    page = open_page(house.manager)
    page.goto("/complaints/new/")
    page.get_by_role("button", name="受理", exact=True).click()
    expect(page.locator(".error-summary")).to_be_focused()
    page.get_by_text("环境", exact=True).click()
    page.get_by_label("情况").fill("候诊区太冷")
    page.get_by_role("button", name="受理", exact=True).click()
    expect(page.locator("h1")).to_contain_text("TS")
    page.go_back()
    expect(page.locator("h1")).to_contain_text("受理投诉")
    assert ComplaintCase.objects.count() == 1
