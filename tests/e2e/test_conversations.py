"""A manager reads, adds a finding and scores; the consultant appeals; the manager answers."""

import re

import pytest
from playwright.sync_api import expect

from accounts.permissions import Role
from conversations.models import Appeal, Finding, ScoreCard
from tests.conversations.reading_helpers import rude_chat
from tests.e2e.conftest import PHONE, House, Opener

pytestmark = pytest.mark.django_db(transaction=True)


def test_a_chat_is_read_scored_appealed_and_settled(house: House, open_page: Opener) -> None:
    consultant = house.person(Role.ONLINE_CONSULTANT)
    chat = rude_chat(house.clinic, consultant, keyword="种植牙多少钱")
    following = rude_chat(house.clinic, consultant, keyword="隐形矫正", cost=90)

    desk = open_page(house.manager)
    desk.goto("/today/")
    desk.locator(".rail").get_by_role("link", name="咨询对话").click()
    desk.locator(".chat-row", has_text="种植牙多少钱").get_by_role("link").click()
    expect(desk.locator("mark", has_text="检察")).to_be_visible()
    desk.keyboard.press("j")
    expect(desk.locator("#m-1 .find")).to_be_focused()
    expect(desk.locator("#m-1 mark")).to_have_class(re.compile("is-on"))

    # a finding of one's own, with the words that are selected
    desk.locator("#m-3 .bubble").select_text()
    desk.locator("#m-3").hover()
    desk.locator("#m-3 .talk-add").click()
    dialog = desk.locator("dialog[open]")
    dialog.locator("select[name=code]").select_option("taboo.shirking")
    dialog.locator("input[name=quote]").fill("再说")
    dialog.get_by_role("button", name="添加").click()
    expect(desk.locator("#m-3 mark", has_text="再说")).to_be_visible()
    expect(desk.locator(".talk-points")).to_contain_text("72")

    desk.get_by_text("调整分值").click()
    desk.locator("input[name='taboo.shirking']").fill("6")
    expect(desk.locator("[data-score-total]")).to_have_text("76")
    desk.get_by_role("button", name="按此评分").click()
    expect(desk.locator(".field-note-bad").first).to_be_visible()  # a change needs a note
    desk.locator("textarea[name=note], input[name=note]").first.fill("语气尚可")
    desk.get_by_role("button", name="按此评分").click()
    expect(desk.locator(".talk-points")).to_contain_text("76")
    desk.keyboard.press("r")
    expect(desk).to_have_url(re.compile(f"/conversations/{following.pk}/$"))

    # on a phone the consultant objects
    phone = open_page(consultant, viewport=PHONE)
    phone.goto(f"/conversations/{chat.pk}/")
    assert phone.evaluate("document.scrollingElement.scrollWidth") <= PHONE["width"]
    phone.locator("#m-1 .find").get_by_role("link", name="申诉").click()
    phone.locator("dialog[open] textarea").fill("当时同时接四个对话，没有恶意")
    phone.get_by_role("button", name="提交").click()
    expect(phone.locator("#m-1 .find")).to_contain_text("申诉中")

    desk.goto("/conversations/?tab=appeals")
    desk.get_by_role("link", name=re.compile("当时同时接四个对话")).click()
    desk.get_by_role("button", name="成立，撤销扣分").click()
    expect(desk.locator(".talk-points")).to_contain_text("86")
    assert Appeal.objects.get().is_upheld
    assert Finding.objects.get(code="taboo.rhetorical", conversation=chat).withdrawn_reason == "appeal"
    assert ScoreCard.objects.get(conversation=chat, replaced_at=None).score == 86
    phone.goto("/conversations/")
    expect(phone.locator("body")).to_contain_text("当时同时接四个对话")


def test_rules_are_tried_and_counted_without_leaving_the_page(house: House, open_page: Opener) -> None:
    rude_chat(house.clinic, house.person(Role.ONLINE_CONSULTANT))
    page = open_page(house.manager)
    page.goto("/conversations/rules/")
    page.locator("textarea[name=sample]").fill("访客：种牙疼吗\n顾问：宝宝，亲亲稍等")
    page.locator("details:has([name='w.taboo.colloquial']) > summary").click()
    page.locator("[name='w.taboo.colloquial']").fill("亲亲 = 您")
    page.get_by_role("button", name="试检").click()
    expect(page.locator("#tried mark", has_text="亲亲")).to_be_visible()
    page.get_by_role("button", name="计算").click()
    expect(page.locator("#preview")).to_contain_text("1 / 1")
    page.get_by_role("button", name="保存为新版本").click()
    expect(page.locator("body")).to_contain_text("规则已保存：第 1 版")
