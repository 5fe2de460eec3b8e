"""What a clinic decides itself: exams and their prices, question sets, scripts."""

from decimal import Decimal

from django.core.validators import MinValueValidator
from django.db import models
from django.utils.translation import gettext_lazy as _

from accounts.models import Clinic
from accounts.scoping import ScopedQuerySet
from consultations.stages import Stage


class ExamKind(models.Model):
    """An exam a clinic does; basic ones are free on a first visit."""

    clinic = models.ForeignKey(Clinic, on_delete=models.CASCADE, related_name="exam_kinds")
    code = models.SlugField(max_length=24)
    name = models.CharField(_("name"), max_length=60)
    price = models.DecimalField(
        _("price"), max_digits=8, decimal_places=2, default=Decimal(0), validators=[MinValueValidator(Decimal(0))]
    )
    is_basic = models.BooleanField(_("basic: free on a first visit"), default=True)
    is_required = models.BooleanField(_("required when the exam comes first"), default=False)
    needs_files = models.BooleanField(_("needs pictures"), default=True)
    one_of = models.SlugField(max_length=24, blank=True)  # required kinds that share it stand for each other
    is_active = models.BooleanField(_("active"), default=True)
    position = models.PositiveSmallIntegerField(default=0)

    objects = ScopedQuerySet.as_manager()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["clinic", "code"], name="exam_code_once_per_clinic")]
        ordering = ["position", "id"]
        verbose_name = _("kind of exam")
        verbose_name_plural = _("kinds of exam")

    def __str__(self) -> str:
        return self.name

    def fee(self, *, first_visit: bool) -> Decimal:
        """Return what the exam costs, in yuan: basic exams are free on a first visit ([S1])."""
        return Decimal(0) if first_visit and self.is_basic else self.price


class FormTemplate(models.Model):
    """One version of a clinic's question set; never changed once used, a new version is made."""

    class Kind(models.TextChoices):
        DENTAL = "dental", _("Dental")
        AESTHETIC = "aesthetic", _("Medical aesthetics")

    clinic = models.ForeignKey(Clinic, on_delete=models.CASCADE, related_name="form_templates")
    kind = models.CharField(max_length=12, choices=Kind.choices)
    version = models.PositiveIntegerField()
    # [{"code", "title", "questions": [{"code", "label", "type", "options", "required", "help", "show_if"}]}]
    groups = models.JSONField()
    is_active = models.BooleanField(default=True)

    objects = ScopedQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["clinic", "kind", "version"], name="form_version_once"),
            models.UniqueConstraint(
                fields=["clinic", "kind"], condition=models.Q(is_active=True), name="one_active_form_version"
            ),
        ]
        ordering = ["kind", "-version"]
        verbose_name = _("question set")
        verbose_name_plural = _("question sets")

    def __str__(self) -> str:
        return f"{self.get_kind_display()} {self.version}"


class Script(models.Model):
    """Words to say (话术) at a stage."""

    clinic = models.ForeignKey(Clinic, on_delete=models.CASCADE, related_name="scripts")
    stage = models.CharField(_("stage"), max_length=12, choices=Stage.choices)
    title = models.CharField(_("title"), max_length=60)
    body = models.TextField(_("words"))
    position = models.PositiveSmallIntegerField(default=0)
    is_builtin = models.BooleanField(default=False)

    objects = ScopedQuerySet.as_manager()

    class Meta:
        indexes = [models.Index(fields=["clinic", "stage", "position"], name="script_by_stage")]
        ordering = ["stage", "position", "id"]
        verbose_name = _("script")
        verbose_name_plural = _("scripts")

    def __str__(self) -> str:
        return self.title
