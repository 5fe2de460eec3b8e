"""How patients' classes moved in the window: from each class to each (beside KPI 2, whose records these are)."""

from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from django.db import connection
from django.db.models import QuerySet
from django.utils.translation import gettext as _

from accounts.windows import Window
from metrics.scope import Scope
from metrics.sql.classes import standing
from metrics.sql.ground import Ground
from patients.classification import PatientClass
from patients.models import Patient

CLASSES = tuple(PatientClass.values)
WON = "won"  # the last column: accepted or paid a deposit in the window
TOP = "('C-A')"  # shown below the others; nobody moves up from there, so KPI 2 leaves it out


@dataclass(frozen=True)
class Cell:
    """How many went from one class to another; kind is up, down or same."""

    start: str
    end: str
    n: int
    kind: str
    heat: int  # 0 to 4: how many of the row's patients, for the tint

    @property
    def part(self) -> str:
        return f"{self.start}:{self.end}"


@dataclass(frozen=True)
class Row:
    code: str
    cells: list[Cell]

    @property
    def total(self) -> int:
        return sum(cell.n for cell in self.cells)

    @property
    def up(self) -> int:
        return sum(cell.n for cell in self.cells if cell.kind == "up")

    @property
    def share(self) -> Decimal | None:
        return Decimal(self.up * 100) / self.total if self.total else None


@dataclass(frozen=True)
class Matrix:
    rows: list[Row]

    @property
    def ends(self) -> list[tuple[str, int]]:
        return [(code, sum(row.cells[n].n for row in self.rows)) for n, code in enumerate([*CLASSES, WON])]

    @property
    def total(self) -> int:
        return sum(row.total for row in self.rows)

    @property
    def below_top(self) -> int:
        """Those who could still move up, of C-E to C-B: KPI 2's denominator."""
        return sum(row.total for row in self.rows if row.code != PatientClass.CA)

    def of(self, kind: str) -> int:
        return sum(cell.n for row in self.rows for cell in row.cells if cell.kind == kind)

    @property
    def ups(self) -> int:
        return self.of("up")

    @property
    def downs(self) -> int:
        return self.of("down")

    @property
    def same(self) -> int:
        return self.of("same")


def _kind(start: str, end: str) -> str:
    if end == WON:
        return "up"
    if start == end:
        return "same"
    return "up" if CLASSES.index(end) > CLASSES.index(start) else "down"


def _stood(ground: Ground) -> str:
    """Return the statement of who stood where when the window began, or came in, and where at its end."""
    rows = f"{standing(ground)} UNION ALL {standing(ground, TOP)}"
    return f"""{ground.head()}
        SELECT s.patient_id, s.class_code AS began, CASE WHEN s.accepted THEN 'won' ELSE s.last_class END AS ended
        FROM ({rows}) s WHERE s.c_conversion NOT LIKE %(excluded)s AND s.last_class <> ''"""  # noqa: S608


def count(scope: Scope, window: Window) -> Matrix:
    """Count the patients by class at the beginning and at the end (one statement)."""
    ground = Ground(scope, (window,))
    asked = f"SELECT began, ended, count(*) FROM ({_stood(ground)}) stood GROUP BY 1, 2"  # noqa: S608
    with connection.cursor() as cursor:
        cursor.execute(asked, ground.params | {"excluded": "excluded%"})
        found = {(start, end): n for start, end, n in cursor.fetchall()}
    rows = []
    for start in CLASSES:
        total = sum(n for (began, _end), n in found.items() if began == start)
        cells = [_cell(start, end, found.get((start, end), 0), total) for end in [*CLASSES, WON]]
        rows.append(Row(start, cells))
    return Matrix(rows)


def _cell(start: str, end: str, n: int, total: int) -> Cell:
    share = n / total if total else 0
    heat = 0 if not n else 1 if share < 0.05 else 2 if share < 0.15 else 3 if share < 0.35 else 4
    return Cell(start, end, n, _kind(start, end), heat)


def _pairs(part: str) -> list[str]:
    """Return the cells that a part is made of; none for an unknown one."""
    pairs = [(start, end) for start in CLASSES for end in [*CLASSES, WON]]
    if part in ("up", "down", "same"):
        return [f"{start}:{end}" for start, end in pairs if _kind(start, end) == part]
    began, colon, ended = part.partition(":")
    if not colon or part == ":":
        return []
    return [f"{start}:{end}" for start, end in pairs if began in ("", start) and ended in ("", end)]


def records(scope: Scope, window: Window, part: str) -> QuerySet[Any] | None:
    """Return the patients of one cell ("C-E:C-D"), of a beginning ("C-E:"), of an end (":won"), or of all moves
    "up", "down" or "same"; None for an unknown part."""
    wanted = _pairs(part)
    if not wanted:
        return None
    ground = Ground(scope, (window,))
    asked = f"SELECT patient_id FROM ({_stood(ground)}) stood WHERE began || ':' || ended = ANY(%(cells)s)"  # noqa: S608
    with connection.cursor() as cursor:
        cursor.execute(asked, ground.params | {"excluded": "excluded%", "cells": wanted})
        ids = [row[0] for row in cursor.fetchall()]
    return Patient.objects.filter(pk__in=ids)


def words(part: str) -> str:
    """Return what the patients of a part are called."""
    kinds = {"up": _("Moved up"), "down": _("Fell"), "same": _("Unchanged")}
    if part in kinds:
        return kinds[part]
    start, _colon, end = part.partition(":")
    anything = _("any class")  # the extraction of messages does not look into f-strings
    reached = _("accepted") if end == WON else end
    return f"{start or anything} → {reached or anything}"
