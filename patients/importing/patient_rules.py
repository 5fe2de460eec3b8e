"""The rules of one row of a patient list: what is kept, what is warned of, what rejects the row."""

from collections.abc import Callable, Sequence
from datetime import date
from enum import StrEnum
from hashlib import blake2b
from typing import NamedTuple

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from patients.importing.cells import Mention, display_name, name_key, read_class, read_phones, read_referrer, read_sex
from patients.importing.dates import Birth, read_birth, read_day, read_near
from patients.importing.errors import Unreadable
from patients.importing.headers import is_second
from patients.importing.reader import Header, Row, Table
from patients.importing.staff import StaffDirectory
from patients.importing.text import content, kept, without_thousands

REMEMBERED = 50_000
SHORT = 24


class Reason(StrEnum):
    """Why a row is rejected, merged or imported with a warning."""

    BAD_ROW = "bad_row"
    MISSING_NAME = "missing_name"
    MISSING_CONTACT = "missing_contact"
    BAD_PHONE = "bad_phone"
    BAD_DATE = "bad_date"
    FUTURE_BIRTH = "future_birth"
    BAD_CLASS = "bad_class"
    UNKNOWN_STAFF = "unknown_staff"
    DUPLICATE = "duplicate_in_file"


REASON_TEXTS: dict[str, str | Promise] = {
    Reason.BAD_ROW: _("The row is damaged: cells missing or too many, or characters that cannot be read."),
    Reason.MISSING_NAME: _("There is no name."),
    Reason.MISSING_CONTACT: _("There is neither a phone nor WeChat."),
    Reason.BAD_PHONE: _("A phone number cannot be used."),
    Reason.BAD_DATE: _("A date cannot be read, or the last visit lies before the first; it is left empty."),
    Reason.FUTURE_BIRTH: _("The birth date lies in the future; it is left empty."),
    Reason.BAD_CLASS: _("The class is none of C-A to C-E; it is left empty."),
    Reason.UNKNOWN_STAFF: _("A doctor or coordinator named is not on the staff; left empty."),
    Reason.DUPLICATE: _("The same person stands further up in the file."),
}

TAG_SEPARATORS = str.maketrans(dict.fromkeys("，、;；|/\n\t", ","))
SAME_AS_PHONE = frozenset(
    {"手机同号", "同手机号", "同手机", "同号", "手机号", "手机号同号", "微信同号", "同电话", "电话同号", "同手机号码",
     "同电话号码", "手机号码同号", "与手机同号", "与手机号相同", "同上", "就是手机号", "手机号就是微信"}
)  # fmt: skip


class PatientRow(NamedTuple):
    """What one row says of a person; "" and None mean that it says nothing."""

    number: int
    name: str
    key: str
    phones: tuple[str, ...]
    wechat: str
    qq: str
    chart_numbers: tuple[str, ...]
    sex: str
    birth: Birth | None
    source: str
    referrer: Mention | None
    first_visit: date | None
    last_visit: date | None
    last_contact: date | None
    next_contact: date | None
    doctor: int | None
    coordinator: int | None
    complaint: str
    patient_class: str
    tags: tuple[str, ...]
    occupation: str
    address: str
    note: str
    warnings: tuple[Reason, ...]
    fingerprint: bytes


class RejectedRow(NamedTuple):
    """A row that is not imported, and the one reason."""

    number: int
    reason: Reason


class PatientRules:
    """Reads the rows of one table."""

    def __init__(self, table: Table, staff: StaffDirectory, today: date) -> None:
        epoch = table.epoch
        self.today = today
        self.staff = staff
        self._columns = _in_order(table.header)
        self._positions: dict[str, list[int]] = {}
        for field, position in self._columns:
            self._positions.setdefault(field, []).append(position)
        self._content: dict[str, str] = {}
        self._days: dict[tuple[str, str], date | Birth | None] = {}
        self._readers: dict[str, Callable[[str], date | Birth]] = {
            "birth": lambda text: read_birth(text, epoch=epoch),
            "next_contact": lambda text: read_near(text, today=today, ahead=True, epoch=epoch),
            "last_contact": lambda text: read_near(text, today=today, ahead=False, epoch=epoch),
            "first_visit": lambda text: read_day(text, epoch=epoch),
            "last_visit": lambda text: read_day(text, epoch=epoch),
        }

    def read(self, row: Row) -> PatientRow | RejectedRow:
        """Apply the rules to one row."""
        if row.broken:
            return RejectedRow(row.number, Reason.BAD_ROW)
        return _Reading(self, row).result()

    def contents(self, cells: Sequence[str]) -> dict[str, list[str]]:
        """Return what the row says, by field in the fields' order, whatever the order of the columns."""
        found: dict[str, list[str]] = {}
        known = self._content
        for field, position in self._columns:
            raw = cells[position]
            if not raw:
                continue
            text = known.get(raw)
            if text is None:
                text = content(raw)
                if len(raw) <= SHORT:  # sexes, dates, staff, classes … come again and again
                    known[raw] = text
            if text:
                if field in found:
                    found[field].append(text)
                else:
                    found[field] = [text]
        if len(known) > REMEMBERED:
            known.clear()
        return found

    def texts(self, cells: Sequence[str], wanted: str) -> list[str]:
        """Return free texts as they were written."""
        return [text for i in self._positions[wanted] if cells[i] and (text := kept(cells[i]))]

    def day(self, text: str, field: str) -> date | Birth | None:
        """Return the date that `text` is, None for an unreadable one."""
        try:
            return self._days[field, text]
        except KeyError:
            pass
        try:
            value: date | Birth | None = self._readers[field](text)
        except Unreadable:
            value = None
        if len(self._days) >= REMEMBERED:
            self._days.clear()
        self._days[field, text] = value
        return value


def _in_order(header: Header) -> list[tuple[str, int]]:
    """Return fields and positions by field; of the phones' columns those of further numbers come last."""
    names = header.names
    places = [(field, field == "phone" and is_second(names[i]), i) for i, field in header.fields.items()]
    return [(field, i) for field, _second, i in sorted(places)]


class _Reading:
    """The reading of one row: gathers warnings on the way."""

    __slots__ = ("cells", "number", "rules", "said", "warnings")

    def __init__(self, rules: PatientRules, row: Row) -> None:
        self.rules, self.number, self.cells = rules, row.number, row.cells
        self.said = rules.contents(row.cells)
        self.warnings: set[Reason] = set()

    def result(self) -> PatientRow | RejectedRow:
        said = self.said
        if "name" not in said:
            return RejectedRow(self.number, Reason.MISSING_NAME)
        if "phone" not in said and "wechat" not in said:
            return RejectedRow(self.number, Reason.MISSING_CONTACT)
        phones = self.phones()
        if not phones and "wechat" not in said:
            return RejectedRow(self.number, Reason.BAD_PHONE)
        return self.patient(phones)

    def patient(self, phones: tuple[str, ...]) -> PatientRow:
        said, name = self.said, self.said["name"][0]
        first_visit, last_visit = self.visits()
        return PatientRow(
            number=self.number,
            name=display_name(name),
            key=name_key(name),
            phones=phones,
            wechat=self.wechat(phones),
            qq=self.first("qq"),
            chart_numbers=tuple(dict.fromkeys(map(without_thousands, said.get("chart_number", ())))),
            sex=read_sex(self.first("sex")),
            birth=self.birth(),
            source=self.first("source"),
            referrer=self.referrer(),
            first_visit=first_visit,
            last_visit=last_visit,
            last_contact=self.date("last_contact"),
            next_contact=self.date("next_contact"),
            doctor=self.staff("doctor"),
            coordinator=self.staff("coordinator"),
            complaint=self.text("complaint"),
            patient_class=self.patient_class(),
            tags=self.tags(),
            occupation=self.first("occupation"),
            address=self.text("address", " "),
            note=self.text("note"),
            warnings=tuple(sorted(self.warnings)) if self.warnings else (),
            fingerprint=self.fingerprint(),
        )

    def first(self, field: str) -> str:
        """Return the first of the field's columns that says something."""
        texts = self.said.get(field)
        return texts[0] if texts else ""

    def text(self, field: str, between: str = "\n") -> str:
        """Return all of the field's columns as they were written, one after the other."""
        if field not in self.said:
            return ""
        texts = self.rules.texts(self.cells, field)
        return texts[0] if len(texts) == 1 else between.join(dict.fromkeys(texts))

    def phones(self) -> tuple[str, ...]:
        found: dict[str, None] = {}
        for text in self.said.get("phone", ()):
            numbers, bad = read_phones(text)
            found.update(dict.fromkeys(numbers))
            if bad:
                self.warnings.add(Reason.BAD_PHONE)
        return tuple(found)

    def wechat(self, phones: tuple[str, ...]) -> str:
        text = self.first("wechat")
        same = bool(phones) and bool(text) and "".join(text.split()) in SAME_AS_PHONE
        return phones[0] if same else text

    def referrer(self) -> Mention | None:
        if "referrer" not in self.said and "referrer_phone" not in self.said:
            return None
        return read_referrer(self.first("referrer"), self.first("referrer_phone"))

    def visits(self) -> tuple[date | None, date | None]:
        first, last = self.date("first_visit"), self.date("last_visit")
        if first and last and last < first:
            self.warnings.add(Reason.BAD_DATE)
            last = None
        return first, last

    def date(self, field: str) -> date | None:
        if field not in self.said:
            return None
        value = self.rules.day(self.said[field][0], field)
        if value is None:
            self.warnings.add(Reason.BAD_DATE)
        assert not isinstance(value, Birth)
        return value

    def birth(self) -> Birth | None:
        if "birth" not in self.said:
            return None
        value = self.rules.day(self.said["birth"][0], "birth")
        if not isinstance(value, Birth):
            self.warnings.add(Reason.BAD_DATE)
            return None
        if value.after(self.rules.today):
            self.warnings.add(Reason.FUTURE_BIRTH)
            return None
        return value

    def staff(self, role: str) -> int | None:
        if role not in self.said:
            return None
        found = self.rules.staff.find(self.said[role][0], role)
        if found is None:
            self.warnings.add(Reason.UNKNOWN_STAFF)
        return found

    def patient_class(self) -> str:
        if "patient_class" not in self.said:
            return ""
        code = read_class(self.said["patient_class"][0])
        if code is None:
            self.warnings.add(Reason.BAD_CLASS)
        return code or ""

    def tags(self) -> tuple[str, ...]:
        if "tags" not in self.said:
            return ()
        parts = ",".join(self.said["tags"]).translate(TAG_SEPARATORS).split(",")
        return tuple(dict.fromkeys(tag for part in parts if (tag := part.strip())))

    def fingerprint(self) -> bytes:
        """Return 16 bytes that the same row has again when the file is imported again."""
        texts = "\x1d".join(map("\x1e".join, self.said.values()))
        return blake2b(f"{'|'.join(self.said)}\x1f{texts}".encode(), digest_size=16).digest()
