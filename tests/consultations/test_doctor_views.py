"""The doctor's queue and page."""

from datetime import timedelta

import pytest
from django.urls import reverse
from django.utils import timezone

from accounts.permissions import Role
from consultations.models import Exam, ExamKind, Handoff, Visit
from consultations.services import findings, handoff, plan_terms, plans, questions
from consultations.services.queue import Turn, first_open, queue_of
from followups.models import Appointment
from tests.consultations.clinical import Room, draft, note
from tests.factories import AppointmentFactory, PatientFactory, PhoneFactory

pytestmark = pytest.mark.django_db
HTMX = {"HTTP_HX_REQUEST": "true"}


@pytest.fixture
def room():
    return Room()


@pytest.fixture
def doctor(room, client):
    client.force_login(room.doctor)
    return client


def aged(visit, minutes):
    Visit.objects.filter(pk=visit.pk).update(stage_since=timezone.now() - timedelta(minutes=minutes))
    return visit


# --- the queue ----------------------------------------------------------------------------------


def test_the_queue_is_in_the_order_of_urgency(room):
    chair = room.acknowledged()
    short, long = aged(room.sent(), 3), aged(room.sent(), 20)
    on_the_way = room.visit(stage="consulting")
    in_exam = room.visit(stage="exam")
    changing, _plan = room.explaining()
    questions.ask_for_change(visit=changing, question="改", by=room.tc)
    soon = AppointmentFactory(clinic=room.clinic, doctor=room.doctor, starts_at=timezone.now() + timedelta(seconds=30))
    cards = queue_of(room.doctor, room.clinic)
    assert [card.visit_id for card in cards[:6]] == [
        changing.pk, long.pk, short.pk, chair.pk, in_exam.pk, on_the_way.pk,
    ]  # fmt: skip
    if room.clinic.today() == timezone.localdate(soon.starts_at, room.clinic.tz):  # not over midnight
        assert (cards[-1].turn, cards[-1].patient) == (Turn.EXPECTED, soon.patient.name)


def test_others_patients_and_what_is_over_are_not_in_it(room):
    room.sent(room.visit(doctor=room.person(Role.DOCTOR)))
    room.explaining()
    room.visit(stage="closed")
    kept = AppointmentFactory(clinic=room.clinic, doctor=room.doctor, status=Appointment.Status.KEPT)
    assert kept
    assert queue_of(room.doctor, room.clinic) == []


def test_the_page_opens_who_waits_longest(room, doctor):
    room.acknowledged()
    waiting = aged(room.sent(), 9)
    cards = queue_of(room.doctor, room.clinic)
    assert first_open(cards) == waiting.pk
    assert waiting.patient.name in doctor.get(reverse("doctor_queue")).content.decode()


def test_an_empty_queue_says_what_will_come(doctor):
    assert "没有患者在等您" in doctor.get(reverse("doctor_queue")).content.decode()


def test_the_queue_needs_the_same_statements_at_3_and_at_30(room, doctor, django_assert_num_queries):
    from django.db import connection
    from django.test.utils import CaptureQueriesContext

    def grow(count):
        for _ in range(count):
            room.sent()

    url = reverse("doctor_cards")
    grow(3)
    doctor.get(url)
    with CaptureQueriesContext(connection) as few:
        doctor.get(url)
    grow(27)
    with django_assert_num_queries(len(few)):
        html = doctor.get(url).content.decode()
    assert html.count("dq-turn-1") == 30
    assert len(few) <= 8


def test_what_did_not_change_is_not_drawn_anew(room, doctor):
    visit = room.sent()
    url = reverse("doctor_cards")
    first = doctor.get(url, {"open": visit.pk})
    seen = first.content.decode().split("seen=")[1].split('"')[0]
    assert doctor.get(url, {"open": visit.pk, "seen": seen}).status_code == 204
    question = questions.ask_coordinator(visit=visit, question="?", by=room.doctor)
    questions.answer(question=question, text="答了", by=room.tc)
    assert "答了" in doctor.get(url, {"open": visit.pk, "seen": seen}).content.decode()


@pytest.mark.parametrize("role", [Role.COORDINATOR, Role.MANAGER, Role.NURSE, Role.FRONT_DESK])
def test_the_queue_is_for_doctors(room, client, role):
    client.force_login(room.person(role))
    visit = room.sent()
    for name, args in [
        ("doctor_queue", []),
        ("doctor_cards", []),
        ("doctor_visit", [visit.pk]),
        ("plan_edit", [visit.pk]),
    ]:
        assert client.get(reverse(name, args=args)).status_code == 403


# --- the page -----------------------------------------------------------------------------------


def test_the_page_shows_the_note_and_no_phone_and_no_price(room, doctor):
    patient = PatientFactory(clinic=room.clinic, allergies="青霉素")
    phone = PhoneFactory(patient=patient)
    visit = room.sent(room.visit(patient=patient, deposit_amount=3_000))
    html = doctor.get(reverse("doctor_visit", args=[visit.pk])).content.decode()
    for words in ("过敏：青霉素", "能不能种，当面给结论", "片子我看过", "已阅，开始检查", "曹素铭"):
        assert words in html
    assert phone.last4 not in html
    assert "¥" not in html


def test_the_page_needs_few_statements(room, doctor, django_assert_max_num_queries):
    visit, _plan = room.planned(room.acknowledged(room.sent(room.visit(is_first=False))))
    for tooth in (16, 26, 36, 46):
        findings.toggle_finding(visit=visit, tooth=tooth, kind="caries", by=room.doctor)
    url = reverse("doctor_visit", args=[visit.pk])
    doctor.get(url)
    with django_assert_max_num_queries(15):
        doctor.get(url)


def test_acknowledging_is_one_button_and_the_next_one_follows(room, doctor):
    visit = room.sent()
    response = doctor.post(reverse("handoff_acknowledge", args=[visit.pk]), {"version": 1}, follow=True)
    visit.refresh_from_db()
    assert visit.handoff_acknowledged_at is not None
    assert "写治疗计划" in response.content.decode()


def test_reading_an_old_version_answers_409_with_the_new_one(room, doctor):
    visit = room.sent()
    handoff.change_sent(visit=visit, content=note(opinion="新的看法"), version=1, by=room.tc)
    response = doctor.post(reverse("handoff_acknowledge", args=[visit.pk]), {"version": 1})
    assert response.status_code == 409
    assert "新的看法" in response.content.decode()
    assert Handoff.objects.get(visit=visit).acknowledged_at is None


def test_a_coordinator_cannot_acknowledge_or_leave(room, client):
    client.force_login(room.tc)
    visit, _plan = room.planned()
    for name in ("handoff_acknowledge", "doctor_leave", "handoff_ask", "tooth_mark", "doctor_exams"):
        assert client.post(reverse(name, args=[visit.pk]), {"version": 1}).status_code == 403


def test_asking_back(room, doctor):
    visit = room.sent()
    doctor.post(reverse("handoff_ask", args=[visit.pk]), {"question": "片子什么时候拍的？"})
    assert Handoff.objects.get(visit=visit).questions.get().question == "片子什么时候拍的？"


def test_leaving_without_a_plan_says_what_is_missing(room, doctor):
    visit = room.acknowledged()
    response = doctor.post(reverse("doctor_leave", args=[visit.pk]), {"expected": "doctor"})
    assert response.status_code == 422
    assert "治疗计划" in response.content.decode()


def test_leaving_with_a_plan_hands_over_to_the_coordinator(room, doctor):
    visit, _plan = room.planned()
    response = doctor.post(reverse("doctor_leave", args=[visit.pk]), {"expected": "doctor"}, follow=True)
    visit.refresh_from_db()
    assert visit.stage == "explaining"
    assert "曹素铭" in response.content.decode()


def test_a_doctor_who_tapped_leave_too_soon_comes_back_until_something_is_explained(room, doctor):
    visit, _plan = room.planned()
    page = doctor.post(reverse("doctor_leave", args=[visit.pk]), {"expected": "doctor"}, follow=True)
    back = reverse("doctor_come_back", args=[visit.pk])
    assert back in page.content.decode()
    assert doctor.post(back).status_code == 302
    visit.refresh_from_db()
    assert (visit.stage, visit.doctor_left_at, visit.explaining_started_at) == ("doctor", None, None)
    doctor.post(reverse("doctor_leave", args=[visit.pk]), {"expected": "doctor"})
    plan_terms.tick_point(visit=visit, point="price", on=True, by=room.tc)
    assert doctor.post(back).status_code == 422
    visit.refresh_from_db()
    assert visit.stage == "explaining"


def test_a_second_leaving_answers_409(room, doctor):
    visit, _plan = room.explaining()
    assert doctor.post(reverse("doctor_leave", args=[visit.pk]), {"expected": "doctor"}).status_code == 409


def test_the_chart_takes_a_finding_by_touch(room, doctor):
    visit = room.acknowledged()
    url = reverse("tooth_mark", args=[visit.pk])
    html = doctor.post(url, {"tooth": "36", "kind": "caries"}, **HTMX).content.decode()
    assert 'data-tooth="36" data-kinds="caries" aria-current="true"' in html
    assert (
        "caries"
        not in doctor.post(url, {"tooth": "36", "action": "undo"}, **HTMX).content.decode().split("data-kinds=")[1][:20]
    )
    assert visit.tooth_findings.filter(removed_at=None).count() == 0


def test_the_chart_works_without_scripts(room, doctor):
    visit = room.acknowledged()
    response = doctor.post(reverse("tooth_mark", args=[visit.pk]), {"tooth": "36", "kind": "missing"}, follow=True)
    assert 'data-tooth="36" data-kinds="missing" aria-current="true"' in response.content.decode()


def test_a_wrong_tooth_is_refused_and_nothing_is_kept(room, doctor):
    visit = room.acknowledged()
    response = doctor.post(reverse("tooth_mark", args=[visit.pk]), {"tooth": "99", "kind": "caries"}, **HTMX)
    assert response.status_code == 422
    assert not visit.tooth_findings.exists()


def test_milk_teeth_are_shown_for_a_child(room, doctor):
    child = PatientFactory(clinic=room.clinic, birth_date=timezone.localdate() - timedelta(days=7 * 366))
    html = doctor.get(reverse("doctor_visit", args=[room.sent(room.visit(patient=child)).pk])).content.decode()
    grown = doctor.get(reverse("doctor_visit", args=[room.sent().pk])).content.decode()
    assert 'data-tooth="55"' in html
    assert 'data-tooth="55"' not in grown


def test_exams_are_ordered_without_prices_and_the_patient_sent(room, doctor):
    kind = ExamKind.objects.create(clinic=room.clinic, code="pano", name="全景片", price=86_427)
    visit = room.visit(complaint="pain", route="doctor_first", exams_completed_at=None)
    room.acknowledged(room.sent(visit, class_code="C-E"))
    html = doctor.get(reverse("doctor_visit", args=[visit.pk])).content.decode()
    assert "全景片" in html
    assert "86427" not in html
    assert "86,427" not in html
    doctor.post(reverse("doctor_exams", args=[visit.pk]), {"kinds": [kind.pk], "action": "order"})
    assert Exam.objects.get(visit=visit).kind == kind
    doctor.post(reverse("doctor_exams", args=[visit.pk]), {"action": "send"})
    visit.refresh_from_db()
    assert visit.stage == "exam"


def test_another_clinics_exam_cannot_be_ordered(room, doctor):
    foreign = ExamKind.objects.create(clinic=Room().clinic, code="pano", name="别家的")
    visit = room.acknowledged()
    doctor.post(reverse("doctor_exams", args=[visit.pk]), {"kinds": [foreign.pk], "action": "order"})
    assert not Exam.objects.filter(visit=visit).exists()


def test_a_request_for_a_change_reaches_the_doctor_and_is_answered(room, doctor):
    visit, _plan = room.explaining()
    question = questions.ask_for_change(visit=visit, question="患者不想植骨", by=room.tc)
    html = doctor.get(reverse("doctor_queue")).content.decode()
    assert "患者不想植骨" in html
    assert reverse("plan_edit", args=[visit.pk]) in html
    doctor.post(reverse("question_answer", args=[visit.pk, question.pk]), {"answer": "改成短种植体"})
    question.refresh_from_db()
    assert question.answer == "改成短种植体"
    assert queue_of(room.doctor, room.clinic) == []


def test_the_coordinator_sees_findings_and_plan(room, client):
    visit = room.acknowledged()
    findings.toggle_finding(visit=visit, tooth=36, kind="missing", by=room.doctor)
    plans.save_plan(visit=visit, draft=draft(), version=0, by=room.doctor)
    client.force_login(room.tc)
    html = client.get(f"{visit.get_absolute_url()}?stage=doctor").content.decode()
    assert "已阅" in html
    assert "左下第一磨牙缺失" in html
