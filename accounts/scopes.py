"""What a token may be used for. Narrower than the person's own permissions, never wider. No database."""

from collections.abc import Collection

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

EVERYTHING = "*"
READ_ALL = "read"
READ, WRITE = "read", "write"

# Groups of resources; every API view names its own.
GROUPS: dict[str, str | Promise] = {
    "account": _("Own account, clinics and staff"),
    "patients": _("Patients, registrations, consents, classes, referrals, care"),
    "complaints": _("Complaints"),
    "appointments": _("Appointments and free times"),
    "tasks": _("Tasks and contacts"),
    "messages": _("Messages"),
    "visits": _("Consultations, visits, forms, exams, handoffs, plans, decisions"),
    "conversations": _("Chats and their findings"),
    "metrics": _("Key figures and inspections"),
    "exports": _("Bulk read and exports"),
    "webhooks": _("Webhooks"),
}

SCOPES: tuple[str, ...] = (EVERYTHING, READ_ALL, *(f"{group}:{act}" for group in GROUPS for act in (READ, WRITE)))


def allows(scopes: Collection[str], group: str, act: str) -> bool:
    """Tell whether a token with `scopes` may do `act` ("read" or "write") to a group of resources.

    "*" is everything, "read" is reading everything; writing a group includes reading it.
    """
    if EVERYTHING in scopes or f"{group}:{WRITE}" in scopes:
        return True
    return act == READ and (READ_ALL in scopes or f"{group}:{READ}" in scopes)


def unknown_scopes(scopes: Collection[str]) -> list[str]:
    """Return those that mean nothing here."""
    return [scope for scope in scopes if scope not in SCOPES]


def label_of(scope: str) -> str:
    """Return what a scope allows, in the reader's words; one that means nothing here is named as it is kept."""
    if scope not in SCOPES:
        return scope
    if scope in (EVERYTHING, READ_ALL):
        return str(_("Everything this account may do") if scope == EVERYTHING else _("Read everything"))
    group, _colon, act = scope.partition(":")
    words = _("%(what)s: read") if act == READ else _("%(what)s: read and change")
    return str(words) % {"what": GROUPS[group]}
