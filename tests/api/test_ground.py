"""Tokens, scopes, clinics and errors of the API, whatever is asked for."""

from datetime import timedelta

import pytest
from django.core.cache import cache
from django.test import Client
from django.utils import timezone

from accounts.models import ApiToken, User
from accounts.permissions import Role
from accounts.scopes import GROUPS, SCOPES, allows
from accounts.services.tokens import revoke_token
from tests.api.asking import problem, program, send
from tests.factories import ClinicFactory, MembershipFactory, PatientFactory, UserFactory

pytestmark = pytest.mark.django_db
ME = "/api/v1/me/"


@pytest.fixture
def clinic():
    return ClinicFactory()


@pytest.fixture
def user(clinic):
    return UserFactory(clinic=clinic, role=Role.COORDINATOR)


# --- tokens -----------------------------------------------------------------------------------------


def test_a_token_acts_as_its_person(user, clinic):
    told = program(user).get(ME).json()
    assert told["username"] == user.username
    assert told["clinic"]["code"] == clinic.code
    assert told["role"] == "coordinator"
    assert told["token"]["scopes"] == ["*"]


def test_only_a_hash_of_the_token_is_kept(user):
    client = program(user)
    secret = client.defaults["HTTP_AUTHORIZATION"].removeprefix("Token ")
    row = ApiToken.objects.get()
    assert secret.startswith("crm_")
    assert secret not in repr(vars(row))
    assert row.token_key == secret[: len(row.token_key)]
    assert len(row.token_key) < len(secret) / 2


@pytest.mark.parametrize(
    "spoil",
    [
        lambda token, user: ApiToken.objects.update(expiry=timezone.now() - timedelta(seconds=1)),
        lambda token, user: revoke_token(token=token, by=user),
        lambda token, user: User.objects.update(is_active=False),
        lambda token, user: ApiToken.objects.update(digest="0" * 128),
    ],
    ids=["expired", "revoked", "disabled", "another secret"],
)
def test_what_is_no_good_any_more_is_401(user, spoil):
    client = program(user)
    assert client.get(ME).status_code == 200
    spoil(ApiToken.objects.get(), user)
    answer = client.get(ME)
    problem(answer, 401, "unauthenticated")
    assert answer["WWW-Authenticate"] == "Token"
    assert ApiToken.objects.count() == 1


@pytest.mark.parametrize("said", ["Token", "Token a b", "Token \xe9", "Token x", "Bearer x", ""])
def test_strangers_are_told_401(said):
    problem(Client(headers={"authorization": said}).get(ME), 401, "unauthenticated")


def test_last_use_is_noted_once_a_minute(user):
    client = program(user)
    client.get(ME)
    first = ApiToken.objects.get().last_used_at
    assert first is not None
    client.get(ME)
    assert ApiToken.objects.get().last_used_at == first
    ApiToken.objects.update(last_used_at=first - timedelta(seconds=61))
    client.get(ME)
    assert ApiToken.objects.get().last_used_at >= first


def test_a_browsers_session_reads_and_needs_its_csrf_token_to_write(user, clinic):
    browser = Client(enforce_csrf_checks=True)
    browser.force_login(user, backend="allauth.account.auth_backends.AuthenticationBackend")
    assert browser.get(ME).status_code == 200
    problem(send(browser, "POST", "/api/v1/patients/", {"name": "沈雨薇"}), 403, "forbidden")


# --- scopes and permissions --------------------------------------------------------------------------


def test_scopes_mean_what_they_say():
    assert all(allows(["*"], group, act) for group in GROUPS for act in ("read", "write"))
    assert all(allows(["read"], group, "read") and not allows(["read"], group, "write") for group in GROUPS)
    assert allows(["patients:write"], "patients", "read")
    assert not allows(["patients:read"], "patients", "write")
    assert not allows(["patients:write"], "tasks", "read")
    assert not any(allows([scope], "other", "write") for scope in SCOPES if scope != "*")


def test_a_token_does_no_more_than_its_scopes(user):
    told = problem(program(user, scopes=("read",)).post("/api/v1/patients/", {}), 403, "scope")
    assert "patients:write" in told["detail"]
    problem(program(user, scopes=("tasks:write",)).get("/api/v1/patients/"), 403, "scope")
    assert program(user, scopes=("patients:read",)).get("/api/v1/patients/").status_code == 200


def test_a_scope_gives_nothing_that_the_role_does_not(clinic):
    nurse = UserFactory(clinic=clinic, role=Role.NURSE)
    problem(send(program(nurse), "POST", "/api/v1/patients/", {"name": "沈雨薇"}), 403, "forbidden")


# --- clinics ----------------------------------------------------------------------------------------


def test_a_header_or_a_parameter_names_the_clinic(user, clinic):
    there = ClinicFactory()
    MembershipFactory(user=user, clinic=there, role=Role.NURSE)
    client = program(user)
    assert client.get(ME, headers={"x-clinic": there.code}).json()["role"] == "nurse"
    assert client.get(ME, {"clinic": there.code}).json()["clinic"]["code"] == there.code
    problem(client.get(ME, {"clinic": ClinicFactory().code}), 404, "not-found")
    problem(client.get(ME, headers={"x-clinic": ClinicFactory().code}), 404, "not-found")


def test_times_are_told_in_the_clinics_zone(clinic):
    clinic.zone = "Asia/Tokyo"
    clinic.save()
    user = UserFactory(clinic=clinic, role=Role.COORDINATOR)
    PatientFactory(clinic=clinic)
    row = program(user).get("/api/v1/patients/").json()["results"][0]
    assert row["created_at"].endswith("+09:00")


# --- errors -----------------------------------------------------------------------------------------


def test_everything_under_api_answers_with_problems(user):
    client = program(user)
    problem(client.get("/api/v1/nothing/"), 404, "not-found")
    problem(client.get("/api/nothing/"), 404, "not-found")
    problem(client.get("/api/v1/patients/999999999999999999999999/"), 404, "not-found")
    problem(client.delete("/api/v1/patients/"), 405, "method-not-allowed")
    broken = client.generic("POST", "/api/v1/patients/", "{", "application/json")
    problem(broken, 400, "bad-request")
    problem(client.post("/api/v1/patients/", {"name": "x"}), 415, "unsupported-media-type")
    problem(client.get(ME, headers={"accept": "text/csv"}), 406, "not-acceptable")


def test_a_fault_of_ours_is_a_problem_and_shows_nothing(user, monkeypatch):
    monkeypatch.setattr("accounts.api.resources.Me.get", lambda self, request: 1 / 0)
    told = problem(program(user).get(ME), 500, "server-error")
    assert "division" not in str(told)


def test_fields_are_named_with_what_is_wrong(user):
    client = program(user)
    told = problem(send(client, "POST", "/api/v1/patients/", {"phones": [{"number": "12"}], "x": 1}), 422, "invalid")
    assert told["errors"] == {"x": ["未知字段。"]} or set(told["errors"]) == {"x"}
    told = problem(send(client, "POST", "/api/v1/patients/", {"phones": [{"number": "12"}]}), 422, "invalid")
    assert set(told["errors"]) == {"name", "phones.0.number"}
    problem(send(client, "POST", "/api/v1/patients/", ["no object"]), 422, "invalid")


@pytest.mark.parametrize("query", ["x=1", "limit=0", "limit=201", "limit=x", "cursor=x", "cursor=WzFd", "owner=x"])
def test_unknown_and_senseless_parameters_are_refused(user, query):
    told = problem(program(user).get(f"/api/v1/patients/?{query}"), 400, "bad-request")
    assert list(told["errors"]) == [query.partition("=")[0]]


def test_errors_are_told_in_the_language_that_is_asked_for(user):
    client = program(user)
    english = client.get("/api/v1/patients/?x=1", headers={"accept-language": "en"})
    assert english.json()["title"] == "Bad request"
    assert english["Content-Language"] == "en"
    assert client.get("/api/v1/patients/?x=1").json()["title"] != "Bad request"


def test_each_kind_of_problem_has_a_page_and_a_description(user, client):
    address = problem(program(user).get("/api/v1/nothing/"), 404)["type"]
    assert client.get(address, headers={"accept": "application/json"}).json()["status"] == 404
    assert "text/html" in client.get(address, headers={"accept": "text/html"})["Content-Type"]
    problem(client.get("/api/problems/unheard-of"), 404)


# --- rates ------------------------------------------------------------------------------------------


def test_a_token_is_answered_so_often_a_minute(user, settings):
    cache.clear()
    settings.API_REQUESTS_PER_MINUTE = 2
    client, other = program(user), program(user)
    answers = [client.get(ME) for _n in range(2)]
    assert [answer["RateLimit-Remaining"] for answer in answers] == ["1", "0"]
    assert answers[0]["RateLimit-Limit"] == "2"
    late = client.get(ME)
    problem(late, 429, "too-many-requests")
    assert 1 <= int(late["Retry-After"]) <= 60
    assert other.get(ME).status_code == 200


def test_without_the_cache_nobody_is_refused(user, settings):
    settings.CACHES = {"default": settings.CACHES["default"] | {"LOCATION": "redis://127.0.0.1:1/0"}}
    assert program(user).get(ME).status_code == 200
