"""Appointments in rooms, and what became of them."""

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
from patients.models.living import living


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


class AbsenceReason(models.TextChoices):
    """Why a patient did not come (DOMAIN §4, [S2])."""

    FORCED = "forced", _("Forced booking")
    FAKE = "fake", _("Fake booking")
    CALL_TIME = "call_time", _("Call-back at the wrong hour")
    CALL_TONE = "call_tone", _("Call-back in the wrong tone")
    INSINCERE = "insincere", _("Insincere care")
    REPUTATION = "reputation", _("Reputation or technique")
    WEATHER = "weather", _("Weather")
    INCOME = "income", _("Income not yet paid")
    OTHER = "other", _("Other")


class Side(models.TextChoices):
    """On whose side a reason lies ([S2])."""

    OURS = "ours", _("ours")
    PATIENT = "patient", _("the patient's")
    CHANCE = "chance", _("chance")


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
    # What became of it. Set by the services that end it; each correction is a row of AppointmentChange too.
    ended_at = models.DateTimeField(null=True, editable=False)  # when it was cancelled, moved or marked no-show
    is_late = models.BooleanField(null=True, editable=False)  # cancelled or moved within the clinic's threshold
    absence_reason = models.CharField(_("why not"), max_length=12, choices=AbsenceReason.choices, blank=True)
    absence_side = models.CharField(_("whose side"), max_length=8, choices=Side.choices, blank=True)
    absence_note = models.CharField(_("in words"), max_length=300, blank=True)
    number = models.CharField(max_length=60, blank=True, editable=False)  # in the system it was imported from
    note = models.TextField(_("note"), blank=True)
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
            models.CheckConstraint(
                condition=models.Q(absence_reason="", absence_side="")
                | (~models.Q(absence_reason="") & ~models.Q(absence_side="")),
                name="absence_reason_with_side",
            ),
            models.UniqueConstraint(
                fields=["clinic", "number"], condition=~models.Q(number=""), name="appointment_number_once"
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
        triggers: ClassVar[list[Any]] = [living("patient")]
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
    absence_reason = models.CharField(max_length=12, choices=AbsenceReason.choices, blank=True)
    absence_side = models.CharField(max_length=8, choices=Side.choices, blank=True)
    is_late = models.BooleanField(null=True)
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
