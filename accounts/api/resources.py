"""Who one is, the clinics one works in, and the staff there."""

from typing import Any

import django_filters
from drf_spectacular.utils import OpenApiExample, extend_schema, extend_schema_serializer
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.api.filters import FilterSet
from accounts.api.views import ApiView, Lists, Reads, Resource
from accounts.models import ApiToken, Clinic, Membership
from accounts.permissions import Permission, Role, permissions_of

EVERYONE = (Permission.SIGNED_IN,)


class ClinicOut(serializers.ModelSerializer):
    class Meta:
        model = Clinic
        fields = ["id", "code", "name", "zone"]
        read_only_fields = fields


class WorkOut(serializers.Serializer):
    """One clinic in which the account works."""

    clinic = ClinicOut()
    role = serializers.ChoiceField(choices=Role.choices)


class TokenOut(serializers.ModelSerializer):
    expires_at = serializers.DateTimeField(source="expiry", allow_null=True)

    class Meta:
        model = ApiToken
        fields = ["id", "name", "scopes", "expires_at"]
        read_only_fields = fields


@extend_schema_serializer(
    examples=[
        OpenApiExample(
            "a coordinator",
            value={
                "id": 12,
                "username": "xiemeilin",
                "name": "谢美林",
                "is_service": False,
                "clinic": {"id": 1, "code": "QH", "name": "青禾口腔", "zone": "Asia/Shanghai"},
                "role": "coordinator",
                "permissions": ["view_patients", "edit_patients"],
                "clinics": [
                    {
                        "clinic": {"id": 1, "code": "QH", "name": "青禾口腔", "zone": "Asia/Shanghai"},
                        "role": "coordinator",
                    }
                ],
                "token": {"id": 3, "name": "reports", "scopes": ["read"], "expires_at": "2027-11-22T10:00:00+08:00"},
            },
            response_only=True,
        )
    ]
)
class MeOut(serializers.Serializer):
    """The account that asks, what it may do in the clinic it asks about, and its token."""

    id = serializers.IntegerField()
    username = serializers.CharField()
    name = serializers.CharField()
    is_service = serializers.BooleanField()
    clinic = ClinicOut()
    role = serializers.ChoiceField(choices=Role.choices)
    permissions = serializers.ListField(child=serializers.CharField())
    clinics = WorkOut(many=True)
    token = TokenOut(allow_null=True)


class Me(ApiView):
    """The account that asks."""

    tag = "Account"
    access = EVERYONE

    @extend_schema(operation_id="me", responses=MeOut)
    def get(self, request: Request) -> Response:
        """The account that asks: what it may do in the clinic it asks about, and with this token."""
        user = self.user
        told = {
            "id": user.pk,
            "username": user.username,
            "name": user.full_name,
            "is_service": user.is_service,
            "clinic": self.clinic,
            "role": self.role,
            "permissions": sorted(str(permission) for permission in permissions_of(self.role)),
            "clinics": [{"clinic": clinic, "role": user.role_in(clinic)} for clinic in user.clinics()],
            "token": request.auth if isinstance(request.auth, ApiToken) else None,
        }
        return self.answer(MeOut(told).data)


class Clinics(Lists, Reads, Resource):
    """The clinics in which the account works."""

    tag = "Account"
    access = {"list": EVERYONE, "retrieve": EVERYONE}
    model = Clinic
    serializer_class = ClinicOut

    def rows(self) -> Any:
        return Clinic.objects.for_user(self.user)


@extend_schema_serializer(
    examples=[
        OpenApiExample(
            "a coordinator",
            value={
                "id": 12,
                "name": "谢美林",
                "role": "coordinator",
                "team": "咨询一组",
                "team_id": 3,
                "is_active": True,
                "is_service": False,
            },
            response_only=True,
        )
    ]
)
class StaffOut(serializers.ModelSerializer):
    id = serializers.IntegerField(source="user_id", read_only=True)
    name = serializers.CharField(source="user.full_name", read_only=True)
    team = serializers.CharField(source="team.name", default=None, read_only=True, allow_null=True)
    team_id = serializers.IntegerField(read_only=True, allow_null=True)
    is_service = serializers.BooleanField(source="user.is_service", read_only=True)

    class Meta:
        model = Membership
        fields = ["id", "name", "role", "team", "team_id", "is_active", "is_service"]
        read_only_fields = fields


class StaffFilters(FilterSet):
    role = django_filters.MultipleChoiceFilter(choices=Role.choices)
    active = django_filters.BooleanFilter(field_name="is_active")

    class Meta:
        model = Membership
        fields: list[str] = []


class Staff(Lists, Resource):
    """Who works in the clinic; the ids are those that patients, tasks and visits name."""

    tag = "Account"
    access = {"list": EVERYONE}
    model = Membership
    serializer_class = StaffOut
    filterset_class = StaffFilters

    def rows(self) -> Any:
        return super().rows().select_related("user", "team")
