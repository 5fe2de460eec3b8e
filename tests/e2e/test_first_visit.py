"""The whole first visit of an implant patient, exam first: front desk, coordinator, patient's phone, doctor."""

import re
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from accounts.permissions import Role
from consultations.models import Visit
from followups.models import Appointment
from patients.models import Patient
from tests.e2e.conftest import PHONE, SOON, TABLET, House, Opener, act, pick, picture, stages_of, upload, write_handoff

pytestmark = pytest.mark.django_db(transaction=True)


def register_and_check_in(desk: Page) -> None:
    """The front desk meets somebody new: registered and checked in without leaving the board."""
    desk.goto("/today/")
    desk.keyboard.press("n")
    form = desk.locator("#add-form")
    form.locator("[name=name]").fill("沈月岚")
    form.locator("[name=phone]").fill("199 0000 1734")
    pick(desk, "sex", "f")
    form.locator("[name=age]").fill("34")
    form.locator("[name=complaint]").fill("左下后牙缺失，想种牙")
    form.locator("[type=submit].btn-primary").click()
    added = desk.locator("#add-form .alert")
    expect(added).to_contain_text("沈月岚")
    act(desk, f"/check-in/{Patient.objects.get().pk}/").click()
    expect(desk.locator("#list-arrived")).to_contain_text("沈月岚", timeout=SOON)


def receive(tc: Page) -> Visit:
    """The coordinator's board shows the new card by itself; one gesture takes the patient over."""
    card = tc.locator("#list-arrived .board-card", has_text="沈月岚")
    expect(card).to_be_visible(timeout=SOON)
    expect(card).to_contain_text("初诊")
    card.get_by_role("button", name="接待").click()
    moved = tc.locator("#list-reception .board-card", has_text="沈月岚")
    expect(moved).to_be_visible()
    moved.get_by_role("link", name="沈月岚").click()
    tc.wait_for_url(re.compile(r"/visits/\d+/$"))
    return Visit.objects.get()


def fill_on_phone(phone: Page) -> None:
    """The patient's own screens: consent first, then one group of questions each, the needed ones answered."""
    button = phone.locator("form .btn-primary")
    button.click()
    expect(phone.get_by_role("alert")).to_be_visible()  # nothing is asked without consent
    phone.get_by_text("同意将我的健康信息用于").or_(phone.locator("label:has(#id_care)")).first.click()
    button.click()
    phone.wait_for_url("**/1/")
    answers: dict[str, Any] = {
        "main_complaint": "左下大牙掉了一年，吃东西不方便",
        "pain": "none",
        "conditions": "none",
        "allergies": "yes",
        "medication": "no",
        "pregnancy": "no",
        "decide_with": "self",
        "heard": "dianping",
        "call_hours": "18:00-21:00",
    }
    for _screen in range(15):
        if "/review/" in phone.url:
            break
        assert phone.evaluate("document.scrollingElement.scrollWidth <= innerWidth")
        for code, value in answers.items():
            field = phone.locator(f"[name=q_{code}]").first
            if not field.count():
                continue
            if field.get_attribute("type") in {"radio", "checkbox"}:
                pick(phone, f"q_{code}", value)
            else:
                field.fill(value)
        if phone.locator("[name=q_allergies_detail]").count():
            phone.locator("[name=q_allergies_detail]").fill("青霉素")
        before = phone.url
        phone.locator("button[value=next]").click()
        phone.wait_for_url(lambda url, before=before: url != before)
    expect(phone.locator("body")).to_contain_text("青霉素")
    phone.locator("form .btn-primary").click()
    expect(phone.locator("h1")).to_contain_text("谢谢")


def intake(tc: Page, visit: Visit, open_page: Opener) -> None:
    """The form goes to the patient's phone; the coordinator sees the answers come, and completes it."""
    tc.locator("a[href$='?stage=intake'].btn-primary").click()
    tc.locator("button[name=kind][value=dental]").click()
    link = tc.locator("[data-copy*='/f/']").get_attribute("data-copy")
    assert link
    phone = open_page(None, viewport=PHONE, has_touch=True, is_mobile=True)
    phone.goto(link)
    fill_on_phone(phone)
    expect(tc.locator("#form-live")).to_contain_text("患者已提交", timeout=SOON)
    expect(tc.locator("[name=q_main_complaint]")).to_have_value("左下大牙掉了一年，吃东西不方便")
    expect(tc.locator("[name=q_allergies_detail]")).to_have_value("青霉素")
    tc.get_by_role("button", name="完成问诊表").click()
    tc.wait_for_url(re.compile(r"stage=complaint|/visits/\d+/$"))
    phone.goto(link)
    expect(phone.locator("h1")).to_contain_text("已关闭")  # a completed form is not changed from outside
    visit.patient.refresh_from_db()
    assert visit.patient.allergies == "青霉素"


def confirm_complaint(tc: Page, visit: Visit) -> None:
    tc.goto(f"/visits/{visit.pk}/?stage=complaint")
    pick(tc, "complaint", "implant")
    tc.get_by_role("button", name="主诉已确认").click()
    expect(tc.locator("#exams")).to_be_visible()


def examine(tc: Page) -> None:
    """Exams need their pictures before the visit goes on."""
    tc.get_by_role("button", name="资料已齐，进入咨询").click()
    expect(tc.locator("#toasts")).to_contain_text("检查资料")
    upload(tc, "全景片", [picture("pano")])
    upload(tc, "口内照", [picture("front"), picture("left")])
    upload(tc, "口扫", [picture("scan")])
    tc.get_by_role("button", name="资料已齐，进入咨询").click()
    tc.get_by_role("button", name="写交接单").click()


def hand_over(tc: Page, doctor: Page, visit: Visit) -> None:
    """The note is sent; the doctor's queue, open on a tablet, shows it by itself."""
    expect(doctor.locator("#queue")).not_to_contain_text("沈月岚")
    write_handoff(tc, klass="C-C", points=["能不能种", "骨量怎样"])
    tc.locator("[data-send]").click()
    expect(tc.locator(".error-summary")).to_contain_text("请选择接诊的医生")  # refused, and nothing typed is lost
    expect(tc.locator("[name=stress_points]").first).to_have_value("能不能种")
    tc.locator("label.choice", has_text="谢美林").click()
    tc.locator("[data-send]").click()
    expect(tc.locator("#handoff-status")).to_contain_text("交给谢美林", timeout=SOON)
    card = doctor.locator("#queue .dq-card", has_text="沈月岚")
    expect(card).to_be_visible(timeout=SOON)
    card.click()
    expect(doctor.locator(".dq-allergy")).to_contain_text("青霉素")
    expect(doctor.locator(".note-stress")).to_contain_text("能不能种")
    expect(doctor.locator(".pictures .thumb")).to_have_count(4)


def ask_and_answer(tc: Page, doctor: Page) -> None:
    doctor.locator("[data-dialog-open='#ask']").click()
    doctor.locator("#ask [name=question]").fill("她有没有吃阿司匹林？")
    doctor.locator("#ask button.btn-primary").click()
    question = tc.locator("#handoff-status .alert", has_text="她有没有吃阿司匹林？")
    expect(question).to_be_visible(timeout=SOON)
    question.locator("[name=answer]").fill("没有，问过了")
    question.get_by_role("button", name="回答").click()
    expect(doctor.locator("#news")).to_contain_text("没有，问过了", timeout=SOON)


def acknowledge(tc: Page, doctor: Page) -> None:
    doctor.get_by_role("button", name="已阅，开始检查").click()
    expect(tc.locator("#handoff-status")).to_contain_text("已阅", timeout=SOON)


def mark_teeth(doctor: Page) -> None:
    doctor.locator("[data-tooth='36']").click()
    doctor.locator(".teeth-kinds button[value=missing]").click()
    expect(doctor.locator("[data-tooth='36'].has")).to_be_visible()
    doctor.locator("[data-tooth='37']").click()
    doctor.locator(".teeth-kinds button[value=tilted]").click()
    expect(doctor.locator("[data-tooth='37'].has")).to_be_visible()


def fill_option(option: Any, name: str, item: str, tooth: str, pain: str) -> None:
    option.locator("input[name$='-name']").first.fill(name)
    option.locator(".plan-item input[name$='-name']").fill(item)
    option.locator(".teeth-pick summary").click()
    option.locator(f".tooth-box:has(input[value='{tooth}'])").click()
    option.locator("input[name$='-duration']").fill("约 4 个月")
    option.locator(f"label:has(input[name$='-pain'][value='{pain}'])").click()


def write_plan(doctor: Page, visit: Visit) -> None:
    doctor.locator(f"a[href='/doctor/{visit.pk}/plan/']").first.click()
    doctor.locator("[name=title]").fill("左下后牙修复方案")
    doctor.locator("[name=principles]").fill("先恢复咀嚼，再看邻牙")
    fill_option(doctor.locator(".plan-option").first, "种植", "种植体植入", "36", "2")
    doctor.locator("button[name=add_option]").click()
    second = doctor.locator(".plan-option").nth(1)
    expect(second).to_be_visible()
    fill_option(second, "三单位桥", "三单位固定桥", "36", "1")
    doctor.locator("button[value=finish]").click()
    doctor.get_by_role("button", name="我先离开").click()
    expect(doctor.locator("#toasts")).to_contain_text("曹素铭")


def price_and_present(tc: Page, visit: Visit) -> None:
    """The coordinator sets the prices, shows the plan to the patient, ticks what was explained; the patient chooses."""
    tc.goto(f"/visits/{visit.pk}/")
    tc.locator(f"a[href='/visits/{visit.pk}/plan/terms/']").first.click()
    expect(tc.locator("body")).to_contain_text("医生")
    prices = tc.locator("input[name*='-price-']")
    prices.nth(0).fill("12800")
    prices.nth(1).fill("7200")
    tc.locator("input[name$='-discount']").first.fill("800")
    tc.locator("button[value=present]").click()
    first = tc.locator(".pp-option").first
    expect(first.locator(".pp-price")).to_have_text("¥12,800")
    for point in ("price", "time", "pain", "alternatives"):
        tc.locator(f"#tick-{point}").click()
        expect(tc.locator(f"#tick-{point}")).to_have_attribute("aria-checked", "true")
    first.get_by_role("button", name="选这个").click()
    expect(first).to_have_class(re.compile("is-chosen"))
    expect(tc.locator(".pp-sums")).to_contain_text("¥12,000")


def decide(tc: Page, visit: Visit) -> None:
    tc.goto(f"/visits/{visit.pk}/?stage=decision")
    expect(tc.locator("[name=amount]")).to_have_value(re.compile("12000"))
    pick(tc, "decision", "deposit")
    pick(tc, "treat_today", "booked")
    tc.get_by_role("button", name="记下决定").click()
    expect(tc.locator(".error-summary")).to_contain_text("预交费")  # a deposit needs its amount
    tc.locator("[name=deposit]").fill("2000")
    tc.get_by_role("button", name="记下决定").click()


def check_out(tc: Page) -> None:
    """The gate names what is missing and is shut until it is done."""
    gate = tc.locator("form[action$='/close/'] button")
    expect(gate).to_be_disabled()
    for code, words in {"next_appointment": "预约", "wechat": "微信", "word_of_mouth": "口碑"}.items():
        expect(tc.locator(f"p a[href='#item-{code}']")).to_contain_text(words)
    tc.locator("#item-next_appointment button[name=slot]").first.click()
    expect(tc.locator("#item-next_appointment")).to_have_count(0)
    tc.locator("#item-wechat form").first.get_by_role("button", name="已加微信").click()
    expect(tc.locator("#item-wechat")).to_have_count(0)
    expect(gate).to_be_disabled()
    tc.locator("#item-word_of_mouth button[value=moments]").click()
    expect(gate).to_be_enabled()
    gate.click()
    expect(tc.locator("#today-panels")).to_contain_text("沈月岚")


def check_facts(house: House, visit: Visit) -> None:
    visit.refresh_from_db()
    assert stages_of(visit) == [
        "arrived", "received", "complaint", "exam", "consulting", "handoff", "doctor", "explaining", "decision",
        "leaving", "closed",
    ] or stages_of(visit) == [
        "arrived", "received", "intake", "complaint", "exam", "consulting", "handoff", "doctor", "explaining",
        "decision", "leaving", "closed",
    ]  # fmt: skip
    facts = [
        "arrived_at", "received_at", "form_completed_at", "complaint_confirmed_at", "exams_completed_at", "handoff_at",
        "handoff_acknowledged_at", "doctor_left_at", "decided_at", "next_appointment_made_at", "closed_at",
    ]  # fmt: skip
    times = [getattr(visit, name) for name in facts]
    assert None not in times, dict(zip(facts, times, strict=True))
    assert times == sorted(times)
    actors = dict(visit.stage_changes.values_list("new_stage", "by__full_name"))
    assert actors.pop("arrived") == house.desk.full_name
    assert actors.pop("explaining") == house.doctor.full_name
    assert set(actors.values()) == {house.coordinator.full_name}
    assert (visit.coordinator, visit.doctor) == (house.coordinator, house.doctor)
    assert (visit.decision, visit.deposit_amount, visit.decision_amount) == ("deposit", 2000, 12000)
    assert set(visit.explained_points) == {"price", "time", "pain", "alternatives"}
    assert visit.route == "exam_first"
    assert visit.is_first
    assert visit.next_appointment.kind == Appointment.Kind.TREATMENT
    assert visit.patient.wechat_linked_at is not None
    assert visit.patient.class_code == "C-C"


def test_implant_patient_from_the_door_to_the_checkout(house: House, open_page: Opener) -> None:
    house.person(Role.DOCTOR, "梁思远")  # with two doctors one has to be chosen
    tc, desk = open_page(house.coordinator), open_page(house.desk)
    doctor = open_page(house.doctor, viewport=TABLET, has_touch=True)
    tc.goto("/today/")
    doctor.goto("/doctor/")
    register_and_check_in(desk)
    visit = receive(tc)
    intake(tc, visit, open_page)
    confirm_complaint(tc, visit)
    examine(tc)
    hand_over(tc, doctor, visit)
    ask_and_answer(tc, doctor)
    acknowledge(tc, doctor)
    mark_teeth(doctor)
    write_plan(doctor, visit)
    price_and_present(tc, visit)
    decide(tc, visit)
    check_out(tc)
    check_facts(house, visit)
