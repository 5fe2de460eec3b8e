"""Visits entered in error: marked by a manager, once they have ended, with the reason."""

from datetime import timedelta

import pytest
from django.utils import timezone

from accounts.models import AuditEvent
from accounts.permissions import Role
from consultations.errors import StageConflict
from consultations.models import Consultation, Visit
from consultations.services.mistakes import mark_error, undo_check_in, undo_receive
from consultations.services.reception import check_in, receive
from consultations.stages import Stage
from followups.models import Appointment, PlaybookRun, Task
from followups.services.classes import set_class
from followups.services.playbooks import decided
from patients.models import CareAction, Referral, ReferralThanks, Registration, WordOfMouth
from patients.services import care, link_referral, word_of_mouth
from tests.factories import AppointmentFactory, ClinicFactory, PatientFactory, TaskFactory, UserFactory, VisitFactory

pytestmark = pytest.mark.django_db


@pytest.fixture
def clinic():
    return ClinicFactory()


@pytest.fixture
def ended(clinic):
    return VisitFactory(clinic=clinic, stage=Stage.CLOSED, left_at=timezone.now(), closed_at=timezone.now())


@pytest.fixture
def as_manager(client, clinic):
    client.force_login(UserFactory(clinic=clinic, role=Role.MANAGER))
    return client


def test_a_manager_marks_a_visit_that_never_was(as_manager, ended):
    page = f"/visits/{ended.pk}/error/"
    assert page in as_manager.get(f"/visits/{ended.pk}/").content.decode()
    assert as_manager.post(page, {"reason": "点错了人"}).status_code == 302
    ended.refresh_from_db()
    assert ended.is_error
    first = ended.error_at
    assert AuditEvent.objects.get(action="visit_entered_in_error").detail["reason"] == "点错了人"
    as_manager.post(page, {"reason": "再点一次"})
    ended.refresh_from_db()
    assert ended.error_at == first
    assert page not in as_manager.get(f"/visits/{ended.pk}/").content.decode()


def test_it_needs_a_reason_and_an_ended_visit(as_manager, clinic, ended):
    assert as_manager.post(f"/visits/{ended.pk}/error/", {"reason": " "}).status_code == 422
    here = VisitFactory(clinic=clinic)
    answer = as_manager.post(f"/visits/{here.pk}/error/", {"reason": "点错了人"})
    assert answer.status_code == 422
    assert "点错了人" in answer.content.decode()
    here.refresh_from_db()
    assert not here.is_error


def test_a_coordinator_does_not(client, clinic, ended):
    client.force_login(UserFactory(clinic=clinic, role=Role.COORDINATOR))
    assert client.post(f"/visits/{ended.pk}/error/", {"reason": "x"}).status_code == 403


def _close(visit):
    now = timezone.now()
    Visit.objects.filter(pk=visit.pk).update(stage=Stage.CLOSED, left_at=now, closed_at=now)
    return Visit.objects.get(pk=visit.pk)


def test_a_referral_no_longer_counts_when_the_visit_that_made_it_count_never_was(clinic):
    tc = UserFactory(clinic=clinic)
    referrer, friend = PatientFactory(clinic=clinic, reg_owner=tc), PatientFactory(clinic=clinic)
    link_referral(referrer=referrer, referred=friend, clinic=clinic, by=tc)
    wrong = _close(receive(visit=check_in(clinic=clinic, patient=friend, by=tc), by=tc))
    assert Referral.objects.get().effective_at is not None
    assert ReferralThanks.objects.exists()
    mark_error(visit=wrong, reason="点错了人", by=UserFactory(clinic=clinic, role=Role.MANAGER))
    assert Referral.objects.get().effective_at is None
    assert not ReferralThanks.objects.exists()
    assert not Task.objects.open().filter(patient=referrer).exists()
    right = receive(visit=check_in(clinic=clinic, patient=friend, by=tc), by=tc)
    assert right.is_first
    assert Referral.objects.get().effective_at is not None


def test_the_visits_that_remain_are_numbered_anew_and_the_case_stands_as_they_left_it(clinic):
    tc, patient = UserFactory(clinic=clinic), PatientFactory(clinic=clinic)
    first = _close(receive(visit=check_in(clinic=clinic, patient=patient, by=tc), by=tc))
    case = first.consultation
    second = _close(receive(visit=check_in(clinic=clinic, patient=patient, by=tc, consultation=case), by=tc))
    assert not second.is_first
    Visit.objects.filter(pk=first.pk).update(decision="accepted", decided_at=timezone.now())
    Consultation.objects.filter(pk=case.pk).update(status="accepted")
    first.refresh_from_db()
    mark_error(visit=first, reason="点错了人", by=UserFactory(clinic=clinic, role=Role.MANAGER))
    second.refresh_from_db(), case.refresh_from_db()
    assert (second.is_first, second.number) == (True, 1)
    assert (case.status, case.first_received_at) == ("open", second.received_at)


def _expected(clinic, patient, **facts):
    start = clinic.day_bounds(clinic.today())[0] + timedelta(hours=10)
    return AppointmentFactory(
        clinic=clinic, patient=patient, starts_at=start, ends_at=start + timedelta(minutes=30), **facts
    )


def test_the_desk_takes_back_the_check_in_of_the_wrong_patient(client, clinic):
    desk, patient = UserFactory(clinic=clinic, role=Role.FRONT_DESK), PatientFactory(clinic=clinic)
    earlier = clinic.today() - timedelta(days=40)
    Registration.objects.filter(patient=patient).update(last_visit_on=earlier)
    appointment = _expected(clinic, patient, status="confirmed")
    call = TaskFactory(clinic=clinic, patient=patient, appointment=appointment, kind="confirm")
    client.force_login(desk)
    said = client.post(f"/appointments/{appointment.pk}/check-in/", follow=True)
    visit = Visit.objects.get()
    undo = f"/visits/{visit.pk}/undo-check-in/"
    assert undo in said.content.decode()
    assert undo in client.get(f"/visits/{visit.pk}/").content.decode()
    call.refresh_from_db()
    assert call.status == "closed"
    assert client.post(undo, {"next": "/appointments/"}).url == "/appointments/"
    visit.refresh_from_db(), appointment.refresh_from_db(), call.refresh_from_db()
    assert (visit.is_error, visit.stage, visit.appointment) == (True, Stage.LEFT_UNSEEN, None)
    assert (appointment.status, call.status) == (Appointment.Status.CONFIRMED, "open")
    assert Registration.objects.get(patient=patient).last_visit_on == earlier
    again = check_in(clinic=clinic, patient=patient, by=desk, appointment=appointment)
    assert again.appointment == appointment


def test_a_check_in_is_not_taken_back_once_the_patient_was_received(client, clinic):
    tc = UserFactory(clinic=clinic, full_name="曹素铭")
    visit = receive(visit=check_in(clinic=clinic, patient=PatientFactory(clinic=clinic), by=tc), by=tc)
    with pytest.raises(StageConflict):
        undo_check_in(visit=visit, by=tc)
    client.force_login(tc)
    assert client.post(f"/visits/{visit.pk}/undo-check-in/").status_code == 409
    visit.refresh_from_db()
    assert (visit.stage, visit.is_error) == (Stage.RECEIVED, False)


def test_a_doctor_takes_no_check_in_back(client, clinic):
    visit = VisitFactory(clinic=clinic, stage=Stage.ARRIVED)
    client.force_login(UserFactory(clinic=clinic, role=Role.DOCTOR))
    assert client.post(f"/visits/{visit.pk}/undo-check-in/").status_code == 403


def test_a_coordinator_takes_the_reception_of_the_wrong_patient_back(client, clinic):
    tc, referrer = UserFactory(clinic=clinic), PatientFactory(clinic=clinic)
    patient = PatientFactory(clinic=clinic, reg_owner=None)
    link_referral(referrer=referrer, referred=patient, clinic=clinic, by=tc)
    visit = receive(visit=check_in(clinic=clinic, patient=patient, by=tc), by=tc)
    assert Registration.objects.get(patient=patient).owner == tc
    client.force_login(UserFactory(clinic=clinic))
    undo = f"/visits/{visit.pk}/undo-receive/"
    assert client.post(undo).status_code == 422  # a colleague's
    client.force_login(tc)
    assert undo in client.get(f"/visits/{visit.pk}/").content.decode()
    assert client.post(undo).status_code == 302
    visit.refresh_from_db()
    assert (visit.stage, visit.coordinator, visit.received_at) == (Stage.ARRIVED, None, None)
    assert visit.consultation.first_received_at is None
    assert Registration.objects.get(patient=patient).owner is None
    assert Referral.objects.get().effective_at is None
    again = receive(visit=visit, by=tc)
    assert (again.is_first, again.number) == (True, 1)
    assert Referral.objects.get().effective_at is not None


def test_taking_a_reception_back_leaves_the_patients_owner_of_before(clinic):
    tc, patient = UserFactory(clinic=clinic), PatientFactory(clinic=clinic)
    Registration.objects.filter(patient=patient).update(owner=UserFactory(clinic=clinic))
    visit = receive(visit=check_in(clinic=clinic, patient=patient, by=tc), by=tc)
    undo_receive(visit=visit, by=tc)
    assert Registration.objects.get(patient=patient).owner is not None


def test_the_thanks_that_a_reception_taken_back_made_needless_are_asked_for_again_by_the_next_one(clinic):
    tc = UserFactory(clinic=clinic)
    referrer, friend = PatientFactory(clinic=clinic, reg_owner=tc), PatientFactory(clinic=clinic)
    link_referral(referrer=referrer, referred=friend, clinic=clinic, by=tc)
    visit = receive(visit=check_in(clinic=clinic, patient=friend, by=tc), by=tc)
    undo_receive(visit=visit, by=tc)
    assert not Task.objects.open().filter(patient=referrer).exists()
    receive(visit=visit, by=tc)
    assert Task.objects.open().get(patient=referrer).kind == "referral"


def test_the_tasks_and_todays_appointment_are_as_if_the_visit_had_not_been(clinic):
    tc = UserFactory(clinic=clinic)
    now = timezone.now()
    row = AppointmentFactory(clinic=clinic, starts_at=now, ends_at=now + timedelta(minutes=30))
    visit = _close(check_in(clinic=clinic, patient=row.patient, by=tc, appointment=row))
    Visit.objects.filter(pk=visit.pk).update(decision="refused", decided_at=now)
    care = TaskFactory(clinic=clinic, patient=row.patient, dedupe_key=f"v{visit.pk}:care")
    booking = TaskFactory(clinic=clinic, patient=row.patient, kind="book_recheck")
    decided(clinic=clinic, patient=row.patient, decision="refused", by=tc)
    mark_error(visit=visit, reason="点错了人", by=tc)
    care.refresh_from_db(), booking.refresh_from_db(), row.refresh_from_db()
    assert (care.status, booking.status, row.status) == ("closed", "open", Appointment.Status.BOOKED)
    assert check_in(clinic=clinic, patient=row.patient, by=tc, appointment=row).appointment == row


def test_a_later_decision_keeps_what_it_closed_when_an_earlier_visit_never_was(clinic):
    tc, now = UserFactory(clinic=clinic), timezone.now()
    wrong = VisitFactory(clinic=clinic, stage=Stage.CLOSED, left_at=now, decision="refused", decided_at=now)
    VisitFactory(
        clinic=clinic, patient=wrong.patient, stage=Stage.CLOSED, decision="accepted",
        decided_at=now + timedelta(minutes=1),
    )  # fmt: skip
    booking = TaskFactory(clinic=clinic, patient=wrong.patient, kind="book_recheck")
    decided(clinic=clinic, patient=wrong.patient, decision="accepted", by=tc)
    mark_error(visit=wrong, reason="点错了人", by=tc)
    booking.refresh_from_db()
    assert booking.status == "closed"


def _judged(patient, clinic, by, code, trust):
    return set_class(patient=patient, clinic=clinic, code=code, awareness=2, trust=trust, by=by)


def test_the_class_and_the_care_of_a_visit_that_never_was_are_taken_back(clinic):
    manager, tc = UserFactory(clinic=clinic, role=Role.MANAGER), UserFactory(clinic=clinic)
    patient = PatientFactory(clinic=clinic)
    _judged(patient, clinic, tc, "C-E", 1)
    visit = VisitFactory(clinic=clinic, patient=patient, stage=Stage.CLOSED, received_at=timezone.now())
    change = _judged(patient, clinic, tc, "C-C", 4)
    Visit.objects.filter(pk=visit.pk).update(classification=change, classified_at=change.at)
    care.of_checkout(patient=patient, clinic=clinic, code="tbi", visit=visit.pk, by=tc)
    word_of_mouth.from_checkout(clinic=clinic, patient=patient, visit=visit.pk, outcome="moments", by=tc)
    mark_error(visit=visit, reason="点错了人", by=manager)
    patient.refresh_from_db()
    assert (patient.class_code, patient.trust) == ("C-E", 1)
    assert patient.class_changes.order_by("-id").first().is_correction
    assert not CareAction.objects.filter(patient=patient, undoes=None, undone_by=None).exists()
    assert not WordOfMouth.objects.filter(patient=patient).exists()
    assert PlaybookRun.objects.get(patient=patient, ended_at=None).playbook.class_code == "C-E"


def test_who_was_first_judged_on_a_visit_that_never_was_has_no_class(clinic):
    manager, tc = UserFactory(clinic=clinic, role=Role.MANAGER), UserFactory(clinic=clinic)
    visit = VisitFactory(clinic=clinic, stage=Stage.CLOSED, received_at=timezone.now())
    change = _judged(visit.patient, clinic, tc, "C-C", 4)
    Visit.objects.filter(pk=visit.pk).update(classification=change, classified_at=change.at)
    mark_error(visit=visit, reason="点错了人", by=manager)
    visit.patient.refresh_from_db()
    assert (visit.patient.class_code, visit.patient.awareness) == ("", None)
    assert not PlaybookRun.objects.filter(patient=visit.patient, ended_at=None).exists()


def test_a_judgement_since_outlasts_a_visit_that_never_was(clinic):
    manager, tc = UserFactory(clinic=clinic, role=Role.MANAGER), UserFactory(clinic=clinic)
    visit = VisitFactory(clinic=clinic, stage=Stage.CLOSED, received_at=timezone.now())
    change = _judged(visit.patient, clinic, tc, "C-C", 4)
    Visit.objects.filter(pk=visit.pk).update(classification=change, classified_at=change.at)
    _judged(visit.patient, clinic, tc, "C-B", 5)
    mark_error(visit=visit, reason="点错了人", by=manager)
    visit.patient.refresh_from_db()
    assert visit.patient.class_code == "C-B"
