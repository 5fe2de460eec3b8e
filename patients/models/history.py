"""What was agreed, judged and passed on: append-only rows."""

from typing import Any, ClassVar

import pgtrigger
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from accounts.models import Clinic
from accounts.scoping import ScopedQuerySet
from patients.classification import PatientClass
from patients.models.living import living
from patients.models.patient import JUDGED, Patient


class ConsentPurpose(models.TextChoices):
    """What a consent is for (DOMAIN §7)."""

    CARE = "care", _("Care")
    CONTACT = "contact", _("Contact")
    MARKETING = "marketing", _("Marketing")
    WECHAT_ARCHIVE = "wechat_archive", _("WeChat archive")


class Consent(models.Model):
    """One statement of a patient on one purpose; the latest one holds."""

    clinic = models.ForeignKey(Clinic, on_delete=models.PROTECT, related_name="+")
    patient = models.ForeignKey(Patient, on_delete=models.PROTECT, related_name="consents")
    purpose = models.CharField(_("purpose"), max_length=16, choices=ConsentPurpose.choices)
    given = models.BooleanField(_("given"))
    wording_version = models.CharField(max_length=20, default="1")
    channel = models.CharField(max_length=20, default="desk")  # desk, patient_form, import, api
    guardian = models.CharField(_("guardian"), max_length=80, blank=True)  # who said it for a child under 14
    at = models.DateTimeField(default=timezone.now)
    by = models.ForeignKey("accounts.User", null=True, on_delete=models.PROTECT, related_name="+")

    objects = ScopedQuerySet.as_manager()

    class Meta:
        indexes = [models.Index(fields=["patient", "purpose", "-at"], name="consent_latest")]
        triggers: ClassVar[list[Any]] = [
            pgtrigger.Protect(name="append_only", operation=pgtrigger.Update | pgtrigger.Delete),
            living("patient"),
        ]
        verbose_name = _("consent")
        verbose_name_plural = _("consents")

    def __str__(self) -> str:
        return f"{self.get_purpose_display()}: {self.given}"


class ClassChange(models.Model):
    """One classification: what was judged, suggested and decided (DOMAIN §3)."""

    clinic = models.ForeignKey(Clinic, on_delete=models.PROTECT, related_name="+")
    patient = models.ForeignKey(Patient, on_delete=models.PROTECT, related_name="class_changes")
    old_class = models.CharField(max_length=3, choices=PatientClass.choices, blank=True)
    new_class = models.CharField(max_length=3, choices=PatientClass.choices, blank=True)
    awareness = models.PositiveSmallIntegerField(null=True, validators=JUDGED)
    trust = models.PositiveSmallIntegerField(null=True, validators=JUDGED)
    suggested = models.CharField(max_length=3, choices=PatientClass.choices, blank=True)
    suggestion_reason = models.CharField(max_length=200, blank=True)
    reason = models.CharField(max_length=500, blank=True)
    is_correction = models.BooleanField(default=False)
    at = models.DateTimeField(default=timezone.now)
    by = models.ForeignKey("accounts.User", null=True, on_delete=models.PROTECT, related_name="+")

    objects = ScopedQuerySet.as_manager()

    class Meta:
        indexes = [
            models.Index(fields=["patient", "-at"], name="class_history"),  # patient page
            models.Index(  # KPI 2: where the patients of a clinic stand, from the index alone
                fields=["clinic", "patient", "at", "id"],
                include=["new_class", "is_correction", "by"],
                name="class_standing",
            ),
        ]
        triggers: ClassVar[list[Any]] = [
            pgtrigger.Protect(name="append_only", operation=pgtrigger.Update | pgtrigger.Delete),
            living("patient"),
        ]
        verbose_name = _("class change")
        verbose_name_plural = _("class changes")

    def __str__(self) -> str:
        return f"{self.old_class or '—'} → {self.new_class}"


class Referral(models.Model):
    """Who brought whom; effective once the referred person was received (DOMAIN §4)."""

    clinic = models.ForeignKey(Clinic, on_delete=models.PROTECT, related_name="+")
    referrer = models.ForeignKey(Patient, on_delete=models.PROTECT, related_name="referrals_made")
    referred = models.OneToOneField(Patient, on_delete=models.PROTECT, related_name="referral")
    effective_at = models.DateTimeField(null=True)
    created_at = models.DateTimeField(default=timezone.now)
    created_by = models.ForeignKey("accounts.User", null=True, on_delete=models.PROTECT, related_name="+")

    objects = ScopedQuerySet.as_manager()

    class Meta:
        constraints = [
            models.CheckConstraint(condition=~models.Q(referrer=models.F("referred")), name="no_self_referral")
        ]
        indexes = [
            models.Index(fields=["referrer", "effective_at"], name="referrals_made"),
            models.Index(fields=["effective_at"], include=["referrer"], name="referral_effective"),  # KPI 9
        ]
        triggers: ClassVar[list[Any]] = [living("referrer"), living("referred")]
        verbose_name = _("referral")
        verbose_name_plural = _("referrals")

    def __str__(self) -> str:
        return f"{self.referrer_id} → {self.referred_id}"
