"""Inviting staff, changing what they are, letting them go."""

from django.core.exceptions import PermissionDenied, ValidationError
from django.db import transaction
from django.db.models import F
from django.utils.translation import gettext as _

from accounts.audit import record
from accounts.models import Clinic, Membership, Team, User
from accounts.permissions import Role
from accounts.rules import assignable_roles
from accounts.services.usernames import free_username


def check_may_manage(by: User | None, clinic: Clinic, *roles: str) -> None:
    """Raise PermissionDenied unless `by` may give and take these roles in the clinic."""
    if by is None:
        return
    allowed = assignable_roles(by.role_in(clinic)) if by.is_active else ()
    if not allowed or not set(roles) <= set(allowed):
        raise PermissionDenied


def may_manage_person(by: User | None, user: User) -> bool:
    """Tell whether `by` may manage every role the person has, or had, in any clinic.

    Who hands out a link to set somebody's password gains all that this person may do.
    """
    if by is None or by.is_group_admin:
        return True
    held = user.memberships.values_list("clinic_id", "role")
    return all(role in assignable_roles(by.role_in(clinic)) for clinic, role in held)


def end_sessions(user: User) -> None:
    """Sign the person out everywhere, at once; open invitation links end too."""
    User.objects.filter(pk=user.pk).update(session_epoch=F("session_epoch") + 1)


def _locked(membership: Membership) -> Membership:
    """Return the membership as it is now, locked, after all administrators' (always in this order: no deadlock)."""
    list(Membership.objects.filter(role=Role.ADMIN).order_by("pk").select_for_update())
    return (
        Membership.objects.select_for_update(of=("self",))
        .select_related("user", "clinic", "team")
        .get(pk=membership.pk)
    )


def _check_not_self(membership: Membership, by: User | None) -> None:
    if by is not None and membership.user_id == by.pk:
        raise ValidationError(_("Nobody changes their own role. Ask another manager."), code="own_role")


def check_another_admin(*, without: Membership | None = None, without_clinic: Clinic | None = None) -> None:
    """Raise ValidationError unless an administrator who can sign in remains; the caller holds their locks."""
    admins = Membership.objects.active().with_role(Role.ADMIN).filter(clinic__is_active=True)
    admins = admins.exclude(pk__in=Membership.objects.waiting().values("pk"))
    if without is not None:
        admins = admins.exclude(pk=without.pk)
    if without_clinic is not None:
        admins = admins.exclude(clinic=without_clinic)
    if not admins.exists():
        raise ValidationError(_("The group needs at least one administrator who can sign in."), code="last_admin")


def _check_team(team: Team | None, clinic: Clinic) -> None:
    if team is not None and team.clinic_id != clinic.pk:
        raise ValidationError(_("This team belongs to another clinic."), code="foreign_team")


@transaction.atomic
def invite_member(
    *, clinic: Clinic, full_name: str, role: str, team: Team | None = None, username: str = "", by: User | None
) -> Membership:
    """Add a person to a clinic, with an account that has no password until an invitation is accepted.

    Args: username: empty → the pinyin of the name, made unique.
    Raises: PermissionDenied; ValidationError when the username is taken or the team is another clinic's.
    """
    check_may_manage(by, clinic, role)
    _check_team(team, clinic)
    if username and User.objects.filter(username__iexact=username).exists():
        raise ValidationError({"username": _("Somebody has this username already.")})
    user = User(username=username or free_username(full_name), full_name=full_name, current_clinic=clinic)
    user.set_unusable_password()
    user.save()
    return _join(user, clinic, role, team, by)


@transaction.atomic
def add_to_clinic(*, user: User, clinic: Clinic, role: str, team: Team | None = None, by: User | None) -> Membership:
    """Give somebody who already has an account a role in one more clinic.

    Raises: PermissionDenied also when `by` could not manage the person's other roles.
    """
    check_may_manage(by, clinic, role)
    _check_team(team, clinic)
    if not may_manage_person(by, user) or (by is not None and by.pk == user.pk and not by.is_group_admin):
        raise PermissionDenied
    if user.memberships.filter(clinic=clinic).exists():
        raise ValidationError(_("This person already belongs to the clinic."), code="already_member")
    return _join(user, clinic, role, team, by)


def _join(user: User, clinic: Clinic, role: str, team: Team | None, by: User | None) -> Membership:
    membership = Membership.objects.create(user=user, clinic=clinic, role=role, team=team)
    detail = {"name": user.full_name, "username": user.username, "role": role}
    record(action="member_added", clinic=clinic, by=by, subject=user, **detail)
    return membership


@transaction.atomic
def change_role(*, membership: Membership, role: str, by: User | None) -> None:
    """Give the person another role in the clinic, and end their sessions.

    Raises: PermissionDenied; ValidationError for one's own role and for the last administrator.
    """
    held = _locked(membership)
    check_may_manage(by, held.clinic, held.role, role)
    if role == held.role:
        return
    _check_not_self(held, by)
    if held.role == Role.ADMIN and held.is_active:
        check_another_admin(without=held)
    Membership.objects.filter(pk=held.pk).update(role=role)
    end_sessions(held.user)
    record(action="role_changed", clinic=held.clinic, by=by, subject=held.user, was=held.role, now=role)


@transaction.atomic
def set_team(*, membership: Membership, team: Team | None, by: User | None) -> None:
    """Put the person into a team of the clinic, or into none."""
    held = _locked(membership)
    check_may_manage(by, held.clinic, held.role)
    _check_team(team, held.clinic)
    if team == held.team:
        return
    Membership.objects.filter(pk=held.pk).update(team=team)
    names = {"was": held.team.name if held.team else "", "now": team.name if team else ""}
    record(action="team_changed", clinic=held.clinic, by=by, subject=held.user, **names)


@transaction.atomic
def rename(*, membership: Membership, full_name: str, by: User | None) -> None:
    """Correct the person's name.

    Raises: PermissionDenied also when the person has a role elsewhere that `by` could not manage.
    """
    held = _locked(membership)
    check_may_manage(by, held.clinic, held.role)
    if full_name == held.user.full_name:
        return
    if not may_manage_person(by, held.user):
        raise PermissionDenied
    User.objects.filter(pk=held.user_id).update(full_name=full_name)
    record(action="renamed", clinic=held.clinic, by=by, subject=held.user, was=held.user.full_name, now=full_name)


@transaction.atomic
def update_member(*, membership: Membership, full_name: str, role: str, team: Team | None, by: User | None) -> None:
    """Change name, role and team in one go; all or nothing. Raises what the three raise."""
    rename(membership=membership, full_name=full_name, by=by)
    set_team(membership=membership, team=team, by=by)
    change_role(membership=membership, role=role, by=by)


@transaction.atomic
def disable_member(*, membership: Membership, by: User | None) -> None:
    """Take the person out of the clinic and end their sessions; without any clinic the account is closed.

    Raises: PermissionDenied; ValidationError for oneself and for the last administrator.
    """
    held = _locked(membership)
    check_may_manage(by, held.clinic, held.role)
    if not held.is_active:
        return
    _check_not_self(held, by)
    if held.role == Role.ADMIN:
        check_another_admin(without=held)
    Membership.objects.filter(pk=held.pk).update(is_active=False)
    still = Membership.objects.filter(user=held.user_id, is_active=True).exists()
    User.objects.filter(pk=held.user_id).update(is_active=still)
    end_sessions(held.user)
    record(action="member_disabled", clinic=held.clinic, by=by, subject=held.user, role=held.role)


@transaction.atomic
def enable_member(*, membership: Membership, by: User | None) -> None:
    """Let the person work in the clinic again, in the role they had."""
    held = _locked(membership)
    check_may_manage(by, held.clinic, held.role)
    if held.is_active:
        return
    _check_not_self(held, by)
    Membership.objects.filter(pk=held.pk).update(is_active=True)
    User.objects.filter(pk=held.user_id).update(is_active=True)
    record(action="member_enabled", clinic=held.clinic, by=by, subject=held.user, role=held.role)
