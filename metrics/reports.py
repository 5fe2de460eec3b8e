"""Key figures gathered once, for files, paper and the API: the whole, and by person, team, clinic or month."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from django.utils import timezone
from django.utils.translation import pgettext

from accounts.models import Clinic, Team, User
from accounts.windows import Window
from metrics.counting import figures
from metrics.figures import Figure, as_json
from metrics.kpis import DEFINITIONS
from metrics.scope import Breakdown, Scope

Key = int | date


@dataclass(frozen=True)
class Group:
    """The figures of one person, team, clinic or month."""

    id: Key
    name: str
    figures: list[Figure]


@dataclass(frozen=True)
class Report:
    """What was counted, of what, and when."""

    scope: Scope
    window: Window
    computed_at: datetime
    whole: list[Figure]
    by: Breakdown | None
    groups: list[Group]


def gather(scope: Scope, window: Window, *, by: Breakdown | None = None) -> Report:
    """Count the ten key figures, and with `by` those of each group, ordered by name (months by time)."""
    counted = figures(scope, window, by=by)
    keys = [key for key in counted if key is not None]
    names = names_of(by, keys)
    groups = [Group(key, names[key], counted[key]) for key in keys]
    groups.sort(key=lambda group: str(group.id) if by == "month" else group.name)
    return Report(scope, window, timezone.now(), counted[None], by, groups)


def names_of(by: Breakdown | None, keys: Iterable[Key]) -> dict[Key, str]:
    """Return what groups are called."""
    if by == "month":
        return {key: f"{key:%Y-%m}" for key in keys}
    model: Any = {"coordinator": User, "doctor": User, "team": Team, "clinic": Clinic}.get(by or "", Clinic)
    found = {row.pk: _label(row) for row in model.objects.filter(pk__in=list(keys))}
    return {key: found.get(key) or pgettext("group", "nobody") for key in keys}


def _label(row: Any) -> str:
    return str(row.name) if isinstance(row, Team | Clinic) else str(row)


def as_answer(report: Report) -> dict[str, Any]:
    """Return a report as the API and the command give it; numbers as numbers, rounded to cents."""
    answer: dict[str, Any] = {
        "clinics": [clinic.code for clinic in report.scope.clinics],
        "from": report.window.start.isoformat(),
        "to": report.window.last_day.isoformat(),
        "as_of": report.scope.as_of.isoformat() if report.scope.as_of else None,
        "definitions": DEFINITIONS,
        "kpis": [as_json(figure) for figure in report.whole],
    }
    if report.by:
        answer["by"] = {
            report.by: [
                {"id": str(group.id) if report.by == "month" else group.id, "name": group.name,
                 "kpis": [as_json(figure) for figure in group.figures]}
                for group in report.groups
            ]
        }  # fmt: skip
    return answer
