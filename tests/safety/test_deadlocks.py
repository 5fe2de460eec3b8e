"""A write that meets another in a deadlock is done again, and ends in "busy" when that does not help."""

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import OperationalError, connection

from accounts.api.retrying import TRIES, retried
from accounts.permissions import Role
from patients.api import patients
from patients.models import Patient
from tests.api.asking import problem, program, send
from tests.factories import ClinicFactory, UserFactory

PATIENTS = "/api/v1/patients/"
BODY = {"name": "沈雨薇", "phones": [{"number": "19900001734"}]}


class Ended(Exception):
    """As psycopg tells it."""

    def __init__(self, pgcode: str) -> None:
        self.pgcode = pgcode


def ended(pgcode: str) -> OperationalError:
    error = OperationalError("ended")
    error.__cause__ = Ended(pgcode)
    return error


@pytest.fixture
def client(db: None) -> Any:
    return program(UserFactory(clinic=ClinicFactory(), role=Role.COORDINATOR))


@pytest.fixture
def breaks(monkeypatch: pytest.MonkeyPatch) -> Any:
    """Let registering a patient be ended so many times, after it has written."""
    right, left = patients.register_patient, []

    def register(**kwargs: Any) -> Any:
        made = right(**kwargs)
        if left:
            raise left.pop()
        return made

    monkeypatch.setattr(patients, "register_patient", register)

    def fails(times: int, pgcode: str = "40P01") -> None:
        left[:] = [ended(pgcode) for _ in range(times)]

    return fails


@pytest.mark.parametrize("pgcode", ["40P01", "40001"])
@pytest.mark.parametrize("headers", [{}, {"Idempotency_Key": "one"}], ids=["no key", "key"])
def test_what_was_ended_is_done_again(client, breaks, pgcode, headers):
    breaks(TRIES - 1, pgcode)
    assert send(client, "POST", PATIENTS, BODY, **headers).status_code == 201
    assert Patient.objects.count() == 1
    again = send(client, "POST", PATIENTS, BODY, **headers)
    assert (again.status_code, Patient.objects.count()) == (201 if headers else 409, 1)


@pytest.mark.parametrize("headers", [{}, {"Idempotency_Key": "one"}], ids=["no key", "key"])
def test_what_is_ended_every_time_is_told_so_and_writes_nothing(client, breaks, headers):
    breaks(TRIES)
    answer = send(client, "POST", PATIENTS, BODY, **headers)
    problem(answer, 503, "busy")
    assert answer["Retry-After"] == "1"
    assert not Patient.objects.exists()
    assert send(client, "POST", PATIENTS, BODY, **headers).status_code == 201  # the answer was not kept


def test_other_errors_of_the_database_are_not_tried_again(client, breaks):
    breaks(1, "57014")
    problem(send(client, "POST", PATIENTS, BODY), 500, "server-error")
    assert not Patient.objects.exists()


def test_uploads_are_read_again_from_their_beginning():
    file, read = SimpleUploadedFile("a.csv", b"abc"), []

    class Files:
        def lists(self) -> Any:
            return [("file", [file])]

    request = type("Asked", (), {"_request": type("Below", (), {"FILES": Files()})()})()

    def write() -> None:
        read.append(file.read())
        if len(read) < TRIES:
            raise ended("40P01")

    retried(request, write)
    assert read == [b"abc"] * TRIES


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("again", [True, False])
def test_two_requests_that_lock_crosswise_both_succeed(monkeypatch, again):
    """Two programs change two patients, each the other's first. The control: without repeating, one fails."""
    clinic = ClinicFactory()
    client = program(UserFactory(clinic=clinic, role=Role.COORDINATOR))
    rows = [Patient.objects.create(name=name) for name in ("周岚", "许若云")]
    right, meet, ordered = patients.register_patient, Barrier(2), iter([rows, rows[::-1]])

    def crosswise(**kwargs: Any) -> Any:
        mine = next(ordered, None)
        for row in mine or []:
            Patient.objects.select_for_update().get(pk=row.pk)
            if row is mine[0]:
                meet.wait(20)
        return right(**kwargs)

    monkeypatch.setattr(patients, "register_patient", crosswise)
    if not again:
        monkeypatch.setattr("accounts.api.retrying.TRIES", 1)

    def one(name: str) -> int:
        from django.test import Client

        asking = Client(headers={"authorization": client.defaults["HTTP_AUTHORIZATION"]})
        try:
            return int(send(asking, "POST", PATIENTS, {"name": name}).status_code)
        finally:
            connection.close()

    with ThreadPoolExecutor(2) as pool:
        answers = sorted(pool.map(one, ["甲一", "乙二"]))
    assert answers == ([201, 201] if again else [201, 503])
