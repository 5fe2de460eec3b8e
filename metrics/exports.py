"""Key figures, and the records behind them, as CSV or XLSX."""

import csv
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from typing import IO, Any

from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import pgettext
from openpyxl import Workbook

from accounts.windows import Window
from metrics.described import described, related
from metrics.figures import Figure, as_json
from metrics.kpis import DEFINITIONS, Kpi
from metrics.record_keys import record_sets
from metrics.records import exclusions_of
from metrics.reports import Report
from metrics.scope import Scope
from metrics.words import STATUS
from patients.export import BOM, harmless

Cell = str | int | float | None
CHUNK = 1000


# --- figures ----------------------------------------------------------------------------------------


def figure_header() -> list[str]:
    """Return the heads of the file of figures; the first two columns are the same in every language."""
    return [
        "slug", "group_id", _("Group"), _("Key figure"), _("Value"), _("Numerator"), _("Denominator"), _("Target"),
        _("Status"), _("Short by"), _("Clinics"), _("From"), _("To"), _("As of"), _("Computed at"), _("Definitions"),
    ]  # fmt: skip


def figure_lines(report: Report) -> Iterator[list[Cell]]:
    """Yield one line for each figure and companion: of the whole, then of each group."""
    zone = report.scope.clinics[0].tz
    end: list[Cell] = [
        "、".join(clinic.code for clinic in report.scope.clinics),
        report.window.start.isoformat(),
        report.window.last_day.isoformat(),
        _local(report.scope.as_of, zone),
        _local(report.computed_at, zone),
        DEFINITIONS,
    ]
    for key, name, figures in [("", _("all"), report.whole), *((str(g.id), g.name, g.figures) for g in report.groups)]:
        for figure in figures:
            for one in (figure, *figure.companions.values()):
                yield [one.of.slug, key, harmless(name), str(one.of.name), *_numbers(one), *end]


def _numbers(figure: Figure) -> list[Cell]:
    told = as_json(figure)
    whole = "status" in told  # companions have neither target nor status
    return [
        told["value"], told["numerator"], told["denominator"], told.get("target"),
        str(STATUS[told["status"]]) if whole else "", told["shortfall"] if whole else "",
    ]  # fmt: skip


def _local(moment: Any, zone: Any) -> str:
    return f"{timezone.localtime(moment, zone):%Y-%m-%d %H:%M}" if moment else ""


# --- records ----------------------------------------------------------------------------------------


def record_header() -> list[str]:
    """Return the heads of the file of records."""
    return [
        "slug", _("Key figure"), _("Part"), pgettext("row", "Record"), _("Kind"), _("Clinic"), _("Patient"), _("When"), _("Staff"),
    ]  # fmt: skip


class RecordExport:
    """The records behind figures. Words are looked up at once: the rows are written after the request has ended."""

    def __init__(self, kpis: Sequence[Kpi], scope: Scope, window: Window) -> None:
        self.scope, self.window = scope, window
        words = {"counted": _("counted"), "failing": _("not counted")}
        self.parts = [(kpi, str(kpi.name), part, word) for kpi in kpis for part, word in self._parts(kpi, words)]

    def _parts(self, kpi: Kpi, words: dict[str, str]) -> list[tuple[str, str]]:
        left_out = exclusions_of(kpi, self.scope, self.window)
        excluded = _("left out: %(why)s")
        return [*words.items(), *((f"excluded:{code}", excluded % {"why": why}) for code, why, _count in left_out)]

    def count(self) -> int:
        """Return how many lines there will be."""
        return sum(rows.order_by().count() for *_words, rows in self._sets())

    def lines(self) -> Iterator[list[Cell]]:
        """Yield a line for each record, cells made harmless."""
        for kpi, name, word, rows in self._sets():
            for record in rows.select_related(*related(rows.model)).order_by("pk").iterator(chunk_size=CHUNK):
                told = described(record)
                at = timezone.localtime(told.at, self.scope.clinics[0].tz) if told.at else None
                when = f"{at:%Y-%m-%d %H:%M}" if at else ""
                cells = [kpi.slug, name, word, told.key, told.kind, told.clinic, told.patient, when, told.person]
                yield [harmless(cell) for cell in cells]

    def _sets(self) -> Iterator[tuple[Kpi, str, str, Any]]:
        for kpi, name, part, word in self.parts:
            for rows in record_sets(kpi, self.scope, self.window, part):
                yield kpi, name, word, rows


# --- files ------------------------------------------------------------------------------------------


def as_csv(header: Sequence[str], lines: Iterable[Sequence[Cell]]) -> Iterator[str]:
    """Yield a file as text, line by line: UTF-8 with a byte order mark, so that spreadsheets read Chinese."""
    writer = csv.writer(_Echo())
    yield BOM
    yield writer.writerow(header)
    for line in lines:
        yield writer.writerow(line)


def as_xlsx(header: Sequence[str], lines: Iterable[Sequence[Cell]], title: str) -> IO[bytes]:
    """Return a workbook as a temporary file, written without holding the lines in memory; numbers stay numbers."""
    book = Workbook(write_only=True)
    sheet = book.create_sheet(title)
    sheet.freeze_panes = "A2"
    sheet.append(list(header))
    for line in lines:
        sheet.append(list(line))
    file = tempfile.TemporaryFile()  # noqa: SIM115 - the response reads and closes it
    book.save(file)
    file.seek(0)
    return file


class _Echo:
    """Lets csv hand each line back instead of keeping it."""

    def write(self, text: str) -> str:
        return text
