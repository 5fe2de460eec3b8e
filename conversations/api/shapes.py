"""What of chats goes out and comes in."""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from django.utils.translation import gettext as _
from drf_spectacular.utils import OpenApiExample, extend_schema_field, extend_schema_serializer
from rest_framework import serializers

from accounts.api.fields import MomentField, MoneyField, ScopedField, StaffField
from accounts.models import User
from accounts.permissions import Role
from conversations import queries
from conversations.inspection.codes import CODES
from conversations.models import Appeal, CapturedContact, ChatMessage, Conversation, Finding, ScoreCard
from followups.models import Room

CODE_CHOICES = [(code, code) for code in CODES]


class CapturedOut(serializers.ModelSerializer):
    """A contact that was captured, hidden but for its last four signs."""

    last4 = serializers.CharField(read_only=True)

    class Meta:
        model = CapturedContact
        fields = ["id", "kind", "last4", "user", "group_name", "remark"]
        read_only_fields = fields


class ConversationOut(serializers.ModelSerializer):
    """`score`: of the rules; a manager's is a score card. `severity`: of the gravest finding, 4 is abuse."""

    cost = MoneyField(read_only=True, allow_null=True)
    booking_at = serializers.DateTimeField(source="capture.booking_at", default=None, read_only=True, allow_null=True)
    captured = CapturedOut(source="capture.contacts", many=True, read_only=True, default=list)

    class Meta:
        model = Conversation
        fields = [
            "id", "source_key", "channel", "keyword", "cost", "consultant", "consultant_name", "team", "visitor_name",
            "started_at", "ended_at", "message_count", "visitor_messages", "consultant_messages",
            "first_reply_seconds", "longest_silence_seconds", "ending", "third_party", "in_scope", "is_effective",
            "score", "severity", "booking_at", "captured", "patient", "appointment", "read_at", "self_checked_at",
            "inspected_at", "imported_at",
        ]  # fmt: skip
        read_only_fields = fields


class MessageOut(serializers.Serializer):
    id = serializers.IntegerField()
    position = serializers.IntegerField()
    at = serializers.DateTimeField(allow_null=True)
    sender = serializers.ChoiceField(choices=ChatMessage.Sender.choices)
    user = serializers.IntegerField(allow_null=True)
    text = serializers.CharField()


@extend_schema_serializer(
    examples=[
        OpenApiExample(
            "a new patient with the agreed time",
            value={"name": "沈雨薇", "starts_at": "2026-11-26T10:00:00+08:00"},
            request_only=True,
        )
    ]
)
class TakeOverIn(serializers.Serializer):
    """`patient`: whom to join, of those who have the number; without it whoever has it, or a new person called `name`.

    `starts_at`: without it nothing is booked; `doctor` and `room`: who or which is free, unless said.
    """

    name = serializers.CharField(max_length=60, required=False, allow_blank=True, default="")
    patient = serializers.IntegerField(min_value=1, max_value=10**15, required=False, allow_null=True, default=None)
    new_person = serializers.BooleanField(
        required=False, default=False, help_text="Somebody else than those who have the number."
    )
    starts_at = MomentField(required=False, allow_null=True, default=None)
    doctor = StaffField(required=False, allow_null=True, default=None)
    room = ScopedField(Room, required=False, allow_null=True, default=None)
    insist = serializers.BooleanField(required=False, default=False, help_text="Outside the hours all the same.")

    def validate_doctor(self, doctor: User | None) -> User | None:
        if doctor is not None and doctor.role_in(self.context["view"].clinic) != Role.DOCTOR:
            raise serializers.ValidationError(_("Choose a doctor of this clinic."))
        return doctor


class FindingOut(serializers.ModelSerializer):
    """`by`: the manager whose own finding it is; null for the rules'. `rule_set`: the version of the rules."""

    label = serializers.SerializerMethodField()  # type: ignore[assignment]
    position = serializers.IntegerField(source="message.position", default=None, read_only=True, allow_null=True)
    advice = serializers.CharField(source="shown_advice", read_only=True)

    class Meta:
        model = Finding
        fields = [
            "id", "conversation", "code", "label", "message", "position", "user", "quote", "advice", "rule_set", "by",
            "note", "created_at", "withdrawn_at", "withdrawn_reason",
        ]  # fmt: skip
        read_only_fields = fields

    def get_label(self, finding: Finding) -> str:
        known = CODES.get(finding.code)
        return str(known.label) if known else finding.code


class FindingIn(serializers.Serializer):
    """A finding on a message (by its id), or without one on the whole chat."""

    conversation = serializers.IntegerField()
    code = serializers.ChoiceField(choices=CODE_CHOICES)
    message = serializers.IntegerField(required=False, allow_null=True, default=None)
    quote = serializers.CharField(max_length=200, required=False, allow_blank=True, default="")
    advice = serializers.CharField(max_length=300, required=False, allow_blank=True, default="")
    note = serializers.CharField(max_length=300, required=False, allow_blank=True, default="")


def finding_of(view: Any, data: Mapping[str, Any]) -> dict[str, Any]:
    """Return a validated finding as the service takes it. Raises ValidationError for chats one may not read."""
    chat = queries.visible(view.user, view.clinic).filter(pk=data["conversation"]).first()
    if chat is None:
        raise serializers.ValidationError({"conversation": [_("There is no such chat here.")]})
    message = None
    if data["message"] is not None:
        message = ChatMessage.objects.filter(conversation=chat, pk=data["message"]).first()
        if message is None:
            raise serializers.ValidationError({"message": [_("There is no such message in this chat.")]})
    return {**data, "conversation": chat, "message": message}


class AppealOut(serializers.ModelSerializer):
    class Meta:
        model = Appeal
        fields = ["id", "finding", "text", "made_at", "made_by", "answer", "is_upheld", "answered_at", "answered_by"]
        read_only_fields = fields


class AppealIn(serializers.Serializer):
    text = serializers.CharField(max_length=1000)


class ReplyIn(serializers.Serializer):
    """`is_upheld`: the finding is withdrawn. Turning an appeal down needs words."""

    is_upheld = serializers.BooleanField()
    answer = serializers.CharField(max_length=1000, required=False, allow_blank=True, default="")


class ScoreIn(serializers.Serializer):
    """`points`: what a rule costs in the manager's eyes, by code; the others cost what the rubric proposes."""

    points = serializers.DictField(
        child=serializers.DecimalField(max_digits=5, decimal_places=2, min_value=Decimal(0), max_value=Decimal(100)), required=False,
        default=dict,
    )  # fmt: skip
    note = serializers.CharField(max_length=500, required=False, allow_blank=True, default="")


class LineOut(serializers.Serializer):
    code = serializers.CharField()
    points = serializers.FloatField()
    count = serializers.IntegerField()


class ScoreCardOut(serializers.ModelSerializer):
    lines = serializers.SerializerMethodField()

    class Meta:
        model = ScoreCard
        fields = ["id", "conversation", "consultant", "score", "lines", "note", "scored_at", "scored_by"]
        read_only_fields = fields

    @extend_schema_field(LineOut(many=True))
    def get_lines(self, card: ScoreCard) -> list[dict[str, Any]]:
        return [{name: line[name] for name in ("code", "points", "count")} for line in card.lines]
