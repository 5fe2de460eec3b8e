"""Whatever a program or a browser sends, in whichever place: kept as words, or refused as a problem that says why.

ALL_BAD_INPUT=1 sends everything everywhere; usually a few things in each place do, others in each.
"""

import json
import os
from collections.abc import Iterator
from typing import Any

import pytest
from django.db import transaction
from django.test import Client

from accounts.permissions import Role, permissions_of
from tests.api.asking import PROBLEM, program
from tests.factories import UserFactory
from tests.guards.routes import all_routes
from tests.guards.world import World, fill
from tests.safety.marked import everything
from tests.safety.matrix import is_api
from tests.safety.sent import BAD, BAD_BODIES, BAD_QUERIES, DAYS, Operation, as_json, known_in, operations, places, put
from tests.safety.test_schema import described

pytestmark = pytest.mark.django_db
ALL = bool(os.environ.get("ALL_BAD_INPUT"))


def some(of: tuple[Any, ...], turn: int, count: int) -> Iterator[Any]:
    """Yield a few of `of`, others each turn; all with ALL_BAD_INPUT."""
    for step in range(len(of) if ALL else count):
        yield of[(turn * count + step) % len(of)]


class Api:
    """Sends to every operation in a role that may, and notes what is wrong with an answer."""

    def __init__(self) -> None:
        self.world = everything(World())
        self.known = known_in(self.world)
        people = {role: UserFactory(role=role, clinic=self.world.clinic) for role in Role}
        self.clients: dict[Role, Client] = {role: program(person) for role, person in people.items()}
        self.routes = {described(route.path): route for route in all_routes() if is_api(route)}
        self.faults: list[str] = []

    def client(self, operation: Operation) -> Client:
        needed = set(operation.told["x-permissions"])
        return next(self.clients[role] for role in (Role.ADMIN, *Role) if not needed or needed & permissions_of(role))

    def url(self, operation: Operation) -> str:
        route = self.routes[described(operation.path)]
        path = operation.path
        for value in fill(route.path, route.pattern, self.world).values():
            before, _brace, rest = path.partition("{")
            path = f"{before}{value}{rest.partition('}')[2]}"
        return path

    def send(self, operation: Operation, text: str | bytes, what: str, url: str = "", *, keep: bool = False) -> int:
        """Send one request; returns the status."""
        with transaction.atomic():
            response = self.client(operation).generic(
                operation.method.upper(), url or self.url(operation), text,
                "application/json" if text or operation.schema else "application/octet-stream",
                headers={"If-Match": "*", "X-Clinic": self.world.clinic.code},
            )  # fmt: skip
            body = b"".join(response) if response.streaming else response.content
            transaction.set_rollback(not keep)
        if wrong := judge(response.status_code, response.headers.get("Content-Type", ""), body):
            self.faults.append(f"{operation.name} {what}: {wrong}")
        return response.status_code


def judge(status: int, kind: str, body: bytes) -> str:
    """Say what is wrong with an answer; nothing when it is a success or a problem that says what it is."""
    if status < 400:
        return "" if status < 300 or status == 304 else f"{status}"
    if status >= 500 and status != 503:
        return f"{status} {body[:300]!r}"
    if kind != PROBLEM:
        return f"{status} as {kind}"
    try:
        told = json.loads(body, parse_constant=_no_json)
    except ValueError as error:
        return f"{status} with {error}"
    return "" if told["status"] == status and told["title"] and told["detail"] else f"{status} says {told}"


def _no_json(name: str) -> Any:
    raise ValueError(f"{name}, which is no JSON")


@pytest.fixture
def api(settings: Any) -> Api:
    settings.API_REQUESTS_PER_MINUTE = 10**9
    return Api()


def test_no_bad_value_in_any_place_of_a_body_breaks_anything(api: Api) -> None:
    turn = 0
    for operation in (one for one in operations() if one.schema):
        body = operation.body(api.known)
        for place, _value in places(body):
            turn += 1
            for bad in some(BAD, turn, 1):
                api.send(operation, as_json(put(body, place, bad)), f"{place} {bad!r:.40}")
    assert turn > 200
    assert not api.faults, "\n".join(api.faults)


def test_no_far_day_breaks_anything(api: Api) -> None:
    """Of the first and the last years there are, whatever is added or taken off leads out of the calendar."""
    asked = 0
    for operation in (one for one in operations() if one.schema):
        body = operation.body(api.known)
        for place, value in places(body):
            if value is None or (isinstance(value, str) and value[:2] in ("19", "20") and value[4:5] == "-"):
                for day in DAYS:
                    asked += 1
                    api.send(operation, as_json(put(body, place, day)), f"{place} {day}")
    assert asked > 50
    assert not api.faults, "\n".join(api.faults)


def test_no_bad_body_breaks_anything(api: Api) -> None:
    for turn, operation in enumerate(one for one in operations() if one.method != "get"):
        for bad in some(BAD_BODIES, turn, 2):
            api.send(operation, bad, f"{bad!r:.40}")
    assert not api.faults, "\n".join(api.faults)


def test_no_bad_value_of_any_parameter_breaks_anything(api: Api) -> None:
    turn = 0
    for operation in operations():
        url = api.url(operation)
        for name in operation.queries:
            turn += 1
            for bad in some(BAD_QUERIES, turn, 1):
                api.send(operation, "", f"?{name}={bad:.40}", f"{url}?{name}={bad}")
    assert turn > 100
    assert not api.faults, "\n".join(api.faults)
