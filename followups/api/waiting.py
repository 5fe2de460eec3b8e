"""The waiting list: who would come sooner, and what becomes of it."""

from datetime import timedelta
from typing import Any

import django_filters
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.api.fields import MomentField, NothingIn, ScopedField, StaffField
from accounts.api.filters import FilterSet
from accounts.api.views import Lists, Reads, Resource
from accounts.permissions import Permission
from followups.models import Appointment, Room, WaitingEntry
from followups.services import waiting
from followups.services.availability import check_open, length_of
from patients.models import Patient

P = Permission
STEPS = ("withdraw", "reopen", "offer", "book")


class WaitingOut(serializers.ModelSerializer):
    """`offered_start`: the time that the patient is being asked about. `appointment`: what ended the wait."""

    class Meta:
        model = WaitingEntry
        fields = [
            "id", "patient", "doctor", "kind", "minutes", "from_day", "until_day", "note", "status", "offered_start",
            "offered_at", "appointment", "closed_at", "created_at", "created_by",
        ]  # fmt: skip
        read_only_fields = fields


class WaitingIn(serializers.Serializer):
    """What the patient would take. Without `doctor`: any; without `minutes`: the usual length of the kind."""

    patient = ScopedField(Patient)
    kind = serializers.ChoiceField(choices=Appointment.Kind.choices)
    from_day = serializers.DateField()
    until_day = serializers.DateField()
    doctor = StaffField(required=False, allow_null=True, default=None)
    minutes = serializers.IntegerField(min_value=5, max_value=480, required=False, allow_null=True, default=None)
    note = serializers.CharField(max_length=200, required=False, allow_blank=True, default="")


class OfferIn(serializers.Serializer):
    """The time that the patient is being asked about."""

    starts_at = MomentField()


class WaitingBookIn(serializers.Serializer):
    """The time to give; at least a doctor or a room. It takes the minutes of the entry."""

    starts_at = MomentField()
    doctor = StaffField(required=False, allow_null=True, default=None)
    room = ScopedField(Room, required=False, allow_null=True, default=None)


class WaitingFilters(FilterSet):
    patient = django_filters.NumberFilter()
    doctor = django_filters.NumberFilter()
    status = django_filters.MultipleChoiceFilter(choices=WaitingEntry.Status.choices)
    kind = django_filters.MultipleChoiceFilter(choices=Appointment.Kind.choices)
    day = django_filters.DateFilter(method="on_day", label="Who would come on this day.")

    class Meta:
        model = WaitingEntry
        fields: list[str] = []

    def on_day(self, rows: Any, _name: str, day: Any) -> Any:
        return rows.filter(from_day__lte=day, until_day__gte=day)


class Waiting(Lists, Reads, Resource):
    """The waiting list, the longest wait first."""

    tag, scope = "Appointments", "appointments"
    access = dict.fromkeys(("list", "retrieve", "create", *STEPS), (P.BOOK,))
    model = WaitingEntry
    serializer_class = WaitingOut
    serializers = {
        "create": WaitingIn, "withdraw": NothingIn, "reopen": NothingIn, "offer": OfferIn, "book": WaitingBookIn,
    }  # fmt: skip
    filterset_class = WaitingFilters
    order = ("created_at", "id")
    if_match = STEPS

    def version_of(self, row: Any) -> str:
        """Return what changes with every step."""
        return f"{row.status}.{int(row.offered_at.timestamp()) if row.offered_at else 0}"

    def create(self, request: Request) -> Response:
        """Put a patient on the list. An entry that says the same is answered as it is."""
        data = self.read(WaitingIn)
        usual = int(length_of(data["kind"], clinic=self.clinic).total_seconds() // 60)
        asked = data | {"minutes": data["minutes"] or usual}
        return self.made(waiting.add_waiting(clinic=self.clinic, by=self.user, **asked))

    @action(detail=True, methods=["post"])
    def withdraw(self, request: Request, pk: int) -> Response:
        """Take the patient off the list."""
        row = self.found()
        self.read(NothingIn)
        return self.told(waiting.withdraw_waiting(entry=row, by=self.user))

    @action(detail=True, methods=["post"])
    def reopen(self, request: Request, pk: int) -> Response:
        """Let the patient wait again; a booking that ended the wait is taken back."""
        row = self.found()
        self.read(NothingIn)
        return self.told(waiting.reopen_waiting(entry=row, by=self.user))

    @action(detail=True, methods=["post"])
    def offer(self, request: Request, pk: int) -> Response:
        """The patient is being asked about a time; nobody else should ask them meanwhile."""
        row = self.found()
        return self.told(waiting.offer_waiting(entry=row, by=self.user, **self.read(OfferIn)))

    @extend_schema(responses=WaitingOut)
    @action(detail=True, methods=["post"])
    def book(self, request: Request, pk: int) -> Response:
        """Give the patient a free time, which ends the wait: `appointment` is what was booked."""
        row, data = self.found(), self.read(WaitingBookIn)
        ends_at = data["starts_at"] + timedelta(minutes=row.minutes)
        check_open(clinic=self.clinic, ends_at=ends_at, **data)
        waiting.book_waiting(entry=row, by=self.user, **data)
        return self.told(row)
