"""Inspections of service etiquette in the REST API."""

from typing import Any

import django_filters
from django.utils.translation import gettext as _
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.api.fields import NothingIn, ScopedField
from accounts.api.filters import FilterSet, Since
from accounts.api.views import Lists, Reads, Resource
from accounts.permissions import Permission
from consultations.models import Visit
from followups.models import Contact
from metrics.models import EtiquetteInspection, EtiquetteRubric
from metrics.services.etiquette import inspect, mark_seen, standing_of, take_back

P = Permission
ANSWER = {"type": ["number", "null"], "enum": [0, 0.5, 1, None]}


@extend_schema_field({"type": "object", "additionalProperties": ANSWER})
class AnswersField(serializers.JSONField):
    """By code of the rubric's item: 0, 0.5 or 1; null for what does not apply."""


class InspectionOut(serializers.ModelSerializer):
    kind = serializers.CharField(source="rubric.kind", read_only=True)
    rubric_version = serializers.IntegerField(source="rubric.version", read_only=True)
    answers = AnswersField(read_only=True)

    class Meta:
        model = EtiquetteInspection
        fields = [
            "id", "kind", "rubric_version", "staff", "visit", "contact", "patient", "answers", "score", "note",
            "inspected_at", "inspected_by", "replaced_at", "seen_at",
        ]  # fmt: skip
        read_only_fields = fields


class InspectionIn(serializers.Serializer):
    """Either a visit or a call; `rubric_version`: of the rubric that was answered."""

    visit = ScopedField(Visit, required=False, allow_null=True, default=None)
    contact = ScopedField(Contact, required=False, allow_null=True, default=None)
    answers = AnswersField()
    rubric_version = serializers.IntegerField(min_value=1)
    note = serializers.CharField(max_length=500, required=False, allow_blank=True, default="")

    def validate(self, data: dict[str, Any]) -> dict[str, Any]:
        if (data["visit"] is None) == (data["contact"] is None):
            raise serializers.ValidationError({"visit": [_("Name a visit or a contact.")]})
        return data

    def validate_answers(self, answers: Any) -> dict[str, Any]:
        if not isinstance(answers, dict):
            raise serializers.ValidationError(_("Answers by the code of the rubric's item."))
        return answers


class TakenBackIn(serializers.Serializer):
    reason = serializers.CharField(max_length=200)


class RubricItemOut(serializers.Serializer):
    code = serializers.CharField()
    label = serializers.CharField()  # type: ignore[assignment]
    points = serializers.FloatField()


class RubricOut(serializers.ModelSerializer):
    items = RubricItemOut(many=True, read_only=True)

    class Meta:
        model = EtiquetteRubric
        fields = ["id", "kind", "version", "is_active", "items", "created_at"]
        read_only_fields = fields


class InspectionFilters(FilterSet):
    staff = django_filters.NumberFilter()
    visit = django_filters.NumberFilter()
    contact = django_filters.NumberFilter()
    kind = django_filters.ChoiceFilter(field_name="rubric__kind", choices=EtiquetteRubric.Kind.choices)
    holds = django_filters.BooleanFilter(field_name="replaced_at", lookup_expr="isnull")
    since = Since("inspected_at")

    class Meta:
        model = EtiquetteInspection
        fields: list[str] = []


class Inspections(Lists, Reads, Resource):
    """Scores of visits and of call-backs. People see their own; managers all of them."""

    tag, scope = "Key figures", "metrics"
    access = dict.fromkeys(("list", "retrieve", "seen"), (P.SIGNED_IN,)) | dict.fromkeys(
        ("create", "take_back"), (P.INSPECT_ETIQUETTE,)
    )
    model = EtiquetteInspection
    serializer_class = InspectionOut
    serializers = {"create": InspectionIn, "take_back": TakenBackIn, "seen": NothingIn}
    if_match = ("take_back",)
    filterset_class = InspectionFilters
    order = ("-inspected_at", "-id")

    def rows(self) -> Any:
        rows = super().rows().select_related("rubric")
        return rows if self.may(P.INSPECT_ETIQUETTE) else rows.filter(staff=self.user)

    def create(self, request: Request) -> Response:
        """Score a visit or a call-back; a former score of it is kept, as replaced."""
        data = self.read(InspectionIn)
        subject = data["visit"] or data["contact"]
        former = standing_of(subject)
        made = inspect(
            subject=subject,
            answers=data["answers"],
            by=self.user,
            version=data["rubric_version"],
            note=data["note"],
            expected=former.pk if former else None,
        )
        return self.made(made)

    @action(detail=True, methods=["post"], url_path="take-back")
    def take_back(self, request: Request, pk: int) -> Response:
        """The score was given to the wrong visit or call: it counts no more; a frozen month keeps it."""
        row = self.found()
        take_back(inspection=row, by=self.user, **self.read(TakenBackIn))
        return self.told(row)

    @action(detail=True, methods=["post"])
    def seen(self, request: Request, pk: int) -> Response:
        """The person inspected has read it; the first time counts."""
        row = self.found()
        self.read(NothingIn)
        mark_seen(inspection=row, by=self.user)
        return self.told(row)


class Rubrics(Lists, Reads, Resource):
    """The versions of the rubrics that visits and calls are scored by."""

    tag, scope = "Key figures", "metrics"
    access = dict.fromkeys(("list", "retrieve"), (P.INSPECT_ETIQUETTE,))
    model = EtiquetteRubric
    serializer_class = RubricOut
