"""Cursor paging: a page begins where the last one ended, however deep it lies and whatever is added meanwhile."""

import json
from base64 import urlsafe_b64decode, urlsafe_b64encode
from binascii import Error as NotBase64
from datetime import date, datetime
from typing import Any

from django.core.exceptions import ValidationError
from django.db.models import Model, Q
from django.utils.translation import gettext as _
from rest_framework.pagination import BasePagination
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.api.problems import Problem
from accounts.reading import whole_number

USUAL, MOST = 50, 200


class Keyset(BasePagination):
    """Pages in the order that the view declares: columns that are never null, the id last."""

    def paginate_queryset(self, queryset: Any, request: Request, view: Any = None) -> list[Any]:
        self.request = request
        self.order: tuple[str, ...] = view.order
        limit = limit_of(request)
        place = read_cursor(request.query_params.get("cursor", ""), queryset.model, self.order)
        rows = queryset.order_by(*self.order)
        if place is not None:
            rows = rows.filter(beyond(self.order, place))
        got = list(rows[: limit + 1])
        self.following = write_cursor(got[limit - 1], self.order) if len(got) > limit else ""
        return got[:limit]

    def next_link(self) -> str | None:
        """Return the address of the next page; None on the last one."""
        if not self.following:
            return None
        query = self.request.query_params.copy()
        query["cursor"] = self.following
        return f"{self.request.path}?{query.urlencode()}"

    def get_paginated_response(self, data: Any) -> Response:
        return Response({"results": data, "next": self.next_link()})

    def get_paginated_response_schema(self, schema: dict[str, Any]) -> dict[str, Any]:
        address = {"type": ["string", "null"], "description": "Address of the next page; null on the last one."}
        properties = {"results": schema, "next": address | {"example": "/api/v1/patients/?cursor=WyIyMDI2…"}}
        return {"type": "object", "required": ["results", "next"], "properties": properties}

    def get_schema_operation_parameters(self, view: Any) -> list[dict[str, Any]]:
        number = {"type": "integer", "minimum": 1, "maximum": MOST, "default": USUAL}
        return [
            _parameter("cursor", "Where the page begins: from `next` of the page before.", {"type": "string"}),
            _parameter("limit", "How many to give.", number),
        ]


def _parameter(name: str, words: str, schema: dict[str, Any]) -> dict[str, Any]:
    return {"name": name, "in": "query", "required": False, "description": words, "schema": schema}


def limit_of(request: Request) -> int:
    """Return how many rows are asked for. Raises Problem."""
    said = request.query_params.get("limit")
    limit = whole_number(said) if said is not None else USUAL
    if limit is None or not 1 <= limit <= MOST:
        raise Problem("bad-request", errors={"limit": [_("A number from 1 to %(most)s.") % {"most": MOST}]})
    return limit


def beyond(order: tuple[str, ...], place: list[Any]) -> Q:
    """Return the condition of lying behind `place` in the order, first of all the bound that an index can use."""
    names = [(name.removeprefix("-"), name.startswith("-")) for name in order]
    found = Q()
    for at, (name, down) in enumerate(names):
        tied = {earlier: value for (earlier, _down), value in zip(names[:at], place, strict=False)}
        found |= Q(**tied, **{f"{name}__{'lt' if down else 'gt'}": place[at]})
    first, first_down = names[0]
    return Q(**{f"{first}__{'lte' if first_down else 'gte'}": place[0]}) & found


def write_cursor(row: Model, order: tuple[str, ...]) -> str:
    """Return the place of a row in the order, for an address."""
    values = [_value(row, name.removeprefix("-")) for name in order]
    told = [value.isoformat() if isinstance(value, datetime | date) else value for value in values]
    return urlsafe_b64encode(json.dumps(told, separators=(",", ":")).encode()).decode().rstrip("=")


def _value(row: Any, name: str) -> Any:
    for step in name.split("__"):
        row = getattr(row, step)
    return row


def read_cursor(text: str, model: type[Model], order: tuple[str, ...]) -> list[Any] | None:
    """Return the place a cursor names, None for none. Raises Problem for what is no cursor of this list."""
    if not text:
        return None
    try:
        told = json.loads(urlsafe_b64decode(text + "=" * (-len(text) % 4)))
        if not isinstance(told, list) or len(told) != len(order):
            raise ValueError
        values = [_field(model, name).to_python(value) for name, value in zip(order, told, strict=True)]
        if any(value is None for value in values) or abs(values[-1]) >= 10**18:
            raise ValueError
    except (ValueError, TypeError, RecursionError, NotBase64, ValidationError):
        raise Problem("bad-request", errors={"cursor": [_("This is no place in this list.")]})
    return values


def _field(model: type[Model], name: str) -> Any:
    *way, last = name.removeprefix("-").split("__")
    for step in way:
        model = model._meta.get_field(step).related_model  # type: ignore[assignment]
    return model._meta.get_field(last)
