"""Webhooks: where other systems are told what happened, and what became of each telling."""

import uuid
from typing import Any, ClassVar

import pgtrigger
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from accounts.models import Clinic, User
from accounts.scoping import ScopedQuerySet
from patients import crypto


class HookEvent(models.TextChoices):
    """What other systems may ask to be told."""

    VISIT_CLOSED = "visit.closed", _("A visit ended")
    VISIT_DECIDED = "visit.decided", _("A patient decided")
    APPOINTMENT_CHANGED = "appointment.changed", _("An appointment was booked, moved or ended")
    COMPLAINT_RECEIVED = "complaint.received", _("A complaint was received")
    CHAT_ABUSE = "conversation.abuse", _("Abuse in a chat")


class Hook(models.Model):
    """One address of a clinic that wants to hear of some events."""

    clinic = models.ForeignKey(Clinic, on_delete=models.CASCADE, related_name="hooks")
    name = models.CharField(_("name"), max_length=60)
    url = models.CharField(_("web address"), max_length=500)
    events = ArrayField(models.CharField(max_length=24, choices=HookEvent.choices), verbose_name=_("events"))
    is_active = models.BooleanField(_("switched on"), default=True)
    secret_encrypted = models.BinaryField(editable=False)
    created_at = models.DateTimeField(default=timezone.now)
    created_by = models.ForeignKey(User, null=True, on_delete=models.PROTECT, related_name="+")
    updated_at = models.DateTimeField(auto_now=True)
    removed_at = models.DateTimeField(null=True)  # its deliveries stay to be read

    objects = ScopedQuerySet.as_manager()

    class Meta:
        ordering = ["name", "id"]
        verbose_name = _("webhook")
        verbose_name_plural = _("webhooks")

    def __str__(self) -> str:
        return self.name

    @property
    def secret(self) -> str:
        """The secret that signs; shown once, when it is made."""
        return crypto.decrypt(self.secret_encrypted)


class HookDeliveryQuerySet(ScopedQuerySet):
    clinic_path = "hook__clinic"


class HookDelivery(models.Model):
    """One event on its way to one address: written with what happened, sent by a job, until it arrives."""

    class State(models.TextChoices):
        QUEUED = "queued", _("queued")
        SENDING = "sending", _("being sent")
        DELIVERED = "delivered", _("delivered")
        FAILED = "failed", _("failed")

    hook = models.ForeignKey(Hook, on_delete=models.CASCADE, related_name="deliveries")
    event_id = models.UUIDField(default=uuid.uuid4)  # the receiver knows a repetition by it
    event = models.CharField(max_length=24, choices=HookEvent.choices)
    payload = models.JSONField()
    state = models.CharField(max_length=10, choices=State.choices, default=State.QUEUED)
    attempts = models.PositiveSmallIntegerField(default=0)
    not_before = models.DateTimeField(default=timezone.now)  # while being sent: until when nobody else may
    lease_token = models.UUIDField(null=True)
    last_status = models.PositiveSmallIntegerField(null=True)  # HTTP
    failure = models.CharField(max_length=200, blank=True)
    delivered_at = models.DateTimeField(null=True)
    replays = models.PositiveSmallIntegerField(default=0)
    created_at = models.DateTimeField(default=timezone.now)

    objects = HookDeliveryQuerySet.as_manager()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["hook", "event_id"], name="hook_event_once")]
        indexes = [
            models.Index(  # the sweep
                fields=["not_before", "id"], condition=models.Q(state__in=["queued", "sending"]), name="hook_due"
            ),
            models.Index(fields=["hook", "-created_at", "-id"], name="hook_log"),
        ]
        verbose_name = _("delivery of a webhook")
        verbose_name_plural = _("deliveries of webhooks")

    def __str__(self) -> str:
        return f"{self.event} {self.event_id}"


class HookAttemptQuerySet(ScopedQuerySet):
    clinic_path = "delivery__hook__clinic"


class HookAttempt(models.Model):
    """One try to deliver: append-only."""

    delivery = models.ForeignKey(HookDelivery, on_delete=models.CASCADE, related_name="tries")
    status = models.PositiveSmallIntegerField(null=True)  # HTTP; None: nobody answered
    detail = models.CharField(max_length=200, blank=True)
    seconds = models.FloatField(default=0)
    at = models.DateTimeField(default=timezone.now)

    objects = HookAttemptQuerySet.as_manager()

    class Meta:
        triggers: ClassVar[list[Any]] = [pgtrigger.Protect(name="append_only", operation=pgtrigger.Update)]
        ordering = ["id"]
        verbose_name = _("try of a delivery")
        verbose_name_plural = _("tries of deliveries")

    def __str__(self) -> str:
        return str(self.status or self.detail)
