"""Two people at the same thing at once: one wins, the other sees who and where, and nothing typed is lost."""

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone
from playwright.sync_api import Page, expect

from accounts.permissions import Role
from consultations.models import StageChange
from consultations.services.complaint import confirm_complaint
from consultations.services.reception import check_in, receive
from followups.models import Appointment
from followups.services import book, length_of
from patients.models import Patient
from tests.e2e.conftest import SOON, House, Opener, pick
from tests.factories import PatientFactory

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def patient(house: House) -> Patient:
    found: Patient = PatientFactory(clinic=house.clinic, name="周雨薇", phone="19900003311")
    return found


def hold_still(page: Page) -> None:
    """Keep the page from asking anew, as a slow network would; what it shows grows old."""
    page.route("**/today/board/**", lambda route: route.abort())


def test_two_coordinators_receive_one_patient(house: House, open_page: Opener, patient: Patient) -> None:
    visit = check_in(clinic=house.clinic, patient=patient, by=house.desk)
    quick, slow = open_page(house.coordinator), open_page(house.person(Role.COORDINATOR, "林若溪"))
    for page in (quick, slow):
        page.goto("/today/")
    hold_still(slow)
    quick.locator(f"#do-{visit.pk}").click()
    expect(quick.locator("#list-reception")).to_contain_text("周雨薇")
    slow.locator(f"#do-{visit.pk}").click()
    toast = slow.locator("#toasts .toast")
    expect(toast).to_contain_text("曹素铭")
    expect(toast).to_contain_text("接待")
    expect(slow.locator("#list-reception")).to_contain_text("周雨薇")
    expect(slow.locator("#list-arrived")).not_to_contain_text("周雨薇")
    visit.refresh_from_db()
    assert visit.coordinator == house.coordinator
    assert StageChange.objects.filter(visit=visit, new_stage="received").count() == 1


def test_a_colleague_sees_the_move_within_five_seconds(house: House, open_page: Opener, patient: Patient) -> None:
    watching = open_page(house.desk)
    watching.goto("/today/")
    visit = check_in(clinic=house.clinic, patient=patient, by=house.coordinator)
    expect(watching.locator("#list-arrived")).to_contain_text("周雨薇", timeout=SOON)
    receive(visit=visit, by=house.coordinator)
    expect(watching.locator("#list-reception")).to_contain_text("周雨薇", timeout=SOON)
    expect(watching.locator("#list-arrived")).not_to_contain_text("周雨薇")


def test_two_coordinators_move_one_visit_from_old_pages(house: House, open_page: Opener, patient: Patient) -> None:
    visit = receive(visit=check_in(clinic=house.clinic, patient=patient, by=house.desk), by=house.coordinator)
    slow = open_page(house.person(Role.COORDINATOR, "林若溪"))
    slow.goto(f"/visits/{visit.pk}/?stage=complaint")
    slow.locator("[name=complaint_text]").fill("右下牙痛三天")
    pick(slow, "complaint", "pain")
    confirm_complaint(visit=visit, complaint="implant", text="左下缺牙", by=house.coordinator, expected="received")
    slow.get_by_role("button", name="主诉已确认").click()
    expect(slow.locator("#toasts")).to_contain_text("曹素铭")
    expect(slow.locator("#toasts")).to_contain_text("检查")
    visit.refresh_from_db()
    assert (visit.stage, visit.consultation.complaint) == ("exam", "implant")


def test_two_people_edit_one_patient(house: House, open_page: Opener, patient: Patient) -> None:
    """The later save shows both versions; the person chooses, and both changes end up in the record."""
    first, second = open_page(house.coordinator), open_page(house.desk)
    for page in (first, second):
        page.goto(f"/patients/{patient.pk}/edit/")
    first.locator("[name=occupation]").fill("护士，三班倒")
    first.locator("[name=region]").fill("滨江区")
    first.locator("form.stack button.btn-primary, form[data-guard] button.btn-primary").first.click()
    first.wait_for_url(f"**/patients/{patient.pk}/")
    second.locator("[name=occupation]").fill("护士")
    second.locator("[name=family]").fill("一个孩子")
    save = second.locator("form[data-guard] button.btn-primary").first
    save.click()
    differences = second.locator("#differences")
    expect(differences).to_contain_text("曹素铭")
    expect(differences).to_contain_text("护士，三班倒")
    expect(second.locator("[name=family]")).to_have_value("一个孩子")
    expect(second.locator("[name=region]")).to_have_value("滨江区")
    differences.locator("label:has([name=pick_occupation][value=theirs])").click()
    second.locator("form[data-guard] button.btn-primary").first.click()
    second.wait_for_url(f"**/patients/{patient.pk}/")
    patient.refresh_from_db()
    assert (patient.occupation, patient.region, patient.family) == ("护士，三班倒", "滨江区", "一个孩子")


def test_a_time_just_taken_offers_the_nearest(house: House, open_page: Opener, patient: Patient) -> None:
    rival: Any = PatientFactory(clinic=house.clinic, name="韩思远")
    desk = open_page(house.desk)
    day = house.clinic.today() + timedelta(days=2)
    desk.goto(f"/appointments/new/?patient={patient.pk}&doctor={house.doctor.pk}&day={day}&kind=first")
    pick(desk, "at", "10:00")
    start = house.clinic.day_bounds(day)[0] + timedelta(hours=10)
    book(
        clinic=house.clinic,
        patient=rival,
        doctor=house.doctor,
        room=None,
        kind="first",
        starts_at=start,
        ends_at=start + length_of("first"),
        by=house.coordinator,
    )
    desk.locator("#times button.btn-primary").click()
    near = desk.locator("#times .is-invalid button[name=slot]")
    expect(near.first).to_be_visible()
    expect(desk.locator(".error-summary")).to_be_visible()
    offered = near.first.inner_text()
    near.first.click()
    desk.wait_for_url(lambda url: "/appointments/new/" not in url)
    mine = Appointment.objects.get(patient=patient)
    local = timezone.localtime(mine.starts_at, house.clinic.tz)
    assert local.strftime("%H:%M") in offered
    assert (local.date(), mine.doctor) == (day, house.doctor)
    assert abs(mine.starts_at - start) <= timedelta(hours=2)
    assert mine.starts_at != start


def test_typing_survives_what_changes_elsewhere(house: House, open_page: Opener, patient: Patient) -> None:
    """The page asks anew every few seconds, but never under somebody's hands."""
    visit = receive(visit=check_in(clinic=house.clinic, patient=patient, by=house.desk), by=house.coordinator)
    tc = open_page(house.coordinator)
    tc.goto(f"/visits/{visit.pk}/?stage=intake")
    tc.locator("button[name=kind][value=dental]").click()
    field = tc.locator("[name=q_main_complaint]")
    with tc.expect_response(lambda answer: "/form/save/" in answer.url):
        field.fill("牙龈出血")
    with tc.expect_response(lambda answer: "/form/live/" in answer.url):
        field.press_sequentially("，刷牙时")
    expect(field).to_be_focused()
    expect(field).to_have_value("牙龈出血，刷牙时")
    tc.reload()
    expect(field).to_have_value("牙龈出血，刷牙时")


def test_an_action_on_the_board_without_a_connection_says_so(house: House, open_page: Opener, patient: Patient) -> None:
    """The board asks for news by itself, silently; what a person does there is never silent."""
    visit = check_in(clinic=house.clinic, patient=patient, by=house.desk)
    page = open_page(house.coordinator)
    page.goto("/today/")
    page.route("**/today/**", lambda route: route.abort())
    page.locator(f"#do-{visit.pk}").click()
    expect(page.locator("#toasts .toast")).to_contain_text("网络")
    expect(page.locator("#list-arrived")).to_contain_text("周雨薇")
