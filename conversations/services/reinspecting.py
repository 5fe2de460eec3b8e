"""Inspecting earlier chats again, in the background: claimed under a lease, some hundred at a time, gone on with."""

from datetime import timedelta
from typing import Any

from django.db import transaction
from django.db.models import F, Q
from django.utils import timezone

from conversations.models import Conversation, ReinspectionJob
from conversations.services.inspecting import Standards, inspect_batch

LEASE = timedelta(minutes=2)
CHATS_AT_ONCE, MESSAGES_AT_ONCE = 500, 20_000


class _TakenOver(Exception):
    """Another worker has this job now."""


def claim() -> ReinspectionJob | None:
    """Take the next job that is due, under a lease; None when nothing is."""
    now = timezone.now()
    with transaction.atomic():
        due = ReinspectionJob.objects.filter(finished_at=None).filter(Q(leased_until=None) | Q(leased_until__lt=now))
        job = due.order_by("id").select_for_update(skip_locked=True, of=("self",)).first()
        if job is None:
            return None
        job.leased_until = now + LEASE
        if job.total is None:
            job.total = _conversations(job).count()
        job.save(update_fields=["leased_until", "total"])
    return job


def run(job: ReinspectionJob) -> None:
    """Inspect the job's chats, batch by batch, until none is left or another worker has taken over."""
    standards = Standards.of(job.clinic, job.rule_set)
    try:
        while ids := _next(job):
            with transaction.atomic():
                changed = inspect_batch(ids, standards)
                _settled(job, last_id=ids[-1], done=F("done") + len(ids), changed=F("changed") + changed)
            job.last_id = ids[-1]
        _settled(job, finished_at=timezone.now())
    except _TakenOver:
        return


def _conversations(job: ReinspectionJob) -> Any:
    rows = Conversation.objects.for_clinic(job.clinic)
    if job.since is not None:
        rows = rows.filter(started_at__gte=job.clinic.day_bounds(job.since)[0])
    return rows


def _next(job: ReinspectionJob) -> list[int]:
    """Return the next chats by id: so many that their messages fit into memory."""
    rows = _conversations(job).filter(pk__gt=job.last_id).order_by("pk").values_list("pk", "message_count")
    ids: list[int] = []
    messages = 0
    for pk, count in rows[:CHATS_AT_ONCE]:
        if ids and messages + count > MESSAGES_AT_ONCE:
            break
        ids.append(pk)
        messages += count
    return ids


def _settled(job: ReinspectionJob, **values: Any) -> None:
    """Record how far it is, in the batch's transaction, unless another worker has gone further: then undo."""
    lease = None if "finished_at" in values else timezone.now() + LEASE
    mine = ReinspectionJob.objects.filter(pk=job.pk, last_id=job.last_id, finished_at=None)
    if not mine.update(leased_until=lease, **values):
        raise _TakenOver
