"""A random walk over a visit with real rows: no illegal step is ever accepted, whoever tries it."""

from itertools import pairwise
from typing import Any

import pytest
from django.db import transaction
from django.utils import timezone
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from accounts.permissions import Role
from consultations.errors import VisitError
from consultations.models import ExamKind, Plan, StageChange, Visit
from consultations.points import Point
from consultations.services.complaint import confirm_complaint
from consultations.services.decision import Answer, leave_unseen, take_decision
from consultations.services.leaving import close, decide_waiver, let_go, mark_done
from consultations.services.moves import move
from consultations.services.reception import check_in, receive
from consultations.stages import Stage
from patients.classification import Complaint
from tests.factories import ClinicFactory, PatientFactory, UserFactory

# Written from DOMAIN §2 by hand, not from the rules under test: what may follow what on each route.
OPENING, CLOSING = "arrived received intake complaint", "explaining decision leaving closed"
FOLLOWS = {
    "exam_first": f"{OPENING} exam consulting handoff doctor {CLOSING}",
    "doctor_first": f"{OPENING} consulting handoff doctor exam {CLOSING}",
}
BY_DOCTOR = {("doctor", "explaining"), ("exam", "explaining"), ("doctor", "exam")}


class VisitMachine(RuleBasedStateMachine):
    """Coordinator, doctor and front desk try everything in any order."""

    def __init__(self) -> None:
        super().__init__()
        self.atomic = transaction.atomic()
        self.atomic.__enter__()
        self.clinic = ClinicFactory()
        self.people = {
            "coordinator": UserFactory(role=Role.COORDINATOR, clinic=self.clinic),
            "doctor": UserFactory(role=Role.DOCTOR, clinic=self.clinic),
            "desk": UserFactory(role=Role.FRONT_DESK, clinic=self.clinic),
            "manager": UserFactory(role=Role.MANAGER, clinic=self.clinic),
        }
        ExamKind.objects.create(clinic=self.clinic, code="pano", name="全景片")
        patient = PatientFactory(clinic=self.clinic)
        self.visit = check_in(clinic=self.clinic, patient=patient, by=self.people["desk"])

    def teardown(self) -> None:
        transaction.set_rollback(True)
        self.atomic.__exit__(None, None, None)

    def attempt(self, service: Any, **values: Any) -> None:
        """Try a step in a savepoint; a refusal must leave the visit as it was."""
        before = self.visit.stage
        try:
            with transaction.atomic():
                service(**values)
        except VisitError:
            assert Visit.objects.get(pk=self.visit.pk).stage == before
        self.visit = Visit.objects.get(pk=self.visit.pk)

    def know(self, **facts: Any) -> None:
        Visit.objects.filter(pk=self.visit.pk).update(**facts)
        self.visit.refresh_from_db()

    @rule(to=st.sampled_from(Stage.values), who=st.sampled_from(["coordinator", "doctor", "desk", "manager"]))
    def anybody_moves_anywhere(self, to: str, who: str) -> None:
        self.attempt(move, visit=self.visit, to=to, by=self.people[who])

    @rule()
    def the_right_person_takes_the_next_step(self) -> None:
        path = FOLLOWS[self.visit.route].split()
        if self.visit.stage not in path[:-1]:
            return
        to = path[path.index(self.visit.stage) + 1]
        who = "doctor" if (self.visit.stage, to) in BY_DOCTOR and self.visit.stage != "exam" else "coordinator"
        if self.visit.stage == "exam" and self.visit.route == "doctor_first":
            who = "doctor"
        self.attempt(move, visit=self.visit, to=to, by=self.people[who])

    @rule(who=st.sampled_from(["coordinator", "doctor", "desk"]))
    def somebody_receives(self, who: str) -> None:
        self.attempt(receive, visit=self.visit, by=self.people[who])

    @rule(complaint=st.sampled_from(Complaint.values))
    def the_complaint_is_confirmed(self, complaint: str) -> None:
        self.attempt(confirm_complaint, visit=self.visit, complaint=complaint, text="x", by=self.people["coordinator"])

    @rule(name=st.sampled_from(["form_completed_at", "exams_completed_at", "handoff_at", "handoff_acknowledged_at"]))
    def a_fact_comes_in(self, name: str) -> None:
        self.know(**{name: timezone.now()})

    @rule()
    def the_doctor_finishes_a_plan(self) -> None:
        made = {"made_by": self.people["doctor"], "finished_at": timezone.now()}
        Plan.objects.get_or_create(visit=self.visit, defaults=made)

    @rule()
    def everything_is_explained(self) -> None:
        self.know(explained_points=list(Point.values))

    @rule(decision=st.sampled_from(["accepted", "undecided", "no_treatment"]))
    def the_patient_decides(self, decision: str) -> None:
        answer = Answer(decision=decision, obstacle="怕疼")
        self.attempt(take_decision, visit=self.visit, answer=answer, by=self.people["coordinator"])

    @rule(
        code=st.sampled_from(["next_appointment", "wechat", "classification", "tbi", "word_of_mouth", "recheck_plan"])
    )
    def a_must_do_is_met(self, code: str) -> None:
        coordinator = self.people["coordinator"]
        self.attempt(let_go, visit=self.visit, code=code, reason="没时间", by=coordinator)
        self.attempt(decide_waiver, visit=self.visit, code=code, approve=True, by=self.people["manager"])
        self.attempt(mark_done, visit=self.visit, code=code, by=coordinator)

    @rule()
    def the_visit_is_closed(self) -> None:
        self.attempt(close, visit=self.visit, by=self.people["coordinator"])

    @rule(reason=st.sampled_from(["", "等太久"]))
    def the_patient_walks_out(self, reason: str) -> None:
        self.attempt(leave_unseen, visit=self.visit, reason=reason, by=self.people["coordinator"])

    @invariant()
    def every_step_taken_was_legal(self) -> None:
        steps = list(
            StageChange.objects.filter(visit=self.visit).order_by("id").values_list("old_stage", "new_stage", "by")
        )
        assert steps[0][:2] == ("", "arrived")
        assert steps[-1][1] == self.visit.stage
        for (_, left, _), (old, new, by) in pairwise(steps):
            assert old == left
            self.legal(old, new, by)

    def legal(self, old: str, new: str, by: int) -> None:
        if new == "left_unseen":
            assert not self.visit.decision
            assert self.visit.unseen_reason or by is not None
            return
        path = FOLLOWS[self.visit.route].split()
        before_routes_part = old in {"arrived", "received", "intake"}
        step = path.index(new) - path.index(old)
        skipped_exam = (old, new, self.visit.route) == ("doctor", "explaining", "doctor_first")
        assert step == 1 or skipped_exam or before_routes_part
        doctors_step = (old, new) in BY_DOCTOR and not (old == "exam" and self.visit.route == "exam_first")
        assert (by == self.people["doctor"].pk) == doctors_step

    @invariant()
    def an_ended_visit_has_what_it_needs(self) -> None:
        if self.visit.stage == "closed":
            assert self.visit.decision
            assert self.visit.left_at
            assert self.visit.handoff_at
            assert self.visit.form_completed_at or not self.visit.is_first


@pytest.mark.django_db
def test_no_illegal_move_is_ever_accepted() -> None:
    from hypothesis.stateful import run_state_machine_as_test

    run_state_machine_as_test(
        VisitMachine,
        settings=settings(
            max_examples=20, stateful_step_count=60, deadline=None, suppress_health_check=list(HealthCheck)
        ),
    )
