"""Filters in the address: declared, in the schema, and refused where they are unknown or make no sense."""

from typing import Any

import django_filters
from django.db.models import QuerySet
from django.utils.translation import gettext as _
from django_filters.rest_framework import DjangoFilterBackend
from django_filters.rest_framework import FilterSet as BaseFilterSet
from rest_framework.request import Request

from accounts.api.problems import Problem


class FilterSet(BaseFilterSet):
    """Filters of one list; `self.request.user` and `self.clinic` are at hand."""

    @property
    def clinic(self) -> Any:
        return self.request.parser_context["view"].clinic


class Since(django_filters.IsoDateTimeFilter):
    """From a moment on, e.g. 2026-11-22T10:00:00+08:00."""

    def __init__(self, field_name: str, **kwargs: Any) -> None:
        super().__init__(field_name=field_name, lookup_expr="gte", **kwargs)


class Filters(DjangoFilterBackend):
    """django-filter, with bad values told as a 400 by name."""

    def filter_queryset(self, request: Request, queryset: QuerySet[Any], view: Any) -> QuerySet[Any]:
        found = self.get_filterset(request, queryset, view)
        if found is None:
            return queryset
        if not found.is_valid():
            raise Problem("bad-request", errors={name: [str(e) for e in said] for name, said in found.errors.items()})
        return found.qs


def check_names(request: Request, known: set[str], repeatable: set[str]) -> None:
    """Raise Problem for a parameter that means nothing here, or is given twice: it would be a filter not applied."""
    said = request.query_params
    wrong = {name: [_("Unknown parameter.")] for name in said if name not in known}
    wrong |= {
        name: [_("Give this once.")] for name in said if name in known - repeatable and len(said.getlist(name)) > 1
    }
    if wrong:
        raise Problem("bad-request", errors=wrong)


def repeatable_of(filterset: Any) -> set[str]:
    """Return the parameters that may be given several times, for any of several values."""
    filters = filterset.base_filters.items() if filterset is not None else ()
    return {name for name, one in filters if isinstance(one, django_filters.MultipleChoiceFilter)}


def names_of(filterset: Any) -> set[str]:
    """Return the parameters that a set of filters reads."""
    if filterset is None:
        return set()
    found: set[str] = set()
    for name, one in filterset.base_filters.items():
        suffixes = getattr(getattr(one.field, "widget", None), "suffixes", None)
        found |= {f"{name}_{suffix}" for suffix in suffixes} if suffixes else {name}
    return found
