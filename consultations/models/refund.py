"""Money paid back, which reverses a closing when all of it goes back (KPI 7)."""

from datetime import datetime
from decimal import Decimal
from typing import Any, ClassVar, Self

import pgtrigger
from django.core.validators import MinValueValidator
from django.db import models
from django.db.models import Exists, OuterRef, Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from accounts.models import Clinic, User
from accounts.scoping import ScopedQuerySet
from consultations.models.visit import Consultation, Visit


class RefundQuerySet(ScopedQuerySet):
    def standing(self, at: datetime | None = None) -> Self:
        """Keep the refunds that are in force, now or as recorded by a past moment (inclusive)."""
        if at is None:
            return self.filter(cancels=None, taken_back=None)
        undone = Refund.objects.filter(cancels=OuterRef("pk"), at__lte=at)
        return self.filter(~Exists(undone), cancels=None, at__lte=at)


class Refund(models.Model):
    """One payment back to a patient: append-only; a wrong one is taken back by a row that names it."""

    clinic = models.ForeignKey(Clinic, on_delete=models.PROTECT, related_name="+")
    consultation = models.ForeignKey(Consultation, on_delete=models.PROTECT, related_name="refunds")
    visit = models.ForeignKey(Visit, null=True, on_delete=models.PROTECT, related_name="+")  # where it was decided
    amount = models.DecimalField(
        _("amount"), max_digits=10, decimal_places=2, validators=[MinValueValidator(Decimal("0.01"))]
    )
    is_full = models.BooleanField(_("in full"), default=False)  # the treatment was given up: reverses the closing
    reason = models.CharField(_("reason"), max_length=200)
    cancels = models.OneToOneField("self", null=True, on_delete=models.PROTECT, related_name="taken_back")
    at = models.DateTimeField(default=timezone.now)
    by = models.ForeignKey(User, null=True, on_delete=models.PROTECT, related_name="+")

    objects = RefundQuerySet.as_manager()

    class Meta:
        constraints = [
            models.CheckConstraint(condition=Q(amount__gt=0), name="refund_more_than_nothing"),
        ]
        indexes = [models.Index(fields=["clinic", "at"], name="refund_by_clinic")]  # refunds of a window
        triggers: ClassVar[list[Any]] = [
            pgtrigger.Protect(name="append_only", operation=pgtrigger.Update | pgtrigger.Delete)
        ]
        ordering = ["at", "id"]
        verbose_name = _("refund")
        verbose_name_plural = _("refunds")

    def __str__(self) -> str:
        return f"{self.amount}"
