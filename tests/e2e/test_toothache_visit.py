"""A toothache, doctor first: the patient stays undecided, the class sets the must-dos, the manager lets one go."""

from typing import Any

import pytest
from playwright.sync_api import Page, expect

from consultations.models import CheckoutItem, Visit
from consultations.services.complaint import confirm_complaint
from consultations.services.reception import check_in, receive
from patients.models import Patient
from tests.e2e.conftest import SOON, TABLET, House, Opener, act, pick, stages_of, write_handoff
from tests.factories import PatientFactory

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def patient(house: House) -> Patient:
    found: Patient = PatientFactory(clinic=house.clinic, name="邵文若", sex="m", phone="19900002265")
    return found


def walk_in(tc: Page, patient: Patient) -> Visit:
    """The coordinator finds who came by the last digits of the phone, and receives them."""
    tc.goto("/today/")
    tc.keyboard.press("i")
    tc.locator("#walk-in [name=q]").fill("2265")
    act(tc, f"/check-in/{patient.pk}/").click()
    card = tc.locator("#list-arrived .board-card", has_text="邵文若")
    expect(card).to_be_visible()
    expect(tc.locator("#walk-in")).to_have_count(0)
    card.get_by_role("button", name="接待").click()
    expect(tc.locator("#list-reception")).to_contain_text("邵文若")
    return Visit.objects.get()


def ask_the_form(tc: Page, visit: Visit) -> None:
    """The coordinator asks the needed questions; the form names those still open."""
    tc.goto(f"/visits/{visit.pk}/?stage=intake")
    tc.locator("button[name=kind][value=dental]").click()
    tc.get_by_role("button", name="完成问诊表").click()
    expect(tc.locator(".error-summary")).to_be_visible()
    tc.locator("[name=q_main_complaint]").fill("右下大牙夜里疼")
    picks = {
        "pain": "now",
        "conditions": "none",
        "allergies": "no",
        "medication": "no",
        "decide_with": "self",
        "heard": "search",
        "call_hours": "09:00-21:00",
    }
    for code, value in picks.items():
        pick(tc, f"q_{code}", value)
    tc.get_by_role("button", name="完成问诊表").click()
    expect(tc.locator(".error-summary")).to_have_count(0)


def to_the_doctor(tc: Page, visit: Visit) -> None:
    tc.goto(f"/visits/{visit.pk}/?stage=complaint")
    pick(tc, "complaint", "pain")
    tc.get_by_role("button", name="主诉已确认").click()
    tc.get_by_role("button", name="写交接单").click()
    write_handoff(tc, klass="C-E", points=["要不要做根管"])
    tc.locator("[data-send]").click()
    expect(tc.locator("#handoff-status")).to_be_visible()


def treat(doctor: Page, visit: Visit) -> None:
    """The doctor reads, looks, and sends for an exam before the plan."""
    doctor.locator("#queue .dq-card", has_text="邵文若").click(timeout=SOON)
    doctor.get_by_role("button", name="已阅，开始检查").click()
    doctor.locator("[data-tooth='46']").click()
    doctor.locator(".teeth-kinds button[value=caries]").click()
    expect(doctor.locator("[data-tooth='46'].has")).to_be_visible()
    doctor.locator(f"a[href='/doctor/{visit.pk}/plan/']").first.click()
    doctor.locator("[name=title]").fill("右下后牙牙痛治疗方案")
    option = doctor.locator(".plan-option").first
    option.locator("input[name$='-name']").first.fill("根管治疗加全瓷冠")
    option.locator(".plan-item input[name$='-name']").fill("根管治疗")
    doctor.locator("button[value=finish]").click()
    doctor.get_by_role("button", name="我先离开").click()
    expect(doctor.locator("#queue .dq-card", has_text="邵文若")).to_have_count(0)


def explain(tc: Page, visit: Visit) -> None:
    """The decision waits for all four points."""
    tc.goto(f"/visits/{visit.pk}/?stage=decision")
    pick(tc, "decision", "undecided")
    tc.locator("[name=obstacle]").fill("想和家里商量")
    tc.get_by_role("button", name="记下决定").click()
    expect(tc.locator(".error-summary")).to_contain_text("还缺")
    expect(tc.locator("[name=obstacle]")).to_have_value("想和家里商量")
    tc.goto(f"/visits/{visit.pk}/plan/")
    for point in ("price", "time", "pain", "alternatives"):
        tc.locator(f"#tick-{point}").click()
        expect(tc.locator(f"#tick-{point}")).to_have_attribute("aria-checked", "true")
    tc.goto(f"/visits/{visit.pk}/?stage=decision")
    pick(tc, "decision", "undecided")
    tc.locator("[name=obstacle]").fill("想和家里商量")
    tc.get_by_role("button", name="记下决定").click()


def do_the_must_dos(tc: Page) -> None:
    """An undecided C-E: the tooth-brushing lesson and the recheck plan stand in the list too."""
    must_dos = ["next_appointment", "wechat", "recheck_plan", "tbi", "word_of_mouth"]
    for code in must_dos:
        expect(tc.locator(f"#item-{code}")).to_be_visible()
    tc.locator("#item-next_appointment button[name=slot]").first.click()
    expect(tc.locator("#item-next_appointment")).to_have_count(0)
    for code in ("recheck_plan", "tbi"):
        tc.locator(f"#item-{code} form").first.get_by_role("button").first.click()
        expect(tc.locator(f"#item-{code}")).to_have_count(0)
    tc.locator("#item-word_of_mouth button[value=declined]").click()
    expect(tc.locator("#item-word_of_mouth")).to_have_count(0)


def ask_the_manager(tc: Page) -> None:
    wechat = tc.locator("#item-wechat")
    wechat.locator("summary").click()
    wechat.locator("[name=reason]").fill("手机没带，下次加")
    wechat.get_by_role("button", name="请主管批准").click()
    expect(wechat).to_contain_text("等主管批准")
    expect(wechat.locator("[name=approve]")).to_have_count(0)  # nobody approves their own wish
    expect(tc.locator("form[action$='/close/'] button")).to_be_disabled()


def approve(manager: Page) -> None:
    """The manager's board, open all along, shows the wish; one gesture grants it."""
    row = manager.locator(".waiver", has_text="邵文若")
    expect(row).to_contain_text("手机没带，下次加", timeout=SOON)
    row.get_by_role("button", name="批准", exact=True).click()
    expect(manager.locator(".waiver", has_text="邵文若")).to_have_count(0)


def check_facts(house: House, visit: Visit) -> None:
    visit.refresh_from_db()
    passed = stages_of(visit)
    assert [stage for stage in passed if stage != "intake"] == [
        "arrived", "received", "complaint", "consulting", "handoff", "doctor", "explaining", "decision", "leaving",
        "closed",
    ]  # fmt: skip
    assert "exam" not in passed  # the doctor ordered none
    assert (visit.route, visit.decision, visit.obstacle) == ("doctor_first", "undecided", "想和家里商量")
    assert visit.classification.new_class == "C-E"
    assert visit.classified_at
    assert visit.patient.wechat_linked_at is None
    waiver: Any = CheckoutItem.objects.get(visit=visit, code="wechat")
    assert (waiver.waiver_asked_by, waiver.waived_by) == (house.coordinator, house.manager)
    assert waiver.waiver_reason == "手机没带，下次加"
    assert visit.next_appointment.kind == "recheck"
    assert visit.closed_at >= waiver.waived_at


def test_undecided_toothache_leaves_with_the_managers_word(house: House, open_page: Opener, patient: Patient) -> None:
    tc, manager = open_page(house.coordinator), open_page(house.manager)
    doctor = open_page(house.doctor, viewport=TABLET, has_touch=True)
    manager.goto("/today/")
    doctor.goto("/doctor/")
    visit = walk_in(tc, patient)
    ask_the_form(tc, visit)
    to_the_doctor(tc, visit)
    treat(doctor, visit)
    explain(tc, visit)
    do_the_must_dos(tc)
    ask_the_manager(tc)
    approve(manager)
    tc.reload()
    tc.locator("form[action$='/close/'] button").click()
    expect(tc.locator("#today-panels")).to_contain_text("邵文若")
    check_facts(house, visit)


def test_steps_out_of_turn_are_refused_with_what_is_missing(house: House, open_page: Opener, patient: Patient) -> None:
    """A coordinator cannot do the doctor's step, and the visit cannot jump ahead; the page says what is missing."""
    visit = receive(visit=check_in(clinic=house.clinic, patient=patient, by=house.desk), by=house.coordinator)
    visit = confirm_complaint(
        visit=visit, complaint="pain", text="牙痛", route="doctor_first", by=house.coordinator, expected="received"
    )
    tc = open_page(house.coordinator)
    tc.goto(f"/visits/{visit.pk}/")
    tc.get_by_role("button", name="写交接单").click()
    tc.wait_for_load_state()
    house.doctor  # noqa: B018  joins the clinic, so that the note has somebody to go to
    tc.reload()
    write_handoff(tc, klass="C-E", points=["要不要做根管"])
    tc.locator("[data-send]").click()
    expect(tc.locator(".error-summary")).to_contain_text("问诊表")
    expect(tc.locator("[name=opinion]")).to_have_value("想尽快解决咀嚼，担心手术疼")
    response = tc.goto(f"/doctor/{visit.pk}/")
    assert response is not None
    assert response.status == 403
    visit.refresh_from_db()
    assert visit.stage == "handoff"
    assert visit.handoff_at is None
