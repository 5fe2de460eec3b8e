"""The consultation form (问诊表) of a visit."""

from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from accounts.models import User
from consultations.models.content import FormTemplate
from consultations.models.visit import Visit, VisitOwnedQuerySet


class ConsultationForm(models.Model):
    """The answers of one visit to one version of the question set.

    The patient's own link is signed and carries `link_key`; a new key makes the old link dead.
    """

    visit = models.OneToOneField(Visit, on_delete=models.PROTECT, related_name="form")
    template = models.ForeignKey(FormTemplate, on_delete=models.PROTECT, related_name="+")
    answers = models.JSONField(default=dict)
    link_key = models.CharField(max_length=32, blank=True)
    consented_at = models.DateTimeField(null=True)
    patient_submitted_at = models.DateTimeField(null=True)
    completed_at = models.DateTimeField(null=True)
    completed_by = models.ForeignKey(User, null=True, on_delete=models.PROTECT, related_name="+")
    version = models.PositiveIntegerField(default=1)
    created_at = models.DateTimeField(default=timezone.now)
    updated_at = models.DateTimeField(auto_now=True)

    objects = VisitOwnedQuerySet.as_manager()

    class Meta:
        verbose_name = _("consultation form")
        verbose_name_plural = _("consultation forms")

    def __str__(self) -> str:
        return f"{self.visit_id}"
