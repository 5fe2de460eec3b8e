"""The scaled example stands on docker-compose.yml, and the settings table on the code."""

import os
import re
import subprocess
from io import StringIO

import pytest
import yaml
from django.core.management import call_command

from clinic_crm.embedded import BASE_DIR
from clinic_crm.management.commands.settings_table import variables
from clinic_crm.settings_words import MEANINGS
from tests.ground.test_compose import EXAMPLE, has_compose

FILES = ("docker-compose.yml", "docker-compose.scaled.yml")


class Loader(yaml.SafeLoader):
    """Reads compose's own marks as what they mark."""


Loader.add_constructor("!reset", lambda loader, node: loader.construct_sequence(node))


def test_several_web_and_workers_and_one_beat_share_a_pool():
    services = yaml.load((BASE_DIR / FILES[1]).read_text(), Loader)["services"]  # noqa: S506  a safe loader
    replicas = {name: services[name]["deploy"]["replicas"] for name in ("web", "worker", "beat")}
    assert replicas == {"web": 3, "worker": 3, "beat": 1}
    for name in replicas:
        assert "@pgbouncer:" in services[name]["environment"]["DATABASE_URL"]
    assert "migrate" not in services, "migrations take PostgreSQL's own connection"


@pytest.mark.skipif(not has_compose(), reason="docker compose is not installed")
def test_compose_accepts_both_files_together(tmp_path):
    filled = re.sub(r"^(\w+)=$", r"\1=Filled1n", EXAMPLE, flags=re.MULTILINE)
    (tmp_path / "filled").write_text(filled + "\nSITE_HOST=crm.example.com\n")
    (tmp_path / "no-host").write_text(filled.replace("SITE_HOST=Filled1n", ""))
    environment = {"PATH": os.environ["PATH"], "HOME": str(tmp_path)}
    files = [part for name in FILES for part in ("-f", name)]
    results = [
        subprocess.run(
            ["docker", "compose", *files, "--env-file", tmp_path / name, "config"],
            cwd=BASE_DIR, env=environment, capture_output=True, text=True,
        )
        for name in ("filled", "no-host")
    ]  # fmt: skip
    assert results[0].returncode == 0, results[0].stderr
    services = yaml.safe_load(results[0].stdout)["services"]
    assert not services["web"].get("ports")
    assert "@postgres:" in services["migrate"]["environment"]["DATABASE_URL"]
    assert services["web"]["environment"]["PGBOUNCER"] == "1"
    assert results[1].returncode != 0
    assert "SITE_HOST" in results[1].stderr


def test_every_variable_that_the_code_reads_has_a_meaning():
    assert set(variables()) == set(MEANINGS)


def test_the_table_has_a_line_for_each_with_its_default():
    out = StringIO()
    call_command("settings_table", stdout=out)
    assert "| `SESSION_IDLE_MINUTES` | `480` |" in out.getvalue()
    assert "| `PRODUCTION` | `0` |" in out.getvalue()
    assert len(out.getvalue().splitlines()) == len(MEANINGS) + 2
