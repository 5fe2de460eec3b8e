"""Staff from a JSON file: {"clinic": "…", "staff": [{"name": "谢美林", "role": "doctor"}, …]}."""

from dataclasses import dataclass
from typing import Any

from django.core.exceptions import ValidationError
from django.db import transaction

from accounts.models import Clinic, Membership, User
from accounts.permissions import Role
from accounts.services.members import invite_member

LONGEST_NAME = 60


@dataclass(frozen=True)
class StaffRow:
    """One person of the file."""

    name: str
    role: str


@dataclass(frozen=True)
class StaffImport:
    """What an import did: people added, and people the clinic had already."""

    created: list[Membership]
    existing: list[Membership]


def read_staff(data: Any) -> list[StaffRow]:
    """Check a parsed file and return its rows.

    Raises: ValidationError naming the entry that is wrong. Two entries of one name and role are one person.
    """
    entries = data.get("staff") if isinstance(data, dict) else data
    if not isinstance(entries, list):
        raise ValidationError('The file has no list of people: expected {"staff": [{"name": …, "role": …}, …]}.')
    rows: dict[str, StaffRow] = {}
    for number, entry in enumerate(entries, 1):
        row = _read_row(entry, number)
        if rows.setdefault(row.name, row) != row:
            raise ValidationError(f"Entry {number}: {row.name} appears twice with different roles.")
    return list(rows.values())


def _read_row(entry: Any, number: int) -> StaffRow:
    name, role = (entry.get("name"), entry.get("role")) if isinstance(entry, dict) else (None, None)
    if not isinstance(name, str) or not name.strip():
        raise ValidationError(f"Entry {number} has no name.")
    if len(name.strip()) > LONGEST_NAME:
        raise ValidationError(f"Entry {number}: the name is longer than {LONGEST_NAME} characters.")
    if role not in Role.values:
        raise ValidationError(f"Entry {number} ({name.strip()}): role {role!r} is not one of {', '.join(Role.values)}.")
    return StaffRow(name.strip(), str(role))


@transaction.atomic
def import_staff(*, clinic: Clinic, rows: list[StaffRow], by: User | None) -> StaffImport:
    """Add the people the clinic does not have yet (compared by name); those it has are left as they are."""
    held = {m.user.full_name: m for m in Membership.objects.filter(clinic=clinic).select_related("user")}
    result = StaffImport([], [])
    for row in rows:
        if row.name in held:
            result.existing.append(held[row.name])
        else:
            result.created.append(invite_member(clinic=clinic, full_name=row.name, role=row.role, by=by))
    return result
