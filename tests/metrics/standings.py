"""What the kept standings must be, told from the append-only facts; and KPI 2 counted both ways."""

from collections.abc import Iterable
from datetime import UTC, date, datetime
from typing import Any

from django.db import connection

from accounts.models import Clinic
from accounts.windows import Window
from consultations.models import Refund, Visit
from metrics.counting import params, statement
from metrics.models import Standing
from metrics.scope import Scope
from metrics.sql.classes import CLASSES
from metrics.sql.ground import Ground
from patients.models import ClassChange

EVER = datetime(9999, 1, 1, tzinfo=UTC)
PAYING = ("accepted", "deposit")
WINDOWS = (
    Window(date(2026, 2, 26), date(2026, 3, 9)),
    Window(date(2026, 3, 9), date(2026, 4, 13)),
    Window(date(2026, 4, 13), date(2026, 5, 20)),
)


def told() -> list[tuple[Any, ...]]:
    """Return the rows as they must be, told change by change."""
    rows = []
    for change in ClassChange.objects.all():
        theirs = list(ClassChange.objects.filter(patient=change.patient_id))
        here = sorted((c.at, c.pk) for c in theirs if c.clinic_id == change.clinic_id)
        place = here.index((change.at, change.pk))
        after = here[place + 1 :]
        elsewhere = len(theirs) > len(here)
        paid = sorted(
            Visit.objects.filter(
                patient=change.patient_id, is_error=False, decision__in=PAYING, decided_at__gte=change.at
            ),
            key=lambda visit: visit.decided_at,
        )
        stands = [visit.decided_at for visit in paid if not paid_back(visit)]
        until = after[0][0] if after else EVER if elsewhere or not stands else stands[0]
        rows.append(
            (
                change.pk, change.clinic_id, change.patient_id, change.new_class, change.is_correction, change.by_id,
                change.at, until, place == 0, not after, elsewhere, paid[0].decided_at if paid else None,
            )
        )  # fmt: skip
    return sorted(rows)


def paid_back(visit: Visit) -> bool:
    found = Refund.objects.standing().filter(consultation=visit.consultation_id, is_full=True)
    return bool(found.filter(at__gte=visit.decided_at).exists())


def kept() -> list[tuple[Any, ...]]:
    return sorted(
        Standing.objects.values_list(
            "change_id", "clinic", "patient_id", "new_class", "is_correction", "by_id", "since", "until", "is_first",
            "is_last", "elsewhere", "accepted_at",
        )
    )  # fmt: skip


def both_ways(clinics: Iterable[Clinic]) -> list[Any]:
    """Count KPI 2 from the facts and from the standings; returns where they differ."""
    every = tuple(clinics)
    scopes = [Scope(every), *(Scope((clinic,)) for clinic in every)]
    return [
        (scope.clinic_ids, window, *found)
        for scope in scopes
        for window in (*WINDOWS, None)
        if (found := [summed(scope, window, listed=listed) for listed in (False, True)])[0] != found[1]
    ]


def summed(scope: Scope, window: Window | None, *, listed: bool) -> list[Any]:
    windows = WINDOWS if window is None else (window,)
    ground = Ground(scope, windows, "coordinator", listed=listed)
    with connection.cursor() as cursor:
        cursor.execute(statement(CLASSES, ground), params(ground))
        return sorted((row for row in cursor.fetchall() if any(row[3:])), key=str)
