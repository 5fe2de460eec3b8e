"""API access on pages: one's own tokens, and the accounts of programs."""

import re

import pytest
from django.core.exceptions import PermissionDenied

from accounts.models import ApiToken, AuditEvent, User
from accounts.permissions import Role
from accounts.services.invitations import issue_invitation
from accounts.services.tokens import create_service_account, create_token
from tests.factories import ClinicFactory, UserFactory
from tests.guards.routes import signed_in

pytestmark = pytest.mark.django_db
NEW = {"name": "reports", "scopes": ["read"], "days": "30"}


@pytest.fixture
def clinic():
    return ClinicFactory()


@pytest.fixture
def user(clinic):
    return UserFactory(clinic=clinic, role=Role.COORDINATOR)


@pytest.fixture
def manager(clinic):
    return UserFactory(clinic=clinic, role=Role.MANAGER)


def secret_on(page) -> str:
    return re.search(r'value="(crm_[0-9a-f]+)"', page.content.decode())[1]


def test_a_token_is_shown_once_and_works(user, client):
    browser = signed_in(user)
    secret = secret_on(browser.post("/me/api/", NEW))
    assert client.get("/api/v1/me/", headers={"authorization": f"Token {secret}"}).status_code == 200
    page = browser.get("/me/api/").content.decode()
    assert "reports" in page
    assert secret not in page
    assert AuditEvent.objects.filter(action="api_token_made", actor=user).exists()


def test_a_revoked_token_ends_at_once(user, client):
    browser = signed_in(user)
    secret = secret_on(browser.post("/me/api/", NEW))
    browser.post(f"/me/api/{ApiToken.objects.get().pk}/revoke/")
    assert client.get("/api/v1/me/", headers={"authorization": f"Token {secret}"}).status_code == 401
    assert ApiToken.objects.get().revoked_by == user


@pytest.mark.parametrize("spoilt", [{"name": ""}, {"scopes": ["other"]}, {"scopes": []}, {"days": "x"}])
def test_what_makes_no_sense_is_said_beside_the_field(user, spoilt):
    answer = signed_in(user).post("/me/api/", NEW | spoilt)
    assert answer.status_code == 422
    assert not ApiToken.objects.exists()


def test_another_persons_tokens_are_not_there(user, manager):
    row, _secret = create_token(user=user, name="x", by=user)
    assert "x" not in [token.name for token in ApiToken.objects.for_user(manager)]
    assert signed_in(manager).post(f"/me/api/{row.pk}/revoke/").status_code == 404


def test_a_manager_makes_an_account_for_a_program_and_its_tokens(clinic, manager, client):
    browser = signed_in(manager)
    page = browser.post("/staff/programs/", {"name": "Warehouse", "role": "nurse"}, follow=True)
    url = page.redirect_chain[0][0]
    secret = secret_on(browser.post(url, NEW))
    told = client.get("/api/v1/me/", headers={"authorization": f"Token {secret}"}).json()
    assert (told["is_service"], told["role"], told["clinic"]["code"]) == (True, "nurse", clinic.code)
    token = ApiToken.objects.get()
    assert token.created_by == manager
    assert browser.post(f"/me/api/{token.pk}/revoke/").status_code == 302
    assert browser.post("/staff/programs/", {"name": "x", "role": "admin"}).status_code == 422


def test_a_program_never_signs_in_by_a_browser(clinic, manager):
    user = create_service_account(clinic=clinic, name="Warehouse", role=Role.NURSE, by=manager)
    assert not user.has_usable_password()
    with pytest.raises(PermissionDenied):
        issue_invitation(membership=user.memberships.get(), by=manager)
    assert signed_in(user).get("/api/v1/me/").status_code == 401
    assert not User.objects.get(pk=user.pk).memberships.waiting().exists()


def test_others_do_not_see_programs(user):
    assert signed_in(user).get("/staff/programs/").status_code == 403
