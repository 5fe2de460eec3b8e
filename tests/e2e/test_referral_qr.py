"""A friend comes with a patient's code."""

import pytest
from django.core.cache import cache
from playwright.sync_api import expect

from patients.models import PublicLink, Referral
from tests.e2e.conftest import PHONE, House, Opener
from tests.factories import PatientFactory

pytestmark = pytest.mark.django_db(transaction=True)


def test_a_code_made_for_a_patient_brings_a_friend(house: House, open_page: Opener) -> None:
    cache.clear()
    referrer = PatientFactory(clinic=house.clinic, name="周岚")
    staff = open_page(house.coordinator)
    staff.goto(f"/patients/{referrer.pk}/referral/code/")
    staff.get_by_role("button", name="生成介绍码").click()
    expect(staff.locator(".public-sheet svg")).to_be_visible()
    code = staff.locator(".public-code").inner_text()
    assert code == PublicLink.objects.get().code

    friend = open_page(None, viewport=PHONE)
    friend.goto(f"/r/{code}/")
    expect(friend.locator("main")).to_contain_text(house.clinic.name)
    expect(friend.locator("main")).not_to_contain_text("周岚")

    staff.goto(f"/r/{code}/")  # the desk scans the friend's screen
    expect(staff.locator("#picks")).to_contain_text("周岚")
    staff.locator("#id_name").fill("沈雨薇")
    staff.get_by_role("button", name="登记", exact=True).click()
    expect(staff.locator("body")).to_contain_text("沈雨薇")
    referral = Referral.objects.get()
    assert (referral.referrer, referral.referred.name) == (referrer, "沈雨薇")
