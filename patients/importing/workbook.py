"""Reading of XLSX sheets row by row, in memory that does not grow with the sheet."""

import re
from array import array
from bisect import insort
from collections import deque
from collections.abc import Iterator
from datetime import date, datetime, time, timedelta
from functools import lru_cache
from pathlib import Path
from typing import NamedTuple

from django.utils.translation import gettext as _
from openpyxl.styles.numbers import is_date_format

from patients.importing.dates import DAY_SECONDS, EPOCH_1900, EPOCH_1904, clock
from patients.importing.errors import ImportRefused
from patients.importing.limits import MAX_CELL, MAX_COLUMNS, MAX_MERGES, MAX_TEXT_BYTES
from patients.importing.package import MERGE, Attributes, Package, local_name, parse
from patients.importing.source import RawRow

BUILTIN_DATES = frozenset({*range(14, 23), *range(27, 37), *range(45, 48), *range(50, 59)})
FIRST_MISSING_DAY = 60  # spreadsheets count a 29 February 1900 that never was
LAST_SERIAL = 2_950_000  # in the year 9976; a date column never holds more
_ESCAPE = re.compile(r"_x(?:005F(?=_x[0-9A-Fa-f]{4}_)|00[01][0-9A-Fa-f])_")


class StringTable:
    """The texts that cells share, packed tightly: a list of str would take several times the memory."""

    def __init__(self) -> None:
        self._bytes = bytearray()
        self._ends = array("Q", [0])

    def append(self, text: str) -> None:
        self._bytes += text.encode("utf-8", "surrogatepass")
        self._ends.append(len(self._bytes))
        if len(self._bytes) > MAX_TEXT_BYTES:
            raise ImportRefused(_("The workbook holds more text than can be imported at once. Split it."))

    def __getitem__(self, index: int) -> str:
        if not 0 <= index < len(self._ends) - 1:
            return ""
        return self._bytes[self._ends[index] : self._ends[index + 1]].decode("utf-8", "surrogatepass")


class Merge(NamedTuple):
    """A merged cell, in rows and columns counted from 1 and 0."""

    top: int
    bottom: int
    left: int
    right: int


class Sheet(NamedTuple):
    """A sheet's name and where it lies in the package."""

    name: str
    part: str


class Workbook:
    """What the sheets of one file share: names, texts, number formats, the day from which serials count."""

    def __init__(self, path: Path) -> None:
        self.package = Package(path)
        kinds = dict(self.package.relations("").values())
        main = kinds.get("officeDocument", "xl/workbook.xml")
        if main not in self.package.names():
            raise ImportRefused(_("The file is not an Excel workbook (.xlsx)."))
        relations = self.package.relations(main)
        parts = dict(relations.values())
        self.epoch = EPOCH_1900
        self.sheets = self._read_sheets(main, relations)
        self.texts = self._read_texts(parts.get("sharedStrings"))
        self.date_styles = self._read_date_styles(parts.get("styles"))

    def _read_sheets(self, main: str, relations: dict[str, tuple[str, str]]) -> list[Sheet]:
        sheets: list[Sheet] = []

        def start(tag: str, attributes: Attributes) -> None:
            kind = local_name(tag)
            if kind == "workbookPr" and attributes.get("date1904", "0") in ("1", "true"):
                self.epoch = EPOCH_1904
            elif kind == "sheet":
                reference = next((v for k, v in attributes.items() if local_name(k) == "id" and ":" in k), "")
                what, part = relations.get(reference, ("", ""))
                if what == "worksheet":
                    sheets.append(Sheet(attributes.get("name", ""), part))

        _run(parse(self.package.blocks(main), start))
        return sheets

    def _read_texts(self, part: str | None) -> StringTable:
        table = StringTable()
        if part and part in self.package.names():
            reader = _TextReader("si")

            def end(tag: str) -> None:
                if (text := reader.end(tag)) is not None:
                    table.append(text)

            _run(parse(self.package.blocks(part), reader.start, end, reader.text))
        return table

    def _read_date_styles(self, part: str | None) -> frozenset[int]:
        """Return which cell styles show a number as a date or time."""
        own: dict[int, str] = {}
        styles: list[int] = []
        inside: list[str] = []

        def start(tag: str, attributes: Attributes) -> None:
            kind = local_name(tag)
            if kind == "numFmt":
                own[int(attributes.get("numFmtId", "0"))] = attributes.get("formatCode", "")
            elif kind == "cellXfs":
                inside.append(kind)
            elif kind == "xf" and inside:
                styles.append(int(attributes.get("numFmtId", "0")))

        def end(tag: str) -> None:
            if local_name(tag) == "cellXfs":
                inside.clear()

        if part and part in self.package.names():
            _run(parse(self.package.blocks(part), start, end))
        return frozenset(
            i for i, code in enumerate(styles) if (is_date_format(own[code]) if code in own else code in BUILTIN_DATES)
        )


class SheetSource:
    """One sheet; numbers, dates and formulas come as the text of their stored value."""

    strict_width = False

    def __init__(self, book: Workbook, sheet: Sheet) -> None:
        self.book, self.sheet, self.epoch = book, sheet, book.epoch
        self._merges = _read_merges(book.package.blocks(sheet.part))

    def rows(self) -> Iterator[RawRow]:
        """Yield the rows that the sheet holds, hidden ones too. Raises ImportRefused when it is damaged."""
        reader = _RowReader(self.book)
        merges = _MergedCells(self._merges)
        for _block in parse(self.book.package.blocks(self.sheet.part), reader.start, reader.end, reader.text):
            while reader.done:
                yield merges.apply(*reader.done.popleft())


def _run(steps: Iterator[None]) -> None:
    for _step in steps:
        pass


def _read_merges(blocks: Iterator[bytes]) -> list[Merge]:
    """Return the merged cells by their first row; they stand behind the rows, so the part is searched once for them."""
    found: list[Merge] = []
    rest = b""
    for block in blocks:
        data = rest + block
        end = 0
        for match in MERGE.finditer(data):
            left, top, right, bottom = match.groups()
            found.append(Merge(int(top), int(bottom), column_number(left.decode()), column_number(right.decode())))
            end = match.end()
        rest = data[max(end, len(data) - 200) :]
        if len(found) > MAX_MERGES:
            raise ImportRefused(_("The sheet has more merged cells than can be imported."))
    return sorted(found)


@lru_cache(maxsize=4096)
def column_number(letters: str) -> int:
    """Return the column, counted from 0, that spreadsheets call `letters`."""
    number = 0
    for letter in letters:
        number = number * 26 + ord(letter) - 64
    return number - 1


class _MergedCells:
    """Carries the values of merged cells down as the rows go by."""

    def __init__(self, merges: list[Merge]) -> None:
        self._ahead = deque(merges)
        self._open: list[tuple[Merge, str]] = []

    def apply(self, number: int, cells: list[str]) -> RawRow:
        self._open = [(merge, value) for merge, value in self._open if merge.bottom >= number]
        carried = {merge.left: value for merge, value in self._open if value}
        wide, below = None, 0
        for merge, _value in self._open:
            wide = max(wide or (0, -1), (merge.left, merge.right), key=_width)
        while self._ahead and self._ahead[0].top <= number:
            merge = self._ahead.popleft()
            if merge.bottom < number:
                continue
            wide = max(wide or (0, -1), (merge.left, merge.right), key=_width)
            if merge.bottom > merge.top:
                below = max(below, merge.bottom)
                starts_here = merge.top == number and merge.left < len(cells)
                insort(self._open, (merge, cells[merge.left] if starts_here else ""))
        return RawRow(number, cells, carried=carried or None, wide=wide, below=below)


def _width(columns: tuple[int, int]) -> int:
    return columns[1] - columns[0]


class _TextReader:
    """Gathers the text of a string item: rich text in one piece, phonetic guides left out."""

    def __init__(self, item: str) -> None:
        self._item = item
        self._parts: list[str] = []
        self._size = 0
        self._taking = self._phonetic = False

    def start(self, tag: str, _attributes: Attributes) -> None:
        kind = local_name(tag)
        if kind == "t":
            self._taking = not self._phonetic
        elif kind == "rPh":
            self._phonetic = True

    def text(self, data: str) -> None:
        if self._taking:
            self._parts.append(data)
            self._size += len(data)
            if self._size > MAX_CELL:
                raise ImportRefused(_too_large())

    def end(self, tag: str) -> str | None:
        """Return the whole text when the item ends, None before."""
        kind = local_name(tag)
        if kind == "t":
            self._taking = False
        elif kind == "rPh":
            self._phonetic = False
        elif kind == self._item:
            text = _unescaped("".join(self._parts))
            self._parts.clear()
            self._size = 0
            return text
        return None


def _unescaped(text: str) -> str:
    """Undo `_x000D_` and the like, by which workbooks write control characters."""
    return _ESCAPE.sub(_character, text) if "_x00" in text else text


def _character(match: re.Match[str]) -> str:
    code = int(match[0][2:6], 16)
    return chr(code) if code in (9, 10, 13, 0x5F) else ""


def _too_large() -> str:
    return _("A cell holds more than %(limit)s characters.") % {"limit": f"{MAX_CELL:,}"}


class _RowReader:
    """Turns the elements of a sheet into rows of texts."""

    def __init__(self, book: Workbook) -> None:
        self.done: deque[tuple[int, list[str]]] = deque()
        self._texts, self._date_styles, self._epoch = book.texts, book.date_styles, book.epoch
        self._inline = _TextReader("is")
        self._number = 0
        self._cells: list[str] = []
        self._column = -1
        self._type = ""
        self._style = 0
        self._value: list[str] = []
        self._in_value = self._in_inline = False

    def start(self, tag: str, attributes: Attributes) -> None:
        kind = tag if tag in _KNOWN else local_name(tag)
        if kind == "c":
            reference = attributes.get("r")
            self._column = _column_of(reference) if reference else self._column + 1
            self._type = attributes.get("t", "n")
            self._style = int(attributes.get("s", "0"))
            self._value = []
        elif kind == "v":
            self._in_value = True
        elif kind == "row":
            self._number = int(attributes.get("r") or self._number + 1)
            self._cells = []
            self._column = -1
        elif kind == "is":
            self._in_inline = True
        elif self._in_inline:
            self._inline.start(tag, attributes)

    def text(self, data: str) -> None:
        if self._in_value:
            self._value.append(data)
            if len(data) > MAX_CELL or len(self._value) > MAX_CELL // 100:
                raise ImportRefused(_too_large())
        elif self._in_inline:
            self._inline.text(data)

    def end(self, tag: str) -> None:
        kind = tag if tag in _KNOWN else local_name(tag)
        if kind == "c":
            if self._value:
                self._put(self._text_of("".join(self._value)))
        elif kind == "v":
            self._in_value = False
        elif kind == "row":
            self.done.append((self._number, self._cells))
        elif self._in_inline:
            text = self._inline.end(tag)
            if text is not None:
                self._in_inline = False
                self._value, self._type = [text], "str"

    def _put(self, text: str) -> None:
        if not text or not 0 <= self._column < MAX_COLUMNS:
            return
        missing = self._column - len(self._cells)
        if missing > 0:
            self._cells.extend([""] * missing)
        if missing >= 0:
            self._cells.append(text)
        else:
            self._cells[self._column] = text

    def _text_of(self, value: str) -> str:
        match self._type:
            case "s":
                return self._texts[int(value)]
            case "n":
                return number_text(value, is_date=self._style in self._date_styles, epoch=self._epoch)
            case "e":
                return ""
            case "b":
                return "TRUE" if value == "1" else "FALSE"
        return _unescaped(value)


_KNOWN = frozenset({"c", "v", "row", "is"})


@lru_cache(maxsize=4096)
def _letters_number(letters: str) -> int:
    return column_number(letters)


def _column_of(reference: str) -> int:
    return _letters_number(reference.rstrip("0123456789"))


def number_text(value: str, *, is_date: bool, epoch: date) -> str:
    """Return a stored number as text: a date or time as such, a whole number without point or exponent."""
    if not is_date and value.isdigit():
        return value
    try:
        number = float(value)
    except ValueError:
        return value
    if is_date and 0 <= number <= LAST_SERIAL:
        return _moment_text(number, epoch)
    return str(int(number)) if number.is_integer() and abs(number) < 1e15 else repr(number)


def _moment_text(serial: float, epoch: date) -> str:
    days, seconds = int(serial), round(serial % 1 * DAY_SECONDS)
    if days == 0:
        return clock(seconds).isoformat()
    if epoch == EPOCH_1900 and days < FIRST_MISSING_DAY:
        days += 1
    moment = datetime.combine(epoch, time()) + timedelta(days=days, seconds=seconds)
    return moment.strftime("%Y-%m-%d %H:%M:%S") if seconds else moment.strftime("%Y-%m-%d")
