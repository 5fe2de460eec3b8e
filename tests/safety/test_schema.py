"""What the API's description promises holds, in every role, for whatever the description lets one send.

SCHEMA_EXAMPLES=100 asks longer: that many requests for each operation, each sent in every role.
"""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
import schemathesis
from django.core.signals import request_finished, request_started
from django.core.wsgi import get_wsgi_application
from django.db import close_old_connections, transaction
from hypothesis import HealthCheck, Phase, given
from hypothesis import settings as examples
from hypothesis.errors import Unsatisfiable
from schemathesis import Case, GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.core.failures import FailureGroup
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from accounts.permissions import Role, permissions_of
from accounts.services.tokens import create_token
from tests.factories import UserFactory
from tests.guards.routes import Route, all_routes
from tests.guards.world import World, fill
from tests.safety.marked import everything
from tests.safety.matrix import is_api

pytestmark = pytest.mark.django_db

CHECKS = [
    not_a_server_error, status_code_conformance, content_type_conformance, response_headers_conformance,
    response_schema_conformance,
]  # fmt: skip
EXAMPLES = int(os.environ.get("SCHEMA_EXAMPLES", "0"))
# As described, and not as described; of few examples the same each time.
EACH = {GenerationMode.POSITIVE: EXAMPLES or 2, GenerationMode.NEGATIVE: EXAMPLES // 2 or 1}
PARTS = 3


def operations() -> list[tuple[str, str]]:
    routes = [route for route in all_routes() if is_api(route)]
    return [(route.name, method) for route in routes for method in route.pattern.callback.access_by_method]


def described(path: str) -> str:
    """Return a route as the description writes it, whatever its ids are called."""
    return "/".join("{}" if part[:1] in ("<", "{") else part for part in path.strip("/").split("/"))


@pytest.fixture
def world(settings: Any) -> Iterator[World]:
    """One of everything; requests share the test's connection, which none of them closes."""
    settings.API_REQUESTS_PER_MINUTE = 10**9
    for signal in (request_started, request_finished):
        signal.disconnect(close_old_connections)
    yield everything(World())
    for signal in (request_started, request_finished):
        signal.connect(close_old_connections)


@pytest.fixture
def tokens(world: World) -> dict[str, str]:
    """What people of every role say, and what a stranger does."""
    people = {role: UserFactory(role=role, clinic=world.clinic) for role in Role}
    made = {role: create_token(user=user, name="x", by=user)[1] for role, user in people.items()}
    return {role.value: f"Token {secret}" for role, secret in made.items()} | {"nobody": "Token crm_" + "0" * 60}


@contextmanager
def undone() -> Iterator[None]:
    with transaction.atomic():
        yield
        transaction.set_rollback(True)


class Asker:
    """Sends each case in every role, and keeps what breaks the description."""

    def __init__(self, world: World, tokens: dict[str, str]) -> None:
        self.world, self.tokens = world, tokens
        self.schema = schemathesis.openapi.from_wsgi("/api/schema/", get_wsgi_application())
        self.routes: dict[str, Route] = {described(route.path): route for route in all_routes() if is_api(route)}
        self.faults: dict[str, str] = {}
        self.asked = 0

    def ask_about(self, operation: Any) -> None:
        route = self.routes[described(operation.path)]
        ids = list(fill(route.path, route.pattern, self.world).values())
        names = [one.name for one in operation.path_parameters]
        known = dict(zip(names, ids, strict=True))
        for mode, count in EACH.items():
            self.run(operation, mode, count, known)

    def run(self, operation: Any, mode: GenerationMode, count: int, known: dict[str, Any]) -> None:
        positive = mode == GenerationMode.POSITIVE
        try:
            cases = operation.as_strategy(generation_mode=mode, path_parameters=known if positive else None)
        except schemathesis.errors.SchemathesisError:
            return

        refused: list[Case] = []

        @examples(
            max_examples=count,
            derandomize=not EXAMPLES,
            database=None,
            deadline=None,
            phases=[Phase.generate],
            suppress_health_check=list(HealthCheck),
        )
        @given(case=cases)
        def each(case: Case) -> None:
            may = set(operation.definition.raw["x-permissions"])
            for who, token in self.tokens.items():
                if not refused or may & permissions_of(who):  # one refusal is like another
                    self.send(case, who, token)
            refused.append(case)

        try:
            each()
        except Unsatisfiable:  # nothing in it can be sent wrong
            assert not positive, operation.path

    def send(self, case: Case, who: str, token: str) -> None:
        headers = {"Authorization": token, "X-Clinic": self.world.clinic.code, "If-Match": "*"}
        self.asked += 1
        with undone():
            response = case.call(headers=headers)
        try:
            case.validate_response(response, checks=CHECKS)
        except FailureGroup as found:
            for failure in found.exceptions:
                what = f"{case.method} {case.operation.path}: {failure.title}"
                self.faults.setdefault(what, f"as {who}: {failure.message}\n{case.body!r:.300}\n{response.text:.600}")


@pytest.mark.parametrize("part", range(PARTS))
def test_no_answer_breaks_the_description(world: World, tokens: dict[str, str], part: int) -> None:
    asker = Asker(world, tokens)
    every = [result.ok() for result in asker.schema.get_all_operations()]
    assert len(every) == len(operations())
    for operation in every[part::PARTS]:
        asker.ask_about(operation)
    assert asker.asked > len(every[part::PARTS]) * len(tokens)
    assert not asker.faults, "\n\n".join(f"{what}\n{how}" for what, how in sorted(asker.faults.items()))
