"""The tasks that come due by themselves. Called by jobs: each bounded, each safe to repeat."""

from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import Count, Exists, F, OuterRef, Q

from accounts.models import Clinic, User
from followups.models import PlaybookRun, Task
from followups.services.materialise import generate_for
from followups.services.playbooks import class_set
from patients.models import ClassChange

BATCH = 2000
LOOK_BACK = timedelta(days=30)


def generate_due(*, now: datetime, limit: int) -> int:
    """Make the tasks of at most `limit` runs whose next steps have come near; returns how many tasks.

    Two workers at once take different runs. A run is looked at again when its next step comes near, so a
    machine that was off makes up for a week at most, and every step once.
    """
    made, left = 0, limit
    while left > 0:
        with transaction.atomic():
            due = PlaybookRun.objects.filter(ended_at=None, generate_at__lte=now, paused_at=None)
            ids = (
                due.order_by("generate_at")
                .select_for_update(skip_locked=True, no_key=True)
                .values_list("pk", flat=True)
            )
            taken = list(ids[: min(BATCH, left)])
            if not taken:
                break
            made += generate_for(taken, now=now)
        left -= len(taken)
    return made


def sweep_playbooks(*, now: datetime, limit: int) -> int:
    """Start the playbooks that setting a class of late did not start (at most `limit`); returns how many.

    Looks at the last thirty days' classifications that still hold, made by a person; those after which a
    playbook ended (accepted, refused) are left in peace.
    """
    later = PlaybookRun.objects.filter(patient=OuterRef("patient"))
    later = later.filter(Q(ended_at=None) | Q(ended_at__gte=OuterRef("at")))
    rows = ClassChange.objects.filter(at__gte=now - LOOK_BACK, at__lte=now, at=F("patient__class_set_at"))
    rows = rows.filter(patient__merged_into=None, playbook_run=None, by__isnull=False).exclude(new_class="")
    rows = rows.filter(~Exists(later)).select_related("patient", "clinic", "by").order_by("at", "pk")
    started = 0
    for change in rows[:limit]:
        with transaction.atomic():
            run = class_set(change=change, by=None)
            if run is None:
                continue
            PlaybookRun.objects.filter(pk=run.pk).update(left_at=change.at)
            generate_for([run.pk], now=now)
        started += 1
    return started


def overdue_digest(*, clinic: Clinic, now: datetime) -> list[tuple[User | None, int]]:
    """Return how many tasks of each person are overdue in a clinic, the most first; None for those of nobody."""
    rows = Task.objects.for_clinic(clinic).due(now).values("owner").annotate(count=Count("pk")).order_by("-count")
    counted = list(rows)
    people = User.objects.in_bulk([row["owner"] for row in counted if row["owner"]])
    return [(people.get(row["owner"]), row["count"]) for row in counted]
