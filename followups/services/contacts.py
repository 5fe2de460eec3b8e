"""Contacts: logging one in a gesture, what follows from it, and taking it back."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import Exists, OuterRef
from django.utils import timezone
from django.utils.translation import gettext as _

from accounts.models import Clinic, User
from followups import task_rules
from followups.errors import BookingError, Refused
from followups.models import (
    Appointment,
    Contact,
    ContactChannel,
    ContactOutcome,
    MessagingSettings,
    PlaybookRun,
    Task,
    TaskEvent,
    TaskKind,
)
from followups.services import booking
from followups.services.consents_said import consents_said
from followups.services.playbooks import SAME_ACT, end_runs, restart_runs
from followups.services.tasks import Action, check_free, close_tasks, locked_open, reopen_tasks, tell
from followups.task_rules import Then
from patients.models import Consent, Patient, Registration
from patients.models.history import ConsentPurpose

UNDO_WITHIN = timedelta(minutes=10)
STEP_ASIDE = 3  # days, unless the clinic set it
Outcome = ContactOutcome


def step_aside(clinic: Clinic) -> timedelta:
    """Return how long contacted patients are left in peace."""
    days = MessagingSettings.objects.for_clinic(clinic).values_list("step_aside_days", flat=True).first()
    return timedelta(days=STEP_ASIDE if days is None else days)


@dataclass(frozen=True)
class Logged:
    """What was said, for what follows from it."""

    contact: Contact
    clinic: Clinic
    patient: Patient
    now: datetime
    by: User


def _check(outcome: str, channel: str, note: str, next_at: datetime | None, now: datetime) -> None:
    if outcome not in Outcome.values:
        raise Refused(_("Choose how it went."), field="outcome")
    if channel not in ContactChannel.values:
        raise Refused(_("Choose how the patient was contacted."), field="channel")
    if outcome in task_rules.FINAL and not note.strip():
        raise Refused(_("Say why."), field="note")
    if next_at is not None and not now <= next_at <= now + timedelta(days=366):
        raise Refused(_("Choose a time in the coming year."), field="next_at")


def _coming(clinic: Clinic, patient: Patient, now: datetime) -> bool:
    rows = Appointment.objects.for_clinic(clinic).expected()
    return rows.filter(patient=patient, starts_at__gt=now).exists()


def _again_at(patient: Patient, clinic: Clinic, outcome: str, now: datetime) -> datetime:
    dates = task_rules.next_dates(now=now, start=patient.call_from, end=patient.call_to, tz=clinic.tz)
    return dates.no_answer if outcome == Outcome.NO_ANSWER else dates.again


@transaction.atomic
def log_contact(
    *,
    patient: Patient,
    clinic: Clinic,
    channel: str,
    outcome: str,
    by: User,
    task: Task | None = None,
    note: str = "",
    next_at: datetime | None = None,
) -> Contact:
    """Record a contact with a patient, and what becomes of the task it was for and of the patient's others.

    Args: outcome: a ContactOutcome; note: needed for the final ones; next_at: when to try again, else suggested
    inside the patient's hours.
    Raises: TaskHeld while a colleague is at the patient, TaskEnded, Refused. Source: DOMAIN §4.
    """
    now = timezone.now()
    _check(outcome, channel, note, next_at, now)
    if task is not None:
        task = locked_open(task, by)
        patient = task.patient
    else:
        check_free(clinic, patient.pk, by)
    then = _then(task, clinic, patient, outcome, now)
    if then is Then.AGAIN and next_at is None:
        next_at = _again_at(patient, clinic, outcome, now)
    contact = Contact.objects.create(
        clinic=clinic,
        patient=patient,
        task=task,
        channel=channel,
        outcome=outcome,
        note=note.strip()[:500],
        next_at=next_at,
        at=now,
        by=by,
    )
    said = Logged(contact, clinic, patient, now, by)
    if task is not None:
        _settle(task, then, said)
    _others(said)
    _end(said)
    _remember(said)
    return contact


def _then(task: Task | None, clinic: Clinic, patient: Patient, outcome: str, now: datetime) -> Then:
    if task is None:
        return Then.DONE
    return task_rules.after(kind=task.kind, outcome=outcome, has_appointment=_coming(clinic, patient, now))


def _settle(task: Task, then: Then, said: Logged) -> None:
    """Write what becomes of the task."""
    contact = said.contact
    task.contacts = min(task.contacts + 1, 32000)
    task.claimed_by = task.claimed_until = None
    before = {"contact": contact.pk, "due_at": task.due_at.isoformat(), "channel": task.channel}
    if then is Then.DONE:
        task.status, task.outcome = Task.Status.DONE, contact.outcome
        task.ended_at, task.ended_by = said.now, said.by
        tell([task], Action.DONE, by=said.by, **before)
    else:
        task.due_at = contact.next_at or said.now + step_aside(said.clinic)
        if contact.outcome == Outcome.WRONG_NUMBER:
            task.channel = ContactChannel.WECHAT
        tell([task], Action.MOVED, by=said.by, to=task.due_at.isoformat(), **before)
    task.save()
    Task.objects.for_clinic(said.clinic).filter(patient=said.patient, claimed_by=said.by).update(
        claimed_by=None, claimed_until=None
    )
    if task.kind == TaskKind.CONFIRM and contact.outcome == Outcome.WILL_COME and task.appointment is not None:
        _confirm(task.appointment, said.by)


def _confirm(appointment: Appointment, by: User) -> None:
    try:
        with transaction.atomic():
            booking.confirm(appointment=appointment, by=by)
    except BookingError:
        return  # it was moved or cancelled meanwhile; the contact is true all the same


def _others(said: Logged) -> None:
    """Let the patient's other tasks step aside for the clinic's days, when somebody was reached."""
    if said.contact.outcome in task_rules.UNANSWERED | task_rules.FINAL:
        return
    until = said.now + step_aside(said.clinic)
    rows = Task.objects.for_clinic(said.clinic).open().filter(patient=said.patient, due_at__lt=until)
    others = list(
        rows.exclude(kind__in=task_rules.URGENT)
        .exclude(pk=said.contact.task_id)
        .order_by("pk")
        .select_for_update(of=("self",), no_key=True)
    )
    for task in others:
        before = {"contact": said.contact.pk, "due_at": task.due_at.isoformat(), "channel": task.channel}
        tell([task], Action.MOVED, by=said.by, to=until.isoformat(), **before)
    Task.objects.filter(pk__in=[task.pk for task in others]).update(due_at=until)


def _end(said: Logged) -> None:
    """A patient who does not want to be contacted, or treated, is left in peace."""
    if said.contact.outcome == Outcome.REFUSES:
        consents_said(
            patient=said.patient,
            clinic=said.clinic,
            purpose=ConsentPurpose.CONTACT,
            given=False,
            by=said.by,
            channel="contact",
            contact=said.contact.pk,
        )
    elif said.contact.outcome == Outcome.NOT_INTERESTED:
        end_runs(
            patient=said.patient,
            clinic=said.clinic,
            reason=PlaybookRun.EndReason.REFUSED,
            by=said.by,
            contact=said.contact.pk,
        )
        rest = Task.objects.for_clinic(said.clinic).open().filter(patient=said.patient)
        rest = rest.filter(kind__in=[*task_rules.WANT_BOOKING, TaskKind.KEEP_IN_TOUCH, TaskKind.ACTIVITY])
        close_tasks(rest, reason=Task.Closed.REFUSED, by=said.by, contact=said.contact.pk)


def _remember(said: Logged) -> None:
    """Keep when the patient was last contacted here and when next: the patient list sorts by it."""
    day = timezone.localtime(said.now, said.clinic.tz).date()
    next_on = timezone.localtime(said.contact.next_at, said.clinic.tz).date() if said.contact.next_at else None
    Registration.objects.for_clinic(said.clinic).filter(patient=said.patient).update(
        last_contact_on=day, next_contact_on=next_on, active_at=said.now
    )


@transaction.atomic
def undo_contact(*, contact: Contact, by: User) -> Contact:
    """Take one's own contact back within ten minutes: everything it moved or closed is as before.

    Raises: Refused for another's, too late, or twice; and for a refusal by somebody never asked before: that
    is the patient's word, and agreeing again must be theirs too.
    """
    fresh = (
        Contact.objects.select_for_update(of=("self",), no_key=True)
        .select_related("clinic", "patient")
        .get(pk=contact.pk)
    )
    late = timezone.now() - fresh.at > UNDO_WITHIN
    if fresh.by_id != by.pk or late or fresh.undoes_id or Contact.objects.filter(undoes=fresh).exists():
        raise Refused(_("This can no longer be undone."))
    back = Contact.objects.create(
        clinic=fresh.clinic, patient=fresh.patient, task=fresh.task, channel=fresh.channel, outcome=fresh.outcome,
        undoes=fresh, by=by,
    )  # fmt: skip
    if fresh.outcome == Outcome.REFUSES:
        _agree_again(fresh, by)
    _restore(fresh, by)
    _expect_again(fresh, by)
    return back


def _agree_again(contact: Contact, by: User) -> None:
    said = Consent.objects.filter(patient=contact.patient, purpose=ConsentPurpose.CONTACT).order_by("-at", "-id")[1:2]
    if not any(row.given for row in said):
        raise Refused(_("The patient's refusal stands; record on the patient page when they agree again."))
    consents_said(
        patient=contact.patient, clinic=contact.clinic, purpose=ConsentPurpose.CONTACT, given=True, by=by,
        channel="undo",
    )  # fmt: skip


def _expect_again(contact: Contact, by: User) -> None:
    """The patient did not say that they come: what this contact confirmed is to be confirmed, unless somebody went on."""
    task = contact.task
    if task is None or task.kind != TaskKind.CONFIRM or contact.outcome != Outcome.WILL_COME:
        return
    appointment = task.appointment
    if appointment is None or appointment.status != Appointment.Status.CONFIRMED:
        return
    last = appointment.changes.order_by("-pk").first()
    if last is not None and last.by_id == by.pk and contact.at <= last.at < contact.at + SAME_ACT:
        booking.restore(appointment=appointment, by=by)


def _restore(contact: Contact, by: User) -> None:
    """Put tasks back as they were before a contact; not those that somebody has moved or ended since."""
    mine = TaskEvent.objects.filter(task__patient=contact.patient, detail__contact=contact.pk)
    since = TaskEvent.objects.filter(task=OuterRef("task"), pk__gt=OuterRef("pk"))
    since = since.exclude(action=Action.HANDED_OVER).exclude(pk__in=mine.values("pk"))
    events = list(mine.exclude(Exists(since)).select_related("task"))
    for event in events:
        if "due_at" in event.detail:
            Task.objects.filter(pk=event.task_id).update(
                due_at=datetime.fromisoformat(event.detail["due_at"]), channel=event.detail["channel"]
            )
    if contact.outcome in task_rules.FINAL:
        restart_runs(patient=contact.patient, clinic=contact.clinic, ended_since=contact.at)
    ended = [event.task_id for event in events if event.action in (Action.DONE, Action.CLOSED)]
    reopen_tasks(Task.objects.filter(pk__in=ended), by=by, undid=contact.pk)
