"""Signing in and out, being locked out, sessions that end."""

import pytest
from django.test import Client
from django.urls import NoReverseMatch, reverse

from accounts.models import User
from accounts.permissions import Role
from accounts.services.members import change_role, disable_member, enable_member
from tests.factories import PASSWORD, ClinicFactory, MembershipFactory, UserFactory

pytestmark = pytest.mark.django_db
LOGIN = "/sign-in/"
PAGE = "/staff/"  # any page that needs a person


@pytest.fixture
def manager():
    return UserFactory(username="gaojing", role=Role.MANAGER, clinic=ClinicFactory())


def sign_in(client, username="gaojing", password=PASSWORD, **more):
    return client.post(LOGIN, {"login": username, "password": password, **more})


def test_username_and_password_open_the_product(client, manager):
    response = sign_in(client)
    assert response.status_code == 302
    assert client.get(PAGE).status_code == 200
    assert User.objects.get(pk=manager.pk).last_login is not None


def test_a_wrong_password_says_so_and_names_no_culprit(client, manager):
    for username in ("gaojing", "nobody"):
        response = sign_in(client, username=username, password="wrong")
        assert response.status_code == 200
        assert "_auth_user_id" not in client.session


def test_next_goes_only_to_our_own_pages(client, manager):
    assert sign_in(client, next="/staff/teams/")["Location"] == "/staff/teams/"
    client.logout()
    assert "evil" not in sign_in(client, next="https://evil.example/")["Location"]
    client.logout()
    assert "evil" not in sign_in(client, next="//evil.example/")["Location"]


def test_anonymous_visitors_are_sent_to_sign_in_and_back(client):
    response = client.get(PAGE)
    assert response["Location"] == f"{LOGIN}?next={PAGE}"


def test_a_fragment_asked_for_without_a_session_gets_401(client):
    assert client.get(PAGE, headers={"HX-Request": "true"}).status_code == 401


def test_too_many_wrong_passwords_lock_the_account_even_for_the_right_one(client, manager, settings):
    for _attempt in range(settings.AXES_FAILURE_LIMIT):
        response = sign_in(client, password="wrong")
    assert response.status_code == 429
    locked = sign_in(client)
    assert locked.status_code == 429
    assert "_auth_user_id" not in client.session
    assert "account/locked.html" in [template.name for template in locked.templates]


def test_writing_the_username_otherwise_does_not_escape_the_lock(client, manager, settings):
    for spelling in ["GAOJING", " gaojing ", "GaoJing", "gaoj\u0131ng"] * (settings.AXES_FAILURE_LIMIT // 4):
        sign_in(client, username=spelling, password="wrong")
    assert sign_in(client).status_code == 429


def test_the_lock_is_for_one_person_on_one_network(client, manager, settings):
    for _attempt in range(settings.AXES_FAILURE_LIMIT):
        sign_in(client, password="wrong")
    UserFactory(username="other", role=Role.NURSE)
    assert sign_in(client, username="other").status_code == 302
    elsewhere = Client(REMOTE_ADDR="10.1.2.3")
    assert sign_in(elsewhere).status_code == 302


def test_behind_a_proxy_networks_are_told_apart_and_cannot_be_made_up(client, manager, settings):
    settings.BEHIND_PROXY = True
    for number in range(settings.AXES_FAILURE_LIMIT):
        client.post(
            LOGIN, {"login": "gaojing", "password": "x"}, headers={"X-Forwarded-For": f"1.1.1.{number}, 7.7.7.7"}
        )
    attempt = {"login": "gaojing", "password": PASSWORD}
    assert client.post(LOGIN, attempt, headers={"X-Forwarded-For": "9.9.9.9, 7.7.7.7"}).status_code == 429
    assert client.post(LOGIN, attempt, headers={"X-Forwarded-For": "8.8.8.8"}).status_code == 302


def test_signing_out_needs_a_post(client, manager):
    sign_in(client)
    assert client.get("/sign-out/").status_code == 200
    assert client.get(PAGE).status_code == 200
    client.post("/sign-out/")
    assert client.get(PAGE).status_code == 302


@pytest.mark.parametrize("change", ["role", "disable"])
def test_all_sessions_end_at_once(change, manager):
    member = MembershipFactory(clinic=manager.memberships.get().clinic, role=Role.NURSE)
    phones = [Client(), Client()]
    for phone in phones:
        phone.force_login(member.user)
        assert phone.get(reverse("styleguide")).status_code in {200, 404}
    if change == "role":
        change_role(membership=member, role=Role.FRONT_DESK, by=manager)
    else:
        disable_member(membership=member, by=manager)
        enable_member(membership=member, by=manager)  # enabling does not bring the old sessions back
    assert [phone.get(PAGE).status_code for phone in phones] == [302, 302]


def test_other_peoples_sessions_stay(manager):
    member = MembershipFactory(clinic=manager.memberships.get().clinic, role=Role.NURSE)
    boss = Client()
    boss.force_login(manager)
    change_role(membership=member, role=Role.FRONT_DESK, by=manager)
    assert boss.get(PAGE).status_code == 200


def test_a_disabled_person_cannot_sign_in(client, manager):
    member = MembershipFactory(clinic=manager.memberships.get().clinic, user=UserFactory(username="yiyi"))
    disable_member(membership=member, by=manager)
    response = sign_in(client, username="yiyi")
    assert response.status_code in {200, 403}
    assert "_auth_user_id" not in client.session


def test_changing_the_password_keeps_this_session_and_ends_the_others(client, manager):
    other = Client()
    for one in (client, other):
        sign_in(one)
    new = "a-long-new-word-7"
    response = client.post("/password/", {"oldpassword": PASSWORD, "password1": new, "password2": new})
    assert response.status_code == 302
    assert client.get(PAGE).status_code == 200
    assert other.get(PAGE).status_code == 302
    assert User.objects.get(pk=manager.pk).check_password(new)


def test_changing_the_password_needs_the_current_one(client, manager):
    sign_in(client)
    new = "a-long-new-word-7"
    client.post("/password/", {"oldpassword": "wrong", "password1": new, "password2": new})
    assert User.objects.get(pk=manager.pk).check_password(PASSWORD)


@pytest.mark.parametrize(
    "name", ["account_signup", "account_email", "account_reset_password", "account_set_password", "account_inactive"]
)
def test_what_allauth_offers_and_we_do_not_is_not_routed(name):
    with pytest.raises(NoReverseMatch):
        reverse(name)


@pytest.mark.parametrize("path", ["/accounts/signup/", "/signup/", "/accounts/password/reset/", "/accounts/email/"])
def test_nobody_signs_up(client, path):
    assert client.get(path).status_code == 404
