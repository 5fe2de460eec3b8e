"""Hours, absences, rooms and the calendar's settings."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime
from typing import Any

from django.db import transaction
from django.utils.translation import gettext as _

from accounts.audit import record
from accounts.models import Clinic, User
from followups.errors import Refused
from followups.hours import Span, spans_text
from followups.models import Absence, Appointment, CalendarSettings, Room, WorkingHours


@transaction.atomic
def save_hours(
    *,
    clinic: Clinic,
    week: Mapping[int, Sequence[Span]],
    by: User,
    doctor: User | None = None,
    room: Room | None = None,
) -> None:
    """Replace the hours of a doctor, a room, or with neither of the clinic. An empty week goes back to the usual ones."""
    list(Clinic.objects.select_for_update(no_key=True).filter(pk=clinic.pk).values_list("pk"))
    owner: dict[str, Any] = {"doctor": doctor, "room": room}
    old = WorkingHours.objects.for_clinic(clinic).filter(**owner)
    was = _as_text((row.weekday, (row.opens, row.closes)) for row in old)
    old.delete()
    WorkingHours.objects.bulk_create(
        WorkingHours(clinic=clinic, weekday=weekday, opens=opens, closes=closes, **owner)
        for weekday, spans in week.items()
        for opens, closes in spans
    )
    now = _as_text((weekday, span) for weekday, spans in week.items() for span in spans)
    record(action="hours_saved", clinic=clinic, by=by, subject=doctor or room or clinic, was=was, now=now)


def _as_text(pairs: Iterable[tuple[int, Span]]) -> str:
    """Write hours for the audit log: 1 09:00-12:00, the weekday from Monday 1."""
    return ", ".join(f"{weekday + 1} {spans_text([span])}" for weekday, span in sorted(pairs))


@transaction.atomic
def add_absence(
    *,
    clinic: Clinic,
    starts_at: datetime,
    ends_at: datetime,
    kind: str,
    by: User,
    doctor: User | None = None,
    room: Room | None = None,
    note: str = "",
) -> Absence:
    """Take a doctor, a room, or with neither the whole clinic out of the calendar for a while.

    Appointments that fall into it stay; `falling_into` names them. Raises: Refused unless it ends after it begins.
    """
    if ends_at <= starts_at:
        raise Refused(_("It ends before it begins."), field="ends_at")
    row = Absence.objects.create(
        clinic=clinic,
        doctor=doctor,
        room=room,
        starts_at=starts_at,
        ends_at=ends_at,
        kind=kind,
        note=note,
        created_by=by,
    )
    record(action="absence_added", clinic=clinic, by=by, subject=row, kind=kind, **_when(row))
    return row


@transaction.atomic
def delete_absence(*, absence: Absence, by: User) -> None:
    """Give the time back."""
    record(action="absence_deleted", clinic=absence.clinic, by=by, subject=absence, kind=absence.kind, **_when(absence))
    absence.delete()


def _when(absence: Absence) -> dict[str, str]:
    return {"now": f"{absence.starts_at:%Y-%m-%d %H:%M} – {absence.ends_at:%Y-%m-%d %H:%M} UTC"}


def falling_into(absence: Absence) -> list[Appointment]:
    """Return the appointments still to come that an absence takes away, in order (one query)."""
    rows = Appointment.objects.for_clinic(absence.clinic_id).expected().overlapping(absence.starts_at, absence.ends_at)
    if absence.doctor_id is not None:
        rows = rows.filter(doctor=absence.doctor_id)
    if absence.room_id is not None:
        rows = rows.filter(room=absence.room_id)
    return list(rows.with_people().order_by("starts_at", "id"))


@transaction.atomic
def save_settings(
    *,
    clinic: Clinic,
    grid_minutes: int,
    lengths: Mapping[str, int],
    closed_on_holidays: bool,
    open_on_makeup_days: bool,
    open_anyway: Iterable[date],
    by: User,
) -> CalendarSettings:
    """Keep the grid (minutes), the length of each kind (minutes), and which public holidays close the clinic."""
    facts = {
        "grid_minutes": grid_minutes,
        "lengths": dict(lengths),
        "closed_on_holidays": closed_on_holidays,
        "open_on_makeup_days": open_on_makeup_days,
        "open_anyway": sorted(set(open_anyway)),
    }
    row, _created = CalendarSettings.objects.update_or_create(clinic=clinic, defaults=facts)
    told = facts | {"open_anyway": [day.isoformat() for day in facts["open_anyway"]]}  # type: ignore[attr-defined]
    record(action="calendar_settings_saved", clinic=clinic, by=by, subject=row, now=told)
    return row


@transaction.atomic
def save_room(*, clinic: Clinic, name: str, by: User, room: Room | None = None) -> Room:
    """Add a room, or give one another name. Raises: Refused for a name that another room has."""
    name = name.strip()
    list(Clinic.objects.select_for_update(no_key=True).filter(pk=clinic.pk).values_list("pk"))
    others = Room.objects.for_clinic(clinic).filter(name=name)
    if room is not None:
        others = others.exclude(pk=room.pk)
    if not name or others.exists():
        raise Refused(_("Another room has this name.") if name else _("Give it a name."), field="name")
    row = room or Room(clinic=clinic)
    was, row.name = row.name, name
    row.save()
    record(action="room_saved", clinic=clinic, by=by, subject=row, was=was, now=name)
    return row


@transaction.atomic
def set_room_active(*, room: Room, active: bool, by: User) -> Room:
    """Take a room out of use, or back into it. Its appointments stay. Idempotent."""
    if Room.objects.filter(pk=room.pk, is_active=not active).update(is_active=active):
        record(
            action="room_opened" if active else "room_closed", clinic=room.clinic, by=by, subject=room, name=room.name
        )
    room.is_active = active
    return room
