"""What belongs to a patient: registrations in clinics, who brought whom, what was done for them."""

from typing import Any

import django_filters
from django.utils.translation import gettext as _
from drf_spectacular.utils import OpenApiExample, extend_schema, extend_schema_serializer
from rest_framework import serializers
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.api.fields import MomentField, MoneyField, NothingIn, PersonOut
from accounts.api.filters import FilterSet, Since
from accounts.api.problems import Problem
from accounts.api.views import Lists, Reads, Resource
from accounts.permissions import Permission
from patients.api.shapes import NumberField, PatientRef
from patients.models import CareAction, ClassChange, Consent, Patient, Referral, Registration
from patients.services import register_in_clinic
from patients.services.care import record_care, undo_care

P = Permission
BIG = 10**15


def patient_here(view: Resource, pk: int, field: str = "patient") -> Patient:
    """Return a patient of the clinic by id. Raises Problem (422) naming the field."""
    found: Patient | None = Patient.objects.for_clinic(view.clinic).living().filter(pk=pk).first()
    if found is None:
        raise Problem("invalid", errors={field: [_("No such patient in this clinic.")]})
    return found


class OfPatient(FilterSet):
    patient = django_filters.NumberFilter(min_value=1, max_value=BIG)


class RegistrationOut(serializers.ModelSerializer):
    clinic = serializers.CharField(source="clinic.code", read_only=True)
    patient = PatientRef(read_only=True)
    owner = PersonOut(read_only=True, allow_null=True)

    class Meta:
        model = Registration
        fields = ["id", "clinic", "patient", "number", "owner", "first_visit_on", "last_visit_on", "created_at"]
        read_only_fields = fields


class RegistrationIn(serializers.Serializer):
    """Somebody of the group, known in another clinic; the exact number is the proof."""

    patient = serializers.IntegerField(min_value=1, max_value=BIG)
    phone = NumberField()


class RegistrationFilters(OfPatient):
    created_from = Since("created_at")

    class Meta:
        model = Registration
        fields: list[str] = []


class Registrations(Lists, Reads, Resource):
    """Patients' registrations: in this clinic; with ?patient=, that person's in every clinic one works in."""

    tag, scope = "Patients", "patients"
    access = {"list": (P.VIEW_PATIENTS,), "retrieve": (P.VIEW_PATIENTS,), "create": (P.QUICK_ADD,)}
    model = Registration
    serializer_class = RegistrationOut
    serializers = {"create": RegistrationIn}
    filterset_class = RegistrationFilters
    order = ("-active_at", "-id")

    def rows(self) -> Any:
        rows = Registration.objects.for_user(self.user, P.VIEW_PATIENTS).filter(patient__restricted_at=None)
        if self.action != "list" or not self.request.query_params.get("patient"):
            rows = rows.for_clinic(self.clinic)
        return rows.filter(patient__merged_into=None).select_related("clinic", "patient", "owner")

    @extend_schema(request=RegistrationIn, responses={201: RegistrationOut})
    def create(self, request: Request) -> Response:
        """Register a person of the group here, proven by the exact number; logged. Once: a second time the same."""
        data = self.read(RegistrationIn)
        patient = Patient.objects.living().filter(pk=data["patient"]).first()  # any of the group: the number proves it
        if patient is None:
            raise Problem("invalid", errors={"phone": [_("This number is not theirs.")]})
        return self.made(register_in_clinic(patient=patient, clinic=self.clinic, phone=data["phone"], by=self.user))


class ConsentOut(serializers.ModelSerializer):
    """One statement on one purpose; the latest holds."""

    by = PersonOut(read_only=True, allow_null=True)

    class Meta:
        model = Consent
        fields = ["id", "patient", "purpose", "given", "wording_version", "channel", "guardian", "at", "by"]
        read_only_fields = fields


class ConsentFilters(OfPatient):
    purpose = django_filters.MultipleChoiceFilter(choices=Consent._meta.get_field("purpose").choices)
    given = django_filters.BooleanFilter()

    class Meta:
        model = Consent
        fields: list[str] = []


class ClassChangeOut(serializers.ModelSerializer):
    """One classification: what was judged, suggested and decided."""

    by = PersonOut(read_only=True, allow_null=True)

    class Meta:
        model = ClassChange
        fields = [
            "id", "patient", "old_class", "new_class", "awareness", "trust", "suggested", "reason", "is_correction",
            "at", "by",
        ]  # fmt: skip
        read_only_fields = fields


class ClassFilters(OfPatient):
    new_class = django_filters.CharFilter(max_length=3)
    at_from = Since("at")

    class Meta:
        model = ClassChange
        fields: list[str] = []


class ReferralOut(serializers.ModelSerializer):
    """Who brought whom; it counts from `effective_at`, when the referred person was received, and thanks are owed."""

    referrer = PatientRef(read_only=True)
    referred = PatientRef(read_only=True)
    thanked_at = serializers.DateTimeField(source="thanks.given_at", read_only=True, allow_null=True)
    thanked_how = serializers.CharField(source="thanks.how", read_only=True, allow_null=True)

    class Meta:
        model = Referral
        fields = ["id", "referrer", "referred", "effective_at", "thanked_at", "thanked_how", "created_at"]
        read_only_fields = fields


class ReferralFilters(FilterSet):
    referrer = django_filters.NumberFilter(min_value=1, max_value=BIG)
    referred = django_filters.NumberFilter(min_value=1, max_value=BIG)
    effective = django_filters.BooleanFilter(field_name="effective_at", lookup_expr="isnull", exclude=True)

    class Meta:
        model = Referral
        fields: list[str] = []


class CareOut(serializers.ModelSerializer):
    """One thing done for a patient; `undone` when it was taken back."""

    by = PersonOut(read_only=True, allow_null=True)
    undone = serializers.SerializerMethodField()

    class Meta:
        model = CareAction
        fields = ["id", "patient", "kind", "note", "cost", "at", "by", "undone"]
        read_only_fields = fields

    def get_undone(self, row: CareAction) -> bool:
        return bool(getattr(row, "undone_by", None))


@extend_schema_serializer(
    examples=[OpenApiExample("brushing", value={"patient": 4711, "kind": "tbi", "note": "电动牙刷"}, request_only=True)]
)
class CareIn(serializers.Serializer):
    patient = serializers.IntegerField(min_value=1, max_value=BIG)
    kind = serializers.ChoiceField(choices=CareAction.Kind.choices)
    note = serializers.CharField(max_length=200, required=False, allow_blank=True, default="")
    cost = MoneyField(required=False, min_value=0, default=0)
    at = MomentField(required=False, allow_null=True, default=None)


class CareFilters(OfPatient):
    kind = django_filters.MultipleChoiceFilter(choices=CareAction.Kind.choices)
    at_from = Since("at")

    class Meta:
        model = CareAction
        fields: list[str] = []


class Care(Lists, Reads, Resource):
    """What was done for patients to raise awareness or trust."""

    tag, scope = "Patients", "patients"
    access = dict.fromkeys(("list", "retrieve", "create", "undo"), (P.RECORD_CARE,))
    model = CareAction
    serializer_class = CareOut
    serializers = {"create": CareIn, "undo": NothingIn}
    filterset_class = CareFilters
    order = ("-at", "-id")

    def rows(self) -> Any:
        return super().rows().filter(undoes=None).select_related("by", "undone_by", "patient", "clinic")

    @extend_schema(request=CareIn, responses={201: CareOut})
    def create(self, request: Request) -> Response:
        """Record one thing done."""
        data = self.read(CareIn)
        patient = patient_here(self, data.pop("patient"))
        made = record_care(patient=patient, clinic=self.clinic, by=self.user, **data)
        assert made is not None  # only what names a subject is once for each
        return self.made(made)

    @extend_schema(request=None, responses=CareOut)
    @action(detail=True, methods=["post"])
    def undo(self, request: Request, pk: int) -> Response:
        """Take a record back; both stay in the history."""
        row = self.found()
        self.read(NothingIn)
        undo_care(action=row, by=self.user)
        return self.told(row)
