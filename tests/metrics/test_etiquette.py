"""Scoring etiquette: who may, what is kept, versions of rubrics, the draw, two at once."""

import threading
from datetime import datetime, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

import pytest
import time_machine
from django.db import IntegrityError, connection
from django.utils import timezone

from accounts.models import AuditEvent
from accounts.permissions import Role
from followups.models import Contact
from metrics import etiquette_lists as lists
from metrics import etiquette_rules as rules
from metrics.etiquette_audio import Recording
from metrics.models import EtiquetteInspection, EtiquetteRubric, InspectionRecording
from metrics.services import etiquette as service
from metrics.services.etiquette import InspectionConflict, InspectionRefused, RubricConflict
from metrics.services.etiquette_recordings import erase_of_patients, span_of
from metrics.services.etiquette_sample import VISITS, week_sample
from tests.factories import UserFactory
from tests.metrics.etiquette import ALL_YES, CALL_YES, WAV, Stage

pytestmark = pytest.mark.django_db


@pytest.fixture
def stage() -> Stage:
    return Stage()


# --- scoring ---------------------------------------------------------------------------------------


def test_a_score_keeps_who_what_and_by_which_version(stage):
    row = stage.score(answers=ALL_YES | {"no_price": None, "greeting": rules.PARTLY}, note=" 很好 ")
    assert (row.staff, row.patient, row.visit, row.inspected_by) == (
        stage.tc, stage.visit.patient, stage.visit, stage.manager,
    )  # fmt: skip
    assert row.score == Decimal("94.57")  # 87 of 92
    assert row.answers["no_price"] is None
    assert row.answers["greeting"] == 0.5
    assert (row.note, row.rubric.version, row.contact) == ("很好", 1, None)
    assert AuditEvent.objects.filter(action="etiquette_inspected", subject_id=row.pk).exists()
    assert service.score_of(row).value == row.score


def test_a_call_is_scored_for_who_made_it(stage):
    row = stage.score(stage.call, answers=CALL_YES | {"tone": rules.NO})
    assert (row.staff, row.contact, row.visit, row.score) == (stage.tc, stage.call, None, 85)


def test_answers_to_what_was_not_asked_are_not_kept(stage):
    assert "sang" not in stage.score(answers=ALL_YES | {"sang": rules.YES}).answers


@pytest.mark.parametrize("answers", [{}, ALL_YES | {"greeting": Decimal(2)}, dict.fromkeys(ALL_YES)])
def test_answers_that_give_no_score_write_nothing(stage, answers):
    with pytest.raises(InspectionRefused):
        stage.score(answers=answers)
    assert not EtiquetteInspection.objects.exists()


def test_nobody_scores_themselves(stage):
    for subject in (stage.received(stage.manager), stage.called(stage.manager)):
        with pytest.raises(InspectionRefused):
            stage.score(subject)
        assert stage.score(subject, by=stage.other).staff == stage.manager


def test_what_cannot_be_inspected_is_refused(stage):
    undone = stage.called(stage.tc)
    undo = stage.called(stage.tc, patient=undone.patient, undoes=undone)
    for subject in (
        stage.received(stage.tc, is_error=True),
        stage.received(None, received_at=None),
        stage.called(stage.tc, channel="wechat"),
        stage.called(None),
        undone,
        undo,
    ):
        with pytest.raises(InspectionRefused):
            stage.score(subject)


def test_a_second_tap_gives_the_same_score(stage):
    first = stage.score(note="x")
    assert stage.score(note="x") == first
    assert EtiquetteInspection.objects.count() == 1


def test_scoring_again_replaces_and_keeps_the_former(stage):
    first = stage.score()
    again = stage.score(by=stage.other, answers=ALL_YES | {"farewell": rules.NO}, expected=first.pk)
    first.refresh_from_db()
    assert first.replaced_at == again.inspected_at
    assert service.standing_of(stage.visit) == again
    assert again.score == 92


def test_a_score_made_without_seeing_the_other_is_a_conflict(stage):
    first = stage.score()
    with pytest.raises(InspectionConflict) as told:
        stage.score(by=stage.other, answers=ALL_YES | {"farewell": rules.NO})
    assert told.value.standing == first
    assert EtiquetteInspection.objects.get().replaced_at is None


def test_after_the_patient_changed_hands_the_new_person_is_scored_apart(stage):
    first, other = stage.score(), UserFactory(clinic=stage.clinic)
    stage.visit.coordinator = other
    stage.visit.save()
    second = stage.score()
    first.refresh_from_db()
    assert (second.staff, first.replaced_at) == (other, None)


def test_only_the_person_inspected_marks_it_read_and_once(stage):
    row = stage.score()
    with pytest.raises(InspectionRefused):
        service.mark_seen(inspection=row, by=stage.manager)
    service.mark_seen(inspection=row, by=stage.tc)
    row.refresh_from_db()
    seen = row.seen_at
    service.mark_seen(inspection=row, by=stage.tc)
    row.refresh_from_db()
    assert row.seen_at == seen is not None


def test_a_recording_is_kept_once_and_goes_with_the_patient_s_data(stage, django_capture_on_commit_callbacks):
    recording = Recording(WAV, "audio/wav", "wav", "1" * 64)
    row = stage.score(stage.call, recordings=[recording, recording], note="提到病情")
    kept = InspectionRecording.objects.get()
    assert (kept.inspection, kept.size, kept.audio.read()) == (row, len(WAV), WAV)
    with django_capture_on_commit_callbacks(execute=True):
        assert erase_of_patients([row.patient_id]) == 1
    row.refresh_from_db()
    assert (row.note, row.score) == ("", 100)
    assert not kept.audio.storage.exists(kept.audio.name)


@pytest.mark.parametrize(
    ("header", "span"),
    [
        ("", None), ("bytes=0-", (0, 99)), ("bytes=0-0", (0, 0)), ("bytes=90-200", (90, 99)), ("bytes=-10", (90, 99)),
        ("bytes=-500", (0, 99)), ("bytes=9-1", None), ("bytes=a-b", None), ("bytes=0-1,5-6", None), ("bytes=-", None),
        ("items=0-1", None),
    ],
)  # fmt: skip
def test_ranges_are_read(header, span):
    got = span_of(header, 100)
    assert (got and (got.first, got.last)) == span


@pytest.mark.parametrize("header", ["bytes=100-", "bytes=100-120", "bytes=-0"])
def test_ranges_beyond_the_file_are_refused(header):
    with pytest.raises(ValueError, match="beyond"):
        span_of(header, 100)


# --- rubrics ---------------------------------------------------------------------------------------


def own(points: int = 100) -> list[rules.Item]:
    return [rules.Item("smile", "Smiled", "微笑", points)]


def test_looking_at_the_built_in_rubric_writes_nothing_and_scoring_makes_it_version_one(stage):
    assert service.current_rubric(stage.clinic, "visit").pk is None
    assert not EtiquetteRubric.objects.exists()
    stage.score()
    service.ensure_rubrics(stage.clinic)
    assert list(EtiquetteRubric.objects.values_list("kind", "version")) == [("call", 1), ("visit", 1)]


def test_a_changed_rubric_is_a_new_version_and_old_inspections_keep_theirs(stage):
    old = stage.score()
    made = service.save_rubric(clinic=stage.clinic, kind="visit", items=own(), expected=1, by=stage.manager)
    new = stage.score(stage.received(stage.tc), version=2, answers={"smile": rules.NO})
    old.refresh_from_db()
    assert (made.version, new.rubric, old.rubric.version) == (2, made, 1)
    assert service.score_of(old).value == 100
    [row] = lists.by_person(lists.standing(stage.clinic))
    assert [(mean.version, mean.n, mean.value) for mean in row.visit] == [(2, 1, 0), (1, 1, 100)]


def test_a_page_opened_before_the_rubric_changed_is_scored_by_what_it_asked(stage):
    service.save_rubric(clinic=stage.clinic, kind="visit", items=own(), expected=1, by=stage.manager)
    assert stage.score(version=1).rubric.version == 1
    with pytest.raises(InspectionRefused):
        stage.score(stage.received(stage.tc), version=3)


def test_saving_the_same_makes_no_version(stage):
    items = rules.BUILTIN["call"]
    made = service.save_rubric(clinic=stage.clinic, kind="call", items=items, expected=1, by=stage.manager)
    assert made.version == 1


def test_a_rubric_that_does_not_add_up_or_was_changed_meanwhile_is_refused(stage):
    with pytest.raises(InspectionRefused):
        service.save_rubric(clinic=stage.clinic, kind="visit", items=own(99), expected=1, by=stage.manager)
    service.save_rubric(clinic=stage.clinic, kind="visit", items=own(), expected=1, by=stage.manager)
    with pytest.raises(RubricConflict):
        service.save_rubric(clinic=stage.clinic, kind="visit", items=own(), expected=1, by=stage.other)
    restored = service.restore_rubric(clinic=stage.clinic, kind="visit", expected=2, by=stage.manager)
    assert (restored.version, rules.items_of(restored.items)) == (3, rules.BUILTIN["visit"])


# --- the draw --------------------------------------------------------------------------------------

TUESDAY = datetime(2026, 11, 17, 9, tzinfo=ZoneInfo("Asia/Shanghai"))


@pytest.fixture
def week() -> Stage:
    with time_machine.travel(TUESDAY, tick=False):
        stage = Stage()
        for _ in range(6):
            stage.received(stage.tc)
        stage.received(stage.manager)
        yield stage


def test_the_week_draws_some_of_each_person_s_and_counts_what_was_done(week):
    [share] = week_sample(clinic=week.clinic, viewer=week.manager)
    assert (share.staff, share.visits_of, len(share.visits), share.calls, share.wanted) == (
        week.tc, 7, VISITS, [week.call], VISITS + 1,
    )  # fmt: skip
    drawn = share.visits[0]
    week.score(drawn)
    [after] = week_sample(clinic=week.clinic, viewer=week.manager)
    assert drawn not in after.visits
    assert (len(after.visits), after.visits_done, after.done) == (VISITS - 1, 1, 1)


def test_the_draw_is_the_same_for_everybody_but_leaves_out_one_s_own(week):
    [mine] = week_sample(clinic=week.clinic, viewer=week.manager)
    shares = {share.staff: share for share in week_sample(clinic=week.clinic, viewer=week.other)}
    assert shares[week.tc].visits == mine.visits
    assert set(shares) == {week.tc, week.manager}


def test_last_week_s_visits_are_not_drawn_and_what_nobody_answered_is_no_call(week):
    sunday = TUESDAY - timedelta(days=2)
    old = [week.received(week.tc, received_at=sunday) for _ in range(30)]
    week.called(week.tc, outcome="no_answer")
    [share] = week_sample(clinic=week.clinic, viewer=week.manager)
    assert (share.visits_of, share.calls_of) == (7, 1)
    assert not set(share.visits) & set(old)


def test_each_visit_has_the_same_chance():
    """Over many weeks no place in the week is preferred (a fair draw: each third of the visits near a third)."""
    thirds = [0, 0, 0]
    with time_machine.travel(TUESDAY, tick=False) as clock:
        stage = Stage()
        for _ in range(30):
            visits = [stage.received(stage.tc) for _ in range(12)]
            share = next(s for s in week_sample(clinic=stage.clinic, viewer=stage.manager) if s.staff == stage.tc)
            for visit in share.visits:
                if visit in visits:
                    thirds[visits.index(visit) // 4] += 1
            clock.shift(timedelta(days=7))
    assert min(thirds) >= 8, thirds  # of about 60; 20 expected in each


def test_the_draw_and_the_list_ask_the_database_as_often_for_many(week, django_assert_num_queries):
    people = [UserFactory(clinic=week.clinic) for _ in range(4)]
    for person in people:
        for _ in range(3):
            week.score(week.received(person))
            week.called(person)
    with django_assert_num_queries(5):
        assert len(week_sample(clinic=week.clinic, viewer=week.manager)) == 5
    with django_assert_num_queries(1):
        assert len(lists.by_person(lists.standing(week.clinic))) == 4


def test_pages_of_the_list_lose_nothing(stage, monkeypatch):
    monkeypatch.setattr(lists, "PAGE", 4)
    made = {stage.score(stage.called(stage.tc)).pk for _ in range(10)}
    EtiquetteInspection.objects.update(inspected_at=timezone.now())  # all at one moment
    seen, cursor = [], ""
    while True:
        rows, cursor = lists.page_of(lists.standing(stage.clinic), cursor)
        seen += [row.pk for row in rows]
        if not cursor:
            break
    assert sorted(seen) == sorted(made)
    assert len(lists.page_of(lists.standing(stage.clinic), "nonsense")[0]) == 4


# --- two at once -----------------------------------------------------------------------------------


def _both(stage: Stage) -> list[str]:
    """Two managers score the same visit at the same moment; return what each was told."""
    gate, told = threading.Barrier(2), []

    def score(by, farewell):
        gate.wait()
        try:
            stage.score(by=by, answers=ALL_YES | {"farewell": farewell})
            told.append("scored")
        except InspectionConflict:
            told.append("conflict")
        except IntegrityError:
            told.append("broken")
        finally:
            connection.close()

    threads = [
        threading.Thread(target=score, args=args) for args in ((stage.manager, rules.YES), (stage.other, rules.NO))
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return sorted(told)


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("protected", [True, False])
def test_of_two_managers_at_once_one_scores_and_the_other_is_told(monkeypatch, protected):
    stage = Stage()
    service.ensure_rubrics(stage.clinic)
    if not protected:  # the switch: without the lock both find nothing, and the constraint breaks one of them
        looked, plain = threading.Barrier(2), service.standing_of
        monkeypatch.setattr(service, "locked", lambda subject: subject)

        def slowly(subject):
            found = plain(subject)
            looked.wait(timeout=60)
            return found

        monkeypatch.setattr(service, "standing_of", slowly)
    told = _both(stage)
    assert (told == ["conflict", "scored"]) is protected
    assert EtiquetteInspection.objects.filter(replaced_at=None).count() == 1


@pytest.mark.django_db(transaction=True)
def test_two_first_scores_in_a_clinic_make_its_rubrics_once():
    stage = Stage()
    gate, faults = threading.Barrier(2), []

    def score(subject):
        gate.wait()
        try:
            stage.score(subject)
        except Exception as error:
            faults.append(error)
        finally:
            connection.close()

    threads = [threading.Thread(target=score, args=(subject,)) for subject in (stage.visit, stage.call)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not faults
    assert EtiquetteRubric.objects.count() == 2
    assert Contact.objects.filter(etiquette_inspections__isnull=False).exists()


def test_roles_are_named_right():
    """Only managers and administrators inspect and refund."""
    from accounts.permissions import Permission, permissions_of

    for permission in (Permission.INSPECT_ETIQUETTE, Permission.REFUND):
        assert {role for role in Role.values if permission in permissions_of(role)} == {Role.MANAGER, Role.ADMIN}
