"""What a doctor does next with a patient: read, examine, have exams made, write the plan, leave."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from consultations.models import Exam, Plan, Visit
from consultations.stages import Route, Stage

READ, EXAMINE, EXAMS, PLAN, LEAVE, CHANGE = "read", "examine", "exams", "plan", "leave", "change"

LABELS: dict[str, Any] = {
    EXAMINE: gettext_lazy("Oral exam"),
    EXAMS: gettext_lazy("Exams ordered"),
    PLAN: gettext_lazy("Write the treatment plan"),
}


@dataclass(frozen=True)
class Step:
    """One step of the strip."""

    code: str
    label: str
    is_done: bool = False
    is_current: bool = False


def current_step(visit: Visit, exams: Iterable[Exam], plan: Plan | None) -> str:
    """Return which step stands open now; empty when there is nothing for the doctor to do."""
    if visit.doctor_left_at is not None:
        return CHANGE if visit.stage in {Stage.EXPLAINING, Stage.DECISION} else ""
    if visit.handoff_at is None or not visit.is_open:
        return ""
    if visit.handoff_acknowledged_at is None:
        return READ
    if visit.stage == Stage.DOCTOR and visit.route == Route.DOCTOR_FIRST and any(exams):
        return EXAMS
    if plan is None or plan.finished_at is None:
        return PLAN
    return LEAVE


def steps_of(visit: Visit, now: str, *, exams: list[Exam], examined: bool) -> list[Step]:
    """Return the strip of next steps. Exams stand in it on the doctor-first route when some were ordered.

    Args: now: the current step; examined: findings or a plan were begun.
    """
    if now in {"", CHANGE}:
        return []
    shown = EXAMINE if now == READ or (now == PLAN and not examined) else now
    order = [EXAMINE, *([EXAMS] if visit.route == Route.DOCTOR_FIRST and exams else []), PLAN, LEAVE]
    who = visit.coordinator or _("the coordinator")
    leaving = _("Leave; %(coordinator)s explains price and time") % {"coordinator": who}
    labels = {**LABELS, LEAVE: leaving}
    at = order.index(shown)
    return [Step(code, str(labels[code]), index < at, index == at) for index, code in enumerate(order)]
