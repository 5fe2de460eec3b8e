"""Passwords that people choose."""

from django.db import transaction

from accounts.audit import record
from accounts.models import Clinic, User


@transaction.atomic
def change_password(*, user: User, password: str, by: User) -> None:
    """Store a new password, which ends the person's other sessions.

    Args: password: in clear, already validated.
    """
    user.set_password(password)
    user.save(update_fields=["password"])
    clinic = home_clinic(user)
    if clinic is not None:
        record(action="password_changed", clinic=clinic, by=by, subject=user)


def home_clinic(user: User) -> Clinic | None:
    """Return the clinic whose audit log tells what concerns the person alone: the first one they belonged to."""
    return Clinic.objects.filter(memberships__user=user).order_by("memberships__pk").first()
