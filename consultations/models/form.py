"""The consultation form (问诊表) of a visit."""

from collections.abc import Sequence

from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from accounts.models import User
from consultations import form_rules
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

    def told(self, codes: Sequence[str], language: str = "zh-hans") -> list[tuple[str, str]]:
        """Return (question, answer) in words for the questions among `codes` that were answered."""
        patient = self.visit.patient
        groups = form_rules.read(self.template.groups, language, form_rules.Person(patient.sex, patient.age))
        asked = {question.code: question for group in groups for question in group.questions}
        rows = [(asked[code], self.answers.get(code)) for code in codes if code in asked]
        return [(question.label, form_rules.spoken(question, value)) for question, value in rows if value]
