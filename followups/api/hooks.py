"""Webhooks in the REST API: addresses, what was delivered to them, and telling it again."""

from typing import Any

import django_filters
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.api.fields import NothingIn
from accounts.api.filters import FilterSet, Since
from accounts.api.views import Lists, Reads, Resource
from accounts.permissions import Permission
from followups.models import Hook, HookAttempt, HookDelivery, HookEvent
from followups.services import hooks

MANAGING = (Permission.MANAGE_MESSAGES,)


class HookOut(serializers.ModelSerializer):
    events = serializers.ListField(child=serializers.ChoiceField(choices=HookEvent.choices), read_only=True)

    class Meta:
        model = Hook
        fields = ["id", "name", "url", "events", "is_active", "created_at", "created_by", "updated_at"]
        read_only_fields = fields


class HookSecretOut(HookOut):
    """`secret` is told this once: it signs every delivery (X-Signature)."""

    secret = serializers.CharField()

    class Meta(HookOut.Meta):
        fields = [*HookOut.Meta.fields, "secret"]
        read_only_fields = fields


class HookIn(serializers.Serializer):
    name = serializers.CharField(max_length=60)
    url = serializers.CharField(max_length=500)
    events = serializers.ListField(
        child=serializers.ChoiceField(choices=HookEvent.choices), allow_empty=False, max_length=len(HookEvent.values)
    )
    is_active = serializers.BooleanField(required=False, default=True)


class HookPatch(serializers.Serializer):
    name = serializers.CharField(max_length=60, required=False)
    url = serializers.CharField(max_length=500, required=False)
    events = serializers.ListField(
        child=serializers.ChoiceField(choices=HookEvent.choices),
        allow_empty=False,
        max_length=len(HookEvent.values),
        required=False,
    )
    is_active = serializers.BooleanField(required=False)


class SecretOut(serializers.Serializer):
    secret = serializers.CharField()


class Hooks(Lists, Reads, Resource):
    """Addresses that are told what happens in the clinic."""

    tag, scope = "Webhooks", "webhooks"
    access = dict.fromkeys(("list", "retrieve", "create", "partial_update", "destroy", "new_secret"), MANAGING)
    model = Hook
    serializer_class = HookOut
    serializers = {"create": HookIn, "partial_update": HookPatch, "new_secret": NothingIn}
    if_match = ("new_secret",)
    held = dict.fromkeys(("partial_update", "new_secret"), ("self",))

    def rows(self) -> Any:
        return super().rows().filter(removed_at=None).select_related("clinic")

    @extend_schema(responses={201: HookSecretOut})
    def create(self, request: Request) -> Response:
        """Make an address; the answer holds its secret, which is not told again."""
        made, secret = hooks.save_hook(clinic=self.clinic, by=self.user, **self.read(HookIn))
        response = self.made(made)
        response.data["secret"] = secret
        return response

    def partial_update(self, request: Request, pk: int) -> Response:
        """Change an address; its secret stays."""
        hook = self.found()
        values = {name: getattr(hook, name) for name in ("name", "url", "events", "is_active")}
        changed, _secret = hooks.save_hook(clinic=self.clinic, by=self.user, hook=hook, **values | self.read(HookPatch))
        return self.told(changed)

    @extend_schema(responses={204: None})
    def destroy(self, request: Request, pk: int) -> Response:
        """Tell this address nothing any more."""
        hooks.remove_hook(hook=self.found(), by=self.user)
        return self.answer(status=204)

    @extend_schema(responses=SecretOut)
    @action(detail=True, methods=["post"], url_path="new-secret")
    def new_secret(self, request: Request, pk: int) -> Response:
        """Another secret; the old one signs nothing from now on."""
        hook = self.found()
        self.read(NothingIn)
        return self.answer({"secret": hooks.new_secret(hook=hook, by=self.user)})


class TryOut(serializers.ModelSerializer):
    class Meta:
        model = HookAttempt
        fields = ["id", "status", "detail", "seconds", "at"]
        read_only_fields = fields


class DeliveryOut(serializers.ModelSerializer):
    """`payload`: what is posted. `not_before`: when it is tried next."""

    payload = serializers.DictField(read_only=True)

    class Meta:
        model = HookDelivery
        fields = [
            "id", "hook", "event_id", "event", "payload", "state", "attempts", "not_before", "last_status", "failure",
            "delivered_at", "replays", "created_at",
        ]  # fmt: skip
        read_only_fields = fields


class DeliveryFilters(FilterSet):
    hook = django_filters.NumberFilter()
    event = django_filters.MultipleChoiceFilter(choices=HookEvent.choices)
    state = django_filters.MultipleChoiceFilter(choices=HookDelivery.State.choices)
    since = Since("created_at")

    class Meta:
        model = HookDelivery
        fields: list[str] = []


class Deliveries(Lists, Reads, Resource):
    """What was told to the clinic's webhooks, and what came of it."""

    tag, scope = "Webhooks", "webhooks"
    access = dict.fromkeys(("list", "retrieve", "tries", "replay"), MANAGING)
    model = HookDelivery
    serializer_class = DeliveryOut
    serializers = {"replay": NothingIn}
    filterset_class = DeliveryFilters
    order = ("-created_at", "-id")

    @extend_schema(responses=TryOut(many=True), filters=False)
    @action(detail=True, methods=["get"])
    def tries(self, request: Request, pk: int) -> Response:
        """Every try of a delivery, the oldest first."""
        return self.answer(TryOut(self.found().tries.order_by("id"), many=True).data)

    @action(detail=True, methods=["post"])
    def replay(self, request: Request, pk: int) -> Response:
        """Tell it again, under the same event_id."""
        row = self.found()
        self.read(NothingIn)
        return self.told(hooks.replay(delivery=row, by=self.user))
