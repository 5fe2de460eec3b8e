"""Steps becoming tasks: in bulk for runs whose time has come, one by one for appointments and events."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from django.db import connection, transaction
from django.utils import timezone

from accounts.models import Clinic, Membership, User
from accounts.permissions import Role
from followups import consents, playbook_rules
from followups.errors import Refused
from followups.models import Appointment, Nature, PlaybookRun, PlaybookStep, StandIn, Task, TaskKind
from followups.never import is_forbidden
from followups.playbook_rules import StepTimes
from followups.playbook_sets import CONFIRM, NO_SHOW, StepDraft
from followups.services import recheck_plans
from followups.services.tasks import create_task, owner_of
from followups.services.workdays import working_day_before
from patients.models import Patient
from patients.models.history import ConsentPurpose

Anchor = PlaybookStep.Anchor
RECHECKS = (Appointment.Kind.RECHECK, Appointment.Kind.RETURN)
# The column of a run that an anchor is counted from, and the letter it has in the key of a task.
DATED: dict[str, tuple[str, str]] = {
    Anchor.CLASS_SET: ("started_at", "c"),
    Anchor.LEFT: ("left_at", "l"),
    Anchor.PLAN_SENT: ("plan_sent_at", "p"),
}
READ = (
    "pk", "clinic__zone", "playbook_id", "started_at", "left_at", "plan_sent_at", "patient__class_code",
    "patient__merged_into", "said_contact", "said_marketing",
)  # fmt: skip

# Raw, so that a hundred thousand tasks are one statement a batch: the words come from the step, the rest from the run.
# What would be for a coordinator who left the clinic is for all of them.
# Nobody is asked to book what is booked, or to add who was added; when that appointment goes, appointment_tasks asks for another.
INSERT = """
INSERT INTO {task} (clinic_id, patient_id, kind, title, script, channel, nature, owner_id, owner_role, due_at, status,
                    closed_by, run_id, step_id, dedupe_key, contacts, closed_reason, outcome, created_at)
SELECT run.clinic_id, run.patient_id, step.kind, left(replace(step.title, '{{plan}}', run.plan_words), 120),
       step.script, step.channel, step.nature, CASE WHEN step.owner_role = %(coordinator)s THEN COALESCE(cover.to_id, works.user_id) END,
       step.owner_role, new.due_at, 'open', step.closed_by, run.id, step.id, new.key, 0, '', '', %(now)s
FROM unnest(%(runs)s::bigint[], %(steps)s::bigint[], %(dues)s::timestamptz[], %(keys)s::text[])
     AS new (run_id, step_id, due_at, key)
JOIN {run} run ON run.id = new.run_id JOIN {step} step ON step.id = new.step_id
LEFT JOIN (SELECT c.* FROM {cover} c JOIN {user} u ON u.id = c.to_id AND u.is_active WHERE c.ended_at IS NULL) cover
     ON cover.clinic_id = run.clinic_id AND cover.away_id = run.owner_id AND cover.ends_at > new.due_at
LEFT JOIN {membership} works ON works.user_id = run.owner_id AND works.clinic_id = run.clinic_id AND works.is_active
WHERE (step.closed_by <> 'booked' OR NOT EXISTS (
    SELECT 1 FROM {appointment} coming
    WHERE coming.patient_id = run.patient_id AND coming.clinic_id = run.clinic_id
      AND coming.status IN ('booked', 'confirmed') AND coming.starts_at > %(now)s))
AND (step.closed_by <> 'wechat' OR NOT EXISTS (
    SELECT 1 FROM {patient} person WHERE person.id = run.patient_id AND person.wechat_linked_at IS NOT NULL))
ON CONFLICT DO NOTHING
"""
LOOK_AGAIN = """
UPDATE {run} run SET generate_at = new.at
FROM unnest(%(ids)s::bigint[], %(ats)s::timestamptz[]) AS new (id, at) WHERE run.id = new.id
"""


def _tables() -> dict[str, str]:
    models = {
        "task": Task,
        "run": PlaybookRun,
        "step": PlaybookStep,
        "appointment": Appointment,
        "cover": StandIn,
        "user": User,
        "membership": Membership,
        "patient": Patient,
    }
    return {name: model._meta.db_table for name, model in models.items()}


def times_of(step: PlaybookStep | StepDraft) -> StepTimes:
    return StepTimes(step.offset_days, step.at_time, step.repeat_days)


@dataclass
class _Batch:
    """What is to be written: tasks as columns, and when each run is looked at again."""

    runs: list[int] = field(default_factory=list)
    steps: list[int] = field(default_factory=list)
    dues: list[datetime] = field(default_factory=list)
    keys: list[str] = field(default_factory=list)
    ids: list[int] = field(default_factory=list)
    ats: list[datetime | None] = field(default_factory=list)

    def add(self, run: int, step: int, due: datetime, key: str) -> None:
        self.runs.append(run)
        self.steps.append(step)
        self.dues.append(due)
        self.keys.append(key)


def _may(step: PlaybookStep, row: dict[str, Any]) -> bool:
    """Tell whether such a contact may be made now: the class, and what the patient said (null: never asked)."""
    if is_forbidden(class_code=row["patient__class_code"], nature=step.nature):
        return False
    if step.nature in (Nature.MARKETING, Nature.CLOSING):
        return row["said_contact"] is True and row["said_marketing"] is True
    return row["said_contact"] is not False


def _plan_run(row: dict[str, Any], steps: Iterable[PlaybookStep], now: datetime, batch: _Batch) -> None:
    """Add the tasks of one run that are near enough, and when the next one will be."""
    tz, later = ZoneInfo(row["clinic__zone"]), []
    for step in steps:
        column, letter = DATED[step.anchor]
        anchor = row[column]
        if anchor is None:
            continue
        ready, again = playbook_rules.occurrences(anchor=anchor, times=times_of(step), tz=tz, now=now)
        later += [again] if again else []
        if ready and _may(step, row):
            mark = f"{letter}{anchor.astimezone(tz):%y%m%d%H%M}"
            for due in ready:
                batch.add(row["pk"], step.pk, due.at, f"r{row['pk']}:s{step.pk}:{mark}:{due.number}")
    batch.ids.append(row["pk"])
    batch.ats.append(min(later, default=None))


def generate_for(run_ids: Sequence[int], *, now: datetime) -> int:
    """Make the tasks of the runs that fall due within two weeks, each once; returns how many were new.

    Two statements to read and two to write, however many runs. Safe to repeat (unique key of a task).
    """
    rows = PlaybookRun.objects.filter(pk__in=run_ids, ended_at=None, paused_at=None)
    said = {
        f"said_{purpose}": consents.latest(purpose) for purpose in (ConsentPurpose.CONTACT, ConsentPurpose.MARKETING)
    }
    found = list(rows.alias(**said).annotate(**said).values(*READ))
    steps: dict[int, list[PlaybookStep]] = defaultdict(list)
    for step in PlaybookStep.objects.filter(playbook__in={row["playbook_id"] for row in found}, anchor__in=DATED):
        steps[step.playbook_id].append(step)
    batch = _Batch()
    for row in found:
        if row["patient__merged_into"] is None:
            _plan_run(row, steps[row["playbook_id"]], now, batch)
    return _write(batch, now)


def _write(batch: _Batch, now: datetime) -> int:
    made = 0
    with transaction.atomic(), connection.cursor() as cursor:
        if batch.keys:
            values: dict[str, Any] = {"runs": batch.runs, "steps": batch.steps, "dues": batch.dues, "keys": batch.keys}
            cursor.execute(
                INSERT.format(**_tables()), values | {"now": timezone.now(), "coordinator": Role.COORDINATOR.value}
            )
            made = cursor.rowcount
        if batch.ids:
            cursor.execute(LOOK_AGAIN.format(**_tables()), {"ids": batch.ids, "ats": batch.ats})
    return made


def _steps_of(run: PlaybookRun | None, anchor: str) -> list[PlaybookStep]:
    if run is None or run.paused_at is not None:
        return []
    return list(PlaybookStep.objects.filter(playbook=run.playbook_id, anchor=anchor))


def _owner(step: PlaybookStep | StepDraft, owner: User | None) -> User | None:
    return owner if step.owner_role == Role.COORDINATOR else None


def _make(step: PlaybookStep | StepDraft, *, due: datetime, key: str, **more: Any) -> Task | None:
    """Make the task of one step unless the patient's class or word forbids it; None then, or when it exists."""
    try:
        return create_task(
            kind=step.kind,
            title=step.title,
            due_at=due,
            owner_role=step.owner_role,
            channel=step.channel,
            nature=step.nature,
            script=step.script,
            closed_by=step.closed_by,
            step=step if isinstance(step, PlaybookStep) else None,
            dedupe_key=key,
            **more,
        )
    except Refused:
        return None


def for_appointment(
    appointment: Appointment, *, run: PlaybookRun | None, now: datetime, by: User | None = None
) -> list[Task]:
    """Make what leads up to an appointment: the call that confirms it, and what the patient's playbook asks for.

    A recheck plan is due at noon of the working day before, or now when that has passed ([S1]); one that was written
    for an appointment that was moved, or fell through, holds for this one.
    """
    clinic, patient, tz = appointment.clinic, appointment.patient, appointment.clinic.tz
    steps = _steps_of(run, Anchor.APPOINTMENT)
    drafts: list[PlaybookStep | StepDraft] = [*steps]
    if not any(step.kind == TaskKind.CONFIRM for step in steps):
        drafts.append(CONFIRM)
    owner, made = owner_of(clinic, patient), []
    for step in drafts:
        plan = step.kind == TaskKind.RECHECK_PLAN
        if plan and (appointment.kind not in RECHECKS or recheck_plans.is_ready(appointment)):
            continue
        due = playbook_rules.before_appointment(
            starts_at=appointment.starts_at, times=times_of(step), tz=tz, now=now, must=plan
        )
        if due is None:
            continue
        if plan and due > now:
            due = max(now, _working(clinic, appointment, due))
        name = f"s{step.pk}" if isinstance(step, PlaybookStep) else step.kind
        task = _make(
            step,
            due=due,
            key=f"a{appointment.pk}:{name}:{run.pk if run and isinstance(step, PlaybookStep) else 0}",
            clinic=clinic,
            patient=patient,
            by=by,
            owner=_owner(step, owner),
            doctor=appointment.doctor if plan else None,
            appointment=appointment,
            run=run if isinstance(step, PlaybookStep) else None,
        )
        made += [task] if task else []
    return made


def _working(clinic: Clinic, appointment: Appointment, due: datetime) -> datetime:
    """Move what is due the day before to the working day before."""
    local = due.astimezone(clinic.tz)
    if (appointment.starts_at.astimezone(clinic.tz).date() - local.date()) != timedelta(days=1):
        return due
    day = working_day_before(clinic, appointment.starts_at.astimezone(clinic.tz).date())
    return local.replace(year=day.year, month=day.month, day=day.day)


def for_event(
    *,
    clinic: Clinic,
    patient: Patient,
    anchor: str,
    at: datetime,
    by: User | None,
    run: PlaybookRun | None,
    key: str,
    appointment: Appointment | None = None,
) -> list[Task]:
    """Make what an event asks for: the steps of the playbook; without one, a no-show is still asked about.

    Args: anchor: no_show or complaint; key: names the event, so that it counts once.
    """
    steps: list[PlaybookStep | StepDraft] = [*_steps_of(run, anchor)]
    if not steps and anchor == Anchor.NO_SHOW:
        steps = [NO_SHOW]
    owner, made = owner_of(clinic, patient), []
    for number, step in enumerate(steps):
        task = _make(
            step,
            due=playbook_rules.due_at(anchor=at, times=times_of(step), tz=clinic.tz),
            key=f"{key}:{number}",
            clinic=clinic,
            patient=patient,
            by=by,
            owner=_owner(step, owner),
            appointment=appointment,
            run=run,
        )
        made += [task] if task else []
    return made
