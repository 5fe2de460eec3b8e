"""Every route of the product, and what a request to it answers."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from http.cookies import SimpleCookie
from typing import Any

from django.db import transaction
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver

from accounts.models import User
from accounts.permissions import Permission, permissions_of
from tests.guards.world import World, fill

# Views of other packages, which cannot carry a declaration of ours.
UNDECLARED = {
    "account_login": "allauth's; whoever signs in is not signed in yet",
    "account_logout": "allauth's; ends the session of whoever asks",
    "account_change_password": "allauth's; asks for the current password, and sends visitors to sign in",
    "mfa_authenticate": "allauth's; after the password, before one is signed in",
    "account_reauthenticate": "allauth's; asks for the password again, and sends visitors to sign in",
    "mfa_reauthenticate": "allauth's; asks for the app's code again, and sends visitors to sign in",
}

# Views that reach beyond the clinics one works in, on purpose.
ACROSS = {
    "api_kpi_records": "the address names a key figure; the records are those of the clinics that are asked for",
    "api_bulk": "the address names a kind of rows; they are the own clinic's",
    "api_problem": "the address names a kind of problem",
    "kpi_records": "the same",
    "kpi_trend": "the same",
    "kpi_panel": "the address names a panel; it counts the clinics that are asked for",
    "kpi_panel_records": "the same",
    "patient_register_here": "any person of the group is registered here, if the exact number is known",
    "playbook": "the address names a class; the playbook is the own clinic's",
    "playbook_restore": "the same",
    "message_template": "the address names a purpose; the text is the own clinic's",
    "message_template_reset": "the same",
    "chat_rules_version": "the address names a version; the rules are the own clinic's",
    "etiquette_rubric": "the address names a kind; the rubric is the own clinic's",
    "etiquette_restore": "the same",
    "settings_restore": "the address names a subject; the settings are the own clinic's",
    "sender_edit": "the address names a channel; the sender is the own clinic's",
}


@dataclass(frozen=True)
class Route:
    """One address pattern with its view."""

    path: str
    pattern: URLPattern

    @property
    def name(self) -> str:
        return self.pattern.name or self.path

    @property
    def access(self) -> tuple[Permission, ...] | str | None:
        return getattr(self.pattern.callback, "access", None)

    @property
    def guarded(self) -> bool:
        return isinstance(self.access, tuple)

    @property
    def has_id(self) -> bool:
        return bool(self.pattern.pattern.converters)

    def open_to(self, role: str | None) -> bool:
        return not self.guarded or bool(set(self.access or ()) & permissions_of(role))

    def url(self, world: World) -> str:
        path = "/" + self.path
        for name, value in fill(self.path, self.pattern, world).items():
            converter = type(self.pattern.pattern.converters[name])
            shown = next(k for k, c in _converters().items() if type(c) is converter)
            path = path.replace(f"<{shown}:{name}>", str(value)).replace(f"<{name}>", str(value))
        return path


def _converters() -> dict[str, Any]:
    from django.urls.converters import get_converters

    return dict(get_converters())


def all_routes() -> list[Route]:
    """Every route that the product answers on."""
    return list(_walk(get_resolver().url_patterns, ""))


def _walk(patterns: Iterable[URLPattern | URLResolver], before: str) -> Iterator[Route]:
    for pattern in patterns:
        path = before + str(pattern.pattern)
        if isinstance(pattern, URLResolver):
            yield from _walk(pattern.url_patterns, path)
        else:
            yield Route(path, pattern)


def ask(client: Client, url: str) -> int:
    """Return the status of a GET, or of an empty POST where only that is allowed; nothing it wrote is kept.

    Nor is a sign-out: handing the tablet to a patient is one.
    """
    cookies = client.cookies.output(header="", sep=";")
    with transaction.atomic():
        status = client.get(url).status_code
        if status == 405:
            status = client.post(url, {}).status_code
        transaction.set_rollback(True)
    client.cookies = SimpleCookie(cookies)
    return status


def signed_in(user: User) -> Client:
    """A client with a session of `user`; a view that breaks answers 500, like in the product."""
    client = Client(raise_request_exception=False)
    client.force_login(user, backend="allauth.account.auth_backends.AuthenticationBackend")
    return client
