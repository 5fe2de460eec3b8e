"""What moved patients up, by what was done for them: a comparison, not a cause."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db import connection
from django.http import HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_GET

from accounts.access import StaffRequest, requires
from accounts.models import Clinic
from accounts.permissions import Permission
from patients.classification import PatientClass
from patients.models import CareAction, ClassChange, Patient, Registration

WITHIN = timedelta(days=90)
LOOKED_AT = timedelta(days=365)
FEW = 20

# One statement. A patient counts for an action from its first record in the window; those without it, from when
# they first stood in a class in the window. "Moved up" is a later change, no correction, to a higher class.
SQL = """
WITH people AS (
  SELECT p.id FROM {patient} p JOIN {registration} r ON r.patient_id = p.id AND r.clinic_id = %(clinic)s
  WHERE p.merged_into_id IS NULL
), changes AS MATERIALIZED (
  SELECT c.patient_id, c.at, c.is_correction, array_position(%(order)s::text[], c.new_class::text) AS place,
    array_position(%(order)s::text[], c.old_class::text) AS before
  FROM {change} c WHERE c.clinic_id = %(clinic)s AND c.at >= %(start)s AND c.new_class <> ''
), ups AS MATERIALIZED (
  SELECT patient_id, at FROM changes WHERE NOT is_correction AND before IS NOT NULL AND place > before
), classed AS MATERIALIZED (
  SELECT patient_id, min(at) AS since FROM changes WHERE patient_id IN (SELECT id FROM people) GROUP BY patient_id
), done AS MATERIALIZED (
  SELECT a.kind, a.patient_id, min(a.at) AS since FROM {care} a
  WHERE a.clinic_id = %(clinic)s AND a.at >= %(start)s AND a.at < %(full)s AND a.undoes_id IS NULL
    AND NOT EXISTS (SELECT 1 FROM {care} u WHERE u.undoes_id = a.id)
    AND a.patient_id IN (SELECT patient_id FROM classed)
  GROUP BY a.kind, a.patient_id
), kinds AS (SELECT DISTINCT kind FROM done)
SELECT kind, with_it, count(*) AS n, count(*) FILTER (WHERE EXISTS (
    SELECT 1 FROM ups WHERE ups.patient_id = t.patient_id AND ups.at > t.since AND ups.at <= t.since + %(within)s
  )) AS up
FROM (
  SELECT kind, TRUE AS with_it, patient_id, since FROM done
  UNION ALL
  SELECT k.kind, FALSE, c.patient_id, c.since FROM kinds k CROSS JOIN classed c
  WHERE c.since < %(full)s AND NOT EXISTS (
    SELECT 1 FROM {care} a WHERE a.kind = k.kind AND a.patient_id = c.patient_id AND a.clinic_id = %(clinic)s)
) t GROUP BY kind, with_it
"""


@dataclass(frozen=True)
class Group:
    """`n` people, `up` of them moved up within 90 days; the share is None without anybody."""

    n: int = 0
    up: int = 0

    @property
    def percent(self) -> int | None:
        return round(100 * self.up / self.n) if self.n else None

    @property
    def is_few(self) -> bool:
        return self.n < FEW


@dataclass(frozen=True)
class Compared:
    kind: str
    label: str
    done: Group
    others: Group


def compared(clinic: Clinic, now: datetime) -> list[Compared]:
    """Return each kind of care of the last year, its patients beside the others (one statement).

    Only who could be followed for the full 90 days counts.
    """
    values: dict[str, Any] = {
        "clinic": clinic.pk,
        "order": list(PatientClass.values),
        "start": now - LOOKED_AT - WITHIN,
        "full": now - WITHIN,
        "within": WITHIN,
    }
    models = {"patient": Patient, "registration": Registration, "change": ClassChange, "care": CareAction}
    with connection.cursor() as cursor:
        cursor.execute(SQL.format(**{name: model._meta.db_table for name, model in models.items()}), values)
        rows = {(kind, with_it): Group(n, up) for kind, with_it, n, up in cursor.fetchall()}
    kinds = [(value, str(label)) for value, label in CareAction.Kind.choices if (value, True) in rows]
    return [Compared(k, label, rows[k, True], rows.get((k, False), Group())) for k, label in kinds]


@requires(Permission.AUDIT_CLASSES)
@require_GET
def page(request: StaffRequest, clinic: Clinic) -> HttpResponse:
    """Per action: who had it and moved up within 90 days, beside those who did not have it."""
    now = timezone.now()
    context = {"rows": compared(clinic, now), "now": now, "from": now - LOOKED_AT - WITHIN, "until": now - WITHIN}
    return render(request, "workbench/undecided_moved_up.html", context)
