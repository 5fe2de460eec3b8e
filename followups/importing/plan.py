"""What importing a file of appointments would do: which rows create, update, merge, or are rejected, and why.

Memory: of a row only its number and the time it takes are kept; its values go to `take`.
"""

from collections import Counter
from collections.abc import Callable, Hashable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from itertools import islice
from typing import Any, NamedTuple, Protocol
from zoneinfo import ZoneInfo

from followups.importing.rules import AppointmentRow, AppointmentRules, Reason, WhoRow
from followups.importing.spans import Calendars
from followups.models import Appointment
from patients.importing.reader import Row

CHUNK = 2_000
# What is the same in one file and the next of an appointment without a number.
Likeness = tuple[int, datetime, datetime, int | None, str]


class There(NamedTuple):
    """An appointment that the clinic has already."""

    pk: int
    status: str


class Existing(Protocol):
    """The patients and appointments that the clinic has already."""

    def patients(self, rows: Sequence[WhoRow]) -> dict[int, int]:
        """Return whom the rows mean: row number → patient id; by card number, else by phone and name."""

    def numbered(self, numbers: Sequence[str]) -> dict[str, There]:
        """Return the appointments with these numbers."""

    def unnumbered(self, likes: Sequence[Likeness]) -> dict[Likeness, list[There]]:
        """Return the appointments without a number that are like these."""

    def is_taken(self, doctor: int | None, room: str, start: datetime, end: datetime) -> bool:
        """Tell whether doctor or room are taken by an appointment that was there before."""


class Taken(NamedTuple):
    """A row that is imported; `there` is the appointment it updates, None for a new one."""

    number: str
    patient: int
    row: AppointmentRow
    holds: bool
    there: There | None


@dataclass
class Plan:
    """The outcome of every data row."""

    rows: int = 0
    created: int = 0
    updated: int = 0
    merged: list[tuple[int, int]] = field(default_factory=list)
    rejected: list[tuple[int, Reason]] = field(default_factory=list)
    warnings: list[tuple[int, Reason]] = field(default_factory=list)

    def report(self) -> dict[str, Any]:
        """Return the report that the command prints, lists by row."""
        return {
            "rows": self.rows,
            "created": self.created,
            "updated": self.updated,
            "merged": [{"row": row, "into_row": into} for row, into in self.merged],
            "rejected": [{"row": row, "reason": reason.value} for row, reason in self.rejected],
            "warnings": [{"row": row, "reason": reason.value} for row, reason in self.warnings],
        }


def make_plan(
    rows: Iterable[Row],
    rules: AppointmentRules,
    existing: Existing,
    *,
    today: date,
    tz: ZoneInfo,
    take: Callable[[list[Taken]], None] = lambda rows: None,
) -> Plan:
    """Read all rows and decide what becomes of each.

    Args:
        today: up to this day an overlap is history and only warned of; later it rejects the row.
        take: gets the rows that are imported, some thousands at a time, in the order of the file.

    Raises ImportRefused when the file turns out unreadable half-way.
    """
    planner = _Planner(rules, existing, today, tz)
    for chunk in _chunks(rows):
        take(planner.chunk(chunk))
    return planner.plan


def _chunks(rows: Iterable[Row]) -> Iterator[list[Row]]:
    iterator = iter(rows)
    while chunk := list(islice(iterator, CHUNK)):
        yield chunk


class _Planner:
    """Decides row by row; remembers numbers and taken times of the rows further up."""

    def __init__(self, rules: AppointmentRules, existing: Existing, today: date, tz: ZoneInfo) -> None:
        self.plan = Plan()
        self._rules, self._existing, self._today, self._tz = rules, existing, today, tz
        self._rows_of: dict[str, int] = {}  # appointment number → the imported row that bore it first
        self._calendars = Calendars()
        self._used: Counter[Likeness] = Counter()
        self._patients: dict[int, int] = {}
        self._numbered: dict[str, There] = {}
        self._unnumbered: dict[Likeness, list[There]] = {}

    def chunk(self, rows: list[Row]) -> list[Taken]:
        """Decide about some rows; what they may mean is looked up for all of them at once."""
        readings = [(row, None if row.broken else self._rules.who(row)) for row in rows]
        people = [who for _row, who in readings if who is not None]
        self._patients = self._existing.patients(people)
        whats = {who.row.number: self._rules.what(who) for who in people if who.row.number in self._patients}
        self._numbered = self._existing.numbered([who.number for who in people if who.number])
        self._unnumbered = self._existing.unnumbered(
            [
                _likeness(self._patients[who.row.number], what)
                for who in people
                if not who.number and isinstance(what := whats.get(who.row.number), AppointmentRow)
            ]
        )
        taken = []
        for row, who in readings:
            self.plan.rows += 1
            found = self._decide(who, whats.get(row.number)) if who is not None else Reason.BAD_ROW
            if isinstance(found, Reason):
                self.plan.rejected.append((row.number, found))
            elif found is not None:
                taken.append(found)
        return taken

    def _decide(self, who: WhoRow, what: AppointmentRow | Reason | None) -> Taken | Reason | None:
        """Return the row to import, why it is rejected, or None when it was merged."""
        number = who.row.number
        if who.number in self._rows_of:
            self.plan.merged.append((number, self._rows_of[who.number]))
            return None
        if what is None:
            return Reason.UNKNOWN_PATIENT
        if isinstance(what, Reason):
            return what
        patient = self._patients[number]
        there = self._there(who, what, patient)
        overlaps = self._overlaps(what, there)
        if overlaps and what.starts_at.astimezone(self._tz).date() > self._today:
            return Reason.OVERLAP
        if overlaps:
            self.plan.warnings.append((number, Reason.OVERLAP))
        if what.doctor_unknown:
            self.plan.warnings.append((number, Reason.UNKNOWN_STAFF))
        return self._taken(who, what, patient, there, overlaps=overlaps)

    def _taken(self, who: WhoRow, what: AppointmentRow, patient: int, there: There | None, *, overlaps: bool) -> Taken:
        if who.number:
            self._rows_of[who.number] = who.row.number
        if there is None:
            self.plan.created += 1
        else:
            self.plan.updated += 1
        if _needs_slot(what):
            self._calendars.take(_owners(what), what.starts_at.timestamp(), what.ends_at.timestamp())
        return Taken(who.number, patient, what, _needs_slot(what) and not overlaps, there)

    def _there(self, who: WhoRow, what: AppointmentRow, patient: int) -> There | None:
        """Return the appointment that an earlier import made of this row; of several alike, each only once."""
        if who.number:
            return self._numbered.get(who.number)
        like = _likeness(patient, what)
        alike, used = self._unnumbered.get(like, []), self._used[like]
        if used >= len(alike):
            return None
        self._used[like] += 1
        return alike[used]

    def _overlaps(self, what: AppointmentRow, there: There | None) -> bool:
        if not _needs_slot(what):
            return False
        if self._calendars.is_taken(_owners(what), what.starts_at.timestamp(), what.ends_at.timestamp()):
            return True
        return there is None and self._existing.is_taken(what.doctor, what.room, what.starts_at, what.ends_at)


def _needs_slot(what: AppointmentRow) -> bool:
    return what.status not in Appointment.FREE


def _owners(what: AppointmentRow) -> list[Hashable]:
    owners: list[Hashable] = [("doctor", what.doctor)] if what.doctor is not None else []
    return [*owners, ("room", what.room)] if what.room else owners


def _likeness(patient: int, what: AppointmentRow) -> Likeness:
    return patient, what.starts_at, what.ends_at, what.doctor, what.room
