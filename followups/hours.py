"""When somebody can be booked: the opening stretches of a day from hours, breaks, absences and holidays.

No database here. Somebody's own hours count instead of the clinic's (a doctor may work over lunch); who has none
keeps the clinic's; a clinic without any is open from 9 to 18 every day. A gap between two stretches is a break.
Holidays and the clinic's own absences close it for everybody (DOMAIN §4).
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

from followups import holidays_cn
from followups.slots import CLOSES, GRID, OPENS, Slot

Span = tuple[time, time]
Week = Mapping[int, Sequence[Span]]  # weekday, Monday 0 → stretches in order
ALWAYS: Week = dict.fromkeys(range(7), ((OPENS, CLOSES),))

# Minutes an appointment takes unless the clinic says otherwise.
LENGTHS: Mapping[str, int] = {"first": 60, "recheck": 30, "return": 30, "treatment": 60}


@dataclass(frozen=True)
class Policy:
    """What a clinic settled for its calendar. Without settings holidays close nothing."""

    grid: timedelta = GRID
    lengths: Mapping[str, int] = field(default_factory=dict)
    closed_on_holidays: bool = False
    open_on_makeup_days: bool = False
    open_anyway: frozenset[date] = frozenset()

    def length_of(self, kind: str) -> timedelta:
        """Return how long an appointment of `kind` takes."""
        return timedelta(minutes=self.lengths.get(kind) or LENGTHS.get(kind, 30))

    def is_closed_holiday(self, day: date) -> bool:
        """Whether the clinic keeps this public holiday."""
        return self.closed_on_holidays and day not in self.open_anyway and holidays_cn.is_holiday(day)


@dataclass(frozen=True)
class Away:
    """A stretch in which a doctor, a room, or with neither the whole clinic cannot be booked."""

    starts_at: datetime
    ends_at: datetime
    words: str
    doctor: int | None = None
    room: int | None = None

    def concerns(self, *, doctor: int | None, room: int | None) -> bool:
        """Whether it takes away the doctor, the room or the clinic they work in."""
        if self.doctor is not None:
            return self.doctor == doctor
        return self.room is None or self.room == room

    @property
    def slot(self) -> Slot:
        return Slot(self.starts_at, self.ends_at)


def week_hours(week: Week, day: date, policy: Policy) -> Sequence[Span]:
    """Return the hours of a day by its weekday; a make-up workday without any keeps those of a working day."""
    own = week.get(day.weekday(), ())
    if not own and policy.open_on_makeup_days and holidays_cn.is_makeup(day):
        return week.get(holidays_cn.clock_weekday(day), ())
    return own


def on_day(spans: Iterable[Span], day: date, tz: ZoneInfo) -> list[Slot]:
    """Return clock stretches as times of one day."""
    return [Slot(datetime.combine(day, opens, tz), datetime.combine(day, closes, tz)) for opens, closes in spans]


def both(first: Iterable[Slot], second: Sequence[Slot]) -> list[Slot]:
    """Return what two lists of stretches have in common."""
    pairs = ((max(a.starts_at, b.starts_at), min(a.ends_at, b.ends_at)) for a in first for b in second)
    return sorted(Slot(start, end) for start, end in pairs if start < end)


def without(stretches: Iterable[Slot], taken: Iterable[Slot]) -> list[Slot]:
    """Return what is left of stretches once the taken times are cut out."""
    left = sorted(stretches)
    for cut in taken:
        left = [part for stretch in left for part in _minus(stretch, cut)]
    return left


def _minus(stretch: Slot, cut: Slot) -> list[Slot]:
    if not stretch.overlaps(cut):
        return [stretch]
    ends = ((stretch.starts_at, cut.starts_at), (cut.ends_at, stretch.ends_at))
    return [Slot(start, end) for start, end in ends if start < end]


def gaps(stretches: Sequence[Slot]) -> list[Slot]:
    """Return the breaks between stretches of one day."""
    ordered = sorted(stretches)
    return [Slot(a.ends_at, b.starts_at) for a, b in pairwise(ordered) if a.ends_at < b.starts_at]


@dataclass(frozen=True)
class Hours:
    """Everything that opens and closes a clinic's calendar within a span of days."""

    tz: ZoneInfo
    policy: Policy = Policy()
    clinic: Week = field(default_factory=dict)
    doctors: Mapping[int, Week] = field(default_factory=dict)
    rooms: Mapping[int, Week] = field(default_factory=dict)
    away: Sequence[Away] = ()

    def planned(self, day: date, *, doctor: int | None = None, room: int | None = None) -> list[Slot]:
        """Return the stretches of a day by hours and holidays alone, before anybody is away."""
        if self.policy.is_closed_holiday(day):
            return []
        usual = self.clinic or ALWAYS
        weeks = [self.doctors.get(doctor) or usual] if doctor else []
        own = self.rooms.get(room or 0)
        weeks += [own or usual] if own or not weeks else []
        stretches = on_day(week_hours(weeks[0], day, self.policy), day, self.tz)
        for week in weeks[1:]:
            stretches = both(stretches, on_day(week_hours(week, day, self.policy), day, self.tz))
        return stretches

    def openings(self, day: date, *, doctor: int | None = None, room: int | None = None) -> list[Slot]:
        """Return the stretches of a day in which the doctor and the room can be booked."""
        return without(self.planned(day, doctor=doctor, room=room), [a.slot for a in self.aways(doctor, room)])

    def aways(self, doctor: int | None, room: int | None) -> list[Away]:
        """Return what takes the doctor, the room or the clinic away."""
        return [a for a in self.away if a.concerns(doctor=doctor, room=room)]

    def away_at(self, slot: Slot, *, doctor: int | None, room: int | None) -> Away | None:
        """Return the absence that a time falls into."""
        return next((a for a in self.aways(doctor, room) if a.slot.overlaps(slot)), None)

    def is_open(self, slot: Slot, *, doctor: int | None, room: int | None) -> bool:
        """Whether a time lies within one opening stretch."""
        day = slot.starts_at.astimezone(self.tz).date()
        stretches = self.openings(day, doctor=doctor, room=room)
        return any(s.starts_at <= slot.starts_at and slot.ends_at <= s.ends_at for s in stretches)


STRETCH = re.compile(r"(\d{1,2})(?::(\d{2}))?-(\d{1,2})(?::(\d{2}))?")
SAME = str.maketrans({"：": ":", "–": "-", "—": "-", "－": "-", "~": "-", "～": "-", "至": "-", "到": "-", "，": " ", "、": " ", ",": " ", ";": " ", "；": " ", "\u3000": " "})  # fmt: skip


def parse_spans(text: str) -> list[Span]:
    """Read what a person types for a day: "9-12 14:00-18:30"; nothing means closed.

    Raises: ValueError for what is no such text, ends before it begins, or overlaps.
    """
    plain = re.sub(r"\s*-\s*", "-", text.translate(SAME))
    spans = []
    for word in plain.split():
        match = STRETCH.fullmatch(word)
        if match is None:
            raise ValueError(word)
        opens_h, opens_m, closes_h, closes_m = (int(part or 0) for part in match.groups())
        if (closes_h, closes_m) == (24, 0):
            closes_h, closes_m = 23, 59
        spans.append((time(opens_h, opens_m), time(closes_h, closes_m)))
    spans.sort()
    if any(closes <= opens for opens, closes in spans) or any(b[0] < a[1] for a, b in pairwise(spans)):
        raise ValueError(text)
    return spans


def spans_text(spans: Iterable[Span]) -> str:
    """Write stretches as a person types them: 09:00-12:00 14:00-18:00."""
    return "  ".join(f"{opens:%H:%M}-{closes:%H:%M}" for opens, closes in spans)
