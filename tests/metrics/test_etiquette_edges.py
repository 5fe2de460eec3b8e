"""Etiquette at its edges: call-backs, chats, undone and moved records, midnight in the clinic's zone."""

from datetime import time
from decimal import Decimal
from typing import Any

import pytest

from accounts.models import User
from accounts.permissions import Role
from clinic_crm.workbench.merging import merge_patients
from conversations.models import Rubric, ScoreCard
from followups.models import ContactOutcome
from metrics import etiquette_rules as rules
from metrics.models import EtiquetteInspection, EtiquetteRubric
from metrics.services import etiquette as service
from metrics.services.etiquette import SPOKEN, InspectionConflict, InspectionRefused
from metrics.views.etiquette_scoring import _known_of_call
from tests.factories import ClinicFactory, ConversationFactory, PatientFactory, UserFactory
from tests.metrics.etiquette import CALL_YES, Stage, sent, signed_in
from tests.metrics.test_kpi_edges import Desk, at

pytestmark = pytest.mark.django_db


@pytest.fixture
def stage() -> Stage:
    return Stage()


# --- call-backs ------------------------------------------------------------------------------------


@pytest.mark.parametrize("outcome", ContactOutcome.values)
def test_a_call_is_scored_only_when_somebody_was_on_the_line(stage: Stage, outcome: str) -> None:
    call = stage.called(stage.tc, outcome=outcome)
    if outcome in SPOKEN:
        assert stage.score(call).score == 100
        return
    with pytest.raises(InspectionRefused):
        stage.score(call)
    url = f"/etiquette/calls/{call.pk}/"
    client = signed_in(stage.manager)
    assert url not in client.get(f"/patients/{call.patient_id}/").content.decode()
    assert "<fieldset" not in client.get(url).content.decode()
    assert client.post(url, sent(CALL_YES)).status_code == 422


def test_two_calls_to_one_patient_are_two_scores(stage: Stage) -> None:
    again = stage.called(stage.tc, patient=stage.call.patient)
    assert stage.score(stage.call) != stage.score(again, answers=CALL_YES | {"tone": rules.NO})
    assert EtiquetteInspection.objects.filter(replaced_at=None).count() == 2


def test_a_call_undone_after_it_was_scored_is_not_scored_again(stage: Stage) -> None:
    first = stage.score(stage.call)
    stage.called(stage.tc, patient=stage.call.patient, undoes=stage.call)
    with pytest.raises(InspectionRefused):
        stage.score(stage.call, answers=CALL_YES | {"tone": rules.NO}, expected=first.pk)
    assert service.standing_of(stage.call) == first


def test_who_left_the_clinic_is_still_scored_for_what_they_said(stage: Stage) -> None:
    stage.tc.memberships.update(is_active=False)
    User.objects.filter(pk=stage.tc.pk).update(is_active=False)
    assert stage.score(stage.call).staff == stage.tc


def test_a_call_is_scored_by_the_rubric_of_calls_and_of_its_own_clinic(stage: Stage) -> None:
    other = Stage()
    service.save_rubric(
        clinic=other.clinic, kind="call", items=[rules.Item("smile", "x", "微笑", 100)], expected=1, by=other.manager
    )
    assert stage.score(stage.call).rubric.kind == "call"
    with pytest.raises(InspectionRefused):
        stage.score(stage.call, answers={"smile": rules.YES}, version=2)
    assert EtiquetteRubric.objects.filter(clinic=stage.clinic, version=2).count() == 0


def test_a_conflict_over_a_call_keeps_both_managers_words(stage: Stage) -> None:
    first = stage.score(stage.call, note="甲")
    with pytest.raises(InspectionConflict) as told:
        stage.score(stage.call, by=stage.other, note="乙")
    assert told.value.standing == first
    page = signed_in(stage.other).post(f"/etiquette/calls/{stage.call.pk}/", sent(CALL_YES, note="乙"))
    assert page.status_code == 409
    assert "乙" in page.content.decode()


def test_the_page_of_a_call_says_when_it_was_and_what_the_patient_wishes(stage: Stage) -> None:
    call = stage.call
    assert "hour" in _known_of_call(call)
    wish = PatientFactory(clinic=stage.clinic, call_from=time(18), call_to=time(20))
    evening = stage.called(stage.tc, patient=wish, at=at("10 18:30"))
    page = signed_in(stage.manager).get(f"/etiquette/calls/{evening.pk}/").content.decode()
    assert "18:30" in page
    assert "18:00–20:00" in page


def test_the_time_of_a_call_is_the_clinics(stage: Stage) -> None:
    far = ClinicFactory(zone="Asia/Urumqi")
    manager, tc = UserFactory(role=Role.MANAGER, clinic=far), UserFactory(clinic=far)
    there = Stage.__new__(Stage)
    there.clinic, there.manager, there.tc = far, manager, tc
    call = there.called(tc, at=at("10 18:30"))
    assert "16:30" in signed_in(manager).get(f"/etiquette/calls/{call.pk}/").content.decode()


def test_a_call_of_a_record_that_was_merged_is_scored_for_the_one_that_stays(stage: Stage) -> None:
    winner = PatientFactory(clinic=stage.clinic)
    merge_patients(winner=winner, loser=stage.call.patient, clinic=stage.clinic, by=stage.manager)
    assert stage.score(stage.call).patient == winner


# --- chats, and all three kinds together (KPI 3) ---------------------------------------------------


def card(desk: Desk, score: str, when: str, *, chat: dict[str, Any] | None = None, **more: Any) -> ScoreCard:
    facts = {"clinic": desk.clinic, "kind": "chat", "version": 1}
    rubric, _made = Rubric.objects.get_or_create(**facts, defaults={"data": {}})
    conversation = ConversationFactory(clinic=desk.clinic, **({"consultant": desk.tc} | (chat or {})))
    given = {"consultant": desk.tc, "scored_by": desk.admin} | more
    return ScoreCard.objects.create(
        conversation=conversation, rubric=rubric, score=Decimal(score), scored_at=at(when), **given
    )


def call(desk: Desk, score: str, when: str, **more: Any) -> EtiquetteInspection:
    rubric, _made = EtiquetteRubric.objects.get_or_create(
        clinic=desk.clinic, kind="call", version=1, defaults={"items": []}
    )
    facts = {"patient": desk.patient(), "staff": desk.tc, "answers": {}, "inspected_by": desk.admin} | more
    return EtiquetteInspection.objects.create(
        clinic=desk.clinic, rubric=rubric, score=Decimal(score), inspected_at=at(when), **facts,
        contact=Stage.called(desk, desk.tc, patient=desk.patient()),  # type: ignore[arg-type]
    )  # fmt: skip


@pytest.fixture
def desk() -> Desk:
    return Desk()


def test_a_call_and_a_chat_count_with_the_visits_and_each_by_itself(desk: Desk) -> None:
    call(desk, "80", "10 10:00")
    card(desk, "95.50", "11 10:00")
    assert desk.figure("etiquette") == (Decimal("175.50"), 2)
    assert desk.figure("etiquette.call") == (80, 1)
    assert desk.figure("etiquette.chat") == (Decimal("95.50"), 1)
    assert desk.figure("etiquette.visit") == (0, 0)


@pytest.mark.parametrize(("when", "counts"), [("01 00:00", 1), ("31 23:59", 1), ("04-30 23:59", 0), ("06-01 00:00", 0)])
def test_the_window_begins_and_ends_at_midnight_in_the_clinics_zone(desk: Desk, when: str, counts: int) -> None:
    call(desk, "80", when)
    card(desk, "90", when)
    assert desk.figure("etiquette") == (170 * counts, 2 * counts)


def test_replaced_scores_and_chats_entered_in_error_do_not_count(desk: Desk) -> None:
    call(desk, "10", "10 10:00", replaced_at=at("11 10:00"))
    card(desk, "20", "10 10:00", replaced_at=at("11 10:00"))
    card(desk, "30", "10 10:00", chat={"is_error": True})
    assert desk.figure("etiquette") == (0, 0)


def test_a_chat_is_credited_to_whom_the_card_names_else_to_who_wrote(desk: Desk) -> None:
    other = UserFactory(clinic=desk.clinic)
    card(desk, "90", "10 10:00", chat={"consultant": other})
    card(desk, "70", "10 10:00", chat={"consultant": other}, consultant=None)
    assert desk.figure("etiquette", coordinators=(desk.tc.pk,)) == (90, 1)
    assert desk.figure("etiquette", coordinators=(other.pk,)) == (70, 1)


def test_bounds_of_the_scale_count_as_they_are(desk: Desk) -> None:
    call(desk, "0", "10 10:00")
    card(desk, "100", "10 10:00")
    assert desk.figure("etiquette") == (100, 2)


def test_nothing_inspected_is_no_zero(desk: Desk) -> None:
    assert desk.figure("etiquette") == (0, 0)
