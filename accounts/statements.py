"""Statements that the ORM puts together once in each process; from then on they run with other values.

On a page of a dozen statements half of the time goes into composing SQL that is the same text every time. A
Statement composes it at its first use, with markers for the values, and remembers where each value goes. PostgreSQL
in turn prepares it once in each connection.
"""

from collections.abc import Callable, Sequence
from copy import copy
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from functools import cached_property
from typing import Any

from django.core.exceptions import EmptyResultSet
from django.db import NotSupportedError, connections
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.models import QuerySet

from accounts import prepared

MOST = 400  # texts kept of one statement: lists of different lengths make different ones
FIRST_DAY = date(2199, 1, 1)  # markers are values that no clinic has
FIRST_NUMBER = 1_900_000_000
MOST_NUMBER = 2**31 - 1  # what a column of numbers may hold


@dataclass(frozen=True, eq=False)
class _Text:
    """What was composed: the queryset that reads the rows, its compiler, and which value belongs where."""

    queryset: QuerySet[Any, Any]
    compiler: Any
    sql: str
    params: tuple[Any, ...]
    places: tuple[int | None, ...]

    def filled(self, values: Sequence[Any]) -> tuple[Any, ...]:
        pairs = zip(self.params, self.places, strict=True)
        return tuple(param if place is None else values[place] for param, place in pairs)

    @cached_property
    def varying(self) -> tuple[int, ...]:
        return tuple(n for n, place in enumerate(self.places) if place is not None)

    def asked(
        self, connection: BaseDatabaseWrapper, values: Sequence[Any], around: str = "%s"
    ) -> tuple[str, tuple[Any, ...]]:
        """Return the SQL and its parameters, of the prepared statement where there can be one; `around` encloses it."""
        text, params = around.replace("%s", self.sql), self.filled(values)
        sql = prepared.execution(connection, (self, around), text, self.params, self.varying)
        return (sql, tuple(params[n] for n in self.varying)) if sql else (text, params)

    def rows(self, connection: BaseDatabaseWrapper, values: Sequence[Any]) -> list[Any]:
        """Return the rows, as the queryset would give them."""
        sql, params = self.asked(connection, values)
        compiler = copy(self.compiler)
        compiler.connection = connection
        compiler.as_sql = lambda *_args, **_kwargs: (sql, params)
        rows = self.queryset.all()
        rows.query.get_compiler = lambda *_args, **_kwargs: compiler  # type: ignore[method-assign]
        return list(rows)


class Statement:
    """A query that is asked again and again.

    `build` gives the queryset. It may read nothing but its arguments: what else it read (the time, the language) would
    be kept with the text. Its positional arguments are the shape, and any of them makes a text of its own; its keyword
    arguments are the values: numbers, texts, dates, moments, or tuples of them, not None and not True or False.
    """

    def __init__(self, build: Callable[..., QuerySet[Any, Any]]) -> None:
        self.build = build
        self._texts: dict[Any, _Text | None] = {}

    def rows(self, *shape: Any, **values: Any) -> list[Any]:
        """Return the rows, as the queryset would give them (one statement)."""
        text = self._text(shape, values)
        if text is None:
            return list(self.build(*shape, **values))
        connection = connections[text.queryset.db]  # each thread has its own
        try:
            return text.rows(connection, _flat(values))
        except NotSupportedError:  # a table was altered under a prepared statement
            prepared.forget(connection)
            if connection.in_atomic_block:
                raise
            return text.rows(connection, _flat(values))

    def count(self, *shape: Any, **values: Any) -> int:
        """Return how many rows there are (one statement)."""
        text = self._text(shape, values)
        if text is None:
            return self.build(*shape, **values).count()
        connection = connections[text.queryset.db]
        with connection.cursor() as cursor:
            cursor.execute(*text.asked(connection, _flat(values), "SELECT count(*) FROM (%s) AS counted"))
            found: int = cursor.fetchone()[0]
        return found

    def is_kept(self, *shape: Any, **values: Any) -> bool:
        """Tell whether the text can be kept; it is not when composing does more to a value than put it in."""
        return self._text(shape, values) is not None

    def _text(self, shape: tuple[Any, ...], values: dict[str, Any]) -> _Text | None:
        if any(isinstance(value, int) and abs(value) > MOST_NUMBER for value in values.values()):
            return None  # an address may name any number: Django knows that no row has it
        key = (shape, tuple(len(v) if isinstance(v, tuple) else type(v) for v in values.values()))
        if key not in self._texts:
            if len(self._texts) >= MOST:
                self._texts.clear()
            self._texts[key] = self._compose(shape, values)
        return self._texts[key]

    def _compose(self, shape: tuple[Any, ...], values: dict[str, Any]) -> _Text | None:
        """Compose with markers, and compare with what the values themselves give; None unless it is the same."""
        marks: dict[Any, int] = {}
        marked = {name: _marked(value, marks) for name, value in values.items()}
        try:
            queryset = self.build(*shape, **marked)
            compiler = queryset.query.get_compiler(queryset.db)
            sql, params = compiler.as_sql()
            plain = self.build(*shape, **values)
            expected = plain.query.get_compiler(plain.db).as_sql()
        except EmptyResultSet:
            return None
        places = tuple(marks.get(param) if isinstance(param, int | str | date) else None for param in params)
        text = _Text(queryset, compiler, sql, tuple(params), places)
        return text if (sql, text.filled(_flat(values))) == (expected[0], tuple(expected[1])) else None


def _flat(values: dict[str, Any]) -> list[Any]:
    return [one for value in values.values() for one in (value if isinstance(value, tuple) else (value,))]


def _marked(value: Any, marks: dict[Any, int]) -> Any:
    """Return a marker of the same type, or a tuple of them, noting whose place it marks."""
    if isinstance(value, tuple):
        return tuple(_marked(one, marks) for one in value)
    number = len(marks)
    mark = _mark(value, number)
    marks[mark] = number
    return mark


def _mark(value: Any, number: int) -> Any:
    if isinstance(value, datetime):
        day = FIRST_DAY + timedelta(days=number)
        return datetime(day.year, day.month, day.day, tzinfo=UTC)
    if isinstance(value, date):
        return FIRST_DAY + timedelta(days=number)
    if isinstance(value, str):
        return f"\ue000{number}"
    if isinstance(value, int) and not isinstance(value, bool):
        return FIRST_NUMBER + number
    raise TypeError(f"{type(value).__name__} is no value of a statement; make it a part of the shape")
