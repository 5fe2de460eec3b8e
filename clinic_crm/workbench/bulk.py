"""Bulk read for a data warehouse: every row of a kind, in the order of their ids, by cursor.

What happened is read from the logs (stage, class and appointment changes, contacts, refunds), which only grow: a
warehouse goes on where it stopped. Rows that change are read anew as a whole.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from itertools import takewhile
from typing import Any

from django.http import Http404
from django.utils import timezone
from django.utils.translation import gettext as _
from drf_spectacular.utils import OpenApiExample, OpenApiParameter, extend_schema, extend_schema_serializer
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.api.paging import read_cursor, write_cursor
from accounts.api.problems import Problem
from accounts.api.views import ApiView
from accounts.audit import record
from accounts.permissions import Permission
from accounts.reading import whole_number
from consultations.api import visits_out
from consultations.models import Consultation, Refund, StageChange, Visit
from conversations.api.shapes import ConversationOut, FindingOut, ScoreCardOut
from conversations.models import Conversation, Finding, ScoreCard
from followups.api.appointments import AppointmentOut
from followups.api.complaints import ComplaintOut
from followups.api.tasks import ContactMadeOut, MessageOut, TaskOut
from followups.models import Appointment, AppointmentChange, Contact, Message, Task
from metrics.etiquette_api import InspectionOut
from metrics.models import EtiquetteInspection
from patients.api.records import ClassChangeOut, ReferralOut, RegistrationOut
from patients.api.shapes import PatientRow
from patients.models import ClassChange, ComplaintCase, Referral, Registration

USUAL, MOST = 500, 2000
SETTLES = timedelta(minutes=5)  # longer than any transaction that writes a log


class AppointmentStepOut(serializers.ModelSerializer):
    class Meta:
        model = AppointmentChange
        fields = [
            "id", "appointment", "old_status", "new_status", "reason", "absence_reason", "absence_side", "is_late",
            "at", "by",
        ]  # fmt: skip
        read_only_fields = fields


@dataclass(frozen=True)
class Dataset:
    """One kind of rows. `grows`: a log, of which nothing ever changes."""

    model: Any
    shape: type[serializers.ModelSerializer]
    grows: bool = False
    related: tuple[str, ...] = ()
    prefetched: tuple[str, ...] = ()
    where: Mapping[str, Any] = field(default_factory=dict)


# Records that were closed at the person's request, and those merged into another, are in no list either.
OPEN = {"patient__restricted_at": None, "patient__merged_into": None}
DATASETS: dict[str, Dataset] = {
    "registrations": Dataset(Registration, RegistrationOut, related=("patient", "clinic", "owner"), where=OPEN),
    "patients": Dataset(  # of each registration: the person, and how the clinic knows them
        Registration,
        PatientRow,
        related=("patient", "clinic", "owner", "doctor"),
        prefetched=("patient__phones",),
        where=OPEN,
    ),
    "class-changes": Dataset(ClassChange, ClassChangeOut, grows=True),
    "referrals": Dataset(Referral, ReferralOut, related=("referrer", "referred", "thanks")),
    "consultations": Dataset(Consultation, visits_out.ConsultationOut),
    "visits": Dataset(Visit, visits_out.VisitOut),
    "stage-changes": Dataset(StageChange, visits_out.StageChangeOut, grows=True),
    "refunds": Dataset(Refund, visits_out.RefundOut, grows=True),
    "appointments": Dataset(Appointment, AppointmentOut),
    "appointment-changes": Dataset(AppointmentChange, AppointmentStepOut, grows=True),
    "tasks": Dataset(Task, TaskOut),
    "contacts": Dataset(Contact, ContactMadeOut, grows=True),
    "messages": Dataset(Message, MessageOut),
    "conversations": Dataset(Conversation, ConversationOut, related=("capture",), prefetched=("capture__contacts",)),
    "findings": Dataset(Finding, FindingOut, related=("message",)),
    "score-cards": Dataset(ScoreCard, ScoreCardOut),
    "inspections": Dataset(EtiquetteInspection, InspectionOut, related=("rubric",)),
    "complaints": Dataset(ComplaintCase, ComplaintOut, related=("patient", "about", "owner")),
}


class DatasetOut(serializers.Serializer):
    name = serializers.CharField()
    grows = serializers.BooleanField()
    fields_told = serializers.ListField(child=serializers.CharField())


@extend_schema_serializer(
    examples=[
        OpenApiExample(
            "the last page",
            value={
                "results": [
                    {"id": 71, "visit": 5120, "old_stage": "leaving", "new_stage": "closed", "reason": "",
                     "at": "2026-11-22T17:02:10+08:00", "by": 12}
                ],
                "next": None,
                "cursor": "WzcxXQ",
            },
            response_only=True,
        )
    ]
)  # fmt: skip
class BulkPage(serializers.Serializer):
    """`results`: rows as their own resource tells them. `cursor`: where a later reading goes on, on the last page too."""

    results = serializers.ListField(child=serializers.DictField())
    next = serializers.CharField(allow_null=True)
    cursor = serializers.CharField(allow_blank=True)


class Datasets(ApiView):
    """What can be read in bulk."""

    tag, scope = "Bulk read", "exports"
    access = (Permission.EXPORT_PATIENTS,)
    http_method_names = ["get", "head"]

    @extend_schema(operation_id="bulk_list", responses=DatasetOut(many=True))
    def get(self, request: Request) -> Response:
        """The kinds of rows; of those that only grow nothing ever changes."""
        told = [
            {"name": name, "grows": one.grows, "fields_told": list(one.shape.Meta.fields)}
            for name, one in DATASETS.items()
        ]
        return self.answer(told)


class Bulk(ApiView):
    """Every row of one kind."""

    tag, scope = "Bulk read", "exports"
    access = (Permission.EXPORT_PATIENTS,)
    http_method_names = ["get", "head"]
    query_names = frozenset({"cursor", "limit"})

    @extend_schema(
        operation_id="bulk_read",
        parameters=[
            OpenApiParameter("name", str, OpenApiParameter.PATH, enum=list(DATASETS), description="Which rows."),
            OpenApiParameter("cursor", str, description="Where the page begins: from `next` of the page before."),
            OpenApiParameter(
                "limit", {"type": "integer", "minimum": 1, "maximum": MOST, "default": USUAL}, description="How many."
            ),
        ],
        responses=BulkPage,
    )
    def get(self, request: Request, name: str) -> Response:
        """A page of rows of the clinic in the order of their ids; reading is kept in the audit log."""
        kind = DATASETS.get(name)
        if kind is None:
            raise Http404
        limit = _limit(request)
        rows = kind.model.objects.for_user(self.user).for_clinic(self.clinic).filter(**kind.where)
        rows = rows.select_related(*kind.related).prefetch_related(*kind.prefetched).order_by("pk")
        place = read_cursor(request.query_params.get("cursor", ""), kind.model, ("id",))
        if place is not None:
            rows = rows.filter(pk__gt=place[0])
        found = list(rows[: limit + 1])
        page = found[:limit]
        record(action="bulk_read", clinic=self.clinic, by=self.user, table=name, rows=len(page))
        told = kind.shape(page, many=True, context=self.serializer_context()).data
        following = self._next(found, limit)
        onward = page if following or not kind.grows else _settled(page)
        cursor = write_cursor(onward[-1], ("id",)) if onward else request.query_params.get("cursor", "")
        return self.answer({"results": told, "next": following, "cursor": cursor})

    def _next(self, found: list[Any], limit: int) -> str | None:
        if len(found) <= limit:
            return None
        query = self.request.query_params.copy()
        query["cursor"] = write_cursor(found[limit - 1], ("id",))
        return f"{self.request.path}?{query.urlencode()}"


def _settled(page: list[Any]) -> list[Any]:
    """Return the rows behind which none can appear: ids are given before a transaction ends, so not the newest."""
    surely = timezone.now() - SETTLES
    return list(takewhile(lambda row: row.at < surely, page))


def _limit(request: Request) -> int:
    said = request.query_params.get("limit")
    limit = whole_number(said) if said is not None else USUAL
    if limit is None or not 1 <= limit <= MOST:
        raise Problem("bad-request", errors={"limit": [_("A number from 1 to %(most)s.") % {"most": MOST}]})
    return limit
