"""Moving a visit from stage to stage: the one place where `Visit.stage` is written."""

from datetime import datetime
from typing import Any

from django.db import transaction
from django.db.models import F
from django.utils import timezone

from accounts.models import User
from consultations.errors import MoveRefused, StageConflict
from consultations.models import StageChange, Visit
from consultations.services.facts import actor_of, facts_of
from consultations.stages import ENDED, Missing, Stage, check_move, next_stage
from followups.models import HookEvent
from followups.services import hooks


def locked(visit: Visit, *, expected: str | None = None) -> Visit:
    """Return the visit fresh and locked for this transaction.

    Raises StageConflict when it no longer stands at `expected`.
    """
    fresh: Visit = (
        Visit.objects.select_for_update(of=("self",))
        .select_related("patient", "consultation", "clinic")
        .get(pk=visit.pk)
    )
    if expected is not None and fresh.stage != expected:
        raise StageConflict(fresh, _last_mover(fresh))
    return fresh


def out_of_order(visit: Visit) -> MoveRefused:
    """Return the refusal of a step before its turn; it names the stage that comes next."""
    return MoveRefused([Missing.ORDER], comes_next=next_stage(facts_of(visit)))


def _last_mover(visit: Visit) -> User | None:
    last = visit.stage_changes.select_related("by").order_by("-at", "-id").first()
    return last.by if last else None


def _stamps(to: str, visit: Visit, now: datetime) -> dict[str, Any]:
    """Return the facts that entering a stage sets, once each."""
    marks: dict[str, dict[str, Any]] = {
        Stage.EXPLAINING: {"doctor_left_at": now, "explaining_started_at": now},
        Stage.DECISION: {"explaining_ended_at": now},
        Stage.CLOSED: {"left_at": now, "closed_at": now},
        Stage.LEFT_UNSEEN: {"left_at": now, "closed_at": now},
    }
    return {field: value for field, value in marks.get(to, {}).items() if getattr(visit, field) is None}


@transaction.atomic
def move(*, visit: Visit, to: str, by: User, expected: str | None = None, reason: str = "", **facts: Any) -> Visit:
    """Move a visit to stage `to` and keep who did it and when.

    Args: expected: the stage the person saw; reason: kept with the step; facts: further columns of the
    visit to set in the same statement.
    Raises: StageConflict when somebody else moved it first; MoveRefused with what is missing.
    Source: DOMAIN §2.
    """
    fresh = locked(visit, expected=expected)
    verdict = check_move(facts_of(fresh), to, actor_of(by, fresh))
    if not verdict.allowed:
        raise MoveRefused(verdict.missing, comes_next=next_stage(facts_of(fresh)))
    return write_stage(visit=fresh, to=to, by=by, reason=reason, **facts)


def write_stage(*, visit: Visit, to: str, by: User | None, reason: str = "", **facts: Any) -> Visit:
    """Write a stage that was checked, conditional on the old one, with its history row."""
    now = timezone.now()
    old = visit.stage
    changed = Visit.objects.filter(pk=visit.pk, stage=old).update(
        stage=to, stage_since=now, updated_at=now, version=F("version") + 1, **_stamps(to, visit, now), **facts
    )
    if not changed:
        visit.refresh_from_db()
        raise StageConflict(visit, _last_mover(visit))
    StageChange.objects.create(visit=visit, old_stage=old, new_stage=to, reason=reason, at=now, by=by)
    visit.refresh_from_db()
    if to in ENDED:
        tell_ended(visit)
    return visit


def tell_ended(visit: Visit) -> None:
    """Tell other systems how a visit ended, and whether it was a mistake and never counts."""
    told = {
        "visit": visit.pk, "patient": visit.patient_id, "stage": str(visit.stage), "decision": visit.decision,
        "is_error": visit.is_error,
    }  # fmt: skip
    hooks.emit(clinic_id=visit.clinic_id, event=HookEvent.VISIT_CLOSED, data=told)
