"""Handing over all tasks of a colleague who is away, and taking that back."""

import uuid
from dataclasses import dataclass
from datetime import date, timedelta

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from accounts.audit import record
from accounts.models import Clinic, Membership, User
from accounts.permissions import permissions_of
from followups.errors import Refused
from followups.models import StandIn, Task, TaskEvent
from followups.services.standing_in import end_stand_in, stand_in
from followups.services.tasks import Action

UNDO_WITHIN = timedelta(hours=24)


@dataclass(frozen=True)
class Handover:
    """One act: `batch` names it, so that it can be taken back; `counts` says who got how many."""

    batch: str
    counts: dict[str, int]

    @property
    def total(self) -> int:
        return sum(self.counts.values())


def takers(clinic: Clinic, away: User) -> list[User]:
    """Return the colleagues of the same role who could take the tasks over, by name; `away` may have left for good."""
    rows = Membership.objects.for_clinic(clinic).select_related("user")
    role = next((row.role for row in rows if row.user_id == away.pk), None)
    found = [row.user for row in rows.people() if row.user_id != away.pk and _able(row.role) and row.role == role]
    return sorted(found, key=lambda user: (str(user), user.pk))


def _able(role: str) -> bool:
    return "follow_up" in permissions_of(role)


@transaction.atomic
def hand_over(
    *, clinic: Clinic, away: User, to: User | None, reason: str, by: User, until: date | None = None
) -> Handover:
    """Give all open tasks of `away` in the clinic to a colleague, or (None) share them out evenly.

    Args: until: what comes due by itself through this day goes to `to` as well; then there may be no task yet.
    Raises: Refused without a reason, without tasks, when nobody can take them, or for `until` without `to`.
    """
    if not reason.strip():
        raise Refused(_("Give the reason."), field="reason")
    if to is not None and (to == away or not _works_here(clinic, to)):
        raise Refused(_("Choose a colleague who follows up here."), field="to")
    people = [to] if to is not None else takers(clinic, away)
    if not people:
        raise Refused(_("Nobody of the same role is there to share with."), field="to")
    if until is not None and to is None:
        raise Refused(_("Choose who gets what comes later."), field="to")
    rows = list(
        Task.objects.for_clinic(clinic).open().filter(owner=away)
        .order_by("patient_id", "due_at", "pk").select_for_update(of=("self",), no_key=True)
    )  # fmt: skip
    if not rows and until is None:
        raise Refused(_("%(name)s has no open tasks.") % {"name": away}, field="away")
    batch, counts = uuid.uuid4().hex, dict.fromkeys(map(str, people), 0)
    if until is not None and to is not None:
        stand_in(clinic=clinic, away=away, to=to, until=until, batch=batch, reason=reason.strip()[:200], by=by)
    _give(rows, people, counts)
    detail = {"batch": batch, "from": away.pk, "reason": reason.strip()[:200]}
    TaskEvent.objects.bulk_create(
        TaskEvent(task=row, action=Action.HANDED_OVER, by=by, detail={**detail, "to": row.owner_id}) for row in rows
    )
    record(action="tasks_handed_over", clinic=clinic, by=by, subject=away, count=len(rows), reason=reason.strip()[:200])
    return Handover(batch, counts)


def _give(rows: list[Task], people: list[User], counts: dict[str, int]) -> None:
    """Share tasks out in turn, counting them; one patient's tasks stay in one hand."""
    turn = {patient: n for n, patient in enumerate(dict.fromkeys(row.patient_id for row in rows))}
    for row in rows:
        row.owner = people[turn[row.patient_id] % len(people)]
        row.claimed_by = row.claimed_until = None
        counts[str(row.owner)] += 1
    Task.objects.bulk_update(rows, ["owner", "claimed_by", "claimed_until"], batch_size=1000)


def _works_here(clinic: Clinic, user: User) -> bool:
    row = Membership.objects.for_clinic(clinic).people().filter(user=user).first()
    return row is not None and _able(row.role)


@transaction.atomic
def undo_hand_over(*, clinic: Clinic, batch: str, by: User) -> int:
    """Give the tasks of one hand-over back that are still open and still with whom they went to; returns how many.

    What comes due later goes to its owner again. Raises: Refused for an unknown one, or after a day.
    """
    since = timezone.now() - UNDO_WITHIN
    events = TaskEvent.objects.for_clinic(clinic).filter(action=Action.HANDED_OVER, detail__batch=batch, at__gte=since)
    moved = {event.task_id: event.detail for event in events}
    standing = StandIn.objects.for_clinic(clinic).filter(batch=batch, ended_at=None, created_at__gte=since).first()
    if not moved and standing is None:
        raise Refused(_("This can no longer be undone."))
    if standing is not None:
        end_stand_in(row=standing, by=by)
    rows = list(Task.objects.open().filter(pk__in=moved).order_by("pk").select_for_update(of=("self",), no_key=True))
    back = [row for row in rows if row.owner_id == moved[row.pk]["to"]]
    for row in back:
        row.owner_id = moved[row.pk]["from"]
    Task.objects.bulk_update(back, ["owner"], batch_size=1000)
    TaskEvent.objects.bulk_create(
        TaskEvent(task=row, action=Action.HANDED_OVER, by=by, detail={"undoes": batch, "to": row.owner_id})
        for row in back
    )
    record(action="hand_over_undone", clinic=clinic, by=by, count=len(back))
    return len(back)
