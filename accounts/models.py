"""Clinics, the staff who work in them, and the audit log."""

from collections.abc import Iterator
from datetime import date, datetime, timedelta
from functools import cached_property
from typing import Any, ClassVar, Self
from zoneinfo import ZoneInfo, available_timezones

import pgtrigger
from django.conf import settings
from django.contrib.auth.hashers import UNUSABLE_PASSWORD_PREFIX
from django.contrib.auth.models import AbstractUser, UserManager
from django.contrib.postgres.fields import ArrayField
from django.core.exceptions import ValidationError
from django.core.validators import RegexValidator
from django.db import models
from django.db.models import Exists, OuterRef, Q
from django.utils import timezone
from django.utils.crypto import salted_hmac
from django.utils.translation import gettext_lazy as _
from knox.models import AbstractAuthToken, AuthTokenManager

from accounts.permissions import Permission, Role, permissions_of
from accounts.reading import YEARS
from accounts.scoping import ScopedQuerySet
from accounts.statements import Statement


def validate_zone(value: str) -> None:
    """Raise ValidationError unless `value` names an IANA time zone."""
    if value not in available_timezones():
        raise ValidationError(_("%(value)s is not a time zone."), params={"value": value})


class Group(models.Model):
    """What all clinics together are called, in the one row there may be; without it as GROUP_NAME says."""

    id = models.PositiveSmallIntegerField(primary_key=True, default=1, editable=False)
    name = models.CharField(_("name of the group"), max_length=60)

    class Meta:
        constraints = [models.CheckConstraint(condition=Q(id=1), name="group_is_one")]
        verbose_name = _("group of clinics")
        verbose_name_plural = _("groups of clinics")

    def __str__(self) -> str:
        return self.name

    @classmethod
    def named(cls) -> str:
        """Return the name of the group. One statement."""
        return cls.objects.values_list("name", flat=True).first() or str(settings.GROUP_NAME)


class ClinicQuerySet(ScopedQuerySet):
    clinic_path = "pk"

    def active(self) -> "ClinicQuerySet":
        return self.filter(is_active=True)


class Clinic(models.Model):
    """One clinic (门诊) of the group."""

    code = models.CharField(
        _("code"),
        max_length=8,
        unique=True,
        validators=[RegexValidator(r"^[A-Z][A-Z0-9]{1,7}$", _("2 to 8 capital letters or digits, a letter first."))],
    )
    name = models.CharField(_("name"), max_length=80, unique=True)
    zone = models.CharField(_("time zone"), max_length=64, default="Asia/Shanghai", validators=[validate_zone])
    is_active = models.BooleanField(_("active"), default=True)
    late_cancel_hours = models.PositiveSmallIntegerField(_("late cancellation, hours"), default=24)
    stage_limits = models.JSONField(_("stage limits, minutes"), default=dict, blank=True)
    # As printed for patients, and named in messages.
    address = models.CharField(_("address"), max_length=120, blank=True, default="", db_default="")
    phone = models.CharField(_("telephone"), max_length=40, blank=True, default="", db_default="")
    created_at = models.DateTimeField(default=timezone.now)

    objects = ClinicQuerySet.as_manager()

    class Meta:
        ordering = ["id"]
        verbose_name = _("clinic")
        verbose_name_plural = _("clinics")

    def __str__(self) -> str:
        return self.name

    @cached_property
    def tz(self) -> ZoneInfo:
        return ZoneInfo(self.zone)

    @property
    def contact_line(self) -> str:
        """Where the clinic is and how to call it, for what patients hold in their hands; "" when nobody said."""
        return " · ".join(part for part in (self.address, self.phone) if part)

    def today(self) -> date:
        """Return today's date in the clinic's zone."""
        return timezone.localdate(timezone=self.tz)

    def day_bounds(self, day: date) -> tuple[datetime, datetime]:
        """Return the half-open [start, end) of a clinic-local day as aware datetimes; of year 1 and 9999 none is meant."""
        day = min(max(day, date(YEARS[0], 1, 1)), date(YEARS[-1], 12, 31))
        start = datetime(day.year, day.month, day.day, tzinfo=self.tz)
        following = day + timedelta(days=1)
        return start, datetime(following.year, following.month, following.day, tzinfo=self.tz)


class UserQuerySet(ScopedQuerySet):
    """Staff, seen by whoever works in one of their clinics."""

    def for_user(self, user: "User", *permissions: Permission) -> Self:
        """Keep the people who have, or had, a role in a clinic of `user`; each once."""
        theirs = Membership.objects.for_user(user, *permissions)
        return self.filter(Exists(theirs.filter(user=OuterRef("pk"))))

    def for_clinic(self, clinic: Any) -> Self:
        """Keep the people who have, or had, a role in one clinic; each once."""
        return self.filter(Exists(Membership.objects.filter(clinic=clinic, user=OuterRef("pk"))))

    def persons(self) -> Self:
        """Keep people, whether they still work here or not; programs' accounts are none."""
        return self.filter(is_service=False)

    def working_in(self, clinic: Any, *roles: str) -> Self:
        """Keep the people whom one may choose in a clinic, of some roles or of all; each once, by name."""
        held = Membership.objects.people().filter(clinic=clinic, user=OuterRef("pk"))
        return self.filter(Exists(held.with_role(*roles) if roles else held)).order_by("full_name", "pk")


class StaffManager(UserManager.from_queryset(UserQuerySet)):  # type: ignore[misc]
    use_in_migrations = False


class User(AbstractUser):  # type: ignore[django-manager-missing]  # knox's manager is not typed
    """A staff member; what they may do comes from their memberships, never from the user itself."""

    full_name = models.CharField(_("name"), max_length=60)
    language = models.CharField(_("language"), max_length=10, blank=True)
    theme = models.CharField(_("theme"), max_length=5, blank=True, choices=[("light", _("light")), ("dark", _("dark"))])
    current_clinic = models.ForeignKey(Clinic, null=True, blank=True, on_delete=models.SET_NULL, related_name="+")
    session_epoch = models.PositiveIntegerField(default=0, editable=False)
    invited_at = models.DateTimeField(null=True, editable=False)
    # Another program's account: it has tokens and no password, and never signs in by a browser.
    is_service = models.BooleanField(default=False, db_default=False, editable=False)

    objects = StaffManager()  # type: ignore[misc]

    class Meta:
        verbose_name = _("staff member")
        verbose_name_plural = _("staff")

    def __str__(self) -> str:
        return self.full_name or self.username

    def get_short_name(self) -> str:
        return self.full_name or self.username

    @property
    def surname(self) -> str:
        """The first character of the name, for avatars."""
        return (self.full_name or self.username)[:1]

    def _session_hash(self, secret: str | bytes | None = None) -> str:
        told = f"{self.password}|{self.session_epoch}"
        return salted_hmac("accounts.session", told, secret=secret, algorithm="sha256").hexdigest()

    def get_session_auth_hash(self) -> str:
        """Tie sessions to the password and to `session_epoch`: raising it ends every session of the person."""
        return self._session_hash()

    def get_session_auth_fallback_hash(self) -> Iterator[str]:
        for secret in settings.SECRET_KEY_FALLBACKS:
            yield self._session_hash(secret)

    @cached_property
    def _held(self) -> list["Membership"]:
        return _HELD.rows(user=self.pk)

    @cached_property
    def roles(self) -> dict[int, str]:
        """Role by clinic id over active memberships; one query per request."""
        return {held.clinic_id: held.role for held in self._held}

    @cached_property
    def is_group_admin(self) -> bool:
        return Role.ADMIN in self.roles.values()

    @cached_property
    def _clinics(self) -> dict[int, Clinic]:
        if self.is_group_admin:
            return {clinic.pk: clinic for clinic in Clinic.objects.active()}
        return {held.clinic_id: held.clinic for held in self._held}

    def clinics(self) -> list[Clinic]:
        """The clinics where the person works (an administrator: all that are open); none when disabled."""
        return list(self._clinics.values()) if self.is_active else []

    @property
    def working_in(self) -> Clinic | None:
        """The clinic the person works in now: the chosen one if still allowed, else the first."""
        chosen = self._clinics.get(self.current_clinic_id or 0) if self.is_active else None
        return chosen or next(iter(self.clinics()), None)

    def clinic_ids(self, *permissions: Permission) -> list[int]:
        """Ids of the clinics whose rows this person may see; empty when disabled.

        With permissions: only the clinics whose role grants one of them (people may have several roles).
        """
        ids = list(self._clinics) if self.is_active else []
        return [pk for pk in ids if any(self.may(p, pk) for p in permissions)] if permissions else ids

    def role_in(self, clinic: Clinic | int) -> str | None:
        """Return the role in `clinic`; an administrator is one in every clinic."""
        clinic_id = clinic if isinstance(clinic, int) else clinic.pk
        if self.is_group_admin:
            return Role.ADMIN
        return self.roles.get(clinic_id)

    def may(self, permission: Permission, clinic: Clinic | int) -> bool:
        """Tell whether the role in `clinic` grants `permission`."""
        return self.is_active and permission in permissions_of(self.role_in(clinic))


def _held(*, user: int) -> Any:
    rows = Membership.objects.filter(user=user, is_active=True, clinic__is_active=True)
    return rows.select_related("clinic").order_by("clinic_id")


_HELD = Statement(_held)  # asked by every request


class Team(models.Model):
    """A team (咨询一组 …) of one clinic."""

    clinic = models.ForeignKey(Clinic, on_delete=models.CASCADE, related_name="teams")
    name = models.CharField(_("name"), max_length=40)

    objects = ScopedQuerySet.as_manager()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["clinic", "name"], name="team_name_once_per_clinic")]
        ordering = ["name"]
        verbose_name = _("team")
        verbose_name_plural = _("teams")

    def __str__(self) -> str:
        return self.name


class MembershipQuerySet(ScopedQuerySet):
    def active(self) -> "MembershipQuerySet":
        return self.filter(is_active=True, user__is_active=True)

    def people(self) -> "MembershipQuerySet":
        """Keep who works here in person: whom one may choose, hand over to, or tell; programs' accounts are not."""
        return self.active().filter(user__is_service=False)

    def waiting(self) -> "MembershipQuerySet":
        """Keep those who have not chosen a password yet; a program's account never does."""
        return self.filter(user__password__startswith=UNUSABLE_PASSWORD_PREFIX, user__is_service=False)

    def with_role(self, *roles: str) -> "MembershipQuerySet":
        return self.filter(role__in=roles)


class Membership(models.Model):
    """One person's role in one clinic."""

    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="memberships")
    clinic = models.ForeignKey(Clinic, on_delete=models.CASCADE, related_name="memberships")
    role = models.CharField(_("role"), max_length=20, choices=Role.choices)
    team = models.ForeignKey(
        Team, null=True, blank=True, on_delete=models.SET_NULL, related_name="memberships", verbose_name=_("team")
    )
    is_active = models.BooleanField(_("active"), default=True)
    created_at = models.DateTimeField(default=timezone.now)

    objects = MembershipQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["user", "clinic"], name="one_membership_per_clinic"),
            models.CheckConstraint(condition=models.Q(role__in=Role.values), name="membership_role_known"),
        ]
        ordering = ["id"]
        verbose_name = _("membership")
        verbose_name_plural = _("memberships")

    def __str__(self) -> str:
        return f"{self.user} · {self.get_role_display()}"


class AuditEventQuerySet(ScopedQuerySet):
    pass


class AuditEvent(models.Model):
    """What was seen, exported or changed, by whom: append-only."""

    clinic = models.ForeignKey(Clinic, on_delete=models.PROTECT, related_name="+")
    actor = models.ForeignKey(User, null=True, on_delete=models.PROTECT, related_name="+")
    at = models.DateTimeField(default=timezone.now)
    action = models.CharField(max_length=40)
    subject = models.CharField(max_length=40, blank=True)  # "patient", "visit" …
    subject_id = models.BigIntegerField(null=True)
    detail = models.JSONField(default=dict)

    objects = AuditEventQuerySet.as_manager()

    class Meta:
        indexes = [
            models.Index(fields=["clinic", "-at"], name="audit_by_clinic"),  # audit log page
            models.Index(fields=["subject", "subject_id", "-at"], name="audit_by_subject"),  # who saw a patient
        ]
        triggers: ClassVar[list[Any]] = [
            pgtrigger.Protect(name="append_only", operation=pgtrigger.Update | pgtrigger.Delete)
        ]
        verbose_name = _("audit event")
        verbose_name_plural = _("audit events")

    def __str__(self) -> str:
        return f"{self.action} {self.subject} {self.subject_id}"


class ApiTokenQuerySet(models.QuerySet["ApiToken"]):
    def for_user(self, user: User) -> Self:
        """Keep one's own tokens, and those of the service accounts of clinics whose staff one manages."""
        managed = Membership.objects.for_user(user, Permission.MANAGE_STAFF).filter(user__is_service=True)
        return self.filter(Q(user=user) | Exists(managed.filter(user=OuterRef("user"))))

    def live(self) -> Self:
        """Leave out what has expired or was revoked."""
        return self.filter(Q(expiry=None) | Q(expiry__gt=timezone.now()), revoked_at=None)


class ApiTokenManager(AuthTokenManager.from_queryset(ApiTokenQuerySet)):  # type: ignore[misc]
    use_in_migrations = False


class ApiToken(AbstractAuthToken):
    """What another program shows to act as a person or a service account; only its hash is kept."""

    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="auth_token_set")  # the name is knox's
    id = models.BigAutoField(primary_key=True)
    digest = models.CharField(max_length=128, unique=True)
    name = models.CharField(_("name"), max_length=60)
    scopes = ArrayField(models.CharField(max_length=40), default=list)  # accounts.scopes says what they mean
    last_used_at = models.DateTimeField(null=True)  # to the minute
    created_by = models.ForeignKey(User, null=True, on_delete=models.PROTECT, related_name="+")
    revoked_at = models.DateTimeField(null=True)
    revoked_by = models.ForeignKey(User, null=True, on_delete=models.PROTECT, related_name="+")

    objects = ApiTokenManager()

    class Meta:
        verbose_name = _("API token")
        verbose_name_plural = _("API tokens")

    def __str__(self) -> str:
        return self.name

    @property
    def state(self) -> str:
        """Tell whether the token is "live", "expired" or "revoked"."""
        if self.revoked_at is not None:
            return "revoked"
        return "expired" if self.expiry is not None and self.expiry <= timezone.now() else "live"


class IdempotentRequest(models.Model):
    """The answer to a POST that carried an Idempotency-Key, kept for its repetitions.

    A row is written in the transaction of what the request did: there is none for a request still running.
    """

    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="+")
    key = models.CharField(max_length=255)
    method = models.CharField(max_length=8)
    path = models.CharField(max_length=500)
    fingerprint = models.CharField(max_length=64)  # of method, address, clinic and body: SHA-256
    status = models.PositiveSmallIntegerField(default=0)
    headers = models.JSONField(default=dict)
    body = models.BinaryField(default=bytes)  # encrypted: it may hold what a patient's record holds
    created_at = models.DateTimeField(default=timezone.now)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["user", "key"], name="idempotency_key_once")]
        indexes = [models.Index(fields=["created_at"], name="idempotent_old")]  # the sweep
        verbose_name = _("kept API answer")
        verbose_name_plural = _("kept API answers")

    def __str__(self) -> str:
        return self.key
