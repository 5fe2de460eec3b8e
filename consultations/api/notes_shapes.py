"""What of handoff notes and findings goes out and comes in."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from rest_framework import serializers

from accounts.api.fields import ScopedField, StaffField
from consultations.models import Handoff, HandoffQuestion, ToothFinding, Visit
from consultations.services.handoff import Content, is_changed_since_read
from consultations.teeth import FDI_TEETH
from patients.classification import PatientClass

TEXTS = {"awareness_note": 120, "trust_note": 120, "situation": 500, "opinion": 1000, "told_patient": 1000}
POINT_LENGTH, MOST_POINTS = 200, 3


class HandoffOut(serializers.ModelSerializer):
    """`changed_since_read`: the coordinator changed it after the doctor had acknowledged it."""

    changed_since_read = serializers.SerializerMethodField()

    class Meta:
        model = Handoff
        fields = [
            "id", "visit", "class_code", "class_reason", "awareness", "trust", "awareness_note", "trust_note",
            "situation", "opinion", "told_patient", "stress_points", "wished_words", "attached_exams", "attach_form",
            "saved_at", "sent_at", "sent_by", "acknowledged_at", "acknowledged_by", "changed_since_read", "version",
        ]  # fmt: skip
        read_only_fields = fields

    def get_changed_since_read(self, note: Handoff) -> bool:
        return is_changed_since_read(note)


class NoteParts(serializers.Serializer):
    """What the coordinator writes."""

    class_code = serializers.ChoiceField(choices=PatientClass.choices, required=False, allow_blank=True)
    class_reason = serializers.CharField(max_length=300, required=False, allow_blank=True)
    awareness = serializers.IntegerField(min_value=1, max_value=5, required=False, allow_null=True)
    trust = serializers.IntegerField(min_value=1, max_value=5, required=False, allow_null=True)
    awareness_note = serializers.CharField(max_length=TEXTS["awareness_note"], required=False, allow_blank=True)
    trust_note = serializers.CharField(max_length=TEXTS["trust_note"], required=False, allow_blank=True)
    situation = serializers.CharField(max_length=TEXTS["situation"], required=False, allow_blank=True)
    opinion = serializers.CharField(max_length=TEXTS["opinion"], required=False, allow_blank=True)
    told_patient = serializers.CharField(max_length=TEXTS["told_patient"], required=False, allow_blank=True)
    stress_points = serializers.ListField(
        child=serializers.CharField(max_length=POINT_LENGTH), max_length=MOST_POINTS, required=False
    )
    wished_words = serializers.CharField(max_length=300, required=False, allow_blank=True)
    attached_exams = serializers.ListField(child=serializers.IntegerField(min_value=1), max_length=100, required=False)
    attach_form = serializers.BooleanField(required=False)


class HandoffPatch(NoteParts):
    """Parts of the note; what is left out stays. `doctor`: who it was meant for, when another was sent it."""

    doctor = StaffField(required=False)


class HandoffIn(NoteParts):
    visit = ScopedField(Visit)


def content_of(data: Mapping[str, Any], stored: Content | None = None) -> Content:
    """Return a note's content with what was sent written over what is stored."""
    lists = {name: tuple(data[name]) for name in ("stress_points", "attached_exams") if name in data}
    return replace(stored or Content(), **{**data, **lists})


class SendIn(serializers.Serializer):
    """`doctor`: who treats; without it the visit's."""

    doctor = StaffField(required=False, allow_null=True, default=None)


class AskedOut(serializers.ModelSerializer):
    """`for_doctor`: the coordinator asks the doctor; else the doctor the coordinator."""

    visit = serializers.IntegerField(source="handoff.visit_id", read_only=True)

    class Meta:
        model = HandoffQuestion
        fields = [
            "id", "handoff", "visit", "for_doctor", "question", "asked_by", "asked_at", "answer", "answered_by",
            "answered_at",
        ]  # fmt: skip
        read_only_fields = fields


class AskIn(serializers.Serializer):
    visit = ScopedField(Visit)
    question = serializers.CharField(max_length=300)


class ReplyIn(serializers.Serializer):
    answer = serializers.CharField(max_length=500)


class FindingOut(serializers.ModelSerializer):
    class Meta:
        model = ToothFinding
        fields = ["id", "visit", "tooth", "kind", "at", "by"]
        read_only_fields = fields


class FindingIn(serializers.Serializer):
    visit = ScopedField(Visit)
    tooth = serializers.ChoiceField(choices=[(tooth, str(tooth)) for tooth in sorted(FDI_TEETH)])
    kind = serializers.ChoiceField(choices=ToothFinding.Kind.choices)
