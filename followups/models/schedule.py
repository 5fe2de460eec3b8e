"""When doctors and rooms can be booked, who waits for a slot, and the calendar feeds."""

from typing import Any, ClassVar

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from accounts.models import Clinic, User
from accounts.scoping import ScopedQuerySet
from followups.models.appointments import Appointment, Room
from patients.models import Patient
from patients.models.living import living


class Weekday(models.IntegerChoices):
    MONDAY = 0, _("Monday")
    TUESDAY = 1, _("Tuesday")
    WEDNESDAY = 2, _("Wednesday")
    THURSDAY = 3, _("Thursday")
    FRIDAY = 4, _("Friday")
    SATURDAY = 5, _("Saturday")
    SUNDAY = 6, _("Sunday")


def _not_both(name: str) -> models.CheckConstraint:
    return models.CheckConstraint(condition=models.Q(doctor=None) | models.Q(room=None), name=name)


class WorkingHours(models.Model):
    """One stretch of a weekday in which a doctor or a room (neither: the clinic) can be booked; a break is a gap."""

    clinic = models.ForeignKey(Clinic, on_delete=models.CASCADE, related_name="working_hours")
    doctor = models.ForeignKey(User, null=True, blank=True, on_delete=models.CASCADE, related_name="+")
    room = models.ForeignKey(Room, null=True, blank=True, on_delete=models.CASCADE, related_name="+")
    weekday = models.PositiveSmallIntegerField(_("weekday"), choices=Weekday.choices)
    opens = models.TimeField(_("from"))
    closes = models.TimeField(_("until"))

    objects = ScopedQuerySet.as_manager()

    class Meta:
        constraints = [
            _not_both("hours_of_doctor_or_room"),
            models.CheckConstraint(condition=models.Q(closes__gt=models.F("opens")), name="closes_after_opens"),
            models.UniqueConstraint(
                fields=["clinic", "doctor", "room", "weekday", "opens"], nulls_distinct=False, name="hours_once"
            ),
        ]
        ordering = ["weekday", "opens"]
        verbose_name = _("working hours")
        verbose_name_plural = _("working hours")

    def __str__(self) -> str:
        return f"{self.get_weekday_display()} {self.opens:%H:%M}–{self.closes:%H:%M}"


class Absence(models.Model):
    """A stretch of time in which a doctor or a room (neither: the whole clinic) can't be booked."""

    class Kind(models.TextChoices):
        LEAVE = "leave", _("Leave")
        TRAINING = "training", _("Training")
        MAINTENANCE = "maintenance", _("Maintenance")
        CLOSED = "closed", _("Closed")
        OTHER = "other", _("Other")

    clinic = models.ForeignKey(Clinic, on_delete=models.CASCADE, related_name="absences")
    doctor = models.ForeignKey(User, null=True, blank=True, on_delete=models.CASCADE, related_name="+")
    room = models.ForeignKey(Room, null=True, blank=True, on_delete=models.CASCADE, related_name="+")
    starts_at = models.DateTimeField(_("from"))
    ends_at = models.DateTimeField(_("until"))
    kind = models.CharField(_("kind"), max_length=12, choices=Kind.choices, default=Kind.LEAVE)
    note = models.CharField(_("note"), max_length=120, blank=True)
    created_at = models.DateTimeField(default=timezone.now)
    created_by = models.ForeignKey(User, null=True, on_delete=models.PROTECT, related_name="+")

    objects = ScopedQuerySet.as_manager()

    class Meta:
        constraints = [
            _not_both("absence_of_doctor_or_room"),
            models.CheckConstraint(condition=models.Q(ends_at__gt=models.F("starts_at")), name="absence_ends_later"),
        ]
        indexes = [models.Index(fields=["clinic", "ends_at"], name="absence_by_clinic")]  # calendar, free slots
        ordering = ["starts_at", "id"]
        verbose_name = _("absence")
        verbose_name_plural = _("absences")

    def __str__(self) -> str:
        return f"{self.get_kind_display()} {self.starts_at:%Y-%m-%d}"


class CalendarSettings(models.Model):
    """How a clinic's calendar works: grid, lengths per kind, public holidays."""

    clinic = models.OneToOneField(Clinic, on_delete=models.CASCADE, related_name="calendar_settings")
    grid_minutes = models.PositiveSmallIntegerField(_("grid, minutes"), default=30)
    lengths = models.JSONField(_("length per kind, minutes"), default=dict, blank=True)
    closed_on_holidays = models.BooleanField(_("closed on public holidays"), default=True)
    open_on_makeup_days = models.BooleanField(_("open on make-up workdays"), default=True)
    open_anyway = ArrayField(  # public holidays on which the clinic works all the same
        models.DateField(), default=list, blank=True, verbose_name=_("holidays worked")
    )

    objects = ScopedQuerySet.as_manager()

    class Meta:
        constraints = [
            models.CheckConstraint(condition=models.Q(grid_minutes__in=[10, 15, 20, 30, 60]), name="grid_divides_hour")
        ]
        verbose_name = _("calendar settings")
        verbose_name_plural = _("calendar settings")

    def __str__(self) -> str:
        return f"{self.clinic_id}: {self.grid_minutes} min"


class WaitingEntry(models.Model):
    """A patient who would come sooner, or at a better time, if a slot frees (候补)."""

    class Status(models.TextChoices):
        WAITING = "waiting", _("waiting")
        OFFERED = "offered", _("offered")
        BOOKED = "booked", _("booked")
        WITHDRAWN = "withdrawn", _("withdrawn")

    clinic = models.ForeignKey(Clinic, on_delete=models.PROTECT, related_name="waiting_entries")
    patient = models.ForeignKey(Patient, on_delete=models.PROTECT, related_name="waiting_entries")
    doctor = models.ForeignKey(User, null=True, blank=True, on_delete=models.PROTECT, related_name="+")
    kind = models.CharField(_("kind"), max_length=12, choices=Appointment.Kind.choices)
    minutes = models.PositiveSmallIntegerField(_("minutes"), default=30)
    from_day = models.DateField(_("not before"))
    until_day = models.DateField(_("not after"))
    note = models.CharField(_("note"), max_length=200, blank=True)
    status = models.CharField(max_length=10, choices=Status.choices, default=Status.WAITING)
    offered_start = models.DateTimeField(null=True)
    offered_at = models.DateTimeField(null=True)
    appointment = models.ForeignKey(Appointment, null=True, on_delete=models.PROTECT, related_name="+")
    created_at = models.DateTimeField(default=timezone.now)
    created_by = models.ForeignKey(User, null=True, on_delete=models.PROTECT, related_name="+")
    closed_at = models.DateTimeField(null=True)

    objects = ScopedQuerySet.as_manager()

    class Meta:
        constraints = [
            models.CheckConstraint(condition=models.Q(until_day__gte=models.F("from_day")), name="waiting_until_later"),
            models.CheckConstraint(
                condition=models.Q(status="booked", appointment__isnull=False)
                | (~models.Q(status="booked") & models.Q(appointment=None)),
                name="waiting_booked_has_appointment",
            ),
        ]
        indexes = [models.Index(fields=["clinic", "status", "created_at"], name="waiting_list")]
        ordering = ["created_at", "id"]
        triggers: ClassVar[list[Any]] = [living("patient")]
        verbose_name = _("waiting list entry")
        verbose_name_plural = _("waiting list entries")

    def __str__(self) -> str:
        return f"{self.patient_id} {self.from_day}–{self.until_day}"


class CalendarFeed(models.Model):
    """A secret link under which one staff member's calendar program reads their appointments in one clinic."""

    clinic = models.ForeignKey(Clinic, on_delete=models.CASCADE, related_name="+")
    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="calendar_feeds")
    token_digest = models.CharField(max_length=64, unique=True)  # the link itself is shown once and not kept
    created_at = models.DateTimeField(default=timezone.now)
    last_read_at = models.DateTimeField(null=True)
    revoked_at = models.DateTimeField(null=True)

    objects = ScopedQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["clinic", "user"], condition=models.Q(revoked_at=None), name="one_live_feed_each"
            )
        ]
        verbose_name = _("calendar feed")
        verbose_name_plural = _("calendar feeds")

    def __str__(self) -> str:
        return f"{self.user_id} {self.created_at:%Y-%m-%d}"
