"""Reminders of appointments: queued when one is booked, dropped when it is not expected any more."""

from datetime import datetime, timedelta

from django.db import transaction
from django.utils import timezone

from accounts.models import Clinic
from followups.message_rules import Hours, reminder_due
from followups.models import Appointment, Message, MessagingSettings
from followups.models.messages import MessagePurpose
from followups.models.playbooks import Nature
from followups.services import outbox

REMINDERS = (MessagePurpose.REMINDER_DAY, MessagePurpose.REMINDER_HOURS)


def settings_of(clinic: Clinic) -> MessagingSettings:
    """Return a clinic's settings of messages, the usual ones when it has not chosen any; writes nothing."""
    return MessagingSettings.objects.filter(clinic=clinic).first() or usual(clinic)


def usual(clinic: Clinic) -> MessagingSettings:
    """Return the usual settings; asks the database nothing."""
    chosen = MessagingSettings(clinic=clinic)
    chosen.clean_fields(exclude=["clinic", "ad_words"])  # the defaults become times
    return chosen


def hours_of(chosen: MessagingSettings, clinic: Clinic) -> Hours:
    """Return a clinic's quiet hours."""
    return Hours(chosen.quiet_from, chosen.quiet_until, clinic.tz)


def times(appointment: Appointment, chosen: MessagingSettings, now: datetime) -> dict[str, tuple[datetime, datetime]]:
    """Return when each reminder leaves and from when it is worth nothing; one whose time is past is left out.

    By default the day before at 18:00 and two hours before, moved out of the quiet hours. Source: DOMAIN §4.
    """
    clinic, starts_at = appointment.clinic, appointment.starts_at
    hours = hours_of(chosen, clinic)
    day_start, _end = clinic.day_bounds(starts_at.astimezone(clinic.tz).date())
    found = {}
    if chosen.remind_day_before:
        eve = day_start.date() - timedelta(days=1)
        wanted = datetime.combine(eve, chosen.remind_day_at, clinic.tz)
        if due := reminder_due(wanted, day_start + timedelta(minutes=30), hours, now):
            found[str(MessagePurpose.REMINDER_DAY)] = (due, day_start)
    if chosen.remind_hours:
        wanted = starts_at - timedelta(hours=chosen.remind_hours)
        if due := reminder_due(wanted, starts_at, hours, now):
            found[str(MessagePurpose.REMINDER_HOURS)] = (due, starts_at - timedelta(minutes=15))
    return found


def variables_of(appointment: Appointment) -> dict[str, str]:
    """Return what a message about an appointment fills in."""
    local = appointment.starts_at.astimezone(appointment.clinic.tz)
    return {
        "name": appointment.patient.name,
        "clinic": appointment.clinic.name,
        "address": appointment.clinic.address,
        "phone": appointment.clinic.phone,
        "day": f"{local.month}月{local.day}日",
        "time": f"{local:%H:%M}",
        "doctor": str(appointment.doctor or ""),
        "kind": str(appointment.get_kind_display()),
    }


@transaction.atomic
def plan(appointment: Appointment) -> None:
    """Queue the reminders of an appointment that stands; those it has already are left alone or taken up again."""
    chosen = settings_of(appointment.clinic)
    for purpose, (due, stale) in times(appointment, chosen, timezone.now()).items():
        made = outbox.queue(
            clinic=appointment.clinic,
            patient=appointment.patient,
            purpose=purpose,
            subject=f"appointment:{appointment.pk}",
            due_at=due,
            stale_at=stale,
            nature=Nature.SERVICE,
            variables=variables_of(appointment),
            appointment=appointment,
        )
        if made is None:
            _take_up_again(appointment, purpose, due)


def _take_up_again(appointment: Appointment, purpose: str, due: datetime) -> None:
    """A cancelled appointment was restored: what was dropped with it waits again."""
    gone = Message.objects.filter(
        appointment=appointment, purpose=purpose, due_at=due, state=Message.State.SUPPRESSED,
        suppressed_reason=Message.Suppressed.GONE,
    )  # fmt: skip
    for message in gone:
        outbox.move(message, Message.State.QUEUED, detail="restored", not_before=due)


def drop(appointment: Appointment) -> None:
    """Withdraw the reminders that still wait."""
    waiting = Message.objects.filter(appointment=appointment, purpose__in=REMINDERS)
    outbox.drop(waiting, reason=Message.Suppressed.GONE)
