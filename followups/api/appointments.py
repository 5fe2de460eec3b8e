"""Appointments: booking, moving, what became of them; and the times that are free."""

from datetime import timedelta
from typing import Any

import django_filters
from django.utils import timezone
from django.utils.translation import gettext as _
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.api.fields import MomentField, NothingIn, ScopedField, StaffField
from accounts.api.filters import FilterSet, Since
from accounts.api.problems import Problem
from accounts.api.views import ApiView, Lists, Reads, Resource
from accounts.permissions import Permission
from followups.models import AbsenceReason, Appointment, AppointmentChange, Room, Side
from followups.services import booking
from followups.services.availability import check_open, free_slots, length_of, suggest_slots
from followups.services.outcomes import correct_outcome, say_why
from patients.models import Patient

P = Permission
CANCELLED = [
    (status.value, status.label)
    for status in (
        Appointment.Status.CANCELLED_PATIENT, Appointment.Status.CANCELLED_CLINIC, Appointment.Status.NO_SHOW,
        Appointment.Status.ERROR,
    )
]  # fmt: skip
MOST_DAYS = 31


class RoomOut(serializers.ModelSerializer):
    class Meta:
        model = Room
        fields = ["id", "name", "is_active"]
        read_only_fields = fields


class Rooms(Lists, Reads, Resource):
    """Rooms and chairs of the clinic."""

    tag, scope = "Appointments", "appointments"
    access = {"list": (P.VIEW_TODAY,), "retrieve": (P.VIEW_TODAY,)}
    model = Room
    serializer_class = RoomOut


class AppointmentOut(serializers.ModelSerializer):
    """`moved_from`: the one this takes the place of. `is_late`: it ended within the clinic's threshold."""

    class Meta:
        model = Appointment
        fields = [
            "id", "patient", "doctor", "room", "kind", "starts_at", "ends_at", "status", "purpose", "moved_from",
            "ended_at", "is_late", "absence_reason", "absence_side", "absence_note", "created_at", "created_by",
        ]  # fmt: skip
        read_only_fields = fields


class TimesIn(serializers.Serializer):
    """When, with whom and where; at least a doctor or a room. Without `ends_at`: the usual length of the kind."""

    doctor = StaffField(required=False, allow_null=True, default=None)
    room = ScopedField(Room, required=False, allow_null=True, default=None)
    starts_at = MomentField()
    ends_at = MomentField(required=False, allow_null=True, default=None)
    insist = serializers.BooleanField(
        required=False, default=False, help_text="Outside the hours all the same, where a refusal says `may_insist`."
    )


class BookIn(TimesIn):
    patient = ScopedField(Patient)
    kind = serializers.ChoiceField(choices=Appointment.Kind.choices)
    purpose = serializers.CharField(max_length=200, required=False, allow_blank=True, default="")


class WhyIn(serializers.Serializer):
    """Why the patient does not come; `absence_side`: by default the usual one of the reason."""

    absence_reason = serializers.ChoiceField(
        choices=AbsenceReason.choices, required=False, allow_blank=True, default=""
    )
    absence_side = serializers.ChoiceField(choices=Side.choices, required=False, allow_blank=True, default="")
    reason = serializers.CharField(max_length=300, required=False, allow_blank=True, default="")


class FellThroughIn(WhyIn):
    """How and why it fell through after all; without `outcome` that stays as it was noted."""

    outcome = serializers.ChoiceField(choices=CANCELLED, required=False)


class MoveAppointmentIn(TimesIn, WhyIn):
    """The new time. Doctor and room are as sent: name the old ones to keep them."""


class CancelIn(WhyIn):
    outcome = serializers.ChoiceField(choices=CANCELLED)


class AppointmentChangeOut(serializers.ModelSerializer):
    class Meta:
        model = AppointmentChange
        fields = [
            "id", "old_status", "new_status", "reason", "absence_reason", "absence_side", "is_late", "at", "by",
        ]  # fmt: skip
        read_only_fields = fields


class AppointmentFilters(FilterSet):
    patient = django_filters.NumberFilter()
    doctor = django_filters.NumberFilter()
    room = django_filters.NumberFilter()
    status = django_filters.MultipleChoiceFilter(choices=Appointment.Status.choices)
    kind = django_filters.MultipleChoiceFilter(choices=Appointment.Kind.choices)
    starts_from = Since("starts_at")
    starts_before = django_filters.IsoDateTimeFilter(field_name="starts_at", lookup_expr="lt")

    class Meta:
        model = Appointment
        fields: list[str] = []


ACTIONS = ("list", "retrieve", "create", "move", "confirm", "cancel", "restore", "why", "changes")


class Appointments(Lists, Reads, Resource):
    """Appointments. A time that is taken answers 409, with the nearest free times."""

    tag, scope = "Appointments", "appointments"
    access = dict.fromkeys(ACTIONS, (P.BOOK,))
    model = Appointment
    serializer_class = AppointmentOut
    serializers = {
        "create": BookIn, "move": MoveAppointmentIn, "confirm": NothingIn, "cancel": CancelIn, "restore": NothingIn, "why": FellThroughIn,
    }  # fmt: skip
    filterset_class = AppointmentFilters
    order = ("starts_at", "id")
    if_match = ("move", "confirm", "cancel", "restore", "why")
    field_names = {"at": "starts_at", "minutes": "ends_at"}

    def rows(self) -> Any:
        return super().rows().with_people().select_related("clinic")

    def version_of(self, row: Any) -> str:
        """Return what changes with every step: an appointment has a status, and why it fell through."""
        ended = int(row.ended_at.timestamp()) if row.ended_at else 0
        return f"{row.status}.{ended}.{row.absence_reason}.{row.absence_side}"

    def create(self, request: Request) -> Response:
        """Book a time for a patient."""
        data = self.read(BookIn)
        return self.made(booking.book(clinic=self.clinic, by=self.user, **self._open(data, data["kind"])))

    @extend_schema(responses={201: AppointmentOut})
    @action(detail=True, methods=["post"])
    def move(self, request: Request, pk: int) -> Response:
        """Move it: the old one stays as moved, the answer is the new one."""
        row = self.found()
        data = self._open(self.read(MoveAppointmentIn), row.kind)
        return self.made(booking.move(appointment=row, by=self.user, **data))

    @action(detail=True, methods=["post"])
    def confirm(self, request: Request, pk: int) -> Response:
        """The patient said they will come."""
        row = self.found()
        self.read(NothingIn)
        return self.told(booking.confirm(appointment=row, by=self.user))

    @action(detail=True, methods=["post"])
    def cancel(self, request: Request, pk: int) -> Response:
        """It does not take place: cancelled, a no-show, or entered in error."""
        row = self.found()
        return self.told(booking.cancel(appointment=row, by=self.user, **self.read(CancelIn)))

    @action(detail=True, methods=["post"])
    def restore(self, request: Request, pk: int) -> Response:
        """Take a confirmation, a cancellation or a no-show back."""
        row = self.found()
        self.read(NothingIn)
        return self.told(booking.restore(appointment=row, by=self.user))

    @action(detail=True, methods=["post"])
    def why(self, request: Request, pk: int) -> Response:
        """Say afterwards, or correct, how and why it fell through."""
        row, data = self.found(), self.read(FellThroughIn)
        data["note"] = data.pop("reason")
        write = correct_outcome if "outcome" in data else say_why
        return self.told(write(appointment=row, by=self.user, **data))

    @extend_schema(responses=AppointmentChangeOut(many=True), filters=False)
    @action(detail=True, methods=["get"])
    def changes(self, request: Request, pk: int) -> Response:
        """Everything that happened to it, the oldest first."""
        rows = self.found().changes.order_by("at", "id")
        return self.answer(AppointmentChangeOut(rows, many=True).data)

    def _open(self, data: dict[str, Any], kind: str) -> dict[str, Any]:
        """Return what was sent, with an end; refused where the doctor, the room or the clinic is not open then."""
        starts_at = data["starts_at"]
        ends_at = data["ends_at"] or starts_at + length_of(kind, clinic=self.clinic)
        insist, whose = data.pop("insist"), {name: data[name] for name in ("doctor", "room")}
        if ends_at > starts_at >= timezone.now() and any(whose.values()):  # else booking says what is wrong
            check_open(clinic=self.clinic, starts_at=starts_at, ends_at=ends_at, insist=insist, **whose)
        return {**data, "ends_at": ends_at}


class SlotOut(serializers.Serializer):
    starts_at = serializers.DateTimeField()
    ends_at = serializers.DateTimeField()


class SlotsIn(serializers.Serializer):
    """The query of free times."""

    doctor = StaffField(required=False, default=None)
    room = ScopedField(Room, required=False, default=None)
    patient = ScopedField(Patient, required=False, default=None)
    kind = serializers.ChoiceField(choices=Appointment.Kind.choices, required=False, default=Appointment.Kind.FIRST)
    minutes = serializers.IntegerField(min_value=5, max_value=480, required=False, default=None)
    start = serializers.DateField(required=False, default=None)
    days = serializers.IntegerField(min_value=1, max_value=MOST_DAYS, required=False, default=7)
    suggest = serializers.BooleanField(required=False, default=False)


class FreeSlots(ApiView):
    """Free times."""

    tag, scope = "Appointments", "appointments"
    access = (P.BOOK,)
    query_names = frozenset(SlotsIn().fields)
    http_method_names = ["get", "head"]

    @extend_schema(
        operation_id="free_slots",
        parameters=[
            OpenApiParameter("doctor", int, description="Who must be free."),
            OpenApiParameter("room", int, description="Which room must be free."),
            OpenApiParameter("patient", int, description="Who must be free to come; with suggest, for whom."),
            OpenApiParameter("kind", str, enum=Appointment.Kind.values, description="Its usual length is looked for."),
            OpenApiParameter(
                "minutes", {"type": "integer", "minimum": 5, "maximum": 480}, description="Another length."
            ),
            OpenApiParameter("start", {"type": "string", "format": "date"}, description="First day; today without it."),
            OpenApiParameter("days", {"type": "integer", "minimum": 1, "maximum": MOST_DAYS}, description="How many."),
            OpenApiParameter("suggest", bool, description="Only the few times to offer to this patient."),
        ],
        responses=SlotOut(many=True),
    )
    def get(self, request: Request) -> Response:
        """The times at which a doctor or a room could be booked, in order; a doctor or a room has to be named."""
        asked = self._asked(request)
        length = timedelta(minutes=asked["minutes"]) if asked["minutes"] else None
        who = {"clinic": self.clinic, **{name: asked[name] for name in ("doctor", "room", "patient")}}
        if asked["suggest"]:
            found = suggest_slots(kind=asked["kind"], length=length, **who)
        else:
            usual = length or length_of(asked["kind"], clinic=self.clinic)
            found = free_slots(start=asked["start"] or self.clinic.today(), days=asked["days"], length=usual, **who)
        return self.answer(SlotOut(found, many=True).data)

    def _asked(self, request: Request) -> dict[str, Any]:
        params = {name: value for name, value in request.query_params.items() if name in self.query_names and value}
        serializer = SlotsIn(data=params, context=self.serializer_context())
        if not serializer.is_valid():
            raise Problem(
                "bad-request", errors={name: [str(e) for e in said] for name, said in serializer.errors.items()}
            )
        asked: dict[str, Any] = serializer.validated_data
        lacking = {}
        if asked["doctor"] is None and asked["room"] is None:
            lacking["doctor"] = [_("Choose a doctor or a room.")]
        if asked["suggest"] and asked["patient"] is None:
            lacking["patient"] = [_("Times are suggested to a patient: say which.")]
        if lacking:
            raise Problem("bad-request", errors=lacking)
        return asked
