"""What the cells of a workbook say: texts in one piece, numbers and dates as text."""

import re
from datetime import date, datetime, time, timedelta
from functools import lru_cache

from django.utils.translation import gettext as _

from patients.importing.dates import DAY_SECONDS, EPOCH_1900, clock
from patients.importing.errors import ImportRefused
from patients.importing.limits import MAX_CELL
from patients.importing.package import Attributes, local_name

FIRST_MISSING_DAY = 60  # spreadsheets count a 29 February 1900 that never was
LAST_SERIAL = 2_950_000  # in the year 9976; a date column never holds more
_ESCAPE = re.compile(r"_x(?:005F(?=_x[0-9A-Fa-f]{4}_)|00[01][0-9A-Fa-f])_")


class TextReader:
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
                raise ImportRefused(too_large())

    def end(self, tag: str) -> str | None:
        """Return the whole text when the item ends, None before."""
        kind = local_name(tag)
        if kind == "t":
            self._taking = False
        elif kind == "rPh":
            self._phonetic = False
        elif kind == self._item:
            text = unescaped("".join(self._parts))
            self._parts.clear()
            self._size = 0
            return text
        return None


def unescaped(text: str) -> str:
    """Undo `_x000D_` and the like, by which workbooks write control characters."""
    return _ESCAPE.sub(_character, text) if "_x00" in text else text


def _character(match: re.Match[str]) -> str:
    code = int(match[0][2:6], 16)
    return chr(code) if code in (9, 10, 13, 0x5F) else ""


def too_large() -> str:
    """Return the words for a cell beyond all measure."""
    return _("A cell holds more than %(limit)s characters.") % {"limit": f"{MAX_CELL:,}"}


@lru_cache(maxsize=4096)
def column_number(letters: str) -> int:
    """Return the column, counted from 0, that spreadsheets call `letters`."""
    number = 0
    for letter in letters:
        number = number * 26 + ord(letter) - 64
    return number - 1


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
