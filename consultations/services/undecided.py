"""The rows of the undecided board: what makes a patient undecided, and keeping the rows of it.

The board counts every undecided patient of a clinic, which is too many to derive whenever somebody looks. So the rows
are kept in UndecidedCase; triggers mark a patient in the transaction that changes anything of the case, and `fold`
derives the marked ones anew soon after. A reader takes the kept rows of everybody without a mark and derives the few
others by the same words (`LIVE`), so what it shows is always the state of the moment, folded or not.
"""

from typing import Any

from django.db import connection, transaction

from consultations.models import Consultation, Plan, PlanItem, PlanOption, UndecidedCase, UndecidedMark, Visit
from patients.models import Patient, Registration

UNDECIDED = (Consultation.Status.OPEN.value, Consultation.Status.REFUSED.value)
AT_ONCE = 5_000  # marks folded in one transaction

COLUMNS: tuple[str, ...] = (
    "registration_id",
    "clinic_id",
    "patient_id",
    "klass",
    "owner_id",
    "doctor_id",
    "complaint",
    "since",
    "touch",
    "amount",
)
TABLES = {
    "case": UndecidedCase._meta.db_table,
    "mark": UndecidedMark._meta.db_table,
    "patient": Patient._meta.db_table,
    "registration": Registration._meta.db_table,
    "clinic": Registration._meta.get_field("clinic").related_model._meta.db_table,
    "consultation": Consultation._meta.db_table,
    "visit": Visit._meta.db_table,
    "plan": Plan._meta.db_table,
    "option": PlanOption._meta.db_table,
    "item": PlanItem._meta.db_table,
}
# Who is undecided where, one row for each registration, in the order of COLUMNS. {of}: whose, as joins and
# conditions on the registration r.
LIVE = """
  SELECT r.id AS registration_id, r.clinic_id, p.id AS patient_id, p.class_code AS klass, r.owner_id,
    coalesce(v.doctor, r.doctor_id) AS doctor_id, coalesce(c.complaint, '') AS complaint,
    coalesce(c.opened_at, p.class_set_at, r.created_at) AS since,
    coalesce(greatest(r.last_contact_on, r.last_visit_on), (p.class_set_at AT TIME ZONE z.zone)::date,
             (r.created_at AT TIME ZONE z.zone)::date) AS touch,
    coalesce(v.amount, (
      SELECT sum(i.unit_price * i.quantity) - o.discount
      FROM {plan} pl JOIN {option} o ON o.plan_id = pl.id JOIN {item} i ON i.option_id = o.id
      WHERE pl.visit_id = ANY(v.ids) AND pl.finished_at IS NOT NULL AND NOT pl.no_treatment
      GROUP BY o.id, pl.made_at
      ORDER BY pl.made_at DESC, o.is_chosen DESC, o.is_suggested DESC, o.position, o.id LIMIT 1
    )) AS amount
  FROM {registration} r
  JOIN {patient} p ON p.id = r.patient_id
  JOIN {clinic} z ON z.id = r.clinic_id
  LEFT JOIN LATERAL (
    SELECT c.id, c.status, c.opened_at, c.complaint FROM {consultation} c
    WHERE c.patient_id = p.id AND c.clinic_id = r.clinic_id AND NOT (  -- a case of mistakes alone is none
      EXISTS (SELECT 1 FROM {visit} e WHERE e.patient_id = p.id AND e.consultation_id = c.id AND e.is_error)
      AND NOT EXISTS (SELECT 1 FROM {visit} s WHERE s.patient_id = p.id AND s.consultation_id = c.id AND NOT s.is_error)
    ) ORDER BY c.opened_at DESC, c.id DESC LIMIT 1
  ) c ON TRUE
  LEFT JOIN LATERAL (
    SELECT array_agg(v.id) AS ids,
      (array_agg(v.doctor_id ORDER BY v.arrived_at DESC, v.id DESC) FILTER (WHERE v.doctor_id IS NOT NULL))[1]
        AS doctor,
      (array_agg(v.decision_amount ORDER BY v.arrived_at DESC, v.id DESC)
        FILTER (WHERE v.decision_amount IS NOT NULL))[1] AS amount
    FROM {visit} v WHERE v.patient_id = p.id AND v.consultation_id = c.id AND NOT v.is_error
  ) v ON c.id IS NOT NULL
  WHERE {of} AND p.class_code <> '' AND p.merged_into_id IS NULL AND p.restricted_at IS NULL
    AND (c.id IS NULL OR c.status = ANY(%(undecided)s))
"""
# One clinic's rows as of this moment: `kept`, and for marked patients (few, until they are folded) `fresh`. Two tables
# and not one, since PostgreSQL looks into the first by its indexes only while nothing is appended to it.
CASES = """
told AS MATERIALIZED (SELECT DISTINCT patient_id FROM {mark}),
kept AS NOT MATERIALIZED (
  SELECT {columns} FROM {case} WHERE clinic_id = %(clinic)s AND patient_id NOT IN (SELECT patient_id FROM told)
),
fresh AS MATERIALIZED ({fresh})
"""
RENEW = """
WITH fresh AS MATERIALIZED ({fresh}),
gone AS (
  DELETE FROM {case} k WHERE {whose} AND NOT EXISTS (SELECT 1 FROM fresh f WHERE f.registration_id = k.registration_id)
  RETURNING 1
), kept AS (
  INSERT INTO {case} AS k ({columns}) SELECT {columns} FROM fresh ORDER BY clinic_id, klass, registration_id
  ON CONFLICT (registration_id) DO UPDATE SET ({columns}) = ({excluded})
  WHERE ({mine}) IS DISTINCT FROM ({excluded})
  RETURNING 1
)
SELECT (SELECT count(*) FROM gone) + (SELECT count(*) FROM kept)
"""
NAMES = ", ".join(COLUMNS)


def cases_sql() -> str:
    """Return the common table expressions `kept` and `fresh`: together one clinic's undecided as of this moment.

    Parameters: %(clinic)s, the clinic's id, and %(undecided)s, UNDECIDED as a list.
    """
    of = "r.clinic_id = %(clinic)s AND r.patient_id IN (SELECT patient_id FROM told)"
    return CASES.format(columns=NAMES, fresh=LIVE.format(of=of, **TABLES), **TABLES)


def _renew(of: str, whose: str, values: dict[str, Any]) -> int:
    """Make the rows of some patients what they are derived to be; returns how many were not."""
    sql = RENEW.format(
        fresh=LIVE.format(of=of, **TABLES),
        whose=whose,
        columns=NAMES,
        mine=", ".join(f"k.{name}" for name in COLUMNS),
        excluded=", ".join(f"excluded.{name}" for name in COLUMNS),
        **TABLES,
    )
    with connection.cursor() as cursor:
        cursor.execute(sql, values | {"undecided": list(UNDECIDED)})
        return int(cursor.fetchone()[0])


def _alone(*, wait: bool) -> bool:
    """Keep others from folding until the transaction ends; False when somebody does and we do not wait.

    Of two who fold the same patient at once, the one that read first could be the one that writes last.
    """
    call = "pg_advisory_xact_lock" if wait else "pg_try_advisory_xact_lock"
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT {call}(hashtext(%s))", [UndecidedCase._meta.label])
        return cursor.fetchone()[0] is not False


@transaction.atomic
def _fold_some() -> int:
    """Fold the oldest marks; returns how many marks went.

    The marks go by a statement before the one that derives: what the second reads holds at least what the first saw.
    A change that commits in between leaves its own mark.
    """
    if not _alone(wait=False):
        return 0
    sql = "DELETE FROM {mark} WHERE id IN (SELECT id FROM {mark} ORDER BY id LIMIT %s) RETURNING patient_id"
    with connection.cursor() as cursor:
        cursor.execute(sql.format(**TABLES), [AT_ONCE])
        marked = [patient for (patient,) in cursor.fetchall()]
    if marked:
        people = {"people": sorted(set(marked))}
        _renew("r.patient_id = ANY(%(people)s)", "k.patient_id = ANY(%(people)s)", people)
    return len(marked)


def fold() -> int:
    """Derive every marked patient's rows anew; returns how many marks were taken away.

    Any number of workers may call it at once: one folds, the others find nothing to do.
    """
    done = 0
    while some := _fold_some():
        done += some
        if some < AT_ONCE:
            break
    return done


@transaction.atomic
def rebuild() -> int:
    """Derive all rows anew, after rows were written past the triggers; returns how many were not as they should be."""
    _alone(wait=True)
    UndecidedMark.objects.all().delete()
    return _renew("TRUE", "TRUE", {})
