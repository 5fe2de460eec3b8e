"""What comes in about visits; the rules are the services'."""

from decimal import Decimal
from typing import Any

from django.utils.translation import gettext as _
from rest_framework import serializers

from accounts.api.fields import MoneyField, ScopedField, StaffField
from consultations.checkout import WORD_OF_MOUTH
from consultations.models import CheckoutItem, Consultation
from consultations.services.decision import Answer
from consultations.stages import PLAIN_STEPS, Decision, Route, Stage
from followups.models import Appointment
from patients.classification import Complaint, PatientClass
from patients.models import Patient


class PatientField(ScopedField):
    """A patient of this clinic whose record was not merged into another."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(Patient, **kwargs)

    def get_queryset(self) -> Any:
        return super().get_queryset().living()


class CheckInIn(serializers.Serializer):
    """Somebody has come: for an appointment of today, or as a walk-in."""

    patient = PatientField()
    appointment = ScopedField(Appointment, required=False, allow_null=True, default=None)
    consultation = ScopedField(Consultation, required=False, allow_null=True, default=None)
    doctor = StaffField(required=False, allow_null=True, default=None)
    complaint_text = serializers.CharField(max_length=300, required=False, allow_blank=True, default="")

    def validate(self, data: dict[str, Any]) -> dict[str, Any]:
        for name in ("appointment", "consultation"):
            row = data[name]
            if row is not None and row.patient_id != data["patient"].pk:
                raise serializers.ValidationError({name: [_("This belongs to another patient.")]})
        return data


class ReceiveIn(serializers.Serializer):
    doctor = StaffField(required=False, allow_null=True, default=None)


class MoveIn(serializers.Serializer):
    """A step that records nothing but itself; every other one has an action of its own."""

    to = serializers.ChoiceField(
        choices=[(stage, Stage(stage).label) for stage in Stage.values if stage in PLAIN_STEPS]
    )


class ComplaintCorrectionIn(serializers.Serializer):
    """The complaint as it is, instead of the one that was confirmed."""

    complaint = serializers.ChoiceField(choices=Complaint.choices)
    complaint_text = serializers.CharField(max_length=300)


class ComplaintIn(ComplaintCorrectionIn):
    """The chief complaint in the clinic's and in the patient's words; another route than its own needs a reason."""

    route = serializers.ChoiceField(choices=Route.choices, required=False, allow_blank=True, default="")
    route_reason = serializers.CharField(max_length=200, required=False, allow_blank=True, default="")
    new_case = serializers.BooleanField(required=False, default=False)
    rejoins = ScopedField(Consultation, required=False, allow_null=True, default=None)


class UnseenIn(serializers.Serializer):
    reason = serializers.CharField(max_length=200)


class MistakeIn(serializers.Serializer):
    reason = serializers.CharField(max_length=200)


class DecisionIn(serializers.Serializer):
    """How the patient decided; amounts in yuan."""

    decision = serializers.ChoiceField(choices=Decision.choices)
    amount = MoneyField(min_value=Decimal(0), required=False, allow_null=True, default=None)
    deposit = MoneyField(min_value=Decimal(0), required=False, allow_null=True, default=None)
    obstacle = serializers.CharField(max_length=200, required=False, allow_blank=True, default="")
    treat_today = serializers.ChoiceField(
        choices=[("today", "today"), ("waiting", "waiting"), ("booked", "booked")],
        required=False,
        allow_blank=True,
        default="",
    )


def answer_of(data: dict[str, Any]) -> Answer:
    """Return a validated DecisionIn as the service takes it."""
    return Answer(**data)


class ClassifyIn(serializers.Serializer):
    """A class for the visit; another one than is suggested needs a reason."""

    class_code = serializers.ChoiceField(choices=PatientClass.choices)
    awareness = serializers.IntegerField(min_value=1, max_value=5)
    trust = serializers.IntegerField(min_value=1, max_value=5)
    reason = serializers.CharField(max_length=300, required=False, allow_blank=True, default="")


class CheckoutIn(serializers.Serializer):
    """Done, undone, or let go with a reason; the next appointment, WeChat and the class are met by their facts."""

    code = serializers.ChoiceField(choices=CheckoutItem.Code.choices)
    do = serializers.ChoiceField(choices=[("done", "done"), ("undo", "undo"), ("let_go", "let go")])
    outcome = serializers.ChoiceField(
        choices=[(code, code) for code in WORD_OF_MOUTH], required=False, allow_blank=True, default=""
    )
    reason = serializers.CharField(max_length=300, required=False, allow_blank=True, default="")


class WaiverIn(serializers.Serializer):
    """A manager's word on what a coordinator asked to let go."""

    code = serializers.ChoiceField(choices=CheckoutItem.Code.choices)
    approve = serializers.BooleanField()


class WaiverUndoIn(serializers.Serializer):
    code = serializers.ChoiceField(choices=CheckoutItem.Code.choices)


class RefundIn(serializers.Serializer):
    consultation = ScopedField(Consultation)
    amount = MoneyField(min_value=Decimal("0.01"))
    is_full = serializers.BooleanField(required=False, default=False)
    reason = serializers.CharField(max_length=200)


class TakeBackIn(serializers.Serializer):
    reason = serializers.CharField(max_length=200)
