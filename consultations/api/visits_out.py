"""What of consultations and visits goes out. Money is null for those who may not see it."""

from typing import Any, ClassVar

from rest_framework import serializers

from accounts.api.fields import MoneyField
from accounts.permissions import Permission
from consultations.models import CheckoutItem, Consultation, Refund, StageChange, Visit


class Guarded(serializers.ModelSerializer):
    """Tells null instead of a field that the reader's role may not see."""

    guarded: ClassVar[dict[str, Permission]] = {}

    def to_representation(self, row: Any) -> dict[str, Any]:
        told: dict[str, Any] = super().to_representation(row)
        view = self.context["view"]
        for name, permission in self.guarded.items():
            if not view.may(permission):
                told[name] = None
        return told


class ConsultationOut(serializers.ModelSerializer):
    class Meta:
        model = Consultation
        fields = [
            "id", "patient", "complaint", "complaint_text", "status", "coordinator", "opened_at", "first_received_at",
        ]  # fmt: skip
        read_only_fields = fields


class VisitOut(Guarded):
    """One coming to the clinic. Times named …_at are facts, set once."""

    decision_amount = MoneyField(allow_null=True, read_only=True)
    deposit_amount = MoneyField(allow_null=True, read_only=True)
    obstacle = serializers.CharField(allow_null=True, read_only=True)
    guarded: ClassVar = {
        "decision_amount": Permission.VIEW_MONEY,
        "deposit_amount": Permission.VIEW_MONEY,
        "obstacle": Permission.COORDINATE,
    }

    class Meta:
        model = Visit
        fields = [
            "id", "patient", "consultation", "appointment", "coordinator", "doctor", "room", "is_first", "number",
            "stage", "stage_since", "route", "route_reason", "arrived_at", "received_at", "form_completed_at",
            "complaint_confirmed_at", "exams_completed_at", "handoff_at", "handoff_acknowledged_at", "doctor_left_at",
            "explaining_started_at", "explaining_ended_at", "explained_points", "decision", "decided_at",
            "decision_amount", "deposit_amount", "obstacle", "treat_today", "classified_at", "next_appointment",
            "next_appointment_made_at", "left_at", "closed_at", "unseen_reason", "is_error", "version", "updated_at",
        ]  # fmt: skip
        read_only_fields = fields


class StageChangeOut(serializers.ModelSerializer):
    class Meta:
        model = StageChange
        fields = ["id", "visit", "old_stage", "new_stage", "reason", "at", "by"]
        read_only_fields = fields


class CheckoutLineOut(serializers.Serializer):
    """One must-do of the checkout. `state`: open, waiting (for a manager), done, waived."""

    code = serializers.ChoiceField(choices=CheckoutItem.Code.choices)
    state = serializers.CharField()
    needs_manager = serializers.BooleanField()
    is_met = serializers.BooleanField()
    outcome = serializers.CharField()
    waiver_reason = serializers.CharField()


class RefundOut(serializers.ModelSerializer):
    amount = MoneyField(read_only=True)

    class Meta:
        model = Refund
        fields = ["id", "consultation", "visit", "amount", "is_full", "reason", "cancels", "at", "by"]
        read_only_fields = fields
