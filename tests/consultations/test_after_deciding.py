"""After the decision: taking it back, WeChat marked and unmarked, the next appointment's kind and length, care notices."""

from datetime import time, timedelta
from typing import Any

import pytest
from django.urls import reverse
from django.utils import timezone

from accounts.models import AuditEvent, User
from accounts.permissions import Role
from consultations.errors import StageConflict
from consultations.models import Refund, Visit
from consultations.services.aftermath import follow_up
from consultations.services.decision import Answer, take_decision, take_decision_back
from consultations.services.handoff import suggestion_of
from consultations.services.leaving import classify_visit
from consultations.stages import Stage
from consultations.views.desk import next_kind
from consultations.views.workspace import last_visit
from followups.models import Appointment, PlaybookRun, Task
from followups.models.schedule import CalendarSettings, WorkingHours
from followups.services.wechat import add_wechat, close_asking
from patients.errors import Refused as PatientRefused
from patients.models import ClassChange, Patient
from patients.services.contact import unlink_wechat
from tests.consultations.clinical import Room
from tests.factories import AppointmentFactory, PatientFactory, TaskFactory

pytestmark = pytest.mark.django_db


@pytest.fixture
def room() -> Room:
    return Room()


def asked(room: Room, complaint: str = "implant", **columns: Any) -> Visit:
    """A visit that stands at the decision, its plan explained."""
    visit, _plan = room.explaining(room.acknowledged(room.sent(room.visit(complaint=complaint, **columns))))
    Visit.objects.filter(pk=visit.pk).update(explained_points=["price", "time", "pain", "alternatives"])
    return Visit.objects.get(pk=visit.pk)


def test_a_decision_kept_wrongly_is_taken_back_and_the_playbook_goes_on(room: Room, client: Any) -> None:
    visit = asked(room)
    run = PlaybookRun.objects.get(patient=visit.patient)  # begun with the class of the handoff
    TaskFactory(clinic=room.clinic, patient=visit.patient, run=run)
    by_hand = TaskFactory(clinic=room.clinic, patient=visit.patient, kind="plan_sent")
    decided = take_decision(visit=visit, answer=Answer("refused", obstacle="太贵"), by=room.tc)
    assert not Task.objects.open().filter(run=run).exists()
    by_hand.refresh_from_db()
    assert by_hand.closed_reason == "refused"
    client.force_login(room.tc)
    undo = f"/visits/{visit.pk}/decision/undo/"
    assert undo in client.get(f"/visits/{visit.pk}/?stage=decision").content.decode()
    assert client.post(undo).status_code == 302
    decided.refresh_from_db(), run.refresh_from_db()
    assert (decided.stage, decided.decision, decided.decided_at, decided.obstacle) == (Stage.DECISION, "", None, "")
    assert decided.consultation.status == "open"
    assert run.ended_at is None
    assert Task.objects.open().filter(run=run).exists()
    by_hand.refresh_from_db()
    assert by_hand.status == "open"
    assert AuditEvent.objects.filter(action="decision_taken_back").exists()
    again = take_decision(visit=decided, answer=Answer("undecided", obstacle="和家人商量"), by=room.tc)
    assert (again.stage, again.decision) == (Stage.LEAVING, "undecided")


def test_a_decision_stands_once_the_visit_has_ended_or_money_went_back(room: Room, client: Any) -> None:
    visit = take_decision(visit=asked(room), answer=Answer("accepted", amount=9000), by=room.tc)
    Refund.objects.create(
        clinic=room.clinic, consultation=visit.consultation, visit=visit, amount=100, reason="x", by=room.tc
    )
    client.force_login(room.tc)
    assert client.post(f"/visits/{visit.pk}/decision/undo/").status_code == 422
    Visit.objects.filter(pk=visit.pk).update(stage=Stage.CLOSED)
    with pytest.raises(StageConflict):
        take_decision_back(visit=visit, by=room.tc)


def test_a_playbook_that_ended_after_the_decision_stays_ended_when_it_is_taken_back(room: Room) -> None:
    visit = take_decision(visit=asked(room), answer=Answer("undecided", obstacle="和家人商量"), by=room.tc)
    later = timezone.now() + timedelta(minutes=20)  # a colleague hears that the patient is not interested
    runs = PlaybookRun.objects.filter(patient=visit.patient)
    runs.update(ended_at=later, end_reason="refused", generate_at=None)
    take_decision_back(visit=visit, by=room.tc)
    assert runs.get().end_reason == "refused"


def test_a_playbook_begun_meanwhile_is_not_doubled_by_taking_the_decision_back(room: Room) -> None:
    visit = take_decision(visit=asked(room), answer=Answer("refused", obstacle="太贵"), by=room.tc)
    suggestion = suggestion_of(visit, 2)
    classify_visit(
        visit=visit, code=suggestion.code, awareness=2, trust=3, by=room.tc, suggestion=suggestion, reason=""
    )
    take_decision_back(visit=visit, by=room.tc)
    assert PlaybookRun.objects.filter(patient=visit.patient, ended_at=None).count() == 1


# --- WeChat --------------------------------------------------------------------------------------


def test_adding_wechat_closes_what_asked_for_it_and_taking_it_back_opens_that_again(room: Room, client: Any) -> None:
    patient = PatientFactory(clinic=room.clinic, wechat_linked_at=None)
    ask = TaskFactory(clinic=room.clinic, patient=patient, closed_by="wechat")
    other = TaskFactory(clinic=room.clinic, patient=patient)
    client.force_login(room.tc)
    client.post(f"/patients/{patient.pk}/wechat/")
    ask.refresh_from_db(), other.refresh_from_db(), patient.refresh_from_db()
    assert (ask.closed_reason, other.status) == ("wechat", "open")
    assert patient.wechat_linked_at is not None
    assert client.post(f"/patients/{patient.pk}/wechat/undo/", {"next": "/today/"}).url == "/today/"
    ask.refresh_from_db(), patient.refresh_from_db()
    assert (ask.status, patient.wechat_linked_at) == ("open", None)


def test_an_older_wechat_mark_is_a_managers_to_take_back(room: Room) -> None:
    patient = PatientFactory(clinic=room.clinic, wechat_linked_at=timezone.now() - timedelta(days=2))
    with pytest.raises(PatientRefused):
        unlink_wechat(patient=patient, clinic=room.clinic, by=room.tc)
    assert unlink_wechat(patient=patient, clinic=room.clinic, by=room.person(Role.MANAGER)).wechat_linked_at is None


def test_who_was_added_elsewhere_is_not_asked_for_it_either(room: Room) -> None:
    patient = PatientFactory(clinic=room.clinic, wechat_linked_at=None)
    TaskFactory(clinic=room.clinic, patient=patient, closed_by="wechat")
    assert close_asking(now=timezone.now(), limit=10) == 0
    Patient.objects.filter(pk=patient.pk).update(wechat_linked_at=timezone.now())
    assert close_asking(now=timezone.now(), limit=10) == 1
    add_wechat(patient=patient, clinic=room.clinic, by=room.tc)  # a second time: nothing more happens


# --- the next appointment ------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("decision", "kind"),
    [
        ("accepted", "treatment"),
        ("deposit", "treatment"),
        ("undecided", "recheck"),
        ("refused", "recheck"),
        ("no_treatment", "recheck"),
    ],
)
def test_what_the_patient_comes_for_next_follows_from_the_decision(decision: str, kind: str) -> None:
    assert next_kind(Visit(decision=decision)) == kind


def test_a_time_taken_at_checkout_is_as_long_as_the_clinic_settled_it(room: Room, client: Any) -> None:
    CalendarSettings.objects.update_or_create(clinic=room.clinic, defaults={"lengths": {"recheck": 90}})
    visit = take_decision(visit=asked(room), answer=Answer("undecided", obstacle="考虑"), by=room.tc)
    start = (timezone.now() + timedelta(days=9)).replace(minute=0, second=0, microsecond=0)
    client.force_login(room.tc)
    client.post(f"/visits/{visit.pk}/checkout/next_appointment/", {"slot": start.isoformat()})
    booked = Appointment.objects.get(patient=visit.patient)
    assert (booked.kind, booked.ends_at - booked.starts_at) == ("recheck", timedelta(minutes=90))


# --- care notices --------------------------------------------------------------------------------


def ended(room: Room, complaint: str, decision: str, kind: str = "", treat_today: str = "") -> Visit:
    appointment = AppointmentFactory(clinic=room.clinic, kind=kind) if kind else None
    now = timezone.now()
    columns: dict[str, Any] = {"patient": appointment.patient} if appointment else {}
    return room.visit(
        stage=Stage.CLOSED, complaint=complaint, decision=decision, appointment=appointment, treat_today=treat_today,
        decided_at=now, left_at=now, closed_at=now, **columns,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("complaint", "decision", "kind", "treat_today", "asked_after"),
    [
        ("prosthodontics", "accepted", "treatment", "", True),  # the denture was fitted
        ("implant", "deposit", "first", "", False),  # paid a deposit: nothing was done yet
        ("implant", "accepted", "", "booked", False),
        ("extraction", "accepted", "", "today", True),
        ("extraction", "accepted", "", "waiting", True),
        ("extraction", "accepted", "", "booked", False),
        ("extraction", "undecided", "treatment", "", False),
        ("cleaning", "accepted", "", "today", False),
    ],
)
def test_the_nurses_ask_the_day_after_a_treatment_and_after_nothing_else(
    room: Room, complaint: str, decision: str, kind: str, treat_today: str, asked_after: bool
) -> None:
    by: User = room.tc
    follow_up(ended(room, complaint, decision, kind, treat_today), by=by)
    made = Task.objects.filter(kind="care")
    assert made.exists() == asked_after
    if asked_after:
        assert made.get().owner_role == Role.NURSE
        assert made.get().due_at.astimezone(room.clinic.tz).date() == room.clinic.today() + timedelta(days=1)


def test_the_tasks_about_a_plan_name_no_price(room: Room) -> None:
    """Front desk and nurses read tasks and see no money."""
    answer = Answer("undecided", amount=9876, obstacle="考虑")
    visit = take_decision(visit=asked(room), answer=answer, by=room.tc)
    suggestion = suggestion_of(visit, 2)
    classify_visit(
        visit=visit, code=suggestion.code, awareness=2, trust=3, by=room.tc, suggestion=suggestion, reason=""
    )
    Visit.objects.filter(pk=visit.pk).update(stage=Stage.CLOSED, left_at=timezone.now(), closed_at=timezone.now())
    follow_up(Visit.objects.get(pk=visit.pk), by=room.tc)
    titles = " ".join(Task.objects.filter(patient=visit.patient, kind="plan_sent").values_list("title", flat=True))
    assert titles
    assert "¥" not in titles
    assert "9" not in titles


def test_the_suggestion_at_checkout_follows_the_awareness_that_is_typed(room: Room, client: Any) -> None:
    visit = take_decision(visit=asked(room), answer=Answer("undecided", obstacle="太贵"), by=room.tc)
    Patient.objects.filter(pk=visit.patient_id).update(awareness=5)
    client.force_login(room.tc)
    answer = client.post(
        f"/visits/{visit.pk}/classify/", {"class_code": "C-C", "awareness": 1, "trust": 3, "reason": ""}
    )
    assert answer.status_code == 302
    change = ClassChange.objects.filter(patient=visit.patient).latest("at")
    assert (change.new_class, change.suggested) == ("C-C", "C-C")


def test_a_visit_entered_in_error_is_not_the_last_one(room: Room, client: Any) -> None:
    wrong = room.visit(stage="closed")
    here = room.visit(patient=wrong.patient)
    Visit.objects.filter(pk=wrong.pk).update(arrived_at=timezone.now() - timedelta(days=3))
    assert last_visit(here) == wrong
    Visit.objects.filter(pk=wrong.pk).update(is_error=True)
    assert last_visit(here) is None


def test_the_pages_of_a_patient_about_to_leave_offer_times_in_few_statements(
    room: Room, client: Any, django_assert_max_num_queries: Any
) -> None:
    for weekday in range(7):
        WorkingHours.objects.create(clinic=room.clinic, weekday=weekday, opens=time(9), closes=time(18))
    visit = take_decision(visit=asked(room), answer=Answer("undecided", amount=9876, obstacle="考虑"), by=room.tc)
    client.force_login(room.tc)
    patient = reverse("patient", args=[visit.patient_id])
    assert client.get(patient).context["slot"]
    for url in (visit.get_absolute_url(), patient):
        with django_assert_max_num_queries(15):
            assert client.get(url).status_code == 200
