"""Moving an appointment by hand on the calendar, and taking such a move back."""

from datetime import datetime

from django.db import IntegrityError, transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from accounts.models import User
from followups.errors import Outdated, Refused, SlotTaken
from followups.models import Appointment, AppointmentChange, Room
from followups.services import after
from followups.services.availability import check_open
from followups.services.booking import (
    EXCLUSION,
    EXPECTED,
    UNDO_WITHIN,
    _code,
    _hold_calendars,
    _locked,
    _retried,
    _taken,
    move,
)

Status = Appointment.Status


def drop(
    *, appointment: Appointment, starts_at: datetime, doctor: User | None, room: Room | None, by: User, by_room: bool
) -> Appointment:
    """Move an appointment to another time or column, as long as it was.

    Args: by_room: the columns are rooms, so a taken room is refused; between doctors an appointment whose room is
    taken at the new time goes without one. Raises: as `move`, and ClosedThen outside the hours.
    """
    ends_at = starts_at + (appointment.ends_at - appointment.starts_at)
    check_open(
        clinic=appointment.clinic, starts_at=starts_at, ends_at=ends_at, doctor=doctor, room=room if by_room else None
    )
    where = {"starts_at": starts_at, "ends_at": ends_at, "doctor": doctor}
    try:
        return move(appointment=appointment, room=room, by=by, **where)  # type: ignore[arg-type]
    except SlotTaken as error:
        if by_room or error.whose != "room" or doctor is None:
            raise
    return move(appointment=appointment, room=None, by=by, **where)  # type: ignore[arg-type]


def undo_move(*, appointment: Appointment, by: User) -> Appointment:
    """Take a move back that was just made by oneself: the old time stands again, the new one was an error.

    Raises: Refused for another's move or after ten minutes; Outdated; SlotTaken when the old time was given away.
    """
    if appointment.moved_from_id is None or appointment.created_by_id != by.pk:
        raise Refused(_("Only who moved it can take the move back."))
    if timezone.now() - appointment.created_at > UNDO_WITHIN:
        raise Refused(_("This can no longer be undone; move the appointment instead."))

    def write() -> Appointment:
        old = appointment.moved_from
        assert old is not None  # asked above
        _hold_calendars(old.doctor, old.room)
        new, old = _locked(appointment), _locked(old)
        if new.status not in EXPECTED or old.status != Status.MOVED:
            raise Outdated(new.get_status_display())
        _end(new, by=by)
        _stand_again(old, by=by)
        after.freed(new, by=by)
        after.booked(old, by=by)
        return old

    return _retried(write)


def _end(new: Appointment, *, by: User) -> None:
    was, new.status = new.status, Status.ERROR
    new.holds_slot, new.moved_from, new.ended_at = False, None, timezone.now()
    new.save(update_fields=["status", "holds_slot", "moved_from", "ended_at"])
    AppointmentChange.objects.create(appointment=new, old_status=was, new_status=new.status, reason=_("undone"), by=by)


def _stand_again(old: Appointment, *, by: User) -> None:
    last = old.changes.filter(new_status=Status.MOVED).order_by("-at", "-id").first()
    old.status = last.old_status if last is not None and last.old_status in EXPECTED else Status.BOOKED
    old.holds_slot, old.ended_at, old.is_late = True, None, None
    try:
        with transaction.atomic():
            old.save(update_fields=["status", "holds_slot", "ended_at", "is_late"])
    except IntegrityError as error:
        if _code(error) != EXCLUSION:
            raise
        raise _taken(old, error) from error
    AppointmentChange.objects.create(
        appointment=old, old_status=Status.MOVED, new_status=old.status, reason=_("undone"), by=by
    )
