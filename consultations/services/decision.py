"""The patient's decision (stage 10), and leaving without being seen."""

from dataclasses import dataclass
from decimal import Decimal as Money

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from accounts.audit import record
from accounts.models import User
from consultations.errors import Refused
from consultations.models import Consultation, Plan, Refund, Visit
from consultations.services.moves import locked, move, write_stage
from consultations.stages import Decision, Stage
from followups.models import HookEvent
from followups.services import hooks
from followups.services.playbooks import decided, taken_back
from patients.classification import SPECIALIST

STATUS = {
    Decision.ACCEPTED: Consultation.Status.ACCEPTED,
    Decision.DEPOSIT: Consultation.Status.DEPOSIT,
    Decision.UNDECIDED: Consultation.Status.OPEN,
    Decision.REFUSED: Consultation.Status.REFUSED,
    Decision.NO_TREATMENT: Consultation.Status.NO_TREATMENT,
}


@dataclass(frozen=True)
class Answer:
    """How the patient decided. Amounts in yuan; `obstacle` says what holds an undecided patient back."""

    decision: str
    amount: Money | None = None
    deposit: Money | None = None
    obstacle: str = ""
    treat_today: str = ""


def _check(answer: Answer, visit: Visit, plan: Plan | None) -> None:
    """Raise Refused when the answer contradicts itself or the doctor's plan."""
    none_indicated = plan is not None and plan.no_treatment
    if none_indicated != (answer.decision == Decision.NO_TREATMENT):
        raise Refused(_("“No treatment indicated” is the doctor's to say, in the plan."))
    if answer.decision == Decision.DEPOSIT and not answer.deposit:
        raise Refused(_("A deposit needs its amount."))
    if answer.deposit and answer.amount and answer.deposit > answer.amount:
        raise Refused(_("The deposit is more than the amount."))
    if answer.decision in {Decision.UNDECIDED, Decision.REFUSED} and not answer.obstacle.strip():
        raise Refused(_("Say what holds the patient back."))
    if answer.treat_today == "today" and visit.consultation.complaint in SPECIALIST:
        raise Refused(_("Specialist treatment is booked for another day."))


@transaction.atomic
def take_decision(*, visit: Visit, answer: Answer, by: User, expected: str | None = None) -> Visit:
    """Record the decision, close or keep open the consultation, and go on to leaving.

    Raises: Refused when the answer contradicts itself or the plan; MoveRefused while points are not
    explained; StageConflict. Source: DOMAIN §2.10, [S1].
    """
    fresh = locked(visit, expected=expected)
    _check(answer, fresh, Plan.objects.filter(visit=fresh).first())
    if fresh.stage == Stage.EXPLAINING:
        fresh = move(visit=fresh, to=Stage.DECISION, by=by)
    if fresh.stage != Stage.DECISION:
        move(visit=fresh, to=Stage.DECISION, by=by)  # refuses, and says what is missing
    fresh.decision = answer.decision
    fresh.decided_at = timezone.now()
    fresh.decision_amount = answer.amount
    fresh.deposit_amount = answer.deposit if answer.decision == Decision.DEPOSIT else None
    fresh.obstacle = answer.obstacle.strip()
    fresh.treat_today = answer.treat_today
    fresh.save(
        update_fields=[
            "decision",
            "decided_at",
            "decision_amount",
            "deposit_amount",
            "obstacle",
            "treat_today",
            "updated_at",
        ]
    )
    Consultation.objects.filter(pk=fresh.consultation_id).update(status=STATUS[Decision(answer.decision)])
    decided(clinic=fresh.clinic, patient=fresh.patient, decision=answer.decision, by=by)
    _tell(fresh)
    return move(visit=fresh, to=Stage.LEAVING, by=by, expected=Stage.DECISION)


def _tell(visit: Visit) -> None:
    """Tell other systems what was decided; "" when it was taken back."""
    told = {
        "visit": visit.pk, "consultation": visit.consultation_id, "patient": visit.patient_id,
        "decision": str(visit.decision),
    }  # fmt: skip
    hooks.emit(clinic_id=visit.clinic_id, event=HookEvent.VISIT_DECIDED, data=told)


@transaction.atomic
def take_decision_back(*, visit: Visit, by: User) -> Visit:
    """The decision was kept wrongly: until the visit has ended it stands at the decision again.

    The playbook that it ended goes on. Raises: StageConflict unless the visit stands at leaving; Refused without a
    decision, and once money was paid back for it.
    """
    fresh = locked(visit, expected=Stage.LEAVING)
    if not fresh.decision:
        raise Refused(_("There is no decision to take back."))
    if Refund.objects.filter(visit=fresh).standing().exists():
        raise Refused(_("Money was paid back for this decision; take that back first."))
    was, since = fresh.decision, fresh.decided_at
    asked = write_stage(
        visit=fresh,
        to=Stage.DECISION,
        by=by,
        reason=_("decision taken back"),
        decision="",
        decided_at=None,
        decision_amount=None,
        deposit_amount=None,
        obstacle="",
        treat_today="",
    )
    Consultation.objects.filter(pk=asked.consultation_id).update(status=status_left(asked.consultation_id))
    if since is not None:
        taken_back(clinic=asked.clinic, patient=asked.patient, since=since, by=by)
    _tell(asked)
    record(action="decision_taken_back", clinic=asked.clinic, by=by, subject=asked, was=str(Decision(was).label))
    return asked


def status_left(consultation_id: int) -> str:
    """Return how a case stands by the latest decision of its visits that were no mistake."""
    visits = Visit.objects.filter(consultation=consultation_id, is_error=False).exclude(decision="")
    last = visits.order_by("-decided_at").values_list("decision", flat=True).first()
    return STATUS[Decision(last)] if last else Consultation.Status.OPEN


@transaction.atomic
def leave_unseen(*, visit: Visit, reason: str, by: User, expected: str | None = None) -> Visit:
    """End a visit whose patient left without being seen; needs a reason.

    Raises: Refused without a reason; MoveRefused once decided or ended; StageConflict.
    """
    if not reason.strip():
        raise Refused(_("Say why the patient left."))
    return move(
        visit=visit, to=Stage.LEFT_UNSEEN, by=by, expected=expected, reason=reason[:200], unseen_reason=reason[:200]
    )
