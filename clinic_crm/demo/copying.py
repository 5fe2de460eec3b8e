"""Writing many rows by PostgreSQL's COPY."""

import io
import json
from collections.abc import Iterable, Sequence
from datetime import date, datetime, time
from typing import Any

from django.db import connection, models


def _array(values: Sequence[Any]) -> str:
    quoted = ('"' + str(v).replace("\\", "\\\\").replace('"', '\\"') + '"' for v in values)
    return "{" + ",".join(quoted) + "}"


def _text(value: Any, field: "models.Field[Any, Any]") -> str:
    if value is None:
        return "\\N"
    if isinstance(value, bytes):
        return "\\\\x" + value.hex()
    if isinstance(value, bool):
        return "t" if value else "f"
    if isinstance(field, models.JSONField):
        value = json.dumps(value, ensure_ascii=False)
    elif isinstance(value, list):
        value = _array(value)
    elif isinstance(value, datetime | date | time):
        return value.isoformat()
    return str(value).replace("\\", "\\\\").replace("\t", "\\t").replace("\n", "\\n").replace("\r", "\\r")


def copy_rows(model: type[models.Model], objects: Iterable[models.Model]) -> int:
    """Write unsaved `objects` with COPY, primary keys included; returns how many.

    Signals, `save()` and auto-now fields do not run: the objects carry every value.
    """
    fields = model._meta.concrete_fields
    buffer = io.StringIO()
    count = 0
    for row in objects:
        cells = (_text(getattr(row, f.attname), f) for f in fields)
        buffer.write("\t".join(cells) + "\n")
        count += 1
    if count:
        buffer.seek(0)
        columns = ", ".join(connection.ops.quote_name(f.column or "") for f in fields)
        with connection.cursor() as cursor:
            cursor.copy_expert(f"COPY {connection.ops.quote_name(model._meta.db_table)} ({columns}) FROM STDIN", buffer)
    return count


class Ids:
    """Hands out primary keys from where each table's sequence stands, and moves the sequence on at the end."""

    def __init__(self) -> None:
        self._next: dict[type[models.Model], int] = {}

    def take(self, model: type[models.Model]) -> int:
        """Return the next free primary key of `model`."""
        if model not in self._next:
            highest = model._base_manager.aggregate(top=models.Max("pk"))["top"] or 0
            self._next[model] = highest + 1
        value = self._next[model]
        self._next[model] += 1
        return value

    def skip(self, model: type[models.Model], count: int) -> None:
        """Leave out the next `count` keys of `model`, written by somebody else."""
        self._next[model] += count

    def settle(self) -> None:
        """Move the sequences past the keys that were given."""
        with connection.cursor() as cursor:
            for model, following in self._next.items():
                table = model._meta.db_table
                cursor.execute(
                    "SELECT setval(pg_get_serial_sequence(%s, 'id'), %s, false)",
                    [connection.ops.quote_name(table), following],
                )
