"""Inspection of service etiquette, in person and by telephone (KPI 3)."""

from typing import Any, ClassVar

from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from accounts.models import Clinic, User
from accounts.scoping import ScopedQuerySet
from consultations.models import Visit
from followups.models import Contact
from patients.models import Patient
from patients.models.living import living


class EtiquetteRubric(models.Model):
    """One version of what is looked for; never changed once saved, a new version is made."""

    class Kind(models.TextChoices):
        VISIT = "visit", _("In person")
        CALL = "call", _("By telephone")

    clinic = models.ForeignKey(Clinic, on_delete=models.CASCADE, related_name="etiquette_rubrics")
    kind = models.CharField(max_length=8, choices=Kind.choices)
    version = models.PositiveIntegerField()
    # [{"code", "label", "label_zh", "points", "help", "help_zh"}]; the points add up to 100
    items = models.JSONField()
    is_active = models.BooleanField(default=True)
    created_at = models.DateTimeField(default=timezone.now)
    created_by = models.ForeignKey(User, null=True, on_delete=models.PROTECT, related_name="+")

    objects = ScopedQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["clinic", "kind", "version"], name="etiquette_version_once"),
            models.UniqueConstraint(
                fields=["clinic", "kind"], condition=models.Q(is_active=True), name="one_active_etiquette_rubric"
            ),
        ]
        ordering = ["kind", "-version"]
        verbose_name = _("etiquette rubric")
        verbose_name_plural = _("etiquette rubrics")

    def __str__(self) -> str:
        return f"{self.get_kind_display()} {self.version}"


class EtiquetteInspection(models.Model):
    """One visit, or one call-back, scored by a manager. A new score of the same thing replaces the former."""

    clinic = models.ForeignKey(Clinic, on_delete=models.PROTECT, related_name="etiquette_inspections")
    rubric = models.ForeignKey(EtiquetteRubric, on_delete=models.PROTECT, related_name="inspections")
    staff = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+", verbose_name=_("who was inspected"))
    visit = models.ForeignKey(Visit, null=True, on_delete=models.PROTECT, related_name="etiquette_inspections")
    contact = models.ForeignKey(Contact, null=True, on_delete=models.PROTECT, related_name="etiquette_inspections")
    patient = models.ForeignKey(Patient, null=True, on_delete=models.PROTECT, related_name="+")
    answers = models.JSONField()  # {code: 0, 0.5 or 1, or null for "does not apply"}
    score = models.DecimalField(
        _("score"), max_digits=5, decimal_places=2, validators=[MinValueValidator(0), MaxValueValidator(100)]
    )
    note = models.CharField(_("note"), max_length=500, blank=True)
    inspected_at = models.DateTimeField(default=timezone.now)
    inspected_by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")
    replaced_at = models.DateTimeField(null=True)
    seen_at = models.DateTimeField(null=True)  # by the one inspected

    objects = ScopedQuerySet.as_manager()

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=models.Q(visit__isnull=False, contact=None) | models.Q(visit=None, contact__isnull=False),
                name="inspects_a_visit_or_a_contact",
            ),
            models.CheckConstraint(condition=models.Q(score__range=(0, 100)), name="etiquette_0_to_100"),
            models.UniqueConstraint(
                fields=["visit", "staff"], condition=models.Q(replaced_at=None), name="visit_inspected_once"
            ),
            models.UniqueConstraint(
                fields=["contact"], condition=models.Q(replaced_at=None), name="contact_inspected_once"
            ),
        ]
        indexes = [models.Index(fields=["clinic", "-inspected_at", "-id"], name="etiquette_list")]  # list, KPI 3
        triggers: ClassVar[list[Any]] = [living("patient")]
        verbose_name = _("etiquette inspection")
        verbose_name_plural = _("etiquette inspections")

    def __str__(self) -> str:
        return str(self.score)


class InspectionRecordingQuerySet(ScopedQuerySet):
    clinic_path = "inspection__clinic"


class InspectionRecording(models.Model):
    """The recording of an inspected call; served through a permission check only."""

    inspection = models.ForeignKey(EtiquetteInspection, on_delete=models.CASCADE, related_name="recordings")
    audio = models.FileField(upload_to="recordings/%Y/%m")
    content_type = models.CharField(max_length=40)
    size = models.PositiveIntegerField()
    sha256 = models.CharField(max_length=64)
    uploaded_at = models.DateTimeField(default=timezone.now)
    uploaded_by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")

    objects = InspectionRecordingQuerySet.as_manager()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["inspection", "sha256"], name="recording_once")]
        verbose_name = _("recording")
        verbose_name_plural = _("recordings")

    def __str__(self) -> str:
        return self.sha256[:8]
