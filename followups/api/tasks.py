"""Follow-up tasks, the contacts made, and what the outbox sent."""

from datetime import timedelta
from typing import Any

import django_filters
from django.utils import timezone
from django.utils.translation import gettext as _
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.api.fields import MomentField, NothingIn, ScopedField, StaffField
from accounts.api.filters import FilterSet, Since
from accounts.api.views import Lists, Reads, Resource
from accounts.permissions import Permission
from followups.models import Contact, ContactChannel, ContactOutcome, Message, MessageEvent, Nature, Task, TaskKind
from followups.models.messages import MessagePurpose
from followups.services.contacts import log_contact, undo_contact
from followups.services.recheck_plans import write_plan
from followups.services.tasks import claim, close_tasks, create_task, locked_open, release
from followups.task_forms import BY_HAND, check_script
from followups.task_rules import WANT_BOOKING
from patients.models import Patient

P = Permission
READING = (P.FOLLOW_UP, P.TREAT)
AHEAD = timedelta(days=731)


class TaskOut(serializers.ModelSerializer):
    """`closed_by`: what ends it besides a contact. `claimed_by`: who is at the patient until `claimed_until`."""

    class Meta:
        model = Task
        fields = [
            "id", "patient", "kind", "title", "script", "channel", "nature", "owner", "owner_role", "doctor", "due_at",
            "status", "closed_by", "closed_reason", "outcome", "contacts", "appointment", "claimed_by",
            "claimed_until", "ended_at", "ended_by", "created_at", "created_by",
        ]  # fmt: skip
        read_only_fields = fields


class TaskIn(serializers.Serializer):
    """A task by hand. What the patient's class never allows is refused."""

    patient = ScopedField(Patient)
    kind = serializers.ChoiceField(choices=BY_HAND)
    title = serializers.CharField(max_length=120)
    due_at = MomentField()
    channel = serializers.ChoiceField(choices=ContactChannel.choices, required=False, default=ContactChannel.PHONE)
    nature = serializers.ChoiceField(choices=Nature.choices, required=False, default=Nature.SERVICE)
    owner = StaffField(required=False, allow_null=True, default=None)
    script = serializers.CharField(max_length=1000, required=False, allow_blank=True, default="")

    def validate_due_at(self, due_at: Any) -> Any:
        if not timezone.now() - timedelta(days=1) < due_at < timezone.now() + AHEAD:
            raise serializers.ValidationError(_("Choose a time in the coming two years."))
        return due_at

    def validate_script(self, script: str) -> str:
        return check_script(script)


class LogIn(serializers.Serializer):
    """How a contact went. `next_at`: when to try again, else suggested inside the patient's hours."""

    outcome = serializers.ChoiceField(choices=ContactOutcome.choices)
    channel = serializers.ChoiceField(choices=ContactChannel.choices, required=False, allow_blank=True, default="")
    note = serializers.CharField(max_length=500, required=False, allow_blank=True, default="")
    next_at = MomentField(required=False, allow_null=True, default=None)


class RecheckPlanIn(serializers.Serializer):
    note = serializers.CharField(max_length=1000)


class ContactMadeOut(serializers.ModelSerializer):
    """`undoes`: the contact that this row takes back."""

    class Meta:
        model = Contact
        fields = ["id", "patient", "task", "channel", "outcome", "note", "next_at", "undoes", "at", "by"]
        read_only_fields = fields


class TaskFilters(FilterSet):
    patient = django_filters.NumberFilter()
    owner = django_filters.NumberFilter()
    doctor = django_filters.NumberFilter()
    status = django_filters.MultipleChoiceFilter(choices=Task.Status.choices)
    kind = django_filters.MultipleChoiceFilter(choices=TaskKind.choices)
    due_from = Since("due_at")
    due_before = django_filters.IsoDateTimeFilter(field_name="due_at", lookup_expr="lt")

    class Meta:
        model = Task
        fields: list[str] = []


STEPS = ("log", "close", "plan")


class Tasks(Lists, Reads, Resource):
    """Follow-up tasks. A doctor sees those that name them."""

    tag, scope = "Tasks", "tasks"
    access = dict.fromkeys(("list", "retrieve", "claim", "release", "plan"), READING) | dict.fromkeys(
        ("create", "log", "close"), (P.FOLLOW_UP,)
    )
    model = Task
    serializer_class = TaskOut
    serializers = {
        "create": TaskIn, "claim": NothingIn, "release": NothingIn, "log": LogIn, "close": NothingIn, "plan": RecheckPlanIn,
    }  # fmt: skip
    filterset_class = TaskFilters
    order = ("due_at", "id")
    if_match = STEPS

    def rows(self) -> Any:
        rows = super().rows().with_people()
        return rows if self.may(P.FOLLOW_UP) else rows.filter(doctor=self.user)

    def version_of(self, row: Any) -> str:
        """Return what changes with every step: how it stands, how often it was tried, when it is due."""
        return f"{row.status}.{row.contacts}.{int(row.due_at.timestamp())}"

    def create(self, request: Request) -> Response:
        """Make a task by hand."""
        data = self.read(TaskIn)
        closed_by = "booked" if data["kind"] in WANT_BOOKING else "contact"
        made = create_task(clinic=self.clinic, by=self.user, closed_by=closed_by, **data)
        assert made is not None  # one by hand has no key that could stand already
        return self.made(made)

    @action(detail=True, methods=["post"])
    def claim(self, request: Request, pk: int) -> Response:
        """Take the patient's open tasks for ten minutes; 409 while a colleague has them."""
        task = self.found()
        self.read(NothingIn)
        claim(task=task, by=self.user)
        return self.told(task)

    @action(detail=True, methods=["post"])
    def release(self, request: Request, pk: int) -> Response:
        """Let go of the patient's tasks."""
        task = self.found()
        self.read(NothingIn)
        release(task=task, by=self.user)
        return self.told(task)

    @action(detail=True, methods=["post"])
    def log(self, request: Request, pk: int) -> Response:
        """Say how the contact went; the task is done, moved, or asks for another try."""
        task, data = self.found(), self.read(LogIn)
        data["channel"] = data["channel"] or task.channel
        log_contact(task=task, patient=task.patient, clinic=self.clinic, by=self.user, **data)
        return self.told(task)

    @action(detail=True, methods=["post"])
    def plan(self, request: Request, pk: int) -> Response:
        """Write a recheck plan: the task is done by it."""
        task = self.found()
        return self.told(write_plan(task=task, by=self.user, **self.read(RecheckPlanIn)))

    @action(detail=True, methods=["post"])
    def close(self, request: Request, pk: int) -> Response:
        """Close a task that is not needed."""
        task = self.found()
        self.read(NothingIn)
        locked = locked_open(task, self.user)
        close_tasks(Task.objects.filter(pk=locked.pk), reason=Task.Closed.BY_HAND, by=self.user)
        return self.told(task)


class ContactIn(LogIn):
    """A contact without a task."""

    patient = ScopedField(Patient)
    channel = serializers.ChoiceField(choices=ContactChannel.choices)


class ContactFilters(FilterSet):
    patient = django_filters.NumberFilter()
    task = django_filters.NumberFilter()
    by = django_filters.NumberFilter()
    outcome = django_filters.MultipleChoiceFilter(choices=ContactOutcome.choices)
    since = Since("at")

    class Meta:
        model = Contact
        fields: list[str] = []


class Contacts(Lists, Reads, Resource):
    """Contacts with patients and attempts at them; nothing is changed or deleted, an undo is a row too."""

    tag, scope = "Tasks", "tasks"
    access = dict.fromkeys(("list", "retrieve", "create", "undo"), (P.FOLLOW_UP,))
    model = Contact
    serializer_class = ContactMadeOut
    serializers = {"create": ContactIn, "undo": NothingIn}
    filterset_class = ContactFilters
    order = ("-at", "-id")

    def create(self, request: Request) -> Response:
        """Record a contact that no task asked for."""
        return self.made(log_contact(clinic=self.clinic, by=self.user, **self.read(ContactIn)))

    @extend_schema(responses={201: ContactMadeOut})
    @action(detail=True, methods=["post"])
    def undo(self, request: Request, pk: int) -> Response:
        """Take one's own contact back within ten minutes; answers with the row that says so."""
        row = self.found()
        self.read(NothingIn)
        return self.made(undo_contact(contact=row, by=self.user))


class MessageOut(serializers.ModelSerializer):
    """A message to a patient or to staff; `body` as it left, empty before."""

    class Meta:
        model = Message
        fields = [
            "id", "patient", "staff", "channel", "purpose", "nature", "subject", "due_at", "stale_at", "language",
            "body", "state", "suppressed_reason", "failure", "attempts", "provider", "accepted_at", "delivered_at",
            "appointment", "task", "created_at", "created_by",
        ]  # fmt: skip
        read_only_fields = fields


class MessageEventOut(serializers.ModelSerializer):
    class Meta:
        model = MessageEvent
        fields = ["id", "old_state", "new_state", "detail", "at", "by"]
        read_only_fields = fields


class MessageFilters(FilterSet):
    patient = django_filters.NumberFilter()
    state = django_filters.MultipleChoiceFilter(choices=Message.State.choices)
    purpose = django_filters.MultipleChoiceFilter(choices=MessagePurpose.choices)
    due_from = Since("due_at")
    due_before = django_filters.IsoDateTimeFilter(field_name="due_at", lookup_expr="lt")

    class Meta:
        model = Message
        fields: list[str] = []


class Messages(Lists, Reads, Resource):
    """The outbox, to read."""

    tag, scope = "Messages", "messages"
    access = dict.fromkeys(("list", "retrieve", "events"), (P.VIEW_OUTBOX,))
    model = Message
    serializer_class = MessageOut
    filterset_class = MessageFilters
    order = ("-due_at", "-id")

    @extend_schema(responses=MessageEventOut(many=True), filters=False)
    @action(detail=True, methods=["get"])
    def events(self, request: Request, pk: int) -> Response:
        """Each change of its state with the provider's words, the oldest first."""
        return self.answer(MessageEventOut(self.found().events.order_by("at", "id"), many=True).data)
