"""What a clinic wants of each key figure, from which day on."""

from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from accounts.models import Clinic, User
from accounts.scoping import ScopedQuerySet


class KpiTarget(models.Model):
    """One target from a day on; a past month is judged by the target of then. Never changed, only added to."""

    clinic = models.ForeignKey(Clinic, on_delete=models.CASCADE, related_name="kpi_targets")
    slug = models.CharField(max_length=24)  # of metrics.kpis.KPIS, or "classification_accuracy"
    value = models.DecimalField(_("target"), max_digits=6, decimal_places=2)  # percent, or points for KPI 3
    valid_from = models.DateField(_("from"))
    created_at = models.DateTimeField(default=timezone.now)
    created_by = models.ForeignKey(User, null=True, on_delete=models.PROTECT, related_name="+")

    objects = ScopedQuerySet.as_manager()

    class Meta:
        constraints = [
            models.CheckConstraint(condition=models.Q(value__range=(0, 100)), name="kpi_target_0_to_100"),
        ]
        indexes = [models.Index(fields=["clinic", "slug", "-valid_from", "-id"], name="kpi_target_of_then")]
        ordering = ["slug", "-valid_from", "-id"]
        verbose_name = _("target")
        verbose_name_plural = _("targets")

    def __str__(self) -> str:
        return f"{self.slug} {self.value}"
