"""Handoff notes, the questions about them, and the doctor's tooth chart."""

from typing import Any

import django_filters
from django.db.models import QuerySet
from django.utils.translation import gettext as _
from drf_spectacular.utils import extend_schema
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.api.fields import NothingIn
from accounts.api.filters import FilterSet
from accounts.api.problems import Problem
from accounts.api.views import Lists, Reads, Resource
from accounts.models import User
from accounts.permissions import Permission
from consultations.api import notes_shapes as shapes
from consultations.models import Handoff, HandoffQuestion, ToothFinding, Visit
from consultations.services import findings, handoff, questions

P = Permission

READING = (P.COORDINATE, P.READ_HANDOFF)


class HandoffFilters(FilterSet):
    visit = django_filters.NumberFilter()
    is_sent = django_filters.BooleanFilter(field_name="sent_at", lookup_expr="isnull", exclude=True)
    is_acknowledged = django_filters.BooleanFilter(field_name="acknowledged_at", lookup_expr="isnull", exclude=True)

    class Meta:
        model = Handoff
        fields: list[str] = []


class Handoffs(Lists, Reads, Resource):
    """Handoff notes, one a visit: a draft of the coordinator's until it is sent. Doctors see what was sent."""

    tag, scope = "Handoffs", "visits"
    access = dict.fromkeys(("list", "retrieve"), READING) | dict.fromkeys(
        ("create", "partial_update", "send"), (P.COORDINATE,)
    )
    access["acknowledge"] = (P.TREAT,)
    model = Handoff
    serializer_class = shapes.HandoffOut
    serializers = {
        "create": shapes.HandoffIn,
        "partial_update": shapes.HandoffPatch,
        "send": shapes.SendIn,
        "acknowledge": NothingIn,
    }
    filterset_class = HandoffFilters
    if_match = ("send", "acknowledge")

    def rows(self) -> Any:
        rows = super().rows().select_related("visit__patient", "visit__consultation", "visit__clinic")
        return rows if self.may(P.COORDINATE) else rows.filter(sent_at__isnull=False)

    def create(self, request: Request) -> Response:
        """Begin the note of a visit."""
        data = self.read(shapes.HandoffIn)
        visit = data.pop("visit")
        content = shapes.content_of(data)
        return self.made(handoff.save_draft(visit=visit, content=content, version=0, by=self.user))

    def partial_update(self, request: Request, pk: int) -> Response:
        """Change parts of the note; after it was sent it has to stay whole, and the doctor sees that it changed."""
        note = self.found()
        data = self.read(shapes.HandoffPatch)
        doctor = data.pop("doctor", None)
        facts = {"content": shapes.content_of(data, handoff.content_of(note)), "version": note.version, "by": self.user}
        if note.visit.handoff_at:
            self._check_unread(note.visit, doctor)
            return self.told(handoff.change_sent(visit=note.visit, doctor=doctor, **facts))
        if doctor is not None:
            raise Problem(
                "invalid", errors={"doctor": [_("The note is not sent yet: say who treats when sending it.")]}
            )
        return self.told(handoff.save_draft(visit=note.visit, **facts))

    def _check_unread(self, visit: Visit, doctor: User | None) -> None:
        if doctor is not None and doctor.pk != visit.doctor_id and visit.handoff_acknowledged_at is not None:
            raise Problem("invalid", errors={"doctor": [_("The note was read already: whoever read it treats.")]})

    @action(detail=True, methods=["post"])
    def send(self, request: Request, pk: int) -> Response:
        """Give the note to the doctor: classifies the patient, brings the visit to the doctor's stage."""
        note = self.found()
        doctor = self.read(shapes.SendIn)["doctor"]
        content = handoff.content_of(note)
        handoff.send(visit=note.visit, content=content, version=note.version, doctor=doctor, by=self.user)
        return self.told(note)

    @action(detail=True, methods=["post"])
    def acknowledge(self, request: Request, pk: int) -> Response:
        """The doctor has read the note, and treats."""
        note = self.found()
        self.read(NothingIn)
        handoff.acknowledge(visit=note.visit, version=note.version, by=self.user)
        return self.told(note)


class QuestionFilters(FilterSet):
    visit = django_filters.NumberFilter(field_name="handoff__visit")
    for_doctor = django_filters.BooleanFilter()
    is_answered = django_filters.BooleanFilter(field_name="answered_at", lookup_expr="isnull", exclude=True)

    class Meta:
        model = HandoffQuestion
        fields: list[str] = []


class HandoffQuestions(Lists, Reads, Resource):
    """Questions between doctor and coordinator: about the note, and about a change of the plan."""

    tag, scope = "Handoffs", "visits"
    access = dict.fromkeys(("list", "retrieve"), READING) | dict.fromkeys(("create", "reply"), (P.COORDINATE, P.TREAT))
    model = HandoffQuestion
    serializer_class = shapes.AskedOut
    serializers = {"create": shapes.AskIn, "reply": shapes.ReplyIn}
    filterset_class = QuestionFilters

    def create(self, request: Request) -> Response:
        """Ask: a doctor the coordinator about the note, a coordinator the doctor for a change of the plan."""
        data = self.read(shapes.AskIn)
        ask = questions.ask_coordinator if self.may(P.TREAT) else questions.ask_for_change
        return self.made(ask(by=self.user, **data))

    @action(detail=True, methods=["post"])
    def reply(self, request: Request, pk: int) -> Response:
        """Answer a question; the first answer stays."""
        row = self.found()
        return self.told(questions.answer(question=row, text=self.read(shapes.ReplyIn)["answer"], by=self.user))


class FindingFilters(FilterSet):
    visit = django_filters.NumberFilter()
    patient = django_filters.NumberFilter(field_name="visit__patient")

    class Meta:
        model = ToothFinding
        fields: list[str] = []


class ToothFindings(Lists, Resource):
    """The doctor's findings that stand, tooth by tooth (FDI numbers)."""

    tag, scope = "Plans", "visits"
    access = {"list": (P.READ_HANDOFF,), "create": (P.TREAT,)}
    model = ToothFinding
    serializer_class = shapes.FindingOut
    serializers = {"create": shapes.FindingIn}
    filterset_class = FindingFilters

    def rows(self) -> QuerySet[ToothFinding]:
        rows: QuerySet[ToothFinding] = super().rows().filter(removed_at=None)
        return rows

    @extend_schema(responses=shapes.FindingOut(many=True))
    def create(self, request: Request) -> Response:
        """Put a finding on a tooth, or take it off. Answers with all that stand in the visit."""
        standing = findings.toggle_finding(by=self.user, **self.read(shapes.FindingIn))
        return self.answer(self.shown_many(standing))
