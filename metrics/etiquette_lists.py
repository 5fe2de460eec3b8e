"""Reading inspections: by person and rubric version, one by one, one's own."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Any

from django.core import signing
from django.db.models import Avg, Count, Max, Q, QuerySet

from accounts.models import Clinic, User
from accounts.reading import moment
from metrics.models import EtiquetteInspection

PAGE = 50
SALT = "metrics.etiquette"


@dataclass(frozen=True)
class Mean:
    """The mean of one person's standing inspections under one version of a rubric."""

    kind: str
    version: int
    n: int
    value: Decimal


@dataclass
class PersonRow:
    """One person in the list."""

    staff_id: int
    name: str
    last: datetime
    n: int = 0
    visit: list[Mean] = field(default_factory=list)
    call: list[Mean] = field(default_factory=list)


def standing(clinic: Clinic) -> "QuerySet[Any]":
    """Return the scores in force of a clinic: of visits in error and of calls taken back there are none."""
    rows: QuerySet[Any] = EtiquetteInspection.objects.for_clinic(clinic).filter(replaced_at=None)
    return rows.exclude(visit__is_error=True).filter(contact__undone_by=None)


def by_person(rows: "QuerySet[Any]") -> list[PersonRow]:
    """Return persons with their means per kind and rubric version, the lowest mean first; one statement.

    Versions are never mixed: what was asked differs.
    """
    groups: Iterable[dict[str, Any]] = (
        rows.values("staff_id", "staff__full_name", "rubric__kind", "rubric__version")
        .annotate(n=Count("pk"), mean=Avg("score"), last=Max("inspected_at"))
        .order_by("staff_id", "rubric__kind", "-rubric__version")
    )
    people: dict[int, PersonRow] = {}
    for group in groups:
        made = PersonRow(group["staff_id"], group["staff__full_name"], group["last"])
        row = people.setdefault(group["staff_id"], made)
        row.n += group["n"]
        row.last = max(row.last, group["last"])
        mean = Mean(group["rubric__kind"], group["rubric__version"], group["n"], group["mean"])
        (row.visit if mean.kind == "visit" else row.call).append(mean)
    return sorted(people.values(), key=lambda row: min(mean.value for mean in (*row.visit, *row.call)))


def page_of(rows: "QuerySet[Any]", cursor: str) -> tuple[list[EtiquetteInspection], str]:
    """Return a page of inspections, the newest first, and where the next begins; "" at the end."""
    rows = rows.order_by("-inspected_at", "-id").select_related("staff", "patient", "rubric", "inspected_by", "contact")
    place = _place(cursor)
    if place is not None:
        at, pk = place
        rows = rows.filter(Q(inspected_at__lt=at) | Q(inspected_at=at, pk__lt=pk), inspected_at__lte=at)
    found = list(rows[: PAGE + 1])
    more = len(found) > PAGE
    last = found[PAGE - 1] if more else None
    return found[:PAGE], signing.dumps([last.inspected_at.isoformat(), last.pk], salt=SALT) if last else ""


def _place(cursor: str) -> tuple[datetime, int] | None:
    try:
        told, pk = signing.loads(cursor, salt=SALT)
    except signing.BadSignature:
        return None
    at = moment(told)
    return None if at is None else (at, pk)


def own(user: User, clinic: Clinic) -> "QuerySet[Any]":
    """Return the scores in force that a person got in a clinic."""
    return standing(clinic).filter(staff=user)
