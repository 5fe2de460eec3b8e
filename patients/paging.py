"""Keyset paging of the patient list: a page is found by where the last one ended, however deep it lies."""

from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from django.core import signing
from django.db.models import F, Q, QuerySet
from django.utils.translation import gettext_lazy as _

from patients.models import Registration

SIZE = 50
DEFAULT = "-active"
NULLABLE = frozenset({"last_visit_on", "last_contact_on"})
FIELDS = {"active": "active_at", "visit": "last_visit_on", "contact": "last_contact_on", "number": "number"}
SORTS = {
    "-active": _("Latest activity first"),
    "-visit": _("Latest visit first"),
    "visit": _("Longest since a visit first"),
    "-contact": _("Latest contact first"),
    "contact": _("Longest since a contact first"),
    "-number": _("Newest number first"),
    "number": _("Oldest number first"),
}


@dataclass(frozen=True)
class Page:
    """One page of rows with the cursors of its neighbours, empty where there is none."""

    rows: list[Registration]
    before: str = ""
    after: str = ""


def sort_of(asked: str | None) -> str:
    """Return a known sort."""
    return asked if asked in SORTS else DEFAULT


def ordered(rows: QuerySet[Registration], sort: str) -> QuerySet[Registration]:
    """Sort by the field, then id; rows without a value come last when descending, first when ascending.

    Word for word as the indexes of Registration, so that a page is read off an index.
    """
    name, down = FIELDS[sort.lstrip("-")], sort.startswith("-")
    if name not in NULLABLE:
        return rows.order_by(f"-{name}", "-id") if down else rows.order_by(name, "id")
    if down:
        return rows.order_by(F(name).desc(nulls_last=True), "-id")
    return rows.order_by(F(name).asc(nulls_first=True), "id")


def page_of(rows: QuerySet[Registration], *, sort: str, after: str = "", before: str = "", size: int = SIZE) -> Page:
    """Return the page after or before a cursor, else the first one; one query.

    A cursor that was not made here, or for another sort, is as none.
    """
    place, back = (_place(before, sort), True) if before else (_place(after, sort), False)
    if place is None:
        back = False
    going = _reversed(sort) if back else sort
    found = ordered(rows, going)
    if place is not None:
        found = found.filter(_beyond(going, *place))
    got = list(found[: size + 1])
    more, shown = len(got) > size, got[:size]
    if back:
        shown.reverse()
    first, last = (_cursor(shown[0], sort), _cursor(shown[-1], sort)) if shown else ("", "")
    has_before = more if back else place is not None
    has_after = True if back else more
    return Page(shown, first if has_before else "", last if has_after else "")


def _reversed(sort: str) -> str:
    return sort.removeprefix("-") if sort.startswith("-") else f"-{sort}"


def _beyond(sort: str, value: Any, pk: int) -> Q:
    """Return the condition of lying behind (value, pk) in the order of `sort`."""
    name, down = FIELDS[sort.lstrip("-")], sort.startswith("-")
    tied = Q(**{f"id__{'lt' if down else 'gt'}": pk})
    nothing = Q(**{f"{name}__isnull": True})
    if value is None:
        return nothing & tied if down else (nothing & tied) | ~nothing
    further = Q(**{f"{name}__{'lt' if down else 'gt'}": value}) | (Q(**{name: value}) & tied)
    if name in NULLABLE:
        return further | nothing if down else further
    return Q(**{f"{name}__{'lte' if down else 'gte'}": value}) & further  # the bound that an index can use


def _salt(sort: str) -> str:
    return f"patients.list.{sort}"


def _cursor(row: Registration, sort: str) -> str:
    value = getattr(row, FIELDS[sort.lstrip("-")])
    told = value.isoformat() if isinstance(value, datetime | date) else value
    return signing.dumps([told, row.pk], salt=_salt(sort))


def _place(cursor: str, sort: str) -> tuple[Any, int] | None:
    try:
        told, pk = signing.loads(cursor, salt=_salt(sort))
    except signing.BadSignature:
        return None
    name = FIELDS[sort.lstrip("-")]
    if told is not None and name == "active_at":
        return datetime.fromisoformat(told), pk
    if told is not None and name in NULLABLE:
        return date.fromisoformat(told), pk
    return told, pk
