"""A chat between a visitor and an online consultant, as it was imported."""

from decimal import Decimal
from typing import Any, ClassVar

from django.core.validators import MinValueValidator
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from accounts.models import Clinic, Team, User
from accounts.scoping import ScopedQuerySet
from followups.models import Appointment
from patients.models import Patient
from patients.models.living import living


class ConsultantName(models.Model):
    """Who of the staff writes under a name in the chats (an alias such as 郑老师)."""

    clinic = models.ForeignKey(Clinic, on_delete=models.CASCADE, related_name="+")
    name = models.CharField(_("name in the chats"), max_length=60)
    user = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+", verbose_name=_("consultant"))

    objects = ScopedQuerySet.as_manager()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["clinic", "name"], name="consultant_name_once_per_clinic")]
        verbose_name = _("name in the chats")
        verbose_name_plural = _("names in the chats")

    def __str__(self) -> str:
        return self.name


class Conversation(models.Model):
    """One chat (DOMAIN §5). What can be counted of its messages is counted once, when it is imported.

    Silences and lengths are the facts; whether they are too long is for the rules to say.
    """

    class Ending(models.TextChoices):
        GREETING = "greeting", _("Greeting")
        VISITOR = "visitor", _("Visitor left")
        CONSULTANT = "consultant", _("Consultant ended")
        SYSTEM = "system", _("System")

    clinic = models.ForeignKey(Clinic, on_delete=models.PROTECT, related_name="conversations")
    source_key = models.CharField(max_length=80)  # the other system's id, or a digest of the text
    content_hash = models.CharField(max_length=64)  # of messages and senders: the same file again changes nothing
    channel = models.CharField(_("channel"), max_length=60, blank=True)
    keyword = models.CharField(_("keyword"), max_length=120, blank=True)
    cost = models.DecimalField(
        _("cost"), max_digits=8, decimal_places=2, null=True, blank=True, validators=[MinValueValidator(Decimal(0))]
    )
    # Of the message's senders the one who wrote most; each message has its own sender too.
    consultant = models.ForeignKey(
        User, null=True, blank=True, on_delete=models.PROTECT, related_name="+", verbose_name=_("consultant")
    )
    consultant_name = models.CharField(_("consultant, as written"), max_length=60, blank=True)
    team = models.ForeignKey(
        Team, null=True, blank=True, on_delete=models.PROTECT, related_name="+", verbose_name=_("team")
    )
    team_name = models.CharField(_("team, as written"), max_length=60, blank=True)
    visitor_name = models.CharField(_("visitor"), max_length=60, blank=True)
    started_at = models.DateTimeField(_("started"))
    ended_at = models.DateTimeField(_("ended"))

    message_count = models.PositiveIntegerField(default=0)
    visitor_messages = models.PositiveIntegerField(default=0)
    visitor_chars = models.PositiveIntegerField(default=0)
    consultant_messages = models.PositiveIntegerField(default=0)
    consultant_chars = models.PositiveIntegerField(default=0)
    first_reply_seconds = models.PositiveIntegerField(null=True)  # None: never answered
    longest_silence_seconds = models.PositiveIntegerField(null=True)
    import_notes = models.JSONField(default=dict, blank=True)  # oddities met while reading, e.g. {"no_time": 3}

    # What the inspection says (conversations.inspection), written with its findings in one transaction.
    ending = models.CharField(_("ending"), max_length=12, choices=Ending.choices, blank=True)
    third_party = models.BooleanField(_("asks for somebody else"), default=False)
    in_scope = models.BooleanField(default=True)  # a possible treatment, so that marketing codes apply
    is_effective = models.BooleanField(default=False)  # the visitor wrote at least three messages and is in scope
    inspected_at = models.DateTimeField(null=True)
    rule_set = models.ForeignKey(
        "conversations.RuleSet", null=True, on_delete=models.PROTECT, related_name="+", editable=False
    )
    score = models.DecimalField(max_digits=5, decimal_places=2, null=True)  # of the rules; a manager's is a ScoreCard
    severity = models.PositiveSmallIntegerField(default=0)  # of the gravest finding that stands, 0 none to 4 abuse

    patient = models.ForeignKey(Patient, null=True, blank=True, on_delete=models.PROTECT, related_name="conversations")
    appointment = models.ForeignKey(
        Appointment, null=True, blank=True, on_delete=models.PROTECT, related_name="conversations"
    )
    read_at = models.DateTimeField(null=True)  # a manager looked at it
    read_by = models.ForeignKey(User, null=True, on_delete=models.PROTECT, related_name="+")
    self_checked_at = models.DateTimeField(null=True)  # the consultant did, before anyone else
    is_error = models.BooleanField(default=False)  # entered in error: never counts
    imported_at = models.DateTimeField(default=timezone.now)
    imported_by = models.ForeignKey(User, null=True, on_delete=models.PROTECT, related_name="+")

    objects = ScopedQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["clinic", "source_key"], name="conversation_once_per_clinic"),
            models.CheckConstraint(
                condition=models.Q(ended_at__gte=models.F("started_at")), name="conversation_ends_after_start"
            ),
            models.CheckConstraint(
                condition=models.Q(cost=None) | models.Q(cost__gte=0), name="conversation_cost_not_negative"
            ),
        ]
        indexes = [
            models.Index(fields=["clinic", "-started_at", "-id"], name="conversation_list"),  # list, reports
            models.Index(fields=["clinic", "consultant", "-started_at"], name="conversation_by_consultant"),
            models.Index(  # the reading queue: gravest first, then dearest
                fields=["clinic", "-severity", "-cost", "-id"],
                condition=models.Q(read_at=None, is_error=False),
                name="conversation_queue",
            ),
            models.Index(
                fields=["patient"], condition=models.Q(patient__isnull=False), name="conversations_of_patient"
            ),
        ]
        triggers: ClassVar[list[Any]] = [living("patient")]
        verbose_name = _("conversation")
        verbose_name_plural = _("conversations")

    def __str__(self) -> str:
        return f"{self.visitor_name} {self.started_at:%Y-%m-%d %H:%M}"


class ConversationOwnedQuerySet(ScopedQuerySet):
    """For rows that hang on a conversation."""

    clinic_path = "conversation__clinic"


class ChatMessage(models.Model):
    """One line of a chat. Credit and blame go to its own sender."""

    class Sender(models.TextChoices):
        VISITOR = "visitor", _("visitor")
        CONSULTANT = "consultant", _("consultant")
        BOT = "bot", _("bot")
        SYSTEM = "system", _("system")

    conversation = models.ForeignKey(Conversation, on_delete=models.CASCADE, related_name="messages")
    position = models.PositiveIntegerField()  # from 0, in the order of the chat
    at = models.DateTimeField(null=True)  # None: the source gave no time
    sender = models.CharField(max_length=10, choices=Sender.choices)
    sender_name = models.CharField(max_length=60, blank=True)
    user = models.ForeignKey(User, null=True, on_delete=models.PROTECT, related_name="+")
    text = models.TextField()

    objects = ConversationOwnedQuerySet.as_manager()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["conversation", "position"], name="chat_position_once")]
        ordering = ["position"]
        verbose_name = _("chat message")
        verbose_name_plural = _("chat messages")

    def __str__(self) -> str:
        return self.text[:40]
