"""Which contact and booking a visitor gave, and what became of them."""

from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from accounts.models import User
from accounts.scoping import ScopedQuerySet
from conversations.models.chat import ChatMessage, Conversation, ConversationOwnedQuerySet
from patients import crypto


class Capture(models.Model):
    """What was captured in one chat, said by the inspection; corrected by a person where it is wrong."""

    conversation = models.OneToOneField(Conversation, on_delete=models.CASCADE, related_name="capture")
    booking_at = models.DateTimeField(_("booked for"), null=True, blank=True)  # the last time agreed
    booking_message = models.ForeignKey(ChatMessage, null=True, on_delete=models.CASCADE, related_name="+")
    booking_user = models.ForeignKey(User, null=True, on_delete=models.PROTECT, related_name="+")
    corrected_at = models.DateTimeField(null=True)  # inspecting again leaves it alone from then on
    corrected_by = models.ForeignKey(User, null=True, on_delete=models.PROTECT, related_name="+")

    objects = ConversationOwnedQuerySet.as_manager()

    class Meta:
        verbose_name = _("capture")
        verbose_name_plural = _("captures")

    def __str__(self) -> str:
        return str(self.conversation_id)


class CapturedContactQuerySet(ScopedQuerySet):
    clinic_path = "capture__conversation__clinic"


class CapturedContact(models.Model):
    """One way to reach the visitor, encrypted; without group and remark it is unfinished ([S2])."""

    class Kind(models.TextChoices):
        PHONE = "phone", _("Phone")
        WECHAT = "wechat", _("WeChat")
        QQ = "qq", "QQ"

    capture = models.ForeignKey(Capture, on_delete=models.CASCADE, related_name="contacts")
    kind = models.CharField(max_length=8, choices=Kind.choices)
    value_encrypted = models.BinaryField()
    value_index = models.BinaryField(max_length=crypto.INDEX_BYTES)
    last4 = models.CharField(max_length=4)
    message = models.ForeignKey(ChatMessage, null=True, on_delete=models.CASCADE, related_name="+")
    user = models.ForeignKey(User, null=True, on_delete=models.PROTECT, related_name="+")  # who got it
    group_name = models.CharField(_("group"), max_length=60, blank=True)
    remark = models.CharField(_("remark"), max_length=120, blank=True)
    added_at = models.DateTimeField(_("added as a contact"), null=True)
    created_at = models.DateTimeField(default=timezone.now)

    objects = CapturedContactQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["capture", "kind", "value_index"], name="captured_contact_once"),
        ]
        indexes = [models.Index(fields=["value_index"], name="captured_contact_exact")]
        verbose_name = _("captured contact")
        verbose_name_plural = _("captured contacts")

    def __str__(self) -> str:
        return self.masked

    @property
    def value(self) -> str:
        """The whole number or id; showing it to a person is logged by the caller."""
        return crypto.decrypt(self.value_encrypted)

    @property
    def masked(self) -> str:
        """How it is shown until opened."""
        return f"****{self.last4}"
