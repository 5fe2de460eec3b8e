"""The today board: its columns, what waits for whom, its refresh, its cost."""

from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone, translation

from accounts.models import Clinic, User
from accounts.permissions import Role
from clinic_crm.workbench.board import cards_of
from clinic_crm.workbench.cards import Card
from clinic_crm.workbench.pulse import pulse_of
from clinic_crm.workbench.today import View, arrivals, board_of, ended_today, waivers_waiting
from consultations.models import CheckoutItem, Exam, ExamKind, Handoff, HandoffQuestion, Visit
from consultations.stages import Route, Stage
from followups.due_tasks import due_tasks
from followups.models import Appointment
from tests.factories import AppointmentFactory, ClinicFactory, PatientFactory, TaskFactory, UserFactory, VisitFactory

pytestmark = pytest.mark.django_db
HTMX = {"HTTP_HX_REQUEST": "true", "HTTP_HX_CURRENT_URL": "http://testserver/today/"}


class Floor:
    """One clinic with somebody of each role, and patients standing where a test puts them."""

    def __init__(self) -> None:
        self.clinic: Clinic = ClinicFactory()
        self.people: dict[str, User] = {role: UserFactory(clinic=self.clinic, role=role) for role in Role.values}
        self.tc, self.doctor = self.people[Role.COORDINATOR], self.people[Role.DOCTOR]

    def visit(self, stage: str = Stage.ARRIVED, minutes: int = 3, *, patient: Any = None, **facts: Any) -> Visit:
        now = timezone.now()
        person = patient or PatientFactory(clinic=self.clinic)
        person.registrations.update(owner=facts.pop("owner", None))
        usual: dict[str, Any] = {"doctor": self.doctor, "stage_since": now - timedelta(minutes=minutes)}
        if stage != Stage.ARRIVED:
            usual |= {"coordinator": self.tc, "received_at": now - timedelta(minutes=60)}
        return VisitFactory(clinic=self.clinic, patient=person, stage=stage, **(usual | facts))

    def card(self, visit: Visit, role: str = Role.COORDINATOR) -> Card:
        with translation.override("en"):
            cards = {c.visit.pk: c for c in cards_of(self.clinic, self.people[role], timezone.now())}
            return cards[visit.pk]

    def label(self, visit: Visit, role: str = Role.COORDINATOR) -> str | None:
        with translation.override("en"):
            action = self.card(visit, role).action
            return str(action.label) if action else None

    def missing(self, visit: Visit) -> list[str]:
        with translation.override("en"):
            return [str(item.label) for item in self.card(visit).missing]


@pytest.fixture
def floor() -> Floor:
    return Floor()


@pytest.fixture
def signed_in(client: Client, floor: Floor):
    def sign_in(role: str = Role.COORDINATOR) -> Client:
        client.force_login(floor.people[role], backend="allauth.account.auth_backends.AuthenticationBackend")
        return client

    return sign_in


def fill(floor: Floor, count: int) -> None:
    """Put `count` visits over all stages, with forms, notes, exams and a day of appointments around them."""
    stages = [s for s in Stage.values if s not in ("closed", "left_unseen")]
    kind = ExamKind.objects.create(clinic=floor.clinic, code=f"k{count}", name="全景片", is_required=True)
    for number in range(count):
        visit = floor.visit(stages[number % len(stages)], minutes=number)
        Handoff.objects.create(visit=visit)
        if visit.stage == Stage.EXAM:
            Exam.objects.create(visit=visit, kind=kind, ordered_by=floor.doctor)
        if visit.stage == Stage.LEAVING:
            CheckoutItem.objects.create(visit=visit, code="tbi", done_at=timezone.now())
        now = timezone.now()
        Visit.objects.filter(pk=floor.visit(Stage.CLOSED).pk).update(left_at=now - timedelta(days=number % 2))
        AppointmentFactory(
            clinic=floor.clinic, doctor=None, starts_at=now + timedelta(minutes=5), ends_at=now + timedelta(minutes=35)
        )


def statements(client: Client, url: str, **headers: Any) -> int:
    with CaptureQueriesContext(
        connection,
    ) as captured:
        response = client.get(url, **headers)
    assert response.status_code in (200, 204)
    return len(captured)


@pytest.mark.parametrize("role", [Role.COORDINATOR, Role.MANAGER, Role.FRONT_DESK, Role.DOCTOR])
def test_the_board_costs_the_same_with_five_cards_and_with_sixty(floor, signed_in, role):
    client = signed_in(role)
    fill(floor, 11)  # one in every stage, so that every read is needed
    few = statements(client, reverse("today"))
    fill(floor, 60)
    many = statements(client, reverse("today"))
    assert many == few
    assert many <= 15


def test_asking_again_without_a_change_is_answered_with_nothing(floor, signed_in):
    client = signed_in()
    fill(floor, 11)
    url = f"{reverse('today_board')}?pulse={pulse_of(floor.clinic, floor.tc, timezone.now())}"
    assert client.get(url, **HTMX).status_code == 204
    assert statements(client, url, **HTMX) <= 6


@pytest.mark.parametrize(
    "change",
    [
        lambda f, v: f.visit(),
        lambda f, v: Visit.objects.filter(pk=v.pk).update(stage=Stage.DECISION),
        lambda f, v: Handoff.objects.filter(visit=v).update(acknowledged_at=timezone.now(), sent_at=timezone.now()),
        lambda f, v: HandoffQuestion.objects.create(handoff=v.handoff, question="拍过 CT 吗？", asked_by=f.doctor),
        lambda f, v: Exam.objects.create(
            visit=v, ordered_by=f.doctor, kind=ExamKind.objects.create(clinic=f.clinic, code="ct", name="CT")
        ),
        lambda f, v: CheckoutItem.objects.create(visit=v, code="tbi", done_at=timezone.now()),
        lambda f, v: AppointmentFactory(clinic=f.clinic, doctor=None, patient=v.patient),
        lambda f, v: v.patient.save(),
        lambda f, v: TaskFactory(clinic=f.clinic, owner=f.tc),
    ],
    ids=["arrival", "stage", "read", "question", "exam", "must-do", "appointment", "patient", "task"],
)
def test_the_pulse_changes_with_whatever_the_board_shows(floor, change):
    visit = floor.visit(Stage.DOCTOR)
    Handoff.objects.create(visit=visit)
    now = timezone.now()
    before = pulse_of(floor.clinic, floor.tc, now)
    assert pulse_of(floor.clinic, floor.tc, now) == before
    change(floor, visit)
    assert pulse_of(floor.clinic, floor.tc, now) != before


def test_another_clinics_patients_neither_show_nor_count(floor, signed_in):
    other = Floor()
    visit = other.visit()
    before = pulse_of(floor.clinic, floor.tc, timezone.now())
    other.visit()
    assert pulse_of(floor.clinic, floor.tc, timezone.now()) == before
    assert visit.patient.name not in signed_in().get(reverse("today")).content.decode()
    url = reverse("today_step", args=[visit.pk, "receive"])
    assert signed_in().post(url).status_code == 404


# --- what waits for whom -----------------------------------------------------------------------


def test_who_arrived_waits_for_their_own_coordinator(floor):
    visit = floor.visit(owner=floor.tc)
    assert floor.label(visit) == "Receive"
    assert floor.label(visit, Role.MANAGER) is None
    assert floor.label(visit, Role.FRONT_DESK) is None


def test_who_is_nobodys_patient_waits_for_every_coordinator(floor):
    visit = floor.visit()
    assert floor.label(visit) == floor.label(visit, Role.MANAGER) == "Receive"


def test_who_waited_too_long_is_received_by_whoever_is_free(floor):
    visit = floor.visit(minutes=14, owner=UserFactory(clinic=floor.clinic))
    assert floor.card(visit).late
    assert floor.label(visit) == "Receive"


@pytest.mark.parametrize(
    ("stage", "facts", "label"),
    [
        (Stage.RECEIVED, {"is_first": True}, "Start the form"),
        (Stage.INTAKE, {"is_first": False}, "Confirm the complaint"),
        (Stage.CONSULTING, {}, "Write the handoff"),
        (Stage.DOCTOR, {}, None),
        (Stage.EXPLAINING, {"explained_points": ["price"]}, "Go on explaining"),
        (Stage.DECISION, {}, "Record the decision"),
        (Stage.LEAVING, {}, "Book the next visit"),
    ],
)
def test_the_button_names_the_next_thing(floor, stage, facts, label):
    assert floor.label(floor.visit(stage, **facts)) == label


def test_a_colleagues_patient_has_no_button_for_me(floor):
    for stage in (Stage.RECEIVED, Stage.HANDOFF, Stage.EXPLAINING, Stage.LEAVING):
        assert floor.label(floor.visit(stage, coordinator=UserFactory(clinic=floor.clinic))) is None


def test_the_exam_waits_for_the_nurse_and_names_what_is_missing(floor):
    ExamKind.objects.create(clinic=floor.clinic, code="pano", name="全景片", is_required=True)
    visit = floor.visit(Stage.EXAM, route=Route.EXAM_FIRST)
    assert floor.missing(visit) == ["全景片"]
    assert floor.label(visit) == floor.label(visit, Role.NURSE) == "Upload exams"
    done = floor.visit(Stage.EXAM, route=Route.DOCTOR_FIRST)
    assert floor.label(done, Role.NURSE) is None


def test_the_doctor_is_told_to_read_and_the_coordinator_whether_it_was_read(floor):
    visit = floor.visit(Stage.DOCTOR)
    assert floor.label(visit, Role.DOCTOR) == "Read the handoff"
    assert floor.card(visit).note[0] == "none"
    Visit.objects.filter(pk=visit.pk).update(handoff_acknowledged_at=timezone.now())
    assert floor.card(visit).note[0] == "good"


def test_a_question_back_waits_for_the_coordinator(floor):
    visit = floor.visit(Stage.DOCTOR)
    handoff = Handoff.objects.create(visit=visit)
    HandoffQuestion.objects.create(handoff=handoff, question="拍过 CT 吗？", asked_by=floor.doctor)
    assert floor.label(visit) == "Answer the doctor"
    assert floor.card(visit).note == ("info", "1 question back")


def test_a_long_list_of_missing_things_is_told_as_a_number(floor):
    assert floor.missing(floor.visit(Stage.HANDOFF)) == ["handoff note 7 items"]
    assert floor.missing(floor.visit(Stage.EXPLAINING, explained_points=["price", "time", "alternatives"])) == [
        "pain explained"
    ]


def test_with_a_later_appointment_the_next_visit_is_not_missing(floor):
    visit = floor.visit(Stage.LEAVING)
    AppointmentFactory(clinic=floor.clinic, patient=visit.patient, doctor=None)
    assert floor.label(visit) == "Check out"


# --- the board as one looks at it --------------------------------------------------------------


def test_mine_are_those_i_coordinate_and_those_that_wait_for_me(floor):
    mine, free = floor.visit(Stage.DOCTOR), floor.visit()
    floor.visit(Stage.DOCTOR, coordinator=UserFactory(clinic=floor.clinic))
    board = board_of(floor.clinic, floor.tc, View(scope="me"), timezone.now())
    shown = {c.visit.pk for column in board.columns for c in column.cards}
    assert shown == {mine.pk, free.pk}
    assert (board.mine, board.total) == (2, 3)


def test_the_doctor_filter_leaves_one_doctors_patients(floor):
    other = UserFactory(clinic=floor.clinic, role=Role.DOCTOR)
    wanted = floor.visit(Stage.DOCTOR, doctor=other)
    floor.visit(Stage.DOCTOR)
    board = board_of(floor.clinic, floor.tc, View(doctor=other.pk), timezone.now())
    assert [c.visit.pk for column in board.columns for c in column.cards] == [wanted.pk]
    assert len(board.doctors) == 2


def test_what_is_furthest_over_its_limit_comes_first(floor):
    floor.visit(Stage.EXPLAINING, minutes=41)  # of 60
    late = floor.visit(minutes=14, owner=floor.tc)  # of 10
    assert board_of(floor.clinic, floor.tc, View(), timezone.now()).primary.visit.pk == late.pk


def test_a_clinics_own_limits_count(floor):
    floor.clinic.stage_limits = {"arrived": 30}
    floor.clinic.save()
    assert not floor.card(floor.visit(minutes=14)).late


def test_the_page_shows_every_patient_in_their_column(floor, signed_in):
    visits = [floor.visit(stage) for stage in (Stage.ARRIVED, Stage.EXAM, Stage.LEAVING)]
    page = signed_in().get(reverse("today")).content.decode()
    for visit in visits:
        assert f'id="card-{visit.pk}"' in page
    assert 'style="' not in page


# --- steps from a card -------------------------------------------------------------------------


def test_receiving_moves_the_card(floor, signed_in):
    visit = floor.visit()
    response = signed_in().post(reverse("today_step", args=[visit.pk, "receive"]), **HTMX)
    assert response.status_code == 200
    visit.refresh_from_db()
    assert (visit.stage, visit.coordinator) == (Stage.RECEIVED, floor.tc)
    received = response.content.decode().partition('id="list-reception"')[2].partition('id="head-exam"')[0]
    assert f'id="card-{visit.pk}"' in received


def test_who_comes_second_is_told_who_was_first(floor, signed_in):
    visit = floor.visit()
    colleague = UserFactory(clinic=floor.clinic, full_name="石瑞彤")
    url = reverse("today_step", args=[visit.pk, "receive"])
    signed_in()
    from consultations.services.reception import receive

    receive(visit=visit, by=colleague)
    response = signed_in().post(url, **HTMX)
    assert response.status_code == 409
    assert "石瑞彤" in response["HX-Trigger"].encode().decode("unicode_escape")
    assert f'id="card-{visit.pk}"' in response.content.decode()
    visit.refresh_from_db()
    assert visit.coordinator == colleague


def test_only_coordinators_receive(floor, signed_in):
    url = reverse("today_step", args=[floor.visit().pk, "receive"])
    for role in (Role.FRONT_DESK, Role.NURSE, Role.DOCTOR, Role.ONLINE_CONSULTANT):
        assert signed_in(role).post(url).status_code == 403


def test_ending_a_visit_from_its_card_needs_everything_done(floor, signed_in):
    visit = floor.visit(Stage.LEAVING, decision="accepted", decided_at=timezone.now())
    response = signed_in().post(reverse("today_step", args=[visit.pk, "close"]), **HTMX)
    assert response.status_code == 422
    visit.refresh_from_db()
    assert visit.stage == Stage.LEAVING


def test_an_unknown_step_is_not_there(floor, signed_in):
    assert signed_in().post(reverse("today_step", args=[floor.visit().pk, "dance"])).status_code == 404


def test_without_javascript_a_step_leads_back_to_the_same_view(floor, signed_in):
    url = reverse("today_step", args=[floor.visit().pk, "receive"])
    assert signed_in().post(f"{url}?scope=me")["Location"] == "/today/?scope=me"


# --- below the board ---------------------------------------------------------------------------


def at_noon(clinic: Clinic):
    return clinic.day_bounds(clinic.today())[0] + timedelta(hours=12)


def test_expected_are_the_next_ninety_minutes_and_who_did_not_come(floor):
    noon = at_noon(floor.clinic)

    def booked(minutes: int, **facts: Any) -> Appointment:
        start = noon + timedelta(minutes=minutes)
        return AppointmentFactory(
            clinic=floor.clinic, doctor=None, starts_at=start, ends_at=start + timedelta(minutes=10), **facts
        )

    late, soon = booked(-30), booked(60)
    booked(120)
    booked(20, status="cancelled_patient", holds_slot=False)
    booked(30, status="kept")
    assert arrivals(floor.clinic, noon) == [late, soon]


def test_managers_see_what_waits_for_their_word(floor, signed_in):
    visit = floor.visit(Stage.LEAVING, decision="undecided", decided_at=timezone.now())
    CheckoutItem.objects.create(
        visit=visit, code="wechat", waiver_reason="没有微信", waiver_asked_at=timezone.now(), waiver_asked_by=floor.tc
    )
    assert len(waivers_waiting(floor.clinic)) == 1
    assert "没有微信" in signed_in(Role.MANAGER).get(reverse("today")).content.decode()
    assert "没有微信" not in signed_in().get(reverse("today")).content.decode()
    url = reverse("visit_waiver", args=[visit.pk, "wechat"])
    answer = signed_in(Role.MANAGER).post(url, {"approve": "1", "next": "today"})
    assert answer["Location"] == reverse("today")
    assert not waivers_waiting(floor.clinic)


def test_ended_today_leaves_out_yesterday_and_errors(floor):
    now = at_noon(floor.clinic)
    ended = floor.visit(Stage.CLOSED, left_at=now)
    floor.visit(Stage.CLOSED, left_at=now - timedelta(days=1))
    floor.visit(Stage.CLOSED, left_at=now, is_error=True)
    assert ended_today(floor.clinic) == [ended]


def test_home_leads_doctors_to_their_queue_and_others_to_the_board(signed_in):
    assert signed_in(Role.DOCTOR).get("/")["Location"] == reverse("doctor_queue")
    assert signed_in(Role.FRONT_DESK).get("/")["Location"] == reverse("today")


def test_what_people_typed_is_escaped_on_the_cards(floor, signed_in):
    visit = floor.visit(patient=PatientFactory(clinic=floor.clinic, name="<script>x</script>"))
    visit.consultation.complaint_text = '"><img src=x>'
    visit.consultation.save()
    page = signed_in().get(reverse("today")).content.decode()
    assert "<script>x" not in page
    assert "<img src=x>" not in page
    assert "&lt;script&gt;x" in page


def test_the_own_tasks_that_are_due_stand_below_with_what_to_do(floor, signed_in):
    tasks = [TaskFactory(clinic=floor.clinic, owner=floor.tc) for _n in range(8)]
    TaskFactory(clinic=floor.clinic, owner=None, owner_role=Role.COORDINATOR, title="无人认领")
    colleagues = TaskFactory(clinic=floor.clinic, owner=floor.people[Role.MANAGER])
    later = TaskFactory(clinic=floor.clinic, owner=floor.tc, due_at=timezone.now() + timedelta(days=2))
    shown = signed_in().get(reverse("today"))
    assert (shown.context["tasks"].total, len(shown.context["tasks"].rows)) == (9, 7)
    html = shown.content.decode()
    assert reverse("task", args=[tasks[0].pk]) in html
    assert "拨打" in html
    for absent in (colleagues, later):
        assert reverse("task", args=[absent.pk]) not in html
    assert shown.wsgi_request.task_count == 9  # the frame counts them no second time
    assert signed_in(Role.DOCTOR).get(reverse("today")).context["tasks"] is None


@pytest.mark.parametrize(
    ("minutes", "level", "words"),
    [(-90, "bad", "1 h overdue"), (-20, "watch", "20 min overdue"), (21, "watch", "in 21 min"), (180, "", "")],
)
def test_a_task_that_presses_says_so(floor, minutes, level, words):
    now = floor.clinic.day_bounds(floor.clinic.today())[0] + timedelta(hours=12)
    TaskFactory(clinic=floor.clinic, owner=floor.tc, due_at=now + timedelta(minutes=minutes), kind="recheck_plan")
    with translation.override("en"):
        (row,) = due_tasks(floor.tc, floor.clinic, now).rows
        assert (row.level, row.words, row.verb) == (level, words, "Prepare")
