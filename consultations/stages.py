"""The stages of a visit, who acts in them, and what a move needs (DOMAIN §2, [S1]). No database here."""

from dataclasses import dataclass
from enum import StrEnum

from django.db import models
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from patients.classification import SPECIALIST


class Stage(models.TextChoices):
    """Where a visit stands."""

    ARRIVED = "arrived", _("Arrived")
    RECEIVED = "received", _("Received")
    INTAKE = "intake", _("Form")
    COMPLAINT = "complaint", _("Complaint")
    EXAM = "exam", _("Exam")
    CONSULTING = "consulting", _("Consulting")
    HANDOFF = "handoff", _("Handoff")
    DOCTOR = "doctor", _("Doctor")
    EXPLAINING = "explaining", _("Explaining")
    DECISION = "decision", _("Decision")
    LEAVING = "leaving", _("Leaving")
    CLOSED = "closed", pgettext_lazy("stage", "Closed")
    LEFT_UNSEEN = "left_unseen", _("Left without being seen")


class Route(models.TextChoices):
    """Whether the exam or the doctor comes first."""

    EXAM_FIRST = "exam_first", _("Exam first, then doctor")
    DOCTOR_FIRST = "doctor_first", _("Doctor first, then exam")


class Decision(models.TextChoices):
    """How a patient decided (决定)."""

    ACCEPTED = "accepted", _("Accepted")
    DEPOSIT = "deposit", _("Deposit paid")
    UNDECIDED = "undecided", _("Undecided")
    REFUSED = "refused", _("Refused")
    NO_TREATMENT = "no_treatment", _("No treatment indicated")


class Actor(StrEnum):
    """Who acts, as far as the stages care; derived from permissions."""

    COORDINATOR = "coordinator"
    DOCTOR = "doctor"
    OTHER = "other"


class Missing(models.TextChoices):
    """What a move may still need."""

    FORM = "form", _("consultation form")
    COMPLAINT = "complaint", _("chief complaint")
    EXAMS = "exams", _("exam data")
    HANDOFF = "handoff", _("handoff note")
    ACKNOWLEDGEMENT = "acknowledgement", _("the doctor's acknowledgement")
    PLAN = "plan", _("treatment plan")
    EXPLAINED = "explained", _("points explained")
    DECISION = "decision", _("decision")
    CHECKOUT = "checkout", _("checkout")
    COORDINATOR = "coordinator", _("to be done by a coordinator")
    DOCTOR = "doctor", _("to be done by the doctor")
    ORDER = "order", _("another stage comes first")


_OPENING = (Stage.ARRIVED, Stage.RECEIVED, Stage.INTAKE, Stage.COMPLAINT)
_CLOSING = (Stage.EXPLAINING, Stage.DECISION, Stage.LEAVING, Stage.CLOSED)
ROUTES: dict[str, tuple[Stage, ...]] = {
    Route.EXAM_FIRST: (*_OPENING, Stage.EXAM, Stage.CONSULTING, Stage.HANDOFF, Stage.DOCTOR, *_CLOSING),
    Route.DOCTOR_FIRST: (*_OPENING, Stage.CONSULTING, Stage.HANDOFF, Stage.DOCTOR, Stage.EXAM, *_CLOSING),
}
ENDED = frozenset({Stage.CLOSED, Stage.LEFT_UNSEEN})
OPEN = tuple(s for s in Stage.values if s not in ENDED)
UNDECIDED = frozenset({Decision.UNDECIDED, Decision.REFUSED})
# Steps that are nothing but the step; every other one has a service that also records what it is about.
PLAIN_STEPS = frozenset({Stage.INTAKE, Stage.COMPLAINT, Stage.CONSULTING, Stage.HANDOFF, Stage.DECISION})

# Minutes after which a stage counts as late; a clinic may set its own.
DEFAULT_LIMITS: dict[str, int] = {
    Stage.ARRIVED: 10,
    Stage.RECEIVED: 15,
    Stage.INTAKE: 15,
    Stage.COMPLAINT: 15,
    Stage.EXAM: 30,
    Stage.CONSULTING: 20,
    Stage.HANDOFF: 20,
    Stage.DOCTOR: 30,
    Stage.EXPLAINING: 60,
    Stage.DECISION: 60,
    Stage.LEAVING: 10,
}


def route_for(complaint: str) -> Route:
    """Return the route a complaint sets: specialist items are examined first, all else sees the doctor first."""
    return Route.EXAM_FIRST if complaint in SPECIALIST else Route.DOCTOR_FIRST


@dataclass(frozen=True)
class VisitFacts:
    """What a move looks at."""

    stage: str
    route: str
    form_complete: bool = False
    form_required: bool = True
    complaint_confirmed: bool = False
    exams_complete: bool = False
    exams_ordered: bool = False
    handoff_sent: bool = False
    handoff_acknowledged: bool = False
    plan_ready: bool = False
    all_explained: bool = False
    decision: str = ""
    checkout_ready: bool = False


@dataclass(frozen=True)
class Verdict:
    """Whether a move is allowed, and what it lacks when not."""

    missing: tuple[Missing, ...] = ()

    @property
    def allowed(self) -> bool:
        return not self.missing


def next_stage(facts: VisitFacts) -> Stage | None:
    """Return the stage that follows on the visit's route; None at its end.

    A doctor-first visit whose doctor ordered no exam skips the exam stage.
    """
    if facts.stage in ENDED:
        return None
    path = ROUTES[facts.route]
    following = path[path.index(Stage(facts.stage)) + 1]
    if following == Stage.EXAM and facts.route == Route.DOCTOR_FIRST and not facts.exams_ordered:
        return Stage.EXPLAINING
    return following


def _needs(facts: VisitFacts, to: Stage) -> list[Missing]:
    """Return what `to` lacks, beyond order and actor."""
    form_missing = facts.form_required and not facts.form_complete
    checks: dict[Stage, list[tuple[bool, Missing]]] = {
        Stage.EXAM: [(not facts.complaint_confirmed, Missing.COMPLAINT)],
        Stage.CONSULTING: [
            (not facts.complaint_confirmed, Missing.COMPLAINT),
            (facts.route == Route.EXAM_FIRST and not facts.exams_complete, Missing.EXAMS),
        ],
        Stage.DOCTOR: [(form_missing, Missing.FORM), (not facts.handoff_sent, Missing.HANDOFF)],
        Stage.EXPLAINING: [
            (not facts.handoff_acknowledged, Missing.ACKNOWLEDGEMENT),
            (not facts.plan_ready, Missing.PLAN),
            (facts.exams_ordered and not facts.exams_complete, Missing.EXAMS),
        ],
        Stage.DECISION: [(not facts.all_explained, Missing.EXPLAINED)],
        # Asked again: a plan that changed after the decision began is to be explained anew.
        Stage.LEAVING: [(not facts.all_explained, Missing.EXPLAINED), (not facts.decision, Missing.DECISION)],
        Stage.CLOSED: [(not facts.checkout_ready, Missing.CHECKOUT)],
    }
    return [what for lacking, what in checks.get(to, []) if lacking]


def who_moves_to(to: str, facts: VisitFacts) -> Actor:
    """Return who brings a visit into stage `to`: the doctor's leaving opens the explanation, and the
    doctor orders the exams of a doctor-first visit; every other step is the coordinator's."""
    if to == Stage.EXPLAINING or (to == Stage.EXAM and facts.route == Route.DOCTOR_FIRST):
        return Actor.DOCTOR
    return Actor.COORDINATOR


def check_move(facts: VisitFacts, to: str, actor: Actor) -> Verdict:
    """Tell whether `actor` may move a visit with `facts` to stage `to`, and what is missing when not.

    Leaving unseen is open to a coordinator from any stage before the decision was taken.
    Source: DOMAIN §2, [S1].
    """
    if to == Stage.LEFT_UNSEEN:
        if facts.stage in ENDED or facts.decision:
            return Verdict((Missing.ORDER,))
        return Verdict() if actor == Actor.COORDINATOR else Verdict((Missing.COORDINATOR,))
    if next_stage(facts) != to:
        return Verdict((Missing.ORDER,))
    mover = who_moves_to(to, facts)
    wrong_hand = []
    if actor != mover:
        wrong_hand = [Missing.DOCTOR if mover == Actor.DOCTOR else Missing.COORDINATOR]
    return Verdict(tuple(wrong_hand + _needs(facts, Stage(to))))
