"""Handing over the tasks of a colleague who is away, and taking that back."""

from typing import Any

from django.shortcuts import get_object_or_404
from drf_spectacular.utils import OpenApiExample, OpenApiParameter, extend_schema, extend_schema_serializer
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.api.fields import NothingIn
from accounts.api.problems import Problem
from accounts.api.views import ApiView
from accounts.permissions import Permission
from followups.models import StandIn, TaskEvent
from followups.services.handing_over import hand_over, undo_hand_over
from followups.task_forms import HandOverForm

MOST_ID = 10**15


@extend_schema_serializer(
    examples=[OpenApiExample("shared out", value={"away": 12, "reason": "病假"}, request_only=True)]
)
class HandOverIn(serializers.Serializer):
    """`to`: without it the tasks are shared among those of the same role. `until`: what comes due through it as well."""

    away = serializers.IntegerField(min_value=1, max_value=MOST_ID)
    to = serializers.IntegerField(min_value=1, max_value=MOST_ID, required=False, allow_null=True, default=None)
    until = serializers.DateField(required=False, allow_null=True, default=None)
    reason = serializers.CharField(max_length=200)


class HandedOut(serializers.Serializer):
    """`batch` takes it back, within a day."""

    batch = serializers.CharField()
    tasks = serializers.IntegerField()


class HandOver(ApiView):
    """Open tasks of a colleague who is away."""

    tag, scope = "Tasks", "tasks"
    access = (Permission.HAND_OVER,)
    http_method_names = ["post"]

    @extend_schema(operation_id="tasks_hand_over", request=HandOverIn, responses=HandedOut)
    def post(self, request: Request) -> Response:
        """Give all open tasks of a colleague to another, or share them out."""
        sent = {name: value for name, value in self.read(HandOverIn).items() if value is not None}
        form = HandOverForm(sent, clinic=self.clinic)
        if not form.is_valid():
            raise Problem("invalid", errors={name: [str(e) for e in said] for name, said in form.errors.items()})
        data: dict[str, Any] = form.cleaned_data
        made = hand_over(clinic=self.clinic, by=self.user, **data)
        return self.answer({"batch": made.batch, "tasks": made.total})


class HandOverUndo(ApiView):
    """A hand-over that was a mistake."""

    tag, scope = "Tasks", "tasks"
    access = (Permission.HAND_OVER,)
    http_method_names = ["post"]

    @extend_schema(
        operation_id="tasks_hand_over_undo",
        parameters=[OpenApiParameter("batch", str, OpenApiParameter.PATH, description="Of the hand-over.")],
        request=NothingIn,
        responses=HandedOut,
    )
    def post(self, request: Request, batch: str) -> Response:
        """Give back what is still open and still with whom it went to."""
        if not StandIn.objects.for_clinic(self.clinic).filter(batch=batch).exists():
            get_object_or_404(TaskEvent.objects.for_clinic(self.clinic).filter(detail__batch=batch)[:1])
        self.read(NothingIn)
        return self.answer({"batch": batch, "tasks": undo_hand_over(clinic=self.clinic, batch=batch, by=self.user)})
