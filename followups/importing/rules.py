"""The rules of one row of an appointment list: what is kept, what is warned of, what rejects the row."""

from collections.abc import Sequence
from datetime import date, datetime, time
from enum import StrEnum
from hashlib import blake2b
from typing import NamedTuple
from zoneinfo import ZoneInfo

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from accounts.reading import YEARS
from followups.models import Appointment
from patients.importing.cells import name_key, read_phones
from patients.importing.dates import read_moment, read_time
from patients.importing.errors import Unreadable
from patients.importing.reader import Row, Table
from patients.importing.staff import StaffDirectory
from patients.importing.text import content, kept, without_thousands

Kind, Status = Appointment.Kind, Appointment.Status
REMEMBERED = 50_000
SHORT = 24
NUMBER_LENGTH, ROOM_LENGTH = 60, 40

STATUSES: dict[str, str] = {
    "已到": Status.KEPT,
    "未到": Status.NO_SHOW,
    "爽约": Status.NO_SHOW,
    "已取消": Status.CANCELLED_PATIENT,
    "改约": Status.MOVED,
    "待确认": Status.BOOKED,
}
# The first that occurs in the text decides; anything else is a treatment.
KINDS: tuple[tuple[str, str], ...] = (
    (Kind.FIRST, "初诊 首诊 初次 新患 咨询 面诊 first"),
    (Kind.RECHECK, "复查 拆线 复检 回访 随访 检查 recheck check"),
    (Kind.RETURN, "复诊 return"),
)


class Reason(StrEnum):
    """Why a row is rejected, merged or imported with a warning."""

    BAD_ROW = "bad_row"
    DUPLICATE = "duplicate_in_file"
    UNKNOWN_PATIENT = "unknown_patient"
    BAD_DATE = "bad_date"
    END_BEFORE_START = "end_before_start"
    BAD_STATUS = "bad_status"
    OVERLAP = "overlap"
    UNKNOWN_STAFF = "unknown_staff"


REASON_TEXTS: dict[str, str | Promise] = {
    Reason.BAD_ROW: _("The row is damaged: cells missing or too many, or characters that cannot be read."),
    Reason.DUPLICATE: _("The appointment's number stands further up in the file."),
    Reason.UNKNOWN_PATIENT: _("The patient is found neither by card number nor by phone and name."),
    Reason.BAD_DATE: _("Date, start or end is missing or cannot be read."),
    Reason.END_BEFORE_START: _("It ends before it starts."),
    Reason.BAD_STATUS: _("The status is not one that is known."),
    Reason.OVERLAP: _("The doctor or the room is taken at that time."),
    Reason.UNKNOWN_STAFF: _("The doctor is not on the staff; left empty."),
}


class WhoRow(NamedTuple):
    """What a row says of its number and patient, read before the patient is looked up."""

    row: Row
    said: dict[str, list[str]]
    number: str
    charts: tuple[str, ...]
    name: str
    phones: tuple[str, ...]


class AppointmentRow(NamedTuple):
    """What one row says of an appointment; times are aware."""

    starts_at: datetime
    ends_at: datetime
    status: str
    kind: str
    doctor: int | None
    doctor_unknown: bool
    room: str
    purpose: str
    why_not: str
    note: str


def fitting(text: str, length: int) -> str:
    """Return the text, or for one too long its beginning with a digest, so that it stays unlike any other."""
    if len(text) <= length:
        return text
    return f"{text[: length - 17]}~{blake2b(text.encode(), digest_size=8).hexdigest()}"


def read_status(text: str) -> str | None:
    """Return the Appointment.Status that a status cell means, None for any other text."""
    return STATUSES.get("".join(text.split()))


def read_kind(text: str) -> str:
    """Return the Appointment.Kind that the words of a type column mean."""
    lower = text.casefold()
    return next((kind for kind, words in KINDS if any(word in lower for word in words.split())), Kind.TREATMENT)


class AppointmentRules:
    """Reads the rows of one table."""

    def __init__(self, table: Table, staff: StaffDirectory, tz: ZoneInfo) -> None:
        self._epoch, self._staff, self._tz = table.epoch, staff, tz
        self._columns = sorted((field, position) for position, field in table.header.fields.items())
        self._has_day = any(field == "day" for field, _position in self._columns)
        self._content: dict[str, str] = {}

    def who(self, row: Row) -> WhoRow:
        """Read number and patient of a row that is not broken."""
        said = self._contents(row.cells)
        phones = dict.fromkeys(n for text in said.get("phone", ()) for n in read_phones(text).numbers)
        charts = tuple(dict.fromkeys(map(without_thousands, said.get("chart_number", ()))))
        number = fitting(without_thousands(_first(said, "number")), NUMBER_LENGTH)
        return WhoRow(row, said, number, charts, name_key(_first(said, "name")), tuple(phones))

    def what(self, who: WhoRow) -> AppointmentRow | Reason:
        """Read the rest of a row; returns the reason when it is to be rejected."""
        said = who.said
        try:
            starts_at, ends_at = self._times(said)
        except Unreadable:
            return Reason.BAD_DATE
        if ends_at <= starts_at:
            return Reason.END_BEFORE_START
        status = read_status(_first(said, "status"))
        if status is None:
            return Reason.BAD_STATUS
        named = _first(said, "doctor")
        doctor = self._staff.find(named, "doctor") if named else None
        kind = _first(said, "kind")
        return AppointmentRow(
            starts_at=starts_at,
            ends_at=ends_at,
            status=status,
            kind=read_kind(kind),
            doctor=doctor,
            doctor_unknown=bool(named) and doctor is None,
            room=fitting(_first(said, "room"), ROOM_LENGTH),
            purpose=kind,
            why_not=self._text(who.row, "why_not"),
            note=self._text(who.row, "note"),
        )

    def _times(self, said: dict[str, list[str]]) -> tuple[datetime, datetime]:
        """Return start and end; a day beside a time only counts where the file has no column for the day."""
        day: date | None = None
        if self._has_day:
            day = read_moment(_first(said, "day"), epoch=self._epoch)[0]
        starts_at = self._moment(_first(said, "start"), day)
        ends_at = self._moment(_first(said, "end"), day, starts_at.date())
        return starts_at, ends_at

    def _moment(self, text: str, day: date | None, fallback: date | None = None) -> datetime:
        """Return the moment that a cell with a time, alone or after a date, means. Raises Unreadable."""
        written: date | None = None
        try:
            clock: time | None = read_time(text)
        except Unreadable:
            written, clock = read_moment(text, epoch=self._epoch)
        on = day or written or fallback
        if on is None or clock is None or on.year not in YEARS:
            raise Unreadable(text)
        return datetime.combine(on, clock, self._tz)

    def _text(self, row: Row, wanted: str) -> str:
        """Return a free text as it was written, whole."""
        places = [position for field, position in self._columns if field == wanted]
        return "\n".join(dict.fromkeys(text for i in places if row.cells[i] and (text := kept(row.cells[i]))))

    def _contents(self, cells: Sequence[str]) -> dict[str, list[str]]:
        """Return what the row says, by field."""
        found: dict[str, list[str]] = {}
        for field, position in self._columns:
            raw = cells[position]
            text = self._content.get(raw)
            if text is None:
                text = content(raw)
                if len(raw) <= SHORT:
                    if len(self._content) > REMEMBERED:
                        self._content.clear()
                    self._content[raw] = text
            if text:
                found.setdefault(field, []).append(text)
        return found


def _first(said: dict[str, list[str]], field: str) -> str:
    texts = said.get(field)
    return texts[0] if texts else ""
