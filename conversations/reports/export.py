"""Tables and lists of chats as CSV or XLSX, every cell made harmless for spreadsheets."""

import csv
import io
import tempfile
from collections.abc import Iterable, Iterator
from typing import IO

from django.contrib.postgres.expressions import ArraySubquery
from django.db.models import OuterRef
from django.utils import timezone
from django.utils.translation import gettext as _
from openpyxl import Workbook

from accounts.models import Clinic
from conversations.models import CapturedContact, Conversation, Finding
from conversations.queries import Rows
from conversations.reports.naming import loss_name
from conversations.reports.tables import Table
from patients.export import BOM, harmless

CHUNK = 1000
TYPES = {"csv": "text/csv; charset=utf-8", "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"}
Line = Iterable[object]


def safe(value: object) -> object:
    """Return a cell: numbers as they are, text that no spreadsheet takes for a formula."""
    return value if isinstance(value, int | float) and not isinstance(value, bool) else harmless(value)


def table_lines(table: Table, clinic: Clinic, days: str) -> Iterator[Line]:
    """Yield a table with what it is about above it."""
    yield [table.title, clinic.name, days]
    yield from table.lines()
    for note in table.notes:
        yield [note]


def write(lines: Iterable[Line], form: str) -> IO[bytes]:
    """Return a file with the lines, as `csv` (UTF-8 with a byte order mark) or `xlsx`; rows are not held in memory."""
    file = tempfile.TemporaryFile()  # noqa: SIM115 - the response reads and closes it
    if form == "xlsx":
        book = Workbook(write_only=True)
        sheet = book.create_sheet("Report")
        for line in lines:
            sheet.append([safe(cell) for cell in line])
        book.save(file)
    else:
        text = io.TextIOWrapper(file, encoding="utf-8", newline="")
        text.write(BOM)
        csv.writer(text).writerows([safe(cell) for cell in line] for line in lines)
        text.detach()
    file.seek(0)
    return file


class ChatExport:
    """The rows of a list of chats: facts and findings, never what was captured itself."""

    def __init__(self, rows: Rows, clinic: Clinic) -> None:
        self.rows, self.clinic = rows, clinic
        self.endings = {value: str(label) for value, label in Conversation.Ending.choices}
        self.kinds = {value: str(label) for value, label in CapturedContact.Kind.choices}

    def lines(self) -> Iterator[Line]:
        """Yield the head and a line for each chat."""
        yield [
            _("Started"), _("Visitor"), _("Channel"), _("Keyword"), _("Cost"), _("Consultant"), _("Team"),
            _("Messages"), _("First reply, seconds"), _("Longest silence, seconds"), _("Ending"), _("Effective"),
            _("Score"), _("What was found"), _("Captured"), _("Booked for"),
        ]  # fmt: skip
        here = OuterRef("pk")
        codes = Finding.objects.standing().filter(conversation=here).order_by("code").values("code").distinct()
        kinds = CapturedContact.objects.filter(capture__conversation=here).order_by("kind").values("kind").distinct()
        rows = self.rows.select_related("consultant", "team", "capture").annotate(
            codes=ArraySubquery(codes), kinds=ArraySubquery(kinds)
        )
        for row in rows.order_by("-started_at", "-pk").iterator(chunk_size=CHUNK):
            yield self._cells(row)

    def _cells(self, row: Conversation) -> Line:
        capture = getattr(row, "capture", None)
        codes: list[str] = row.codes  # type: ignore[attr-defined]
        kinds: list[str] = row.kinds  # type: ignore[attr-defined]
        return [
            self._time(row.started_at), row.visitor_name, row.channel, row.keyword,
            None if row.cost is None else float(row.cost), row.consultant or row.consultant_name,
            row.team or row.team_name, row.message_count, row.first_reply_seconds, row.longest_silence_seconds,
            self.endings.get(row.ending, ""), _("yes") if row.is_effective else _("no"),
            None if row.score is None else float(row.score), "、".join(loss_name(code) for code in codes),
            "、".join(self.kinds.get(kind, kind) for kind in kinds),
            self._time(capture.booking_at) if capture is not None else "",
        ]  # fmt: skip

    def _time(self, at: object) -> str:
        return timezone.localtime(at, self.clinic.tz).strftime("%Y-%m-%d %H:%M") if at else ""  # type: ignore[arg-type]
