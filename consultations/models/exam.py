"""Exams done in a visit, with their files."""

from decimal import Decimal

from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from accounts.models import User
from accounts.scoping import ScopedQuerySet
from consultations.models.content import ExamKind
from consultations.models.visit import Visit, VisitOwnedQuerySet


class Exam(models.Model):
    """One exam ordered or done; the fee is fixed when it is done."""

    visit = models.ForeignKey(Visit, on_delete=models.PROTECT, related_name="exams")
    kind = models.ForeignKey(ExamKind, on_delete=models.PROTECT, related_name="+")
    ordered_at = models.DateTimeField(default=timezone.now)
    ordered_by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")
    done_at = models.DateTimeField(null=True)
    done_by = models.ForeignKey(User, null=True, on_delete=models.PROTECT, related_name="+")
    fee = models.DecimalField(_("fee"), max_digits=8, decimal_places=2, default=Decimal(0))
    note = models.CharField(_("note"), max_length=300, blank=True)

    objects = VisitOwnedQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["visit", "kind"], name="exam_once_per_visit"),
            models.CheckConstraint(condition=models.Q(fee__gte=0), name="exam_fee_not_negative"),
        ]
        ordering = ["kind__position", "id"]
        verbose_name = _("exam")
        verbose_name_plural = _("exams")

    def __str__(self) -> str:
        return str(self.kind)

    @property
    def pictures(self) -> "list[ExamFile]":
        """The files that were not removed; prefetch `files` when listing exams."""
        return [file for file in self.files.all() if file.removed_at is None]


class ExamFileQuerySet(ScopedQuerySet):
    clinic_path = "exam__visit__clinic"

    def kept(self) -> "ExamFileQuerySet":
        """Leave out what was removed again."""
        return self.filter(removed_at=None)


class ExamFile(models.Model):
    """A picture of an exam, re-encoded, with a thumbnail; served through a permission check only."""

    exam = models.ForeignKey(Exam, on_delete=models.PROTECT, related_name="files")
    image = models.ImageField(upload_to="exams/%Y/%m", width_field="width", height_field="height")
    thumbnail = models.ImageField(upload_to="exams/%Y/%m")
    width = models.PositiveIntegerField(default=0)
    height = models.PositiveIntegerField(default=0)
    caption = models.CharField(_("caption"), max_length=60, blank=True)
    sha256 = models.CharField(max_length=64)
    uploaded_at = models.DateTimeField(default=timezone.now)
    uploaded_by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")
    removed_at = models.DateTimeField(null=True)  # taken out by mistake or on purpose; can be put back
    removed_by = models.ForeignKey(User, null=True, on_delete=models.PROTECT, related_name="+")

    objects = ExamFileQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["exam", "sha256"], condition=models.Q(removed_at=None), name="file_once_per_exam"
            )
        ]
        ordering = ["id"]
        verbose_name = _("exam file")
        verbose_name_plural = _("exam files")

    def __str__(self) -> str:
        return self.caption or self.sha256[:8]
