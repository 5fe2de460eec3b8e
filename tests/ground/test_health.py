"""/healthz, /readyz and /metrics tell the truth, and only to those who may know."""

import time

import pytest
from django.db import connection
from django.db.migrations.recorder import MigrationRecorder

from clinic_crm import health
from clinic_crm.tasks import beat_heartbeat


@pytest.fixture(autouse=True)
def _fresh(monkeypatch):
    monkeypatch.setattr(health, "_migrated", False)
    beat_heartbeat()


def test_healthz_touches_nothing(client, django_assert_num_queries, settings, db):
    settings.REDIS_URL = "unix:///nowhere/at/all.sock"
    with django_assert_num_queries(0):
        response = client.get("/healthz")
    assert response.status_code == 200
    assert "no-store" in response["Cache-Control"]


def test_readyz_is_200_when_every_part_works(client, db):
    response = client.get("/readyz")
    assert response.json() == {
        "ready": True,
        "database": "ok",
        "redis": "ok",
        "migrations": "ok",
        "worker": "ok",
        "jobs": "ok",
    }
    assert response.status_code == 200


def test_readyz_names_a_worker_that_never_spoke(client, db, settings):
    health._redis(settings.REDIS_URL).delete(health.HEARTBEAT_KEY)
    response = client.get("/readyz")
    assert response.status_code == 503
    assert response.json()["worker"] == "failed: no heartbeat yet"
    assert response.json()["database"] == "ok"


def test_readyz_names_a_worker_that_fell_silent(client, db, settings):
    health._redis(settings.REDIS_URL).set(health.HEARTBEAT_KEY, time.time() - health.HEARTBEAT_SECONDS - 5)
    response = client.get("/readyz")
    assert response.status_code == 503
    assert response.json()["worker"].startswith("failed: last heartbeat")


def test_readyz_names_redis(client, db, settings):
    settings.REDIS_URL = "unix:///nowhere/at/all.sock"
    response = client.get("/readyz")
    assert response.status_code == 503
    assert response.json()["redis"] == "failed: unreachable"


def test_readyz_names_unapplied_migrations(client, db):
    MigrationRecorder(connection).migration_qs.filter(app="accounts").delete()
    response = client.get("/readyz")
    assert response.status_code == 503
    assert response.json()["migrations"].endswith("not applied")


def test_readyz_names_the_database(client, db, monkeypatch):
    def refuse(*args, **kwargs):
        raise health.DatabaseError("gone")

    with monkeypatch.context() as patch:
        patch.setattr(connection, "cursor", refuse)
        response = client.get("/readyz")
    assert response.status_code == 503
    assert response.json()["database"] == "failed: unreachable"


def test_metrics_are_for_the_collector_alone(client, db):
    assert b"django_http_requests" in client.get("/metrics").content
    assert client.get("/metrics", REMOTE_ADDR="203.0.113.7").status_code == 404
    assert client.get("/metrics", headers={"X-Forwarded-For": "127.0.0.1"}).status_code == 404


def test_probes_do_not_fill_the_log(client, db, settings, caplog):
    settings.REDIS_URL = "unix:///nowhere/at/all.sock"
    client.get("/readyz")
    assert not caplog.records
