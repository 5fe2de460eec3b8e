"""When a doctor and a room are free."""

from datetime import date, datetime, timedelta

from django.db.models import Q
from django.utils import timezone

from accounts.models import Clinic, User
from followups import slots
from followups.models import Appointment, Room
from followups.slots import Slot
from patients.models import Patient

Kind = Appointment.Kind
# Minutes an appointment takes unless said otherwise, and days from today on which one is suggested first.
LENGTHS: dict[str, int] = {Kind.FIRST: 60, Kind.RECHECK: 30, Kind.RETURN: 30, Kind.TREATMENT: 60}
SOONEST: dict[str, int] = {Kind.FIRST: 0, Kind.RECHECK: 7, Kind.RETURN: 1, Kind.TREATMENT: 1}
HORIZON = 14  # days that suggestions look ahead


def length_of(kind: str) -> timedelta:
    """Return how long an appointment of `kind` takes by default."""
    return timedelta(minutes=LENGTHS.get(kind, 30))


def _busy(
    *, start: datetime, end: datetime, doctor: User | None, room: Room | None, patient: Patient | None, but: int | None
) -> list[Slot]:
    """Return what holds the doctor, the room or the patient in [start, end), in one query."""
    whose = Q(pk=None)
    for name, value in (("doctor", doctor), ("room", room), ("patient", patient)):
        if value is not None:
            whose |= Q(**{name: value})
    rows = Appointment.objects.holding().overlapping(start, end).filter(whose).exclude(pk=but)
    return [Slot(a, b) for a, b in rows.values_list("starts_at", "ends_at")]


def free_slots(
    *,
    clinic: Clinic,
    start: date,
    length: timedelta,
    days: int = 1,
    doctor: User | None = None,
    room: Room | None = None,
    patient: Patient | None = None,
    but: int | None = None,
    now: datetime | None = None,
) -> list[Slot]:
    """Return the free times of `days` clinic-local days from `start`, in order (one query).

    Args: length: of the appointment; doctor, room, patient: who must be free, any may be None;
    but: id of an appointment that is being moved and holds nothing; now: times up to it are past.
    """
    each = [start + timedelta(days=n) for n in range(days)]
    first, last = clinic.day_bounds(each[0])[0], clinic.day_bounds(each[-1])[1]
    busy = _busy(start=first, end=last, doctor=doctor, room=room, patient=patient, but=but)
    every = [slot for day in each for slot in slots.day_slots(day=day, length=length, tz=clinic.tz)]
    return slots.free(every, busy=busy, after=now or timezone.now())


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
) -> list[Slot]:
    """Return up to `count` times to offer: the next free ones within the hours the patient prefers.

    A recheck is offered from a week on, other kinds as soon as possible; at most two on one day.
    """
    start = clinic.today() + timedelta(days=SOONEST.get(kind, 0))
    found = free_slots(
        clinic=clinic,
        start=start,
        days=HORIZON,
        length=length or length_of(kind),
        doctor=doctor,
        room=room,
        patient=patient,
        but=but,
        now=now,
    )
    liked = slots.preferred(found, start=patient.call_from, end=patient.call_to, tz=clinic.tz)
    return sorted(slots.spread(liked, count=count, tz=clinic.tz))
