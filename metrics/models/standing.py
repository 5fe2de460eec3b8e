"""How patients stand in their classes, from when to when: what KPI 2 is counted from while nothing is replayed."""

from django.db import models
from django.utils.translation import gettext_lazy as _

from accounts.models import Clinic
from accounts.scoping import ScopedQuerySet


class Standing(models.Model):
    """One class change with how long it held, in its clinic.

    Kept by PostgreSQL from the append-only class changes, from decisions and refunds (functions `metrics_restand` and
    `metrics_stand`); nothing else writes it, and it can be made anew at any time. It holds plain numbers instead of
    foreign keys: it belongs to the class change, and goes where that goes when patients are merged.
    """

    change_id = models.BigIntegerField(primary_key=True)
    clinic = models.ForeignKey(
        Clinic, on_delete=models.DO_NOTHING, db_constraint=False, db_index=False, related_name="+"
    )
    patient_id = models.BigIntegerField()
    new_class = models.CharField(max_length=3, blank=True, editable=False)
    is_correction = models.BooleanField()
    by_id = models.BigIntegerField(null=True)
    since = models.DateTimeField()
    until = models.DateTimeField()  # the next change; of the last one the acceptance that stands, else the year 9999
    is_first = models.BooleanField()  # of the person in the clinic
    is_last = models.BooleanField()
    elsewhere = models.BooleanField()  # the person has changes in another clinic too
    accepted_at = models.DateTimeField(null=True)  # first acceptance since, whatever was paid back

    objects = ScopedQuerySet.as_manager()

    class Meta:
        indexes = [
            models.Index(  # who stood when a window began or since, from the index alone
                fields=["clinic", "until", "since"],
                include=[
                    "change_id",
                    "patient_id",
                    "new_class",
                    "is_correction",
                    "by_id",
                    "is_first",
                    "is_last",
                    "elsewhere",
                    "accepted_at",
                ],
                name="standing_until",
            ),
            models.Index(fields=["clinic", "since"], condition=models.Q(is_first=False), name="standing_moved"),
            models.Index(fields=["clinic", "since"], condition=models.Q(elsewhere=True), name="standing_elsewhere"),
            models.Index(fields=["patient_id"], name="standing_of_patient"),
        ]
        verbose_name = _("standing")
        verbose_name_plural = _("standings")

    def __str__(self) -> str:
        return f"{self.new_class} {self.since:%Y-%m-%d}"
