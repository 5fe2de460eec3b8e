"""Reading of delimited text: encoding and delimiter found by themselves, one bad row never costing another."""

import codecs
import csv
import io
import re
from collections.abc import Iterator
from datetime import date
from functools import partial
from itertools import islice
from pathlib import Path

from django.utils.translation import gettext as _

from patients.importing.dates import EPOCH_1900
from patients.importing.errors import ImportRefused
from patients.importing.limits import MAX_CELL
from patients.importing.source import RawRow

DELIMITERS = (",", "\t", ";")
BAD_BYTES = "\udcff"  # stands for bytes that are not valid in the file's encoding
SAMPLE_LINES = 5_000
MAX_LINE = 4 * MAX_CELL
MAX_REPAIRS = 100
BLOCK = 1 << 20
_BOMS = ((codecs.BOM_UTF8, "utf-8"), (codecs.BOM_UTF16_LE, "utf-16-le"), (codecs.BOM_UTF16_BE, "utf-16-be"))

# The csv module knows this limit only for the whole process.
csv.field_size_limit(MAX_CELL)


def _mark_bad_bytes(error: UnicodeError) -> tuple[str, int]:
    """Put BAD_BYTES in the place of the first bad byte (or UTF-16 unit), never swallowing what follows it."""
    assert isinstance(error, UnicodeDecodeError)
    wide = error.encoding.startswith("utf-16")
    return BAD_BYTES, error.end if wide else error.start + 1


codecs.register_error("import-mark", _mark_bad_bytes)


def find_encoding(path: Path) -> tuple[str, int]:
    """Return the encoding of a text file and the length of its byte order mark.

    Without a mark it is UTF-8 if most lines with other than ASCII characters are valid in it,
    else GB18030; a few bad bytes do not change the verdict.
    """
    with path.open("rb") as file:
        start = file.read(4096)
        for mark, name in _BOMS:
            if start.startswith(mark):
                return name, len(mark)
        if unmarked := _unmarked_utf16(start):
            return unmarked, 0
        file.seek(0)
        valid = total = 0
        for line in islice(_foreign_lines(file), SAMPLE_LINES):
            total += 1
            valid += _is_utf8(line)
    return ("utf-8" if valid * 2 >= total else "gb18030"), 0


def _unmarked_utf16(start: bytes) -> str | None:
    zeros = (start[0::2].count(0), start[1::2].count(0))
    if max(zeros) * 10 < len(start):
        return None
    return "utf-16-le" if zeros[1] > zeros[0] else "utf-16-be"


def _foreign_lines(file: io.BufferedReader) -> Iterator[bytes]:
    """Yield the lines that are not pure ASCII, whatever the line ends."""
    rest = b""
    while block := file.read(BLOCK):
        lines = (rest + block).replace(b"\r", b"\n").split(b"\n")
        rest = lines.pop() if len(lines[-1]) < BLOCK else b""
        yield from (line for line in lines if not line.isascii())
    if not rest.isascii():
        yield rest


def _is_utf8(line: bytes) -> bool:
    try:
        line.decode()
    except UnicodeDecodeError:
        return False
    return True


class DelimitedSource:
    """A delimited text file in one encoding, read with one delimiter."""

    strict_width = True
    epoch: date = EPOCH_1900

    def __init__(self, path: Path, encoding: str, skip: int, delimiter: str) -> None:
        self.path, self.encoding, self.skip, self.delimiter = path, encoding, skip, delimiter

    def rows(self) -> Iterator[RawRow]:
        """Yield every record, blank ones too. Raises ImportRefused on a cell beyond all measure."""
        with self.path.open("rb") as binary:
            binary.seek(self.skip)
            text = io.TextIOWrapper(binary, encoding=self.encoding, errors="import-mark", newline="")
            yield from _Records(text, self.delimiter)


class _Records:
    """The records of a text, with their numbers; a quote that never closes is taken as it stands."""

    def __init__(self, text: io.TextIOWrapper, delimiter: str) -> None:
        self._read = partial(text.readline, MAX_LINE)
        self._delimiter = delimiter
        self._loose_end = re.compile(rf'"[ \u3000]+(?=[{delimiter}\r\n]|$)')  # blanks after a closing quote
        self._pushed: list[str] = []
        self._current: list[str] = []
        self._ended = False
        self._number = 0
        self._repairs = 0

    def _lines(self) -> Iterator[str]:
        while line := self._pushed.pop() if self._pushed else self._read():
            if len(line) >= MAX_LINE:
                raise ImportRefused(_too_large(self._number + 1))
            self._current.append(line)
            yield line
        self._ended = True

    def __iter__(self) -> Iterator[RawRow]:
        reader = csv.reader(self._lines(), delimiter=self._delimiter)
        while True:
            self._current.clear()
            try:
                cells = next(reader, None)
            except csv.Error as error:
                raise ImportRefused(_too_large(self._number + 1)) from error
            if cells is None:
                return
            if self._repairs < MAX_REPAIRS and self._never_closed():
                cells = self._first_line_alone()
                reader = csv.reader(self._lines(), delimiter=self._delimiter)
            self._number += 1
            yield RawRow(self._number, cells, broken=any(map(_is_broken, self._current)))

    def _never_closed(self) -> bool:
        """Tell whether a quote of the first line has swallowed those below: it wanted more, or ended before a text."""
        if self._ended or len(self._current) < 2:
            return self._ended
        lines = [self._loose_end.sub('"', line) for line in self._current]
        try:
            list(csv.reader(lines, delimiter=self._delimiter, strict=True))
        except csv.Error as error:
            return "expected after" in str(error)
        return False

    def _first_line_alone(self) -> list[str]:
        """Return the cells of the first line with its open quote as a literal one; the other lines are read again."""
        self._repairs += 1
        self._ended = False
        line, *others = self._current
        self._pushed.extend(reversed(others))
        self._current = [line]
        quotes = (i for i, c in enumerate(line) if c == '"' and self._opens(line, i))
        start = max((i for i in quotes if self._is_closed(line[:i])), default=0)
        before = next(csv.reader([line[:start]], delimiter=self._delimiter), [""])
        return before[:-1] + next(csv.reader([line[start:]], delimiter=self._delimiter, quoting=csv.QUOTE_NONE))

    def _opens(self, line: str, position: int) -> bool:
        return position == 0 or line[position - 1] == self._delimiter

    def _is_closed(self, text: str) -> bool:
        try:
            list(csv.reader([text], delimiter=self._delimiter, strict=True))
        except csv.Error as error:
            return "unexpected end of data" not in str(error)
        return True


def _is_broken(line: str) -> bool:
    return "\0" in line or BAD_BYTES in line


def _too_large(row: int) -> str:
    return _("Row %(row)s holds a cell of more than %(limit)s characters.") % {"row": row, "limit": f"{MAX_CELL:,}"}
