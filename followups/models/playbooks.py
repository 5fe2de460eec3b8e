"""Which contacts a class asks for, and one patient's run through them."""

from typing import Any, ClassVar

from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext, pgettext_lazy

from accounts.models import Clinic, User
from accounts.permissions import Role
from accounts.scoping import ScopedQuerySet
from patients.classification import PatientClass
from patients.models import ClassChange, Patient
from patients.models.living import living


class ContactChannel(models.TextChoices):
    """How a patient is reached."""

    PHONE = "phone", pgettext_lazy("contact", "Phone")
    WECHAT = "wechat", _("WeChat")
    SMS = "sms", _("SMS")
    WECOM = "wecom", _("WeCom")
    IN_PERSON = "in_person", _("In person")


class Nature(models.TextChoices):
    """What a contact is before the law and the class's "never": care, an appointment's errand, or advertising."""

    SERVICE = "service", _("Service")
    REMINDER = "reminder", _("Reminder")
    MARKETING = "marketing", _("Marketing")
    CLOSING = "closing", _("Closing pitch")


def due_words(anchor: str, days: int) -> str:
    """Return on which day a step falls due, counted from `anchor`: left the clinic + 7 days."""
    if not days:
        return anchor
    number = ngettext("%(n)s day", "%(n)s days", abs(days)) % {"n": abs(days)}
    return f"{anchor} {'+' if days > 0 else '−'} {number}"


class Playbook(models.Model):
    """One version of a class's playbook in a clinic; a change makes a new version, runs keep theirs."""

    clinic = models.ForeignKey(Clinic, on_delete=models.CASCADE, related_name="playbooks")
    class_code = models.CharField(_("class"), max_length=3, choices=PatientClass.choices)
    version = models.PositiveIntegerField(default=1)
    is_current = models.BooleanField(default=True)
    created_at = models.DateTimeField(default=timezone.now)
    created_by = models.ForeignKey(User, null=True, on_delete=models.PROTECT, related_name="+")

    objects = ScopedQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["clinic", "class_code", "version"], name="playbook_version_once"),
            models.UniqueConstraint(
                fields=["clinic", "class_code"], condition=models.Q(is_current=True), name="one_current_playbook"
            ),
        ]
        verbose_name = _("playbook")
        verbose_name_plural = _("playbooks")

    def __str__(self) -> str:
        return f"{self.class_code} v{self.version}"


class PlaybookStepQuerySet(ScopedQuerySet):
    clinic_path = "playbook__clinic"


class PlaybookStep(models.Model):
    """One contact of a playbook: when, by whom, how, with which words, and what makes it needless."""

    class Anchor(models.TextChoices):
        LEFT = "left", _("left the clinic")
        CLASS_SET = "class_set", _("class set")
        APPOINTMENT = "appointment", _("next appointment")
        PLAN_SENT = "plan_sent", _("plan sent")
        NO_SHOW = "no_show", _("no-show")
        COMPLAINT = "complaint", _("complaint closed")

    class ClosedBy(models.TextChoices):
        CONTACT = "contact", _("being done")
        BOOKED = "booked", _("a later appointment")
        RECEIVED = "received", _("the patient coming")
        WECHAT = "wechat", _("WeChat added")

    playbook = models.ForeignKey(Playbook, on_delete=models.CASCADE, related_name="steps")
    position = models.PositiveSmallIntegerField(default=0)
    kind = models.CharField(_("what"), max_length=16)  # a TaskKind
    title = models.CharField(_("title"), max_length=80)
    anchor = models.CharField(_("counted from"), max_length=12, choices=Anchor.choices)
    offset_days = models.SmallIntegerField(_("days after"), default=1)  # negative: before
    at_time = models.TimeField(_("at"), null=True, blank=True)
    repeat_days = models.PositiveSmallIntegerField(_("again every, days"), null=True, blank=True)
    owner_role = models.CharField(_("who"), max_length=20, choices=Role.choices, default=Role.COORDINATOR)
    channel = models.CharField(_("how"), max_length=10, choices=ContactChannel.choices, default=ContactChannel.PHONE)
    nature = models.CharField(_("nature"), max_length=10, choices=Nature.choices, default=Nature.SERVICE)
    script = models.TextField(_("script"), max_length=1000, blank=True)
    closed_by = models.CharField(_("closed by"), max_length=10, choices=ClosedBy.choices, default=ClosedBy.CONTACT)

    objects = PlaybookStepQuerySet.as_manager()

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=models.Q(repeat_days=None) | models.Q(repeat_days__gte=7), name="repeats_weekly_at_most"
            )
        ]
        ordering = ["position", "id"]
        verbose_name = _("playbook step")
        verbose_name_plural = _("playbook steps")

    def __str__(self) -> str:
        return self.title

    @property
    def due_words(self) -> str:
        return due_words(str(self.get_anchor_display()), self.offset_days)

    @property
    def kind_label(self) -> str:
        from followups.models.tasks import TaskKind  # tasks refer to steps

        return str(TaskKind(self.kind).label)


class PlaybookRun(models.Model):
    """One patient on one playbook in one clinic, from the class being set until something ends it."""

    class EndReason(models.TextChoices):
        CLASS_CHANGED = "class_changed", _("another class")
        ACCEPTED = "accepted", _("accepted")
        REFUSED = "refused", _("refused")
        CONSENT = "consent", _("consent withdrawn")
        MERGED = "merged", _("record merged")
        BY_HAND = "by_hand", _("ended by hand")

    clinic = models.ForeignKey(Clinic, on_delete=models.PROTECT, related_name="+")
    patient = models.ForeignKey(Patient, on_delete=models.PROTECT, related_name="playbook_runs")
    playbook = models.ForeignKey(Playbook, on_delete=models.PROTECT, related_name="runs")
    class_change = models.OneToOneField(ClassChange, null=True, on_delete=models.PROTECT, related_name="playbook_run")
    owner = models.ForeignKey(User, null=True, on_delete=models.PROTECT, related_name="+")  # the TC then
    started_at = models.DateTimeField(default=timezone.now)
    left_at = models.DateTimeField(null=True)  # when the patient left the clinic: the anchor of "left"
    plan_sent_at = models.DateTimeField(null=True)  # the anchor of "plan sent"
    plan_words = models.CharField(max_length=80, blank=True)  # what the plan is called, e.g. 种植方案; no price
    paused_at = models.DateTimeField(null=True)  # while a complaint is open
    generate_at = models.DateTimeField(null=True)  # when its next steps come near enough to become tasks
    ended_at = models.DateTimeField(null=True)
    end_reason = models.CharField(max_length=16, choices=EndReason.choices, blank=True)

    objects = ScopedQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["clinic", "patient"], condition=models.Q(ended_at=None), name="one_running_playbook"
            ),
            models.CheckConstraint(
                condition=models.Q(ended_at=None, end_reason="")
                | (models.Q(ended_at__isnull=False) & ~models.Q(end_reason="")),
                name="run_ends_with_reason",
            ),
        ]
        indexes = [
            models.Index(fields=["generate_at"], condition=models.Q(ended_at=None), name="run_to_generate"),
            models.Index(fields=["patient"], name="run_of_patient"),
        ]
        triggers: ClassVar[list[Any]] = [living("patient")]
        verbose_name = _("playbook run")
        verbose_name_plural = _("playbook runs")

    def __str__(self) -> str:
        return f"{self.patient_id} · {self.playbook_id}"
