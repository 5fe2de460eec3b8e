"""How another chat system proves that it is the one that pushes chats."""

from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from accounts.models import Clinic, User
from accounts.scoping import ScopedQuerySet
from patients import crypto


class WebhookKey(models.Model):
    """The address and the secret of a clinic's webhook; making a new one ends the old."""

    clinic = models.OneToOneField(Clinic, on_delete=models.CASCADE, related_name="chat_webhook")
    key = models.CharField(max_length=32, unique=True)  # in the address
    secret_encrypted = models.BinaryField()  # signs; shown to whoever may edit the rules
    created_at = models.DateTimeField(default=timezone.now)
    created_by = models.ForeignKey(User, null=True, on_delete=models.PROTECT, related_name="+")
    last_used_at = models.DateTimeField(null=True)

    objects = ScopedQuerySet.as_manager()

    class Meta:
        verbose_name = _("webhook for chats")
        verbose_name_plural = _("webhooks for chats")

    def __str__(self) -> str:
        return self.key

    @property
    def secret(self) -> str:
        """The signing secret; showing it to a person is logged by the caller."""
        return crypto.decrypt(self.secret_encrypted)


class WebhookEvent(models.Model):
    """A delivery that was taken in; the same one again is answered, not taken in twice."""

    clinic = models.ForeignKey(Clinic, on_delete=models.CASCADE, related_name="+")
    event_id = models.CharField(max_length=80)
    body_hash = models.CharField(max_length=64)
    answer = models.JSONField(default=dict)
    at = models.DateTimeField(default=timezone.now)

    objects = ScopedQuerySet.as_manager()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["clinic", "event_id"], name="webhook_event_once")]
        indexes = [models.Index(fields=["at"], name="webhook_event_age")]  # old ones are thrown away
        verbose_name = _("webhook delivery")
        verbose_name_plural = _("webhook deliveries")

    def __str__(self) -> str:
        return self.event_id
