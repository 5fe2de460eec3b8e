"""Making, using and revoking the tokens of other programs, and the accounts of programs that are nobody's."""

from collections.abc import Sequence
from datetime import timedelta

from django.core.exceptions import PermissionDenied, ValidationError
from django.db import transaction
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext as _

from accounts.audit import record
from accounts.models import ApiToken, Clinic, Membership, User
from accounts.permissions import Permission
from accounts.scopes import EVERYTHING, unknown_scopes
from accounts.services.members import check_may_manage, may_manage_person
from accounts.services.passwords import home_clinic
from accounts.services.usernames import free_username

LONGEST_DAYS = 3650
USED_EVERY = timedelta(minutes=1)


def _check_may_hold(by: User | None, user: User) -> None:
    """Raise PermissionDenied unless `by` makes the token for themselves, or for a service account they manage.

    Nobody else makes one for a person: it would act in that person's name.
    """
    if by is None or by.pk == user.pk:
        return
    manages = any(by.may(Permission.MANAGE_STAFF, pk) for pk in user.memberships.values_list("clinic_id", flat=True))
    if not (user.is_service and manages and may_manage_person(by, user)):
        raise PermissionDenied


@transaction.atomic
def create_token(
    *, user: User, name: str, scopes: Sequence[str] = (EVERYTHING,), days: int | None = 365, by: User | None
) -> tuple[ApiToken, str]:
    """Make a token; returns the row and the token itself, which is shown once and kept nowhere.

    Args: days: after which it expires, None for never; by: None on the command line.
    Raises: PermissionDenied; ValidationError by field, and for somebody who works in no clinic.
    """
    _check_may_hold(by, user)
    name = name.strip()
    if not name or len(name) > 60:
        raise ValidationError({"name": _("A name of 1 to 60 characters.")})
    if not scopes or (strange := unknown_scopes(scopes)):
        said = ", ".join(strange) if scopes else "—"
        raise ValidationError({"scopes": _("Unknown scope: %(scope)s.") % {"scope": said}})
    if days is not None and not 1 <= days <= LONGEST_DAYS:
        raise ValidationError({"days": _("A number from 1 to %(most)s.") % {"most": LONGEST_DAYS}})
    clinic = home_clinic(user)
    if clinic is None or not user.is_active:
        raise ValidationError(_("This account works in no clinic."), code="no_clinic")
    expiry = timedelta(days=days) if days is not None else None
    made, secret = ApiToken.objects.create(user, expiry, name=name, scopes=list(dict.fromkeys(scopes)), created_by=by)
    record(action="api_token_made", clinic=clinic, by=by, subject=user, name=name, scopes=made.scopes)
    return made, secret


@transaction.atomic
def revoke_token(*, token: ApiToken, by: User | None) -> None:
    """End a token at once; a second time nothing happens.

    Raises: PermissionDenied.
    """
    _check_may_hold(by, token.user)
    changed = ApiToken.objects.filter(pk=token.pk, revoked_at=None).update(revoked_at=timezone.now(), revoked_by=by)
    clinic = home_clinic(token.user)
    if changed and clinic is not None:
        record(action="api_token_revoked", clinic=clinic, by=by, subject=token.user, name=token.name)


@transaction.atomic
def create_service_account(*, clinic: Clinic, name: str, role: str, by: User | None) -> User:
    """Make an account for another program: a member of the clinic with a role, without a password for ever.

    Raises: PermissionDenied; ValidationError by field.
    """
    check_may_manage(by, clinic, role)
    name = name.strip()
    if not name or len(name) > 60:
        raise ValidationError({"name": _("A name of 1 to 60 characters.")})
    user = User(username=free_username(name), full_name=name, current_clinic=clinic, is_service=True)
    user.set_unusable_password()
    user.save()
    Membership.objects.create(user=user, clinic=clinic, role=role)
    record(action="service_account_made", clinic=clinic, by=by, subject=user, name=name, role=role)
    return user


def mark_used(token: ApiToken) -> None:
    """Note that the token is in use, at most once a minute."""
    now = timezone.now()
    before = now - USED_EVERY
    if token.last_used_at is None or token.last_used_at < before:
        stale = Q(last_used_at=None) | Q(last_used_at__lt=before)
        ApiToken.objects.filter(stale, pk=token.pk).update(last_used_at=now)
