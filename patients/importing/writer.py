"""Writes what a plan decides: new people as the rows go by, everything else once all rows are read.

All of it happens in the caller's one transaction, so that a crash leaves nothing behind and the
same file can simply be imported again. Memory does not grow with the file: what has to wait for
the end (registrations wait for their numbers, merged rows for the people they belong to) waits in
a temporary file.
"""

import json
import tempfile
from array import array
from collections.abc import Callable, Iterator
from datetime import date, datetime
from typing import IO

from django.utils import timezone

from accounts.models import Clinic, User
from patients import crypto, naming
from patients.importing.charts import Charts
from patients.importing.copying import CopyInto, CopyQueue, reserve_ids
from patients.importing.fill import Fill, Filler
from patients.importing.plan import CHUNK, Taken
from patients.importing.values import (
    PATIENT_FILLS,
    REGISTRATION_FILLS,
    active_at,
    charts_of,
    imported_reason,
    patient_values,
    registration_values,
)
from patients.models import ClassChange, Patient, PatientNumberCounter, PatientPhone, Registration

_PATIENT_COLUMNS = (
    "id", "name", "name_key", "name_pinyin", "name_initials", "name_grams", *PATIENT_FILLS, "class_set_at",
    "created_at", "created_by",
)  # fmt: skip
_REGISTRATION_COLUMNS = (
    "number", "id", "patient", "clinic", *(name.removesuffix("_id") for name in REGISTRATION_FILLS),
    "active_at", "import_key", "created_at", "created_by",
)  # fmt: skip


def _waiting_room() -> IO[str]:
    return tempfile.TemporaryFile("w+", encoding="utf-8", newline="\n")


class Writer:
    """Writes one file's patients into one clinic."""

    def __init__(self, clinic: Clinic, by: User | None, today: date) -> None:
        self.clinic, self.by, self.today = clinic, by, today
        self.now: datetime = timezone.now()
        self.patients = array("q")  # patient id by person
        self.queue = CopyQueue()
        self._new: list[Taken] = []
        self._registered = 0
        self._charts = Charts(clinic)
        self._patient_lines = CopyInto(Patient, *_PATIENT_COLUMNS)
        self._phone_lines = CopyInto(
            PatientPhone, "patient", "number_encrypted", "number_index", "last4", "position", "created_at"
        )
        self._class_lines = CopyInto(ClassChange, "clinic", "patient", "new_class", "reason", "at", "by")
        self._registration_lines = CopyInto(Registration, *_REGISTRATION_COLUMNS)
        self._registrations = _waiting_room()
        self._fills = _waiting_room()

    def close(self) -> None:
        """Let go of the temporary files."""
        self.queue.close()
        self._registrations.close()
        self._fills.close()

    def take(self, taken: Taken) -> None:
        """Take one row of the plan."""
        if taken.new:
            self._new.append(taken)
            self.patients.append(0)
            if len(self._new) >= CHUNK:
                self.flush()
            return
        if taken.person == len(self.patients):
            assert taken.patient is not None
            self.patients.append(taken.patient)
        row = taken.row
        waiting = [taken.person, row.phones, charts_of(row), patient_values(row), registration_values(row)]
        self._fills.write(json.dumps(waiting, default=str, ensure_ascii=False) + "\n")

    def flush(self) -> None:
        """Write the new people taken so far: person, phones and class; their registrations wait."""
        self.queue.wait()
        people, self._new = self._new, []
        new = list(zip(people, reserve_ids(Patient, len(people)), reserve_ids(Registration, len(people)), strict=True))
        charts = self._charts.lines((registration, n) for taken, _, registration in new for n in charts_of(taken.row))
        for taken, patient, registration in new:
            self.patients[taken.person] = patient
            self._registrations.write(self._registration_line(taken, patient, registration))
        self._registered += len(new)
        self.queue.put(self._patient_lines, [self._patient_line(taken, patient) for taken, patient, _ in new])
        self.queue.put(
            self._phone_lines,
            [self._phone_line(patient, n, at) for taken, patient, _ in new for at, n in enumerate(taken.row.phones)],
        )
        self.queue.put(
            self._class_lines,
            [self._class_line(patient, code) for taken, patient, _ in new if (code := taken.row.patient_class)],
        )
        self.queue.put(self._charts.copy, charts)

    def finish(self, alive: Callable[[], None]) -> None:
        """Write all that waited: registrations with their numbers, and what rows fill in; calls `alive` on the way."""
        self.flush()
        self.queue.wait()
        self._register()
        alive()
        filler = Filler(self.clinic, self._charts, self.now, self.by)
        for fills in self._waiting_fills():
            filler.fill(fills)
            alive()

    def _register(self) -> None:
        """Copy the registrations; only here is the counter locked, so that others are not kept waiting for long."""
        if not self._registered:
            return
        numbers = iter(PatientNumberCounter.take(self.clinic, count=self._registered))
        self._registrations.seek(0)
        self._registration_lines.send(f"{next(numbers)}\t{line}" for line in self._registrations)

    def _waiting_fills(self) -> Iterator[list[Fill]]:
        self._fills.seek(0)
        chunk: list[Fill] = []
        for line in self._fills:
            person, phones, charts, patient, registration = json.loads(line)
            chunk.append(Fill(self.patients[person], phones, charts, patient, registration))
            if len(chunk) >= CHUNK:
                yield chunk
                chunk = []
        if chunk:
            yield chunk

    def _patient_line(self, taken: Taken, patient: int) -> str:
        row = taken.row
        values = patient_values(row)
        return self._patient_lines.line(
            (
                patient, row.name[: naming.MAX_KEY], row.key, naming.pinyin(row.name), naming.initials(row.name),
                naming.bigrams(row.name), *(values[name] for name in PATIENT_FILLS),
                self.now if row.patient_class else None, self.now, self._by,
            )
        )  # fmt: skip

    def _registration_line(self, taken: Taken, patient: int, registration: int) -> str:
        values = registration_values(taken.row)
        seen = active_at(taken.row, self.today, self.clinic.tz, self.now)
        return self._registration_lines.line(
            (
                registration, patient, self.clinic.pk, *(values[name] for name in REGISTRATION_FILLS),
                seen, taken.fingerprint, self.now, self._by,
            )
        )  # fmt: skip

    def _phone_line(self, patient: int, phone: str, position: int) -> str:
        values = patient, crypto.encrypt(phone), crypto.blind_index(phone), phone[-4:], position, self.now
        return self._phone_lines.line(values)

    def _class_line(self, patient: int, code: str) -> str:
        return self._class_lines.line((self.clinic.pk, patient, code, imported_reason(), self.now, self._by))

    @property
    def _by(self) -> int | None:
        return self.by.pk if self.by else None
