"""The statement behind the undecided board: who is undecided in a clinic, counted and windowed at once.

Raw, because one pass over the clinic's undecided patients gives heads and windows together; the parts that
depend on the view are conditions with parameters, never text from outside.
"""

import json
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

from django.db import connection

from consultations.models import Visit
from consultations.services.undecided import UNDECIDED, cases_sql
from consultations.stages import OPEN
from followups.models import Appointment

WINDOW = 20  # cards of a column that are read at once
SILENT_DAYS = 14

APPOINTMENTS, VISITS = Appointment._meta.db_table, Visit._meta.db_table

# Smallest first, and how a cursor's text is read back; the registration's id decides between equals.
RANKS = {
    "contact": ("touch", "date"),
    "amount": ("-coalesce(amount, -1)", "numeric"),
    "newest": ("-extract(epoch FROM since)", "numeric"),
}

# Who is undecided, as consultations keeps it; and who is expected from today on, or here now.
BASE = """
WITH coming AS MATERIALIZED (
  SELECT patient_id FROM {appointments}
  WHERE clinic_id = %(clinic)s AND status = ANY(%(expected)s) AND starts_at >= %(today_start)s
  UNION
  SELECT patient_id FROM {visits} WHERE clinic_id = %(clinic)s AND stage = ANY(%(in_clinic)s)
), {cases}, sums AS MATERIALIZED ({sums_kept} UNION ALL {sums_fresh})
"""
BOTH = ("kept", "fresh")
SOURCE = """
  (SELECT *, patient_id NOT IN (SELECT patient_id FROM coming) AS no_next FROM {name} WHERE TRUE {only} {filters}) b
"""
SUMS = """
  SELECT klass, owner_id, count(*) AS n, sum(amount) AS amount, count(*) FILTER (WHERE no_next) AS no_next,
    count(*) FILTER (WHERE touch < %(silent)s) AS silent, count(*) {flagged} AS shown,
    sum(amount) {flagged} AS shown_amount
  FROM {source} GROUP BY klass, owner_id
"""
HEADS = """
SELECT
  (SELECT json_agg(h) FROM (
    SELECT klass, sum(n) AS n, sum(amount)::text AS amount, sum(no_next) AS no_next, sum(silent) AS silent,
      sum(shown) AS shown, sum(shown_amount)::text AS shown_amount
    FROM sums WHERE TRUE {scope} GROUP BY klass) h),
  (SELECT json_build_array(coalesce(sum(n) FILTER (WHERE owner_id = %(me)s), 0),
    coalesce(sum(n) FILTER (WHERE owner_id = ANY(%(team)s)), 0), coalesce(sum(n), 0)) FROM sums),
"""
CARDS = """
  (SELECT json_agg(w) FROM unnest(%(classes)s::text[]) c (code), LATERAL (
    SELECT reg, klass, owner, touch, since, amount::text AS amount, no_next, rank
    FROM ({cards_kept} UNION ALL {cards_fresh}) b ORDER BY {rank}, reg LIMIT %(limit)s) w)
"""
WINDOW_OF = """
  (SELECT registration_id AS reg, klass, owner_id AS owner, touch, since, amount, no_next, ({rank})::text AS rank
   FROM {source} WHERE klass = code {scope} {flags} {after} ORDER BY {rank}, registration_id LIMIT %(limit)s)
"""

FILTERS = {
    "owner": "AND owner_id = %(owner)s",
    "doctor": "AND doctor_id = %(doctor)s",
    "complaint": "AND complaint = %(complaint)s",
    "from_amount": "AND amount >= %(from_amount)s",
    "to_amount": "AND amount <= %(to_amount)s",
    "from_age": "AND since < %(from_age)s",
    "to_age": "AND since >= %(to_age)s",
    "patient": "AND patient_id = %(patient)s",
}
SCOPES = {"me": "AND owner_id = %(me)s", "team": "AND owner_id = ANY(%(team)s)", "all": ""}
FLAGS = {"no_next": "AND no_next", "silent": "AND touch < %(silent)s"}


@dataclass(frozen=True)
class Head:
    """What stands over a column. `amount`: yuan; `no_next`, `silent`: people, whatever flag is set."""

    klass: str
    n: int = 0
    amount: Decimal = Decimal(0)
    no_next: int = 0
    silent: int = 0
    shown: int = 0
    shown_amount: Decimal = Decimal(0)


@dataclass(frozen=True)
class Place:
    """One card's place: whose, and by what it is ordered. `amount` is None without a plan."""

    registration: int
    klass: str
    owner: int | None
    touch: date
    since: str
    amount: Decimal | None
    no_next: bool
    rank: str


@dataclass(frozen=True)
class Found:
    heads: dict[str, Head]
    scopes: tuple[int, int, int]  # mine, my team's, everybody's
    places: list[Place]


@dataclass(frozen=True)
class Asked:
    """What to read. `values` holds a parameter for each of FILTERS that is used; `after` is (rank, id)."""

    values: dict[str, Any]
    scope: str
    flag: str
    sort: str
    classes: list[str]
    after: tuple[str, int] | None = None
    limit: int = WINDOW + 1


def _statement(asked: Asked) -> str:
    """Return the statement; every part of it is one of the texts above."""
    rank, kind = RANKS[asked.sort]
    flags = FLAGS.get(asked.flag, "")
    parts = {
        "filters": " ".join(clause for name, clause in FILTERS.items() if name in asked.values),
        "scope": SCOPES[asked.scope],
        "flags": flags,
        "flagged": f"FILTER (WHERE {flags.removeprefix('AND ')})" if flags else "",
        "rank": rank,
        "only": "AND klass = ANY(%(classes)s)" if asked.after else "",  # more of one column reads that alone
        "after": f"AND ({rank}, registration_id) > (%(rank)s::{kind}, %(reg)s)" if asked.after else "",
    }
    for name in BOTH:
        source = SOURCE.format(name=name, **parts)
        parts |= {f"sums_{name}": SUMS.format(source=source, **parts)}
        parts |= {f"cards_{name}": WINDOW_OF.format(source=source, **parts)}
    return (BASE + HEADS + CARDS).format(appointments=APPOINTMENTS, visits=VISITS, cases=cases_sql(), **parts)


def read(asked: Asked) -> Found:
    """Return heads and windows; one statement, whatever the number of cards."""
    values = asked.values | {
        "undecided": list(UNDECIDED),
        "expected": [Appointment.Status.BOOKED.value, Appointment.Status.CONFIRMED.value],
        "in_clinic": sorted(OPEN),
        "classes": asked.classes,
        "limit": asked.limit,
        "rank": asked.after[0] if asked.after else None,
        "reg": asked.after[1] if asked.after else None,
    }
    with connection.cursor() as cursor:
        cursor.execute(_statement(asked), values)
        heads, scopes, places = (_parsed(cell) for cell in cursor.fetchone())
    return Found(
        {row["klass"]: _head(row) for row in heads or ()}, tuple(scopes), [_place(row) for row in places or ()]
    )


def _parsed(cell: Any) -> Any:
    return json.loads(cell) if isinstance(cell, str) else cell


def _head(row: dict[str, Any]) -> Head:
    return Head(**(row | {name: Decimal(row[name] or 0) for name in ("amount", "shown_amount")}))


def _place(row: dict[str, Any]) -> Place:
    amount = None if row["amount"] is None else Decimal(row["amount"])
    touch = date.fromisoformat(row["touch"])
    return Place(row["reg"], row["klass"], row["owner"], touch, row["since"], amount, row["no_next"], row["rank"])
