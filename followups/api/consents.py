"""Consents in the API: what a patient agreed to, and what follows from a no."""

from typing import Any

from drf_spectacular.utils import OpenApiExample, extend_schema, extend_schema_serializer
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.api.views import Lists, Reads, Resource
from accounts.permissions import Permission
from followups.services.consents_said import consents_said
from patients.api.records import BIG, ConsentFilters, ConsentOut, patient_here
from patients.models import Consent
from patients.models.history import ConsentPurpose

P = Permission


@extend_schema_serializer(
    examples=[
        OpenApiExample("given", value={"patient": 4711, "purpose": "contact", "given": True}, request_only=True),
        OpenApiExample("withdrawn", value={"patient": 4711, "purpose": "marketing", "given": False}, request_only=True),
    ]
)
class ConsentIn(serializers.Serializer):
    """One statement: `given` false withdraws. For a child under 14 a guardian says it, with name and relation."""

    patient = serializers.IntegerField(min_value=1, max_value=BIG)
    purpose = serializers.ChoiceField(choices=ConsentPurpose.choices)
    given = serializers.BooleanField()
    guardian_name = serializers.CharField(max_length=60, required=False, allow_blank=True, default="")
    guardian_relation = serializers.CharField(max_length=20, required=False, allow_blank=True, default="")


class Consents(Lists, Reads, Resource):
    """What patients agreed to, statement by statement; the latest on a purpose holds."""

    tag, scope = "Patients", "patients"
    access = {"list": (P.VIEW_PATIENTS,), "retrieve": (P.VIEW_PATIENTS,), "create": (P.EDIT_PATIENTS,)}
    model = Consent
    serializer_class = ConsentOut
    serializers = {"create": ConsentIn}
    filterset_class = ConsentFilters
    order = ("-at", "-id")

    def rows(self) -> Any:
        return super().rows().select_related("by")

    @extend_schema(request=ConsentIn, responses={201: ConsentOut})
    def create(self, request: Request) -> Response:
        """Give or withdraw; a withdrawal closes tasks and stops messages at once."""
        data = self.read(ConsentIn)
        patient = patient_here(self, data.pop("patient"))
        return self.made(consents_said(patient=patient, clinic=self.clinic, by=self.user, channel="api", **data))
