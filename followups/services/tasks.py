"""Tasks: making and closing them, and the lease that keeps two people from calling one patient."""

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any

from django.db import IntegrityError, transaction
from django.db.models import Exists, OuterRef, QuerySet
from django.utils import timezone
from django.utils.translation import gettext as _

from accounts.models import Clinic, Membership, User
from accounts.permissions import Role
from followups import consents
from followups.errors import Refused, TaskEnded, TaskHeld
from followups.models import (
    Appointment,
    Campaign,
    ContactChannel,
    Nature,
    PlaybookRun,
    PlaybookStep,
    Task,
    TaskEvent,
)
from followups.never import is_forbidden
from followups.services.standing_in import on_duty
from followups.task_rules import NOT_A_CONTACT
from patients.models import Consent, Patient, Registration
from patients.models.history import ConsentPurpose

LEASE = timedelta(minutes=10)
ADVERTISING = (Nature.MARKETING, Nature.CLOSING)
Action = TaskEvent.Action


def has_withdrawn(patient: Patient) -> bool:
    """Tell whether the patient's latest word on being contacted is no. Never asked is not a no here: a person
    may still be called about what they came for; advertising needs a yes (`consents.agrees`)."""
    latest = Consent.objects.filter(patient=patient, purpose=ConsentPurpose.CONTACT).order_by("-at", "-id")
    return latest.values_list("given", flat=True).first() is False


def check_allowed(*, patient: Patient, kind: str, nature: str) -> None:
    """Raise Refused when such a task must not be made for this patient now, whoever asks (DOMAIN §3, §7)."""
    if patient.merged_into_id:
        raise Refused(_("This record was merged into another."), field="patient")
    if is_forbidden(class_code=patient.class_code, nature=nature):
        words = {"nature": str(Nature(nature).label), "code": patient.class_code}
        raise Refused(_("Never for %(code)s: %(nature)s.") % words, field="nature")
    if kind in NOT_A_CONTACT:
        return
    if has_withdrawn(patient):
        raise Refused(_("The patient does not want to be contacted."), field="patient")
    if nature in ADVERTISING and not consents.agrees(patient, nature):
        raise Refused(_("The patient has not agreed to advertising."), field="nature")


def owner_of(clinic: Clinic, patient: Patient) -> User | None:
    """Return the coordinator who owns the patient in the clinic, if any and still working there."""
    works = Membership.objects.for_clinic(clinic).active().filter(user=OuterRef("owner"))
    rows = Registration.objects.for_clinic(clinic).filter(Exists(works), patient=patient)
    row = rows.select_related("owner").first()
    return row.owner if row else None


@transaction.atomic
def create_task(
    *,
    clinic: Clinic,
    patient: Patient,
    kind: str,
    title: str,
    due_at: datetime,
    by: User | None,
    owner: User | None = None,
    owner_role: str = Role.COORDINATOR,
    channel: str = ContactChannel.PHONE,
    nature: str = Nature.SERVICE,
    script: str = "",
    doctor: User | None = None,
    appointment: Appointment | None = None,
    campaign: Campaign | None = None,
    run: PlaybookRun | None = None,
    step: PlaybookStep | None = None,
    closed_by: str = PlaybookStep.ClosedBy.CONTACT,
    dedupe_key: str | None = None,
) -> Task | None:
    """Make one task, once per `dedupe_key`; None when it exists already.

    Args: due_at: aware; owner: None leaves it to everybody of `owner_role`; dedupe_key: None for one made by hand,
    else it goes to who stands in for the owner then.
    Raises: Refused for what the class forbids, without consent, or for a merged record (DOMAIN §3, §7).
    """
    check_allowed(patient=patient, kind=kind, nature=nature)
    if dedupe_key is not None:  # by hand somebody chose whom they meant
        owner = on_duty(clinic=clinic, owner=owner, due_at=due_at)
    task = Task(
        clinic=clinic,
        patient=patient,
        kind=kind,
        title=title.strip()[:120],
        due_at=due_at,
        owner=owner,
        owner_role=owner_role,
        channel=channel,
        nature=nature,
        script=script,
        doctor=doctor,
        appointment=appointment,
        campaign=campaign,
        run=run,
        step=step,
        closed_by=closed_by,
        dedupe_key=dedupe_key,
        created_by=by,
    )
    try:
        with transaction.atomic():
            task.save(force_insert=True)
    except IntegrityError:
        if dedupe_key is None or not Task.objects.filter(clinic=clinic, dedupe_key=dedupe_key).exists():
            raise
        return None
    tell([task], Action.CREATED, by=by)
    return task


def tell(tasks: Iterable[Task], action: str, *, by: User | None, **detail: Any) -> None:
    """Append what happened to tasks."""
    TaskEvent.objects.bulk_create([TaskEvent(task=task, action=action, by=by, detail=detail) for task in tasks])


@transaction.atomic
def close_tasks(queryset: "QuerySet[Task]", *, reason: str, by: User | None, **detail: Any) -> int:
    """Close the open ones among the tasks, with the reason (a Task.Closed); returns how many."""
    rows = list(queryset.filter(status=Task.Status.OPEN).order_by("pk").select_for_update(of=("self",), no_key=True))
    if not rows:
        return 0
    Task.objects.filter(pk__in=[row.pk for row in rows]).update(
        status=Task.Status.CLOSED,
        closed_reason=reason,
        ended_at=timezone.now(),
        ended_by=by,
        claimed_by=None,
        claimed_until=None,
    )
    tell(rows, Action.CLOSED, by=by, reason=str(reason), **detail)
    return len(rows)


@transaction.atomic
def reopen_tasks(queryset: "QuerySet[Task]", *, by: User | None, **detail: Any) -> int:
    """Open ended tasks again; what the class or the patient's word forbids by now stays ended. Returns how many."""
    rows = queryset.exclude(status=Task.Status.OPEN).order_by("pk").select_related("patient")
    allowed = []
    for row in rows.select_for_update(of=("self",), no_key=True):
        try:
            check_allowed(patient=row.patient, kind=row.kind, nature=row.nature)
        except Refused:
            continue
        allowed.append(row)
    Task.objects.filter(pk__in=[row.pk for row in allowed]).update(
        status=Task.Status.OPEN, closed_reason="", outcome="", ended_at=None, ended_by=None
    )
    tell(allowed, Action.REOPENED, by=by, **detail)
    return len(allowed)


def hold_patient(clinic: Clinic, patient_id: int) -> None:
    """Let one person at a time decide who is at a patient: locks the registration until the transaction ends."""
    rows = Registration.objects.for_clinic(clinic).filter(patient=patient_id)
    list(rows.select_for_update(no_key=True).values_list("pk"))


def holder_of(clinic: Clinic, patient_id: int, *, but: User | None = None, now: datetime | None = None) -> User | None:
    """Return who is at the patient's tasks just now, other than `but`."""
    held = Task.objects.for_clinic(clinic).open().filter(patient=patient_id, claimed_until__gt=now or timezone.now())
    found = held.exclude(claimed_by=but).select_related("claimed_by").first()
    return found.claimed_by if found else None


def check_free(clinic: Clinic, patient_id: int, by: User) -> None:
    """Raise TaskHeld when a colleague is at this patient; call inside a transaction."""
    hold_patient(clinic, patient_id)
    holder = holder_of(clinic, patient_id, but=by)
    if holder is not None:
        raise TaskHeld(str(holder))


@transaction.atomic
def claim(*, task: Task, by: User) -> datetime:
    """Take the patient's open tasks for ten minutes, all of them together; returns until when.

    Taking them again prolongs the lease. Raises: TaskHeld (409) while a colleague has them; TaskEnded.
    """
    check_free(task.clinic, task.patient_id, by)
    until = timezone.now() + LEASE
    mine = Task.objects.for_clinic(task.clinic).open().filter(patient=task.patient_id)
    if not mine.update(claimed_by=by, claimed_until=until):
        raise TaskEnded(task.get_status_display())
    return until


@transaction.atomic
def release(*, task: Task, by: User) -> None:
    """Let go of the patient's tasks."""
    hold_patient(task.clinic, task.patient_id)
    rows = Task.objects.for_clinic(task.clinic).filter(patient=task.patient_id, claimed_by=by)
    rows.update(claimed_by=None, claimed_until=None)


def locked_open(task: Task, by: User) -> Task:
    """Return the task locked, when it is open and no colleague is at the patient; raises TaskHeld, TaskEnded."""
    check_free(task.clinic, task.patient_id, by)
    fresh: Task = Task.objects.select_for_update(of=("self",), no_key=True).with_people().get(pk=task.pk)
    if fresh.status != Task.Status.OPEN:
        raise TaskEnded(fresh.get_closed_reason_display() or fresh.get_status_display())
    return fresh
