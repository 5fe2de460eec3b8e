"""Playbooks and the runs of patients through them: what starts one, moves it and ends it."""

from datetime import datetime, timedelta
from typing import Any

from django.db import transaction
from django.utils import timezone

from accounts.models import Clinic, User
from followups.models import Appointment, Playbook, PlaybookRun, PlaybookStep, Task
from followups.never import NEVER
from followups.services import materialise
from followups.services.builtin import playbook_for
from followups.services.tasks import close_tasks, has_withdrawn, owner_of, reopen_tasks
from followups.task_rules import WANT_BOOKING
from patients.models import ClassChange, ComplaintCase, Patient

EndReason = PlaybookRun.EndReason
Anchor = PlaybookStep.Anchor
SAME_ACT = timedelta(minutes=1)  # what one transaction wrote, on however slow a machine


def running(clinic: Clinic, patient: Patient) -> PlaybookRun | None:
    """Return the patient's running playbook in the clinic, locked; call inside a transaction."""
    rows = PlaybookRun.objects.for_clinic(clinic).filter(patient=patient, ended_at=None)
    found: PlaybookRun | None = (
        rows.select_related("playbook", "clinic", "owner").select_for_update(of=("self",), no_key=True).first()
    )
    return found


@transaction.atomic
def end_runs(*, patient: Patient, clinic: Clinic | None, reason: str, by: User | None, **detail: Any) -> int:
    """End the patient's running playbook (clinic None: in every clinic) and close its open tasks with the reason.

    Args: reason: a PlaybookRun.EndReason. Returns how many runs ended.
    """
    rows = PlaybookRun.objects.filter(patient=patient, ended_at=None)
    rows = rows if clinic is None else rows.for_clinic(clinic)
    ids = list(rows.order_by("pk").select_for_update(of=("self",), no_key=True).values_list("pk", flat=True))
    PlaybookRun.objects.filter(pk__in=ids).update(ended_at=timezone.now(), end_reason=reason, generate_at=None)
    close_tasks(Task.objects.filter(run__in=ids), reason=reason, by=by, **detail)
    return len(ids)


@transaction.atomic
def restart_runs(*, patient: Patient, clinic: Clinic, ended_since: datetime) -> int:
    """Take back that a playbook ended at a moment by the patient's word, unless another runs by now.

    What ended it later (a decision in the clinic) stands.
    """
    rows = PlaybookRun.objects.filter(patient=patient, ended_at__gte=ended_since, ended_at__lt=ended_since + SAME_ACT)
    count = 0
    for run in rows.filter(end_reason__in=[EndReason.CONSENT, EndReason.REFUSED]).order_by("pk"):
        if not PlaybookRun.objects.filter(clinic=run.clinic_id, patient=patient, ended_at=None).exists():
            run.ended_at, run.end_reason, run.generate_at = None, "", timezone.now()
            run.save(update_fields=["ended_at", "end_reason", "generate_at"])
            count += 1
    return count


def _start(
    *, clinic: Clinic, patient: Patient, code: str, at: datetime, change: ClassChange | None, by: User | None
) -> PlaybookRun:
    complains = ComplaintCase.objects.for_clinic(clinic).open().filter(patient=patient).exists()
    run = PlaybookRun.objects.create(
        clinic=clinic,
        patient=patient,
        playbook=playbook_for(clinic, code),
        class_change=change,
        owner=owner_of(clinic, patient) or by,
        started_at=at,
        generate_at=at,
        paused_at=at if complains else None,  # rests from its first day
    )
    materialise.generate_for([run.pk], now=timezone.now())
    now = timezone.now()
    coming = Appointment.objects.for_clinic(clinic).expected().filter(patient=patient, starts_at__gt=now)
    for appointment in coming.order_by("starts_at")[:3]:
        materialise.for_appointment(appointment, run=run, now=now)
    return run


@transaction.atomic
def class_set(*, change: ClassChange, by: User | None) -> PlaybookRun | None:
    """Start the playbook of a class that was just set, and end the former one; returns the new run.

    The same class again keeps the run that is under way. What the new class must never get is closed,
    whoever made it. Source: DOMAIN §3.
    """
    patient, code = change.patient, change.new_class
    run = running(change.clinic, patient)
    if run is not None and run.playbook.class_code == code:
        return None
    end_runs(patient=patient, clinic=None, reason=EndReason.CLASS_CHANGED, by=by)
    forbidden = Task.objects.filter(patient=patient, nature__in=NEVER.get(code, ()))
    close_tasks(forbidden, reason=Task.Closed.NEVER, by=by)
    same_again = change.is_correction and change.old_class == code
    if not code or same_again or patient.merged_into_id or has_withdrawn(patient):
        return None
    return _start(clinic=change.clinic, patient=patient, code=code, at=change.at, change=change, by=by)


@transaction.atomic
def left(*, clinic: Clinic, patient: Patient, at: datetime, by: User | None, plan: str = "") -> PlaybookRun | None:
    """The patient left the clinic: the steps counted from it get their dates; those of an earlier visit close.

    Args: at: when; plan: what plan they took home undecided, in words for titles; empty without one.
    """
    run = running(clinic, patient)
    if run is None:
        return None
    earlier = Task.objects.filter(run=run, step__anchor__in=[Anchor.LEFT, Anchor.PLAN_SENT])
    close_tasks(earlier, reason=Task.Closed.RECEIVED, by=by)
    run.left_at, run.generate_at = at, at
    run.plan_sent_at, run.plan_words = (at, plan[:80]) if plan else (None, "")
    run.save(update_fields=["left_at", "plan_sent_at", "plan_words", "generate_at"])
    materialise.generate_for([run.pk], now=timezone.now())
    return run


def decided(*, clinic: Clinic, patient: Patient, decision: str, by: User | None) -> int:
    """The patient decided ("accepted", "deposit", "refused", "no_treatment"): the playbook ends with the reason.

    What was to bring the patient here or to a decision closes with it, also where it was made by hand. An undecided
    one goes on. Returns how many runs ended.
    """
    reasons = {
        "accepted": EndReason.ACCEPTED,
        "deposit": EndReason.ACCEPTED,
        "refused": EndReason.REFUSED,
        "no_treatment": EndReason.BY_HAND,
    }
    reason = reasons.get(decision)
    if not reason:
        return 0
    wishes = Task.objects.for_clinic(clinic).filter(patient=patient, run=None, kind__in=WANT_BOOKING)
    close_tasks(wishes, reason=reason, by=by)
    return end_runs(patient=patient, clinic=clinic, reason=reason, by=by)


@transaction.atomic
def taken_back(*, clinic: Clinic, patient: Patient, since: datetime, by: User | None) -> PlaybookRun | None:
    """A decision of `since` was taken back: the playbook that it ended goes on with its tasks.

    Nothing happens when another one runs by now; and what ended later, by the patient's word, stays ended.
    Returns the run that goes on.
    """
    act = {"ended_at__gte": since, "ended_at__lt": since + SAME_ACT}
    wishes = Task.objects.for_clinic(clinic).filter(patient=patient, run=None, kind__in=WANT_BOOKING)
    decisions = [Task.Closed.ACCEPTED, Task.Closed.REFUSED]
    reopen_tasks(wishes.filter(closed_reason__in=decisions, **act), by=by)
    rows = PlaybookRun.objects.for_clinic(clinic).filter(patient=patient, **act)
    rows = rows.filter(end_reason__in=[EndReason.ACCEPTED, EndReason.REFUSED, EndReason.BY_HAND])
    run = rows.select_for_update(of=("self",), no_key=True).order_by("-ended_at").first()
    if run is None or running(clinic, patient) is not None or has_withdrawn(patient):
        return None
    closed = Task.objects.filter(run=run, closed_reason=run.end_reason, **act)
    run.ended_at, run.end_reason, run.generate_at = None, "", timezone.now()
    run.save(update_fields=["ended_at", "end_reason", "generate_at"])
    reopen_tasks(closed, by=by)
    return run


@transaction.atomic
def complaint_opened(*, clinic: Clinic, patient: Patient) -> None:
    """While a complaint is open the playbook rests: no new tasks."""
    PlaybookRun.objects.for_clinic(clinic).filter(patient=patient, ended_at=None, paused_at=None).update(
        paused_at=timezone.now()
    )


@transaction.atomic
def complaint_closed(*, clinic: Clinic, patient: Patient, at: datetime, by: User | None, number: int) -> list[Task]:
    """The complaint was settled: the playbook goes on, and somebody asks whether it is well now.

    Args: number: the complaint's id, so that one complaint is asked about once.
    """
    run = running(clinic, patient)
    if run is not None and run.paused_at is not None:
        run.paused_at, run.generate_at = None, timezone.now()
        run.save(update_fields=["paused_at", "generate_at"])
    return materialise.for_event(
        clinic=clinic, patient=patient, anchor=Anchor.COMPLAINT, at=at, by=by, run=run, key=f"complaint{number}"
    )


def current_playbooks(clinic: Clinic) -> dict[str, Playbook]:
    """Return the current version of each class's playbook, with its steps (two queries)."""
    rows = Playbook.objects.for_clinic(clinic).filter(is_current=True).select_related("created_by")
    return {row.class_code: row for row in rows.prefetch_related("steps")}
