"""How many of those who came into C-E became C-A within 30, 60 and 90 days (beside KPI 2)."""

from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from django.db import connection
from django.db.models import QuerySet
from django.utils import timezone
from django.utils.translation import gettext as _

from accounts.windows import Window
from metrics.scope import Scope
from metrics.sql.classes import came_once, doctor_of
from metrics.sql.ground import Ground
from metrics.sql.visits import PAYING, refunds
from patients.models import Patient

SPANS = (30, 60, 90)
MET = {"reached": "top_at", "accepted": "won_at", "all": ""}  # what has to lie within the days


def _cohort(scope: Scope, window: Window) -> tuple[str, dict[str, Any]]:
    """Return the statement's head: who came into C-E in the twelve months up to the window's end, of the scope as KPI 2
    credits it, with when they reached C-A and accepted (None: not yet)."""
    ground = Ground(scope.at(None), (window,))
    head = f"""
    WITH entered AS (
        SELECT DISTINCT ON (c.patient_id) c.id, c.patient_id, c.holder_id, c.clinic_id, c.by_id, c.at,
            LEAST(y.end_at, %(now)s) AS end_at
        FROM {ground.bounds("y")} JOIN {ground.change} c ON {ground.within("c.at", "y")}
        WHERE c.new_class = 'C-E' AND c.old_class <> 'C-E' AND NOT c.is_correction
        ORDER BY c.patient_id, c.at, c.id
    ), spans AS (
        SELECT m.patient_id, m.at, m.end_at,
            (SELECT min(u.at) FROM {ground.change} u WHERE {ground.same_person("u", "m")} AND u.new_class = 'C-A'
                AND NOT u.is_correction AND u.at >= m.at) AS top_at,
            (SELECT min(v.decided_at) FROM {ground.visit} v
             CROSS JOIN LATERAL ({refunds(ground, "v.consultation_id", "v.decided_at")}) r
             WHERE {ground.same_person("v", "m")} AND v.decision IN {PAYING} AND v.decided_at >= m.at
                AND NOT r.in_full) AS won_at
        FROM entered m
        WHERE {ground.credited("m.by_id", doctor_of("m.id"), "m.clinic_id")}
            AND {ground.of_channel("m.holder_id", "m.clinic_id")}
            AND {ground.of_complaint("m.holder_id", "m.clinic_id")}
            AND {ground.of_first("m.holder_id", "m.clinic_id", came_once(ground))}
    )"""  # noqa: S608
    return head, ground.params | {"now": timezone.now()}


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
    """Return the patients of "30:reached", "30:accepted" or "30:all"."""
    days, _colon, kind = part.partition(":")
    if days not in {str(d) for d in SPANS} or kind not in MET:
        return None
    cohort, values = _cohort(scope, window)
    met = f"{MET[kind]} < at + interval '{days} days' AND " if MET[kind] else ""
    with connection.cursor() as cursor:
        cursor.execute(f"{cohort} SELECT patient_id FROM spans WHERE {met}{_due(int(days))}", values)  # noqa: S608
        ids = [row[0] for row in cursor.fetchall()]
    return Patient.objects.filter(pk__in=ids)


def words(part: str) -> str:
    """Return what the patients of a part are called."""
    days, _colon, kind = part.partition(":")
    said = {
        "reached": _("reached C-A within %(days)s days"),
        "accepted": _("accepted within %(days)s days"),
        "all": _("came into C-E %(days)s days ago or more"),
    }
    return said[kind] % {"days": days}
