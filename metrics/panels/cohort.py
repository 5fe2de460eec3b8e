"""How many of those who came into C-E became C-A within 30, 60 and 90 days (beside KPI 2)."""

from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from typing import Any

from django.db import connection
from django.db.models import QuerySet
from django.utils import timezone
from django.utils.translation import gettext as _

from accounts.windows import Window
from metrics.panels.scoping import bounds
from metrics.scope import Scope
from patients.models import Patient

SPANS = (30, 60, 90)
LOOKS_BACK = timedelta(days=365)  # of who came into C-E

# Those who came into C-E in the twelve months up to the window's end, with how long until C-A (None: not yet).
COHORT = """
    WITH entered AS (
        SELECT COALESCE(p.merged_into_id, p.id) AS patient_id, min(h.at) AS at, max(w.end_at) AS end_at
        FROM (VALUES {windows}) AS w(clinic_id, start_at, end_at)
        JOIN patients_classchange h ON h.clinic_id = w.clinic_id AND h.at >= w.start_at AND h.at < w.end_at
        JOIN patients_patient p ON p.id = h.patient_id
        WHERE h.new_class = 'C-E' AND h.old_class <> 'C-E' AND NOT h.is_correction
        GROUP BY 1
    ), spans AS (
        SELECT s.patient_id, s.at, s.end_at,
            (SELECT min(u.at) FROM patients_classchange u JOIN patients_patient q ON q.id = u.patient_id
             WHERE COALESCE(q.merged_into_id, q.id) = s.patient_id AND u.new_class = 'C-A' AND NOT u.is_correction
                AND u.at >= s.at) AS top_at,
            (SELECT min(v.decided_at) FROM consultations_visit v
             WHERE v.patient_id = s.patient_id AND NOT v.is_error AND v.decision IN ('accepted', 'deposit')
                AND v.decided_at >= s.at) AS won_at
        FROM entered s WHERE {people}
    )
"""


def people_of(scope: Scope) -> tuple[str, list[Any]]:
    """Return the condition on whose patients they are: those registered with the scope's people."""
    if scope.coordinators is None and scope.teams is None and scope.channels is None:
        return "TRUE", []
    said = ["r.patient_id = s.patient_id", "r.clinic_id = ANY(%s)"]
    values: list[Any] = [list(scope.clinic_ids)]
    if scope.coordinators is not None:
        said.append("r.owner_id = ANY(%s)")
        values.append(list(scope.coordinators))
    if scope.teams is not None:
        said.append(
            "EXISTS (SELECT 1 FROM accounts_membership m WHERE m.user_id = r.owner_id"
            " AND m.clinic_id = r.clinic_id AND m.team_id = ANY(%s))"
        )
        values.append(list(scope.teams))
    if scope.channels is not None:
        said.append("r.channel = ANY(%s)")
        values.append(list(scope.channels))
    return f"EXISTS (SELECT 1 FROM patients_registration r WHERE {' AND '.join(said)})", values  # noqa: S608


@dataclass(frozen=True)
class Span:
    """Of the patients whose days are over: how many reached C-A in them, and how many accepted."""

    days: int
    reached: int
    accepted: int
    n: int

    @property
    def share(self) -> Decimal | None:
        return Decimal(self.reached * 100) / self.n if self.n else None


def _cohort(scope: Scope, window: Window) -> tuple[str, list[Any]]:
    said, values = [], []
    for clinics, _start, end in bounds(scope, window):
        for clinic in clinics:
            said.append("(%s::bigint, %s::timestamptz, %s::timestamptz)")
            values += [clinic, end - LOOKS_BACK, min(end, timezone.now())]
    people, more = people_of(scope)
    return COHORT.format(windows=", ".join(said), people=people), values + more


def count(scope: Scope, window: Window) -> list[Span]:
    """Count the cohort at 30, 60 and 90 days (one statement)."""
    cohort, values = _cohort(scope, window)
    columns = ", ".join(
        f"count(*) FILTER (WHERE top_at < at + interval '{d} days' AND {_due(d)}), "
        f"count(*) FILTER (WHERE won_at < at + interval '{d} days' AND {_due(d)}), count(*) FILTER (WHERE {_due(d)})"
        for d in SPANS
    )
    with connection.cursor() as cursor:
        cursor.execute(f"{cohort} SELECT {columns} FROM spans", values)  # noqa: S608
        row = cursor.fetchone()
    return [Span(days, *row[3 * place : 3 * place + 3]) for place, days in enumerate(SPANS)]


def _due(days: int) -> str:
    return f"at + interval '{days} days' <= end_at"


def records(scope: Scope, window: Window, part: str) -> QuerySet[Any] | None:
    """Return the patients of "30:reached" or "30:all"."""
    days, _colon, kind = part.partition(":")
    if days not in {str(d) for d in SPANS} or kind not in ("reached", "all"):
        return None
    cohort, values = _cohort(scope, window)
    met = f"top_at < at + interval '{days} days' AND " if kind == "reached" else ""
    with connection.cursor() as cursor:
        cursor.execute(f"{cohort} SELECT patient_id FROM spans WHERE {met}{_due(int(days))}", values)  # noqa: S608
        ids = [row[0] for row in cursor.fetchall()]
    return Patient.objects.filter(pk__in=ids)


def words(part: str) -> str:
    """Return what the patients of a part are called."""
    days, _colon, kind = part.partition(":")
    said = _("reached C-A within %(days)s days") if kind == "reached" else _("came into C-E %(days)s days ago or more")
    return said % {"days": days}
