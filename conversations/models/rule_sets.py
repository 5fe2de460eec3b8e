"""The rules and word lists of a clinic, versioned."""

from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from accounts.models import Clinic, User
from accounts.scoping import ScopedQuerySet


class RuleSet(models.Model):
    """One version of a clinic's rules; never changed once saved, a new version is made.

    `data` holds what differs from the built-in rules (conversations.inspection.rules): thresholds, words added and
    taken away per category, advice, deductions.
    """

    clinic = models.ForeignKey(Clinic, on_delete=models.CASCADE, related_name="rule_sets")
    version = models.PositiveIntegerField()
    data = models.JSONField(default=dict)
    note = models.CharField(_("what changed"), max_length=200, blank=True)
    is_active = models.BooleanField(default=True)
    created_at = models.DateTimeField(default=timezone.now)
    created_by = models.ForeignKey(User, null=True, on_delete=models.PROTECT, related_name="+")

    objects = ScopedQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["clinic", "version"], name="rule_set_version_once"),
            models.UniqueConstraint(fields=["clinic"], condition=models.Q(is_active=True), name="one_active_rule_set"),
        ]
        ordering = ["-version"]
        verbose_name = _("inspection rules")
        verbose_name_plural = _("inspection rules")

    def __str__(self) -> str:
        return str(self.version)


class ReinspectionJob(models.Model):
    """Conversations being inspected again, in the background; a worker claims it and records how far it is."""

    clinic = models.ForeignKey(Clinic, on_delete=models.CASCADE, related_name="+")
    rule_set = models.ForeignKey(RuleSet, on_delete=models.PROTECT, related_name="+")
    since = models.DateField(null=True)  # conversations started on or after it; None: all
    total = models.PositiveIntegerField(null=True)
    done = models.PositiveIntegerField(default=0)
    changed = models.PositiveIntegerField(default=0)  # conversations whose findings differ from before
    last_id = models.BigIntegerField(default=0)  # where to go on
    leased_until = models.DateTimeField(null=True)
    finished_at = models.DateTimeField(null=True)
    failure = models.CharField(max_length=300, blank=True)
    created_at = models.DateTimeField(default=timezone.now)
    created_by = models.ForeignKey(User, null=True, on_delete=models.PROTECT, related_name="+")

    objects = ScopedQuerySet.as_manager()

    class Meta:
        indexes = [models.Index(fields=["leased_until"], condition=models.Q(finished_at=None), name="reinspection_due")]
        ordering = ["-id"]
        verbose_name = _("inspection of earlier conversations")
        verbose_name_plural = _("inspections of earlier conversations")

    def __str__(self) -> str:
        return f"{self.done}/{self.total}"
