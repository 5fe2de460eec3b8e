"""Reception, complaint, decision and checkout against real rows, two people at once included."""

import threading
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.utils import timezone

from accounts.models import AuditEvent, Clinic, User
from accounts.permissions import Role
from consultations.errors import AlreadyHere, MoveRefused, Refused, StageConflict, VisitError
from consultations.models import Consultation, ExamKind, Plan, StageChange, Visit
from consultations.points import Point
from consultations.services.complaint import confirm_complaint, correct_complaint
from consultations.services.decision import Answer, leave_unseen, take_decision
from consultations.services.exams import order_exams
from consultations.services.leaving import close, decide_waiver, let_go, mark_done, undo_done
from consultations.services.reception import check_in, receive
from consultations.stages import Missing, Stage
from followups.models import Appointment
from patients.models import Referral
from tests.factories import AppointmentFactory, ClinicFactory, PatientFactory, UserFactory

pytestmark = pytest.mark.django_db


def _today(clinic: Clinic, **facts: Any) -> Appointment:
    start = clinic.day_bounds(clinic.today())[0] + timedelta(hours=10)
    return AppointmentFactory(clinic=clinic, starts_at=start, ends_at=start + timedelta(minutes=30), **facts)


@pytest.fixture
def clinic() -> Clinic:
    return ClinicFactory()


@pytest.fixture
def tc(clinic: Clinic) -> User:
    return UserFactory(role=Role.COORDINATOR, clinic=clinic, full_name="曹素铭")


@pytest.fixture
def manager(clinic: Clinic) -> User:
    return UserFactory(role=Role.MANAGER, clinic=clinic)


@pytest.fixture
def visit(clinic: Clinic, tc: User) -> Visit:
    return check_in(clinic=clinic, patient=PatientFactory(clinic=clinic), by=tc, complaint_text="牙疼")


def at(visit: Visit, stage: str, **facts: object) -> Visit:
    """Put a visit at a stage with the facts it would have by then."""
    now = timezone.now()
    stamps = ("received_at", "complaint_confirmed_at", "handoff_at", "handoff_acknowledged_at")
    usual = dict.fromkeys(stamps, now) | {"explained_points": list(Point.values)}
    Visit.objects.filter(pk=visit.pk).update(stage=stage, **(usual | facts))
    return Visit.objects.get(pk=visit.pk)


def planned(visit: Visit, by: User, **values: object) -> Visit:
    Plan.objects.create(visit=visit, made_by=by, finished_at=timezone.now(), **values)
    return visit


def test_a_patient_is_checked_in_once(clinic: Clinic, tc: User, visit: Visit) -> None:
    with pytest.raises(AlreadyHere) as refused:
        check_in(clinic=clinic, patient=visit.patient, by=tc)
    assert refused.value.visit == visit


def test_a_stranger_to_the_clinic_is_not_checked_in(clinic: Clinic, tc: User) -> None:
    with pytest.raises(Refused):
        check_in(clinic=clinic, patient=PatientFactory(clinic=ClinicFactory()), by=tc)


def test_check_in_keeps_the_appointment_and_takes_its_doctor_and_purpose(clinic: Clinic, tc: User) -> None:
    appointment = _today(clinic, kind=Appointment.Kind.FIRST, purpose="种植咨询")
    visit = check_in(clinic=clinic, patient=appointment.patient, by=tc, appointment=appointment)
    appointment.refresh_from_db()
    assert appointment.status == Appointment.Status.KEPT
    assert visit.doctor == appointment.doctor
    assert visit.consultation.complaint_text == "种植咨询"


def test_an_appointment_of_another_day_cannot_be_checked_in(clinic: Clinic, tc: User) -> None:
    appointment = AppointmentFactory(clinic=clinic)
    with pytest.raises(Refused):
        check_in(clinic=clinic, patient=appointment.patient, by=tc, appointment=appointment)
    assert not Visit.objects.exists()
    appointment.refresh_from_db()
    assert appointment.status == Appointment.Status.BOOKED


def test_a_cancelled_appointment_cannot_be_checked_in(clinic: Clinic, tc: User) -> None:
    appointment = _today(clinic, status="cancelled_patient", holds_slot=False)
    with pytest.raises(Refused):
        check_in(clinic=clinic, patient=appointment.patient, by=tc, appointment=appointment)
    assert not Visit.objects.exists()


def test_a_recheck_joins_the_consultation_it_rechecks(clinic: Clinic, tc: User, visit: Visit) -> None:
    at(visit, Stage.CLOSED)
    appointment = _today(clinic, patient=visit.patient, kind=Appointment.Kind.RECHECK)
    again = check_in(clinic=clinic, patient=visit.patient, by=tc, appointment=appointment)
    assert again.consultation == visit.consultation
    assert not again.is_first


def test_who_walks_in_for_a_recheck_joins_the_consultation_they_are_asked_about(
    clinic: Clinic, tc: User, visit: Visit, client: Client
) -> None:
    first = visit.consultation
    at(visit, Stage.CLOSED)
    again = receive(visit=check_in(clinic=clinic, patient=visit.patient, by=tc), by=tc)
    own = again.consultation
    assert own != first
    client.force_login(tc)
    page = client.get(f"{again.get_absolute_url()}?stage=complaint").content.decode()
    assert f'value="{first.pk}"' in page
    said = {"complaint": "implant", "complaint_text": "缺牙", "rejoins": first.pk, "expected": again.stage}
    assert client.post(f"{again.get_absolute_url()}complaint/", said).status_code == 302
    again.refresh_from_db()
    assert again.consultation == first
    assert not Consultation.objects.filter(pk=own.pk).exists()  # nothing was left of the one opened at the desk


def test_nobody_joins_another_patients_consultation(clinic: Clinic, tc: User, visit: Visit) -> None:
    other = receive(visit=check_in(clinic=clinic, patient=PatientFactory(clinic=clinic), by=tc), by=tc)
    at(visit, Stage.CLOSED)
    with pytest.raises(Refused):
        confirm_complaint(visit=other, complaint="implant", text="缺牙", by=tc, rejoins=visit.consultation)
    other.refresh_from_db()
    assert other.stage == Stage.RECEIVED


def test_receiving_sets_the_coordinator_once_and_makes_the_referral_effective(
    clinic: Clinic, tc: User, visit: Visit
) -> None:
    referral = Referral.objects.create(clinic=clinic, referrer=PatientFactory(clinic=clinic), referred=visit.patient)
    received = receive(visit=visit, by=tc)
    referral.refresh_from_db()
    assert received.coordinator == tc
    assert received.received_at is not None
    assert received.consultation.first_received_at == received.received_at
    assert referral.effective_at is not None


def test_a_visit_in_another_clinic_of_the_group_makes_this_one_a_return(clinic: Clinic, tc: User) -> None:
    other = ClinicFactory()
    patient = PatientFactory(clinic=other)
    elsewhere = check_in(clinic=other, patient=patient, by=tc)
    at(elsewhere, Stage.CLOSED)
    patient.registrations.create(clinic=clinic, number="T-1")
    here = receive(visit=check_in(clinic=clinic, patient=patient, by=tc), by=tc)
    assert not here.is_first
    assert here.number == 2


def test_implants_are_examined_first_and_toothache_sees_the_doctor_first(tc: User, visit: Visit) -> None:
    received = receive(visit=visit, by=tc)
    moved = confirm_complaint(visit=received, complaint="implant", text="缺牙", by=tc)
    assert moved.stage == Stage.EXAM
    steps = StageChange.objects.filter(visit=visit).order_by("id").values_list("new_stage", flat=True)
    assert list(steps) == ["arrived", "received", "intake", "complaint", "exam"]


def test_another_route_needs_a_reason_and_keeps_it(tc: User, visit: Visit) -> None:
    received = receive(visit=visit, by=tc)
    with pytest.raises(Refused):
        confirm_complaint(visit=received, complaint="pain", text="疼", by=tc, route="exam_first")
    received.refresh_from_db()
    assert received.stage == Stage.RECEIVED
    moved = confirm_complaint(
        visit=received, complaint="pain", text="疼", by=tc, route="exam_first", route_reason="肿得厉害，先拍片"
    )
    assert (moved.stage, moved.route_reason) == (Stage.EXAM, "肿得厉害，先拍片")


def test_a_new_complaint_on_a_return_visit_opens_another_consultation(clinic: Clinic, tc: User, visit: Visit) -> None:
    at(visit, Stage.CLOSED)
    appointment = _today(clinic, patient=visit.patient)
    again = receive(visit=check_in(clinic=clinic, patient=visit.patient, by=tc, appointment=appointment), by=tc)
    moved = confirm_complaint(visit=again, complaint="cleaning", text="洗牙", by=tc, new_case=True)
    assert moved.consultation != visit.consultation
    assert moved.consultation.first_received_at == again.received_at


@pytest.mark.parametrize(
    "answer",
    [
        Answer("deposit"),
        Answer("deposit", amount=Decimal(100), deposit=Decimal(200)),
        Answer("undecided"),
        Answer("refused", obstacle="  "),
        Answer("no_treatment"),
    ],
)
def test_a_decision_that_contradicts_itself_is_refused_and_nothing_is_written(
    tc: User, visit: Visit, answer: Answer
) -> None:
    standing = planned(at(visit, Stage.EXPLAINING), tc)
    with pytest.raises(Refused):
        take_decision(visit=standing, answer=answer, by=tc)
    standing.refresh_from_db()
    assert (standing.stage, standing.decision) == (Stage.EXPLAINING, "")


def test_only_the_doctors_plan_says_that_no_treatment_is_indicated(tc: User, visit: Visit) -> None:
    standing = planned(at(visit, Stage.EXPLAINING, explained_points=[]), tc, no_treatment=True)
    with pytest.raises(Refused):
        take_decision(visit=standing, answer=Answer("accepted"), by=tc)
    moved = take_decision(visit=standing, answer=Answer("no_treatment"), by=tc)
    assert moved.consultation.status == "no_treatment"


def test_a_decision_waits_until_everything_is_explained(tc: User, visit: Visit) -> None:
    standing = planned(at(visit, Stage.EXPLAINING, explained_points=["price"]), tc)
    with pytest.raises(MoveRefused) as refused:
        take_decision(visit=standing, answer=Answer("accepted"), by=tc)
    assert refused.value.missing == (Missing.EXPLAINED,)


def test_a_specialist_item_is_not_treated_today(tc: User, visit: Visit) -> None:
    standing = planned(at(visit, Stage.EXPLAINING), tc)
    standing.consultation.complaint = "implant"
    standing.consultation.save()
    with pytest.raises(Refused):
        take_decision(visit=standing, answer=Answer("accepted", treat_today="today"), by=tc)


def leaving(visit: Visit) -> Visit:
    return at(visit, Stage.LEAVING, decision="accepted", decided_at=timezone.now())


def test_the_gate_names_what_is_missing_and_the_manager_opens_it(tc: User, manager: User, visit: Visit) -> None:
    standing = leaving(visit)
    with pytest.raises(Refused, match=r".+"):
        close(visit=standing, by=tc)
    mark_done(visit=standing, code="word_of_mouth", by=tc, outcome="declined")
    for code in ("next_appointment", "wechat"):
        let_go(visit=standing, code=code, reason="出差，回来再约", by=tc)
    with pytest.raises(Refused):
        close(visit=standing, by=tc)
    with pytest.raises(Refused):
        decide_waiver(visit=standing, code="wechat", approve=True, by=tc)
    for code in ("next_appointment", "wechat"):
        decide_waiver(visit=standing, code=code, approve=True, by=manager)
    assert close(visit=standing, by=tc).left_at is not None


def test_a_refused_waiver_keeps_the_gate_shut(tc: User, manager: User, visit: Visit) -> None:
    standing = leaving(visit)
    mark_done(visit=standing, code="word_of_mouth", by=tc, outcome="friends")
    for code, approve in (("next_appointment", True), ("wechat", False)):
        let_go(visit=standing, code=code, reason="没带手机", by=tc)
        decide_waiver(visit=standing, code=code, approve=approve, by=manager)
    with pytest.raises(Refused):
        close(visit=standing, by=tc)


@pytest.mark.parametrize("code", ["next_appointment", "wechat", "classification"])
def test_what_is_a_fact_cannot_be_ticked(tc: User, visit: Visit, code: str) -> None:
    with pytest.raises(Refused):
        mark_done(visit=leaving(visit), code=code, by=tc)


def test_an_undone_tick_is_open_again(tc: User, visit: Visit) -> None:
    standing = leaving(visit)
    mark_done(visit=standing, code="word_of_mouth", by=tc, outcome="moments")
    assert undo_done(visit=standing, code="word_of_mouth", by=tc).done_at is None


def test_leaving_unseen_needs_a_reason_and_ends_the_visit(tc: User, visit: Visit) -> None:
    with pytest.raises(Refused):
        leave_unseen(visit=visit, reason=" ", by=tc)
    ended = leave_unseen(visit=visit, reason="等太久", by=tc)
    assert (ended.stage, ended.unseen_reason, ended.received_at) == (Stage.LEFT_UNSEEN, "等太久", None)


@pytest.mark.django_db(transaction=True)
def test_of_two_who_move_one_visit_at_once_one_wins_and_the_other_hears_who() -> None:
    clinic = ClinicFactory()
    people = [UserFactory(role=Role.COORDINATOR, clinic=clinic) for _ in range(2)]
    visit = check_in(clinic=clinic, patient=PatientFactory(clinic=clinic), by=people[0])
    start, outcomes = threading.Barrier(2), {}

    def run(person: User) -> None:
        start.wait()
        try:
            receive(visit=visit, by=person)
            outcomes[person.pk] = "won"
        except VisitError as error:
            outcomes[person.pk] = error
        finally:
            connection.close()

    threads = [threading.Thread(target=run, args=(person,)) for person in people]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    winner = next(p for p in people if outcomes[p.pk] == "won")
    loser = next(p for p in people if p != winner)
    conflict = outcomes[loser.pk]
    assert isinstance(conflict, StageConflict)
    assert conflict.by == winner
    assert Visit.objects.get().coordinator == winner
    assert StageChange.objects.filter(new_stage="received").count() == 1


def test_a_complaint_confirmed_wrongly_is_corrected_and_takes_the_route_along(
    tc: User, visit: Visit, client: Any
) -> None:
    moved = confirm_complaint(visit=receive(visit=visit, by=tc), complaint="implant", text="缺牙", by=tc)
    client.force_login(tc)
    path, page = f"/visits/{visit.pk}/complaint/", f"/visits/{visit.pk}/?stage=complaint"
    assert 'value="correct"' in client.get(page).content.decode()
    said = {"action": "correct", "complaint": "pain", "complaint_text": "右下牙疼"}
    assert client.post(path, said | {"complaint_text": " "}).status_code == 422
    assert client.post(path, said).status_code == 302
    moved.refresh_from_db(), moved.consultation.refresh_from_db()
    assert (moved.stage, moved.route) == (Stage.CONSULTING, "doctor_first")
    assert (moved.consultation.complaint, moved.consultation.complaint_text) == ("pain", "右下牙疼")
    assert AuditEvent.objects.get(action="visit_complaint_corrected").detail["was"] == "implant"
    client.post(path, said)  # once more by the back button
    assert AuditEvent.objects.filter(action="visit_complaint_corrected").count() == 1


def test_a_route_that_was_begun_stays_when_the_complaint_is_corrected(clinic: Clinic, tc: User, visit: Visit) -> None:
    moved = confirm_complaint(visit=receive(visit=visit, by=tc), complaint="implant", text="缺牙", by=tc)
    order_exams(visit=moved, kinds=list(ExamKind.objects.for_clinic(clinic)[:1]), by=tc)
    corrected = correct_complaint(visit=moved, complaint="pain", text="疼", by=tc)
    assert (corrected.stage, corrected.route) == (Stage.EXAM, "exam_first")
    at(corrected, Stage.CLOSED)
    with pytest.raises(Refused):
        correct_complaint(visit=corrected, complaint="cleaning", text="洗牙", by=tc)
