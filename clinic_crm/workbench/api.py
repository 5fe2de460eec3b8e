"""What the API does that brings several apps together: classes and who brought whom, with what follows from them."""

from typing import Any

from django.utils.translation import gettext as _
from drf_spectacular.utils import OpenApiExample, extend_schema, extend_schema_serializer
from rest_framework import serializers
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.api.fields import MoneyField, NothingIn
from accounts.api.problems import Problem
from accounts.api.views import Lists, Reads, Resource
from accounts.permissions import Permission
from clinic_crm.workbench.classifying import suggestion_for
from clinic_crm.workbench.patient_page import open_visit
from consultations.services.leaving import classify_visit
from consultations.stages import Stage
from followups.services.classes import set_class
from followups.services.referral_tasks import refer, take_referral_back, take_thanks_back, thank
from followups.services.wechat import add_wechat, take_wechat_back
from patients.api.patients import Patients
from patients.api.records import (
    BIG,
    ClassChangeOut,
    ClassFilters,
    ReferralFilters,
    ReferralOut,
    patient_here,
)
from patients.api.shapes import PatientOut, WechatIn
from patients.classification import PatientClass
from patients.models import ClassChange, Patient, Referral, ReferralThanks, Registration

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


class PatientWechat(Patients):
    """Adding a patient on WeChat, with the tasks that asked for it."""

    access = dict.fromkeys(("wechat", "undo_wechat"), (P.EDIT_PATIENTS,))
    serializers = {"wechat": WechatIn, "undo_wechat": NothingIn}

    @extend_schema(request=WechatIn, responses=PatientOut)
    def wechat(self, request: Request, pk: int) -> Response:
        """Record that the patient, or a minor's guardian, was added on WeChat; the first time is kept."""
        row, data = self.found(), self.read(WechatIn)
        add_wechat(patient=row.patient, clinic=self.clinic, by=self.user, guardian=data["guardian"])
        return self.told(row)

    @extend_schema(request=NothingIn, responses=PatientOut)
    def undo_wechat(self, request: Request, pk: int) -> Response:
        """They were not added after all; what waited for it is open again. A manager says so on a later day."""
        row = self.found()
        self.read(NothingIn)
        take_wechat_back(patient=row.patient, clinic=self.clinic, by=self.user)
        return self.told(row)


class ReferralIn(serializers.Serializer):
    referrer = serializers.IntegerField(min_value=1, max_value=BIG)
    referred = serializers.IntegerField(min_value=1, max_value=BIG)


@extend_schema_serializer(
    examples=[OpenApiExample("a gift", value={"how": "洁牙券一张", "cost": "120.00"}, request_only=True)]
)
class ThanksIn(serializers.Serializer):
    """How a referrer was thanked; the cost in yuan."""

    how = serializers.CharField(max_length=120)
    cost = MoneyField(min_value=0, required=False, default=0)


class Referrals(Lists, Reads, Resource):
    """Who brought whom."""

    tag, scope = "Patients", "patients"
    access = dict.fromkeys(("list", "retrieve", "create", "destroy"), (P.EDIT_PATIENTS,)) | {
        "thanks": (P.RECORD_CARE,),
        "undo_thanks": (P.RECORD_CARE,),
    }
    model = Referral
    serializer_class = ReferralOut
    serializers = {"create": ReferralIn, "thanks": ThanksIn, "undo_thanks": NothingIn}
    if_match = ("thanks", "undo_thanks")
    filterset_class = ReferralFilters
    order = ("-created_at", "-id")

    def rows(self) -> Any:
        return super().rows().select_related("referrer", "referred", "thanks")

    @extend_schema(request=ReferralIn, responses={201: ReferralOut})
    def create(self, request: Request) -> Response:
        """Record who brought a patient; once for each, and never in a circle."""
        data = self.read(ReferralIn)
        referrer = Patient.objects.for_user(self.user).living().filter(pk=data["referrer"]).first()
        if referrer is None:
            raise Problem("invalid", errors={"referrer": [_("Nobody is found by this.")]})
        referred = patient_here(self, data["referred"], "referred")
        return self.made(refer(referrer=referrer, referred=referred, clinic=self.clinic, by=self.user))

    @extend_schema(responses={204: None})
    def destroy(self, request: Request, pk: int) -> Response:
        """It was somebody else: the link goes, with the thanks owed for it; a manager's, once it counts."""
        take_referral_back(referral=self.found(), by=self.user)
        return self.answer(status=204)

    @extend_schema(request=ThanksIn, responses=ReferralOut)
    @action(detail=True, methods=["post"])
    def thanks(self, request: Request, pk: int) -> Response:
        """Note how the referrer was thanked; once, and only for a referral that counts."""
        referral, data = self.found(), self.read(ThanksIn)
        row = ReferralThanks.objects.filter(referral=referral).first()
        if row is None:
            raise Problem("conflict", detail=_("No thanks are owed for this referral."))
        thank(row=row, by=self.user, **data)
        return self.told(referral)

    @extend_schema(request=NothingIn, responses=ReferralOut)
    @action(detail=True, methods=["post"], url_path="thanks/undo")
    def undo_thanks(self, request: Request, pk: int) -> Response:
        """The referrer was not thanked after all, or otherwise: the thanks are owed again."""
        referral = self.found()
        self.read(NothingIn)
        row = ReferralThanks.objects.filter(referral=referral).first()
        if row is None:
            raise Problem("conflict", detail=_("No thanks are owed for this referral."))
        take_thanks_back(row=row, by=self.user)
        return self.told(referral)
