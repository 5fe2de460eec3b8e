"""How a chat, or a consultant's WeChat and QQ front, is scored."""

from typing import Any

from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from accounts.models import Clinic, User
from accounts.scoping import ScopedQuerySet
from conversations.models.chat import Conversation, ConversationOwnedQuerySet
from followups.models import Task

HUNDRED = [MinValueValidator(0), MaxValueValidator(100)]


class Rubric(models.Model):
    """One version of how points are given; never changed once saved."""

    class Kind(models.TextChoices):
        CHAT = "chat", _("Chat")
        FRONT = "front", _("WeChat and QQ front")

    clinic = models.ForeignKey(Clinic, on_delete=models.CASCADE, related_name="chat_rubrics")
    kind = models.CharField(max_length=8, choices=Kind.choices)
    version = models.PositiveIntegerField()
    # chat: {"deductions": {code: points}, "caps": {group: points}}; front: [{"code", "label", "points", "help"}]
    data = models.JSONField()
    is_active = models.BooleanField(default=True)
    created_at = models.DateTimeField(default=timezone.now)
    created_by = models.ForeignKey(User, null=True, on_delete=models.PROTECT, related_name="+")

    objects = ScopedQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["clinic", "kind", "version"], name="chat_rubric_version_once"),
            models.UniqueConstraint(
                fields=["clinic", "kind"], condition=models.Q(is_active=True), name="one_active_chat_rubric"
            ),
        ]
        ordering = ["kind", "-version"]
        verbose_name = _("rubric for chats")
        verbose_name_plural = _("rubrics for chats")

    def __str__(self) -> str:
        return f"{self.get_kind_display()} {self.version}"


class ScoreCard(models.Model):
    """A manager's score of one chat: it counts for KPI 3 (DOMAIN §6). A new one replaces the former."""

    conversation = models.ForeignKey(Conversation, on_delete=models.CASCADE, related_name="score_cards")
    rubric = models.ForeignKey(Rubric, on_delete=models.PROTECT, related_name="+")
    consultant = models.ForeignKey(User, null=True, on_delete=models.PROTECT, related_name="+")
    score = models.DecimalField(_("score"), max_digits=5, decimal_places=2, validators=HUNDRED)
    lines = models.JSONField(default=list)  # [{"code", "points", "count"}]: the deductions as they were
    note = models.CharField(_("note"), max_length=500, blank=True)
    scored_at = models.DateTimeField(default=timezone.now)
    scored_by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")
    replaced_at = models.DateTimeField(null=True)

    objects = ConversationOwnedQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["conversation"], condition=models.Q(replaced_at=None), name="one_score_card_holds"
            ),
            models.CheckConstraint(condition=models.Q(score__range=(0, 100)), name="score_card_0_to_100"),
        ]
        indexes = [models.Index(fields=["scored_at"], name="score_card_by_time")]  # KPI 3
        verbose_name = _("score card")
        verbose_name_plural = _("score cards")

    def __str__(self) -> str:
        return str(self.score)


class CoachingNoteQuerySet(ConversationOwnedQuerySet):
    def open(self) -> Any:
        """Keep what is still to be done."""
        rows = self.filter(done_at=None, conversation__is_error=False)
        return rows.filter(models.Q(due_on__isnull=False) | models.Q(seen_at=None))


class CoachingNote(models.Model):
    """What a manager asks of a consultant after reading a chat: a task with a day, closed by the consultant.

    It is no Task of followups, which is about a patient. Notes without a day are from before they had one; to have
    seen them closed them.
    """

    conversation = models.ForeignKey(Conversation, on_delete=models.CASCADE, related_name="coaching_notes")
    consultant = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")
    text = models.TextField(_("what to do better"), max_length=1000)
    task = models.ForeignKey(Task, null=True, on_delete=models.PROTECT, related_name="+")
    created_at = models.DateTimeField(default=timezone.now)
    created_by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")
    seen_at = models.DateTimeField(null=True)
    due_on = models.DateField(_("until"), null=True)
    done_at = models.DateTimeField(null=True)
    answer = models.CharField(_("what was done"), max_length=500, blank=True, db_default="", default="")

    objects = CoachingNoteQuerySet.as_manager()

    class Meta:
        indexes = [
            models.Index(fields=["consultant", "-created_at"], name="coaching_of_consultant"),
            # Today, the task list, the managers' list of what is overdue.
            models.Index(fields=["due_on"], condition=models.Q(done_at=None), name="coaching_open"),
        ]
        verbose_name = _("coaching note")
        verbose_name_plural = _("coaching notes")

    def __str__(self) -> str:
        return self.text[:40]


class FrontScore(models.Model):
    """A consultant's WeChat and QQ front in one month: groups, remarks, signature, Moments, album, contact ([S2])."""

    clinic = models.ForeignKey(Clinic, on_delete=models.PROTECT, related_name="+")
    consultant = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")
    month = models.DateField(_("month"))  # its first day
    rubric = models.ForeignKey(Rubric, on_delete=models.PROTECT, related_name="+")
    points = models.JSONField()  # {code: points given}
    score = models.DecimalField(_("score"), max_digits=5, decimal_places=2, validators=HUNDRED)
    note = models.CharField(_("note"), max_length=500, blank=True)
    scored_at = models.DateTimeField(default=timezone.now)
    scored_by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")

    objects = ScopedQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["clinic", "consultant", "month"], name="front_scored_once_a_month"),
            models.CheckConstraint(condition=models.Q(score__range=(0, 100)), name="front_score_0_to_100"),
        ]
        verbose_name = _("score of a front")
        verbose_name_plural = _("scores of fronts")

    def __str__(self) -> str:
        return f"{self.consultant_id} {self.month:%Y-%m}"
