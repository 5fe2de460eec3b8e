"""Statements that PostgreSQL parses and plans once in each connection, and from then on only runs.

For a page's dearest statements reading the text and planning it takes many times what running it takes. PgBouncer in
transaction mode gives each transaction another connection: there nothing is prepared.
"""

from collections.abc import Collection, Hashable, Sequence
from datetime import date, datetime
from itertools import count
from typing import Any
from weakref import WeakKeyDictionary

from django.conf import settings
from django.db.backends.base.base import BaseDatabaseWrapper
from psycopg2.extensions import AsIs

MOST = 200  # held in one connection; each takes some tens of kilobytes in PostgreSQL
_HELD: WeakKeyDictionary[Any, dict[Hashable, str]] = WeakKeyDictionary()  # open connection → names of what it holds
_NUMBERS = count()


def execution(
    connection: BaseDatabaseWrapper, key: Hashable, sql: str, params: Sequence[Any], varying: Collection[int]
) -> str:
    """Return the SQL that runs a statement in this connection, with one %s for each varying parameter, in their order.

    It is "" where nothing can be prepared. `varying` are the positions in `params` whose values differ from one
    execution to the next; the others are written into the text, where the planner sees them.
    """
    if settings.PGBOUNCER:
        return ""
    connection.ensure_connection()
    held = _HELD.setdefault(connection.connection, {})
    if key not in held:
        if len(held) >= MOST:
            return ""
        connection.validate_no_broken_transaction()
        held[key] = _prepared(connection, sql, params, varying)
    return held[key]


def forget(connection: BaseDatabaseWrapper) -> None:
    """Prepare anew what this connection is asked from now on: a table was altered since."""
    _HELD.pop(connection.connection, None)


def _prepared(connection: BaseDatabaseWrapper, sql: str, params: Sequence[Any], varying: Collection[int]) -> str:
    numbers = {place: number for number, place in enumerate(varying, start=1)}
    texts = [_mark(numbers[n], param) if n in numbers else param for n, param in enumerate(params)]
    name = f"kept_{next(_NUMBERS)}"
    with connection.wrap_database_errors, connection.connection.cursor() as bare:
        bare.execute(f"PREPARE {name} AS {bare.mogrify(sql, texts).decode()}")
    values = ", ".join(["%s"] * len(varying))
    return f"EXECUTE {name} ({values})" if values else f"EXECUTE {name}"


def _mark(number: int, param: Any) -> AsIs:
    """Return the parameter's place; moments and days name their type, as their literals do."""
    kind = "::timestamptz" if isinstance(param, datetime) else "::date" if isinstance(param, date) else ""
    return AsIs(f"${number}{kind}")
