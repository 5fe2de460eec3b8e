"""Everything that happened with a patient, newest first.

The kinds of events are united, ordered and cut in the database: a page of the timeline is one statement, however
many kinds there are. Compiling that statement costs Django more than running it costs PostgreSQL, and planning it
costs PostgreSQL twenty times what running it does. So it is compiled once for each set of permissions and clinics, with
a mark where the patient belongs, and what every patient page asks is prepared once in each connection.
"""

import json
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from typing import Any

from django.core import signing
from django.db import connection

from accounts import prepared
from accounts.permissions import Permission
from clinic_crm.workbench.timeline_kinds import Reader, branches

PAGE = 20
SALT = "workbench.timeline"
ANY_PATIENT = -7_354_001_993  # the mark; no row has this id


@dataclass(frozen=True)
class Event:
    """One thing that happened: its kind, the row it is about, when, and what is shown of it."""

    kind: str
    pk: int
    at: datetime
    data: dict[str, Any]


@dataclass(frozen=True)
class Slice:
    """Some events and where the next older ones begin, "" at the end."""

    events: list[Event]
    more: str = ""


Statement = tuple[str, list[Any]]


@lru_cache(maxsize=1024)
def _compiled(grants: frozenset[Permission], clinic_ids: tuple[int, ...], kind: str) -> tuple[str, tuple[Any, ...]]:
    [rows] = branches(Reader(ANY_PATIENT, grants, clinic_ids), [kind])
    sql, params = rows.query.sql_with_params()
    return sql, tuple(params)


def _statements(reader: Reader, kinds: tuple[str, ...]) -> list[Statement]:
    """Return the events of each kind as SQL with its parameters, the mark in the patient's place."""
    return [(sql, list(params)) for sql, params in (_compiled(reader.grants, reader.clinic_ids, k) for k in kinds)]


def _rows(reader: Reader, name: tuple[str, ...], statement: Statement | None = None) -> list[Any]:
    """Run a statement for the reader's patient; without one, that of this name, prepared in this connection."""
    sql, params = statement or _united(name[0], reader.grants, reader.clinic_ids, name[1:])
    varying = [place for place, value in enumerate(params) if value == ANY_PATIENT]
    key = ("timeline", reader.grants, reader.clinic_ids, *name)
    known = "" if statement else prepared.execution(connection, key, sql, params, varying)
    with connection.cursor() as db:
        if known:
            db.execute(known, [reader.patient_id] * len(varying))
        else:
            db.execute(sql, [reader.patient_id if value == ANY_PATIENT else value for value in params])
        return db.fetchall()


def _page_of(statements: list[Statement], place: tuple[datetime, str, int] | None) -> Statement:
    """Unite the newest of each kind that lie behind a place: of no kind more is read than the page can show."""
    older = "WHERE (ev_at, ev_kind, pk) < (%s, %s, %s)" if place else ""
    columns, order = "ev_kind, pk, ev_at, ev_data", f"ORDER BY ev_at DESC, ev_kind DESC, pk DESC LIMIT {PAGE + 1}"
    parts, values = [], []
    for sql, params in statements:
        parts.append(f"(SELECT {columns} FROM ({sql}) AS kind {older} {order})")  # noqa: S608 - compiled by Django
        values += [*params, *(place or ())]
    return f"SELECT {columns} FROM ({' UNION ALL '.join(parts)}) AS events {order}", values  # noqa: S608


def read(reader: Reader, *, kind: str = "", cursor: str = "") -> Slice:
    """Return a page of events, of one kind or of all, older than the cursor; one statement."""
    if not reader.clinic_ids:
        return Slice([])
    kinds, place = reader.chosen(kind), _place(cursor, reader)
    older = _page_of(_statements(reader, kinds), place) if place else None
    rows = _rows(reader, ("page", *kinds), older)
    found = [Event(kind, pk, at, _told(data)) for kind, pk, at, data in rows]
    more = _cursor(found[PAGE - 1], reader) if len(found) > PAGE else ""
    return Slice(found[:PAGE], more)


def counts(reader: Reader) -> dict[str, int]:
    """Return how many events of each kind there are; one statement."""
    if not reader.clinic_ids:
        return {}
    return dict(_rows(reader, ("counts", *reader.kinds)))


def _counts_of(statements: list[Statement]) -> Statement:
    united = " UNION ALL ".join(f"SELECT ev_kind FROM ({sql}) AS kind" for sql, _params in statements)  # noqa: S608
    values = [value for _sql, params in statements for value in params]
    return f"SELECT ev_kind, COUNT(*) FROM ({united}) AS events GROUP BY ev_kind", values  # noqa: S608


@lru_cache(maxsize=256)
def _united(what: str, grants: frozenset[Permission], clinic_ids: tuple[int, ...], kinds: tuple[str, ...]) -> Statement:
    statements = _statements(Reader(ANY_PATIENT, grants, clinic_ids), kinds)
    return _counts_of(statements) if what == "counts" else _page_of(statements, None)


def _told(data: Any) -> dict[str, Any]:
    told: dict[str, Any] = json.loads(data) if isinstance(data, str) else data
    return told


def _cursor(event: Event, reader: Reader) -> str:
    return signing.dumps([event.at.isoformat(), event.kind, event.pk], salt=f"{SALT}.{reader.patient_id}")


def _place(cursor: str, reader: Reader) -> tuple[datetime, str, int] | None:
    try:
        at, kind, pk = signing.loads(cursor, salt=f"{SALT}.{reader.patient_id}")
    except signing.BadSignature:
        return None
    return datetime.fromisoformat(at), kind, pk
