"""The undecided as rows: what the undecided board counts and windows."""

from django.db import models
from django.utils.translation import gettext_lazy as _

from accounts.models import Clinic
from accounts.scoping import ScopedQuerySet
from patients.models import Registration


class UndecidedCase(models.Model):
    """One patient who is undecided in one clinic.

    Derived: consultations.services.undecided writes it and nothing else does, and it can be made anew at any time.
    Patients named by UndecidedMark are out of date here; readers derive those at once. It holds plain numbers
    instead of foreign keys to people, so that it is no part of what a merge moves or an erasure keeps.
    """

    registration = models.OneToOneField(
        Registration, primary_key=True, on_delete=models.DO_NOTHING, db_constraint=False, related_name="+"
    )
    clinic = models.ForeignKey(
        Clinic, on_delete=models.DO_NOTHING, db_constraint=False, db_index=False, related_name="+"
    )
    patient_id = models.BigIntegerField()
    klass = models.CharField(max_length=3)
    owner_id = models.BigIntegerField(null=True)
    doctor_id = models.BigIntegerField(null=True)  # of the last visit, else the patient's own
    complaint = models.CharField(max_length=24, blank=True)
    since = models.DateTimeField()  # when the case was opened, else when the class was set
    touch = models.DateField()  # the last contact or visit, as the clinic's zone names the day
    amount = models.DecimalField(max_digits=20, decimal_places=2, null=True)  # yuan; null without a plan

    objects = ScopedQuerySet.as_manager()

    class Meta:
        indexes = [
            models.Index(  # the board's numbers and windows, from the index alone, in its usual order
                fields=["clinic", "klass", "touch", "registration"],
                include=[
                    "patient_id",
                    "owner_id",
                    "doctor_id",
                    "complaint",
                    "since",
                    "amount",
                ],
                name="undecided_board",
            ),
            models.Index(fields=["patient_id"], name="undecided_of_patient"),  # making it anew
        ]
        verbose_name = _("undecided patient")
        verbose_name_plural = _("undecided patients")

    def __str__(self) -> str:
        return f"{self.klass} {self.patient_id}"


class UndecidedMark(models.Model):
    """A patient of whom something changed that UndecidedCase is derived from.

    Written by triggers in the transaction of the change itself: an insert that waits for nobody. Taken away in the
    transaction that makes the patient's rows anew.
    """

    patient_id = models.BigIntegerField()

    class Meta:
        verbose_name = _("undecided patient to derive anew")
        verbose_name_plural = _("undecided patients to derive anew")

    def __str__(self) -> str:
        return str(self.patient_id)
