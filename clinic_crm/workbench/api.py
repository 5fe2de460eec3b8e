"""What the API does that brings several apps together: classes and who brought whom, with what follows from them."""

from typing import Any

from django.utils.translation import gettext as _
from drf_spectacular.utils import OpenApiExample, extend_schema, extend_schema_serializer
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.api.problems import Problem
from accounts.api.views import Lists, Reads, Resource
from accounts.permissions import Permission
from clinic_crm.workbench.classifying import suggestion_for
from clinic_crm.workbench.patient_page import open_visit
from consultations.services.leaving import classify_visit
from consultations.stages import Stage
from followups.services.classes import set_class
from followups.services.referral_tasks import thank_referrer
from patients.api.records import (
    BIG,
    ClassChangeOut,
    ClassFilters,
    ReferralFilters,
    ReferralOut,
    patient_here,
)
from patients.classification import PatientClass
from patients.models import ClassChange, Patient, Referral, Registration
from patients.services import link_referral

P = Permission


@extend_schema_serializer(
    examples=[
        OpenApiExample(
            "as suggested",
            value={"patient": 4711, "class_code": "C-D", "awareness": 3, "trust": 4},
            request_only=True,
        )
    ]
)
class ClassIn(serializers.Serializer):
    """A class other than the suggested one needs a reason."""

    patient = serializers.IntegerField(min_value=1, max_value=BIG)
    class_code = serializers.ChoiceField(choices=PatientClass.choices)
    awareness = serializers.IntegerField(min_value=1, max_value=5)
    trust = serializers.IntegerField(min_value=1, max_value=5)
    reason = serializers.CharField(max_length=500, required=False, allow_blank=True, default="")
    is_correction = serializers.BooleanField(required=False, default=False)


class Classes(Lists, Reads, Resource):
    """Classifications, each with what was judged, suggested and decided."""

    tag, scope = "Patients", "patients"
    access = {"list": (P.VIEW_PATIENTS,), "retrieve": (P.VIEW_PATIENTS,), "create": (P.CLASSIFY,)}
    model = ClassChange
    serializer_class = ClassChangeOut
    serializers = {"create": ClassIn}
    filterset_class = ClassFilters
    order = ("-at", "-id")

    def rows(self) -> Any:
        return super().rows().select_related("by")

    @extend_schema(request=ClassIn, responses={201: ClassChangeOut})
    def create(self, request: Request) -> Response:
        """Classify a patient; the class's playbook starts, and a visit about to end counts as classified."""
        data = self.read(ClassIn)
        patient = patient_here(self, data.pop("patient"))
        suggestion = suggestion_for(patient, self.clinic, data["awareness"])
        judged = {"code": data.pop("class_code"), "suggestion": suggestion, "by": self.user, **data}
        registration = Registration.objects.for_clinic(self.clinic).select_related("patient").get(patient=patient)
        visit = open_visit(registration)
        if visit is not None and visit.stage == Stage.LEAVING:
            return self.made(classify_visit(visit=visit, **judged))
        return self.made(set_class(patient=patient, clinic=self.clinic, **judged))


class ReferralIn(serializers.Serializer):
    referrer = serializers.IntegerField(min_value=1, max_value=BIG)
    referred = serializers.IntegerField(min_value=1, max_value=BIG)


class Referrals(Lists, Reads, Resource):
    """Who brought whom."""

    tag, scope = "Patients", "patients"
    access = {"list": (P.EDIT_PATIENTS,), "retrieve": (P.EDIT_PATIENTS,), "create": (P.EDIT_PATIENTS,)}
    model = Referral
    serializer_class = ReferralOut
    serializers = {"create": ReferralIn}
    filterset_class = ReferralFilters
    order = ("-created_at", "-id")

    def rows(self) -> Any:
        return super().rows().select_related("referrer", "referred")

    @extend_schema(request=ReferralIn, responses={201: ReferralOut})
    def create(self, request: Request) -> Response:
        """Record who brought a patient; once for each, and never in a circle."""
        data = self.read(ReferralIn)
        referrer = Patient.objects.for_user(self.user).living().filter(pk=data["referrer"]).first()
        if referrer is None:
            raise Problem("invalid", errors={"referrer": [_("Nobody is found by this.")]})
        referred = patient_here(self, data["referred"], "referred")
        made = link_referral(referrer=referrer, referred=referred, clinic=self.clinic, by=self.user)
        thank_referrer(made, by=self.user)
        return self.made(made)
