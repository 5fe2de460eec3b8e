"""What patients complain of (投诉): cases, their steps, the public link."""

from typing import Any, ClassVar, Self

import pgtrigger
from django.db import models
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from accounts.models import Clinic, User
from accounts.permissions import Permission, Role
from accounts.scoping import ScopedQuerySet
from patients.models.living import living
from patients.models.patient import Patient


class ComplaintCaseQuerySet(ScopedQuerySet):
    def cases(self) -> Self:
        """Leave out repeats: they belong to the case they were joined to (KPI 10 counts cases)."""
        return self.filter(joined_to=None)

    def open(self) -> Self:
        return self.cases().filter(closed_at=None)

    def visible_to(self, user: User) -> Self:
        """Keep what a person may read: those who settle complaints all of their clinics', others what they took or
        have to settle and what is about them; a doctor only the latter."""
        return self.read_by(user.pk, **self.places_of(user))

    @staticmethod
    def places_of(user: User) -> dict[str, tuple[int, ...]]:
        """Return the clinics where a person works, settles complaints, treats."""
        clinics = tuple(user.clinic_ids())
        return {
            "clinics": clinics,
            "settles": tuple(user.clinic_ids(Permission.SETTLE_COMPLAINTS)),
            "treats": tuple(pk for pk in clinics if user.role_in(pk) == Role.DOCTOR),
        }

    def read_by(self, user: int, *, clinics: Any, settles: Any, treats: Any) -> Self:
        """Keep what somebody may read who works, settles complaints and treats in these clinics."""
        handled = (Q(received_by=user) | Q(owner=user)) & ~Q(clinic__in=treats)
        return self.filter(clinic__in=clinics).filter(Q(clinic__in=settles) | Q(about=user) | handled)


class ComplaintCase(models.Model):
    """One complaint; repeats of one issue by one patient are joined to the first."""

    class Category(models.TextChoices):
        WAITING = "waiting", _("Waiting")
        ATTITUDE = "attitude", _("Attitude")
        PRICE = "price", _("Price and charges")
        RESULT = "result", _("Result of the treatment")
        PAIN = "pain", _("Pain")
        EXPLANATION = "explanation", _("Explanation")
        PRIVACY = "privacy", _("Privacy")
        ENVIRONMENT = "environment", _("Premises")
        OTHER = "other", _("Other")

    class Severity(models.TextChoices):
        LOW = "low", pgettext_lazy("severity", "Minor")
        MEDIUM = "medium", _("Serious")
        HIGH = "high", _("Grave")

    class Source(models.TextChoices):
        PATIENT_PAGE = "patient_page", _("Patient page")
        VISIT = "visit", _("Visit")
        CONVERSATION = "conversation", _("Conversation")
        PUBLIC_LINK = "public_link", _("Public link")
        PHONE = "phone", pgettext_lazy("taken from", "Phone")
        API = "api", "API"

    class Outcome(models.TextChoices):
        EXPLAINED = "explained", _("Explained")
        APOLOGISED = "apologised", _("Apologised")
        REDONE = "redone", _("Treated again")
        REFUNDED = "refunded", _("Refunded")
        COMPENSATED = "compensated", _("Compensated")
        WITHDRAWN = "withdrawn", _("Withdrawn")
        UNSETTLED = "unsettled", _("Not settled")

    clinic = models.ForeignKey(Clinic, on_delete=models.PROTECT, related_name="complaints")
    patient = models.ForeignKey(Patient, null=True, blank=True, on_delete=models.PROTECT, related_name="complaints")
    number = models.CharField(max_length=20)  # told to the person who complains
    category = models.CharField(_("category"), max_length=12, choices=Category.choices)
    severity = models.CharField(_("severity"), max_length=8, choices=Severity.choices, default=Severity.MEDIUM)
    source = models.CharField(_("taken from"), max_length=14, choices=Source.choices)
    what = models.TextField(_("what happened"), max_length=2000)
    wish = models.CharField(_("what the patient wishes"), max_length=300, blank=True)
    subject = models.CharField(max_length=60, blank=True)  # what it arose from, e.g. "visit:12"
    about = models.ForeignKey(  # the staff member it is about
        User, null=True, blank=True, on_delete=models.PROTECT, related_name="+", verbose_name=_("about whom")
    )
    contact_name = models.CharField(_("name"), max_length=60, blank=True)  # as given on the public page
    contact_encrypted = models.BinaryField(null=True, editable=False)
    contact_last4 = models.CharField(max_length=4, blank=True, editable=False)
    received_at = models.DateTimeField(default=timezone.now)
    received_by = models.ForeignKey(User, null=True, on_delete=models.PROTECT, related_name="+")
    owner = models.ForeignKey(
        User, null=True, blank=True, on_delete=models.PROTECT, related_name="+", verbose_name=_("who settles it")
    )
    due_at = models.DateTimeField(_("due"))
    first_reply_at = models.DateTimeField(null=True)
    closed_at = models.DateTimeField(null=True)
    closed_by = models.ForeignKey(User, null=True, on_delete=models.PROTECT, related_name="+")
    outcome = models.CharField(_("outcome"), max_length=12, choices=Outcome.choices, blank=True)
    is_upheld = models.BooleanField(_("upheld"), null=True)
    cost = models.DecimalField(_("cost"), max_digits=10, decimal_places=2, null=True, blank=True)
    joined_to = models.ForeignKey("self", null=True, on_delete=models.PROTECT, related_name="repeats")
    version = models.PositiveIntegerField(default=1)

    objects = ComplaintCaseQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["clinic", "number"], name="complaint_number_once"),
            models.CheckConstraint(
                condition=models.Q(closed_at=None)
                | (~models.Q(outcome="") & models.Q(is_upheld__isnull=False))
                | models.Q(joined_to__isnull=False),
                name="complaint_closed_with_outcome",
            ),
            models.CheckConstraint(
                condition=models.Q(joined_to=None) | ~models.Q(joined_to=models.F("id")),
                name="complaint_not_own_repeat",
            ),
        ]
        indexes = [
            models.Index(fields=["clinic", "-received_at", "-id"], name="complaint_list"),  # list, KPI 10
            models.Index(fields=["clinic", "due_at"], condition=models.Q(closed_at=None), name="complaint_due"),
            models.Index(fields=["patient", "-received_at"], name="complaint_of_patient"),
        ]
        triggers: ClassVar[list[Any]] = [living("patient")]
        verbose_name = _("complaint")
        verbose_name_plural = _("complaints")

    def __str__(self) -> str:
        return self.number


class ComplaintStepQuerySet(ScopedQuerySet):
    clinic_path = "complaint__clinic"


class ComplaintStep(models.Model):
    """What was done about a complaint, by whom: append-only."""

    class Kind(models.TextChoices):
        TAKEN = "taken", _("taken")
        REPLIED = "replied", _("replied")
        NOTE = "note", _("note")
        CHANGED = "changed", _("changed")
        JOINED = "joined", _("joined")
        CLOSED = "closed", _("closed")
        REOPENED = "reopened", _("opened again")

    complaint = models.ForeignKey(ComplaintCase, on_delete=models.PROTECT, related_name="steps")
    kind = models.CharField(max_length=10, choices=Kind.choices)
    text = models.CharField(max_length=1000, blank=True)
    detail = models.JSONField(default=dict)
    at = models.DateTimeField(default=timezone.now)
    by = models.ForeignKey(User, null=True, on_delete=models.PROTECT, related_name="+")

    objects = ComplaintStepQuerySet.as_manager()

    class Meta:
        triggers: ClassVar[list[Any]] = [
            pgtrigger.Protect(name="append_only", operation=pgtrigger.Update | pgtrigger.Delete)
        ]
        verbose_name = _("step of a complaint")
        verbose_name_plural = _("steps of complaints")

    def __str__(self) -> str:
        return f"{self.complaint_id} {self.kind}"


class PublicLink(models.Model):
    """A link without sign-in that a clinic prints: to complain, or to come as somebody's friend."""

    class Purpose(models.TextChoices):
        COMPLAINT = "complaint", _("Complaints")
        REFERRAL = "referral", _("Referral")

    clinic = models.ForeignKey(Clinic, on_delete=models.CASCADE, related_name="+")
    purpose = models.CharField(max_length=10, choices=Purpose.choices)
    patient = models.ForeignKey(Patient, null=True, on_delete=models.CASCADE, related_name="+")  # the referrer
    code = models.CharField(max_length=16, unique=True)  # random; told, printed and scanned
    created_at = models.DateTimeField(default=timezone.now)
    created_by = models.ForeignKey(User, null=True, on_delete=models.PROTECT, related_name="+")
    revoked_at = models.DateTimeField(null=True)

    objects = ScopedQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["clinic", "purpose", "patient"],
                condition=models.Q(revoked_at=None),
                nulls_distinct=False,
                name="one_live_link_each",
            ),
            models.CheckConstraint(
                condition=models.Q(purpose="complaint", patient=None)
                | models.Q(purpose="referral", patient__isnull=False),
                name="referral_link_has_patient",
            ),
        ]
        triggers: ClassVar[list[Any]] = [living("patient")]
        verbose_name = _("public link")
        verbose_name_plural = _("public links")

    def __str__(self) -> str:
        return self.code


class ComplaintCounter(models.Model):
    """The last complaint number given in a clinic and month; taken under a row lock."""

    clinic = models.ForeignKey(Clinic, on_delete=models.CASCADE, related_name="+")
    month = models.CharField(max_length=4)  # YYMM
    last = models.PositiveIntegerField(default=0)

    objects = ScopedQuerySet.as_manager()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["clinic", "month"], name="one_complaint_counter_per_month")]
        verbose_name = _("complaint counter")
        verbose_name_plural = _("complaint counters")

    def __str__(self) -> str:
        return f"{self.clinic_id} {self.month}: {self.last}"

    @classmethod
    def take(cls, clinic: Clinic) -> str:
        """Return the next number of `clinic`, e.g. TS2611-0007; call inside a transaction.

        Whoever takes one holds the clinic's counter until the transaction ends: complaints are taken one at a time.
        """
        stamp = clinic.today().strftime("%y%m")
        cls.objects.get_or_create(clinic=clinic, month=stamp)
        row = cls.objects.select_for_update().get(clinic=clinic, month=stamp)
        row.last += 1
        row.save(update_fields=["last"])
        return f"TS{stamp}-{row.last:04d}"
