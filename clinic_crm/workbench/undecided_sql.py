"""The statement behind the undecided board: who is undecided in a clinic, counted and windowed at once.

Raw, because one pass over the clinic's classified patients gives heads and windows together; the parts that
depend on the view are conditions with parameters, never text from outside.
"""

import json
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

from django.db import connection

from consultations.models import Consultation, Plan, PlanItem, PlanOption, Visit
from consultations.stages import OPEN
from followups.models import Appointment
from patients.models import Patient, Registration

UNDECIDED = (Consultation.Status.OPEN.value, Consultation.Status.REFUSED.value)
WINDOW = 20  # cards of a column that are read at once
SILENT_DAYS = 14

TABLES = {
    "patient": Patient._meta.db_table,
    "registration": Registration._meta.db_table,
    "consultation": Consultation._meta.db_table,
    "visit": Visit._meta.db_table,
    "plan": Plan._meta.db_table,
    "option": PlanOption._meta.db_table,
    "item": PlanItem._meta.db_table,
    "appointment": Appointment._meta.db_table,
}

# Smallest first; the registration's id decides between equals.
RANKS = {
    "contact": "touch - DATE '2000-01-01'",
    "amount": "-coalesce(amount, -1)",
    "newest": "-extract(epoch FROM since)",
}

BASE = """
WITH cases AS (
  SELECT r.id AS reg, p.id AS patient, p.class_code AS klass, r.owner_id AS owner,
    coalesce(greatest(r.last_contact_on, r.last_visit_on), (p.class_set_at AT TIME ZONE %(zone)s)::date,
             (r.created_at AT TIME ZONE %(zone)s)::date) AS touch,
    coalesce(c.opened_at, p.class_set_at, r.created_at) AS since,
    coalesce(v.amount, (
      SELECT sum(i.unit_price * i.quantity) - o.discount
      FROM {plan} pl JOIN {option} o ON o.plan_id = pl.id JOIN {item} i ON i.option_id = o.id
      WHERE pl.visit_id = ANY(v.ids) AND pl.finished_at IS NOT NULL AND NOT pl.no_treatment
      GROUP BY o.id, pl.made_at ORDER BY pl.made_at DESC, o.is_chosen DESC, o.is_suggested DESC, o.position LIMIT 1
    )) AS amount,
    v.doctor AS doctor, r.doctor_id AS own_doctor, c.complaint AS complaint,
    NOT EXISTS (SELECT 1 FROM coming WHERE coming.patient_id = p.id) AS no_next
  FROM {patient} p
  JOIN {registration} r ON r.patient_id = p.id AND r.clinic_id = %(clinic)s
  LEFT JOIN LATERAL (
    SELECT c.id, c.status, c.opened_at, c.complaint FROM {consultation} c
    WHERE c.patient_id = p.id AND c.clinic_id = %(clinic)s ORDER BY c.opened_at DESC, c.id DESC LIMIT 1
  ) c ON TRUE
  LEFT JOIN LATERAL (
    SELECT array_agg(v.id) AS ids,
      (array_agg(v.doctor_id ORDER BY v.arrived_at DESC) FILTER (WHERE v.doctor_id IS NOT NULL))[1] AS doctor,
      (array_agg(v.decision_amount ORDER BY v.arrived_at DESC) FILTER (WHERE v.decision_amount IS NOT NULL))[1]
        AS amount
    FROM {visit} v WHERE v.patient_id = p.id AND v.consultation_id = c.id AND NOT v.is_error
  ) v ON c.id IS NOT NULL
  WHERE p.class_code <> '' AND p.merged_into_id IS NULL AND p.restricted_at IS NULL
    AND (c.id IS NULL OR c.status = ANY(%(undecided)s)) {only}
), base AS MATERIALIZED (SELECT * FROM cases WHERE TRUE {filters})
"""
COMING = """
WITH coming AS MATERIALIZED (
  SELECT patient_id FROM {appointment}
  WHERE clinic_id = %(clinic)s AND status = ANY(%(expected)s) AND starts_at >= %(today_start)s
  UNION
  SELECT patient_id FROM {visit} WHERE clinic_id = %(clinic)s AND stage = ANY(%(in_clinic)s)
),
"""
HEADS = """
SELECT
  (SELECT json_agg(h) FROM (
    SELECT klass, count(*) AS n, sum(amount)::text AS amount, count(*) FILTER (WHERE no_next) AS no_next,
      count(*) FILTER (WHERE touch < %(silent)s) AS silent,
      count(*) FILTER (WHERE TRUE {flags}) AS shown, (sum(amount) FILTER (WHERE TRUE {flags}))::text AS shown_amount
    FROM base WHERE TRUE {scope} GROUP BY klass) h),
  (SELECT json_build_array(count(*) FILTER (WHERE owner = %(me)s), count(*) FILTER (WHERE owner = ANY(%(team)s)),
    count(*)) FROM base),
"""
CARDS = """
  (SELECT json_agg(w) FROM (
    SELECT w.* FROM unnest(%(classes)s::text[]) k, LATERAL (
      SELECT reg, klass, owner, touch, since, amount::text AS amount, no_next, ({rank})::text AS rank
      FROM base WHERE klass = k {scope} {flags} {after} ORDER BY {rank}, reg LIMIT %(limit)s) w) w)
"""

FILTERS = {
    "owner": "AND owner = %(owner)s",
    "doctor": "AND coalesce(doctor, own_doctor) = %(doctor)s",
    "complaint": "AND complaint = %(complaint)s",
    "from_amount": "AND amount >= %(from_amount)s",
    "to_amount": "AND amount <= %(to_amount)s",
    "from_age": "AND since < %(from_age)s",
    "to_age": "AND since >= %(to_age)s",
    "patient": "AND patient = %(patient)s",
}
SCOPES = {"me": "AND owner = %(me)s", "team": "AND owner = ANY(%(team)s)", "all": ""}
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


def read(asked: Asked) -> Found:
    """Return heads and windows; one statement, whatever the number of cards."""
    filters = " ".join(clause for name, clause in FILTERS.items() if name in asked.values)
    parts = TABLES | {
        "filters": filters,
        "scope": SCOPES[asked.scope],
        "flags": FLAGS.get(asked.flag, ""),
        "rank": RANKS[asked.sort],
        "only": "AND p.class_code = ANY(%(classes)s)" if asked.after else "",  # more of one column reads that alone
        "after": f"AND ({RANKS[asked.sort]}, reg) > (%(rank)s::numeric, %(reg)s)" if asked.after else "",
    }
    sql = (COMING + BASE.replace("WITH", "", 1) + HEADS + CARDS).format(**parts)
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
        cursor.execute(sql, values)
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
