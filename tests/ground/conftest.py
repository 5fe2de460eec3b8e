"""Instances of one's own: a VAR_DIR that no other test or person uses."""

import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from clinic_crm.embedded import SHARED_HOMES, place

PATIENCE = 300  # seconds until a command counts as stuck; a busy machine takes a minute to start one


@pytest.fixture
def own_var() -> Iterator[Path]:
    """An empty VAR_DIR, outside pytest's own directories because other users may not enter those."""
    var = Path(tempfile.mkdtemp(prefix="clinic-crm-test-", dir="/tmp"))
    var.chmod(0o755)
    yield var
    for directory in {place(var).home, place(var).run, var}:
        shutil.rmtree(directory, ignore_errors=True)
    if SHARED_HOMES.exists() and not any(SHARED_HOMES.iterdir()):
        SHARED_HOMES.rmdir()


@pytest.fixture
def own_environment(own_var: Path) -> dict[str, str]:
    """An environment in which commands use `own_var` and the embedded servers."""
    left_out = {"DATABASE_URL", "REDIS_URL", "PYTEST_XDIST_WORKER", "DJANGO_ALLOW_ASYNC_UNSAFE"}
    return {key: value for key, value in os.environ.items() if key not in left_out} | {
        "VAR_DIR": str(own_var),
        "PYTHONUNBUFFERED": "1",
    }
