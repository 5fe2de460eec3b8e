"""Opening and changing clinics and their teams."""

from typing import Any

from django.core.exceptions import PermissionDenied, ValidationError
from django.db import transaction
from django.db.models import ProtectedError
from django.utils.translation import gettext as _

from accounts.audit import record
from accounts.models import Clinic, Group, Membership, Team, User
from accounts.permissions import Permission, Role
from accounts.services.members import check_another_admin

CLINIC_FIELDS = ("name", "zone", "address", "phone", "late_cancel_hours", "stage_limits", "is_active")


def _check_admin(by: User | None) -> None:
    if by is not None and not (by.is_active and by.is_group_admin):
        raise PermissionDenied


def _check_manager(by: User | None, clinic: Clinic) -> None:
    if by is not None and not by.may(Permission.MANAGE_STAFF, clinic):
        raise PermissionDenied


@transaction.atomic
def create_clinic(*, code: str, name: str, zone: str = "Asia/Shanghai", by: User | None) -> Clinic:
    """Open a clinic.

    Raises: PermissionDenied; ValidationError by field (bad or taken code, taken name, unknown zone).
    """
    _check_admin(by)
    clinic = Clinic(code=code, name=name, zone=zone)
    clinic.full_clean()
    clinic.save()
    record(action="clinic_created", clinic=clinic, by=by, subject=clinic, code=code, name=name, zone=zone)
    return clinic


@transaction.atomic
def name_group(*, name: str, clinic: Clinic, by: User | None) -> Group:
    """Say what all clinics together are called.

    Args: clinic: in whose audit log it stands. Raises: PermissionDenied; ValidationError by field (empty, too long).
    """
    _check_admin(by)
    was, group = Group.named(), Group(name=" ".join(name.split()))
    group.full_clean(validate_unique=False)
    if group.name != was or not Group.objects.exists():
        Group.objects.update_or_create(pk=group.pk, defaults={"name": group.name})
        record(action="group_named", clinic=clinic, by=by, was=was, now=group.name)
    return group


@transaction.atomic
def edit_clinic(*, clinic: Clinic, by: User | None, **changes: Any) -> Clinic:
    """Change a clinic's name, address, telephone, zone, late cancellation (hours), stage limits (minutes by stage), or
    close and open it.

    Raises: PermissionDenied; ValidationError by field, and when closing it would leave no administrator.
    """
    _check_admin(by)
    unknown = set(changes) - set(CLINIC_FIELDS)
    if unknown:
        raise TypeError(f"not a clinic's setting: {', '.join(sorted(unknown))}")
    list(Membership.objects.filter(role=Role.ADMIN).order_by("pk").select_for_update())
    held = Clinic.objects.select_for_update().get(pk=clinic.pk)
    differs = {name: value for name, value in changes.items() if getattr(held, name) != value}
    if not differs:
        return held
    was = {name: getattr(held, name) for name in differs}
    if differs.get("is_active") is False:
        check_another_admin(without_clinic=held)
    for name, value in differs.items():
        setattr(held, name, value)
    held.full_clean()
    held.save(update_fields=list(differs))
    record(action="clinic_edited", clinic=held, by=by, subject=held, was=was, now=differs)
    return held


@transaction.atomic
def create_team(*, clinic: Clinic, name: str, by: User | None) -> Team:
    """Add a team. Raises: PermissionDenied; ValidationError when the name is taken."""
    _check_manager(by, clinic)
    team = Team(clinic=clinic, name=name)
    _check_name_free(team)
    team.save()
    record(action="team_created", clinic=clinic, by=by, subject=team, name=name)
    return team


@transaction.atomic
def rename_team(*, team: Team, name: str, by: User | None) -> None:
    """Rename a team. Raises: PermissionDenied; ValidationError when the name is taken."""
    _check_manager(by, team.clinic)
    was, team.name = team.name, name
    if was == name:
        return
    _check_name_free(team)
    team.save(update_fields=["name"])
    record(action="team_renamed", clinic=team.clinic, by=by, subject=team, was=was, now=name)


@transaction.atomic
def delete_team(*, team: Team, by: User | None) -> None:
    """Dissolve a team; its people stay, without a team.

    Raises: PermissionDenied; ValidationError when chats were led under its name: their reports still need it.
    """
    _check_manager(by, team.clinic)
    record(action="team_deleted", clinic=team.clinic, by=by, subject=team, name=team.name)
    try:
        team.delete()
    except ProtectedError as error:
        words = _("Chats are counted under this team, so it stays. Move its people away, or give it another name.")
        raise ValidationError(words) from error


def _check_name_free(team: Team) -> None:
    if Team.objects.filter(clinic=team.clinic, name=team.name).exclude(pk=team.pk).exists():
        raise ValidationError({"name": _("There is a team of this name already.")})
