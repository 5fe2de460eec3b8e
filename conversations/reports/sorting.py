"""Tables of a report in the order of one of their columns; it stands in the address (?sort=table.column&dir=)."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from django.utils.http import urlencode

from accounts.reading import whole_number
from conversations.reports.tables import Head, Row, Table

WAYS = ("asc", "desc")


@dataclass(frozen=True)
class Order:
    """The column of one table, by its number from 0."""

    slug: str
    column: int
    descending: bool

    @classmethod
    def of(cls, params: Mapping[str, str]) -> "Order | None":
        """Return what an address asks for; None where it asks for nothing that can be read."""
        slug, _dot, number = params.get("sort", "")[:40].rpartition(".")
        column = whole_number(number)
        if not slug.isidentifier() or column is None:
            return None
        return cls(slug, column, params.get("dir") == "desc")

    @property
    def key(self) -> str:
        return f"{self.slug}.{self.column}"

    def params(self) -> dict[str, str]:
        return {"sort": self.key, "dir": WAYS[self.descending]}


def arranged(table: Table, order: Order | None, said: Mapping[str, str]) -> Table:
    """Return a table with heads that sort it, its rows in the order asked for if it is this table's.

    The whole stays on top, and what has no value last. Args: said: the rest of the address, for the heads.
    """
    if not table.sorts:
        return table
    mine = order if order is not None and order.slug == table.slug and order.column < len(table.columns) else None
    rows = table.rows if mine is None else _sorted(table.rows, mine)
    return replace(table, rows=rows, heads=[_head(table, place, mine, said) for place in range(len(table.columns))])


def _head(table: Table, place: int, order: Order | None, said: Mapping[str, str]) -> Head:
    """Return a head: another click turns the order round; numbers begin with the most."""
    column, here = table.columns[place], order is not None and order.column == place
    descending = not order.descending if here and order is not None else column.kind != "text"
    wanted = Order(table.slug, place, descending)
    current = ("-" if order.descending else "") + wanted.key if here and order is not None else ""
    href = f"?{urlencode({**said, **wanted.params()})}#report-{table.slug}"
    return Head(column, wanted.key, href, current)


def _sorted(rows: list[Row], order: Order) -> list[Row]:
    held = [row for row in rows if row.whole]
    values = [(value_of(row, order.column), row) for row in rows if not row.whole]
    known = [pair for pair in values if pair[0] is not None]
    known.sort(key=lambda pair: pair[0], reverse=order.descending)
    return [*held, *(row for _value, row in known), *(row for value, row in values if value is None)]


def value_of(row: Row, column: int) -> Any:
    """Return what a row is sorted by: its label, a number, the percent of a share; None where there is none."""
    if column == 0:
        return row.label
    cell = row.cells[column - 1]
    return cell.value.percent if cell.kind == "share" else cell.value
