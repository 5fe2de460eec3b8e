"""Everything that happened with a patient, newest first.

The kinds of events are united, ordered and cut in the database: a page of the timeline is one statement, however
many kinds there are. Compiling that statement costs Django more than running it costs PostgreSQL, so it is compiled
once for each set of permissions and clinics, with a mark where the patient belongs.
"""

import json
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from typing import Any

from django.core import signing
from django.db import connection

from accounts.permissions import Permission
from clinic_crm.workbench.timeline_kinds import Reader, united

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


@lru_cache(maxsize=256)
def _compiled(
    grants: frozenset[Permission], clinic_ids: tuple[int, ...], kinds: tuple[str, ...]
) -> tuple[str, tuple[Any, ...]]:
    sql, params = united(Reader(ANY_PATIENT, grants, clinic_ids), kinds).query.sql_with_params()
    return sql, tuple(params)


def _statement(reader: Reader, kinds: tuple[str, ...]) -> tuple[str, list[Any]]:
    """Return the united events as SQL with its parameters, the patient put in."""
    sql, params = _compiled(reader.grants, reader.clinic_ids, kinds)
    return sql, [reader.patient_id if value == ANY_PATIENT else value for value in params]


def read(reader: Reader, *, kind: str = "", cursor: str = "") -> Slice:
    """Return a page of events, of one kind or of all, older than the cursor; one statement."""
    if not reader.clinic_ids:
        return Slice([])
    sql, params = _statement(reader, reader.chosen(kind))
    place = _place(cursor, reader)
    older = "WHERE (ev_at, ev_kind, pk) < (%s, %s, %s)" if place else ""
    order = "ORDER BY ev_at DESC, ev_kind DESC, pk DESC LIMIT %s"
    with connection.cursor() as db:
        db.execute(
            f"SELECT ev_kind, pk, ev_at, ev_data FROM ({sql}) AS events {older} {order}",  # noqa: S608 - built above
            [*params, *(place or ()), PAGE + 1],
        )
        found = [Event(kind, pk, at, _told(data)) for kind, pk, at, data in db.fetchall()]
    more = _cursor(found[PAGE - 1], reader) if len(found) > PAGE else ""
    return Slice(found[:PAGE], more)


def counts(reader: Reader) -> dict[str, int]:
    """Return how many events of each kind there are; one statement."""
    if not reader.clinic_ids:
        return {}
    sql, params = _statement(reader, reader.kinds)
    with connection.cursor() as db:
        db.execute(f"SELECT ev_kind, COUNT(*) FROM ({sql}) AS events GROUP BY ev_kind", params)  # noqa: S608
        return dict(db.fetchall())


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
