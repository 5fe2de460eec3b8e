"""Setting up authenticator apps, turning them off, and helping who lost the phone."""

from allauth.mfa.models import Authenticator
from allauth.mfa.recovery_codes.internal.auth import RecoveryCodes
from allauth.mfa.totp.internal.auth import TOTP
from django.core.exceptions import PermissionDenied, ValidationError
from django.db import transaction
from django.db.models import QuerySet
from django.utils.translation import gettext as _

from accounts.audit import record
from accounts.models import Membership, User
from accounts.services.members import check_may_manage, end_sessions, may_manage_person
from accounts.services.passwords import home_clinic


def _locked(user: User) -> User:
    return User.objects.select_for_update().get(pk=user.pk)


def _kept(user: User) -> QuerySet[Authenticator]:
    return Authenticator.objects.filter(user=user)


def _note(action: str, user: User, by: User) -> None:
    clinic = home_clinic(user)
    if clinic is not None:
        record(action=action, clinic=clinic, by=by, subject=user)


@transaction.atomic
def turn_on(*, user: User, secret: str, by: User) -> None:
    """Ask for an app's code at every sign-in from now on, and make recovery codes.

    Args: secret: base32, proved by a code. Raises: ValidationError when an app is set up already.
    """
    held = _locked(user)
    if _kept(held).filter(type=Authenticator.Type.TOTP).exists():
        raise ValidationError(_("An authenticator app is set up already."), code="twice")
    TOTP.activate(held, secret)
    RecoveryCodes.activate(held)
    _note("second_step_on", held, by)


@transaction.atomic
def turn_off(*, user: User, by: User) -> None:
    """Ask for the password alone; recovery codes end too."""
    held = _locked(user)
    if _kept(held).delete()[0]:
        _note("second_step_off", held, by)


@transaction.atomic
def new_recovery_codes(*, user: User, by: User) -> None:
    """Make ten new recovery codes; the old ones end. Raises: ValidationError without an app."""
    held = _locked(user)
    if not _kept(held).filter(type=Authenticator.Type.TOTP).exists():
        raise ValidationError(_("Set up an authenticator app first."), code="no_app")
    _kept(held).filter(type=Authenticator.Type.RECOVERY_CODES).delete()
    RecoveryCodes.activate(held)
    _note("recovery_codes_made", held, by)


def recovery_codes(user: User) -> list[str]:
    """Return the codes that are not used yet; none without an app."""
    kept = Authenticator.objects.filter(user=user, type=Authenticator.Type.RECOVERY_CODES).first()
    return RecoveryCodes(kept).get_unused_codes() if kept else []


@transaction.atomic
def reset_second_step(*, membership: Membership, by: User | None) -> None:
    """Take away the authenticator app of somebody who lost the phone, and end their sessions.

    Raises: PermissionDenied when the person has a role somewhere that `by` could not manage; ValidationError for
    oneself (turning it off asks for proof) and when there is no app.
    """
    user = _locked(membership.user)
    check_may_manage(by, membership.clinic, membership.role)
    if not may_manage_person(by, user):
        raise PermissionDenied
    if by is not None and by.pk == user.pk:
        raise ValidationError(_("Turn your own app off under “Sign-in and devices”."), code="own")
    if not _kept(user).delete()[0]:
        raise ValidationError(_("This person has no authenticator app."), code="no_app")
    end_sessions(user)
    record(action="second_step_reset", clinic=membership.clinic, by=by, subject=user)
