"""What importing a file would do: which rows create, update, merge, or are rejected, and why.

Memory: only what later rows are compared with is kept of a row; its values go to `take`.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from hashlib import blake2b
from itertools import islice
from typing import Any, NamedTuple, Protocol

from patients.importing.cells import Mention
from patients.importing.patient_rules import PatientRow, PatientRules, Reason, RejectedRow
from patients.importing.reader import Row

CHUNK = 2_000


class Known(NamedTuple):
    """An existing patient of the clinic: id, name key, and one of the phones that were asked for."""

    patient: int
    key: str
    phone: str


class ExistingPatients(Protocol):
    """The patients that the clinic has already."""

    def with_phones(self, phones: Sequence[str]) -> Iterable[Known]:
        """Return who bears any of these numbers."""

    def imported(self, fingerprints: Sequence[bytes]) -> dict[bytes, int]:
        """Return the patients that came from these very rows in an earlier import."""


class NoPatients:
    """A clinic without patients."""

    def with_phones(self, phones: Sequence[str]) -> Iterable[Known]:
        return ()

    def imported(self, fingerprints: Sequence[bytes]) -> dict[bytes, int]:
        return {}


class Taken(NamedTuple):
    """A row that is imported, and the person it belongs to.

    `new` tells that this row creates the person; `patient` is the one already there whom it updates;
    `fingerprint` is how the next import recognises the row.
    """

    row: PatientRow
    person: int
    new: bool
    patient: int | None
    fingerprint: bytes


@dataclass
class Plan:
    """The outcome of every data row, and the persons as later rows and referrals see them."""

    rows: int = 0
    created: int = 0
    updated: int = 0
    merged: list[tuple[int, int]] = field(default_factory=list)
    rejected: list[tuple[int, Reason]] = field(default_factory=list)
    warnings: list[tuple[int, Reason]] = field(default_factory=list)
    first_rows: list[int] = field(default_factory=list)  # by person
    keys: list[str] = field(default_factory=list)  # by person
    existing: dict[int, int] = field(default_factory=dict)  # person → patient id, for those already there
    by_phone: dict[str, int | dict[str, int]] = field(default_factory=dict)
    mentions: dict[int, Mention] = field(default_factory=dict)  # person → whom the rows name as referrer

    def bearers(self, phone: str) -> dict[str, int]:
        """Return the persons who bear a number: name key → person."""
        found = self.by_phone.get(phone)
        if isinstance(found, int):
            return {self.keys[found]: found}
        return found or {}

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
    rules: PatientRules,
    existing: ExistingPatients,
    take: Callable[[Taken], None] | None = None,
    chunk_done: Callable[[int], None] | None = None,
    rejected: Callable[[Row, Reason], None] | None = None,
) -> Plan:
    """Read all rows and decide what becomes of each.

    Args:
        take: gets each imported row with its person, in the order of the file.
        chunk_done: called with the number of rows read so far, now and then.
        rejected: gets each rejected row as it stands, and why.

    Raises ImportRefused when the file turns out unreadable half-way.
    """
    plan = Plan()
    matcher = _Matcher(plan)
    for chunk in _chunks(rows):
        readings = [(row, rules.read(row)) for row in chunk]
        matcher.prepare([reading for _row, reading in readings if isinstance(reading, PatientRow)], existing)
        for row, reading in readings:
            plan.rows += 1
            if isinstance(reading, RejectedRow):
                plan.rejected.append((reading.number, reading.reason))
                if rejected:
                    rejected(row, reading.reason)
                continue
            taken = matcher.place(reading)
            if take:
                take(taken)
        if chunk_done:
            chunk_done(plan.rows)
    return plan


def _chunks(rows: Iterable[Row]) -> Iterator[list[Row]]:
    iterator = iter(rows)
    while chunk := list(islice(iterator, CHUNK)):
        yield chunk


class _Matcher:
    """Finds the person of each row: of the file first, else of those already there."""

    def __init__(self, plan: Plan) -> None:
        self.plan = plan
        self._persons: dict[int, int] = {}  # patient id → person
        self._unnumbered: dict[bytes, int] = {}  # how often a row without a number stood in the file
        self._there: dict[tuple[str, str], list[int]] = {}
        self._imported: dict[bytes, int] = {}
        self._marks: dict[int, bytes] = {}

    def prepare(self, rows: list[PatientRow], existing: ExistingPatients) -> None:
        """Look up, at once, whom these rows may mean among the patients already there."""
        phones = dict.fromkeys(phone for row in rows for phone in row.phones)
        self._there.clear()
        for known in existing.with_phones(list(phones)):
            self._there.setdefault((known.phone, known.key), []).append(known.patient)
        self._marks = {row.number: self._mark(row) for row in rows}
        self._imported = existing.imported(list(self._marks.values()))

    def place(self, row: PatientRow) -> Taken:
        plan, mark = self.plan, self._marks[row.number]
        plan.warnings.extend((row.number, reason) for reason in row.warnings)
        person, patient = self._in_file(row), None
        if person is None:
            patient = self._already_there(row, mark)
            person = self._persons.get(patient) if patient is not None else None
        if person is not None:
            plan.merged.append((row.number, plan.first_rows[person]))
            self._note(person, row)
            return Taken(row, person, False, None, mark)
        person = len(plan.keys)
        plan.keys.append(row.key)
        plan.first_rows.append(row.number)
        if patient is None:
            plan.created += 1
        else:
            plan.updated += 1
            plan.existing[person] = patient
            self._persons[patient] = person
        self._note(person, row)
        return Taken(row, person, patient is None, patient, mark)

    def _in_file(self, row: PatientRow) -> int | None:
        found = None
        for phone in row.phones:
            owners = self.plan.by_phone.get(phone)
            if owners is None:
                continue
            if isinstance(owners, int):
                person = owners if self.plan.keys[owners] == row.key else None
            else:
                person = owners.get(row.key)
            if person is not None and (found is None or person < found):
                found = person
        return found

    def _already_there(self, row: PatientRow, mark: bytes) -> int | None:
        """Return whom the row means: of several who bear its numbers and name the one an earlier import made of it."""
        patients = [patient for phone in row.phones for patient in self._there.get((phone, row.key), ())]
        before = self._imported.get(mark)
        return min(patients) if patients and before not in patients else before

    def _note(self, person: int, row: PatientRow) -> None:
        """Remember what later rows and referrals look at."""
        by_phone = self.plan.by_phone
        for phone in row.phones:
            owners = by_phone.get(phone)
            if owners is None:
                by_phone[phone] = person
            elif isinstance(owners, int):
                if owners != person:
                    by_phone[phone] = {self.plan.keys[owners]: owners, row.key: person}
            else:
                owners.setdefault(row.key, person)
        if row.referrer is not None:
            self.plan.mentions.setdefault(person, row.referrer)

    def _mark(self, row: PatientRow) -> bytes:
        """Return the row's fingerprint; of equal rows without a number, each has another."""
        if row.phones:
            return row.fingerprint
        count = self._unnumbered.get(row.fingerprint, 0)
        self._unnumbered[row.fingerprint] = count + 1
        if count == 0:
            return row.fingerprint
        return blake2b(row.fingerprint + count.to_bytes(4), digest_size=16).digest()
