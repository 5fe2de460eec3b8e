"""One-time links by which a person sets the first, or a forgotten, password."""

from datetime import UTC, datetime

from django.contrib.auth.tokens import PasswordResetTokenGenerator
from django.core.exceptions import PermissionDenied, ValidationError
from django.db import transaction
from django.urls import reverse
from django.utils import timezone
from django.utils.http import urlsafe_base64_decode, urlsafe_base64_encode
from django.utils.translation import gettext as _

from accounts.audit import record
from accounts.models import Membership, User
from accounts.services.members import check_may_manage, may_manage_person
from accounts.services.passwords import home_clinic


class InvitationTokens(PasswordResetTokenGenerator):
    """A token that ends with its use, a newer one, any sign-in, a role change, or PASSWORD_RESET_TIMEOUT."""

    key_salt = "accounts.invitation"

    def _now(self) -> datetime:
        """UTC, so that two servers, or a clock change, agree on a link's age."""
        return datetime.now(UTC).replace(tzinfo=None)

    def _make_hash_value(self, user: User, timestamp: int) -> str:  # type: ignore[override]
        facts: tuple[int | str | datetime | None, ...] = (
            user.pk,
            user.password,
            user.last_login,
            user.session_epoch,
            user.invited_at,
            timestamp,
        )
        return "|".join(str(fact) for fact in facts)


tokens = InvitationTokens()


@transaction.atomic
def issue_invitation(*, membership: Membership, by: User | None) -> str:
    """Make a link (a path on this site) with which the person sets a password; older links end.

    Raises: PermissionDenied when the person has a role somewhere that `by` could not manage;
    ValidationError when the membership is disabled.
    """
    user = User.objects.select_for_update().get(pk=membership.user_id)
    check_may_manage(by, membership.clinic, membership.role)
    if not may_manage_person(by, user) or user.is_service:  # a program has tokens, and never a password
        raise PermissionDenied
    if not (membership.is_active and user.is_active):
        raise ValidationError(_("Enable this person first."), code="disabled")
    user.invited_at = timezone.now()
    user.save(update_fields=["invited_at"])
    record(action="invitation_issued", clinic=membership.clinic, by=by, subject=user)
    uid = urlsafe_base64_encode(str(user.pk).encode())
    return reverse("invitation", args=[uid, tokens.make_token(user)])


def invited_user(uid: str, token: str) -> User | None:
    """Return whom the link invites; None when it is wrong, used, replaced or too old. Reads only."""
    try:
        pk = int(urlsafe_base64_decode(uid).decode())
        user = User.objects.filter(pk=pk, is_active=True).first()
    except (ValueError, OverflowError):
        return None
    return user if user is not None and tokens.check_token(user, token) else None


@transaction.atomic
def accept_invitation(*, user: User, token: str, password: str, by: User) -> User:
    """Set the password that the invited person chose. The link cannot be used again.

    Args: password: in clear, already validated; by: the invited person.
    Raises: ValidationError when the link was used or replaced meanwhile.
    """
    locked = User.objects.select_for_update().get(pk=user.pk)
    if not locked.is_active or not tokens.check_token(locked, token):
        raise ValidationError(_("This link was used already. Ask for a new one."), code="used")
    locked.set_password(password)
    locked.invited_at = None
    locked.save(update_fields=["password", "invited_at"])
    clinic = home_clinic(locked)
    if clinic is not None:
        record(action="invitation_accepted", clinic=clinic, by=by, subject=locked)
    return locked
