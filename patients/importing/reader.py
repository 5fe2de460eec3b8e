"""From a file to numbered rows of cells under known columns: the one way in for every kind of file."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from itertools import islice
from pathlib import Path
from typing import NamedTuple

from django.utils.translation import gettext as _

from patients.importing.delimited import DELIMITERS, DelimitedSource, find_encoding
from patients.importing.errors import ImportRefused
from patients.importing.headers import IGNORED, find_field, header_key
from patients.importing.limits import MAX_FILE_BYTES, MAX_ROWS
from patients.importing.sheets import SheetSource
from patients.importing.source import RawRow, Source
from patients.importing.text import BLANKS, is_totals, shown
from patients.importing.workbook import Workbook

TEXT_SUFFIXES = frozenset({".csv", ".tsv", ".txt"})
WORKBOOK_SUFFIXES = frozenset({".xlsx", ".xlsm"})
ZIP_START, OLE_START = b"PK\x03\x04", b"\xd0\xcf\x11\xe0"
KNOWN_NAMES_OF_A_HEADER = 3
NEAR_ROWS = 200  # so far every delimiter is tried; beyond, the first that gives a header is taken


class Row(NamedTuple):
    """A data row: its number in a spreadsheet, its cells, and whether it is broken (`bad_row`)."""

    number: int
    cells: list[str]
    broken: bool


@dataclass(frozen=True)
class Header:
    """The row that names the columns. `fields` says what a column holds, by its position."""

    number: int
    last_row: int
    names: tuple[str, ...]
    fields: dict[int, str]
    known: int


@dataclass(frozen=True)
class Table:
    """A file opened at its header; `rows` can be read any number of times."""

    source: Source
    header: Header
    encoding: str = ""
    delimiter: str = ""
    sheet: str = ""
    sheets: tuple[str, ...] = ()
    most_rows: int = MAX_ROWS
    has_totals: bool = True  # a row that begins with 合计 is none of the data

    @property
    def epoch(self) -> date:
        return self.source.epoch

    def rows(self) -> Iterator[Row]:
        """Yield the data rows: no blank ones, headings, totals or repeated headers.

        Raises ImportRefused when there are more than `most_rows`, or the file turns out damaged.
        """
        for count, row in enumerate(_data_rows(self.source, self.header, totals=self.has_totals), 1):
            if count > self.most_rows:
                raise ImportRefused(
                    _("The file has more than %(limit)s rows. Split it into several files.")
                    % {"limit": f"{self.most_rows:,}"}
                )
            yield row


def open_table(
    path: Path,
    columns: Mapping[str, str],
    *,
    sheet: str = "",
    mapping: Mapping[str, str] | None = None,
    name: str = "",
    most_bytes: int = MAX_FILE_BYTES,
) -> Table:
    """Open a CSV or XLSX file at its header.

    Args:
        columns: what is known about column names: compared name → field.
        sheet: the sheet to read; without it the one that has a header.
        mapping: corrections, column name → field, "" for a column to leave out.
        name: the file's own name, where `path` has another.
        most_bytes: a larger file is refused.

    Raises ImportRefused, saying why, for whatever cannot be a list of patients.
    """
    corrections = {header_key(column): field for column, field in (mapping or {}).items()}
    known = {**columns, **corrections}
    if _kind_of(path, name or path.name, most_bytes) == "workbook":
        table = _open_workbook(path, known, sheet, frozenset(corrections))
    elif sheet:
        raise ImportRefused(_("Only a workbook has sheets; this is a text file."))
    else:
        table = _open_text(path, known, frozenset(corrections))
    _refuse_unknown_corrections(table, mapping or {})
    return table


def _kind_of(path: Path, name: str, most_bytes: int) -> str:
    size = path.stat().st_size
    if size > most_bytes:
        raise ImportRefused(_("The file is larger than 50 MB. Split it into several files."))
    if size == 0:
        raise ImportRefused(_("The file is empty."))
    with path.open("rb") as file:
        start = file.read(8)
    suffix = Path(name).suffix.lower()
    if start.startswith(OLE_START) or suffix == ".xls":
        raise ImportRefused(_("An old .xls file or one with a password cannot be read. Save it as .xlsx or CSV."))
    if suffix not in TEXT_SUFFIXES | WORKBOOK_SUFFIXES:
        raise ImportRefused(_("Only .csv, .tsv, .txt and .xlsx files can be imported."))
    if start.startswith(ZIP_START) != (suffix in WORKBOOK_SUFFIXES):
        raise ImportRefused(_("The file is not what its name says (%(suffix)s).") % {"suffix": suffix})
    return "workbook" if suffix in WORKBOOK_SUFFIXES else "text"


def _open_text(path: Path, known: Mapping[str, str], corrected: frozenset[str]) -> Table:
    encoding, skip = find_encoding(path)
    sources = {delimiter: DelimitedSource(path, encoding, skip, delimiter) for delimiter in DELIMITERS}
    for limit in (NEAR_ROWS, None):
        best: tuple[Header, str] | None = None
        for delimiter, source in sources.items():
            header = find_header(source, known, corrected, limit)
            if header and (best is None or header.known > best[0].known):
                best = header, delimiter
        if best:
            header, delimiter = best
            return Table(sources[delimiter], header, encoding=encoding, delimiter=delimiter)
    raise _no_header()


def _open_workbook(path: Path, known: Mapping[str, str], sheet: str, corrected: frozenset[str]) -> Table:
    book = Workbook(path)
    names = tuple(one.name for one in book.sheets)
    wanted = [one for one in book.sheets if one.name == sheet.strip()] if sheet else book.sheets
    if not wanted:
        raise ImportRefused(
            _("There is no sheet “%(sheet)s”. The file has: %(sheets)s.")
            % {"sheet": sheet, "sheets": "、".join(names) or "—"}
        )
    best: Table | None = None
    for one in wanted:
        source = SheetSource(book, one)
        header = find_header(source, known, corrected)
        if header and (best is None or _rank(header) > _rank(best.header)):
            best = Table(source, header, sheet=one.name, sheets=names)
    if best is None:
        raise _no_header()
    return best


def _rank(header: Header) -> tuple[bool, int]:
    """Order candidates for the data sheet: one with a name column first, then the most known columns."""
    return "name" in header.fields.values(), header.known


def _no_header() -> ImportRefused:
    return ImportRefused(
        _("No header was found: no row has at least three column names that are known, such as 姓名, 电话, 病历号.")
    )


def _refuse_unknown_corrections(table: Table, mapping: Mapping[str, str]) -> None:
    present = {header_key(name) for name in table.header.names}
    missing = [column for column in mapping if header_key(column) not in present]
    if missing:
        raise ImportRefused(_("The file has no column “%(column)s”.") % {"column": missing[0]})


def find_header(
    source: Source, known: Mapping[str, str], corrected: frozenset[str] = frozenset(), limit: int | None = None
) -> Header | None:
    """Return the first row with at least three known column names, or with all the corrected ones."""
    rows = source.rows()
    fewest = min(KNOWN_NAMES_OF_A_HEADER, len(corrected) or KNOWN_NAMES_OF_A_HEADER)
    for row in islice(rows, limit):
        if row.broken or sum(map(bool, row.cells)) < fewest:
            continue
        header = _header_of(row, known)
        keys = {header_key(name) for name in header.names}
        if header.known >= KNOWN_NAMES_OF_A_HEADER or (corrected and corrected <= keys):
            return _with_second_line(header, row.below, rows, known)
    return None


def _header_of(row: RawRow, known: Mapping[str, str]) -> Header:
    names = [shown(cell) for cell in row.cells]
    while names and not names[-1]:
        names.pop()
    found = _settled({i: find_field(name, known) for i, name in enumerate(names)})
    recognised = {header_key(names[i]) for i, field in found.items() if field is not None}
    fields = {i: field for i, field in found.items() if field is not None and field != IGNORED}
    return Header(row.number, row.number, tuple(names), fields, len(recognised))


def _settled(found: dict[int, str | None]) -> dict[int, str | None]:
    """Decide what columns hold whose name can mean two things ("a|b"): a where no other column does, else b."""
    taken = set(found.values())
    for i, field in found.items():
        if field and "|" in field:
            found[i] = next((one for one in field.split("|") if one not in taken), IGNORED)
            taken.add(found[i])
    return found


def _with_second_line(header: Header, last: int, rows: Iterator[RawRow], known: Mapping[str, str]) -> Header:
    """Take in the rows that cells of the header are merged down over: what they name goes before."""
    names = list(header.names)
    for row in rows:
        if row.number > last:
            break
        names.extend([""] * (len(row.cells) - len(names)))
        for i, cell in enumerate(row.cells):
            names[i] = shown(cell) or names[i]
    if last <= header.number:
        return header
    joined = _header_of(RawRow(header.number, names), known)
    return Header(header.number, last, joined.names, joined.fields, max(joined.known, header.known))


def _data_rows(source: Source, header: Header, *, totals: bool) -> Iterator[Row]:
    width = len(header.names)
    first = next(i for i, name in enumerate(header.names) if name)
    named = [(i, header_key(name)) for i, name in enumerate(header.names) if name]
    for row in source.rows():
        if row.number <= header.last_row:
            continue
        number, cells = row.number, row.cells
        if not source.strict_width:
            del cells[width:]
        start = next((text for cell in cells if cell and (text := _shown_start(cell))), "")
        if not start or (row.wide and row.wide[0] <= first and row.wide[1] >= width - 1):
            continue
        if (totals and is_totals(start)) or _repeats(cells, named):
            continue
        if source.strict_width:
            broken = row.broken or len(cells) < width or (len(cells) > width and any(map(_shown_start, cells[width:])))
        else:
            broken = False
            cells.extend([""] * (width - len(cells)))
            for column, value in (row.carried or {}).items():
                if column < width:
                    cells[column] = value
        yield Row(number, cells, broken)


def _shown_start(cell: str) -> str:
    """Return what the cell shows, at least its beginning; "" for a blank one."""
    head = cell[:40].strip(BLANKS)
    if head and head[0] not in "='＝＇":
        return shown(head)
    return shown(cell)


def _repeats(cells: list[str], named: list[tuple[int, str]]) -> bool:
    """Tell whether a row is the header once more."""
    column, key = named[0]
    if column >= len(cells) or len(cells[column]) > 60 or header_key(cells[column]) != key:
        return False
    return all(i < len(cells) and header_key(cells[i]) == key for i, key in named)
