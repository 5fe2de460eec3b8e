"""The note: draft, sent, changed, acknowledged, asked about."""

from dataclasses import replace

import pytest
from django.utils import timezone

from accounts.permissions import Role
from consultations.errors import MoveRefused, Refused, StageConflict
from consultations.handoff_rules import Part
from consultations.models import Exam, ExamKind, Handoff, Visit
from consultations.services import handoff, questions
from consultations.services.handoff import HandoffIncomplete, NoteChanged
from consultations.stages import Missing
from tests.consultations.clinical import Room, note
from tests.factories import ClinicFactory, PatientFactory, ReferralFactory, UserFactory

pytestmark = pytest.mark.django_db


@pytest.fixture
def room():
    return Room()


def test_sending_classifies_the_patient_and_brings_the_visit_to_the_doctor(room):
    visit = room.visit()
    moved = handoff.send(visit=visit, content=note(), version=0, doctor=None, by=room.tc)
    sent = Handoff.objects.get(visit=visit)
    visit.patient.refresh_from_db()
    assert moved.stage == "doctor"
    assert moved.handoff_at == sent.sent_at
    assert sent.sent_by == room.tc
    assert (visit.patient.class_code, visit.patient.awareness, visit.patient.trust) == ("C-C", 2, 3)
    assert moved.classification.new_class == "C-C"
    assert moved.classified_at == moved.classification.at
    assert [c.new_stage for c in moved.stage_changes.all()] == ["doctor"]


def test_sending_from_consulting_passes_the_handoff_stage(room):
    moved = room.sent(room.visit(stage="consulting"))
    assert [c.new_stage for c in moved.stage_changes.order_by("id")] == ["handoff", "doctor"]


@pytest.mark.parametrize("part", ["awareness", "trust"])
def test_a_judgement_is_needed(room, part):
    with pytest.raises(HandoffIncomplete) as refused:
        room.sent(**{part: None})
    assert Part(part) in refused.value.missing


@pytest.mark.parametrize("part", ["class_code", "opinion", "told_patient", "wished_words"])
def test_a_needed_text_is_needed(room, part):
    with pytest.raises(HandoffIncomplete) as refused:
        room.sent(**{part: " "})
    assert Part(part) in refused.value.missing


def test_nothing_is_written_when_the_note_is_not_whole(room):
    visit = room.visit()
    with pytest.raises(HandoffIncomplete):
        room.sent(visit, stress_points=("  ",))
    visit.refresh_from_db()
    assert (visit.stage, visit.handoff_at) == ("handoff", None)
    assert not Handoff.objects.filter(visit=visit).exists()
    assert visit.patient.class_changes.count() == 0


def test_another_class_needs_a_reason_which_is_kept(room):
    with pytest.raises(HandoffIncomplete):
        room.sent(class_code="C-B")
    moved = room.sent(class_code="C-B", class_reason="很在意品质")
    assert (moved.classification.suggested, moved.classification.reason) == ("C-C", "很在意品质")


def test_a_referral_that_came_changes_the_suggestion(room):
    visit = room.visit()
    ReferralFactory(clinic=room.clinic, referrer=visit.patient, effective_at=timezone.now())
    assert handoff.suggestion_of(visit, 2).code == "C-A"


def test_a_first_visit_needs_its_form(room):
    with pytest.raises(MoveRefused) as refused:
        room.sent(room.visit(form_completed_at=None))
    assert Missing.FORM in refused.value.missing
    assert room.sent(room.visit(form_completed_at=None, is_first=False)).stage == "doctor"


@pytest.mark.parametrize("role", [Role.DOCTOR, Role.NURSE, Role.FRONT_DESK])
def test_only_a_coordinator_writes_and_sends(room, role):
    visit, other = room.visit(), room.person(role)
    with pytest.raises(MoveRefused) as refused:
        handoff.send(visit=visit, content=note(), version=0, doctor=room.doctor, by=other)
    assert refused.value.missing == (Missing.COORDINATOR,)
    with pytest.raises(MoveRefused):
        handoff.save_draft(visit=visit, content=note(), version=0, by=other)


def test_the_doctor_must_be_one_of_this_clinic(room):
    visit = room.visit(doctor=None)
    for nobody in (None, room.tc, UserFactory(clinic=ClinicFactory(), role=Role.DOCTOR)):
        with pytest.raises(Refused):
            handoff.send(visit=visit, content=note(), version=0, doctor=nobody, by=room.tc)
    other = room.person(Role.DOCTOR)
    assert handoff.send(visit=visit, content=note(), version=0, doctor=other, by=room.tc).doctor == other


def test_a_visit_moved_meanwhile_is_a_conflict(room):
    visit = room.visit()
    room.sent(visit)
    with pytest.raises(StageConflict):
        handoff.send(visit=visit, content=note(), version=1, doctor=None, by=room.tc, expected="handoff")


def test_sending_early_is_refused(room):
    with pytest.raises(MoveRefused) as refused:
        room.sent(room.visit(stage="complaint"))
    assert refused.value.missing == (Missing.ORDER,)


def test_a_draft_keeps_what_is_there_and_counts_versions(room):
    visit = room.visit()
    first = handoff.save_draft(visit=visit, content=note(opinion="", awareness=None), version=0, by=room.tc)
    second = handoff.save_draft(visit=visit, content=note(opinion="想尽快"), version=first.version, by=room.tc)
    assert (first.version, second.version) == (1, 2)
    assert Handoff.objects.get(visit=visit).opinion == "想尽快"


def test_saving_the_same_again_changes_nothing_even_with_an_old_version(room):
    visit = room.visit()
    handoff.save_draft(visit=visit, content=note(), version=0, by=room.tc)
    again = handoff.save_draft(visit=visit, content=note(), version=0, by=room.tc)
    assert again.version == 1


def test_an_old_version_gets_the_difference_and_overwrites_nothing(room):
    visit = room.visit()
    handoff.save_draft(visit=visit, content=note(), version=0, by=room.tc)
    handoff.save_draft(visit=visit, content=note(opinion="他的"), version=1, by=room.person(Role.COORDINATOR))
    with pytest.raises(NoteChanged) as stale:
        handoff.save_draft(visit=visit, content=note(opinion="我的"), version=1, by=room.tc)
    difference = stale.value.differences[0]
    assert (difference.mine, difference.theirs) == ("我的", "他的")
    assert Handoff.objects.get(visit=visit).opinion == "他的"


def test_exams_of_another_visit_are_not_attached(room):
    visit, other = room.visit(), room.visit()
    kind = ExamKind.objects.create(clinic=room.clinic, code="pano", name="全景片")
    mine, theirs = (Exam.objects.create(visit=v, kind=kind, ordered_by=room.tc) for v in (visit, other))
    saved = handoff.save_draft(visit=visit, content=note(attached_exams=(mine.pk, theirs.pk)), version=0, by=room.tc)
    assert saved.attached_exams == [mine.pk]


def test_a_sent_note_is_no_draft_any_more(room):
    visit = room.sent()
    with pytest.raises(Refused):
        handoff.save_draft(visit=visit, content=note(opinion="别的"), version=1, by=room.tc)


def test_a_change_after_sending_shows_as_changed_until_read_again(room):
    visit = room.acknowledged()
    sent = Handoff.objects.get(visit=visit)
    assert not handoff.is_changed_since_read(sent)
    handoff.change_sent(visit=visit, content=note(opinion="补充一点"), version=1, by=room.tc)
    sent.refresh_from_db()
    assert handoff.is_changed_since_read(sent)
    first_read = visit.handoff_acknowledged_at
    again = handoff.acknowledge(visit=visit, version=2, by=room.doctor)
    sent.refresh_from_db()
    assert not handoff.is_changed_since_read(sent)
    assert again.handoff_acknowledged_at == first_read  # the fact stays as it was first


def test_every_version_of_a_sent_note_is_kept(room):
    visit = room.sent()
    handoff.change_sent(visit=visit, content=note(opinion="补充"), version=1, by=room.tc)
    history = Handoff.objects.get(visit=visit).events.order_by("pgh_id").values_list("opinion", flat=True)
    assert note().opinion in history


def test_a_changed_judgement_classifies_anew(room):
    visit = room.sent()
    handoff.change_sent(visit=visit, content=note(trust=5), version=1, by=room.tc)
    visit.refresh_from_db()
    visit.patient.refresh_from_db()
    assert visit.patient.trust == 5
    assert visit.classification.trust == 5
    assert visit.patient.class_changes.count() == 2


def test_a_sent_note_stays_whole(room):
    visit = room.sent()
    with pytest.raises(HandoffIncomplete):
        handoff.change_sent(visit=visit, content=note(wished_words=""), version=1, by=room.tc)


def test_the_doctor_acknowledges_and_takes_the_patient(room):
    visit, colleague = room.sent(), room.person(Role.DOCTOR)
    read = handoff.acknowledge(visit=visit, version=1, by=colleague)
    assert read.handoff_acknowledged_at is not None
    assert read.doctor == colleague
    assert Handoff.objects.get(visit=visit).acknowledged_by == colleague


@pytest.mark.parametrize("role", [Role.COORDINATOR, Role.MANAGER, Role.ADMIN, Role.NURSE])
def test_nobody_but_a_doctor_acknowledges(room, role):
    visit = room.sent()
    with pytest.raises(MoveRefused) as refused:
        handoff.acknowledge(visit=visit, version=1, by=room.person(role))
    assert refused.value.missing == (Missing.DOCTOR,)


def test_what_changed_while_reading_is_read_first(room):
    visit = room.sent()
    handoff.change_sent(visit=visit, content=note(opinion="新的"), version=1, by=room.tc)
    with pytest.raises(NoteChanged):
        handoff.acknowledge(visit=visit, version=1, by=room.doctor)


def test_a_note_not_sent_cannot_be_acknowledged(room):
    visit = room.visit()
    handoff.save_draft(visit=visit, content=note(), version=0, by=room.tc)
    with pytest.raises(MoveRefused) as refused:
        handoff.acknowledge(visit=visit, version=1, by=room.doctor)
    assert refused.value.missing == (Missing.HANDOFF,)


def test_the_note_is_closed_once_the_doctor_has_left(room):
    visit, _plan = room.explaining()
    with pytest.raises(Refused):
        handoff.change_sent(visit=visit, content=note(opinion="晚了"), version=1, by=room.tc)
    with pytest.raises(MoveRefused):
        handoff.acknowledge(visit=visit, version=1, by=room.doctor)


def test_a_question_goes_back_and_is_answered_once(room):
    visit = room.sent()
    question = questions.ask_coordinator(visit=visit, question=" 她吃阿司匹林吗？ ", by=room.doctor)
    answered = questions.answer(question=question, text="没有", by=room.tc)
    assert (question.question, answered.answer, answered.answered_by) == ("她吃阿司匹林吗？", "没有", room.tc)
    with pytest.raises(Refused):
        questions.answer(question=question, text="有", by=room.tc)


def test_each_side_asks_and_answers_its_own(room):
    visit = room.sent()
    with pytest.raises(MoveRefused):
        questions.ask_coordinator(visit=visit, question="?", by=room.tc)
    question = questions.ask_coordinator(visit=visit, question="?", by=room.doctor)
    with pytest.raises(MoveRefused):
        questions.answer(question=question, text="我自己答", by=room.doctor)


def test_empty_words_are_refused(room):
    visit = room.sent()
    with pytest.raises(Refused):
        questions.ask_coordinator(visit=visit, question="  ", by=room.doctor)
    question = questions.ask_coordinator(visit=visit, question="?", by=room.doctor)
    with pytest.raises(Refused):
        questions.answer(question=question, text=" ", by=room.tc)


def test_a_clinical_change_is_asked_of_the_doctor_while_explaining(room):
    with pytest.raises(Refused):
        questions.ask_for_change(visit=room.sent(), question="改", by=room.tc)
    visit, _plan = room.explaining()
    question = questions.ask_for_change(visit=visit, question="患者不想植骨", by=room.tc)
    assert question.for_doctor
    with pytest.raises(MoveRefused):
        questions.answer(question=question, text="好", by=room.tc)
    assert questions.answer(question=question, text="改好了", by=room.doctor).answered_by == room.doctor


def test_another_patients_visit_is_untouched(room):
    quiet = room.visit(patient=PatientFactory(clinic=room.clinic))
    room.sent()
    assert Visit.objects.get(pk=quiet.pk).stage == "handoff"


def test_content_round_trips(room):
    visit = room.visit()
    content = replace(note(), situation="怕疼", awareness_note="不知邻牙会倒")
    assert handoff.content_of(handoff.save_draft(visit=visit, content=content, version=0, by=room.tc)) == content
