"""Who may give which role. No database."""

from accounts.permissions import Permission, Role, permissions_of


def assignable_roles(actor_role: str | None) -> tuple[Role, ...]:
    """Return the roles that somebody with `actor_role` in a clinic may give, change or take away there.

    An administrator: all. A manager: all but administrator. Anyone else: none.
    """
    granted = permissions_of(actor_role)
    if Permission.MANAGE_CLINICS in granted:
        return tuple(Role)
    if Permission.MANAGE_STAFF in granted:
        return tuple(role for role in Role if role != Role.ADMIN)
    return ()
