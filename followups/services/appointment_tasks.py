"""The tasks that an appointment closes and opens. Called inside the transaction that books or ends it."""

from datetime import datetime, time, timedelta

from django.db.models import Q
from django.utils import timezone

from accounts.models import User
from followups.errors import Refused
from followups.models import Appointment, Nature, PlaybookRun, PlaybookStep, Task, TaskEvent, TaskKind
from followups.playbook_sets import BOOK, REBOOK_SCRIPT
from followups.services import materialise
from followups.services.tasks import close_tasks, create_task, owner_of, reopen_tasks

ClosedBy, Closed, Status = PlaybookStep.ClosedBy, Task.Closed, Appointment.Status


def _of_patient(appointment: Appointment) -> "Q":
    return Q(clinic=appointment.clinic_id, patient=appointment.patient_id)


def _run(appointment: Appointment) -> PlaybookRun | None:
    """The patient's playbook, locked: tasks being made for it and an appointment being booked see each other."""
    rows = PlaybookRun.objects.filter(_of_patient(appointment), ended_at=None)
    rows = rows.select_related("playbook", "owner").select_for_update(of=("self",), no_key=True)
    run: PlaybookRun | None = rows.first()
    return run


def booked(appointment: Appointment, *, by: User | None) -> None:
    """An appointment stands: what was to bring it about is done; what leads up to it begins, or begins again."""
    now = timezone.now()
    missing = Task.objects.filter(appointment=appointment, kind=TaskKind.NO_SHOW)
    close_tasks(missing, reason=Closed.APPOINTMENT_GONE, by=by)  # a no-show that was none
    if appointment.starts_at <= now:
        return
    run = _run(appointment)
    wanted = Task.objects.filter(_of_patient(appointment))
    wanted = wanted.filter(Q(closed_by=ClosedBy.BOOKED) | Q(kind=TaskKind.BOOK_RECHECK))
    close_tasks(wanted, reason=Closed.BOOKED, by=by, appointment=appointment.pk)
    before = Task.objects.filter(appointment=appointment, closed_reason=Closed.APPOINTMENT_GONE)
    reopen_tasks(before.exclude(kind=TaskKind.NO_SHOW), by=by)
    materialise.for_appointment(appointment, run=run, now=now, by=by)


def freed(appointment: Appointment, *, by: User | None) -> None:
    """It was cancelled, moved or entered in error: what led up to it is needless.

    Entered in error: the wishes that it had fulfilled are open again. Cancelled: somebody books another one.
    """
    close_tasks(Task.objects.filter(appointment=appointment), reason=Closed.APPOINTMENT_GONE, by=by)
    if appointment.status == Status.ERROR:
        told = TaskEvent.objects.filter(task__in=Task.objects.filter(_of_patient(appointment)))
        closed = told.filter(action=TaskEvent.Action.CLOSED, detail__appointment=appointment.pk)
        again = Task.objects.filter(pk__in=closed.values("task"), closed_reason=Closed.BOOKED)
        reopen_tasks(again, by=by, appointment=appointment.pk)
        runs = PlaybookRun.objects.filter(_of_patient(appointment), ended_at=None)
        runs.update(generate_at=timezone.now())  # what was left out because of it is made after all
    elif appointment.status in (Status.CANCELLED_PATIENT, Status.CANCELLED_CLINIC):
        _rebook(appointment, by=by)


def _rebook(appointment: Appointment, *, by: User | None) -> None:
    """Ask for another appointment, once per cancelled one, unless the patient has one."""
    now = timezone.now()
    rows = Appointment.objects.filter(_of_patient(appointment)).expected()
    if rows.filter(starts_at__gt=now).exists():
        return
    key = f"a{appointment.pk}:rebook"
    try:
        made = create_task(
            clinic=appointment.clinic,
            patient=appointment.patient,
            kind=TaskKind.BOOK_RECHECK,
            title=BOOK.title,
            due_at=_tomorrow(appointment, now),
            by=by,
            owner=owner_of(appointment.clinic, appointment.patient),
            nature=Nature.REMINDER,
            script=REBOOK_SCRIPT,
            closed_by=ClosedBy.BOOKED,
            run=_run(appointment),
            dedupe_key=key,
        )
    except Refused:
        return
    if made is None:
        reopen_tasks(Task.objects.filter(clinic=appointment.clinic_id, dedupe_key=key), by=by)


def never_cancelled(appointment: Appointment, *, by: User | None) -> None:
    """It was not cancelled after all: nobody books another one for that."""
    asked = Task.objects.filter(clinic=appointment.clinic_id, dedupe_key=f"a{appointment.pk}:rebook")
    close_tasks(asked, reason=Closed.APPOINTMENT_GONE, by=by)


def _tomorrow(appointment: Appointment, now: datetime) -> datetime:
    day = now.astimezone(appointment.clinic.tz).date() + timedelta(days=1)
    return datetime.combine(day, time(11), appointment.clinic.tz)


def missed(appointment: Appointment, *, by: User | None) -> None:
    """The patient did not come: somebody asks why, gently, and offers another time."""
    close_tasks(Task.objects.filter(appointment=appointment), reason=Closed.APPOINTMENT_GONE, by=by)
    key = f"a{appointment.pk}:no_show"
    made = materialise.for_event(
        clinic=appointment.clinic,
        patient=appointment.patient,
        anchor=PlaybookStep.Anchor.NO_SHOW,
        at=timezone.now(),
        by=by,
        run=_run(appointment),
        key=key,
        appointment=appointment,
    )
    if not made:  # marked, taken back and marked again
        reopen_tasks(Task.objects.filter(clinic=appointment.clinic_id, dedupe_key__startswith=f"{key}:"), by=by)


def kept(appointment: Appointment, *, by: User | None) -> None:
    """The patient came: what was to bring them here, and what was to be ready for it, is over."""
    rows = Task.objects.filter(_of_patient(appointment))
    over = Q(appointment=appointment) | Q(closed_by__in=[ClosedBy.RECEIVED, ClosedBy.BOOKED], appointment=None)
    close_tasks(rows.filter(over | Q(kind=TaskKind.NO_SHOW)), reason=Closed.RECEIVED, by=by, came=appointment.pk)


def not_kept(appointment: Appointment, *, by: User | None) -> None:
    """The patient had not come: what their coming closed is open again."""
    told = TaskEvent.objects.filter(task__in=Task.objects.filter(_of_patient(appointment)))
    closed = told.filter(action=TaskEvent.Action.CLOSED, detail__came=appointment.pk)
    again = Task.objects.filter(pk__in=closed.values("task"), closed_reason=Closed.RECEIVED)
    reopen_tasks(again, by=by, came=appointment.pk)


def confirmed(appointment: Appointment, *, by: User | None) -> None:
    """The patient said they will come: nobody needs to ask any more."""
    asks = Task.objects.filter(appointment=appointment, kind=TaskKind.CONFIRM)
    close_tasks(asks, reason=Closed.BY_HAND, by=by)
