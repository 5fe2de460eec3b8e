"""Recheck plans (复查方案): ready before the recheck, by coordinator and doctor together ([S1])."""

from datetime import datetime, timedelta
from typing import Any

from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone
from django.utils.translation import gettext as _

from accounts.models import Clinic, User
from accounts.statements import Statement
from followups.errors import Refused
from followups.models import Task, TaskKind
from followups.services.tasks import Action, locked_open, tell

MOST = 1000  # characters of a plan


def _plans(clinic: Clinic | int) -> QuerySet[Any]:
    return Task.objects.for_clinic(clinic).open().filter(kind=TaskKind.RECHECK_PLAN, appointment__isnull=False)


@transaction.atomic
def write_plan(*, task: Task, note: str, by: User) -> Task:
    """Keep the plan in words; the task is done by it.

    Raises: Refused without words or for another kind of task; TaskHeld, TaskEnded.
    """
    if task.kind != TaskKind.RECHECK_PLAN:
        raise Refused(_("This is no recheck plan."))
    words = note.strip()
    if not words:
        raise Refused(_("Write what is to be done at the recheck."), field="note")
    if len(words) > MOST:
        raise Refused(_("At most %(count)s characters.") % {"count": MOST}, field="note")
    fresh = locked_open(task, by)
    fresh.status, fresh.ended_at, fresh.ended_by = Task.Status.DONE, timezone.now(), by
    fresh.claimed_by = fresh.claimed_until = None
    fresh.save(update_fields=["status", "ended_at", "ended_by", "claimed_by", "claimed_until"])
    tell([fresh], Action.DONE, by=by, note=words)
    return fresh


def for_doctor(*, clinic: Clinic, doctor: User, now: datetime) -> list[Task]:
    """Return the plans a doctor is named in whose recheck is within a week, the nearest first (one statement)."""
    found: list[Task] = _NAMED.rows(clinic=clinic.pk, doctor=doctor.pk, now=now, end=now + timedelta(days=7))
    return found


def _named(*, clinic: int, doctor: int, now: datetime, end: datetime) -> QuerySet[Any]:
    rows = _plans(clinic).filter(doctor=doctor, appointment__starts_at__gt=now, appointment__starts_at__lt=end)
    return rows.select_related("patient", "appointment", "owner").order_by("appointment__starts_at")[:12]


_NAMED = Statement(_named)


def missing_tomorrow(*, clinic: Clinic, now: datetime) -> list[Task]:
    """Return the plans that lack for today's rest and tomorrow's rechecks (one statement)."""
    end = clinic.day_bounds(timezone.localtime(now, clinic.tz).date() + timedelta(days=1))[1]
    found: list[Task] = _MISSING.rows(clinic=clinic.pk, now=now, end=end)
    return found


def _missing(*, clinic: int, now: datetime, end: datetime) -> QuerySet[Any]:
    rows = _plans(clinic).filter(appointment__starts_at__gt=now, appointment__starts_at__lt=end)
    return rows.select_related("patient", "appointment").order_by("appointment__starts_at")[:20]


_MISSING = Statement(_missing)
