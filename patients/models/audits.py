"""Second opinions on classes, and class changes that the system suggests."""

from typing import Any, ClassVar

from django.db import models
from django.db.models import Value
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from accounts.models import Clinic, User
from accounts.scoping import ScopedQuerySet
from patients.classification import PatientClass
from patients.models.history import ClassChange
from patients.models.living import living
from patients.models.patient import JUDGED, Patient


class ClassAudit(models.Model):
    """A blind sample of one coordinator's classifications of one month, drawn by a manager (KPI 1)."""

    clinic = models.ForeignKey(Clinic, on_delete=models.PROTECT, related_name="+")
    coordinator = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+", verbose_name=_("coordinator"))
    month = models.DateField(_("month"))  # its first day
    size = models.PositiveSmallIntegerField(_("how many"))  # asked for; the sample may be smaller
    seed = models.BigIntegerField()  # the draw can be repeated
    drawn_at = models.DateTimeField(default=timezone.now)
    drawn_by = models.ForeignKey(User, null=True, on_delete=models.PROTECT, related_name="+")

    objects = ScopedQuerySet.as_manager()

    class Meta:
        indexes = [models.Index(fields=["clinic", "-drawn_at"], name="class_audit_list")]
        verbose_name = _("class audit")
        verbose_name_plural = _("class audits")

    def __str__(self) -> str:
        return f"{self.coordinator_id} {self.month:%Y-%m}"


class ClassAuditItemQuerySet(ScopedQuerySet):
    clinic_path = "audit__clinic"


class ClassAuditItem(models.Model):
    """One classification judged a second time, by somebody who sees the facts and not the class."""

    audit = models.ForeignKey(ClassAudit, on_delete=models.CASCADE, related_name="items")
    class_change = models.ForeignKey(ClassChange, on_delete=models.PROTECT, related_name="audits")
    facts = models.JSONField(default=dict)  # as they were when the class was set; shown to the rater
    position = models.PositiveSmallIntegerField()
    rated_class = models.CharField(_("class"), max_length=3, choices=PatientClass.choices, blank=True)
    rated_awareness = models.PositiveSmallIntegerField(_("awareness"), null=True, blank=True, validators=JUDGED)
    note = models.CharField(_("note"), max_length=300, blank=True)
    rated_at = models.DateTimeField(null=True)
    rated_by = models.ForeignKey(User, null=True, on_delete=models.PROTECT, related_name="+")
    # Ratings that were taken back: [{"class", "at", "until"}]; figures as of then count them.
    former = models.JSONField(default=list, db_default=Value([], models.JSONField()))

    objects = ClassAuditItemQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["audit", "class_change"], name="audited_once_per_audit"),
            models.CheckConstraint(
                condition=models.Q(rated_at=None, rated_class="", rated_by=None)
                | (models.Q(rated_at__isnull=False, rated_by__isnull=False) & ~models.Q(rated_class="")),
                name="rated_wholly_or_not",
            ),
        ]
        indexes = [models.Index(fields=["rated_at"], name="class_audit_rated")]  # KPI 1, accuracy
        ordering = ["position"]
        verbose_name = _("audited classification")
        verbose_name_plural = _("audited classifications")

    def __str__(self) -> str:
        return f"{self.audit_id} · {self.class_change_id}"


class ClassSuggestion(models.Model):
    """A class change that the facts suggest, waiting in the tray until a coordinator accepts or dismisses it."""

    class Status(models.TextChoices):
        OPEN = "open", _("open")
        ACCEPTED = "accepted", _("accepted")
        DISMISSED = "dismissed", _("dismissed")
        OUTDATED = "outdated", _("outdated")

    clinic = models.ForeignKey(Clinic, on_delete=models.PROTECT, related_name="+")
    patient = models.ForeignKey(Patient, on_delete=models.PROTECT, related_name="class_suggestions")
    old_class = models.CharField(max_length=3, choices=PatientClass.choices)
    new_class = models.CharField(max_length=3, choices=PatientClass.choices)
    reason = models.CharField(max_length=200)  # in the language of the code; translated when shown
    status = models.CharField(max_length=10, choices=Status.choices, default=Status.OPEN)
    created_at = models.DateTimeField(default=timezone.now)
    answered_at = models.DateTimeField(null=True)
    answered_by = models.ForeignKey(User, null=True, on_delete=models.PROTECT, related_name="+")

    objects = ScopedQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["clinic", "patient"], condition=models.Q(status="open"), name="one_open_suggestion"
            ),
            models.CheckConstraint(
                condition=~models.Q(old_class=models.F("new_class")), name="suggestion_changes_something"
            ),
        ]
        indexes = [models.Index(fields=["clinic", "-created_at"], name="class_suggestion_list")]
        triggers: ClassVar[list[Any]] = [living("patient")]
        verbose_name = _("suggested class change")
        verbose_name_plural = _("suggested class changes")

    def __str__(self) -> str:
        return f"{self.old_class} → {self.new_class}"
