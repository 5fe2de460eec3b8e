"""The outbox: what is to be sent, to whom, when and why, and what became of it."""

from typing import Any, ClassVar

import pgtrigger
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from accounts.models import Clinic, User
from accounts.scoping import ScopedQuerySet
from followups.models.appointments import Appointment
from followups.models.playbooks import Nature
from followups.models.tasks import Campaign, Material, Task
from patients.models import Patient
from patients.models.living import living


class MessageChannel(models.TextChoices):
    """By what a message leaves by itself; personal WeChat never does."""

    SMS = "sms", _("SMS")
    WECOM = "wecom", _("WeCom")
    WEBHOOK = "webhook", _("Webhook")


class MessagePurpose(models.TextChoices):
    """What a message is for; with recipient, subject and due time it is sent once."""

    APPOINTMENT_BOOKED = "appointment_booked", _("Appointment booked")
    REMINDER_DAY = "reminder_day", _("Reminder, the day before")
    REMINDER_HOURS = "reminder_hours", _("Reminder, hours before")
    APPOINTMENT_CHANGED = "appointment_changed", _("Appointment changed")
    CARE = "care", _("Care notice")
    MATERIAL = "material", _("Reading")
    CAMPAIGN = "campaign", _("Activity notice")
    TASK = "task", _("Follow-up task")
    DIGEST = "digest", _("Digest for staff")
    KPI_DIGEST = "kpi_digest", _("Key figures of the week, for managers")
    ALERT = "alert", _("Alert for staff")


class MessageTemplate(models.Model):
    """The words of a purpose in one language and channel; `{name}` and the like are checked when it is saved."""

    clinic = models.ForeignKey(Clinic, on_delete=models.CASCADE, related_name="message_templates")
    purpose = models.CharField(_("purpose"), max_length=24, choices=MessagePurpose.choices)
    language = models.CharField(_("language"), max_length=10, default="zh-hans")
    channel = models.CharField(_("channel"), max_length=8, choices=MessageChannel.choices, default=MessageChannel.SMS)
    body = models.TextField(_("text"), max_length=500)
    provider_code = models.CharField(_("the provider's template code"), max_length=60, blank=True)
    is_active = models.BooleanField(_("active"), default=True)
    version = models.PositiveIntegerField(default=1)
    updated_at = models.DateTimeField(auto_now=True)
    updated_by = models.ForeignKey(User, null=True, on_delete=models.PROTECT, related_name="+")

    objects = ScopedQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["clinic", "purpose", "language", "channel"], name="template_once")
        ]
        ordering = ["purpose", "language", "channel"]
        verbose_name = _("message template")
        verbose_name_plural = _("message templates")

    def __str__(self) -> str:
        return f"{self.get_purpose_display()} · {self.language}"


class MessagingSettings(models.Model):
    """When, how many and by which sender a clinic's messages leave."""

    clinic = models.OneToOneField(Clinic, on_delete=models.CASCADE, related_name="messaging_settings")
    quiet_from = models.TimeField(_("quiet from"), default="21:00")
    quiet_until = models.TimeField(_("quiet until"), default="09:00")
    daily_cap = models.PositiveIntegerField(_("at most a day"), default=500)
    remind_day_before = models.BooleanField(_("remind the day before"), default=True)
    remind_day_at = models.TimeField(_("at"), default="18:00")
    remind_hours = models.PositiveSmallIntegerField(_("and hours before (0: not)"), default=2)
    step_aside_days = models.PositiveSmallIntegerField(_("contacted patients step aside, days"), default=3)
    ad_words = models.JSONField(_("words of medical advertising"), null=True, blank=True)  # null: the built-in list

    objects = ScopedQuerySet.as_manager()

    class Meta:
        verbose_name = _("messaging settings")
        verbose_name_plural = _("messaging settings")

    def __str__(self) -> str:
        return f"{self.clinic_id}"


class SenderAccount(models.Model):
    """Which provider sends a channel of a clinic, with its credentials (encrypted)."""

    class Provider(models.TextChoices):
        LOG = "log", _("Log only")
        ALIYUN = "aliyun", _("Aliyun SMS")
        TENCENT = "tencent", _("Tencent SMS")
        WECOM = "wecom", _("WeCom")
        WEBHOOK = "webhook", _("Webhook")

    clinic = models.ForeignKey(Clinic, on_delete=models.CASCADE, related_name="sender_accounts")
    channel = models.CharField(_("channel"), max_length=8, choices=MessageChannel.choices)
    provider = models.CharField(_("provider"), max_length=10, choices=Provider.choices, default=Provider.LOG)
    is_on = models.BooleanField(_("switched on"), default=True)
    config_encrypted = models.BinaryField(null=True, editable=False)  # JSON: keys, addresses, signature
    updated_at = models.DateTimeField(auto_now=True)
    updated_by = models.ForeignKey(User, null=True, on_delete=models.PROTECT, related_name="+")

    objects = ScopedQuerySet.as_manager()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["clinic", "channel"], name="one_sender_per_channel")]
        verbose_name = _("sender")
        verbose_name_plural = _("senders")

    def __str__(self) -> str:
        return f"{self.get_channel_display()}: {self.get_provider_display()}"


class Message(models.Model):
    """One message of the outbox (DESIGN §4); unique by recipient, purpose, subject and due time."""

    class State(models.TextChoices):
        QUEUED = "queued", _("queued")
        SENDING = "sending", _("being sent")
        ACCEPTED = "accepted", _("accepted by the provider")
        DELIVERED = "delivered", _("delivered")
        FAILED = "failed", _("failed")
        UNKNOWN = "unknown", _("unknown")
        SUPPRESSED = "suppressed", _("suppressed")

    class Suppressed(models.TextChoices):
        CONSENT = "consent", _("no consent")
        NEVER = "never", _("never for this class")
        OFF = "off", _("channel switched off")
        CAP = "cap", _("the day's limit was reached")
        STALE = "stale", _("its time had passed")
        GONE = "gone", _("the appointment is no longer expected")
        NO_ADDRESS = "no_address", _("no number or account")
        MERGED = "merged", _("record merged")
        ENDED = "ended", _("no longer needed")

    clinic = models.ForeignKey(Clinic, on_delete=models.PROTECT, related_name="messages")
    patient = models.ForeignKey(Patient, null=True, on_delete=models.PROTECT, related_name="messages")
    staff = models.ForeignKey(User, null=True, on_delete=models.PROTECT, related_name="+")
    channel = models.CharField(max_length=8, choices=MessageChannel.choices)
    purpose = models.CharField(max_length=24, choices=MessagePurpose.choices)
    nature = models.CharField(max_length=10, choices=Nature.choices, default=Nature.SERVICE)
    subject = models.CharField(max_length=60)  # what it is about, e.g. "appointment:12"
    due_at = models.DateTimeField()
    stale_at = models.DateTimeField(null=True)  # from then on it is worth nothing
    language = models.CharField(max_length=10, default="zh-hans")
    variables = models.JSONField(default=dict)
    body = models.TextField(blank=True)  # as rendered when it left
    state = models.CharField(max_length=10, choices=State.choices, default=State.QUEUED)
    suppressed_reason = models.CharField(max_length=12, choices=Suppressed.choices, blank=True)
    failure = models.CharField(max_length=300, blank=True)
    attempts = models.PositiveSmallIntegerField(default=0)
    not_before = models.DateTimeField()  # due time, then the next try; what the sweep orders by
    lease_until = models.DateTimeField(null=True)
    lease_token = models.UUIDField(null=True)
    provider = models.CharField(max_length=10, choices=SenderAccount.Provider.choices, blank=True)
    provider_id = models.CharField(max_length=80, blank=True)
    accepted_at = models.DateTimeField(null=True)
    delivered_at = models.DateTimeField(null=True)
    appointment = models.ForeignKey(Appointment, null=True, on_delete=models.PROTECT, related_name="messages")
    task = models.ForeignKey(Task, null=True, on_delete=models.PROTECT, related_name="messages")
    campaign = models.ForeignKey(Campaign, null=True, on_delete=models.PROTECT, related_name="messages")
    material = models.ForeignKey(Material, null=True, on_delete=models.PROTECT, related_name="+")
    created_at = models.DateTimeField(default=timezone.now)
    created_by = models.ForeignKey(User, null=True, on_delete=models.PROTECT, related_name="+")

    objects = ScopedQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["clinic", "patient", "staff", "purpose", "subject", "due_at"],
                nulls_distinct=False,
                name="message_once",
            ),
            models.CheckConstraint(
                condition=models.Q(patient=None) | models.Q(staff=None), name="message_to_patient_or_staff"
            ),
            models.CheckConstraint(
                condition=models.Q(state="suppressed") ^ models.Q(suppressed_reason=""), name="suppressed_with_reason"
            ),
        ]
        indexes = [
            models.Index(fields=["not_before", "id"], condition=models.Q(state="queued"), name="message_due"),  # sweep
            models.Index(fields=["lease_until"], condition=models.Q(state="sending"), name="message_in_flight"),
            models.Index(fields=["not_before"], condition=models.Q(state="unknown"), name="message_in_doubt"),
            models.Index(fields=["clinic", "-due_at", "-id"], name="message_outbox"),  # outbox page
            models.Index(fields=["clinic", "accepted_at"], name="message_per_day"),  # daily cap
            models.Index(fields=["patient", "-due_at"], name="message_of_patient"),
            models.Index(
                fields=["provider", "provider_id"], condition=~models.Q(provider_id=""), name="message_by_provider_id"
            ),
        ]
        triggers: ClassVar[list[Any]] = [living("patient")]
        verbose_name = _("message")
        verbose_name_plural = _("messages")

    def __str__(self) -> str:
        return f"{self.get_purpose_display()} {self.due_at:%Y-%m-%d %H:%M}"


class MessageEventQuerySet(ScopedQuerySet):
    clinic_path = "message__clinic"


class MessageEvent(models.Model):
    """Each change of a message's state, with the provider's words: append-only."""

    message = models.ForeignKey(Message, on_delete=models.PROTECT, related_name="events")
    old_state = models.CharField(max_length=10, choices=Message.State.choices, blank=True)
    new_state = models.CharField(max_length=10, choices=Message.State.choices)
    detail = models.CharField(max_length=300, blank=True)
    at = models.DateTimeField(default=timezone.now)
    by = models.ForeignKey(User, null=True, on_delete=models.PROTECT, related_name="+")

    objects = MessageEventQuerySet.as_manager()

    class Meta:
        triggers: ClassVar[list[Any]] = [
            pgtrigger.Protect(name="append_only", operation=pgtrigger.Update | pgtrigger.Delete)
        ]
        verbose_name = _("message event")
        verbose_name_plural = _("message events")

    def __str__(self) -> str:
        return f"{self.message_id}: {self.new_state}"


class JobRun(models.Model):
    """The heartbeat of one periodic job of the installation: one row per job."""

    name = models.CharField(max_length=60, unique=True)
    started_at = models.DateTimeField(null=True)
    finished_at = models.DateTimeField(null=True)
    done_for = models.DateField(null=True)  # daily jobs: the last day done
    handled = models.PositiveIntegerField(default=0)
    failure = models.CharField(max_length=300, blank=True)

    class Meta:
        verbose_name = _("periodic job")
        verbose_name_plural = _("periodic jobs")

    def __str__(self) -> str:
        return self.name
