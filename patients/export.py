"""Writing the filtered list as CSV or XLSX, row by row."""

import csv
import re
import tempfile
from collections.abc import Iterable, Iterator
from typing import IO, Any

from django.db.models import QuerySet
from django.utils import timezone
from django.utils.translation import gettext as _
from openpyxl import Workbook

from accounts.models import Clinic
from patients.columns import COLUMNS
from patients.models import Channel, Registration, Sex
from patients.queries import next_appointment_start

CHUNK = 1000
# What spreadsheets begin formulas with; the wide forms count too where Chinese is typed.
FORMULA_STARTS = ("=", "+", "-", "@", "|", "%", "＝", "＋", "－", "＠", "\t", "\r", "\n")
_INVISIBLE = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f]")  # no workbook holds these
BOM = "\ufeff"


def harmless(value: object) -> str:
    """Return a cell that no spreadsheet takes for a formula."""
    text = "" if value is None else _INVISIBLE.sub("", str(value))
    begins = text.startswith(FORMULA_STARTS) or text.lstrip(" \u3000\u00a0\ufeff\u200b").startswith(FORMULA_STARTS)
    return f"'{text}" if begins else text


class PatientExport:
    """The rows of one export. Words are looked up at once: the rows are written after the request has ended."""

    def __init__(self, rows: QuerySet[Registration], clinic: Clinic, *, contact: bool, full_phones: bool) -> None:
        self.rows, self.clinic, self.contact, self.full_phones = rows, clinic, contact, full_phones
        self.sexes = {value: str(label) for value, label in Sex.choices}
        self.channels = {value: str(label) for value, label in Channel.choices}
        self.header = [_("Patient number"), _("Name"), _("Sex"), _("Birth date"), *([_("Phone")] if contact else [])]
        names = ["class", "complaint", "owner", "visit", "next", *(["channel", "contact", "tags"] if contact else [])]
        self.header += [str(COLUMNS[name]) for name in names]

    def lines(self) -> Iterator[list[str]]:
        """Yield the header and each row, cells made harmless."""
        yield self.header
        rows = self.rows.select_related("patient", "owner").annotate(next_at=next_appointment_start(self.clinic))
        if self.contact:
            rows = rows.prefetch_related("patient__phones")
        for row in rows.iterator(chunk_size=CHUNK):
            yield [harmless(cell) for cell in self._cells(row)]

    def _cells(self, row: Any) -> list[object]:
        patient = row.patient
        coming = timezone.localtime(row.next_at, self.clinic.tz).strftime("%Y-%m-%d %H:%M") if row.next_at else ""
        birth = patient.birth_date
        born = birth and (birth.isoformat() if patient.birth_day_known else str(birth.year))
        cells = [row.number, patient.name, self.sexes.get(patient.sex, "") if patient.sex else "", born]
        if self.contact:
            cells.append("/".join(p.number if self.full_phones else p.masked for p in patient.phones.all()))
        cells += [patient.class_code, row.complaint, row.owner, row.last_visit_on, coming]
        if self.contact:
            cells += [self.channels.get(row.channel, ""), row.last_contact_on, "、".join(row.tags)]
        return cells

    def csv(self) -> Iterator[str]:
        """Yield the file as text: UTF-8 with a byte order mark, so that spreadsheets read Chinese."""
        writer = csv.writer(_Echo())
        yield BOM
        for line in self.lines():
            yield writer.writerow(line)

    def xlsx(self) -> IO[bytes]:
        """Return the workbook as a temporary file, written without holding the rows in memory."""
        book = Workbook(write_only=True)
        sheet = book.create_sheet("Patients")
        for line in self.lines():
            sheet.append(line)
        file = tempfile.TemporaryFile()  # noqa: SIM115 - the response reads and closes it
        book.save(file)
        file.seek(0)
        return file


class _Echo:
    """Lets csv hand each line back instead of keeping it."""

    def write(self, text: str) -> str:
        return text


def describe(params: Iterable[tuple[str, str]]) -> dict[str, list[str]]:
    """Return the filters as they are logged beside an export."""
    kept: dict[str, list[str]] = {}
    for name, value in params:
        if value:
            kept.setdefault(name, []).append(value)
    return kept
