"""Whatever is sent, nothing answers 500 and no visit moves."""

import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from http.cookies import SimpleCookie

import pytest
from django.db import transaction
from django.test import Client
from django.utils import timezone

from accounts.permissions import Role
from consultations.models import Visit
from consultations.stages import Stage
from tests.factories import UserFactory
from tests.guards.garbage import BAD, MORE_BAD, SWITCHES, Garbage, posting, querying
from tests.guards.routes import Route, all_routes, signed_in
from tests.guards.world import World

# Who tries: together they may do everything.
ROLES = (Role.MANAGER, Role.DOCTOR, Role.FRONT_DESK, Role.ADMIN)

TEXTS = BAD + MORE_BAD if os.environ.get("ALL_BAD_INPUT") else BAD
# At every stage of a visit that many take minutes.
AT_EVERY_STAGE = TEXTS if os.environ.get("ALL_BAD_INPUT") else BAD[:1]
STAGES = (Stage.COMPLAINT, Stage.EXAM, Stage.HANDOFF, Stage.DOCTOR, Stage.EXPLAINING, Stage.DECISION, Stage.LEAVING)


@pytest.fixture
def world(db, monkeypatch):
    monkeypatch.setattr("consultations.views.patient_form.PER_MINUTE", 10**6)
    monkeypatch.setattr("consultations.views.patient_form.GUESSES_PER_MINUTE", 10**6)
    return World()


@pytest.fixture
def clients(world):
    return {role: signed_in(UserFactory(role=role, clinic=world.clinic)) for role in ROLES}


def client_for(route: Route, clients: dict[Role, Client]) -> Client:
    return next(clients[role] for role in ROLES if route.open_to(role))


@contextmanager
def undone(client: Client) -> Iterator[None]:
    """Keep nothing of what is written meanwhile, nor a sign-out."""
    cookies = client.cookies.output(header="", sep=";")
    with transaction.atomic():
        yield
        transaction.set_rollback(True)
    client.cookies = SimpleCookie(cookies)


def broken(client: Client, method: str, url: str, **kwargs) -> str:
    """Send one request; return what is wrong with the answer, empty when nothing is."""
    before = dict(Visit.objects.values_list("pk", "stage"))
    try:
        with transaction.atomic():
            response = getattr(client, method)(url, **kwargs)
            if hasattr(response, "streaming_content"):
                b"".join(response.streaming_content)
            after = dict(Visit.objects.values_list("pk", "stage"))
    except Exception as error:  # the request broke the transaction it ran in
        return repr(error)[:200]
    if response.status_code >= 500 and response.status_code != 503:  # not ready: no worker runs here
        return str(response.status_code)
    moved = after != before and any(after[pk] != stage for pk, stage in before.items())
    return "moved a visit" if moved else ""


def test_garbage_in_the_address_breaks_nothing(world, clients):
    faults = []
    for route in all_routes():
        client, url = client_for(route, clients), route.url(world)
        for text in TEXTS:
            data = Garbage(text)
            with undone(client), querying(data):
                wrong = broken(client, "get", url)
            if wrong:
                faults.append(f"GET {route.name} ?={text[:30]!r}: {wrong}")
            if not data.asked.is_set():
                break  # what is in the query makes no difference to this page
    assert not faults, "\n".join(faults)


def test_garbage_in_every_field_breaks_nothing(world, clients):
    faults = []
    for route in all_routes():
        faults += post_garbage(route, route.url(world), clients, TEXTS)
    assert not faults, "\n".join(faults)


@pytest.mark.parametrize(
    "look",
    [
        lambda data: data["a"],
        lambda data: data.get("a"),
        lambda data: data.getlist("a"),
        lambda data: data.copy().get("a"),
        lambda data: data.urlencode(),
        lambda data: data.dict(),
        lambda data: list(data.items()),
        lambda data: list(data.values()),
        lambda data: [list(data.lists()), list(data.lists())],
        lambda data: {**data},
        dict,
        list,
    ],
)
def test_garbage_notices_that_it_is_looked_at(look):
    """The control: a page for which other texts are left out has not looked."""
    data = Garbage("x")
    assert not data.asked.is_set()
    look(data)
    assert data.asked.is_set()


def test_garbage_at_every_stage_moves_no_visit(world, clients):
    faults = []
    for route in all_routes():
        if not route.path.startswith(("visits/", "doctor/<", "today/visits/")) or route.name in STEPS:
            continue
        url = route.url(world)
        for stage in STAGES:
            at(world, stage)
            faults += [f"{stage}: {fault}" for fault in post_garbage(route, url, clients, AT_EVERY_STAGE)]
    assert not faults, "\n".join(faults)


# Posting to these is the step itself: they take no field that could be wrong.
STEPS = {"visit_receive", "today_step", "doctor_come_back"}


def at(world: World, stage: str) -> None:
    """Put the visit where the route's forms are open, by hand."""
    now = timezone.now()
    facts = {"handoff_at": now} if stage in STAGES[3:] else {}
    facts |= {"explaining_started_at": now} if stage in STAGES[4:] else {}
    doctor = UserFactory(role=Role.DOCTOR, clinic=world.clinic)
    Visit.objects.filter(pk=world.visit.pk).update(stage=stage, doctor=doctor, **facts)


def post_garbage(route: Route, url: str, clients: dict[Role, Client], texts: Sequence[str]) -> list[str]:
    """Post each text in every field; once more for each thing that a field may ask for."""
    client, faults = client_for(route, clients), []
    for but in [{}, *SWITCHES.get(route.name, [])]:
        for text in texts:
            data = Garbage(text, but)
            with undone(client), posting(data):
                wrong = broken(client, "post", url)
            if wrong and not (wrong == "moved a visit" and route.name in STEPS):
                faults.append(f"POST {route.name} {but} {text[:30]!r}: {wrong}")
            if not data.asked.is_set():
                break  # nothing was read: this address takes no POST, or no fields
    return faults


# Bodies are read before any view; these stand for all: visitors', patients', forms, uploads, drafts.
TAKING = {
    "account_login", "switch_theme", "patient_form_step", "patient_add", "import_list", "visit_exam_upload",
    "handoff_draft", "plan_edit", "search",
}  # fmt: skip


@pytest.mark.parametrize(
    "sent",
    [
        {"data": b"", "content_type": "multipart/form-data; boundary=x"},
        {"data": b"--x\r\nnonsense", "content_type": "multipart/form-data; boundary=x"},
        {"data": b"--x--", "content_type": "multipart/form-data"},
        {"data": b'{"a": [1', "content_type": "application/json"},
        {"data": b"\xff\xfe\x00%00=%ff", "content_type": "application/x-www-form-urlencoded"},
        {"data": b"<x/>", "content_type": "text/xml; charset=utf-16"},
        {"data": b"&".join(b"f%d=1" % n for n in range(2000)), "content_type": "application/x-www-form-urlencoded"},
    ],
    ids=["empty", "truncated", "no boundary", "json", "raw bytes", "xml", "2000 fields"],
)
def test_bodies_that_cannot_be_read_break_nothing(world, clients, sent):
    faults = []
    for route in (r for r in all_routes() if r.name in TAKING):
        client, url = client_for(route, clients), route.url(world)
        with undone(client):
            wrong = broken(client, "post", url, **sent)
        if wrong:
            faults.append(f"{route.name}: {wrong}")
    assert not faults, "\n".join(faults)


def test_no_text_with_a_nul_gets_through(world, clients):
    client = clients[Role.MANAGER]
    for route in (r for r in all_routes() if r.name in TAKING):
        url = route.url(world)
        assert client.get(url, {"q": "a\0b"}).status_code == 400, route.name
        assert client.post(url, {"name": "a\0b"}).status_code == 400, route.name
        assert client.post(url, {"name\0": "b"}).status_code == 400, route.name
    assert client.get("/f/%00/").status_code == 400
    stolen = Client(raise_request_exception=False, HTTP_COOKIE='sessionid="a\\000b"')
    assert stolen.get("/today/").status_code == 400


def test_a_body_larger_than_any_upload_is_refused_unread(client, settings):
    settings.REQUEST_MAX_BYTES = 1000
    assert client.post("/sign-in/", {"login": "x" * 1000}).status_code == 413


def test_other_methods_and_odd_headers_break_nothing(world, clients):
    odd = {
        "HTTP_HX_REQUEST": "true",
        "HTTP_HX_CURRENT_URL": "http://[::1/%ff%00",
        "HTTP_HX_TARGET": "%00\"'><",
        "HTTP_HX_TRIGGER": "²",
        "HTTP_ACCEPT_LANGUAGE": "x" * 5000,
        "HTTP_REFERER": "javascript:alert(1)",
        "HTTP_IF_MODIFIED_SINCE": "never",
        "HTTP_RANGE": "bytes=9-1,a-b",
        "HTTP_X_PART": "\xff",
    }
    faults = []
    for route in all_routes():
        client, url = client_for(route, clients), route.url(world)
        for method in ("get", "put", "options"):
            with undone(client):
                wrong = broken(client, method, url, **odd)
            if wrong:
                faults.append(f"{method} {route.name}: {wrong}")
        with undone(client):
            wrong = "" if route.name in STEPS else broken(client, "post", url, **odd)
        if wrong:
            faults.append(f"post {route.name}: {wrong}")
    assert not faults, "\n".join(faults)


@pytest.mark.parametrize("number", [str(2**63), "9" * 5000])
def test_ids_beyond_all_rows_are_not_found(world, clients, number):
    faults = []
    for route in (r for r in all_routes() if "<int:" in r.path):
        path = "/" + route.path
        while "<" in path:
            before, _open, rest = path.partition("<")
            kind, _close, after = rest.partition(">")
            path = before + (number if kind.startswith("int:") else "x") + after
        client = client_for(route, clients)
        for method in ("get", "post"):
            with undone(client):
                wrong = broken(client, method, path)
            if wrong:
                faults.append(f"{method} {route.name}: {wrong}")
    assert not faults, "\n".join(faults)


@pytest.mark.parametrize("address", ["https://evil.example/", "javascript:alert(1)"])
def test_no_address_leads_out_of_the_product(world, clients, address):
    faults = []
    for route in all_routes():
        client, url = client_for(route, clients), route.url(world)
        for method in ("get", "post"):
            headers = {"HTTP_REFERER": address, "HTTP_HX_CURRENT_URL": address}
            with undone(client):
                data = Garbage("1", {"next": address, "back": address, "return": address})
                with posting(data), querying(data):
                    response = getattr(client, method)(url, **headers)
            to = response.headers.get("Location", "") + response.headers.get("HX-Redirect", "")
            if to.startswith(("https://evil", "//evil", "/\\evil", "javascript:")):
                faults.append(f"{method} {route.name} → {to}")
            if response.headers.get("Content-Type", "").startswith("text/html"):
                text = response.content.decode()
                faults += [
                    f"{method} {route.name} links to {x}{address}"
                    for x in ('href="', 'action="')
                    if x + address in text
                ]
    assert not faults, "\n".join(faults)
