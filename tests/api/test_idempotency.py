"""However often, and however many at once, a POST with one Idempotency-Key has one effect and one answer."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from threading import Barrier

import pytest
from django.db import connection, transaction
from django.utils import timezone

from accounts.api import idempotency
from accounts.models import IdempotentRequest
from accounts.permissions import Role
from accounts.services.kept_answers import KEPT, drop_old
from accounts.tasks import drop_old_answers
from patients.models import Patient
from tests.api.asking import problem, program, send
from tests.factories import ClinicFactory, UserFactory

PATIENTS = "/api/v1/patients/"
BODY = {"name": "沈雨薇", "phones": [{"number": "19900001734"}]}
AT_ONCE = 32


@pytest.fixture
def client(db):
    return program(UserFactory(clinic=ClinicFactory(), role=Role.COORDINATOR))


def post(client, key="one", body=BODY, **headers):
    return send(client, "POST", PATIENTS, body, Idempotency_Key=key, **headers)


def test_a_repeated_request_is_answered_as_before(client):
    first, again = post(client), post(client)
    assert first.status_code == again.status_code == 201
    assert first.content == again.content
    assert [first[name] for name in ("Location", "ETag", "Content-Type")] == [
        again[name] for name in ("Location", "ETag", "Content-Type")
    ]
    assert "Idempotent-Replayed" not in first
    assert again["Idempotent-Replayed"] == "true"
    assert Patient.objects.count() == 1


def test_another_key_is_another_request(client):
    post(client, "one")
    told = problem(post(client, "two"), 409, "conflict")
    assert told["duplicates"][0]["name"] == "沈雨薇"


def test_another_body_with_the_key_is_refused(client):
    post(client)
    problem(post(client, body=BODY | {"name": "周岚"}), 422, "idempotency-key")
    problem(send(client, "POST", "/api/v1/care/", BODY, Idempotency_Key="one"), 422, "idempotency-key")
    assert Patient.objects.count() == 1


def test_another_persons_key_is_their_own(client):
    other = program(UserFactory(clinic=ClinicFactory(), role=Role.COORDINATOR))
    assert post(client).json()["id"] != post(other).json()["id"]


def test_refusals_are_kept_too(client):
    first, again = post(client, body={"name": ""}), post(client, body={"name": ""})
    problem(first, 422, "invalid")
    assert again.content == first.content
    assert again["Content-Type"] == "application/problem+json"
    assert again["Idempotent-Replayed"] == "true"


def test_faults_of_ours_are_not_kept_and_leave_nothing(client, monkeypatch):
    from patients.api import patients

    right = patients.register_patient

    def breaks(**kwargs):
        right(**kwargs)
        raise RuntimeError

    monkeypatch.setattr(patients, "register_patient", breaks)
    problem(post(client), 500, "server-error")
    assert not IdempotentRequest.objects.exists()
    assert not Patient.objects.exists()
    monkeypatch.setattr(patients, "register_patient", right)
    assert post(client).status_code == 201


def test_effect_and_answer_are_stored_together_or_not_at_all(client, monkeypatch):
    """A crash while the answer is stored takes the effect with it."""

    def crash(**kwargs):
        raise SystemError

    monkeypatch.setattr(idempotency, "keep", crash)
    assert post(client).status_code == 500
    assert not Patient.objects.exists()


def test_answers_lie_encrypted(client):
    post(client)
    row = IdempotentRequest.objects.get()
    assert "沈雨薇".encode() not in bytes(row.body)
    assert (row.status, row.path) == (201, PATIENTS)


def test_answers_are_kept_a_day(client):
    post(client)
    IdempotentRequest.objects.update(created_at=timezone.now() - KEPT + timedelta(minutes=1))
    drop_old_answers()
    assert post(client)["Idempotent-Replayed"] == "true"
    IdempotentRequest.objects.update(created_at=timezone.now() - KEPT - timedelta(minutes=1))
    problem(post(client), 409, "conflict")  # old, though not swept yet: done anew
    IdempotentRequest.objects.update(created_at=timezone.now() - KEPT - timedelta(minutes=1))
    assert drop_old() == 1


@pytest.mark.parametrize("key", ["", "a b", "键", "x" * 256])
def test_a_key_is_visible_ascii(client, key):
    problem(post(client, key), 400, "bad-request")


def test_a_missing_version_is_asked_for_again_with_the_same_key(client):
    pk = post(client).json()["id"]
    url, body = f"{PATIENTS}{pk}/allergies/", {"allergies": "青霉素", "medical_notes": ""}
    problem(send(client, "POST", url, body, Idempotency_Key="two"), 428)
    assert send(client, "POST", url, body, Idempotency_Key="two", If_Match="*").status_code == 200


# --- at once ----------------------------------------------------------------------------------------


def at_once(secret, body) -> list:
    """Send one request from many threads at the same moment."""
    from django.test import Client

    start = Barrier(AT_ONCE)

    def one(_n):
        client = Client(headers={"authorization": secret}, raise_request_exception=False)
        start.wait()
        try:
            return send(client, "POST", PATIENTS, body, Idempotency_Key="one")
        finally:
            connection.close()

    with ThreadPoolExecutor(AT_ONCE) as pool:
        return list(pool.map(one, range(AT_ONCE)))


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("protected", [True, False])
def test_thirty_two_at_once_have_one_effect_and_one_answer(client, monkeypatch, protected):
    """The control: without the key's protection the same requests have many effects."""
    if not protected:
        monkeypatch.setattr(idempotency, "key_of", lambda request: "")
    body = BODY | {"same_person_is_another": True}
    answers = at_once(client.defaults["HTTP_AUTHORIZATION"], body)
    assert {answer.status_code for answer in answers} == {201}
    if not protected:
        assert Patient.objects.count() == AT_ONCE
        return
    assert Patient.objects.count() == 1
    assert len({answer.content for answer in answers}) == 1
    assert sum("Idempotent-Replayed" in answer for answer in answers) == AT_ONCE - 1


@pytest.mark.django_db(transaction=True)
def test_who_waits_too_long_is_told_so(client, monkeypatch):
    """The key is held by a transaction that does not end; nobody waits for ever."""
    monkeypatch.setattr("accounts.services.kept_answers.WAIT_SECONDS", 1)
    user = IdempotentRequest._meta.get_field("user").related_model.objects.get()

    def late(_n):
        try:
            return post(client)
        finally:
            connection.close()

    with transaction.atomic():
        IdempotentRequest.objects.create(user=user, key="one", method="POST", path=PATIENTS, fingerprint="x")
        with ThreadPoolExecutor(1) as pool:
            answer = next(iter(pool.map(late, [0])))
        problem(answer, 503, "busy")
        assert answer["Retry-After"] == "1"
        transaction.set_rollback(True)
