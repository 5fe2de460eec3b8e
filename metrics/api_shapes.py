"""Key figures as they go out: what `metrics.figures.as_json` and the records behind them hold."""

from typing import Any

from drf_spectacular.utils import OpenApiExample, extend_schema_field, extend_schema_serializer
from rest_framework import serializers

_COMPANION: dict[str, Any] = {
    "type": "object",
    "required": ["slug", "value", "numerator", "denominator"],
    "properties": {
        "slug": {"type": "string"},
        "value": {"type": ["number", "null"]},
        "numerator": {"type": ["number", "null"]},
        "denominator": {"type": ["number", "null"]},
    },
}
_EXAMPLE: dict[str, Any] = {
    "slug": "c_conversion", "value": 28.95, "numerator": 33, "denominator": 114, "number": 2, "target": 30,
    "status": "watch", "shortfall": 2,
    "companions": {
        "c_conversion.fell": {"slug": "c_conversion.fell", "value": 0, "numerator": 0, "denominator": 114}
    },
}  # fmt: skip


@extend_schema_field({"type": "object", "additionalProperties": _COMPANION})
class CompanionsField(serializers.DictField):
    """Figures that belong to a key figure, by their slugs."""


class FigureOut(serializers.Serializer):
    """One key figure. `value` is null where nothing counts (denominator 0); `shortfall`: how many are lacking."""

    slug = serializers.CharField()
    value = serializers.FloatField(allow_null=True)
    numerator = serializers.FloatField(allow_null=True)
    denominator = serializers.FloatField(allow_null=True)
    number = serializers.IntegerField()
    target = serializers.FloatField(allow_null=True)
    status = serializers.CharField()
    shortfall = serializers.IntegerField(allow_null=True)
    companions = CompanionsField()


class GroupOut(serializers.Serializer):
    """The figures of one team, person, clinic or month; a month's id is its first day."""

    id = serializers.JSONField(allow_null=True)
    name = serializers.CharField()
    kpis = FigureOut(many=True)


@extend_schema_serializer(
    examples=[
        OpenApiExample(
            "a month by coordinator",
            value={
                "clinics": ["QH"], "from": "2026-11-01", "to": "2026-11-30", "as_of": None, "definitions": "1",
                "kpis": [_EXAMPLE], "by": {"coordinator": [{"id": 12, "name": "谢美林", "kpis": [_EXAMPLE]}]},
            },
            response_only=True,
        )
    ]
)  # fmt: skip
class FiguresOut(serializers.Serializer):
    """`to` is the last day that counts; `by`, when asked for: the groups under the name of the breakdown."""

    clinics = serializers.ListField(child=serializers.CharField())
    to = serializers.DateField()
    as_of = serializers.DateTimeField(allow_null=True)
    definitions = serializers.CharField()
    kpis = FigureOut(many=True)
    by = serializers.DictField(child=GroupOut(many=True), required=False)

    def get_fields(self) -> dict[str, Any]:
        return {**super().get_fields(), "from": serializers.DateField()}


class ExcludedOut(serializers.Serializer):
    """What does not count, and why; ask for these by part=excluded:<reason>."""

    reason = serializers.CharField()
    label = serializers.CharField()  # type: ignore[assignment]
    count = serializers.IntegerField()


class RecordPatientOut(serializers.Serializer):
    id = serializers.IntegerField()
    name = serializers.CharField()


class RecordOut(serializers.Serializer):
    """One record that counts; `url`: its page in the product."""

    id = serializers.IntegerField()
    key = serializers.CharField()
    clinic = serializers.CharField(allow_blank=True)
    patient = RecordPatientOut(allow_null=True)
    at = serializers.DateTimeField(allow_null=True)
    staff = serializers.CharField(allow_null=True)
    url = serializers.CharField(allow_null=True)


@extend_schema_serializer(
    examples=[
        OpenApiExample(
            "the first page",
            value={
                "slug": "c_conversion", "part": "counted", "count": 33,
                "excluded": [{"reason": "accepted", "label": "此前已成交", "count": 107}],
                "records": [
                    {
                        "id": 8, "key": "patient:8", "clinic": "", "patient": {"id": 8, "name": "邵月微"}, "at": None,
                        "staff": None, "url": "/patients/8/",
                    }
                ],
                "next": "/api/v1/kpis/c_conversion/records/?limit=1&after=0:8",
            },
            response_only=True,
        )
    ]
)  # fmt: skip
class RecordsOut(serializers.Serializer):
    """A page of the records; `count` is of all pages."""

    slug = serializers.CharField()
    part = serializers.CharField()
    count = serializers.IntegerField()
    excluded = ExcludedOut(many=True)
    records = RecordOut(many=True)
    next = serializers.CharField(allow_null=True)
