"""The description of the API is whole: generated without a warning, errors and examples included."""

import json
from io import StringIO

import pytest
from django.core.management import call_command
from drf_spectacular.drainage import GENERATOR_STATS
from drf_spectacular.validation import validate_schema
from jsonschema import Draft202012Validator

from accounts.views.api import schema_json
from tests.guards.routes import all_routes


@pytest.fixture(scope="module")
def schema():
    GENERATOR_STATS.reset()
    schema_json.cache_clear()
    found = json.loads(schema_json())
    assert not GENERATOR_STATS, "drf-spectacular warns; its words are on stderr"
    return found


def operations(schema):
    return [(method, path, said) for path, methods in schema["paths"].items() for method, said in methods.items()]


def test_it_is_valid_openapi_3_1(schema):
    assert schema["openapi"] == "3.1.0"
    validate_schema(schema)


def test_every_route_of_the_api_is_described_with_every_method(schema):
    described = {(method, path.replace("{id}", "{pk}")) for method, path, _said in operations(schema)}
    for route in all_routes():
        if not route.path.startswith("api/v1/"):
            continue
        path = "/" + route.path.replace("<int:", "<").replace("<slug:", "<").replace("<", "{").replace(">", "}")
        for method in route.pattern.callback.access_by_method:
            assert (method, path) in described, f"{method} {path}"


def test_operations_have_names_each_once_tags_and_words(schema):
    names = [said["operationId"] for _method, _path, said in operations(schema)]
    assert len(names) == len(set(names))
    assert not [name for name in names if name.startswith("v1") or "__" in name]
    for method, path, said in operations(schema):
        assert len(said["tags"]) == 1, path
        assert said.get("description"), f"{method} {path}"


def test_every_operation_says_how_it_refuses(schema):
    for method, path, said in operations(schema):
        needed = {"400", "401", "403", "404", "405", "429"} | ({"409", "422"} if method != "get" else set())
        assert needed <= set(said["responses"]), path
        named = {p["name"] for p in said.get("parameters", ()) if p["in"] == "header"}
        assert ("Idempotency-Key" in named) == (method == "post"), path
        assert ("428" in said["responses"]) == ("If-Match" in named), path
    content = schema["components"]["responses"]["Problem422"]["content"]
    assert content["application/problem+json"]["examples"]["invalid"]["value"]["type"] == "/api/problems/invalid"


def bodies(said):
    """The JSON bodies of an operation: what it takes, and what it answers when all is well."""
    all_of = [said.get("requestBody", {}), *(told for status, told in said["responses"].items() if status[0] == "2")]
    return [one for body in all_of for kind, one in body.get("content", {}).items() if kind.endswith("json")]


def test_every_body_has_an_example_that_its_schema_allows(schema):
    for method, path, said in operations(schema):
        for body in bodies(said):
            shown = [one["value"] for one in body.get("examples", {}).values()] or [body["example"]]
            for example in shown:
                rules = Draft202012Validator({"components": schema["components"], **body["schema"]})
                wrong = [f"{error.json_path}: {error.message}" for error in rules.iter_errors(example)]
                assert not wrong, f"{method} {path}: {wrong}"


def test_every_parameter_is_described_and_filters_are_those_of_lists(schema):
    for method, path, said in operations(schema):
        named = said.get("parameters", ())
        assert not [one["name"] for one in named if not one.get("description")], path
        assert method == "get" or not [one["name"] for one in named if one["in"] == "query"], path
    assert "x-spec-enum-id" not in json.dumps(schema)


@pytest.mark.django_db
def test_pages_and_schema_are_served_with_scripts_of_our_own(client):
    answer = client.get("/api/schema/")
    assert answer["Content-Type"].startswith("application/vnd.oai.openapi+json")
    page = client.get("/api/docs/").content.decode()
    assert "swagger-ui-bundle" in page
    assert "http" not in page
    assert "<style" not in page


@pytest.mark.django_db
def test_the_command_prints_the_token_alone(client):
    from tests.factories import ClinicFactory, UserFactory

    user, out = UserFactory(clinic=ClinicFactory()), StringIO()
    call_command("create_token", user.username, "--scope", "read", "--days", "7", stdout=out)
    secret = out.getvalue().strip()
    told = client.get("/api/v1/me/", headers={"authorization": f"Token {secret}"}).json()
    assert told["username"] == user.username
    assert told["token"]["scopes"] == ["read"]
    assert out.getvalue() == f"{secret}\n"
