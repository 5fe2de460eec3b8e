"""Records of one person found twice, merged, and what was erased."""

from typing import Any, ClassVar

from django.db import models
from django.db.models import Value
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from accounts.models import Clinic, User
from accounts.scoping import ScopedQuerySet
from patients.models.living import living
from patients.models.patient import Patient


class PatientMerge(models.Model):
    """One record merged into another, with all that is needed to take it apart again."""

    clinic = models.ForeignKey(Clinic, on_delete=models.PROTECT, related_name="+")  # where it was done
    winner = models.ForeignKey(Patient, on_delete=models.PROTECT, related_name="merges_won")
    loser = models.ForeignKey(Patient, on_delete=models.PROTECT, related_name="merges_lost")
    choices = models.JSONField(default=dict)  # field → "winner" or "loser"
    before = models.JSONField(default=dict)  # the winner's fields before; moved, changed and set-aside rows by table
    # What key figures as of before need to tell the two apart: ids and times alone, kept when `before` is erased.
    moved = models.JSONField(default=dict, db_default=Value({}, models.JSONField()))
    merged_at = models.DateTimeField(default=timezone.now)
    merged_by = models.ForeignKey(User, null=True, on_delete=models.PROTECT, related_name="+")
    undone_at = models.DateTimeField(null=True)
    undone_by = models.ForeignKey(User, null=True, on_delete=models.PROTECT, related_name="+")

    objects = ScopedQuerySet.as_manager()

    class Meta:
        constraints = [
            models.CheckConstraint(condition=~models.Q(winner=models.F("loser")), name="not_merged_into_itself"),
            models.UniqueConstraint(fields=["loser"], condition=models.Q(undone_at=None), name="merged_away_once"),
        ]
        indexes = [models.Index(fields=["clinic", "-merged_at"], name="merge_list")]
        verbose_name = _("merge")
        verbose_name_plural = _("merges")

    def __str__(self) -> str:
        return f"{self.loser_id} → {self.winner_id}"


class NotTheSame(models.Model):
    """Two records that somebody looked at and found to be two people."""

    clinic = models.ForeignKey(Clinic, on_delete=models.PROTECT, related_name="+")
    first = models.ForeignKey(Patient, on_delete=models.CASCADE, related_name="+")  # the lower id
    second = models.ForeignKey(Patient, on_delete=models.CASCADE, related_name="+")
    at = models.DateTimeField(default=timezone.now)
    by = models.ForeignKey(User, null=True, on_delete=models.PROTECT, related_name="+")

    objects = ScopedQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["first", "second"], name="not_the_same_once"),
            models.CheckConstraint(condition=models.Q(first__lt=models.F("second")), name="not_the_same_ordered"),
        ]
        triggers: ClassVar[list[Any]] = [living("first"), living("second")]
        verbose_name = _("not the same person")
        verbose_name_plural = _("not the same person")

    def __str__(self) -> str:
        return f"{self.first_id} ≠ {self.second_id}"


class RightsRequest(models.Model):
    """A patient's request under PIPL: a report of what is held, or erasure; and how it ended."""

    class Kind(models.TextChoices):
        REPORT = "report", _("Report of what is held")
        ERASURE = "erasure", _("Erasure")

    clinic = models.ForeignKey(Clinic, on_delete=models.PROTECT, related_name="+")
    patient = models.ForeignKey(Patient, on_delete=models.PROTECT, related_name="rights_requests")
    kind = models.CharField(_("what"), max_length=10, choices=Kind.choices)
    reason = models.CharField(_("reason"), max_length=300, blank=True)
    asked_at = models.DateTimeField(default=timezone.now)
    taken_by = models.ForeignKey(User, null=True, on_delete=models.PROTECT, related_name="+")
    done_at = models.DateTimeField(null=True)
    done_by = models.ForeignKey(User, null=True, on_delete=models.PROTECT, related_name="+")
    erased = models.JSONField(default=dict)  # what went, what is kept, until when and by which law
    keep_until = models.DateField(null=True)  # the clinical record's legal time

    objects = ScopedQuerySet.as_manager()

    class Meta:
        indexes = [models.Index(fields=["clinic", "-asked_at"], name="rights_request_list")]
        triggers: ClassVar[list[Any]] = [living("patient")]
        verbose_name = _("rights request")
        verbose_name_plural = _("rights requests")

    def __str__(self) -> str:
        return f"{self.get_kind_display()} {self.asked_at:%Y-%m-%d}"
