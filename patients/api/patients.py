"""Patients: finding, adding, editing, opening a number."""

from collections.abc import Iterable
from typing import Any

import django_filters
from django.db.models import Prefetch, QuerySet
from django.shortcuts import get_object_or_404
from django.utils.translation import gettext as _
from drf_spectacular.utils import OpenApiParameter, OpenApiResponse, extend_schema
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.api.filters import FilterSet, Since
from accounts.api.paging import limit_of
from accounts.api.problems import Problem
from accounts.api.views import Lists, Reads, Resource
from accounts.permissions import Permission
from patients import naming
from patients.api import shapes
from patients.classification import PatientClass
from patients.models import Channel, Patient, PatientPhone, Registration
from patients.queries import same_number
from patients.search import find
from patients.services import NewPatient, register_patient, reveal_contact, set_allergies, update_patient
from patients.services.details import PATIENT_FIELDS, REGISTRATION_FIELDS
from patients.services.guardians import set_guardian

P = Permission
SEES_CLOSED = (P.TREAT, P.ANSWER_RIGHTS)  # a record closed after erasure


class PatientFilters(FilterSet):
    """`channel` and `tag` are for roles that see how a patient is reached."""

    class_code = django_filters.MultipleChoiceFilter(
        field_name="patient__class_code", choices=[("none", "none"), *PatientClass.choices], method="by_class"
    )
    owner = django_filters.NumberFilter(min_value=1, max_value=10**15)
    doctor = django_filters.NumberFilter(min_value=1, max_value=10**15)
    channel = django_filters.ChoiceFilter(choices=Channel.choices, method="by_contact")
    tag = django_filters.CharFilter(max_length=40, method="by_tag")
    important = django_filters.BooleanFilter(field_name="patient__is_important")
    number = django_filters.CharFilter(max_length=24)
    phone_last4 = django_filters.CharFilter(
        min_length=4, max_length=4, method="by_tail", help_text="The last four digits of a number."
    )
    active_from = Since("active_at")
    updated_from = Since("patient__updated_at")

    class Meta:
        model = Registration
        fields: list[str] = []

    def _check(self) -> None:
        if not self.request.user.may(P.REVEAL_CONTACT, self.clinic):
            raise Problem("forbidden")

    def by_class(self, rows: Any, name: str, value: list[str]) -> Any:
        return (
            rows.filter(patient__class_code__in=["" if code == "none" else code for code in value]) if value else rows
        )

    def by_contact(self, rows: Any, name: str, value: str) -> Any:
        self._check()
        return rows.filter(**{name: value})

    def by_tag(self, rows: Any, name: str, value: str) -> Any:
        self._check()
        return rows.filter(tags__contains=[value])

    def by_tail(self, rows: Any, name: str, value: str) -> Any:
        return rows.filter(patient__in=PatientPhone.objects.filter(last4=value).values("patient"))


class Patients(Lists, Reads, Resource):
    """People registered in the clinic; the id is the person's, the same in every clinic of the group."""

    tag, scope = "Patients", "patients"
    access = {
        "list": (P.VIEW_PATIENTS,),
        "retrieve": (P.VIEW_PATIENTS,),
        "search": (P.VIEW_PATIENTS,),
        "create": (P.QUICK_ADD,),
        "check_phone": (P.QUICK_ADD,),
        "partial_update": (P.EDIT_PATIENTS,),
        "allergies": (P.EDIT_PATIENTS, P.TREAT, P.CAPTURE_EXAM),
        "reveal": (P.REVEAL_CONTACT, P.CALL_PATIENTS),
        "guardian": (P.EDIT_PATIENTS,),
    }
    only_read = ("check_phone", "reveal")
    if_match = ("allergies",)
    held = {"allergies": ("patient",)}
    model = Registration
    lookup = "patient_id"
    serializer_class = shapes.PatientOut
    serializers = {
        "create": shapes.PatientIn,
        "partial_update": shapes.PatientChange,
        "allergies": shapes.AllergiesIn,
        "reveal": shapes.RevealIn,
        "check_phone": shapes.PhoneCheckIn,
        "guardian": shapes.GuardianIn,
    }
    filterset_class = PatientFilters
    order = ("-active_at", "-id")

    def rows(self) -> QuerySet[Registration]:
        found: QuerySet[Registration] = super().rows().filter(patient__merged_into=None)
        if self.action in ("list", "search") or not any(self.may(permission) for permission in SEES_CLOSED):
            found = found.filter(patient__restricted_at=None)
        phones = Prefetch("patient__phones", PatientPhone.objects.order_by("position", "id"))
        return found.select_related("patient", "clinic", "owner", "doctor").prefetch_related(phones)

    def get_serializer_class(self) -> Any:
        return shapes.PatientRow if self.action in ("list", "search") else shapes.PatientOut

    def version_of(self, row: Registration) -> str:
        return str(row.patient.version)

    def known_names(self) -> set[str]:
        return super().known_names() | ({"q", "limit"} if self.action == "search" else set())

    # --- finding -----------------------------------------------------------------------------------

    @extend_schema(
        parameters=[
            OpenApiParameter("q", str, required=True, description="A name, pinyin, initials, the end of a number …"),
            OpenApiParameter("limit", {"type": "integer", "minimum": 1, "maximum": 20}, description="20 without it."),
        ],
        responses=shapes.PatientRow(many=True),
        filters=False,
    )
    @action(detail=False, methods=["get"], pagination_class=None)
    def search(self, request: Request) -> Response:
        """Find by name, pinyin, initials, the end of a number, patient number or card number; best first, 20 at most."""
        said = request.query_params.get("q")
        if said is None:
            raise Problem("bad-request", errors={"q": [_("Say what to look for.")]})
        limit = min(limit_of(request), 20)
        hits = [hit for hit in find(said, user=self.user, clinic=self.clinic, limit=limit) if not hit.elsewhere]
        by_pk = {row.pk: row for row in self.rows().filter(pk__in=[hit.registration.pk for hit in hits])}
        found = [by_pk[hit.registration.pk] for hit in hits if hit.registration.pk in by_pk]
        return self.answer(self.shown_many(found))

    @extend_schema(responses=shapes.PhoneCheckOut)
    @action(detail=False, methods=["post"], url_path="check-phone", url_name="check-phone")
    def check_phone(self, request: Request) -> Response:
        """Say who has a number already: by name in one's own clinics, only counted elsewhere."""
        number = self.read(shapes.PhoneCheckIn)["number"]
        here, elsewhere = same_number(number, self.user)
        people = len({row.patient_id for row in elsewhere})
        return self.answer(shapes.PhoneCheckOut({"here": here, "elsewhere": people}).data)

    # --- writing -----------------------------------------------------------------------------------

    @extend_schema(request=shapes.PatientIn, responses={201: shapes.PatientOut})
    def create(self, request: Request) -> Response:
        """Add a patient. Somebody of the same name with the same number: 409, with `duplicates`."""
        data = self.read(shapes.PatientIn)
        phones = [(phone["number"], phone["whose"]) for phone in data.pop("phones", [])]
        if not data.pop("same_person_is_another"):
            self._check_twins(data["name"], phones)
        if (referrer := data.pop("referrer", None)) is not None:
            data["referrer"] = self._person("referrer", referrer)
        return self.made(register_patient(clinic=self.clinic, details=NewPatient(phones=phones, **data), by=self.user))

    def _check_twins(self, name: str, phones: Iterable[tuple[str, str]]) -> None:
        key = naming.compare_key(name)
        rows = [row for number, _whose in phones for row in same_number(number, self.user)[0]]
        twins = [row for row in rows if row.patient.name_key == key]
        if twins:
            found = shapes.SameNumberOut(twins, many=True).data
            raise Problem("conflict", _("Somebody of this name has this number already."), duplicates=found)

    def _person(self, field: str, pk: int) -> Patient:
        found: Patient | None = Patient.objects.for_user(self.user).living().filter(pk=pk).first()
        if found is None:
            raise Problem("invalid", errors={field: [_("Nobody is found by this.")]})
        return found

    @extend_schema(request=shapes.PatientChange, responses=shapes.PatientOut)
    def partial_update(self, request: Request, pk: int) -> Response:
        """Change what is named of a person and of how the clinic knows them."""
        row = self.found()
        self.patient = row.patient
        data = self.read(shapes.PatientChange)
        add = [(phone["number"], phone["whose"]) for phone in data.pop("add_phones", [])]
        remove = data.pop("remove_phones", [])
        values = {name: value for name, value in data.items() if name in (*PATIENT_FIELDS, *REGISTRATION_FIELDS)}
        version = int(self.expected_version)
        update_patient(
            registration=row, values=values, version=version, by=self.user, add_phones=add, remove_phones=remove
        )
        return self.told(row)

    def serializer_context(self) -> dict[str, Any]:
        return super().serializer_context() | {"patient": getattr(self, "patient", None)}

    @extend_schema(request=shapes.AllergiesIn, responses=shapes.PatientOut)
    @action(detail=True, methods=["post"])
    def allergies(self, request: Request, pk: int) -> Response:
        """Write what treating must heed; open to everybody who treats."""
        row = self.found()
        set_allergies(patient=row.patient, clinic=self.clinic, by=self.user, **self.read(shapes.AllergiesIn))
        return self.told(row)

    @extend_schema(request=shapes.RevealIn, responses=shapes.RevealOut)
    @action(detail=True, methods=["post"])
    def reveal(self, request: Request, pk: int) -> Response:
        """Open one number or id in full; logged."""
        row, data = self.found(), self.read(shapes.RevealIn)
        phone = None
        if data["what"] == "phone":
            phone = get_object_or_404(PatientPhone.objects.filter(patient=row.patient_id), pk=data.get("phone", 0))
        elif not self.may(P.REVEAL_CONTACT):
            raise Problem("forbidden")
        value = reveal_contact(patient=row.patient, clinic=self.clinic, what=data["what"], by=self.user, phone=phone)
        return self.answer({"what": data["what"], "value": value})

    @extend_schema(
        request=shapes.GuardianIn, responses={200: OpenApiResponse(shapes.PatientOut, description="The patient.")}
    )
    @action(detail=True, methods=["post"])
    def guardian(self, request: Request, pk: int) -> Response:
        """Name the record of a patient's guardian; null for none."""
        row, data = self.found(), self.read(shapes.GuardianIn)
        guardian = self._person("guardian", data["guardian"]) if data["guardian"] is not None else None
        relation = data["relation"]
        set_guardian(patient=row.patient, guardian=guardian, relation=relation, clinic=self.clinic, by=self.user)
        return self.told(row)
