"""The rejected rows of an imported table, as they stand in the file, with their reasons, as CSV."""

import csv
import io
from collections.abc import Iterator, Mapping

from django.utils.functional import Promise
from django.utils.translation import gettext as _

from patients.export import BOM, harmless
from patients.importing.reader import Table


def rejected_csv(table: Table, rejected: Mapping[int, str], texts: Mapping[str, str | Promise]) -> Iterator[str]:
    """Return the lines of the file. Words are looked up at once: rows are read after the request has ended.

    Args: rejected: reason by row number; texts: what a reason says.
    """
    header = [_("Row"), _("Reason"), *table.header.names]
    words = {reason: str(text) for reason, text in texts.items()}
    return _lines(table, rejected, words, header)


def _lines(table: Table, rejected: Mapping[int, str], words: Mapping[str, str], header: list[str]) -> Iterator[str]:
    yield BOM + _line(header)
    for row in table.rows():
        if row.number in rejected:
            reason = rejected[row.number]
            cells = [cell.encode(errors="replace").decode().replace("\0", "") for cell in row.cells]
            yield _line([str(row.number), words.get(reason, reason), *cells])


def _line(cells: list[str]) -> str:
    buffer = io.StringIO()
    csv.writer(buffer).writerow([harmless(cell) for cell in cells])
    return buffer.getvalue()
