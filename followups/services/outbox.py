"""The outbox: queueing, withdrawing, and the state machine of messages (DESIGN §4)."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

from django.db import connection, transaction
from django.db.models import QuerySet
from django.utils import timezone
from django.utils.translation import gettext as _

from accounts.models import Clinic, User
from followups import never
from followups.errors import Outdated, Refused
from followups.models import Appointment, Campaign, Material, Message, MessageEvent, Task
from followups.models.messages import MessageChannel
from patients.models import Patient

State = Message.State
# From which states a message may come into a state. "unknown" leaves only by what the provider or a person says.
MOVES: Mapping[str, frozenset[str]] = {
    State.QUEUED: frozenset({State.SENDING, State.UNKNOWN, State.FAILED, State.SUPPRESSED}),
    State.SENDING: frozenset({State.QUEUED}),
    State.ACCEPTED: frozenset({State.QUEUED, State.SENDING, State.UNKNOWN}),
    State.DELIVERED: frozenset({State.SENDING, State.UNKNOWN, State.ACCEPTED}),
    State.FAILED: frozenset({State.QUEUED, State.SENDING, State.UNKNOWN, State.ACCEPTED}),
    State.UNKNOWN: frozenset({State.SENDING}),
    State.SUPPRESSED: frozenset({State.QUEUED}),
}


def may_move(old: str, new: str) -> bool:
    """Tell whether a message may go from one state into another."""
    return old in MOVES[new]


@transaction.atomic
def queue(
    *,
    clinic: Clinic,
    purpose: str,
    subject: str,
    due_at: datetime,
    nature: str,
    patient: Patient | None = None,
    staff: User | None = None,
    variables: Mapping[str, Any] | None = None,
    channel: str | None = None,
    stale_at: datetime | None = None,
    appointment: Appointment | None = None,
    task: Task | None = None,
    campaign: Campaign | None = None,
    material: Material | None = None,
    by: User | None = None,
) -> Message | None:
    """Put a message into the outbox; None when recipient, purpose, subject and due time are there already.

    Args: patient or staff: exactly one; channel: SMS for patients and WeCom for staff unless said; stale_at: from
    when on it is worth nothing. Raises: Refused for what must never reach the patient's class. Source: DESIGN §4.
    """
    if (patient is None) == (staff is None):
        raise ValueError("a message goes to a patient or to a staff member")
    if patient is not None and never.is_forbidden(class_code=patient.class_code, nature=nature):
        raise Refused(_("Patients of this class must never get this kind of message."))
    row = Message(
        clinic=clinic, purpose=purpose, subject=subject, due_at=due_at, not_before=due_at, nature=nature,
        patient=patient, staff=staff, variables=dict(variables or {}), stale_at=stale_at, appointment=appointment,
        task=task, campaign=campaign, material=material, created_by=by,
        channel=channel or (MessageChannel.SMS if patient else MessageChannel.WECOM),
        language=(staff.language if staff else "") or "zh-hans",
    )  # fmt: skip
    if not _insert(row):
        return None
    MessageEvent.objects.create(message=row, new_state=State.QUEUED, by=by)
    return row


def _insert(row: Message) -> bool:
    """Insert unless it is there already, and say so; a unique violation would end the caller's transaction."""
    fields = [field for field in Message._meta.concrete_fields if not field.primary_key]
    values = [field.get_db_prep_save(field.pre_save(row, True), connection) for field in fields]
    names, marks = ", ".join(f'"{field.column}"' for field in fields), ", ".join(["%s"] * len(fields))
    with connection.cursor() as cursor:
        cursor.execute(
            f"INSERT INTO {Message._meta.db_table} ({names}) VALUES ({marks}) ON CONFLICT DO NOTHING RETURNING id",  # noqa: S608
            values,
        )
        found = cursor.fetchone()
    if found is None:
        return False
    row.pk, row._state.adding, row._state.db = found[0], False, "default"
    return True


@transaction.atomic
def drop(messages: "QuerySet[Any]", *, reason: str, by: User | None = None) -> int:
    """Suppress those of the messages that still wait; returns how many. Args: reason: a Message.Suppressed."""
    waiting = messages.filter(state=State.QUEUED).select_for_update(of=("self",), no_key=True)
    ids = list(waiting.order_by("pk").values_list("pk", flat=True))
    if ids:
        Message.objects.filter(pk__in=ids).update(state=State.SUPPRESSED, suppressed_reason=reason)
        tell(ids, old=State.QUEUED, new=State.SUPPRESSED, detail=reason, by=by)
    return len(ids)


def tell(ids: Iterable[int], *, old: str, new: str, detail: str = "", by: User | None = None) -> None:
    """Write the same change of several messages into their history."""
    MessageEvent.objects.bulk_create(
        MessageEvent(message_id=pk, old_state=old, new_state=new, detail=detail[:300], by=by) for pk in ids
    )


@transaction.atomic
def move(message: Message, to: str, *, detail: str = "", by: User | None = None, **values: Any) -> Message:
    """Bring one message into another state by hand or by a report. Raises: Outdated when it cannot come from its state."""
    row: Message = Message.objects.select_for_update(of=("self",), no_key=True).get(pk=message.pk)
    if not may_move(row.state, to):
        raise Outdated(row.get_state_display())
    old = row.state
    changed = {"state": to, "suppressed_reason": "", "lease_until": None, "lease_token": None} | values
    for name, value in changed.items():
        setattr(row, name, value)
    row.save(update_fields=list(changed))
    tell([row.pk], old=old, new=to, detail=detail, by=by)
    return row


RETRIED = (State.FAILED, State.SUPPRESSED)


def retry(*, message: Message, by: User) -> Message:
    """Have a failed or suppressed message sent after all; every rule is asked again when it leaves.

    Raises: Outdated when it is in another state; Refused when it is past the time it was of use.
    """
    if message.state not in RETRIED:
        raise Outdated(message.get_state_display())
    now = timezone.now()
    if message.stale_at is not None and message.stale_at <= now:
        raise Refused(_("Its time has passed."))
    return move(message, State.QUEUED, detail="by_hand", by=by, not_before=now, failure="", attempts=0)


def cancel(*, message: Message, by: User) -> Message:
    """Withdraw a message that still waits. Raises: Outdated."""
    return move(message, State.SUPPRESSED, detail="by_hand", by=by, suppressed_reason=Message.Suppressed.ENDED)


SETTLED: Sequence[str] = (State.ACCEPTED, State.FAILED, State.QUEUED)


def settle(*, message: Message, to: str, by: User) -> Message:
    """A person found out what became of an unknown message: it arrived, it failed, or it is to be sent again.

    Raises: Outdated when it is not unknown any more; Refused for another end.
    """
    if to not in SETTLED:
        raise Refused(_("Choose what became of it."), field="to")
    if message.state != State.UNKNOWN:
        raise Outdated(message.get_state_display())
    now = timezone.now()
    values = {"accepted_at": now} if to == State.ACCEPTED else {"not_before": now}
    return move(message, to, detail="settled_by_hand", by=by, **values)
