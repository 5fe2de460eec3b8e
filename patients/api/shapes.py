"""Patients as they go out and come in."""

from datetime import date, time
from typing import Any

from django.core.exceptions import ValidationError as Refusal
from django.utils.translation import gettext as _
from drf_spectacular.utils import OpenApiExample, extend_schema_field, extend_schema_serializer
from rest_framework import serializers

from accounts.api.fields import PersonOut, StaffField
from accounts.permissions import Permission
from patients.classification import PatientClass
from patients.models import Channel, Patient, PatientPhone, Registration, Sex
from patients.phones import clean_number
from patients.services.details import PATIENT_FIELDS
from patients.typed import check_birth, clean_name

CONTACT_ONLY = ("occupation", "daily_rhythm", "region", "family", "call_from", "call_to", "call_tone", "notes")
LONGEST_TEXT = {"allergies": 200, "occupation": 80, "daily_rhythm": 120, "region": 200, "family": 120, "call_tone": 120}


class PhoneOut(serializers.ModelSerializer):
    """A number as it is shown until opened; `reveal` opens it, and is logged."""

    masked = serializers.CharField(read_only=True)
    whose = serializers.CharField(source="label", read_only=True)

    class Meta:
        model = PatientPhone
        fields = ["id", "masked", "whose"]
        read_only_fields = fields


class PatientRef(serializers.ModelSerializer):
    """A patient, as other things name them."""

    class Meta:
        model = Patient
        fields = ["id", "name", "class_code"]
        read_only_fields = fields


PATIENT_EXAMPLE = {
    "id": 4711, "number": "QH2611-0173", "clinic": "QH", "name": "沈雨薇", "sex": "f", "birth_date": "1990-04-02",
    "birth_day_known": True, "age": 36, "class_code": "C-D", "class_set_at": "2026-11-20T16:05:00+08:00",
    "awareness": 3, "trust": 4, "is_important": False, "owner": {"id": 12, "name": "谢美林"}, "doctor": None,
    "complaint": "缺牙", "channel": "referral", "channel_detail": "", "tags": ["种植"],
    "phones": [{"id": 9, "masked": "199****1734", "whose": ""}], "first_visit_on": "2026-11-20",
    "last_visit_on": "2026-11-20", "last_contact_on": None, "next_contact_on": "2026-11-23",
    "active_at": "2026-11-20T16:30:00+08:00", "allergies": "青霉素", "version": 3,
    "created_at": "2026-11-20T15:02:11+08:00", "updated_at": "2026-11-20T16:30:00+08:00",
}  # fmt: skip


class PatientRow(serializers.ModelSerializer):
    """A patient in a list: the person, and how this clinic knows them."""

    id = serializers.IntegerField(source="patient_id", read_only=True)
    clinic = serializers.CharField(source="clinic.code", read_only=True)
    name = serializers.CharField(source="patient.name", read_only=True)
    sex = serializers.ChoiceField(source="patient.sex", choices=Sex.choices, read_only=True)
    birth_date = serializers.DateField(source="patient.birth_date", read_only=True, allow_null=True)
    birth_day_known = serializers.BooleanField(source="patient.birth_day_known", read_only=True)
    age = serializers.IntegerField(source="patient.age", read_only=True, allow_null=True)
    class_code = serializers.ChoiceField(
        source="patient.class_code", choices=[("", ""), *PatientClass.choices], read_only=True
    )
    class_set_at = serializers.DateTimeField(source="patient.class_set_at", read_only=True, allow_null=True)
    awareness = serializers.IntegerField(source="patient.awareness", read_only=True, allow_null=True)
    trust = serializers.IntegerField(source="patient.trust", read_only=True, allow_null=True)
    is_important = serializers.BooleanField(source="patient.is_important", read_only=True)
    owner = PersonOut(read_only=True, allow_null=True)
    doctor = PersonOut(read_only=True, allow_null=True)
    phones = serializers.SerializerMethodField()
    channel = serializers.SerializerMethodField()
    channel_detail = serializers.SerializerMethodField()
    tags = serializers.SerializerMethodField()
    allergies = serializers.CharField(source="patient.allergies", read_only=True)
    version = serializers.IntegerField(source="patient.version", read_only=True)
    updated_at = serializers.DateTimeField(source="patient.updated_at", read_only=True)

    class Meta:
        model = Registration
        fields = [
            "id", "number", "clinic", "name", "sex", "birth_date", "birth_day_known", "age", "class_code",
            "class_set_at", "awareness", "trust", "is_important", "owner", "doctor", "complaint", "channel",
            "channel_detail", "tags", "phones", "first_visit_on", "last_visit_on", "last_contact_on",
            "next_contact_on", "active_at", "allergies", "version", "created_at", "updated_at",
        ]  # fmt: skip
        read_only_fields = fields

    def sees(self, *permissions: Permission) -> bool:
        view = self.context["view"]
        return any(view.may(permission) for permission in permissions)

    @extend_schema_field(PhoneOut(many=True))
    def get_phones(self, row: Registration) -> Any:
        if not self.sees(Permission.REVEAL_CONTACT, Permission.CALL_PATIENTS):
            return []
        return PhoneOut(row.patient.phones.all(), many=True).data

    def get_channel(self, row: Registration) -> str | None:
        """How they came; null for roles that do not see how a patient is reached."""
        return row.channel if self.sees(Permission.REVEAL_CONTACT) else None

    def get_channel_detail(self, row: Registration) -> str | None:
        return row.channel_detail if self.sees(Permission.REVEAL_CONTACT) else None

    def get_tags(self, row: Registration) -> list[str]:
        return row.tags if self.sees(Permission.REVEAL_CONTACT) else []


class ContactOut(serializers.ModelSerializer):
    """What is known of a person's life, and when to call."""

    has_wechat = serializers.BooleanField(source="wechat_id", read_only=True)
    has_qq = serializers.BooleanField(source="qq", read_only=True)

    class Meta:
        model = Patient
        fields = [*CONTACT_ONLY, "has_wechat", "has_qq", "wechat_linked_at"]
        read_only_fields = fields


@extend_schema_serializer(
    examples=[
        OpenApiExample(
            "a patient",
            value=PATIENT_EXAMPLE
            | {"medical_notes": "", "guardian": None, "guardian_name": "", "guardian_relation": "", "contact": None},
            response_only=True,
        )
    ]
)
class PatientOut(PatientRow):
    """One patient. `contact` is null for roles that do not see how a patient is reached."""

    medical_notes = serializers.CharField(source="patient.medical_notes", read_only=True)
    guardian = serializers.IntegerField(source="patient.guardian_id", read_only=True, allow_null=True)
    guardian_name = serializers.CharField(source="patient.guardian_name", read_only=True)
    guardian_relation = serializers.CharField(source="patient.guardian_relation", read_only=True)
    contact = serializers.SerializerMethodField()

    class Meta(PatientRow.Meta):
        fields = [*PatientRow.Meta.fields, "medical_notes", "guardian", "guardian_name", "guardian_relation", "contact"]
        read_only_fields = fields

    @extend_schema_field(ContactOut(allow_null=True))
    def get_contact(self, row: Registration) -> Any:
        return ContactOut(row.patient).data if self.sees(Permission.REVEAL_CONTACT) else None


# --- what comes in -----------------------------------------------------------------------------------


class NumberField(serializers.CharField):
    """A phone number as people type it; read to its digits."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(max_length=40, **kwargs)

    def to_internal_value(self, data: Any) -> str:
        try:
            return clean_number(super().to_internal_value(data))
        except Refusal as error:
            raise serializers.ValidationError(list(error.messages))


class PhoneIn(serializers.Serializer):
    number = NumberField()
    whose = serializers.CharField(max_length=20, required=False, allow_blank=True, default="")


class TagsField(serializers.ListField):
    child = serializers.CharField(max_length=40)

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(max_length=30, **kwargs)

    def to_internal_value(self, data: Any) -> list[str]:
        return list(dict.fromkeys(super().to_internal_value(data)))


class PersonIn(serializers.Serializer):
    """What adding and editing have in common."""

    name = serializers.CharField(max_length=120)
    sex = serializers.ChoiceField(choices=Sex.choices, required=False, allow_blank=True)
    birth_date = serializers.DateField(required=False, allow_null=True)
    birth_day_known = serializers.BooleanField(required=False)
    channel = serializers.ChoiceField(choices=Channel.choices, required=False, allow_blank=True)
    channel_detail = serializers.CharField(max_length=120, required=False, allow_blank=True)
    complaint = serializers.CharField(max_length=200, required=False, allow_blank=True)
    owner = StaffField(required=False, allow_null=True)
    tags = TagsField(required=False)

    def validate_name(self, value: str) -> str:
        try:
            return clean_name(value)
        except Refusal as error:
            raise serializers.ValidationError(list(error.messages))

    def validate_birth_date(self, value: date | None) -> date | None:
        try:
            check_birth(value, self.context["view"].clinic.today())
        except Refusal as error:
            raise serializers.ValidationError(list(error.messages))
        return value


@extend_schema_serializer(
    examples=[
        OpenApiExample(
            "a new patient",
            value={"name": "沈雨薇", "phones": [{"number": "199 0000 1734"}], "sex": "f", "complaint": "缺牙"},
            request_only=True,
        )
    ]
)
class PatientIn(PersonIn):
    """A new patient. With the same name and number as somebody known: 409, unless `same_person_is_another`."""

    phones = PhoneIn(many=True, required=False)
    referrer = serializers.IntegerField(required=False, allow_null=True, min_value=1, max_value=10**15)
    same_person_is_another = serializers.BooleanField(required=False, default=False)


@extend_schema_serializer(
    examples=[OpenApiExample("another doctor", value={"doctor": 15, "tags": ["种植", "周末"]}, request_only=True)]
)
class PatientChange(PersonIn):
    """What changes; what is not named stays as it is."""

    name = serializers.CharField(max_length=120, required=False)
    doctor = StaffField(required=False, allow_null=True)
    medical_notes = serializers.CharField(max_length=4000, required=False, allow_blank=True)
    notes = serializers.CharField(max_length=8000, required=False, allow_blank=True)
    call_from = serializers.TimeField(required=False, allow_null=True)
    call_to = serializers.TimeField(required=False, allow_null=True)
    wechat_id = serializers.CharField(max_length=64, required=False, allow_blank=True)
    qq = serializers.CharField(max_length=20, required=False, allow_blank=True)
    is_important = serializers.BooleanField(required=False)
    guardian_name = serializers.CharField(max_length=60, required=False, allow_blank=True)
    guardian_relation = serializers.CharField(max_length=20, required=False, allow_blank=True)
    add_phones = PhoneIn(many=True, required=False)
    remove_phones = serializers.ListField(child=serializers.IntegerField(min_value=1, max_value=10**15), required=False)

    def get_fields(self) -> dict[str, Any]:
        texts = {
            name: serializers.CharField(max_length=most, required=False, allow_blank=True)
            for name, most in LONGEST_TEXT.items()
        }
        return super().get_fields() | texts

    def validate(self, data: dict[str, Any]) -> dict[str, Any]:
        patient = self.context["patient"]
        ends: tuple[time | None, ...] = tuple(
            data.get(name, getattr(patient, name)) for name in ("call_from", "call_to")
        )
        if (ends[0] is None) != (ends[1] is None):
            missing = "call_to" if ends[1] is None else "call_from"
            raise serializers.ValidationError({missing: [_("Give both ends of the hours, or neither.")]})
        return data


assert set(PATIENT_FIELDS) <= {*PatientChange().get_fields()}


class AllergiesIn(serializers.Serializer):
    """What treating must heed."""

    allergies = serializers.CharField(max_length=200, allow_blank=True)
    medical_notes = serializers.CharField(max_length=4000, allow_blank=True)


class RevealIn(serializers.Serializer):
    what = serializers.ChoiceField(choices=["phone", "wechat", "qq"])
    phone = serializers.IntegerField(required=False, min_value=1, max_value=10**15, help_text="Id of the number.")


class RevealOut(serializers.Serializer):
    what = serializers.CharField()
    value = serializers.CharField()


class PhoneCheckIn(serializers.Serializer):
    number = NumberField()


class SameNumberOut(serializers.Serializer):
    """Somebody who has the number already; `clinic` is the code of where they are registered."""

    id = serializers.IntegerField(source="patient_id")
    name = serializers.CharField(source="patient.name")
    number = serializers.CharField()
    clinic = serializers.CharField(source="clinic.code")


class PhoneCheckOut(serializers.Serializer):
    here = SameNumberOut(many=True)
    elsewhere = serializers.IntegerField(help_text="How many people of the group's other clinics have it.")


class WechatIn(serializers.Serializer):
    guardian = serializers.BooleanField(required=False, default=False)


class GuardianIn(serializers.Serializer):
    guardian = serializers.IntegerField(allow_null=True, min_value=1, max_value=10**15)
    relation = serializers.CharField(max_length=20, allow_blank=True, required=False, default="")
