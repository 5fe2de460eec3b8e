"""A person's registration (建档) in one clinic."""

from typing import Any, ClassVar

import pghistory
from django.contrib.postgres.fields import ArrayField
from django.contrib.postgres.indexes import GinIndex
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from accounts.models import Clinic
from accounts.scoping import ScopedQuerySet
from patients.models.living import living
from patients.models.patient import Patient


class Channel(models.TextChoices):
    """Where a patient comes from (来源渠道)."""

    REFERRAL = "referral", _("Referred by a patient")
    WALK_IN = "walk_in", _("Walked in")
    DIANPING = "dianping", _("Dianping")
    DOUYIN = "douyin", _("Douyin")
    XIAOHONGSHU = "xiaohongshu", _("Xiaohongshu")
    WECHAT = "wechat", _("WeChat account")
    SEARCH = "search", _("Web search")
    ONLINE_CHAT = "online_chat", _("Online consultation")
    COMPANY = "company", _("Company check-up")
    ACTIVITY = "activity", _("Activity")
    STAFF = "staff", _("Staff")
    OTHER = "other", _("Other")


@pghistory.track(pghistory.UpdateEvent())
class Registration(models.Model):
    """Joins a patient and a clinic: number, owning TC, channel."""

    patient = models.ForeignKey(Patient, on_delete=models.PROTECT, related_name="registrations")
    clinic = models.ForeignKey(Clinic, on_delete=models.PROTECT, related_name="registrations")
    number = models.CharField(_("patient number"), max_length=24)
    owner = models.ForeignKey(
        "accounts.User",
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="owned_registrations",
        verbose_name=_("coordinator"),
    )
    doctor = models.ForeignKey(
        "accounts.User", null=True, blank=True, on_delete=models.PROTECT, related_name="+", verbose_name=_("doctor")
    )
    channel = models.CharField(_("channel"), max_length=16, choices=Channel.choices, blank=True)
    channel_detail = models.CharField(_("channel, in words"), max_length=120, blank=True)
    complaint = models.CharField(_("what for"), max_length=200, blank=True)
    tags = ArrayField(models.CharField(max_length=40), default=list, blank=True, verbose_name=_("tags"))
    first_visit_on = models.DateField(_("first visit"), null=True, blank=True)
    last_visit_on = models.DateField(_("last visit"), null=True, blank=True)
    last_contact_on = models.DateField(_("last contact"), null=True, blank=True)
    next_contact_on = models.DateField(_("next contact"), null=True, blank=True)
    # When anything last happened here: the order of the list. Kept by the services that make it happen.
    active_at = models.DateTimeField(default=timezone.now)
    import_key = models.BinaryField(max_length=16, null=True, editable=False)  # the imported row that made it
    created_at = models.DateTimeField(default=timezone.now)
    created_by = models.ForeignKey("accounts.User", null=True, on_delete=models.PROTECT, related_name="+")

    objects = ScopedQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["patient", "clinic"], name="registered_once_per_clinic"),
            models.UniqueConstraint(fields=["clinic", "import_key"], name="row_imported_once_per_clinic"),
            models.UniqueConstraint(fields=["clinic", "number"], name="patient_number_once_per_clinic"),
        ]
        indexes = [
            models.Index(fields=["clinic", "-active_at", "-id"], name="registration_list"),  # list, default order
            models.Index(fields=["clinic", "owner", "-active_at", "-id"], name="registration_by_owner"),
            # list, by last visit and by last contact, both ways; those without one come last (first)
            models.Index(
                "clinic",
                models.F("last_visit_on").desc(nulls_last=True),
                models.F("id").desc(),
                name="registration_by_visit",
            ),
            models.Index(
                "clinic",
                models.F("last_contact_on").desc(nulls_last=True),
                models.F("id").desc(),
                name="registration_by_contact",
            ),
            GinIndex(fields=["tags"], name="registration_tags"),  # list, filter by tag
        ]
        triggers: ClassVar[list[Any]] = [living("patient")]
        verbose_name = _("registration")
        verbose_name_plural = _("registrations")

    def __str__(self) -> str:
        return self.number


class ChartNumber(models.Model):
    """A card number (病历号) under which an older system knew the person."""

    clinic = models.ForeignKey(Clinic, on_delete=models.CASCADE, related_name="+")
    registration = models.ForeignKey(Registration, on_delete=models.CASCADE, related_name="chart_numbers")
    number = models.CharField(max_length=40)

    objects = ScopedQuerySet.as_manager()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["clinic", "number"], name="chart_number_once_per_clinic")]
        verbose_name = _("chart number")
        verbose_name_plural = _("chart numbers")

    def __str__(self) -> str:
        return self.number


class PatientNumberCounter(models.Model):
    """The last patient number given in a clinic and month; taken under a row lock."""

    clinic = models.ForeignKey(Clinic, on_delete=models.CASCADE, related_name="+")
    month = models.CharField(max_length=4)  # YYMM
    last = models.PositiveIntegerField(default=0)

    objects = ScopedQuerySet.as_manager()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["clinic", "month"], name="one_counter_per_month")]
        verbose_name = _("patient number counter")
        verbose_name_plural = _("patient number counters")

    def __str__(self) -> str:
        return f"{self.clinic_id} {self.month}: {self.last}"

    @classmethod
    def take(cls, clinic: Clinic, *, count: int = 1) -> list[str]:
        """Return the next `count` numbers of `clinic`, e.g. QH2604-0173; call inside a transaction."""
        stamp = clinic.today().strftime("%y%m")
        cls.objects.get_or_create(clinic=clinic, month=stamp)
        row = cls.objects.select_for_update().get(clinic=clinic, month=stamp)
        first = row.last + 1
        row.last += count
        row.save(update_fields=["last"])
        return [f"{clinic.code}{stamp}-{n:04d}" for n in range(first, first + count)]
