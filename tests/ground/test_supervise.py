"""`make run` comes up, survives the death of any part and of all, and stops everything in order."""

import json
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request

import psutil
import pytest

from clinic_crm.embedded import BASE_DIR, Servers
from tests.ground.conftest import PATIENCE


@pytest.fixture
def port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Run:
    """One supervisor with its output."""

    def __init__(self, environment, var, port):
        self.var, self.port = var, port
        self.process = subprocess.Popen(
            [sys.executable, "-m", "clinic_crm.supervise"], cwd=BASE_DIR, text=True,
            env=environment | {"PORT": str(port), "DEMO": "0", "WEB_WORKERS": "1"},
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
        )  # fmt: skip
        self.lines = []

    def wait_until_ready(self):
        for line in self.process.stdout:
            self.lines.append(line.strip())
            if line.startswith("Ready at"):
                assert line.strip() == f"Ready at http://127.0.0.1:{self.port}"
                return
        pytest.fail("never ready:\n" + "\n".join(self.lines))

    def children(self):
        return [int(group) for group in json.loads((self.var / "children.json").read_text())]

    def answers(self):
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self.port}/readyz", timeout=5) as response:
                return response.status == 200
        except (OSError, urllib.error.URLError):
            return False

    def wait_until(self, condition):
        end = time.monotonic() + PATIENCE
        while not condition():
            assert time.monotonic() < end
            assert self.process.poll() is None, self.process.stdout.read()
            time.sleep(0.1)

    def stop(self, number=signal.SIGTERM):
        self.process.send_signal(number)
        rest, _ = self.process.communicate(timeout=PATIENCE)
        return [line for line in rest.splitlines() if line.startswith("Stopped")]


def kill(pid):
    os.kill(pid, signal.SIGKILL)


def test_deaths_and_stops(own_var, own_environment, port):
    run = Run(own_environment, own_var, port)
    try:
        run.wait_until_ready()
        servers = Servers(own_var)

        web, worker, beat = run.children()
        kill(web)
        run.wait_until(lambda: web not in run.children() and run.answers())
        assert run.children()[1:] == [worker, beat], "the others were left alone"

        database = servers.postgres._pid()
        kill(database)
        run.wait_until(lambda: servers.postgres._pid() not in (None, database) and run.answers())

        everything = [run.process.pid, *run.children(), servers.postgres._pid()]
        left = [process for pid in everything for process in psutil.Process(pid).children(recursive=True)]
        for pid in everything:
            kill(pid)
        run.process.communicate()

        run = Run(own_environment, own_var, port)
        run.wait_until_ready()
        assert not [process for process in left if process.is_running() and process.status() != psutil.STATUS_ZOMBIE]
        second = Run(own_environment, own_var, port)
        assert "It already runs" in second.process.communicate(timeout=PATIENCE)[0]
        assert second.process.returncode == 1

        children = [psutil.Process(pid) for pid in run.children()]
        assert run.stop() == ["Stopped web.", "Stopped worker.", "Stopped beat.", "Stopped Valkey and PostgreSQL."]
        assert run.process.returncode == 0
        assert not [child for child in children if child.is_running()]
        assert not servers.postgres.alive()
        assert not servers.valkey.alive()
    finally:
        if run.process.poll() is None:
            run.stop()


def test_a_taken_port_is_said_before_anything_starts(own_var, own_environment):
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        run = Run(own_environment, own_var, port)
        said, _ = run.process.communicate(timeout=PATIENCE)
    assert said.strip() == f"Port {port} is taken. Choose another: make run PORT={port + 1}"
    assert run.process.returncode == 1
    assert not (own_var / "postgres").exists()
