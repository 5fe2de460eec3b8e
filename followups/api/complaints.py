"""Complaints in the API: taken, answered, settled."""

from typing import Any

import django_filters
from django.db.models import QuerySet
from django.shortcuts import get_object_or_404
from drf_spectacular.utils import OpenApiExample, extend_schema, extend_schema_serializer
from rest_framework import serializers
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.api.fields import MoneyField, NothingIn, PersonOut, StaffField
from accounts.api.filters import FilterSet, Since
from accounts.api.views import Lists, Reads, Resource
from accounts.permissions import Permission
from followups.services import complaint_acts
from followups.services.complaints import NewComplaint, take
from patients.api.records import BIG, patient_here
from patients.api.shapes import PatientRef
from patients.models import ComplaintCase, ComplaintStep

P = Permission
Severity = ComplaintCase.Severity


class StepOut(serializers.ModelSerializer):
    by = PersonOut(read_only=True, allow_null=True)

    class Meta:
        model = ComplaintStep
        fields = ["id", "kind", "text", "at", "by"]
        read_only_fields = fields


@extend_schema_serializer(
    examples=[
        OpenApiExample(
            "a complaint",
            value={
                "id": 31, "number": "T2611-0004", "patient": {"id": 4711, "name": "沈雨薇", "class_code": "C-D"},
                "category": "waiting", "severity": "medium", "source": "api", "what": "等了四十分钟", "wish": "",
                "about": None, "owner": {"id": 3, "name": "周敏"}, "received_at": "2026-11-22T10:00:00+08:00",
                "due_at": "2026-11-23T10:00:00+08:00", "first_reply_at": None, "closed_at": None, "outcome": "",
                "is_upheld": None, "cost": None, "joined_to": None, "version": 1,
            },
            response_only=True,
        )
    ]
)  # fmt: skip
class ComplaintOut(serializers.ModelSerializer):
    """One complaint; repeats name the case they were joined to."""

    patient = PatientRef(read_only=True, allow_null=True)
    about = PersonOut(read_only=True, allow_null=True)
    owner = PersonOut(read_only=True, allow_null=True)

    class Meta:
        model = ComplaintCase
        fields = [
            "id", "number", "patient", "category", "severity", "source", "what", "wish", "about", "owner",
            "received_at", "due_at", "first_reply_at", "closed_at", "outcome", "is_upheld", "cost", "joined_to", "version",
        ]  # fmt: skip
        read_only_fields = fields


@extend_schema_serializer(
    examples=[
        OpenApiExample(
            "taken", value={"patient": 4711, "category": "waiting", "what": "等了四十分钟"}, request_only=True
        )
    ]
)
class ComplaintIn(serializers.Serializer):
    patient = serializers.IntegerField(min_value=1, max_value=BIG, required=False, allow_null=True, default=None)
    category = serializers.ChoiceField(choices=ComplaintCase.Category.choices)
    what = serializers.CharField(max_length=2000)
    severity = serializers.ChoiceField(choices=Severity.choices, required=False, default=Severity.MEDIUM)
    wish = serializers.CharField(max_length=300, required=False, allow_blank=True, default="")
    about = StaffField(required=False, allow_null=True, default=None)
    owner = StaffField(required=False, allow_null=True, default=None)


class ComplaintChange(serializers.Serializer):
    severity = serializers.ChoiceField(choices=Severity.choices, required=False)
    about = StaffField(required=False, allow_null=True)
    owner = StaffField(required=False, allow_null=True)


class NoteIn(serializers.Serializer):
    text = serializers.CharField(max_length=1000)
    replied = serializers.BooleanField(required=False, default=False, help_text="It is what the patient was answered.")


class CloseIn(serializers.Serializer):
    outcome = serializers.ChoiceField(choices=ComplaintCase.Outcome.choices)
    upheld = serializers.BooleanField()
    cost = MoneyField(required=False, allow_null=True, default=None, min_value=0)
    text = serializers.CharField(max_length=1000, required=False, allow_blank=True, default="")


class ReopenIn(serializers.Serializer):
    reason = serializers.CharField(max_length=1000)


class JoinIn(serializers.Serializer):
    to = serializers.IntegerField(min_value=1, max_value=BIG)


class WhoseIn(serializers.Serializer):
    patient = serializers.IntegerField(min_value=1, max_value=BIG)


class ComplaintFilters(FilterSet):
    patient = django_filters.NumberFilter(min_value=1, max_value=BIG)
    category = django_filters.MultipleChoiceFilter(choices=ComplaintCase.Category.choices)
    severity = django_filters.MultipleChoiceFilter(choices=Severity.choices)
    open = django_filters.BooleanFilter(field_name="closed_at", lookup_expr="isnull")
    received_from = Since("received_at")

    class Meta:
        model = ComplaintCase
        fields: list[str] = []


class Complaints(Lists, Reads, Resource):
    """Complaints that the account may read: all of them for who settles them, else those taken or about oneself."""

    tag, scope = "Complaints", "complaints"
    access = dict.fromkeys(("list", "retrieve", "create", "steps", "note"), (P.TAKE_COMPLAINTS,)) | dict.fromkeys(
        ("partial_update", "close", "reopen", "join", "unjoin", "patient"), (P.SETTLE_COMPLAINTS,)
    )
    model = ComplaintCase
    serializer_class = ComplaintOut
    serializers = {
        "create": ComplaintIn,
        "partial_update": ComplaintChange,
        "note": NoteIn,
        "close": CloseIn,
        "reopen": ReopenIn,
        "join": JoinIn,
        "patient": WhoseIn,
    }
    if_match = ("close", "reopen", "join", "unjoin", "patient")
    filterset_class = ComplaintFilters
    order = ("-received_at", "-id")

    def rows(self) -> QuerySet[ComplaintCase]:
        rows = ComplaintCase.objects.visible_to(self.user).for_clinic(self.clinic)
        found: QuerySet[ComplaintCase] = rows.select_related("clinic", "patient", "about", "owner")
        return found

    @extend_schema(request=ComplaintIn, responses={201: ComplaintOut})
    def create(self, request: Request) -> Response:
        """Take a complaint; it is joined to the open one it repeats, and the managers are told."""
        data = self.read(ComplaintIn)
        pk = data.pop("patient")
        patient = patient_here(self, pk) if pk is not None else None
        details = NewComplaint(source=ComplaintCase.Source.API, **data)
        return self.made(take(clinic=self.clinic, details=details, patient=patient, by=self.user))

    @extend_schema(request=ComplaintChange, responses=ComplaintOut)
    def partial_update(self, request: Request, pk: int) -> Response:
        """Give it to somebody else, judge it anew, say whom it is about."""
        case = self.found()
        facts = {"owner": case.owner, "about": case.about, "severity": case.severity} | self.read(ComplaintChange)
        complaint_acts.change(case=case, version=int(self.expected_version), by=self.user, **facts)
        return self.told(case)

    @extend_schema(responses=StepOut(many=True), filters=False)
    @action(detail=True, methods=["get"], pagination_class=None)
    def steps(self, request: Request, pk: int) -> Response:
        """Tell what was done about it, in order."""
        steps = self.found().steps.select_related("by").order_by("pk")
        return self.answer(StepOut(steps, many=True, context=self.serializer_context()).data)

    @extend_schema(request=NoteIn, responses={201: StepOut})
    @action(detail=True, methods=["post"])
    def note(self, request: Request, pk: int) -> Response:
        """Write down a note, or what the patient was answered."""
        step = complaint_acts.note(case=self.found(), by=self.user, **self.read(NoteIn))
        return self.answer(StepOut(step, context=self.serializer_context()).data, 201)

    def _done(self, act: Any, kind: Any = None, **found: Any) -> Response:
        case = self.found()
        facts = self.read(kind) if kind is not None else {}
        for name, find in found.items():
            facts[name] = find(facts[name])
        act(case=case, version=int(self.expected_version), by=self.user, **facts)
        return self.told(case)

    @extend_schema(request=CloseIn, responses=ComplaintOut)
    @action(detail=True, methods=["post"])
    def close(self, request: Request, pk: int) -> Response:
        """Settle it."""
        return self._done(complaint_acts.close, CloseIn)

    @extend_schema(request=ReopenIn, responses=ComplaintOut)
    @action(detail=True, methods=["post"])
    def reopen(self, request: Request, pk: int) -> Response:
        """Open a settled one again."""
        return self._done(complaint_acts.reopen, ReopenIn)

    @extend_schema(request=JoinIn, responses=ComplaintOut)
    @action(detail=True, methods=["post"])
    def join(self, request: Request, pk: int) -> Response:
        """Count it as a repeat of another open one of the same patient."""
        return self._done(complaint_acts.join, JoinIn, to=lambda pk: get_object_or_404(self.rows(), pk=pk))

    @extend_schema(request=None, responses=ComplaintOut)
    @action(detail=True, methods=["post"])
    def unjoin(self, request: Request, pk: int) -> Response:
        """It was another matter after all."""
        return self._done(complaint_acts.unjoin, NothingIn)

    @extend_schema(request=WhoseIn, responses=ComplaintOut)
    @action(detail=True, methods=["post"])
    def patient(self, request: Request, pk: int) -> Response:
        """Say whose complaint it is."""
        return self._done(complaint_acts.set_patient, WhoseIn, patient=lambda pk: patient_here(self, pk))
