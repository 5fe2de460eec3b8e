"""The ten key figures, counted in SQL (DOMAIN §6): one statement per fact table, however many windows and groups."""

from collections.abc import Callable, Iterable, Sequence
from datetime import date
from decimal import Decimal
from typing import Any

from django.db import connection

from accounts.windows import Window, plus_months
from metrics.figures import Figure
from metrics.kpis import KPIS, Companion, Kpi
from metrics.scope import Breakdown, Scope
from metrics.sql.appointments import APPOINTMENTS
from metrics.sql.classes import CLASSES
from metrics.sql.complaints import CASES
from metrics.sql.ground import Ground
from metrics.sql.people import PEOPLE, YEAR
from metrics.sql.scores import RATINGS, SCORES
from metrics.sql.source import Source
from metrics.sql.visits import ENDED, RECEIVED
from metrics.targets import ACCURACY, Held, held_by

Key = int | date | None
Counted = dict[Key, list[Figure]]
Pair = tuple[Decimal, Decimal]
Cell = tuple[int, int | None]  # which window, and which group (None: the whole)
ZERO = Decimal(0)
SOURCES: tuple[Source, ...] = (ENDED, RECEIVED, PEOPLE, YEAR, RATINGS, CLASSES, SCORES, APPOINTMENTS, CASES)
OF_PEOPLE = ("complaints", "complaints.upheld")  # measured by the persons received


def figures(scope: Scope, window: Window, *, by: Breakdown | None = None) -> Counted:
    """Return the ten figures with their companions, in the order of KPIS, under None for the whole; with `by` also
    under the id of each coordinator, team, doctor or clinic that something is credited to, or the first day of
    each month (those at the ends of the window as far as they lie in it)."""
    months = list(_months(window)) if by == "month" else []
    windows = (window, *(part for _first, part in months))
    cells = _cells(Ground(scope, windows, None if by == "month" else by))
    held = held_by(scope.clinics, until=max(w.last_day for w in windows), as_of=scope.as_of)
    whole = _ten(cells.get((0, None), {}), _wanted(held, window))
    parts: Counted = {
        first: _ten(cells.get((index, None), {}), _wanted(held, part)) for index, (first, part) in enumerate(months, 1)
    }
    for (_index, key), pairs in cells.items():
        if key is not None:
            parts[key] = _ten(pairs, _wanted(held, window, (key,) if by == "clinic" else None))
    return {None: whole, **parts}


def trend(scope: Scope, windows: Sequence[Window]) -> list[list[Figure]]:
    """Return the ten figures of each window, in as many statements as one window takes."""
    if not windows:
        return []
    cells = _cells(Ground(scope, tuple(windows)))
    held = held_by(scope.clinics, until=max(w.last_day for w in windows), as_of=scope.as_of)
    return [_ten(cells.get((index, None), {}), _wanted(held, w)) for index, w in enumerate(windows)]


def statement(source: Source, ground: Ground) -> str:
    """Return the statement that adds a source up, by window and group: w, whether it is the whole, key, the sums.

    Persons count once in each group and once in the whole, so both are told; other records have one group each, so
    that the groups add up to the whole. Each row is worked out once, however often measures name its columns.
    """
    told = ", ".join(f"{m.numerator}, {m.denominator}" for m in source.measures)
    if source.grouped:
        return (
            f"{ground.head()} SELECT s.w, s.is_whole, s.key, {told}"  # noqa: S608 - own fragments
            f" FROM ({source.rows(ground)} OFFSET 0) s GROUP BY s.w, s.is_whole, s.key"
        )
    return (
        f"{ground.head()} SELECT s.w, NULL::boolean, {ground.key}, {told}"  # noqa: S608
        f" FROM ({source.rows(ground)} OFFSET 0) s {ground.member} GROUP BY 1, 3"
    )


def params(ground: Ground) -> dict[str, Any]:
    """Return the values of a statement's parameters."""
    return ground.params | {"etiquette_target": ZERO}


def _cells(ground: Ground) -> dict[Cell, dict[str, Pair]]:
    """Run the statements; returns numerator and denominator by slug, for each window and group."""
    cells: dict[Cell, dict[str, Pair]] = {}
    values = params(ground)
    with connection.cursor() as cursor:
        for source in SOURCES if ground.scope.clinics else ():
            cursor.execute(statement(source, ground), values)
            for w, is_whole, key, *sums in cursor.fetchall():
                groups = {None} if is_whole else {key} if is_whole is False else {None, key}
                for group in groups:
                    if group is None and is_whole is False:
                        continue  # credited to nobody: in the whole alone
                    _add(cells.setdefault((w, group), {}), source, sums)
    return cells


def _add(pairs: dict[str, Pair], source: Source, sums: Sequence[Any]) -> None:
    for place, measure in enumerate(source.measures):
        numerator, denominator = pairs.get(measure.slug, (ZERO, ZERO))
        pairs[measure.slug] = numerator + sums[2 * place], denominator + sums[2 * place + 1]


def _ten(pairs: dict[str, Pair], wanted: Callable[[str], Decimal]) -> list[Figure]:
    return [_figure(kpi, pairs, wanted) for kpi in KPIS]


def _figure(kpi: Kpi, pairs: dict[str, Pair], wanted: Callable[[str], Decimal]) -> Figure:
    companions = {}
    for one in kpi.companions:
        target = wanted(ACCURACY) if one.slug == "classification.accuracy" else None
        companions[one.slug] = Figure(one, *_pair(one, pairs), target)
    return Figure(kpi, *_pair(kpi, pairs), wanted(kpi.slug), companions)


def _pair(of: Kpi | Companion, pairs: dict[str, Pair]) -> Pair:
    numerator, denominator = pairs.get(of.slug, (ZERO, ZERO))
    if of.slug in OF_PEOPLE:
        denominator = pairs.get("people", (ZERO, ZERO))[0]
    return numerator, denominator


def _wanted(held: Held, window: Window, clinics: Iterable[int] | None = None) -> Callable[[str], Decimal]:
    """A window is judged by the targets of its last day."""
    return lambda slug: held.of(slug, window.last_day, clinics)


def _months(window: Window) -> Iterable[tuple[date, Window]]:
    first = window.start.replace(day=1)
    while first < window.end:
        following = plus_months(first, 1)
        yield first, Window(max(first, window.start), min(following, window.end))
        first = following
