"""Rows as PostgreSQL's COPY takes them: the quick way to write many of one model."""

import io
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from datetime import date, datetime
from types import NoneType
from typing import Any

from django.db import connection, models
from django.utils import timezone

_ESCAPES = str.maketrans({"\\": "\\\\", "\t": "\\t", "\n": "\\n", "\r": "\\r"})
_needs_escape = re.compile(r"[\\\t\n\r]").search
_LINES_AT_ONCE = 5_000
_BYTES_AT_ONCE = 1 << 18
# A trigger looks up by row which triggers are set aside. Where that was never said it learns so by an error, and each
# error walks through all that the transaction has queued: with thousands of rows, minutes.
NO_TRIGGER_IGNORED = (
    "SELECT set_config('pgtrigger.ignore', coalesce(nullif(current_setting('pgtrigger.ignore', true), ''), '{}'), true)"
)


def field_text(value: Any) -> str:
    """Return one value in COPY's text format."""
    return _BY_TYPE.get(type(value), _of_any)(value)


def _of_text(value: str) -> str:
    return value.translate(_ESCAPES) if _needs_escape(value) else value


def _of_array(values: Sequence[str]) -> str:
    if not values:
        return "{}"
    inner = '","'.join(values)
    if "\\" in inner or inner.count('"') != 2 * (len(values) - 1):
        inner = '","'.join(value.replace("\\", "\\\\").replace('"', '\\"') for value in values)
    return _of_text('{"' + inner + '"}')


def _of_any(value: Any) -> str:
    return _of_text(str(value))


_BY_TYPE: dict[type, Callable[[Any], str]] = {
    str: _of_text,
    NoneType: lambda _value: "\\N",
    int: str,
    bool: lambda value: "t" if value else "f",
    bytes: lambda value: "\\\\x" + value.hex(),
    datetime: datetime.isoformat,
    date: date.isoformat,
    list: _of_array,
    tuple: _of_array,
}


class CopyInto:
    """COPY into one model: the fields named get values, the others their defaults as the model states them."""

    def __init__(self, model: type[models.Model], *names: str) -> None:
        fields = {field.name: field for field in model._meta.concrete_fields}
        rest = [field for name, field in fields.items() if name not in names and not field.primary_key]
        columns = [str(field.column) for field in (*(fields[name] for name in names), *rest)]
        quote = connection.ops.quote_name
        self.statement = f"COPY {quote(model._meta.db_table)} ({', '.join(map(quote, columns))}) FROM STDIN"
        self._rest = "".join(f"\t{field_text(_default(field))}" for field in rest) + "\n"

    def line(self, values: Iterable[Any]) -> str:
        """Return one row; `values` stand in the order of the names."""
        return "\t".join(map(field_text, values)) + self._rest

    def send(self, lines: Iterable[str]) -> None:
        """Write the rows, some thousands at a time. Constraints and indexes see to it as for any insert."""
        with connection.cursor() as cursor:
            cursor.execute(NO_TRIGGER_IGNORED)
            for text in _batches(lines):
                cursor.copy_expert(self.statement, io.StringIO(text), _BYTES_AT_ONCE)


class CopyQueue:
    """Sends rows in a thread of its own, so that the next ones are read while the database takes these.

    Nothing else may use the connection between `put` and `wait`.
    """

    def __init__(self) -> None:
        self._thread = ThreadPoolExecutor(max_workers=1)
        self._pending: list[Future[None]] = []
        with connection.cursor() as cursor:
            self._cursor = cursor.connection.cursor()

    def put(self, copy: CopyInto, lines: Iterable[str]) -> None:
        """Have the rows written."""
        text = "".join(lines)
        if text:
            self._pending.append(self._thread.submit(self._send, copy.statement, text))

    def wait(self) -> None:
        """Return once all rows are written. Raises what the database raised."""
        pending, self._pending = self._pending, []
        for future in pending:
            future.result()

    def close(self) -> None:
        """Let the thread end; what it is sending, it still sends."""
        self._thread.shutdown(cancel_futures=True)
        self._cursor.close()

    def _send(self, statement: str, text: str) -> None:
        self._cursor.execute(NO_TRIGGER_IGNORED)
        self._cursor.copy_expert(statement, io.StringIO(text), _BYTES_AT_ONCE)


def _batches(lines: Iterable[str]) -> Iterator[str]:
    batch: list[str] = []
    for line in lines:
        batch.append(line)
        if len(batch) >= _LINES_AT_ONCE:
            yield "".join(batch)
            batch.clear()
    if batch:
        yield "".join(batch)


def _default(field: Any) -> Any:
    """Return what a new row has in `field` unless told otherwise; the moment of now is the same for all."""
    if getattr(field, "auto_now", False) or getattr(field, "auto_now_add", False):
        return timezone.now()
    return field.get_prep_value(field.get_default())


def reserve_ids(model: type[models.Model], count: int) -> list[int]:
    """Take `count` fresh primary keys of `model`."""
    table, column = model._meta.db_table, model._meta.pk.column  # type: ignore[union-attr]
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT nextval(pg_get_serial_sequence(%s, %s)) FROM generate_series(1, %s)",
            [connection.ops.quote_name(table), column, count],
        )
        return [row[0] for row in cursor.fetchall()]
