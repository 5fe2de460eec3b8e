"""Commands share the embedded servers: the first starts them, the last stops them, a killed one harms nobody."""

import os
import subprocess
import sys
from pathlib import Path

import psutil
import psycopg2
import pytest

from clinic_crm.embedded import BASE_DIR, DATABASE, LONGEST_SOCKET_DIR, Servers, joined, place
from tests.ground.conftest import PATIENCE

HOLD = """
from clinic_crm.embedded import joined
with joined():
    print("in", flush=True)
    input()
"""


@pytest.fixture(autouse=True)
def _nothing_given(monkeypatch):
    monkeypatch.delenv("DATABASE_URL", raising=False)
    monkeypatch.delenv("REDIS_URL", raising=False)


def holder(environment):
    """Start a command that holds the servers until its standard input closes."""
    process = subprocess.Popen(
        [sys.executable, "-c", HOLD], cwd=BASE_DIR, env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
        text=True,
    )  # fmt: skip
    assert process.stdout.readline() == "in\n"
    return process


def finish(process):
    process.communicate("\n", timeout=PATIENCE)
    assert process.returncode == 0


def ask(var, sql):
    connection = psycopg2.connect(host=str(place(var).run), user="postgres", dbname=DATABASE)
    connection.autocommit = True
    with connection.cursor() as cursor:
        cursor.execute(sql)
        row = cursor.fetchone() if cursor.description else None
    connection.close()
    return row


def postmaster(var):
    return int((place(var).home / "postgres/data/postmaster.pid").read_text().splitlines()[0])


def running(servers):
    return [server.alive() for server in (servers.postgres, servers.valkey)]


def test_commands_share_the_servers_and_the_last_one_stops_them(own_var, own_environment):
    servers = Servers(own_var)
    first, second = holder(own_environment), holder(own_environment)
    pid = postmaster(own_var)
    assert running(servers) == [True, True]
    finish(first)
    assert running(servers) == [True, True]
    assert postmaster(own_var) == pid
    finish(second)
    assert running(servers) == [False, False]


def test_sigterm_ends_a_command_politely(own_var, own_environment):
    command = holder(own_environment)
    command.terminate()
    command.wait(30)
    command.stdin.close()
    command.stdout.close()
    assert running(Servers(own_var)) == [False, False]


def test_what_a_killed_command_left_is_joined_and_later_stopped(own_var, own_environment):
    command = holder(own_environment)
    command.kill()
    command.communicate()
    assert running(Servers(own_var)) == [True, True]
    with joined(own_var) as servers:
        assert running(servers) == [True, True]
    assert running(servers) == [False, False]


def test_a_killed_server_is_started_again_and_keeps_what_was_committed(own_var):
    with joined(own_var) as servers:
        ask(own_var, "CREATE TABLE kept AS SELECT 7 AS number")
        killed = psutil.Process(postmaster(own_var))
        killed.kill()
        psutil.wait_procs([killed], timeout=PATIENCE)
        assert servers.revive() == ["PostgreSQL"]
        assert ask(own_var, "SELECT number FROM kept") == (7,)
        assert servers.revive() == []


def test_the_cluster_sees_chinese_letters_and_waits_for_the_disk(own_var):
    with joined(own_var):
        ask(own_var, "CREATE EXTENSION pg_trgm")
        (trigrams, encoding, commit) = ask(
            own_var,
            "SELECT show_trgm('沈雨薇'), current_setting('server_encoding'), current_setting('synchronous_commit')",
        )
        assert len(trigrams) == 4
        assert (encoding, commit) == ("UTF8", "on")
        assert ask(own_var, "SELECT count(*) FROM pg_settings WHERE name = 'listen_addresses' AND setting = ''") == (1,)


def test_a_deep_directory_gets_short_sockets(own_var):
    deep = own_var / ("d" * 60) / ("e" * 60)
    assert len(str(place(deep).run)) <= LONGEST_SOCKET_DIR
    with joined(deep):
        assert ask(deep, "SELECT 1") == (1,)
    assert place(deep).run.stat().st_mode & 0o777 == 0o700
    place(deep).run.rmdir()


def test_two_instances_do_not_meet(own_var, own_environment):
    other = Path(f"{own_var}-other")
    assert place(own_var) != place(other)
    assert Servers(own_var).locks != Servers(other).locks


def test_servers_given_by_the_environment_are_left_alone(own_var, monkeypatch):
    monkeypatch.setenv("DATABASE_URL", "postgres://crm@db/crm")
    monkeypatch.setenv("REDIS_URL", "redis://redis/0")
    with joined(own_var) as servers:
        assert (servers.postgres, servers.valkey) == (None, None)
    assert list(own_var.iterdir()) == []


@pytest.mark.skipif(os.geteuid() != 0, reason="only root has to give its cluster to another user")
def test_root_keeps_data_elsewhere_when_nobody_else_may_enter(own_var):
    closed = own_var / "closed"
    closed.mkdir(mode=0o700)
    var = closed / "var"
    home = place(var).home
    assert not home.is_relative_to(own_var)
    with joined(var):
        assert ask(var, "SELECT 1") == (1,)
    assert closed.stat().st_mode & 0o777 == 0o700, "only directories of our own are opened"
    closed.chmod(0o755)
    assert place(var).home == home, "a cluster stays where it is"
    subprocess.run(["rm", "-r", str(home)], check=True)


def test_manage_py_runs_by_itself(own_var, own_environment):
    done = subprocess.run(
        [sys.executable, "manage.py", "shell", "-v0", "-c",
         "from django.db import connection as c; k = c.cursor(); k.execute('SELECT 6 * 7'); print(k.fetchone()[0])"],
        cwd=BASE_DIR, env=own_environment, capture_output=True, text=True, timeout=PATIENCE,
    )  # fmt: skip
    assert done.stdout.strip() == "42", done.stderr
    assert running(Servers(own_var)) == [False, False]
