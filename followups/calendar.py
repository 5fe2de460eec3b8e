"""A day or a week of the calendar: columns of doctors or rooms, what stands in them and what is free.

A fixed number of statements, however many doctors and appointments there are.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from typing import Any, NamedTuple

from django.db.models import F
from django.utils.translation import gettext as _

from accounts.models import Clinic, User
from accounts.statements import Statement
from followups.calendar_look import Look
from followups.forms import doctors_of
from followups.holidays_cn import holiday_name
from followups.hours import Hours, without
from followups.models import Appointment, Room, WaitingEntry
from followups.services.availability import read_hours
from followups.services.waiting import as_wait, waiting_rows
from followups.slots import Slot
from followups.waiting_rules import Fit, Gap, best

STEP = 5  # minutes a row of the drawn calendar stands for
NOBODY = 0
LANES = 6
PIECE, LAST_PIECE = timedelta(minutes=60), timedelta(minutes=90)  # a long free stretch is offered in parts
FIELDS = ("pk", "patient_id", "patient__name", "patient__class_code", "doctor_id", "doctor__full_name", "room_id",
          "room__name", "kind", "status", "purpose", "starts_at", "ends_at", "holds_slot", "left_at")  # fmt: skip


class Entry(NamedTuple):
    """An appointment as the calendar shows it."""

    pk: int
    patient: int
    name: str
    class_code: str
    doctor: int | None
    doctor_name: str
    room: int | None
    room_name: str
    kind: str
    status: str
    purpose: str
    starts_at: datetime
    ends_at: datetime
    holds: bool
    left_at: datetime | None

    @property
    def slot(self) -> Slot:
        return Slot(self.starts_at, self.ends_at)


@dataclass(frozen=True)
class Closed:
    """A part of a column that cannot be booked; `words` say why when somebody is away."""

    slot: Slot
    words: str = ""


@dataclass
class Column:
    """A doctor, a room, or nobody, on one day."""

    key: int
    day: date
    title: str
    note: str = ""
    entries: list[Entry] = field(default_factory=list)
    lanes: dict[int, int] = field(default_factory=dict)  # of those that stand beside others at the same time
    width: int = 1
    openings: list[Slot] = field(default_factory=list)
    closed: list[Closed] = field(default_factory=list)
    free: list[Slot] = field(default_factory=list)
    is_today: bool = False

    @property
    def percent(self) -> int | None:
        """How much of the opening hours is booked."""
        every = sum((s.ends_at - s.starts_at for s in self.openings), timedelta())
        taken = sum((e.ends_at - e.starts_at for e in self.entries), timedelta())
        return min(100, round(100 * taken / every)) if every else None

    @property
    def pieces(self) -> list[Slot]:
        """Return the free stretches in parts of an hour, so that a tap says roughly when."""
        return [piece for stretch in self.free for piece in _pieces(stretch)]


def _pieces(stretch: Slot) -> Iterable[Slot]:
    start = stretch.starts_at
    while stretch.ends_at - start > LAST_PIECE:
        yield Slot(start, start + PIECE)
        start += PIECE
    yield Slot(start, stretch.ends_at)


@dataclass(frozen=True)
class Suggestion:
    """Somebody who waits, and the best free time of the day shown."""

    entry: WaitingEntry
    fit: Fit | None
    who: str
    col: int = NOBODY


@dataclass(frozen=True)
class Board:
    """Everything the calendar shows."""

    look: Look
    columns: list[Column]
    choices: list[tuple[int, str, str]]  # whose week one may switch to: key, name, address
    top: int  # minutes after midnight
    bottom: int
    grid: int  # minutes
    bands: list[Closed]  # closed in every column
    holiday: str
    waiting: list[Suggestion]
    now: datetime

    @property
    def entries(self) -> list[Entry]:
        return [entry for column in self.columns for entry in column.entries]

    @property
    def kept(self) -> int:
        return sum(e.status == Appointment.Status.KEPT for e in self.entries)

    @property
    def missed(self) -> int:
        """Who should be here and is not."""
        return sum(is_missed(e, self.now) for e in self.entries)

    @property
    def free(self) -> int:
        return sum(len(column.free) for column in self.columns)


def is_missed(entry: Entry, now: datetime) -> bool:
    """Whether the patient did not come, or should have come by now."""
    if entry.status == Appointment.Status.NO_SHOW:
        return True
    return entry.status in (Appointment.Status.BOOKED, Appointment.Status.CONFIRMED) and entry.starts_at < now


def read_entries(*, user: User, clinic: Clinic, look: Look) -> list[Entry]:
    """Return the appointments of the days that stand (one statement)."""
    start, end = clinic.day_bounds(look.days[0])[0], clinic.day_bounds(look.days[-1])[1]
    if clinic.pk not in user.clinic_ids():
        return []
    week = look.view == "week"
    col = {"col": look.col} if week and look.col else {}
    return [
        Entry(*row) for row in _ENTRIES.rows(look.by if week else "", clinic=clinic.pk, start=start, end=end, **col)
    ]


def _entries(by: str, *, clinic: int, start: datetime, end: datetime, col: int | None = None) -> Any:
    """Return what stands in a stretch; `by`: of one doctor or room alone, or of nobody."""
    rows = Appointment.objects.for_clinic(clinic).filter(starts_at__gte=start, starts_at__lt=end)
    if by:
        rows = rows.filter(**{by: col})
    rows = rows.exclude(status__in=Appointment.FREE).annotate(left_at=F("visit__left_at")).order_by("starts_at", "pk")
    return rows.values_list(*FIELDS)


_ENTRIES = Statement(_entries)


def board_of(*, user: User, clinic: Clinic, look: Look, now: datetime) -> Board:
    """Read the calendar: seven statements for a day or a week."""
    people = _choices(clinic, look)
    if look.view == "week" and look.col is None:
        look = replace(look, col=people[0][0] if people else NOBODY)
    entries = read_entries(user=user, clinic=clinic, look=look)
    start, end = clinic.day_bounds(look.days[0])[0], clinic.day_bounds(look.days[-1])[1]
    hours = read_hours(clinic=clinic, start=start, end=end)
    columns = _week(look, people, entries, clinic) if look.view == "week" else _day(look, people, entries)
    for column in columns:
        _fill(column, hours=hours, look=look, now=now)
    top, bottom = _frame(columns, clinic)
    return Board(
        look=look,
        columns=columns,
        choices=_switches(people, columns, look),
        top=top,
        bottom=bottom,
        grid=int(hours.policy.grid.total_seconds() // 60),
        bands=_bands(columns, hours, look, clinic),
        holiday=holiday_name(look.day),
        waiting=_waiting(columns, hours, look, clinic, now),
        now=now,
    )


def _choices(clinic: Clinic, look: Look) -> list[tuple[int, str]]:
    if look.by == "room":
        return list(Room.objects.for_clinic(clinic).filter(is_active=True).values_list("pk", "name"))
    return [(pk, full or username) for pk, full, username in _DOCTORS.rows(clinic=clinic.pk)]


_DOCTORS = Statement(lambda *, clinic: doctors_of(clinic).values_list("pk", "full_name", "username"))


def _switches(people: list[tuple[int, str]], columns: list[Column], look: Look) -> list[tuple[int, str, str]]:
    """Return whose week one may switch to; former people are there while they are looked at."""
    if look.view != "week":
        return []
    known = dict(people)
    every = people + [(c.key, c.note) for c in columns[:1] if c.key not in known]
    return [(key, name, look.query(col=key)) for key, name in every]


def _key(entry: Entry, by: str) -> int:
    return (entry.room if by == "room" else entry.doctor) or NOBODY


def _day(look: Look, people: list[tuple[int, str]], entries: list[Entry]) -> list[Column]:
    """Return a column for everybody who works here, and for whoever else has something on that day."""
    columns = {pk: Column(pk, look.day, name) for pk, name in people}
    for entry in entries:
        key = _key(entry, look.by)
        if key not in columns:
            columns[key] = Column(key, look.day, _name(entry, look.by))
        columns[key].entries.append(entry)
    for column in columns.values():
        column.note = _usual_place(column.entries, look.by)
    found = [c for c in columns.values() if c.key != NOBODY] + [c for c in columns.values() if c.key == NOBODY]
    if look.col is not None:
        return [c for c in found if c.key == look.col] or found
    return found


def _name(entry: Entry, by: str) -> str:
    if by == "room":
        return entry.room_name or _("Without a room")
    return entry.doctor_name or _("Without a doctor")


def _usual_place(entries: Sequence[Entry], by: str) -> str:
    """Return the room a doctor is mostly in that day, or the doctor a room mostly belongs to."""
    names = Counter((e.doctor_name if by == "room" else e.room_name) or "" for e in entries)
    names.pop("", None)
    return names.most_common(1)[0][0] if names else ""


def _week(look: Look, people: list[tuple[int, str]], entries: list[Entry], clinic: Clinic) -> list[Column]:
    key = look.col or NOBODY
    name = dict(people).get(key) or (_name(entries[0], look.by) if entries else "")
    by_day = defaultdict(list)
    for entry in entries:
        by_day[entry.starts_at.astimezone(clinic.tz).date()].append(entry)
    return [Column(key, day, "", name, by_day[day]) for day in look.days]


def _fill(column: Column, *, hours: Hours, look: Look, now: datetime) -> None:
    """Work out lanes, opening hours, what is closed and what is free."""
    who: dict[str, int | None] = {look.by: column.key or None}
    column.is_today = column.day == look.today
    column.lanes, column.width = lanes_of(column.entries)
    column.openings = hours.openings(column.day, **who)
    day = _whole(column.day, hours)
    away = [a for a in hours.aways(who.get("doctor"), who.get("room")) if a.slot.overlaps(day)]
    planned = hours.planned(column.day, **who)
    column.closed = [Closed(gap) for gap in without([day], planned)]
    column.closed += [Closed(Slot(max(a.starts_at, day.starts_at), min(a.ends_at, day.ends_at)), a.words) for a in away]
    if column.key == NOBODY:
        return
    free = without(column.openings, [e.slot for e in column.entries if e.holds])
    free = [_from_grid(stretch, max(stretch.starts_at, now), hours) for stretch in free]
    column.free = [s for s in free if s.ends_at - s.starts_at >= hours.policy.grid]


def _whole(day: date, hours: Hours) -> Slot:
    start = datetime(day.year, day.month, day.day, tzinfo=hours.tz)
    return Slot(start, start + timedelta(days=1))


def _from_grid(stretch: Slot, start: datetime, hours: Hours) -> Slot:
    """Return the rest of a stretch from the next line of the grid on."""
    midnight = start.astimezone(hours.tz).replace(hour=0, minute=0, second=0, microsecond=0)
    grid = min(hours.policy.grid, timedelta(minutes=15))
    steps = -((midnight - start) // grid)
    return Slot(midnight + steps * grid, stretch.ends_at)


def lanes_of(entries: Sequence[Entry]) -> tuple[dict[int, int], int]:
    """Return the lanes of those that overlap others, who stand side by side, and how many lanes there are."""
    lanes: dict[int, int] = {}
    width = 1
    for group in _groups(entries):
        if len(group) == 1:
            continue
        ends: list[datetime] = []
        for entry in group:
            free = [n for n, end in enumerate(ends) if end <= entry.starts_at]
            lane = free[0] if free else min(len(ends), LANES - 1)
            ends[lane : lane + 1] = [entry.ends_at]
            lanes[entry.pk] = lane
        width = max(width, len(ends))
    return lanes, width


def _groups(entries: Sequence[Entry]) -> list[list[Entry]]:
    """Return the entries, in order of time, as groups that overlap among themselves."""
    groups: list[list[Entry]] = []
    until: datetime | None = None
    for entry in entries:
        if until is None or entry.starts_at >= until:
            groups.append([])
            until = entry.ends_at
        groups[-1].append(entry)
        until = max(until, entry.ends_at)
    return groups


def minute_of(moment: datetime, day: date, clinic_tz: Any) -> int:
    """Return the minutes from a day's beginning."""
    start = datetime(day.year, day.month, day.day, tzinfo=clinic_tz)
    return int((moment - start).total_seconds() // 60)


def _frame(columns: list[Column], clinic: Clinic) -> tuple[int, int]:
    """Return from when to when is drawn: all hours and appointments, and half an hour after closing."""
    drawn = [(column.day, [*column.openings, *(entry.slot for entry in column.entries)]) for column in columns]
    found = [
        (
            minute_of(min(s.starts_at for s in slots), day, clinic.tz),
            minute_of(max(s.ends_at for s in slots), day, clinic.tz),
        )
        for day, slots in drawn
        if slots
    ] or [(9 * 60, 18 * 60)]
    top = min(start for start, _end in found) // 30 * 30
    bottom = -(-max(end for _start, end in found) // 30) * 30 + 30
    return max(0, top), min(24 * 60, max(bottom, top + 120))


def _bands(columns: list[Column], hours: Hours, look: Look, clinic: Clinic) -> list[Closed]:
    """Return what is closed for everybody on one day, with words: breaks, and after closing."""
    planned = [c.openings for c in columns if c.openings]
    if look.view == "week" or not planned:
        return []
    every = sorted(s for stretches in planned for s in stretches)
    first, last = every[0].starts_at, max(s.ends_at for s in every)
    breaks = without([Slot(first, last)], every)
    clock = "{:%H:%M}–{:%H:%M}"
    bands = []
    for gap in breaks:
        span = clock.format(gap.starts_at.astimezone(clinic.tz), gap.ends_at.astimezone(clinic.tz))
        noon = gap.starts_at.astimezone(clinic.tz).hour in (11, 12, 13)
        bands.append(
            Closed(gap, _("Lunch break %(span)s") % {"span": span} if noon else _("Break %(span)s") % {"span": span})
        )
    until = last.astimezone(clinic.tz).strftime("%H:%M")
    bands.append(
        Closed(Slot(last, last + timedelta(minutes=30)), _("No appointments after %(time)s") % {"time": until})
    )
    return bands


def _waiting(columns: list[Column], hours: Hours, look: Look, clinic: Clinic, now: datetime) -> list[Suggestion]:
    """Return who waits for one of the days shown, each with the best free time among the columns."""
    rows = waiting_rows(clinic, since=max(look.days[0], look.today), until=look.days[-1])
    gaps = [Gap(s.starts_at, s.ends_at, **{look.by: c.key}) for c in columns if c.key != NOBODY for s in c.free]
    step = min(hours.policy.grid, timedelta(minutes=15))
    names = {c.key: c.title or c.note for c in columns}
    found = []
    for row in rows:
        fit = best(as_wait(row), gaps, tz=clinic.tz, step=step)
        key = (fit.gap.doctor or fit.gap.room or 0) if fit else 0
        found.append(Suggestion(row, fit, names.get(key, ""), key))
    return found
