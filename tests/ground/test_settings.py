"""Production refuses to start on anything a default installation would accept."""

import os
import subprocess
import sys

import pytest

from clinic_crm.embedded import BASE_DIR
from tests.ground.conftest import PATIENCE

SAFE = {
    "PRODUCTION": "1",
    "SECRET_KEY": "s" * 50,
    "DATABASE_URL": "postgres://crm:Vq8-long-and-odd@db/clinic_crm",
    "REDIS_URL": "redis://redis:6379/0",
}


def load_settings(**environment: str) -> subprocess.CompletedProcess[str]:
    inherited = {key: value for key, value in os.environ.items() if key in {"PATH", "LANG", "HOME", "VAR_DIR"}}
    return subprocess.run(
        [sys.executable, "-c", "from clinic_crm import settings; print(settings.SECURE_SSL_REDIRECT)"],
        cwd=BASE_DIR, env=inherited | environment, capture_output=True, text=True, timeout=PATIENCE,
    )  # fmt: skip


def test_production_starts_with_everything_set():
    done = load_settings(**SAFE)
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip() == "True"


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        ({"DEBUG": "1"}, "DEBUG must be off"),
        ({"SECRET_KEY": ""}, "SECRET_KEY must be set"),
        ({"SECRET_KEY": "not-a-secret-for-one-machine-only"}, "SECRET_KEY must be set"),
        ({"SECRET_KEY": "short"}, "at least 32 characters"),
        ({"DATABASE_URL": ""}, "DATABASE_URL must be set"),
        ({"REDIS_URL": ""}, "REDIS_URL must be set"),
        ({"DATABASE_URL": "postgres://crm:postgres@db/clinic_crm"}, "must not be a default one"),
        ({"DATABASE_URL": "postgres://crm@db/clinic_crm"}, "must not be a default one"),
    ],
)
def test_production_refuses_what_is_unsafe(change, complaint):
    done = load_settings(**(SAFE | change))
    assert done.returncode != 0
    assert complaint in done.stderr
    assert "Vq8-long-and-odd" not in done.stderr, "the complaint must not tell the password"
