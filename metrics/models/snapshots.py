"""The figures of a month as they stood when it ended."""

from typing import Any, ClassVar

import pgtrigger
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from accounts.models import Clinic, User
from accounts.scoping import ScopedQuerySet


class Snapshot(models.Model):
    """One clinic's month, frozen; computing it again as of `as_of` gives the same figures."""

    clinic = models.ForeignKey(Clinic, on_delete=models.CASCADE, related_name="kpi_snapshots")
    month = models.DateField(_("month"))  # its first day
    as_of = models.DateTimeField()  # facts recorded later do not count
    definitions = models.CharField(max_length=16)  # metrics.kpis.DEFINITIONS when it was frozen
    wording = models.JSONField(null=True)  # the definitions as they read then: language → slug → words; None: not kept
    frozen_at = models.DateTimeField(default=timezone.now)
    frozen_by = models.ForeignKey(User, null=True, on_delete=models.PROTECT, related_name="+")  # None: by itself

    objects = ScopedQuerySet.as_manager()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["clinic", "month"], name="month_frozen_once")]
        ordering = ["-month"]
        verbose_name = _("frozen month")
        verbose_name_plural = _("frozen months")

    def __str__(self) -> str:
        return f"{self.month:%Y-%m}"


class SnapshotFigureQuerySet(ScopedQuerySet):
    clinic_path = "snapshot__clinic"


class SnapshotFigure(models.Model):
    """One figure of a frozen month, of the clinic or of one coordinator, with the records behind it: append-only."""

    snapshot = models.ForeignKey(Snapshot, on_delete=models.CASCADE, related_name="figures")
    slug = models.CharField(max_length=40)  # of a KPI or of a companion, e.g. "cancellation.no_show"
    coordinator = models.ForeignKey(User, null=True, on_delete=models.PROTECT, related_name="+")
    numerator = models.DecimalField(max_digits=14, decimal_places=2, null=True)
    denominator = models.DecimalField(max_digits=14, decimal_places=2, null=True)
    target = models.DecimalField(max_digits=6, decimal_places=2, null=True)
    counted = models.JSONField(default=list)  # ids in the numerator; for the clinic's own rows only
    failing = models.JSONField(default=list)  # ids in the denominator alone

    objects = SnapshotFigureQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["snapshot", "slug", "coordinator"], nulls_distinct=False, name="figure_frozen_once"
            )
        ]
        triggers: ClassVar[list[Any]] = [
            pgtrigger.Protect(name="append_only", operation=pgtrigger.Update | pgtrigger.Delete)
        ]
        verbose_name = _("frozen figure")
        verbose_name_plural = _("frozen figures")

    def __str__(self) -> str:
        return self.slug
