"""A manager goes from the chats to the report, from a number to its chats; a consultant sees the own line."""

from datetime import timedelta

import pytest
from django.utils import timezone
from playwright.sync_api import expect

from accounts.permissions import Role
from tests.conversations.report_world import Told, make
from tests.e2e.conftest import PHONE, House, Opener

pytestmark = pytest.mark.django_db(transaction=True)
PAGES = ("", "trend/", "losses/", "sources/", "times/", "service/")


def test_from_a_number_to_its_chats(house: House, open_page: Opener) -> None:
    one, other = (house.person(Role.ONLINE_CONSULTANT, name) for name in ("魏晓岚", "卢一帆"))
    now = timezone.now() - timedelta(minutes=5)
    told = [
        Told(now, led=one, contacts=[("phone", one)], keyword="留了电话", findings=[("not_invited", one)]),
        Told(now, led=one, keyword="没有留下", ending="consultant"),
        Told(now, led=other, keyword="别人的"),
    ]
    make(house.clinic, told, house.manager)

    desk = open_page(house.manager)
    desk.goto("/conversations/")
    desk.locator(".segmented a[href$='/reports/']").click()
    line = desk.locator("#report-results tbody tr", has_text=str(one))
    expect(line).to_contain_text("1/2")
    line.get_by_role("link", name="50.0%").first.click()
    expect(desk.locator(".chat-row")).to_have_count(1)
    expect(desk.locator(".chat-row")).to_contain_text("留了电话")

    desk.goto("/conversations/reports/?from=2026-11-30&to=2026-11-01")
    expect(desk.get_by_role("alert").or_(desk.locator(".alert")).first).to_be_visible()
    expect(desk.locator("input[name=from]")).to_have_value("2026-11-30")

    desk.goto("/conversations/reports/losses/")
    with desk.expect_download() as got:
        desk.locator("#report-losses").get_by_role("button", name="CSV").click()
    assert got.value.suggested_filename.endswith(".csv")

    phone = open_page(one, viewport=PHONE)
    for page in PAGES:
        phone.goto(f"/conversations/reports/{page}")
        expect(phone.locator("main")).not_to_contain_text(str(other))
        wide = phone.evaluate("document.scrollingElement.scrollWidth <= innerWidth")
        assert wide, page
