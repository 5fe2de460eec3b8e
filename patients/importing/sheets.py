"""Reading of XLSX sheets row by row, in memory that does not grow with the sheet."""

from bisect import insort
from collections import deque
from collections.abc import Iterator
from typing import NamedTuple

from django.utils.translation import gettext as _

from patients.importing.errors import ImportRefused
from patients.importing.limits import MAX_CELL, MAX_COLUMNS, MAX_MERGES
from patients.importing.package import MERGE, Attributes, local_name, parse
from patients.importing.source import RawRow
from patients.importing.workbook import Sheet, Workbook
from patients.importing.xlsx_cells import TextReader, column_number, number_text, too_large, unescaped


class Merge(NamedTuple):
    """A merged cell, in rows and columns counted from 1 and 0."""

    top: int
    bottom: int
    left: int
    right: int


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


class _RowReader:
    """Turns the elements of a sheet into rows of texts."""

    def __init__(self, book: Workbook) -> None:
        self.done: deque[tuple[int, list[str]]] = deque()
        self._texts, self._date_styles, self._epoch = book.texts, book.date_styles, book.epoch
        self._inline = TextReader("is")
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
                raise ImportRefused(too_large())
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
        return unescaped(value)


_KNOWN = frozenset({"c", "v", "row", "is"})


def _column_of(reference: str) -> int:
    return column_number(reference.rstrip("0123456789"))
