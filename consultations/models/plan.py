"""The doctor's findings and the treatment plan with its options."""

from decimal import Decimal

import pghistory
from django.contrib.postgres.fields import ArrayField
from django.core.exceptions import ValidationError
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from accounts.models import User
from accounts.scoping import ScopedQuerySet
from consultations.models.visit import Visit, VisitOwnedQuerySet
from consultations.plan_rules import drawing_of, subtotal
from consultations.teeth import spoken_teeth

PERMANENT = frozenset(q * 10 + t for q in range(1, 5) for t in range(1, 9))
DECIDUOUS = frozenset(q * 10 + t for q in range(5, 9) for t in range(1, 6))
FDI = PERMANENT | DECIDUOUS
NOT_NEGATIVE = [MinValueValidator(Decimal(0))]


def validate_tooth(value: int) -> None:
    """Raise ValidationError unless `value` is an FDI tooth number."""
    if value not in FDI:
        raise ValidationError(_("%(value)s is no FDI tooth number."), params={"value": value})


class ToothFinding(models.Model):
    """One finding on one tooth; taken back by `removed_at`, never deleted."""

    class Kind(models.TextChoices):
        MISSING = "missing", _("missing")
        CARIES = "caries", _("caries")
        RESTORED = "restored", _("restored")
        TILTED = "tilted", _("tilted")
        PLANNED_IMPLANT = "planned_implant", _("implant planned")
        LOOSE = "loose", _("loose")
        PERIAPICAL = "periapical", _("periapical lesion")

    visit = models.ForeignKey(Visit, on_delete=models.PROTECT, related_name="tooth_findings")
    tooth = models.PositiveSmallIntegerField(_("tooth"), validators=[validate_tooth])
    kind = models.CharField(max_length=16, choices=Kind.choices)
    at = models.DateTimeField(default=timezone.now)
    by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")
    removed_at = models.DateTimeField(null=True)

    objects = VisitOwnedQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["visit", "tooth", "kind"], condition=models.Q(removed_at=None), name="finding_once_per_tooth"
            ),
            models.CheckConstraint(condition=models.Q(tooth__in=sorted(FDI)), name="finding_fdi_tooth"),
        ]
        ordering = ["id"]
        verbose_name = _("finding")
        verbose_name_plural = _("findings")

    def __str__(self) -> str:
        return f"{self.tooth} {self.get_kind_display()}"


@pghistory.track(pghistory.UpdateEvent())
class Plan(models.Model):
    """The doctor's plan of one visit; its clinical content is the doctor's alone."""

    visit = models.OneToOneField(Visit, on_delete=models.PROTECT, related_name="plan")
    title = models.CharField(_("title"), max_length=120, blank=True)
    findings = models.TextField(_("findings"), blank=True)
    principles = models.TextField(_("principles of treatment"), blank=True)
    no_treatment = models.BooleanField(_("no treatment indicated"), default=False)
    made_by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")
    made_at = models.DateTimeField(default=timezone.now)
    finished_at = models.DateTimeField(null=True)
    signed_at = models.DateTimeField(null=True)
    signature = models.TextField(blank=True)  # SVG path data drawn by the patient
    version = models.PositiveIntegerField(default=1)

    objects = VisitOwnedQuerySet.as_manager()

    class Meta:
        verbose_name = _("plan")
        verbose_name_plural = _("plans")

    def __str__(self) -> str:
        return self.title


class PlanOptionQuerySet(ScopedQuerySet):
    clinic_path = "plan__visit__clinic"


@pghistory.track(pghistory.UpdateEvent())
class PlanOption(models.Model):
    """One way to treat; several stand side by side."""

    plan = models.ForeignKey(Plan, on_delete=models.CASCADE, related_name="options")
    name = models.CharField(_("name"), max_length=80)
    position = models.PositiveSmallIntegerField(default=0)
    is_suggested = models.BooleanField(_("the doctor suggests it"), default=False)
    is_chosen = models.BooleanField(default=False)
    discount = models.DecimalField(_("discount"), max_digits=10, decimal_places=2, default=Decimal(0))
    duration = models.CharField(_("time it takes"), max_length=80, blank=True)
    pain = models.PositiveSmallIntegerField(_("pain"), null=True, blank=True, validators=[MaxValueValidator(5)])
    pain_note = models.CharField(_("about pain"), max_length=120, blank=True)
    payment_note = models.CharField(_("about payment"), max_length=120, blank=True)
    side_effects = models.CharField(_("effect on other teeth"), max_length=120, blank=True)
    care = models.CharField(_("care"), max_length=120, blank=True)

    objects = PlanOptionQuerySet.as_manager()

    @property
    def subtotal(self) -> Decimal:
        """The sum of its items, in yuan; prefetch `items`."""
        return subtotal((item.unit_price, item.quantity) for item in self.items.all())

    @property
    def total(self) -> Decimal:
        """What is to be paid, in yuan."""
        return self.subtotal - self.discount

    @property
    def sessions(self) -> int:
        """How often the patient comes."""
        return sum(item.sessions for item in self.items.all())

    @property
    def drawing(self) -> str:
        """Which drawing shows it (consultations.plan_rules.drawing_of)."""
        return drawing_of(self.name, *(item.name for item in self.items.all()))

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["plan"], condition=models.Q(is_chosen=True), name="one_chosen_option"),
            models.CheckConstraint(condition=models.Q(discount__gte=0), name="discount_not_negative"),
        ]
        ordering = ["position", "id"]
        verbose_name = _("option")
        verbose_name_plural = _("options")

    def __str__(self) -> str:
        return self.name


class PlanItemQuerySet(ScopedQuerySet):
    clinic_path = "option__plan__visit__clinic"


@pghistory.track(pghistory.UpdateEvent())
class PlanItem(models.Model):
    """One line of an option. Teeth, name and sessions are the doctor's; price is the coordinator's."""

    option = models.ForeignKey(PlanOption, on_delete=models.CASCADE, related_name="items")
    name = models.CharField(_("item"), max_length=120)
    teeth = ArrayField(models.PositiveSmallIntegerField(validators=[validate_tooth]), default=list, blank=True)
    quantity = models.PositiveSmallIntegerField(_("quantity"), default=1, validators=[MinValueValidator(1)])
    sessions = models.PositiveSmallIntegerField(_("sessions"), default=1, validators=[MinValueValidator(1)])
    unit_price = models.DecimalField(
        _("price"), max_digits=10, decimal_places=2, default=Decimal(0), validators=NOT_NEGATIVE
    )
    position = models.PositiveSmallIntegerField(default=0)

    objects = PlanItemQuerySet.as_manager()

    class Meta:
        constraints = [
            models.CheckConstraint(condition=models.Q(unit_price__gte=0), name="price_not_negative"),
            models.CheckConstraint(condition=models.Q(quantity__gte=1, sessions__gte=1), name="at_least_one"),
        ]
        ordering = ["position", "id"]
        verbose_name = _("plan item")
        verbose_name_plural = _("plan items")

    def __str__(self) -> str:
        return self.name

    @property
    def total(self) -> Decimal:
        return self.unit_price * self.quantity

    @property
    def teeth_text(self) -> str:
        return spoken_teeth(self.teeth)
