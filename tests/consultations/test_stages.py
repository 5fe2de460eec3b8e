"""The stage rules at their boundaries, without a database."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from consultations.stages import (
    ENDED,
    ROUTES,
    Actor,
    Decision,
    Missing,
    Route,
    Stage,
    VisitFacts,
    check_move,
    next_stage,
    route_for,
    who_moves_to,
)
from patients.classification import Complaint

COMPLETE = VisitFacts(
    stage=Stage.ARRIVED,
    route=Route.EXAM_FIRST,
    form_complete=True,
    complaint_confirmed=True,
    exams_complete=True,
    exams_ordered=True,
    handoff_sent=True,
    handoff_acknowledged=True,
    plan_ready=True,
    all_explained=True,
    decision=Decision.ACCEPTED,
    checkout_ready=True,
)


@pytest.mark.parametrize("complaint", [Complaint.IMPLANT, Complaint.PROSTHODONTICS, Complaint.ORTHODONTICS])
def test_specialist_complaints_are_examined_first(complaint: str) -> None:
    assert route_for(complaint) == Route.EXAM_FIRST


@pytest.mark.parametrize("complaint", sorted(set(Complaint.values) - {"implant", "prosthodontics", "orthodontics"}))
def test_every_other_complaint_sees_the_doctor_first(complaint: str) -> None:
    assert route_for(complaint) == Route.DOCTOR_FIRST


def test_the_exam_stands_before_the_doctor_on_one_route_and_after_on_the_other() -> None:
    first, second = ROUTES[Route.EXAM_FIRST], ROUTES[Route.DOCTOR_FIRST]
    assert first.index(Stage.EXAM) < first.index(Stage.DOCTOR)
    assert second.index(Stage.EXAM) > second.index(Stage.DOCTOR)
    assert set(first) == set(second)


@pytest.mark.parametrize(
    ("stage", "route", "lacking", "to", "missing"),
    [
        (Stage.COMPLAINT, Route.EXAM_FIRST, {"complaint_confirmed": False}, Stage.EXAM, Missing.COMPLAINT),
        (Stage.EXAM, Route.EXAM_FIRST, {"exams_complete": False}, Stage.CONSULTING, Missing.EXAMS),
        (Stage.HANDOFF, Route.EXAM_FIRST, {"form_complete": False}, Stage.DOCTOR, Missing.FORM),
        (Stage.HANDOFF, Route.EXAM_FIRST, {"handoff_sent": False}, Stage.DOCTOR, Missing.HANDOFF),
        (Stage.DOCTOR, Route.EXAM_FIRST, {"handoff_acknowledged": False}, Stage.EXPLAINING, Missing.ACKNOWLEDGEMENT),
        (Stage.DOCTOR, Route.EXAM_FIRST, {"plan_ready": False}, Stage.EXPLAINING, Missing.PLAN),
        (Stage.EXAM, Route.DOCTOR_FIRST, {"exams_complete": False}, Stage.EXPLAINING, Missing.EXAMS),
        (Stage.EXPLAINING, Route.EXAM_FIRST, {"all_explained": False}, Stage.DECISION, Missing.EXPLAINED),
        (Stage.DECISION, Route.EXAM_FIRST, {"decision": ""}, Stage.LEAVING, Missing.DECISION),
        (Stage.DECISION, Route.EXAM_FIRST, {"all_explained": False}, Stage.LEAVING, Missing.EXPLAINED),
        (Stage.LEAVING, Route.EXAM_FIRST, {"checkout_ready": False}, Stage.CLOSED, Missing.CHECKOUT),
    ],
)
def test_a_move_is_refused_with_exactly_what_it_lacks(
    stage: str, route: str, lacking: dict[str, object], to: str, missing: Missing
) -> None:
    complete = replace(COMPLETE, stage=stage, route=route)
    actor = who_moves_to(to, complete)
    assert check_move(complete, to, actor).allowed
    assert check_move(replace(complete, **lacking), to, actor).missing == (missing,)  # type: ignore[arg-type]


def test_a_return_visit_may_go_to_the_doctor_without_a_form() -> None:
    facts = replace(COMPLETE, stage=Stage.HANDOFF, form_complete=False, form_required=False)
    assert check_move(facts, Stage.DOCTOR, Actor.COORDINATOR).allowed


def test_a_doctors_step_by_a_coordinator_is_refused_and_says_so() -> None:
    facts = replace(COMPLETE, stage=Stage.DOCTOR)
    assert check_move(facts, Stage.EXPLAINING, Actor.COORDINATOR).missing == (Missing.DOCTOR,)


def test_a_coordinators_step_by_a_doctor_is_refused_and_says_so() -> None:
    assert check_move(COMPLETE, Stage.RECEIVED, Actor.DOCTOR).missing == (Missing.COORDINATOR,)


def test_a_doctor_first_visit_without_ordered_exams_goes_straight_to_the_explanation() -> None:
    facts = replace(COMPLETE, stage=Stage.DOCTOR, route=Route.DOCTOR_FIRST, exams_ordered=False)
    assert next_stage(facts) == Stage.EXPLAINING


@pytest.mark.parametrize("stage", sorted(ENDED))
def test_nothing_follows_an_ended_visit(stage: str) -> None:
    facts = replace(COMPLETE, stage=stage)
    assert next_stage(facts) is None
    assert all(not check_move(facts, to, actor).allowed for to in Stage.values for actor in Actor)


def test_leaving_unseen_is_open_until_the_decision() -> None:
    undecided = replace(COMPLETE, stage=Stage.EXAM, decision="")
    assert check_move(undecided, Stage.LEFT_UNSEEN, Actor.COORDINATOR).allowed
    decided = replace(COMPLETE, stage=Stage.LEAVING)
    assert check_move(decided, Stage.LEFT_UNSEEN, Actor.COORDINATOR).missing == (Missing.ORDER,)


facts_of_any_visit = st.builds(
    VisitFacts,
    stage=st.sampled_from(Stage.values),
    route=st.sampled_from(Route.values),
    form_complete=st.booleans(),
    form_required=st.booleans(),
    complaint_confirmed=st.booleans(),
    exams_complete=st.booleans(),
    exams_ordered=st.booleans(),
    handoff_sent=st.booleans(),
    handoff_acknowledged=st.booleans(),
    plan_ready=st.booleans(),
    all_explained=st.booleans(),
    decision=st.sampled_from(["", *Decision.values]),
    checkout_ready=st.booleans(),
)


@given(facts_of_any_visit, st.sampled_from(Stage.values), st.sampled_from(list(Actor)))
def test_at_most_one_stage_beside_leaving_unseen_is_ever_open(facts: VisitFacts, to: str, actor: Actor) -> None:
    if check_move(facts, to, actor).allowed and to != Stage.LEFT_UNSEEN:
        assert to == next_stage(facts)
        path = ROUTES[facts.route]
        step = path.index(Stage(to)) - path.index(Stage(facts.stage))
        assert step == 1 or (step == 2 and facts.stage == Stage.DOCTOR and not facts.exams_ordered)


@given(facts_of_any_visit, st.sampled_from(Stage.values))
def test_somebody_who_is_neither_coordinator_nor_doctor_moves_nothing(facts: VisitFacts, to: str) -> None:
    assert not check_move(facts, to, Actor.OTHER).allowed
