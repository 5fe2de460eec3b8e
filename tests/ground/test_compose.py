"""docker-compose.yml runs the product's five parts, and without secrets runs nothing."""

import os
import re
import shutil
import subprocess

import pytest
import yaml

from clinic_crm.embedded import BASE_DIR

TEXT = (BASE_DIR / "docker-compose.yml").read_text()
EXAMPLE = (BASE_DIR / ".env.example").read_text()
SECRETS = {"SECRET_KEY", "DATA_KEY", "POSTGRES_PASSWORD", "REDIS_PASSWORD"}


def has_compose():
    return (
        bool(shutil.which("docker"))
        and not subprocess.run(["docker", "compose", "version"], capture_output=True).returncode
    )


def test_the_parts_are_there():
    services = yaml.safe_load(TEXT)["services"]
    assert {"web", "worker", "beat", "postgres", "redis"} <= set(services)
    assert services["postgres"]["image"] == "postgres:18"
    assert all("healthcheck" in services[name] for name in ("web", "postgres", "redis"))


def test_secrets_have_no_defaults():
    for name, rest in re.findall(r"\$\{(\w+)([^}]*)\}", TEXT):
        if name in SECRETS:
            assert rest.startswith(":?"), f"{name} must be required"
    assert set(re.findall(r"\$\{(\w+):\?", TEXT)) >= SECRETS
    assert all(re.search(rf"^{name}=$", EXAMPLE, re.MULTILINE) for name in SECRETS)


def test_the_example_names_every_variable():
    assert set(re.findall(r"\$\{(\w+)", TEXT)) == set(re.findall(r"^(\w+)=", EXAMPLE, re.MULTILINE))


def test_settings_know_every_variable_given_to_the_product():
    given = set(yaml.safe_load(TEXT)["services"]["web"]["environment"])
    settings = (BASE_DIR / "clinic_crm/settings.py").read_text()
    assert not {name for name in given if f'"{name}"' not in settings}


@pytest.mark.skipif(not has_compose(), reason="docker compose is not installed")
def test_compose_accepts_the_file(tmp_path):
    filled = re.sub(r"^(\w+)=$", r"\1=Filled1n", EXAMPLE, flags=re.MULTILINE)
    (tmp_path / "filled").write_text(filled)
    (tmp_path / "empty").write_text(EXAMPLE)
    environment = {"PATH": os.environ["PATH"], "HOME": str(tmp_path)}
    results = [
        subprocess.run(
            ["docker", "compose", "--env-file", tmp_path / name, "config", "--quiet"],
            cwd=BASE_DIR, env=environment, capture_output=True, text=True,
        )
        for name in ("filled", "empty")
    ]  # fmt: skip
    assert results[0].returncode == 0, results[0].stderr
    assert results[1].returncode != 0
    assert "set SECRET_KEY" in results[1].stderr or "required variable" in results[1].stderr
