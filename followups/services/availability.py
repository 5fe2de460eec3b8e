"""When a doctor and a room are free."""

from collections import defaultdict
from collections.abc import Iterable
from datetime import date, datetime, timedelta
from typing import Any

from django.db.models import Q, Value
from django.db.models.functions import Coalesce
from django.utils import timezone
from django.utils.translation import gettext as _

from accounts.models import Clinic, User
from accounts.statements import Statement
from followups import slots
from followups.errors import ClosedThen
from followups.hours import Away, Hours, Policy, Span
from followups.models import Absence, Appointment, CalendarSettings, Room
from followups.recheck_rules import suggested
from followups.slots import Slot
from patients.models import Patient

Kind = Appointment.Kind
HORIZON = 14  # days that suggestions look ahead
SETTLED = ("grid_minutes", "lengths", "closed_on_holidays", "open_on_makeup_days", "open_anyway")


def policy_of(clinic: Clinic) -> Policy:
    """Return what the clinic settled for its calendar, or the usual (one query for each clinic object)."""
    try:
        return _policy(clinic.calendar_settings)  # type: ignore[attr-defined]
    except CalendarSettings.DoesNotExist:
        return _policy(CalendarSettings())  # what the settings page shows before anything was saved


def _policy(row: CalendarSettings) -> Policy:
    return Policy(
        grid=timedelta(minutes=row.grid_minutes),
        lengths={kind: int(minutes) for kind, minutes in row.lengths.items()},
        closed_on_holidays=row.closed_on_holidays,
        open_on_makeup_days=row.open_on_makeup_days,
        open_anyway=frozenset(row.open_anyway),
    )


def length_of(kind: str, *, clinic: Clinic | None = None) -> timedelta:
    """Return how long an appointment of `kind` takes, as the clinic settled it (one query) or by default."""
    return (policy_of(clinic) if clinic is not None else Policy()).length_of(kind)


def read_hours(*, clinic: Clinic, start: datetime, end: datetime, away: list[Away] | None = None) -> Hours:
    """Return all hours, and the absences within [start, end), of a clinic: two queries, whatever the span.

    Args: away: the absences, for who has read them already.
    """
    clinic_week: dict[int, list[Span]] = defaultdict(list)
    doctors: dict[int, dict[int, list[Span]]] = defaultdict(lambda: defaultdict(list))
    rooms: dict[int, dict[int, list[Span]]] = defaultdict(lambda: defaultdict(list))
    found = _HOURS.rows(clinic=clinic.pk)
    for doctor, room, weekday, opens, closes, *_settled in found:
        if weekday is not None:
            week = doctors[doctor] if doctor else rooms[room] if room else clinic_week
            week[weekday].append((opens, closes))
    settled = dict(zip(SETTLED, found[0][-len(SETTLED) :], strict=True))
    known = settled if settled["grid_minutes"] is not None else {}
    return Hours(
        tz=clinic.tz,
        policy=_policy(CalendarSettings(**known)),
        clinic=dict(clinic_week),
        doctors={pk: dict(week) for pk, week in doctors.items()},
        rooms={pk: dict(week) for pk, week in rooms.items()},
        away=_away(clinic, start, end) if away is None else away,
    )


def _away(clinic: Clinic, start: datetime, end: datetime) -> list[Away]:
    rows = _ABSENCES.rows(clinic=clinic.pk, start=start, end=end)
    return [Away(a.starts_at, a.ends_at, a.note or a.get_kind_display(), a.doctor_id, a.room_id) for a in rows]


def _hours(*, clinic: int) -> Any:
    """Return the clinic's hours, each with the settings of its calendar; one row of nothing where it has none."""
    hours = (f"working_hours__{name}" for name in ("doctor", "room", "weekday", "opens", "closes"))
    settled = (f"calendar_settings__{name}" for name in SETTLED)
    rows = Clinic.objects.filter(pk=clinic).order_by("working_hours__weekday", "working_hours__opens")
    return rows.values_list(*hours, *settled)


def _absences(*, clinic: int, start: datetime, end: datetime) -> Any:
    return Absence.objects.for_clinic(clinic).filter(starts_at__lt=end, ends_at__gt=start)


_HOURS, _ABSENCES = Statement(_hours), Statement(_absences)


def check_open(
    *,
    clinic: Clinic,
    starts_at: datetime,
    ends_at: datetime,
    doctor: User | None,
    room: Room | None,
    insist: bool = False,
) -> None:
    """Raise ClosedThen, with why and the nearest free times, for a time outside all hours (two queries if open).

    Args: insist: the person books outside the hours all the same; over an absence nobody can.
    """
    hours = read_hours(clinic=clinic, start=starts_at, end=ends_at)
    slot = Slot(starts_at, ends_at)
    who = {"doctor": doctor.pk if doctor else None, "room": room.pk if room else None}
    away = hours.away_at(slot, **who)
    if away is None and (insist or hours.is_open(slot, **who)):
        return
    if away is not None:
        whose = doctor if away.doctor else room if away.room else clinic.name
        words = _("%(who)s is not there then: %(why)s.") % {"who": whose, "why": away.words}
    elif hours.policy.is_closed_holiday(starts_at.astimezone(clinic.tz).date()):
        words = _("The clinic is closed on this public holiday.")
    else:
        words = _("This time is outside the working hours.")
    near = nearest_slots(clinic=clinic, wanted=starts_at, length=ends_at - starts_at, doctor=doctor, room=room)
    raise ClosedThen(words, nearest=near, may_insist=away is None)


def _taken(
    *,
    clinic: Clinic,
    start: datetime,
    end: datetime,
    doctor: User | None,
    room: Room | None,
    patient: Patient | None,
    but: int | None,
) -> tuple[list[Slot], list[Away]]:
    """Return what holds the doctor, the room or the patient in [start, end), and the absences, in one query."""
    whose = Q(pk=None)
    for name, value in (("doctor", doctor), ("room", room), ("patient", patient)):
        if value is not None:
            whose |= Q(**{name: value})
    rows = Appointment.objects.holding().overlapping(start, end).filter(whose).exclude(pk=but).order_by()
    taken = rows.values_list("starts_at", "ends_at", Value(0), Value(0), Value(""), Value(""))
    absent = Absence.objects.for_clinic(clinic).filter(starts_at__lt=end, ends_at__gt=start).order_by()
    people = Coalesce("doctor_id", 0), Coalesce("room_id", 0)
    busy, away = [], []
    for begin, until, of_doctor, of_room, note, kind in taken.union(
        absent.values_list("starts_at", "ends_at", *people, "note", "kind"), all=True
    ):
        if kind:
            words = note or str(Absence.Kind(kind).label)
            away.append(Away(begin, until, words, of_doctor or None, of_room or None))
        else:
            busy.append(Slot(begin, until))
    return busy, away


def open_slots(
    hours: Hours, days: Iterable[date], *, length: timedelta, doctor: int | None, room: int | None
) -> list[Slot]:
    """Return every time on the grid at which the doctor and the room could be booked, taken or not."""
    found = [stretch for day in days for stretch in hours.openings(day, doctor=doctor, room=room)]
    return [slot for stretch in found for slot in slots.starts_in(stretch, length=length, grid=hours.policy.grid)]


def free_slots(
    *,
    clinic: Clinic,
    start: date,
    length: timedelta | str,
    days: int = 1,
    doctor: User | None = None,
    room: Room | None = None,
    patient: Patient | None = None,
    but: int | None = None,
    now: datetime | None = None,
) -> list[Slot]:
    """Return the free times of `days` clinic-local days from `start`, in order (two queries, whatever the span).

    Args: length: of the appointment, or its kind, which the clinic settled a length for; doctor, room, patient: who must be free, any may be None;
    but: id of an appointment that is being moved and holds nothing; now: times up to it are past.
    """
    each = [start + timedelta(days=n) for n in range(days)]
    first, last = clinic.day_bounds(each[0])[0], clinic.day_bounds(each[-1])[1]
    busy, away = _taken(clinic=clinic, start=first, end=last, doctor=doctor, room=room, patient=patient, but=but)
    hours = read_hours(clinic=clinic, start=first, end=last, away=away)
    who = {"doctor": doctor.pk if doctor else None, "room": room.pk if room else None}
    span = hours.policy.length_of(length) if isinstance(length, str) else length
    return slots.free(open_slots(hours, each, length=span, **who), busy=busy, after=now or timezone.now())


def nearest_slots(
    *,
    clinic: Clinic,
    wanted: datetime,
    length: timedelta,
    doctor: User | None,
    room: Room | None,
    but: int | None = None,
    count: int = 3,
) -> list[Slot]:
    """Return the free times closest to `wanted`: those of its day, else of the week that follows."""
    day = wanted.astimezone(clinic.tz).date()
    found = free_slots(clinic=clinic, start=day, days=7, length=length, doctor=doctor, room=room, but=but)
    same_day = [slot for slot in found if slot.starts_at.astimezone(clinic.tz).date() == day]
    return slots.nearest(same_day or found, wanted=wanted, count=count)


def suggest_slots(
    *,
    clinic: Clinic,
    patient: Patient,
    doctor: User | None,
    kind: str,
    count: int = 3,
    length: timedelta | None = None,
    room: Room | None = None,
    but: int | None = None,
    now: datetime | None = None,
    treatment: str = "",
) -> list[Slot]:
    """Return up to `count` times to offer: the next free ones within the hours the patient prefers.

    They begin where followups.recheck_rules says for the class, the kind and the `treatment` (a complaint that an
    accepted plan treats); at most two on one day.
    """
    usual = suggested(kind=kind, class_code=patient.class_code or "", treatment=treatment)
    start = clinic.today() + timedelta(days=usual.days)
    found = free_slots(
        clinic=clinic,
        start=start,
        days=HORIZON,
        length=length or kind,
        doctor=doctor,
        room=room,
        patient=patient,
        but=but,
        now=now,
    )
    liked = slots.preferred(found, start=patient.call_from, end=patient.call_to, tz=clinic.tz)
    return sorted(slots.spread(liked, count=count, tz=clinic.tz))
