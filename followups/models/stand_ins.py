"""Who stands in for a colleague who is away."""

from datetime import date, timedelta

from django.db import models
from django.db.models import F, Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from accounts.models import Clinic, User
from accounts.scoping import ScopedQuerySet


class StandInQuerySet(ScopedQuerySet):
    def standing(self) -> "StandInQuerySet":
        """Keep those that hold now or later."""
        return self.filter(ended_at=None, ends_at__gt=timezone.now())


class StandIn(models.Model):
    """What comes due by itself for one colleague goes to another, until a day has passed or somebody ends it."""

    clinic = models.ForeignKey(Clinic, on_delete=models.PROTECT, related_name="+")
    away = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+", verbose_name=_("who is away"))
    to = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+", verbose_name=_("who stands in"))
    ends_at = models.DateTimeField(_("until"))  # the end of the last day, in the clinic's zone
    batch = models.CharField(max_length=32, db_index=True)  # the hand-over with which it began
    reason = models.CharField(_("reason"), max_length=200)
    created_at = models.DateTimeField(default=timezone.now)
    created_by = models.ForeignKey(User, null=True, on_delete=models.PROTECT, related_name="+")
    ended_at = models.DateTimeField(null=True)  # before its time, or replaced by another
    ended_by = models.ForeignKey(User, null=True, on_delete=models.PROTECT, related_name="+")

    objects = StandInQuerySet.as_manager()

    class Meta:
        constraints = [
            # Also read when tasks are made: whose turn is it?
            models.UniqueConstraint(fields=["clinic", "away"], condition=Q(ended_at=None), name="one_stand_in"),
            models.CheckConstraint(condition=~Q(away=F("to")), name="stands_in_for_another"),
        ]
        verbose_name = _("stand-in")
        verbose_name_plural = _("stand-ins")

    @property
    def last_day(self) -> date:
        """The last day on which it holds, in the clinic's zone."""
        return (self.ends_at - timedelta(seconds=1)).astimezone(self.clinic.tz).date()

    def __str__(self) -> str:
        return f"{self.away_id} → {self.to_id}"
