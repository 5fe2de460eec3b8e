"""Setting up the first clinic."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal

from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.db import connection, transaction
from django.utils.translation import gettext as _

from accounts.models import Clinic, User
from accounts.permissions import Role
from accounts.services.clinics import create_clinic, name_group
from accounts.services.members import invite_member
from consultations.services.content import ensure_builtin_content
from followups.services.builtin import ensure_builtin_playbooks
from followups.services.materials import ensure_builtin_materials
from followups.services.schedule import save_room
from metrics.kpis import KPIS
from metrics.services.targets import set_target


@dataclass(frozen=True)
class FirstClinic:
    """What the first start asks."""

    code: str
    name: str
    zone: str
    full_name: str
    username: str
    password: str  # in clear; empty: the account waits for an invitation link
    group: str = ""  # empty: as GROUP_NAME says
    rooms: int = 0
    targets: Mapping[str, Decimal] = field(default_factory=dict)  # by slug; those left out are the usual ones


def is_set_up() -> bool:
    """Tell whether somebody has an account or there is a clinic; then there is nothing left to set up."""
    return User.objects.exists() or Clinic.objects.exists()


@transaction.atomic
def set_up(*, first: FirstClinic, by: User | None) -> User:
    """Open the first clinic with its administrator, built-in content, rooms and targets; returns the administrator.

    Args: by: nobody can be signed in yet, so None.
    Raises: ValidationError by field, and with code "set_up" when it was done already.
    """
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(hashtext('first clinic'))")  # of two at once the second is refused
    if is_set_up():
        raise ValidationError(_("This installation is set up already."), code="set_up")
    clinic = create_clinic(code=first.code, name=first.name, zone=first.zone, by=by)
    admin = invite_member(
        clinic=clinic, full_name=first.full_name, role=Role.ADMIN, username=first.username, by=by
    ).user
    if first.password:
        _give_password(admin, first.password)
    if first.group:
        name_group(name=first.group, clinic=clinic, by=by)
    _fill(clinic, admin, first)
    return admin


def _give_password(admin: User, password: str) -> None:
    try:
        validate_password(password, admin)
    except ValidationError as error:
        raise ValidationError({"password": error.messages}) from error
    admin.set_password(password)
    admin.save(update_fields=["password"])


def _fill(clinic: Clinic, admin: User, first: FirstClinic) -> None:
    ensure_builtin_content(clinic)
    ensure_builtin_playbooks(clinic)
    ensure_builtin_materials(clinic)
    for number in range(1, first.rooms + 1):
        save_room(clinic=clinic, name=_("Room %(number)s") % {"number": number}, by=admin)
    for kpi in KPIS:
        value = first.targets.get(kpi.slug)
        if value is not None and value != kpi.target:
            set_target(clinic=clinic, slug=kpi.slug, value=value, valid_from=clinic.today(), by=admin)
