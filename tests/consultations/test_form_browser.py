"""The form and the exams in real browsers: coordinator and patient at once, pictures uploaded and dropped."""

import io
from collections.abc import Callable
from typing import Any

import pytest
from django.urls import reverse
from PIL import Image
from playwright.sync_api import Page, expect

from accounts.models import User
from accounts.permissions import Role
from consultations.form_links import Link, token_for
from consultations.models import ConsultationForm, ExamFile, Visit
from consultations.services.complaint import confirm_complaint
from consultations.services.content import ensure_builtin_content
from consultations.services.forms import start_form
from consultations.services.reception import receive
from tests.factories import ClinicFactory, UserFactory, VisitFactory

pytestmark = pytest.mark.django_db(transaction=True)
PHONE = {"viewport": {"width": 390, "height": 844}}


@pytest.fixture
def tc() -> User:
    clinic = ClinicFactory()
    ensure_builtin_content(clinic)
    return UserFactory(role=Role.COORDINATOR, clinic=clinic, full_name="曹素铭")


@pytest.fixture
def visit(tc: User) -> Visit:
    return receive(visit=VisitFactory(clinic=tc.memberships.get().clinic), by=tc)


def saved(page: Page) -> None:
    expect(page.locator("[data-save-state]")).to_have_attribute("data-state", "saved")


def test_patient_and_coordinator_fill_one_form_at_once(visit: Visit, tc: User, open_page: Callable[..., Page]) -> None:
    form = start_form(visit=visit, by=tc)
    desk, phone = open_page(tc), open_page(**PHONE)
    desk.goto(f"{visit.get_absolute_url()}?stage=intake")
    desk.locator("#id_q_occupation").fill("小学老师")
    saved(desk)

    phone.goto(reverse("patient_form", args=[token_for(Link(form.pk, form.link_key))]))
    phone.get_by_label("我同意将健康信息用于我的诊疗").check()
    phone.get_by_role("button", name="开始填写").click()
    phone.get_by_label("最想解决的问题").fill("左下缺牙，想种植")
    phone.get_by_role("button", name="下一页").click()
    expect(phone.locator("[data-question=pain_where]")).to_be_hidden()
    phone.locator("[data-question=pain]").get_by_text("正在疼").click()
    expect(phone.locator("[data-question=pain_where]")).to_be_visible()
    phone.get_by_role("button", name="下一页").click()
    phone.get_by_label("没有", exact=True).check()
    phone.get_by_label("高血压").check()  # takes "none of these" back
    expect(phone.get_by_label("没有", exact=True)).not_to_be_checked()
    phone.get_by_role("button", name="下一页").click()

    desk.locator("#id_q_daily_rhythm").click()  # typing elsewhere on the page is not disturbed
    desk.keyboard.type("周三")
    expect(desk.locator("#id_q_main_complaint")).to_have_value("左下缺牙，想种植", timeout=8000)
    expect(desk.locator("[name=q_pain][value=now]")).to_be_checked()
    expect(desk.locator("[data-question=pain_where]")).to_be_visible()
    with desk.expect_response("**/form/save/"):
        desk.keyboard.type("休息")
    expect(desk.locator("#id_q_daily_rhythm")).to_have_value("周三休息")
    expect(desk.locator("#form-live")).to_contain_text("患者正在填写")
    form.refresh_from_db()
    assert form.answers == {
        "occupation": "小学老师",
        "main_complaint": "左下缺牙，想种植",
        "pain": "now",
        "conditions": ["blood_pressure"],
        "daily_rhythm": "周三休息",
    }


def test_the_form_works_without_scripts(visit: Visit, tc: User, open_page: Callable[..., Page]) -> None:
    form = start_form(visit=visit, by=tc)
    phone = open_page(java_script_enabled=False, **PHONE)
    phone.goto(reverse("patient_form", args=[token_for(Link(form.pk, form.link_key))]))
    phone.get_by_label("我同意将健康信息用于我的诊疗").check()
    phone.get_by_role("button", name="开始填写").click()
    phone.get_by_label("最想解决的问题").fill("牙疼")
    phone.get_by_role("button", name="English").click()
    expect(phone.get_by_label("What would you like solved most?")).to_have_value("牙疼")
    for _step in range(10):
        phone.get_by_role("button", name="Next").or_(phone.get_by_role("button", name="Review")).click()
    phone.get_by_role("button", name="Hand in").click()
    expect(phone.get_by_role("heading", name="Thank you")).to_be_visible()
    assert ConsultationForm.objects.get().patient_submitted_at


def picture(colour: str) -> bytes:
    out = io.BytesIO()
    Image.new("RGB", (300, 200), colour).save(out, "JPEG")
    return out.getvalue()


def upload(name: str, content: bytes) -> dict[str, Any]:
    return {"name": name, "mimeType": "image/jpeg", "buffer": content}


def test_pictures_are_added_named_removed_and_put_back(visit: Visit, tc: User, open_page: Callable[..., Page]) -> None:
    confirm_complaint(visit=visit, complaint="implant", text="左下缺牙", by=tc)
    kind = visit.clinic.exam_kinds.get(code="intraoral")
    page = open_page(tc)
    page.goto(f"{visit.get_absolute_url()}?stage=exam")
    files = [upload("a.jpg", picture("red")), upload("b.jpg", picture("blue")), upload("bad.jpg", b"no picture")]
    page.locator(f"#files-{kind.pk}").set_input_files(files)
    card = page.locator(f"#exam-{kind.pk}")
    expect(card.locator(".thumb img")).to_have_count(2)
    expect(card.get_by_role("alert")).to_contain_text("bad.jpg")

    card.get_by_label("说明").first.fill("正面")
    with page.expect_response("**/exams/files/**"):
        card.get_by_label("说明").first.press("Enter")
    page.reload()
    expect(card.get_by_label("说明").first).to_have_value("正面")

    card.get_by_role("button", name="移除图片").first.click()
    expect(card.locator(".thumb img")).to_have_count(1)
    page.get_by_role("button", name="撤销").click()
    expect(card.locator(".thumb img")).to_have_count(2)
    assert ExamFile.objects.kept().count() == 2


def test_a_dropped_picture_is_taken(visit: Visit, tc: User, open_page: Callable[..., Page]) -> None:
    confirm_complaint(visit=visit, complaint="implant", text="左下缺牙", by=tc)
    kind = visit.clinic.exam_kinds.get(code="panoramic")
    page = open_page(tc)
    page.goto(f"{visit.get_absolute_url()}?stage=exam")
    dropped = page.evaluate_handle(
        """bytes => { const data = new DataTransfer();
           data.items.add(new File([new Uint8Array(bytes)], "x.jpg", { type: "image/jpeg" })); return data; }""",
        list(picture("teal")),
    )
    page.dispatch_event(f"#exam-{kind.pk}", "drop", {"dataTransfer": dropped})
    expect(page.locator(f"#exam-{kind.pk} .thumb img")).to_have_count(1)
