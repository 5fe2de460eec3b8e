"""What was done for a patient, word of mouth, and thanks for referrals."""

from typing import Any, ClassVar

import pgtrigger
from django.core.validators import MinValueValidator
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from accounts.models import Clinic, User
from accounts.scoping import ScopedQuerySet
from patients.models.history import Referral
from patients.models.living import living
from patients.models.patient import Patient


class CareAction(models.Model):
    """One thing done for a patient to raise awareness or trust (DOMAIN §3): append-only."""

    class Kind(models.TextChoices):
        TBI = "tbi", _("Brushing instruction (TBI)")
        GIFT = "gift", _("Gift service")
        ACTIVITY = "activity", _("Activity")
        VIP = "vip", _("VIP care")
        PREVENTION = "prevention", _("Prevention product")
        MEMBERSHIP = "membership", _("Membership card")
        BASIC_ITEM = "basic_item", _("Basic item")
        OTHER = "other", _("Other")

    clinic = models.ForeignKey(Clinic, on_delete=models.PROTECT, related_name="+")
    patient = models.ForeignKey(Patient, on_delete=models.PROTECT, related_name="care_actions")
    kind = models.CharField(_("what"), max_length=12, choices=Kind.choices)
    note = models.CharField(_("note"), max_length=200, blank=True)
    cost = models.DecimalField(_("cost"), max_digits=10, decimal_places=2, default=0, validators=[MinValueValidator(0)])
    at = models.DateTimeField(_("when"), default=timezone.now)
    by = models.ForeignKey(User, null=True, on_delete=models.PROTECT, related_name="+", verbose_name=_("by"))
    subject = models.CharField(max_length=60, blank=True)  # where it was noted, e.g. "visit:12"; once per subject
    undoes = models.OneToOneField("self", null=True, on_delete=models.PROTECT, related_name="undone_by")
    recorded_at = models.DateTimeField(default=timezone.now)

    objects = ScopedQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["patient", "kind", "subject"], condition=~models.Q(subject=""), name="care_action_once"
            ),
            models.CheckConstraint(condition=models.Q(cost__gte=0), name="care_cost_not_negative"),
        ]
        indexes = [
            models.Index(fields=["patient", "-at"], name="care_of_patient"),
            models.Index(fields=["clinic", "-at"], name="care_by_clinic"),  # what moved patients up
        ]
        triggers: ClassVar[list[Any]] = [
            pgtrigger.Protect(name="append_only", operation=pgtrigger.Update | pgtrigger.Delete),
            living("patient"),
        ]
        verbose_name = _("care action")
        verbose_name_plural = _("care actions")

    def __str__(self) -> str:
        return self.get_kind_display()


class WordOfMouth(models.Model):
    """Word of mouth that a patient was asked for (口碑): asked, then done or declined. Never rewarded."""

    class Platform(models.TextChoices):
        MOMENTS = "moments", _("Moments")
        FRIENDS = "friends", _("Friends")
        DIANPING = "dianping", _("Dianping review")

    class State(models.TextChoices):
        ASKED = "asked", _("asked")
        DONE = "done", _("done")
        DECLINED = "declined", _("declined")

    clinic = models.ForeignKey(Clinic, on_delete=models.PROTECT, related_name="+")
    patient = models.ForeignKey(Patient, on_delete=models.PROTECT, related_name="word_of_mouth")
    platform = models.CharField(_("where"), max_length=10, choices=Platform.choices, blank=True)  # empty: any
    state = models.CharField(max_length=10, choices=State.choices, default=State.ASKED)
    subject = models.CharField(max_length=60, blank=True)
    asked_at = models.DateTimeField(default=timezone.now)
    asked_by = models.ForeignKey(User, null=True, on_delete=models.PROTECT, related_name="+")
    answered_at = models.DateTimeField(null=True)
    answered_by = models.ForeignKey(User, null=True, on_delete=models.PROTECT, related_name="+")

    objects = ScopedQuerySet.as_manager()

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=models.Q(state="asked", answered_at=None)
                | (~models.Q(state="asked") & models.Q(answered_at__isnull=False)),
                name="word_of_mouth_answered_with_date",
            )
        ]
        indexes = [models.Index(fields=["patient", "-asked_at"], name="word_of_mouth_of_patient")]
        triggers: ClassVar[list[Any]] = [living("patient")]
        verbose_name = _("word of mouth")
        verbose_name_plural = _("word of mouth")

    def __str__(self) -> str:
        return f"{self.get_platform_display()} {self.get_state_display()}"


class ReferralThanks(models.Model):
    """The thanks owed to a referrer once the referral is effective, and whether they were given."""

    clinic = models.ForeignKey(Clinic, on_delete=models.PROTECT, related_name="+")
    referral = models.OneToOneField(Referral, on_delete=models.PROTECT, related_name="thanks")
    owed_since = models.DateTimeField(default=timezone.now)
    given_at = models.DateTimeField(null=True)
    given_by = models.ForeignKey(User, null=True, on_delete=models.PROTECT, related_name="+")
    how = models.CharField(_("how"), max_length=120, blank=True)
    cost = models.DecimalField(_("cost"), max_digits=10, decimal_places=2, default=0)

    objects = ScopedQuerySet.as_manager()

    class Meta:
        constraints = [
            models.CheckConstraint(condition=models.Q(given_at=None) | ~models.Q(how=""), name="thanks_given_say_how")
        ]
        indexes = [models.Index(fields=["clinic", "owed_since"], condition=models.Q(given_at=None), name="thanks_owed")]
        verbose_name = _("thanks for a referral")
        verbose_name_plural = _("thanks for referrals")

    def __str__(self) -> str:
        return f"{self.referral_id}"
