"""The ten key figures of a clinic's month, a clinic's year and the group's year by coordinator, each against SQL
written by hand that counts the same in the same run: milliseconds, statements, rows read, memory."""

import json
import statistics
import time
import tracemalloc
from collections.abc import Callable
from datetime import date
from typing import Any

from django.db import connection

from accounts.models import Clinic
from accounts.windows import Window, plus_months
from bench.kpi_data import grow_to
from bench.kpi_sql import GIVES, HAND
from metrics.counting import SOURCES, figures, params, statement
from metrics.scope import Breakdown, Scope
from metrics.sql.ground import Ground

MONTH, YEAR = Window(date(2026, 10, 1), date(2026, 11, 1), "month"), Window(date(2025, 11, 1), date(2026, 11, 1))
TIMES = 5


def report(scales: list[int]) -> None:
    """Print everything for each number of visits. Raises AssertionError where both count differently."""
    for scale in scales:
        grow_to(scale)
        clinics = tuple(Clinic.objects.filter(code__startswith="BK").order_by("code"))
        cases: list[tuple[str, Scope, Window, Breakdown | None]] = [
            ("clinic, month", Scope(clinics[:1]), MONTH, None),
            ("clinic, year", Scope(clinics[:1]), YEAR, None),
            ("group, year, by coordinator", Scope(clinics), YEAR, "coordinator"),
        ]
        print(f"{scale:,} visits{'ms':>30}{'by hand':>9}{'ratio':>7}{'statements':>12}{'rows read':>12}{'peak MB':>9}")
        for name, scope, window, by in cases:
            _compare(scope, window, by)
            ours = _middle(lambda s=scope, w=window, b=by: figures(s, w, by=b))  # type: ignore[misc]
            hand = _middle(lambda s=scope, w=window, b=by: _by_hand(s, w, b))  # type: ignore[misc]
            rows = _rows_read(scope, window, by)
            told = f"{ours:>12.1f}{hand:>9.1f}{ours / hand:>7.2f}{len(SOURCES) + 1:>12}{rows:>12,}"
            print(f"{name:>30}{told}{_peak(scope, window, by):>9.2f}", flush=True)


def _middle(act: Callable[[], Any]) -> float:
    act()
    spent = []
    for _n in range(TIMES):
        start = time.perf_counter()
        act()
        spent.append((time.perf_counter() - start) * 1000)
    return statistics.median(spent)


def _by_hand(scope: Scope, window: Window, by: Breakdown | None) -> dict[int | None, dict[tuple[str, str], Any]]:
    midnights = [[clinic.day_bounds(day)[0] for clinic in scope.clinics] for day in (window.start, window.end)]
    year = plus_months(window.end, -12)
    values: dict[str, Any] = {
        "clinics": list(scope.clinic_ids), "start": window.start, "end": window.end, "year": year,
        "low": min(midnights[0]), "high": max(midnights[1]),
        "long": min(clinic.day_bounds(year)[0] for clinic in scope.clinics),
    }  # fmt: skip
    found: dict[int | None, dict[tuple[str, str], Any]] = {}
    with connection.cursor() as cursor:
        for name, sql in HAND.items():
            whole = sql if by else sql.replace("GROUPING SETS ((), (v.coordinator_id))", "GROUPING SETS (())")
            if not by:
                whole = whole.replace("GROUPING(v.coordinator_id) = 1", "TRUE").replace(
                    "GROUPING SETS ((v.patient_id), (v.patient_id, v.coordinator_id))", "v.patient_id"
                )
                whole = whole.replace("TRUE, v.coordinator_id,", "TRUE, NULL::bigint,").replace(
                    "v.coordinator_id AS tc, TRUE", "NULL::bigint AS tc, TRUE"
                )
            cursor.execute(whole, values)
            for is_whole, tc, *numbers in cursor.fetchall():
                row = found.setdefault(None if is_whole else tc, {})
                row |= {key: number or 0 for key, number in zip(GIVES[name], numbers, strict=True)}
    return found


def _compare(scope: Scope, window: Window, by: Breakdown | None) -> None:
    """Both must count the same, for the whole and for each coordinator."""
    hand = _by_hand(scope, window, by)
    for key, row in figures(scope, window, by=by).items():
        every = {one.of.slug: one for figure in row for one in (figure, *figure.companions.values())}
        for (slug, side), number in hand[key].items():  # type: ignore[index]
            ours = every[slug].numerator if side == "n" else every[slug].denominator
            assert ours == number, (key, slug, side, ours, number)


def _rows_read(scope: Scope, window: Window, by: Breakdown | None) -> int:
    """Rows that the scans of all statements gave, as EXPLAIN ANALYZE counts them."""
    ground, total = Ground(scope, (window,), by), 0
    with connection.cursor() as cursor:
        for source in SOURCES:
            cursor.execute(f"EXPLAIN (ANALYZE, FORMAT JSON) {statement(source, ground)}", params(ground))
            answer = cursor.fetchone()[0]
            plan = json.loads(answer) if isinstance(answer, str) else answer
            total += _scanned(plan[0]["Plan"])
    return total


def _scanned(node: dict[str, Any]) -> int:
    own = 0
    if "Relation Name" in node:
        filtered = node.get("Rows Removed by Filter", 0)
        own = round((node["Actual Rows"] + filtered) * node["Actual Loops"])
    return own + sum(_scanned(child) for child in node.get("Plans", []))


def _peak(scope: Scope, window: Window, by: Breakdown | None) -> float:
    tracemalloc.start()
    figures(scope, window, by=by)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    return peak / 1_048_576


def main() -> None:
    """Run this part alone: BENCH_VISITS=10000,100000 python -m bench.kpis."""
    import os

    report([int(n) for n in os.environ.get("BENCH_VISITS", "10000,100000,1000000").split(",")])
