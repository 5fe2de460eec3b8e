"""The consultation form with its database: start, two writers at once, completion, what flows on."""

import threading
from typing import Any

import pytest
from django.db import connection

from accounts.models import AuditEvent, Clinic, User
from accounts.permissions import Role
from consultations.errors import MoveRefused, Refused
from consultations.models import ConsultationForm, FormTemplate, Visit
from consultations.services.content import ensure_builtin_content
from consultations.services.form_facts import differences
from consultations.services.forms import (
    FormClosed,
    FormIncomplete,
    complete_form,
    highlights,
    renew_link,
    save_answers,
    sheet_of,
    start_form,
)
from consultations.services.moves import move
from consultations.services.reception import receive
from consultations.stages import Stage
from tests.factories import ClinicFactory, PatientFactory, UserFactory, VisitFactory

pytestmark = pytest.mark.django_db

WHOLE: dict[str, Any] = {
    "main_complaint": "左下后牙缺失一年，想种植",
    "pain": "none",
    "conditions": ["none"],
    "allergies": {"value": "yes", "detail": "青霉素"},
    "medication": {"value": "no"},
    "pregnancy": "no",
    "decide_with": ["partner"],
    "heard": "referral",
    "call_hours": "18:00-21:00",
    "occupation": "小学老师",
    "worries": ["pain", "time"],
}


@pytest.fixture
def clinic() -> Clinic:
    return ClinicFactory()


@pytest.fixture
def tc(clinic: Clinic) -> User:
    return UserFactory(role=Role.COORDINATOR, clinic=clinic)


@pytest.fixture
def visit(clinic: Clinic, tc: User) -> Visit:
    return receive(visit=VisitFactory(clinic=clinic), by=tc)


@pytest.fixture
def form(visit: Visit, tc: User) -> ConsultationForm:
    return start_form(visit=visit, by=tc)


def test_starting_moves_a_received_visit_to_the_form_and_makes_a_link(visit: Visit, tc: User) -> None:
    form = start_form(visit=visit, by=tc)
    visit.refresh_from_db()
    assert visit.stage == Stage.INTAKE
    assert form.template.kind == "dental"
    assert len(form.link_key) >= 16


def test_starting_twice_keeps_the_first(visit: Visit, tc: User) -> None:
    assert start_form(visit=visit, by=tc).pk == start_form(visit=visit, by=tc, kind="aesthetic").pk


def test_an_aesthetic_complaint_gets_the_aesthetic_questions(visit: Visit, tc: User) -> None:
    visit.consultation.complaint = "medical_aesthetic"
    visit.consultation.save()
    assert start_form(visit=visit, by=tc).template.kind == "aesthetic"


def test_the_form_does_not_begin_before_reception(clinic: Clinic, tc: User) -> None:
    with pytest.raises(Refused):
        start_form(visit=VisitFactory(clinic=clinic), by=tc)


def test_an_incomplete_form_is_refused_and_names_what_is_missing(form: ConsultationForm, tc: User) -> None:
    save_answers(form=form, sent={"pain": "none"}, seen={}, by=tc)
    with pytest.raises(FormIncomplete) as refusal:
        complete_form(form=form, by=tc)
    assert "main_complaint" in {q.code for q in refusal.value.missing}
    form.visit.refresh_from_db()
    assert (form.visit.stage, form.visit.form_completed_at) == (Stage.INTAKE, None)


def test_completing_sets_the_fact_once_moves_on_and_closes_the_link(form: ConsultationForm, tc: User) -> None:
    save_answers(form=form, sent=WHOLE, seen={}, by=tc)
    complete_form(form=form, by=tc)
    visit = Visit.objects.get(pk=form.visit_id)
    first = visit.form_completed_at
    assert first is not None
    assert visit.stage == Stage.COMPLAINT
    form.refresh_from_db()
    assert (form.link_key, form.completed_by) == ("", tc)
    complete_form(form=form, by=tc)
    assert Visit.objects.get(pk=form.visit_id).form_completed_at == first


def test_a_form_completed_later_does_not_move_the_visit_back(form: ConsultationForm, tc: User) -> None:
    move(visit=form.visit, to=Stage.COMPLAINT, by=tc)
    save_answers(form=form, sent=WHOLE, seen={}, by=tc)
    complete_form(form=form, by=tc)
    assert Visit.objects.get(pk=form.visit_id).stage == Stage.COMPLAINT


def test_only_a_coordinator_moves_the_visit_by_completing(form: ConsultationForm, clinic: Clinic, tc: User) -> None:
    nurse = UserFactory(role=Role.NURSE, clinic=clinic)
    save_answers(form=form, sent=WHOLE, seen={}, by=tc)
    with pytest.raises(MoveRefused):
        complete_form(form=form, by=nurse)
    form.refresh_from_db()
    assert form.completed_at is None


def test_answers_fill_what_the_record_lacks_and_overwrite_nothing(form: ConsultationForm, tc: User) -> None:
    patient = form.visit.patient
    patient.occupation = "退休"
    patient.save()
    save_answers(form=form, sent=WHOLE, seen={}, by=tc)
    complete_form(form=form, by=tc)
    patient.refresh_from_db()
    assert patient.allergies == "青霉素"
    assert patient.occupation == "退休"
    assert (patient.call_from.hour, patient.call_to.hour) == (18, 21)
    registration = patient.registrations.get()
    assert registration.channel == "referral"
    assert AuditEvent.objects.filter(action="patient_filled_from_form").exists()


def test_filling_the_record_can_be_left_out(form: ConsultationForm, tc: User) -> None:
    save_answers(form=form, sent=WHOLE, seen={}, by=tc)
    assert complete_form(form=form, by=tc, fill=False) == []
    form.visit.patient.refresh_from_db()
    assert form.visit.patient.allergies == ""


@pytest.mark.parametrize(
    ("record", "answer", "differ"),
    [
        ("青霉素", {"value": "yes", "detail": "头孢"}, True),
        ("青霉素", {"value": "no"}, True),
        ("青霉素", {"value": "yes", "detail": "青霉素"}, False),
        ("", {"value": "yes", "detail": "头孢"}, False),
        ("青霉素", None, False),
    ],
)
def test_a_contradiction_on_allergies_is_shown(form: ConsultationForm, record: str, answer: Any, differ: bool) -> None:
    form.visit.patient.allergies = record
    form.answers = {"allergies": answer} if answer else {}
    assert bool(differences(sheet_of(form))) is differ


def test_two_writers_lose_nothing(form: ConsultationForm, tc: User) -> None:
    """The coordinator's page was built before the patient answered; both send all their questions."""
    blank = dict.fromkeys(WHOLE)
    save_answers(form=form, sent=blank | {"heard": "wechat", "occupation": "老师"}, seen={}, by=None)
    save_answers(form=form, sent=blank | {"main_complaint": "牙疼", "pain": "now"}, seen={}, by=tc)
    form.refresh_from_db()
    assert form.answers == {"heard": "wechat", "occupation": "老师", "main_complaint": "牙疼", "pain": "now"}
    assert form.version == 3


@pytest.mark.django_db(transaction=True)
def test_many_writers_at_the_same_moment_lose_nothing() -> None:
    clinic = ClinicFactory()
    tc = UserFactory(role=Role.COORDINATOR, clinic=clinic)
    form = start_form(visit=receive(visit=VisitFactory(clinic=clinic), by=tc), by=tc)
    start = threading.Barrier(8)

    def write(number: int) -> None:
        start.wait()
        try:
            save_answers(form=form, sent={f"q{number}": number}, seen={}, by=None)
        finally:
            connection.close()

    threads = [threading.Thread(target=write, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    form.refresh_from_db()
    assert form.answers == {f"q{number}": number for number in range(8)}


def test_the_patient_cannot_write_to_a_completed_form(form: ConsultationForm, tc: User) -> None:
    save_answers(form=form, sent=WHOLE, seen={}, by=tc)
    complete_form(form=form, by=tc)
    with pytest.raises(FormClosed):
        save_answers(form=form, sent={"occupation": "x"}, seen={}, by=None)
    save_answers(form=form, sent={"occupation": "医生"}, seen={"occupation": "小学老师"}, by=tc)
    form.refresh_from_db()
    assert form.answers["occupation"] == "医生"


def test_a_new_link_is_audited_and_refused_once_completed(form: ConsultationForm, tc: User) -> None:
    old = form.link_key
    assert renew_link(form=form, by=tc).link_key not in {"", old}
    assert renew_link(form=form, by=tc, revoke=True).link_key == ""
    assert AuditEvent.objects.filter(action="form_link_revoked").count() == 1
    save_answers(form=form, sent=WHOLE, seen={}, by=tc)
    complete_form(form=form, by=tc)
    with pytest.raises(Refused):
        renew_link(form=form, by=tc)


def test_highlights_say_what_the_doctor_looks_for(form: ConsultationForm) -> None:
    form.answers = WHOLE
    assert [text for _label, text in highlights(form)] == ["疼、时间、来的次数", "爱人"]


def test_a_form_keeps_its_version_of_the_questions(form: ConsultationForm, tc: User, clinic: Clinic) -> None:
    from consultations.services.content import save_question_set

    old = form.template
    fresh = save_question_set(template=old, groups=old.groups[:2], by=tc, expected=old.version)
    assert (fresh.version, fresh.pk == old.pk) == (2, False)
    form.refresh_from_db()
    assert form.template_id == old.pk
    assert FormTemplate.objects.for_clinic(clinic).filter(kind="dental", is_active=True).get() == fresh


def test_pregnancy_is_not_asked_of_a_man(clinic: Clinic, tc: User) -> None:
    patient = PatientFactory(clinic=clinic, sex="m")
    form = start_form(visit=receive(visit=VisitFactory(clinic=clinic, patient=patient), by=tc), by=tc)
    save_answers(form=form, sent={k: v for k, v in WHOLE.items() if k != "pregnancy"}, seen={}, by=tc)
    form.refresh_from_db()
    assert sheet_of(form).progress.complete


def test_builtin_content_is_given_once(clinic: Clinic) -> None:
    ensure_builtin_content(clinic)
    counts = (clinic.exam_kinds.count(), clinic.form_templates.count(), clinic.scripts.count())
    clinic.scripts.first().delete()
    clinic.exam_kinds.update(price=1)
    ensure_builtin_content(clinic)
    assert (clinic.exam_kinds.count(), clinic.form_templates.count(), clinic.scripts.count()) == (
        counts[0],
        2,
        counts[2] - 1,
    )
    assert not clinic.exam_kinds.exclude(price=1).exists()
