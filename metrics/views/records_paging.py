"""Pages of the records behind a number: a page is found by where the last one ended, however deep it lies."""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from typing import Any

from django.core import signing
from django.db.models import Model, Q, QuerySet

SIZE = 50
SALT = "metrics.records"


@dataclass(frozen=True)
class Page:
    """One page; `after` is where the next begins, empty at the end."""

    rows: list[Model]
    after: str = ""


def page_of(sets: Sequence[QuerySet[Any]], after: str = "", size: int = SIZE) -> Page:
    """Return the page behind a cursor (the first without one), the newest first; the dearest where rows are worth
    something. Several querysets follow one another. A cursor that was not made here is as none."""
    number, worth, pk = _place(after) or (0, None, None)
    rows: list[tuple[int, Any]] = []
    for place, queryset in enumerate(sets):
        if place < number:
            continue
        found = _beyond(queryset, worth, pk) if place == number and pk is not None else queryset
        rows += [(place, row) for row in found.order_by(*_order(queryset))[: size + 1 - len(rows)]]
        if len(rows) > size:
            break
    kept = rows[:size]
    return Page([row for _n, row in kept], _cursor(*kept[-1]) if len(rows) > size else "")


def _by_worth(queryset: QuerySet[Any]) -> bool:
    return "worth" in queryset.query.annotations


def _order(queryset: QuerySet[Any]) -> tuple[str, ...]:
    return ("-worth", "-pk") if _by_worth(queryset) else ("-pk",)


def _beyond(queryset: QuerySet[Any], worth: Decimal | None, pk: int) -> QuerySet[Any]:
    if worth is None or not _by_worth(queryset):
        return queryset.filter(pk__lt=pk)
    return queryset.filter(Q(worth__lt=worth) | Q(worth=worth, pk__lt=pk))


def _cursor(number: int, row: Any) -> str:
    worth = getattr(row, "worth", None)
    return signing.dumps([number, None if worth is None else str(worth), row.pk], salt=SALT)


def _place(cursor: str) -> tuple[int, Decimal | None, int] | None:
    try:
        number, worth, pk = signing.loads(cursor, salt=SALT)
        return int(number), None if worth is None else Decimal(worth), int(pk)
    except (signing.BadSignature, ValueError, TypeError, InvalidOperation):
        return None
