"""Authenticator apps: setting up, signing in with a code, recovery, turning off, taking away."""

import time

import pytest
from allauth.mfa.models import Authenticator
from allauth.mfa.totp.internal.auth import format_hotp_value, hotp_value
from django.core.cache import cache
from django.test import Client

from accounts.models import AuditEvent, Membership
from accounts.permissions import Role
from accounts.services.invitations import issue_invitation
from accounts.services.second_step import recovery_codes, turn_on
from tests.factories import PASSWORD, ClinicFactory, UserFactory

pytestmark = pytest.mark.django_db
SECRET = "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP"  # an example's
SET_UP, CODES, OFF, AGAIN = "/me/security/app/", "/me/security/codes/", "/me/security/app/off/", "/sign-in/again/"


def code(secret=SECRET, ahead=0):
    return format_hotp_value(hotp_value(secret, int(time.time()) // 30 + ahead))


def sign_in(client, user):
    return client.post("/sign-in/", {"login": user.username, "password": PASSWORD})


@pytest.fixture(autouse=True)
def fresh_cache():
    """Codes that were used, and failures that were counted, are remembered there."""
    cache.clear()


@pytest.fixture
def manager():
    return UserFactory(role=Role.MANAGER, clinic=ClinicFactory())


@pytest.fixture
def with_app(manager):
    turn_on(user=manager, secret=SECRET, by=manager)
    return manager


def test_where_it_is_required_a_manager_is_led_to_setting_it_up(client, manager, settings):
    settings.REQUIRE_TOTP = True
    sign_in(client, manager)
    assert client.get("/staff/")["Location"] == SET_UP
    assert client.get("/staff/", headers={"HX-Request": "true"})["HX-Redirect"] == SET_UP
    assert client.get("/healthz").status_code == 200
    assert client.get(SET_UP).status_code == 200


def test_others_are_not_asked(client, settings):
    settings.REQUIRE_TOTP = True
    nurse = UserFactory(role=Role.NURSE, clinic=ClinicFactory())
    sign_in(client, nurse)
    assert client.get("/me/security/").status_code == 200


def test_where_it_is_not_required_managers_work_without(client, manager):
    sign_in(client, manager)
    assert client.get("/staff/").status_code == 200


def test_setting_up_takes_a_code_of_the_app_and_shows_recovery_codes(client, manager, settings):
    settings.REQUIRE_TOTP = True
    sign_in(client, manager)
    page = client.get(SET_UP).content.decode()
    assert "<svg" in page
    secret = client.session["second_step_secret"]
    wrong = client.post(SET_UP, {"code": "000000" if code(secret) != "000000" else "111111"})
    assert wrong.status_code == 422
    assert client.session["second_step_secret"] == secret
    done = client.post(SET_UP, {"code": code(secret)}, follow=True)
    assert done.redirect_chain[-1][0] == CODES
    assert all(one in done.content.decode() for one in recovery_codes(manager))
    assert len(recovery_codes(manager)) == 10
    assert client.get("/staff/").status_code == 200
    assert AuditEvent.objects.filter(action="second_step_on", subject_id=manager.pk).exists()


def test_the_secret_is_stored_encrypted(with_app):
    assert SECRET not in str(list(Authenticator.objects.values_list("data")))


def test_signing_in_asks_for_the_code_after_the_password(client, with_app):
    assert sign_in(client, with_app)["Location"] == "/sign-in/code/"
    assert client.get("/staff/").status_code == 302
    assert client.get("/sign-in/code/").status_code == 200
    client.post("/sign-in/code/", {"code": code()})
    assert client.get("/staff/").status_code == 200


def test_a_code_serves_once(client, with_app):
    used = code()
    for browser, status in ((client, 200), (Client(), 302)):
        sign_in(browser, with_app)
        browser.post("/sign-in/code/", {"code": used})
        assert browser.get("/staff/").status_code == status


def test_a_recovery_code_signs_in_once(client, with_app):
    one = recovery_codes(with_app)[0]
    sign_in(client, with_app)
    client.post("/sign-in/code/", {"code": one})
    assert client.get("/staff/").status_code == 200
    assert one not in recovery_codes(with_app)


def test_guessing_codes_is_stopped_even_for_the_right_one(client, with_app):
    sign_in(client, with_app)
    for _attempt in range(5):
        client.post("/sign-in/code/", {"code": "abc"})
    client.post("/sign-in/code/", {"code": code()})
    assert client.get("/staff/").status_code == 302


def test_turning_off_asks_for_the_password_again(client, with_app, settings):
    settings.REQUIRE_TOTP = True
    client.force_login(with_app)
    again = client.get(OFF)["Location"]
    assert again.startswith(AGAIN)
    assert client.post(again, {"password": "wrong"}).status_code == 200
    assert Authenticator.objects.filter(user=with_app).count() == 2
    client.post(again, {"password": PASSWORD})
    assert client.get(OFF).status_code == 200
    client.post(OFF)
    assert not Authenticator.objects.filter(user=with_app).exists()
    assert client.get("/staff/")["Location"] == SET_UP


def test_new_recovery_codes_end_the_old_ones(client, with_app):
    old = set(recovery_codes(with_app))
    client.force_login(with_app)
    assert client.get(CODES)["Location"].startswith(AGAIN)
    client.post(AGAIN, {"password": PASSWORD})
    client.post(CODES)
    assert not old & set(recovery_codes(with_app))


def test_a_manager_takes_the_app_away_from_who_lost_the_phone(client, with_app):
    member = Membership.objects.get(user=with_app)
    boss = UserFactory(role=Role.MANAGER, clinic=member.clinic)
    theirs = Client()
    theirs.force_login(with_app)
    client.force_login(boss)
    address = f"/staff/{member.pk}/app/reset/"
    assert address in client.get(f"/staff/{member.pk}/").content.decode()
    client.post(address)
    assert not Authenticator.objects.filter(user=with_app).exists()
    assert theirs.get("/staff/").status_code == 302
    assert AuditEvent.objects.filter(action="second_step_reset", actor=boss).exists()


def test_nobody_takes_away_an_administrators_app_but_administrators(client, manager):
    clinic = manager.memberships.get().clinic
    admin = UserFactory(role=Role.ADMIN, clinic=clinic)
    turn_on(user=admin, secret=SECRET, by=admin)
    client.force_login(manager)
    assert client.post(f"/staff/{admin.memberships.get().pk}/app/reset/").status_code == 403
    client.force_login(admin)
    client.post(f"/staff/{admin.memberships.get().pk}/app/reset/")
    assert Authenticator.objects.filter(user=admin).count() == 2


def test_a_link_for_a_new_password_does_not_get_around_the_app(client, with_app):
    link = issue_invitation(membership=with_app.memberships.get(), by=None)
    new = "a-long-new-word-7"
    assert client.post(link, {"password1": new, "password2": new})["Location"] == "/sign-in/"
    assert client.get("/staff/").status_code == 302
