"""Chats with their messages, what was found in them, appeals, and scores."""

from typing import Any

import django_filters
from django.db.models import Exists, OuterRef
from django.utils.translation import gettext as _
from drf_spectacular.utils import extend_schema
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.api.fields import NothingIn
from accounts.api.filters import FilterSet, Since
from accounts.api.problems import Problem
from accounts.api.views import Lists, Reads, Resource
from accounts.permissions import Permission
from conversations import queries
from conversations.api import contacts, shapes
from conversations.inspection.codes import CODES
from conversations.masking import hidden
from conversations.models import Appeal, Capture, ChatMessage, Conversation, Finding
from conversations.services import capturing
from conversations.services.appeals import answer_appeal, make_appeal
from conversations.services.reading import mark_read, self_check
from conversations.services.scoring import add_finding, card_of, give_score, withdraw_finding
from conversations.transcript import known_values
from patients.models import Patient

P = Permission
READING = (P.VIEW_CONVERSATIONS,)
SCORING = (P.SCORE_CONVERSATIONS,)


class ConversationFilters(FilterSet):
    consultant = django_filters.NumberFilter()
    team = django_filters.NumberFilter()
    patient = django_filters.NumberFilter()
    channel = django_filters.CharFilter()
    ending = django_filters.MultipleChoiceFilter(choices=Conversation.Ending.choices)
    severity_from = django_filters.NumberFilter(field_name="severity", lookup_expr="gte")
    is_read = django_filters.BooleanFilter(field_name="read_at", lookup_expr="isnull", exclude=True)
    code = django_filters.ChoiceFilter(
        choices=[(code, code) for code in CODES], method="with_code", label="With a finding of this code."
    )
    started_from = Since("started_at")
    started_before = django_filters.IsoDateTimeFilter(field_name="started_at", lookup_expr="lt")

    class Meta:
        model = Conversation
        fields: list[str] = []

    def with_code(self, rows: Any, _name: str, code: str) -> Any:
        return rows.filter(Exists(Finding.objects.standing().filter(conversation=OuterRef("pk"), code=code)))


class Conversations(Lists, Reads, Resource):
    """Online chats. Consultants see their own; numbers and ids in the text are hidden but for their last four signs."""

    tag, scope = "Conversations", "conversations"
    access = dict.fromkeys(("list", "retrieve", "messages", "self_check"), READING) | dict.fromkeys(
        ("read_through", "score"), SCORING
    )
    access |= dict.fromkeys(("take_over", "take_back", "correct"), (P.CAPTURE_CONTACTS,))
    model = Conversation
    serializer_class = shapes.ConversationOut
    serializers = {
        "self_check": NothingIn,
        "read_through": NothingIn,
        "score": shapes.ScoreIn,
        "take_over": shapes.TakeOverIn,
        "take_back": NothingIn,
        "correct": contacts.CorrectIn,
    }
    if_match = ("correct",)
    held = {"correct": ("self",)}
    filterset_class = ConversationFilters
    order = ("-started_at", "-id")
    lists = ("list", "messages")

    def rows(self) -> Any:
        return queries.visible(self.user, self.clinic).select_related("capture").prefetch_related("capture__contacts")

    def known_names(self) -> set[str]:
        names = super().known_names()
        return names - set(ConversationFilters.base_filters) if self.action == "messages" else names

    @extend_schema(responses=shapes.MessageOut(many=True), filters=False)
    @action(detail=True, methods=["get"], pagination_class=None)
    def messages(self, request: Request, pk: int) -> Response:
        """Every message of the chat, in order."""
        chat = self.found()
        known = known_values(chat)
        rows = ChatMessage.objects.filter(conversation=chat).order_by("position")
        told = [
            {
                "id": row.pk,
                "position": row.position,
                "at": row.at,
                "sender": row.sender,
                "user": row.user_id,
                "text": hidden(row.text, known),
            }
            for row in rows.iterator()
        ]
        return self.answer(shapes.MessageOut(told, many=True).data)

    @action(detail=True, methods=["post"], url_path="self-check")
    def self_check(self, request: Request, pk: int) -> Response:
        """The consultant has looked through the own chat."""
        chat = self.found()
        self.read(NothingIn)
        self_check(conversation=chat, by=self.user)
        return self.told(chat)

    @action(detail=True, methods=["post"], url_path="read")
    def read_through(self, request: Request, pk: int) -> Response:
        """Note that it was read."""
        chat = self.found()
        self.read(NothingIn)
        mark_read(conversation=chat, by=self.user)
        return self.told(chat)

    @extend_schema(responses={201: shapes.ScoreCardOut})
    @action(detail=True, methods=["post"])
    def score(self, request: Request, pk: int) -> Response:
        """Score the chat as a manager: what is proposed by the rubric, or other points with a reason."""
        chat, data = self.found(), self.read(shapes.ScoreIn)
        former = card_of(chat)
        card = give_score(
            conversation=chat,
            points=data["points"],
            note=data["note"],
            seen=former.pk if former else None,
            by=self.user,
        )
        return self.answer(shapes.ScoreCardOut(card).data, 201)

    @extend_schema(request=shapes.TakeOverIn, responses=shapes.ConversationOut)
    @action(detail=True, methods=["post"], url_path="take-over")
    def take_over(self, request: Request, pk: int) -> Response:
        """Make a patient, and an appointment where a time is named, of what the chat captured; twice makes one.

        A taken time: 409 with the `nearest` free ones, and nothing is written.
        """
        chat, data = self.found(), self.read(shapes.TakeOverIn)
        if (wanted := data.pop("patient")) is not None:
            data["patient"] = self._one_of(capturing.candidates(chat), wanted)
        capturing.take_over(conversation=chat, wish=capturing.Wish(**data), by=self.user)
        return self.told(chat)

    def _one_of(self, known: list[Patient], wanted: int) -> Patient:
        found = next((patient for patient in known if patient.pk == wanted), None)
        if found is None:
            raise Problem("invalid", errors={"patient": [_("This person has another number.")]})
        return found

    @extend_schema(request=contacts.CorrectIn, responses=shapes.ConversationOut)
    @action(detail=True, methods=["post"])
    def correct(self, request: Request, pk: int) -> Response:
        """Write what the visitor really gave; inspecting again leaves it alone from then on."""
        chat = self.found()
        data = self.read(contacts.CorrectIn)
        capture = Capture.objects.filter(conversation=chat).first()
        if capture is None:
            raise Problem("conflict", detail=_("No contact was captured in this chat."))
        contacts.correct(capture, data, self.user)
        return self.told(chat)

    @extend_schema(responses=shapes.ConversationOut)
    @action(detail=True, methods=["post"], url_path="take-back")
    def take_back(self, request: Request, pk: int) -> Response:
        """Take a taking-over back: its booking, the tie to the patient, and who was made new if nothing refers to them."""
        chat = self.found()
        self.read(NothingIn)
        capturing.undo_take_over(conversation=chat, by=self.user)
        return self.told(chat)


class FindingFilters(FilterSet):
    conversation = django_filters.NumberFilter()
    code = django_filters.ChoiceFilter(choices=[(code, code) for code in CODES])
    user = django_filters.NumberFilter()
    stands = django_filters.BooleanFilter(field_name="withdrawn_at", lookup_expr="isnull")

    class Meta:
        model = Finding
        fields: list[str] = []


class Findings(Lists, Reads, Resource):
    """What lost a visitor, or may have: the rule, the words, and what to say instead."""

    tag, scope = "Conversations", "conversations"
    access = dict.fromkeys(("list", "retrieve", "appeal"), READING) | dict.fromkeys(("create", "withdraw"), SCORING)
    model = Finding
    serializer_class = shapes.FindingOut
    serializers = {"create": shapes.FindingIn, "withdraw": NothingIn, "appeal": shapes.AppealIn}
    filterset_class = FindingFilters

    def rows(self) -> Any:
        seen = queries.visible(self.user, self.clinic).values("pk")
        rows = Finding.objects.filter(conversation__in=seen)
        return rows.select_related("message", "conversation__clinic", "conversation__consultant", "appeal")

    def create(self, request: Request) -> Response:
        """A manager's own finding, on a message or on the whole chat."""
        return self.made(add_finding(by=self.user, **shapes.finding_of(self, self.read(shapes.FindingIn))))

    @action(detail=True, methods=["post"])
    def withdraw(self, request: Request, pk: int) -> Response:
        """Take a finding back; the score follows."""
        row = self.found()
        self.read(NothingIn)
        withdraw_finding(finding=row, reason="manager", by=self.user)
        return self.told(row)

    @extend_schema(responses={201: shapes.AppealOut})
    @action(detail=True, methods=["post"])
    def appeal(self, request: Request, pk: int) -> Response:
        """Say why a finding about one's own words does not hold; once."""
        row = self.found()
        made = make_appeal(finding=row, by=self.user, **self.read(shapes.AppealIn))
        return self.answer(shapes.AppealOut(made).data, 201)


class AppealFilters(FilterSet):
    finding = django_filters.NumberFilter()
    is_answered = django_filters.BooleanFilter(field_name="answered_at", lookup_expr="isnull", exclude=True)

    class Meta:
        model = Appeal
        fields: list[str] = []


class Appeals(Lists, Reads, Resource):
    """Objections of consultants to findings, and the answers."""

    tag, scope = "Conversations", "conversations"
    access = dict.fromkeys(("list", "retrieve"), READING) | {"reply": SCORING}
    model = Appeal
    serializer_class = shapes.AppealOut
    serializers = {"reply": shapes.ReplyIn}
    filterset_class = AppealFilters

    def rows(self) -> Any:
        seen = queries.visible(self.user, self.clinic).values("pk")
        return Appeal.objects.filter(finding__conversation__in=seen).select_related("finding__conversation__clinic")

    @action(detail=True, methods=["post"])
    def reply(self, request: Request, pk: int) -> Response:
        """Answer an appeal: the finding stands, or is withdrawn and the score follows."""
        row = self.found()
        data = self.read(shapes.ReplyIn)
        return self.told(answer_appeal(appeal=row, by=self.user, upheld=data["is_upheld"], answer=data["answer"]))
