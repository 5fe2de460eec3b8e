"""Recheck plans (复查方案): ready before the recheck, by coordinator and doctor together ([S1])."""

from datetime import datetime, timedelta
from typing import Any

from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone
from django.utils.translation import gettext as _

from accounts.models import Clinic, User
from accounts.statements import Statement
from followups.errors import Refused, TaskEnded
from followups.models import Appointment, Task, TaskEvent, TaskKind
from followups.outcomes import EXPECTED
from followups.services.tasks import Action, hold_patient, locked_open, tell
from patients.models import Registration

MOST = 1000  # characters of a plan


def _plans(clinic: Clinic | int) -> QuerySet[Any]:
    return Task.objects.for_clinic(clinic).open().filter(kind=TaskKind.RECHECK_PLAN, appointment__isnull=False)


@transaction.atomic
def write_plan(*, task: Task, note: str, by: User, instead_of: int | None = None) -> Task:
    """Keep the plan in words; the task is done by it.

    Args: instead_of: the TaskEvent of the words that were read and are corrected, until the recheck has come; the
    former stay in the history. Raises: Refused without words or for another kind of task; TaskHeld, TaskEnded.
    """
    if task.kind != TaskKind.RECHECK_PLAN:
        raise Refused(_("This is no recheck plan."))
    words = note.strip()
    if not words:
        raise Refused(_("Write what is to be done at the recheck."), field="note")
    if len(words) > MOST:
        raise Refused(_("At most %(count)s characters.") % {"count": MOST}, field="note")
    fresh = locked_open(task, by) if instead_of is None else _locked_written(task, instead_of)
    fresh.status, fresh.ended_at, fresh.ended_by = Task.Status.DONE, timezone.now(), by
    fresh.claimed_by = fresh.claimed_until = None
    fresh.save(update_fields=["status", "ended_at", "ended_by", "claimed_by", "claimed_until"])
    tell([fresh], Action.DONE, by=by, note=words)
    return fresh


def words_of(task: Task) -> TaskEvent | None:
    """Return the words of a plan as they stand (`detail["note"]`), None while it is not written."""
    if task.kind != TaskKind.RECHECK_PLAN or task.status == Task.Status.OPEN:
        return None
    return TaskEvent.objects.filter(task=task, action=Action.DONE).order_by("-at", "-id").first()


def may_correct(task: Task) -> bool:
    """Tell whether a written plan may still be worded otherwise: the patient has not come for it yet."""
    came = task.appointment is not None and task.appointment.status == Appointment.Status.KEPT
    return task.kind == TaskKind.RECHECK_PLAN and task.status == Task.Status.DONE and not came


def _locked_written(task: Task, instead_of: int) -> Task:
    """Return the written plan locked. Raises: TaskEnded when it is over or worded otherwise meanwhile."""
    hold_patient(task.clinic, task.patient_id)
    fresh: Task = Task.objects.select_for_update(of=("self",), no_key=True).with_people().get(pk=task.pk)
    stands = words_of(fresh)
    if not may_correct(fresh) or stands is None or stands.pk != instead_of:
        raise TaskEnded(fresh.get_closed_reason_display() or fresh.get_status_display())
    return fresh


def is_ready(appointment: Appointment) -> bool:
    """Tell whether a plan was written already for an appointment that was moved or fell through, and not used since."""
    row = Registration.objects.filter(clinic=appointment.clinic_id, patient=appointment.patient_id)
    last = row.values_list("last_visit_on", flat=True).first()
    written = Task.objects.filter(clinic=appointment.clinic_id, patient=appointment.patient_id)
    written = written.filter(kind=TaskKind.RECHECK_PLAN, status=Task.Status.DONE)
    if last is not None:
        written = written.filter(ended_at__gte=appointment.clinic.day_bounds(last)[0])
    return bool(written.exclude(appointment__status__in=[Appointment.Status.KEPT, *EXPECTED]).exists())


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
