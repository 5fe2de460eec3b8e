"""The styleguide shows every component, to staff, in debug alone."""

from pathlib import Path
from typing import Any

import pytest
from django.conf import settings as django_settings
from django.test import Client
from django.urls import reverse

from tests.factories import UserFactory

pytestmark = pytest.mark.django_db


def signed_in() -> Client:
    client = Client()
    client.force_login(UserFactory(role="coordinator"), backend="allauth.account.auth_backends.AuthenticationBackend")
    return client


def test_styleguide_is_not_there_outside_debug(settings: Any) -> None:
    settings.DEBUG = False
    assert signed_in().get(reverse("styleguide")).status_code == 404


def test_styleguide_asks_to_sign_in(settings: Any) -> None:
    settings.DEBUG = True
    assert Client().get(reverse("styleguide")).status_code == 302


@pytest.mark.parametrize("language", ["zh-hans", "en"])
def test_styleguide_shows_the_components(settings: Any, language: str) -> None:
    settings.DEBUG = True
    client = signed_in()
    client.post(reverse("switch_language"), {"language": language})
    page = client.get(reverse("styleguide"))
    assert page.status_code == 200
    for mark in ("class-chip-big", "error-summary", "stepper-compact", "sort-list", "toast-error", "drawer"):
        assert mark in page.content.decode()


def test_every_component_appears_in_the_styleguide_or_another_one() -> None:
    root = Path(django_settings.BASE_DIR) / "templates"
    used = "".join(path.read_text() for path in root.rglob("*.html"))
    names = [path.stem.replace("_", "-") for path in (root / "cotton").glob("[a-z]*.html")]
    tagged = {"icon", "chip", "class-chip", "status", "avatar", "meter", "kbd"}  # shown by their tags
    shown = "".join(path.read_text() for path in (root / "styleguide").glob("*.html"))
    assert all(f"<c-{name}" in used for name in names)
    missing = [name for name in names if f"<c-{name}" not in shown and name not in tagged]
    assert missing == []
