"""The person, one row in the whole group."""

from datetime import date
from typing import TYPE_CHECKING, Any, ClassVar, Self

import pghistory
from django.contrib.postgres.fields import ArrayField
from django.contrib.postgres.indexes import GinIndex, OpClass
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models.functions import Upper
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from patients import crypto, naming
from patients.classification import PatientClass
from patients.models.living import living, merged_row_stays

if TYPE_CHECKING:
    from accounts.models import Clinic, User

JUDGED = [MinValueValidator(1), MaxValueValidator(5)]


class Sex(models.TextChoices):
    MALE = "m", _("male")
    FEMALE = "f", _("female")
    UNKNOWN = "", _("not stated")


class PatientQuerySet(models.QuerySet[Any]):
    def for_user(self, user: "User") -> Self:
        """Keep the people registered in a clinic where `user` works."""
        return self._registered_in(user.clinic_ids())

    def for_clinic(self, clinic: "Clinic") -> Self:
        """Keep the people registered in `clinic`."""
        return self._registered_in([clinic.pk])

    def living(self) -> Self:
        """Leave out rows that were merged into another."""
        return self.filter(merged_into=None)

    def _registered_in(self, clinic_ids: list[int]) -> Self:
        from patients.models.registration import Registration

        here = Registration.objects.filter(patient=models.OuterRef("pk"), clinic__in=clinic_ids)
        return self.filter(models.Exists(here))


@pghistory.track(pghistory.UpdateEvent())
class Patient(models.Model):
    """A person known to the group; seen by the clinics where they are registered."""

    name = models.CharField(_("name"), max_length=120)
    name_key = models.CharField(max_length=120, editable=False)  # how names compare
    name_pinyin = models.CharField(max_length=120, editable=False)
    name_initials = models.CharField(max_length=120, editable=False)
    name_grams = ArrayField(models.CharField(max_length=2), default=list, editable=False)
    sex = models.CharField(_("sex"), max_length=1, choices=Sex.choices, blank=True)
    birth_date = models.DateField(_("birth date"), null=True, blank=True)
    birth_day_known = models.BooleanField(default=True)
    wechat_id = models.CharField(_("WeChat"), max_length=64, blank=True)
    qq = models.CharField("QQ", max_length=20, blank=True)
    identity_number = models.BinaryField(null=True, editable=False)  # encrypted

    allergies = models.CharField(_("allergies"), max_length=200, blank=True)
    medical_notes = models.TextField(_("medical history"), blank=True)
    occupation = models.CharField(_("occupation"), max_length=80, blank=True)
    daily_rhythm = models.CharField(_("daily rhythm"), max_length=120, blank=True)
    region = models.CharField(_("region or address"), max_length=200, blank=True)
    family = models.CharField(_("family"), max_length=120, blank=True)
    call_from = models.TimeField(_("call from"), null=True, blank=True)
    call_to = models.TimeField(_("call until"), null=True, blank=True)
    call_tone = models.CharField(_("tone for calls"), max_length=120, blank=True)
    notes = models.TextField(_("notes"), blank=True)
    is_important = models.BooleanField(_("important patient"), default=False)

    guardian = models.ForeignKey(
        "self", null=True, blank=True, on_delete=models.SET_NULL, related_name="wards", verbose_name=_("guardian")
    )
    guardian_name = models.CharField(_("guardian's name"), max_length=60, blank=True)
    guardian_relation = models.CharField(_("relation"), max_length=20, blank=True)

    class_code = models.CharField(_("class"), max_length=3, choices=PatientClass.choices, blank=True)
    class_set_at = models.DateTimeField(null=True, editable=False)
    awareness = models.PositiveSmallIntegerField(_("awareness"), null=True, blank=True, validators=JUDGED)
    trust = models.PositiveSmallIntegerField(_("trust"), null=True, blank=True, validators=JUDGED)
    wechat_linked_at = models.DateTimeField(null=True, blank=True, editable=False)
    wechat_linked_guardian = models.BooleanField(default=False)

    merged_into = models.ForeignKey(
        "self", null=True, blank=True, editable=False, on_delete=models.PROTECT, related_name="merged_from"
    )
    # After an erasure request: the clinical record is kept its legal time, shown to those who treat only.
    restricted_at = models.DateTimeField(null=True, editable=False)
    version = models.PositiveIntegerField(default=1)
    created_at = models.DateTimeField(default=timezone.now)
    updated_at = models.DateTimeField(auto_now=True)
    created_by = models.ForeignKey("accounts.User", null=True, on_delete=models.PROTECT, related_name="+")

    objects = PatientQuerySet.as_manager()

    class Meta:
        indexes = [
            GinIndex(fields=["name_grams"], name="patient_name_grams"),  # search: a fragment of the name
            GinIndex(OpClass("name_pinyin", "gin_trgm_ops"), name="patient_pinyin_trgm"),  # search: pinyin
            models.Index(OpClass("name_initials", "text_pattern_ops"), name="patient_initials"),  # search
            models.Index(OpClass("name_key", "text_pattern_ops"), name="patient_name_prefix"),  # search, import
            models.Index(OpClass(Upper("wechat_id"), "text_pattern_ops"), name="patient_wechat_prefix"),
            models.Index(fields=["class_code"], condition=~models.Q(class_code=""), name="patient_class"),  # list
        ]
        constraints = [
            models.CheckConstraint(
                condition=models.Q(class_code="") | models.Q(class_code__in=PatientClass.values), name="class_known"
            ),
            models.CheckConstraint(
                condition=models.Q(awareness=None) | models.Q(awareness__range=(1, 5)), name="awareness_1_to_5"
            ),
            models.CheckConstraint(condition=models.Q(trust=None) | models.Q(trust__range=(1, 5)), name="trust_1_to_5"),
            models.CheckConstraint(
                condition=models.Q(call_from=None, call_to=None)
                | models.Q(call_from__isnull=False, call_to__isnull=False),
                name="call_hours_both_or_neither",
            ),
            models.CheckConstraint(
                condition=models.Q(guardian=None) | ~models.Q(guardian=models.F("id")), name="not_own_guardian"
            ),
        ]
        triggers: ClassVar[list[Any]] = [living("guardian"), merged_row_stays()]
        verbose_name = _("patient")
        verbose_name_plural = _("patients")

    def __str__(self) -> str:
        return self.name

    def save(self, *args: Any, **kwargs: Any) -> None:
        self.set_search_fields()
        if kwargs.get("update_fields") is not None and "name" in kwargs["update_fields"]:
            derived = {"name_key", "name_pinyin", "name_initials", "name_grams"}
            kwargs["update_fields"] = set(kwargs["update_fields"]) | derived
        super().save(*args, **kwargs)

    def set_search_fields(self) -> None:
        """Derive what the name is compared and found by; bulk writers call this themselves."""
        self.name_key = naming.compare_key(self.name)[: naming.MAX_KEY]
        self.name_pinyin = naming.pinyin(self.name)
        self.name_initials = naming.initials(self.name)
        self.name_grams = naming.bigrams(self.name)

    @property
    def surname(self) -> str:
        return self.name[:1]

    def age_on(self, day: date) -> int | None:
        """Return whole years of age on `day`; None without a birth date."""
        if self.birth_date is None:
            return None
        before_birthday = (day.month, day.day) < (self.birth_date.month, self.birth_date.day)
        return day.year - self.birth_date.year - before_birthday

    @property
    def age(self) -> int | None:
        return self.age_on(timezone.localdate())

    @property
    def is_minor(self) -> bool:
        return self.age is not None and self.age < 18


class PatientPhone(models.Model):
    """One number of a person, encrypted; found by blind index or last four digits."""

    patient = models.ForeignKey(Patient, on_delete=models.CASCADE, related_name="phones")
    number_encrypted = models.BinaryField()
    number_index = models.BinaryField(max_length=crypto.INDEX_BYTES)
    last4 = models.CharField(max_length=4)
    label = models.CharField(_("whose"), max_length=20, blank=True)
    position = models.PositiveSmallIntegerField(default=0)
    created_at = models.DateTimeField(default=timezone.now)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["patient", "number_index"], name="number_once_per_patient"),
        ]
        indexes = [
            models.Index(fields=["number_index"], name="phone_exact"),  # duplicates, check-in, import
            models.Index(fields=["last4", "patient"], name="phone_tail"),  # search by last digits
        ]
        ordering = ["position", "id"]
        triggers: ClassVar[list[Any]] = [living("patient")]
        verbose_name = _("phone")
        verbose_name_plural = _("phones")

    def __str__(self) -> str:
        return self.masked

    @classmethod
    def build(cls, patient: Patient, number: str, *, label: str = "", position: int = 0) -> "PatientPhone":
        """Return an unsaved row for `number` (digits only)."""
        return cls(
            patient=patient,
            number_encrypted=crypto.encrypt(number),
            number_index=crypto.blind_index(number),
            last4=number[-4:],
            label=label,
            position=position,
        )

    @property
    def number(self) -> str:
        """The full number; showing it to a person is logged by the caller."""
        return crypto.decrypt(self.number_encrypted)

    @property
    def masked(self) -> str:
        """The number as it is shown until opened, e.g. 199****1734."""
        number = self.number
        return f"{number[:3]}****{number[-4:]}"
