"""What the readers of the two kinds of file have in common."""

from collections.abc import Iterator
from datetime import date
from typing import NamedTuple, Protocol

from patients.importing.dates import EPOCH_1900


class RawRow(NamedTuple):
    """One row as a spreadsheet shows it.

    `carried` holds, by column, the values of cells merged with one further up; `wide` the first and
    last column of the widest merged cell of the row; `below` the last row that a cell of this row,
    merged downwards, covers.
    """

    number: int
    cells: list[str]
    broken: bool = False
    carried: dict[int, str] | None = None
    wide: tuple[int, int] | None = None
    below: int = 0


class Source(Protocol):
    """A file, or a sheet of one, that can be read from the start any number of times."""

    strict_width: bool  # whether a row must be as wide as the header
    epoch: date

    def rows(self) -> Iterator[RawRow]: ...


__all__ = ["EPOCH_1900", "RawRow", "Source"]
