"""A file of chats by the page: uploaded, looked at, imported with progress, and then in the list; a contact taken over."""

import threading

import pytest
from django.db import connections
from playwright.sync_api import expect

from accounts.permissions import Role
from conversations import tasks
from conversations.models import Capture, Conversation
from conversations.services.captures import build_contact
from patients.models import Patient
from tests.conversations.chats import DAY, csv_of
from tests.e2e.conftest import PHONE, SOON, House, Opener
from tests.factories import ConversationFactory

pytestmark = pytest.mark.django_db(transaction=True)
HEADER = ("会话ID", "时间", "发送者", "内容", "渠道", "关键词", "费用", "客服")
ABOUT = ("百度竞价", "种植牙价格", "143", "田一诺")
ROWS = [
    ("A-1", f"{DAY} 13:05:12", "访客1", "想种牙，多少钱", *ABOUT),
    ("A-1", f"{DAY} 13:05:40", "田一诺", "您好，方便留个电话吗？", *ABOUT),
    ("A-1", f"{DAY} 13:06:12", "访客1", "19900001234", *ABOUT),
    ("A-2", f"{DAY} 14:00:00", "访客2", "洗牙多少钱", *ABOUT),
    ("", f"{DAY} 14:00:00", "访客2", "在吗", *ABOUT),
]


def work() -> None:
    """What the worker does, on a connection of its own."""

    def go() -> None:
        tasks.run_due_chat_imports()
        connections.close_all()

    worker = threading.Thread(target=go)
    worker.start()
    worker.join()


def test_a_manager_imports_a_file_and_takes_a_contact_over(house: House, open_page: Opener) -> None:
    house.person(Role.ONLINE_CONSULTANT)
    page = open_page(house.manager)
    page.goto("/conversations/import/")
    file = {"name": "chats.csv", "mimeType": "text/csv", "buffer": csv_of(ROWS, HEADER).encode("gb18030")}
    page.locator("input[type=file]").set_input_files(file)
    page.get_by_role("button", name="上传并查看").click()
    expect(page.get_by_text("各列的内容").first).to_be_visible()
    page.get_by_role("button", name="检查文件").click()
    expect(page.get_by_role("heading", name="正在检查文件")).to_be_visible()
    work()
    page.get_by_role("button", name="导入 2 个").click(timeout=SOON)
    work()
    expect(page.get_by_text("已导入。")).to_be_visible(timeout=SOON)
    page.goto("/conversations/?tab=all")
    expect(page.get_by_text("种植牙价格").first).to_be_visible()
    assert Conversation.objects.count() == 2


def test_captures_on_a_phone(house: House, open_page: Opener) -> None:
    chat = ConversationFactory(
        clinic=house.clinic, consultant=house.person(Role.ONLINE_CONSULTANT), visitor_name="访客1"
    )
    build_contact(Capture.objects.create(conversation=chat), "phone", "19900001234").save()
    page = open_page(house.manager, viewport=PHONE)
    page.goto("/conversations/captures/")
    assert page.evaluate("document.scrollingElement.scrollWidth <= innerWidth")
    page.get_by_role("link", name="转入", exact=True).click()
    page.get_by_label("姓名").fill("沈雨薇")
    page.get_by_role("button", name="转入").click()
    expect(page.locator("#toasts")).to_contain_text("沈雨薇")
    assert Patient.objects.get().name == "沈雨薇"
    page.locator("#toasts").get_by_role("button", name="撤销").click()
    expect(page.locator("#toasts")).to_contain_text("已撤回")
    chat.refresh_from_db()
    assert chat.patient is None
