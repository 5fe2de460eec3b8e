"""What was found in a chat, and what its consultant says to that."""

from typing import Any

from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from accounts.models import User
from accounts.scoping import ScopedQuerySet
from conversations.inspection.advice import advice
from conversations.models.chat import ChatMessage, Conversation, ConversationOwnedQuerySet
from conversations.models.rule_sets import RuleSet


class FindingQuerySet(ConversationOwnedQuerySet):
    def standing(self) -> Any:
        """Leave out what an appeal or a later rule version took back."""
        return self.filter(withdrawn_at=None)


class Finding(models.Model):
    """One thing that lost (or may lose) the visitor, with the words it is about.

    The codes are those of conversations.inspection.codes. Inspecting again withdraws what no longer holds and adds
    what is new; a manager's own findings (`by` set) and appealed ones stay.
    """

    conversation = models.ForeignKey(Conversation, on_delete=models.CASCADE, related_name="findings")
    code = models.CharField(max_length=32)
    message = models.ForeignKey(ChatMessage, null=True, on_delete=models.CASCADE, related_name="findings")
    user = models.ForeignKey(User, null=True, on_delete=models.PROTECT, related_name="+")  # whose sentence it is
    quote = models.CharField(max_length=200, blank=True)  # the words
    detail = models.JSONField(default=dict, blank=True)  # what the rule measured, e.g. {"seconds": 75}
    #: Only what the clinic's rules or a manager say; what is built in is told to each reader (shown_advice).
    advice = models.CharField(_("what to say instead"), max_length=300, blank=True)
    rule_set = models.ForeignKey(RuleSet, null=True, on_delete=models.PROTECT, related_name="+")
    by = models.ForeignKey(User, null=True, on_delete=models.PROTECT, related_name="+")  # a manager's own finding
    note = models.CharField(_("note"), max_length=300, blank=True)
    created_at = models.DateTimeField(default=timezone.now)
    withdrawn_at = models.DateTimeField(null=True)
    withdrawn_reason = models.CharField(max_length=12, blank=True)  # appeal, rules, manager

    objects = FindingQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["conversation", "code", "message"],
                condition=models.Q(withdrawn_at=None),
                nulls_distinct=False,
                name="finding_once",
            ),
        ]
        indexes = [models.Index(fields=["code", "conversation"], name="finding_by_code")]
        ordering = ["message__position", "id"]
        verbose_name = _("finding in a chat")
        verbose_name_plural = _("findings in chats")

    def __str__(self) -> str:
        return self.code

    @property
    def shown_advice(self) -> str:
        """What to say instead, in the reader's language unless the clinic or a manager wrote it."""
        return self.advice or advice(self.code, self.detail)


class AppealQuerySet(ScopedQuerySet):
    clinic_path = "finding__conversation__clinic"


class Appeal(models.Model):
    """A consultant's objection to one finding, and the answer."""

    finding = models.OneToOneField(Finding, on_delete=models.CASCADE, related_name="appeal")
    text = models.TextField(_("why it does not hold"), max_length=1000)
    made_at = models.DateTimeField(default=timezone.now)
    made_by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")
    answer = models.TextField(_("answer"), max_length=1000, blank=True)
    is_upheld = models.BooleanField(null=True)  # True: the finding is withdrawn
    answered_at = models.DateTimeField(null=True)
    answered_by = models.ForeignKey(User, null=True, on_delete=models.PROTECT, related_name="+")

    objects = AppealQuerySet.as_manager()

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=models.Q(answered_at=None, answered_by=None, is_upheld=None)
                | models.Q(answered_at__isnull=False, answered_by__isnull=False, is_upheld__isnull=False),
                name="appeal_answered_wholly_or_not",
            )
        ]
        indexes = [models.Index(fields=["made_at"], condition=models.Q(answered_at=None), name="appeals_waiting")]
        verbose_name = _("appeal")
        verbose_name_plural = _("appeals")

    def __str__(self) -> str:
        return self.text[:40]
