"""Contacts that chats captured: filed, corrected and opened one by one."""

from typing import Any

import django_filters
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.api.fields import MomentField, NothingIn
from accounts.api.filters import FilterSet
from accounts.api.problems import Problem
from accounts.api.views import Lists, Reads, Resource
from accounts.permissions import Permission
from conversations.api.shapes import CapturedOut
from conversations.capture_forms import CorrectForm
from conversations.models import Capture, CapturedContact
from conversations.services import capturing

P = Permission


class CapturedContactOut(CapturedOut):
    """`added_at`: when it was put into its group with its remark; without them a contact is unfinished."""

    conversation = serializers.IntegerField(source="capture.conversation_id", read_only=True)

    class Meta(CapturedOut.Meta):
        fields = ["conversation", *CapturedOut.Meta.fields, "added_at"]
        read_only_fields = fields


class FileIn(serializers.Serializer):
    """Into which group a contact was added, and with which remark."""

    group_name = serializers.CharField(max_length=60)
    remark = serializers.CharField(max_length=120)


class OpenedOut(serializers.Serializer):
    value = serializers.CharField()


class ContactFilters(FilterSet):
    conversation = django_filters.NumberFilter(field_name="capture__conversation")
    kind = django_filters.MultipleChoiceFilter(choices=CapturedContact.Kind.choices)
    is_filed = django_filters.BooleanFilter(field_name="added_at", lookup_expr="isnull", exclude=True)

    class Meta:
        model = CapturedContact
        fields: list[str] = []


class CapturedContacts(Lists, Reads, Resource):
    """Ways to reach a visitor that a chat brought. Consultants see those of their own chats."""

    tag, scope = "Conversations", "conversations"
    access = dict.fromkeys(("list", "retrieve", "partial_update", "reveal"), (P.CAPTURE_CONTACTS,))
    only_read = ("reveal",)
    model = CapturedContact
    serializer_class = CapturedContactOut
    serializers = {"partial_update": FileIn, "reveal": NothingIn}
    filterset_class = ContactFilters
    held = {"partial_update": ("self",)}
    order = ("-id",)

    def rows(self) -> Any:
        mine = capturing.visible(self.user, self.clinic).values("pk")
        return super().rows().filter(capture__in=mine).select_related("capture__conversation")

    def partial_update(self, request: Request, pk: int) -> Response:
        """Say into which group a contact was added; the first time is kept, and a patient's WeChat counts as added."""
        row = self.found()
        return self.told(capturing.file_contact(contact=row, by=self.user, **self.read(FileIn)))

    @extend_schema(responses=OpenedOut)
    @action(detail=True, methods=["post"])
    def reveal(self, request: Request, pk: int) -> Response:
        """Open one contact in full; logged."""
        row = self.found()
        self.read(NothingIn)
        return self.answer({"value": capturing.reveal(contact=row, clinic=self.clinic, by=self.user)})


class CorrectIn(serializers.Serializer):
    """What the visitor really gave; "" and null for nothing. What is left out stays."""

    phone = serializers.CharField(max_length=40, required=False, allow_blank=True)
    wechat = serializers.CharField(max_length=40, required=False, allow_blank=True)
    qq = serializers.CharField(max_length=20, required=False, allow_blank=True)
    booking_at = MomentField(required=False, allow_null=True)


def correct(capture: Capture, data: dict[str, Any], by: Any) -> None:
    """Write what was really captured. Raises Problem (422) for what is no number or id."""
    booking = data.pop("booking_at", capture.booking_at)
    form = CorrectForm(data)
    if not form.is_valid():
        raise Problem("invalid", errors={name: [str(said) for said in errors] for name, errors in form.errors.items()})
    values = {name: form.cleaned_data[name] for name in data}
    capturing.correct(capture=capture, values=values, booking_at=booking, by=by)
