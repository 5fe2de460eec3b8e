"""The case and its visits."""

from datetime import datetime
from decimal import Decimal as Money
from typing import Any, ClassVar, Self

import pghistory
import pgtrigger
from django.contrib.postgres.fields import ArrayField
from django.core.validators import MinValueValidator
from django.db import models
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from accounts.models import Clinic, User
from accounts.scoping import ScopedQuerySet
from consultations.stages import DEFAULT_LIMITS, ENDED, OPEN, Decision, Route, Stage
from followups.models import Appointment, Room
from patients.classification import Complaint
from patients.models import ClassChange, Patient
from patients.models.living import living


class Consultation(models.Model):
    """One case (咨询): one patient, one chief complaint, until accepted, refused or lost."""

    class Status(models.TextChoices):
        OPEN = "open", _("open")
        ACCEPTED = "accepted", _("accepted")
        DEPOSIT = "deposit", _("deposit paid")
        REFUSED = "refused", _("refused")
        NO_TREATMENT = "no_treatment", _("no treatment indicated")
        LOST = "lost", _("lost")

    clinic = models.ForeignKey(Clinic, on_delete=models.PROTECT, related_name="+")
    patient = models.ForeignKey(Patient, on_delete=models.PROTECT, related_name="consultations")
    complaint = models.CharField(_("complaint"), max_length=24, choices=Complaint.choices, blank=True)
    complaint_text = models.CharField(_("in the patient's words"), max_length=300, blank=True)
    status = models.CharField(max_length=14, choices=Status.choices, default=Status.OPEN)
    coordinator = models.ForeignKey(User, null=True, on_delete=models.PROTECT, related_name="+")
    first_received_at = models.DateTimeField(null=True)
    opened_at = models.DateTimeField(default=timezone.now)

    objects = ScopedQuerySet.as_manager()

    class Meta:
        indexes = [models.Index(fields=["patient", "-opened_at"], name="consultations_of_patient")]
        triggers: ClassVar[list[Any]] = [living("patient")]
        verbose_name = _("consultation")
        verbose_name_plural = _("consultations")

    def __str__(self) -> str:
        return self.complaint_text or self.get_complaint_display()


class VisitQuerySet(ScopedQuerySet):
    def in_clinic_now(self) -> Self:
        """Keep the visits that have not ended."""
        return self.filter(stage__in=OPEN)

    def with_people(self) -> Self:
        return self.select_related("patient", "coordinator", "doctor", "consultation")


@pghistory.track(pghistory.UpdateEvent())
class Visit(models.Model):
    """One coming to the clinic (到诊), from arrival to checkout.

    The `…_at` columns are facts set once, from which the KPIs are counted.
    """

    clinic = models.ForeignKey(Clinic, on_delete=models.PROTECT, related_name="visits")
    patient = models.ForeignKey(Patient, on_delete=models.PROTECT, related_name="visits")
    consultation = models.ForeignKey(Consultation, on_delete=models.PROTECT, related_name="visits")
    appointment = models.OneToOneField(
        Appointment, null=True, blank=True, on_delete=models.PROTECT, related_name="visit"
    )
    coordinator = models.ForeignKey(
        User, null=True, blank=True, on_delete=models.PROTECT, related_name="+", verbose_name=_("coordinator")
    )
    doctor = models.ForeignKey(
        User, null=True, blank=True, on_delete=models.PROTECT, related_name="+", verbose_name=_("doctor")
    )
    room = models.ForeignKey(Room, null=True, blank=True, on_delete=models.PROTECT, related_name="+")
    is_first = models.BooleanField(_("first visit"), default=True)
    number = models.PositiveIntegerField(default=1)  # the patient's n-th visit in the group

    stage = models.CharField(max_length=12, choices=Stage.choices, default=Stage.ARRIVED)
    stage_since = models.DateTimeField(default=timezone.now)
    route = models.CharField(max_length=12, choices=Route.choices, default=Route.DOCTOR_FIRST)
    route_reason = models.CharField(_("reason for another route"), max_length=200, blank=True)

    arrived_at = models.DateTimeField(default=timezone.now)
    received_at = models.DateTimeField(null=True)
    form_completed_at = models.DateTimeField(null=True)
    complaint_confirmed_at = models.DateTimeField(null=True)
    exams_completed_at = models.DateTimeField(null=True)
    handoff_at = models.DateTimeField(null=True)
    handoff_acknowledged_at = models.DateTimeField(null=True)
    doctor_left_at = models.DateTimeField(null=True)
    explaining_started_at = models.DateTimeField(null=True)
    explaining_ended_at = models.DateTimeField(null=True)
    explained_points = ArrayField(models.CharField(max_length=16), default=list, blank=True)
    decided_at = models.DateTimeField(null=True)
    decision = models.CharField(_("decision"), max_length=14, choices=Decision.choices, blank=True)
    decision_amount = models.DecimalField(
        _("amount"), max_digits=10, decimal_places=2, null=True, blank=True, validators=[MinValueValidator(Money(0))]
    )
    deposit_amount = models.DecimalField(
        _("deposit"), max_digits=10, decimal_places=2, null=True, blank=True, validators=[MinValueValidator(Money(0))]
    )
    obstacle = models.CharField(_("what holds them back"), max_length=200, blank=True)
    treat_today = models.CharField(max_length=12, blank=True)  # today, waiting, booked
    classification = models.ForeignKey(ClassChange, null=True, on_delete=models.PROTECT, related_name="+")
    classified_at = models.DateTimeField(null=True)
    next_appointment = models.ForeignKey(Appointment, null=True, on_delete=models.PROTECT, related_name="+")
    next_appointment_made_at = models.DateTimeField(null=True)
    left_at = models.DateTimeField(null=True)
    closed_at = models.DateTimeField(null=True)
    unseen_reason = models.CharField(_("why they left"), max_length=200, blank=True)
    is_error = models.BooleanField(default=False)  # entered in error: never counts
    error_at = models.DateTimeField(null=True)  # when that was found out: figures as of before counted it
    version = models.PositiveIntegerField(default=1)
    updated_at = models.DateTimeField(auto_now=True)

    objects = VisitQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["clinic", "patient"],
                condition=~models.Q(stage__in=sorted(ENDED)),
                name="one_open_visit_per_patient",
            ),
            models.CheckConstraint(
                condition=models.Q(decision="", decided_at=None)
                | (~models.Q(decision="") & ~models.Q(decided_at=None)),
                name="decision_both_or_neither",
            ),
            models.CheckConstraint(
                condition=models.Q(next_appointment=None, next_appointment_made_at=None)
                | models.Q(next_appointment__isnull=False, next_appointment_made_at__isnull=False),
                name="next_appointment_both_or_neither",
            ),
            models.CheckConstraint(
                condition=~models.Q(decision=Decision.DEPOSIT) | models.Q(deposit_amount__gt=0),
                name="deposit_has_amount",
            ),
        ]
        indexes = [
            # today board and doctor's queue: only the open visits, however long the history
            models.Index(fields=["clinic", "stage"], condition=models.Q(stage__in=OPEN), name="visit_open"),
            models.Index(fields=["clinic", "left_at"], name="visit_ended"),  # yesterday's gaps, KPI 5
            models.Index(fields=["clinic", "received_at"], name="visit_received"),  # KPIs 4, 7, 8
            models.Index(fields=["patient", "-arrived_at"], name="visits_of_patient"),  # patient page
            models.Index(  # KPI 2: who accepted since they came to stand in a class
                fields=["patient", "decided_at"],
                include=["consultation"],
                condition=models.Q(decision__in=["accepted", "deposit"], is_error=False),
                name="visit_accepted",
            ),
            models.Index(  # KPIs 4 and 8: a person's first reception, from the index alone
                fields=["patient", "received_at", "id"],
                condition=models.Q(is_error=False, received_at__isnull=False),
                name="visit_first",
            ),
            models.Index(fields=["patient"], condition=models.Q(is_error=True), name="visit_wrong"),  # KPI 9
        ]
        triggers: ClassVar[list[Any]] = [living("patient")]
        verbose_name = _("visit")
        verbose_name_plural = _("visits")

    def __str__(self) -> str:
        return f"{self.patient_id} {self.arrived_at:%Y-%m-%d}"

    def get_absolute_url(self) -> str:
        return reverse("visit", args=[self.pk])

    @property
    def is_open(self) -> bool:
        return self.stage not in ENDED

    @property
    def stage_limit(self) -> int | None:
        """Minutes this stage may take in this clinic; None once ended."""
        return self.clinic.stage_limits.get(self.stage, DEFAULT_LIMITS.get(self.stage))

    def minutes_in_stage(self, now: datetime) -> int:
        return max(0, int((now - self.stage_since).total_seconds() // 60))


class VisitOwnedQuerySet(ScopedQuerySet):
    """For rows that hang on a visit."""

    clinic_path = "visit__clinic"


class StageChange(models.Model):
    """One step of a visit with time, actor and reason: append-only."""

    visit = models.ForeignKey(Visit, on_delete=models.PROTECT, related_name="stage_changes")
    old_stage = models.CharField(max_length=12, choices=Stage.choices, blank=True)
    new_stage = models.CharField(max_length=12, choices=Stage.choices)
    reason = models.CharField(max_length=200, blank=True)
    at = models.DateTimeField(default=timezone.now)
    by = models.ForeignKey(User, null=True, on_delete=models.PROTECT, related_name="+")

    objects = VisitOwnedQuerySet.as_manager()

    class Meta:
        indexes = [models.Index(fields=["visit", "at"], name="stages_of_visit")]
        triggers: ClassVar[list[Any]] = [
            pgtrigger.Protect(name="append_only", operation=pgtrigger.Update | pgtrigger.Delete)
        ]
        verbose_name = _("stage change")
        verbose_name_plural = _("stage changes")

    def __str__(self) -> str:
        return f"{self.old_stage} → {self.new_stage}"
