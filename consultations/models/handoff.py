"""The handoff note (交接) from coordinator to doctor."""

import pghistory
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from accounts.models import User
from accounts.scoping import ScopedQuerySet
from consultations.models.visit import Visit, VisitOwnedQuerySet
from patients.classification import PatientClass
from patients.models.patient import JUDGED


@pghistory.track(pghistory.UpdateEvent())
class Handoff(models.Model):
    """What the TC tells the doctor before the exam ([S1]); a draft until sent."""

    visit = models.OneToOneField(Visit, on_delete=models.PROTECT, related_name="handoff")
    class_code = models.CharField(_("class"), max_length=3, choices=PatientClass.choices, blank=True)
    class_reason = models.CharField(_("reason for another class"), max_length=300, blank=True)
    awareness = models.PositiveSmallIntegerField(_("awareness"), null=True, blank=True, validators=JUDGED)
    trust = models.PositiveSmallIntegerField(_("trust"), null=True, blank=True, validators=JUDGED)
    awareness_note = models.CharField(max_length=120, blank=True)
    trust_note = models.CharField(max_length=120, blank=True)
    situation = models.TextField(_("the patient's situation"), blank=True)
    opinion = models.TextField(_("my view of the complaint"), blank=True)
    told_patient = models.TextField(_("what I told the patient"), blank=True)
    stress_points = ArrayField(models.CharField(max_length=200), size=3, default=list, blank=True)
    wished_words = models.TextField(_("words I hope the doctor will say"), blank=True)
    attached_exams = ArrayField(models.BigIntegerField(), default=list, blank=True)
    attach_form = models.BooleanField(default=True)
    saved_at = models.DateTimeField(default=timezone.now)
    sent_at = models.DateTimeField(null=True)
    sent_by = models.ForeignKey(User, null=True, on_delete=models.PROTECT, related_name="+")
    acknowledged_at = models.DateTimeField(null=True)
    acknowledged_by = models.ForeignKey(User, null=True, on_delete=models.PROTECT, related_name="+")
    version = models.PositiveIntegerField(default=1)

    objects = VisitOwnedQuerySet.as_manager()

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=models.Q(acknowledged_at=None) | models.Q(sent_at__isnull=False),
                name="acknowledged_after_sent",
            )
        ]
        verbose_name = _("handoff note")
        verbose_name_plural = _("handoff notes")

    def __str__(self) -> str:
        return f"{self.visit_id}"


class HandoffQuestionQuerySet(ScopedQuerySet):
    clinic_path = "handoff__visit__clinic"


class HandoffQuestion(models.Model):
    """A question the doctor sends back, and the coordinator's answer.

    With `for_doctor` it goes the other way: the coordinator asks for a clinical change of the plan.
    """

    handoff = models.ForeignKey(Handoff, on_delete=models.PROTECT, related_name="questions")
    for_doctor = models.BooleanField(default=False)
    question = models.CharField(_("question"), max_length=300)
    asked_by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")
    asked_at = models.DateTimeField(default=timezone.now)
    answer = models.CharField(_("answer"), max_length=500, blank=True)
    answered_by = models.ForeignKey(User, null=True, on_delete=models.PROTECT, related_name="+")
    answered_at = models.DateTimeField(null=True)

    objects = HandoffQuestionQuerySet.as_manager()

    class Meta:
        ordering = ["id"]
        verbose_name = _("question to a handoff")
        verbose_name_plural = _("questions to a handoff")

    def __str__(self) -> str:
        return self.question
