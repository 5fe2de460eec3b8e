"""Money paid back, and taking a wrongly recorded payment back."""

from typing import Any

import django_filters
from drf_spectacular.utils import extend_schema
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.api.filters import FilterSet, Since
from accounts.api.views import Lists, Reads, Resource
from accounts.permissions import Permission
from consultations.api import visits_in, visits_out
from consultations.models import Refund
from consultations.services.refunds import refund, take_back

P = Permission


class RefundFilters(FilterSet):
    consultation = django_filters.NumberFilter()
    paid_from = Since("at")

    class Meta:
        model = Refund
        fields: list[str] = []


class Refunds(Lists, Reads, Resource):
    """Refunds; a row with `cancels` takes an earlier one back. Nothing is ever changed or deleted."""

    tag, scope = "Visits", "visits"
    access = dict.fromkeys(("list", "retrieve", "create", "take_back"), (P.REFUND,))
    model = Refund
    serializer_class = visits_out.RefundOut
    serializers = {"create": visits_in.RefundIn, "take_back": visits_in.TakeBackIn}
    filterset_class = RefundFilters
    order = ("-at", "-id")

    def rows(self) -> Any:
        return super().rows().select_related("clinic")

    def create(self, request: Request) -> Response:
        """Record money paid back; a refund in full reverses the closing in the key figures."""
        return self.made(refund(by=self.user, **self.read(visits_in.RefundIn)))

    @extend_schema(responses={201: visits_out.RefundOut})
    @action(detail=True, methods=["post"], url_path="take-back")
    def take_back(self, request: Request, pk: int) -> Response:
        """Take a wrongly recorded refund back; answers with the row that says so."""
        row = self.found()
        return self.told(take_back(refund=row, by=self.user, **self.read(visits_in.TakeBackIn)), 201)
