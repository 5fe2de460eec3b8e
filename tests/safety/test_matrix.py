"""Every route × method × role × clinic answers as it declares, and shows nothing of another clinic."""

import json
from typing import Any

import pytest
from django.http import HttpResponse

from accounts.models import MembershipQuerySet
from accounts.scoping import ScopedQuerySet
from accounts.statements import Statement
from accounts.views.api import schema_json
from patients.models.patient import PatientQuerySet
from tests.guards.routes import UNDECLARED, Route, all_routes
from tests.safety.matrix import Matrix, is_api

pytestmark = pytest.mark.django_db
PARTS = 2  # of the pages, to be asked side by side


def _briefly(request: Any, template: str, context: Any = None, *, status: int) -> HttpResponse:
    return HttpResponse(f"{template} {context}", status=status)


@pytest.fixture(autouse=True)
def _unhurried(settings: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody is slowed down; the thousands of refusals come without the page around their words."""
    settings.API_REQUESTS_PER_MINUTE = 10**9
    monkeypatch.setattr("clinic_crm.errors.render", _briefly)


def guarded(api: bool) -> list[Route]:
    return [route for route in all_routes() if route.guarded and is_api(route) == api]


def test_routes_and_schema_declare_the_same() -> None:
    """A route that declares nothing, or an operation without a route, or with other permissions, is red."""
    declared, described = {}, {}
    for route in all_routes():
        assert route.access or route.name in UNDECLARED, f"{route.name} declares nobody"
        if is_api(route):
            for method, access in route.pattern.callback.access_by_method.items():
                path = "/" + route.path.replace("<int:", "{").replace("<slug:", "{").replace("<str:", "{")
                declared[method, path.replace(">", "}").replace("{pk}", "{id}")] = access
    for path, methods in json.loads(schema_json())["paths"].items():
        for method, said in methods.items():
            described[method, path.replace("{pk}", "{id}")] = said["x-permissions"]
    assert {key: sorted(map(str, access)) for key, access in declared.items()} == described


@pytest.mark.parametrize("part", range(PARTS))
def test_every_page_keeps_to_roles_and_clinics(part: int) -> None:
    pages = guarded(api=False)[part::PARTS]
    matrix = Matrix(pages)
    assert matrix.marks > 100, "hardly anything is marked: what is looked for?"
    matrix.run(pages)
    matrix.look_for_the_other(pages)
    assert not matrix.faults, "\n".join(matrix.faults)


def test_every_operation_of_the_api_keeps_to_roles_and_clinics() -> None:
    operations = guarded(api=True)
    matrix = Matrix(operations)
    matrix.run(operations)
    matrix.name_the_other_clinic(operations)
    assert not matrix.faults, "\n".join(matrix.faults)


# What is read by a list of its own, by an id, through another row; and which of it must turn red. Most rows are read
# through both filters, so that losing `for_user` alone opens only what is read across clinics.
READ_BY_ID = {"visit", "task", "staff_edit", "api_visit-detail", "api_task-detail", "api_conversation-detail"}
LISTS = {"outbox", "api_visit-list", "api_task-list", "api_conversation-list", "api_consent-list"}
RED = {("for_user",): {"staff_edit"}, ("for_clinic",): LISTS, ("for_user", "for_clinic"): LISTS | READ_BY_ID}


@pytest.mark.parametrize("dropped", RED, ids="+".join)
def test_dropping_a_scope_filter_turns_the_matrix_red(
    monkeypatch: pytest.MonkeyPatch, dropped: tuple[str, ...]
) -> None:
    """The control, by the same checks: without the filter they find what they are for."""
    routes = [route for api in (False, True) for route in guarded(api) if route.name in LISTS | READ_BY_ID]
    matrix = Matrix(routes)
    monkeypatch.setattr(Statement, "_text", lambda *args: None)  # statements composed with the filter would still hold
    for queryset in (ScopedQuerySet, MembershipQuerySet, PatientQuerySet):
        for name in dropped:
            monkeypatch.setattr(queryset, name, lambda self, *args: self)
    matrix.run(routes)
    assert RED[dropped] <= {fault.split()[1] for fault in matrix.faults}
