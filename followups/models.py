"""What was promised for later: appointments in rooms."""

from typing import Any, ClassVar, Self

import pghistory
import pgtrigger
from django.contrib.postgres.constraints import ExclusionConstraint
from django.contrib.postgres.fields import DateTimeRangeField, RangeBoundary, RangeOperators
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from accounts.models import Clinic, User
from accounts.scoping import ScopedQuerySet
from patients.models import Patient


class Room(models.Model):
    """A room or chair (诊室、牙椅) of a clinic."""

    clinic = models.ForeignKey(Clinic, on_delete=models.CASCADE, related_name="rooms")
    name = models.CharField(_("name"), max_length=40)
    is_active = models.BooleanField(_("active"), default=True)

    objects = ScopedQuerySet.as_manager()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["clinic", "name"], name="room_name_once_per_clinic")]
        ordering = ["name"]
        verbose_name = _("room")
        verbose_name_plural = _("rooms")

    def __str__(self) -> str:
        return self.name


class TsTzRange(models.Func):
    """tstzrange(start, end, bounds), for the exclusion constraints."""

    function = "TSTZRANGE"
    output_field = DateTimeRangeField()


class AppointmentQuerySet(ScopedQuerySet):
    def holding(self) -> Self:
        """Keep the appointments that hold their slot."""
        return self.filter(holds_slot=True)

    def expected(self) -> Self:
        """Keep those whose patient is still to come."""
        return self.filter(status__in=[Appointment.Status.BOOKED, Appointment.Status.CONFIRMED])

    def overlapping(self, start: Any, end: Any) -> Self:
        return self.filter(starts_at__lt=end, ends_at__gt=start)

    def with_people(self) -> Self:
        return self.select_related("patient", "doctor", "room")


@pghistory.track(pghistory.UpdateEvent())
class Appointment(models.Model):
    """A time promised to a patient, with a doctor and perhaps a room."""

    class Kind(models.TextChoices):
        FIRST = "first", _("First visit")
        RECHECK = "recheck", _("Recheck")
        RETURN = "return", _("Return visit")
        TREATMENT = "treatment", _("Treatment")

    class Status(models.TextChoices):
        BOOKED = "booked", _("booked")
        CONFIRMED = "confirmed", _("confirmed")
        KEPT = "kept", _("kept")
        NO_SHOW = "no_show", _("no-show")
        CANCELLED_PATIENT = "cancelled_patient", _("cancelled by the patient")
        CANCELLED_CLINIC = "cancelled_clinic", _("cancelled by the clinic")
        MOVED = "moved", _("moved")
        ERROR = "error", _("entered in error")

    FREE = (Status.CANCELLED_PATIENT, Status.CANCELLED_CLINIC, Status.MOVED, Status.ERROR)

    clinic = models.ForeignKey(Clinic, on_delete=models.PROTECT, related_name="appointments")
    patient = models.ForeignKey(Patient, on_delete=models.PROTECT, related_name="appointments")
    doctor = models.ForeignKey(
        User, null=True, blank=True, on_delete=models.PROTECT, related_name="appointments", verbose_name=_("doctor")
    )
    room = models.ForeignKey(
        Room, null=True, blank=True, on_delete=models.PROTECT, related_name="appointments", verbose_name=_("room")
    )
    kind = models.CharField(_("kind"), max_length=12, choices=Kind.choices)
    starts_at = models.DateTimeField(_("start"))
    ends_at = models.DateTimeField(_("end"))
    status = models.CharField(max_length=20, choices=Status.choices, default=Status.BOOKED)
    holds_slot = models.BooleanField(default=True)  # false once freed, and for imported history that overlaps
    purpose = models.CharField(_("what for"), max_length=200, blank=True)
    moved_from = models.OneToOneField("self", null=True, on_delete=models.PROTECT, related_name="moved_to")
    created_at = models.DateTimeField(default=timezone.now)
    created_by = models.ForeignKey(User, null=True, on_delete=models.PROTECT, related_name="+")

    objects = AppointmentQuerySet.as_manager()

    class Meta:
        constraints = [
            models.CheckConstraint(condition=models.Q(ends_at__gt=models.F("starts_at")), name="ends_after_start"),
            models.CheckConstraint(
                condition=models.Q(holds_slot=False)
                | ~models.Q(status__in=["cancelled_patient", "cancelled_clinic", "moved", "error"]),
                name="freed_slot_not_held",
            ),
            ExclusionConstraint(
                name="doctor_not_booked_twice",
                expressions=[
                    ("doctor", RangeOperators.EQUAL),
                    (TsTzRange("starts_at", "ends_at", RangeBoundary()), RangeOperators.OVERLAPS),
                ],
                condition=models.Q(holds_slot=True, doctor__isnull=False),
            ),
            ExclusionConstraint(
                name="room_not_booked_twice",
                expressions=[
                    ("room", RangeOperators.EQUAL),
                    (TsTzRange("starts_at", "ends_at", RangeBoundary()), RangeOperators.OVERLAPS),
                ],
                condition=models.Q(holds_slot=True, room__isnull=False),
            ),
        ]
        indexes = [
            models.Index(fields=["clinic", "starts_at"], name="appointment_by_day"),  # today board, calendar
            models.Index(fields=["patient", "starts_at"], name="appointment_of_patient"),  # next appointment
        ]
        verbose_name = _("appointment")
        verbose_name_plural = _("appointments")

    def __str__(self) -> str:
        return f"{self.starts_at:%Y-%m-%d %H:%M}"


class AppointmentChangeQuerySet(ScopedQuerySet):
    clinic_path = "appointment__clinic"


class AppointmentChange(models.Model):
    """Every booking, move, cancellation and outcome, with who and why: append-only."""

    appointment = models.ForeignKey(Appointment, on_delete=models.PROTECT, related_name="changes")
    old_status = models.CharField(max_length=20, choices=Appointment.Status.choices, blank=True)
    new_status = models.CharField(max_length=20, choices=Appointment.Status.choices)
    reason = models.CharField(max_length=300, blank=True)
    at = models.DateTimeField(default=timezone.now)
    by = models.ForeignKey(User, null=True, on_delete=models.PROTECT, related_name="+")

    objects = AppointmentChangeQuerySet.as_manager()

    class Meta:
        triggers: ClassVar[list[Any]] = [
            pgtrigger.Protect(name="append_only", operation=pgtrigger.Update | pgtrigger.Delete)
        ]
        verbose_name = _("appointment change")
        verbose_name_plural = _("appointment changes")

    def __str__(self) -> str:
        return f"{self.old_status} → {self.new_status}"
