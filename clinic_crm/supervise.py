"""`make run`: web, worker and beat on one machine, with PostgreSQL and Valkey under them.

A child that dies is started again. Ctrl-C, SIGTERM or a closed terminal stops web, worker, beat,
Valkey and PostgreSQL, in that order. After a `kill -9` of this process the next start finds what was
left running by its recorded process groups, ends it, and goes on.
"""

import fcntl
import http.client
import json
import os
import signal
import socket
import subprocess
import sys
import time
from contextlib import closing, suppress
from pathlib import Path
from types import FrameType
from typing import IO

import psutil

from clinic_crm.embedded import BASE_DIR, Servers, joined, var_dir

READY_SECONDS = 120
STOP_SECONDS = 20
DEATHS_ALLOWED, DEATHS_WITHIN = 5, 60.0  # seconds
POLL_SECONDS = 0.25


class StopRequested(BaseException):
    """Somebody asked us to stop."""


class CannotRunError(RuntimeError):
    """The installation cannot run; the message says why."""


class Child:
    """One of our processes, the leader of a process group of its own."""

    def __init__(self, name: str, *arguments: str) -> None:
        self.name = name
        self.command = [sys.executable, "-m", *arguments]
        self.deaths: list[float] = []
        self.process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        self.process = subprocess.Popen(
            self.command, cwd=BASE_DIR, stdin=subprocess.DEVNULL, start_new_session=True, env=_child_environment()
        )

    def died(self) -> bool:
        return self.process is not None and self.process.poll() is not None

    def restart(self) -> None:
        """Start again after a death (raises CannotRunError when it keeps dying)."""
        assert self.process is not None
        _end_group(self.process.pid, signal.SIGKILL)  # workers that outlived their parent
        now = time.monotonic()
        self.deaths = [death for death in self.deaths if now - death < DEATHS_WITHIN] + [now]
        if len(self.deaths) >= DEATHS_ALLOWED:
            raise CannotRunError(f"{self.name} keeps dying (exit status {self.process.returncode}); see above.")
        _say(f"{self.name} ended with status {self.process.returncode}; starting it again.")
        self.start()

    def stop(self) -> None:
        """Ask it to end, and insist after STOP_SECONDS."""
        if self.process is None:
            return
        if self.process.poll() is None:
            self.process.terminate()
            try:
                self.process.wait(STOP_SECONDS)
            except subprocess.TimeoutExpired:
                _say(f"{self.name} does not stop; ending it.")
        _end_group(self.process.pid, signal.SIGKILL)
        self.process.wait()
        _say(f"Stopped {self.name}.")


def _child_environment() -> dict[str, str]:
    return os.environ | {
        "PYTHONUNBUFFERED": "1",
        # Celery warns of running as root because of pickle, which we do not accept.
        "PYTHONWARNINGS": "ignore:You're running the worker with superuser privileges",
        "PROMETHEUS_MULTIPROC_DIR": str(var_dir() / "prometheus"),
    }


def _children() -> list[Child]:
    """Return our processes in the order in which they stop."""
    celery = ("celery", "--quiet", "--app", "clinic_crm")
    return [
        Child("web", "gunicorn", "--config", str(BASE_DIR / "clinic_crm/gunicorn_conf.py")),
        Child("worker", *celery, "worker", "--loglevel", "WARNING", "--concurrency", "2", "--without-gossip",
              "--without-mingle"),
        # The plain scheduler keeps its state in memory: nothing to corrupt, and a late run changes nothing.
        Child("beat", *celery, "beat", "--loglevel", "WARNING", "--scheduler", "celery.beat.Scheduler",
              "--pidfile", ""),
    ]  # fmt: skip


def _say(line: str) -> None:
    print(line, flush=True)


def _end_group(group: int, number: int) -> None:
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(group, number)


def _lock(directory: Path) -> IO[str]:
    """Hold the right to run on this VAR_DIR (raises CannotRunError when somebody has it)."""
    (directory / "lock").mkdir(parents=True, exist_ok=True)
    file = (directory / "lock/run").open("a")
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        raise CannotRunError(f"It already runs on {directory}. Set VAR_DIR and PORT to run a second one.") from None
    return file


def _record(directory: Path, children: list[Child]) -> None:
    """Write down which process groups are ours, for whoever starts after a crash."""
    started = {child.process.pid: psutil.Process(child.process.pid).create_time() for child in children if child.process
               and not child.died()}  # fmt: skip
    fresh = directory / "children.json.new"
    fresh.write_text(json.dumps(started))
    fresh.replace(directory / "children.json")


def _end_leftovers(directory: Path) -> None:
    """End what a killed run left behind: processes of the groups it recorded, not older than recorded."""
    record = directory / "children.json"
    try:
        groups = {int(group): float(started) for group, started in json.loads(record.read_text()).items()}
    except (OSError, ValueError):
        return
    left = [process for process in psutil.process_iter() if _belongs(process, groups)]
    for process in left:
        _say(f"Ending process {process.pid}, left over from a run that was killed.")
        process.terminate()
    _, stubborn = psutil.wait_procs(left, STOP_SECONDS / 2)
    for process in stubborn:
        process.kill()
    record.unlink()


def _belongs(process: psutil.Process, groups: dict[int, float]) -> bool:
    try:
        started = groups.get(os.getpgid(process.pid))
        return (
            started is not None
            and process.create_time() >= started - 0.1
            and process.status() != psutil.STATUS_ZOMBIE
            and any(word in " ".join(process.cmdline()) for word in ("gunicorn", "celery"))
        )
    except (OSError, psutil.Error):
        return False


def _check_port(port: int) -> None:
    with closing(socket.socket()) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError as error:
            raise CannotRunError(f"Port {port} is taken. Choose another: make run PORT={port + 1}") from error


def _is_ready(port: int) -> bool:
    with closing(http.client.HTTPConnection("127.0.0.1", port, timeout=5)) as connection:
        try:
            connection.request("GET", "/readyz")
            return connection.getresponse().status == 200
        except (OSError, http.client.HTTPException):
            return False


def _watch(children: list[Child], servers: Servers, directory: Path, port: int) -> None:
    """Say when all is ready, and keep everything running until told to stop."""
    announced, end = False, time.monotonic() + READY_SECONDS
    while True:
        for child in children:
            if child.died():
                child.restart()
                _record(directory, children)
        for name in servers.revive():
            _say(f"{name} had died; started it again.")
        if not announced and _is_ready(port):
            _say(f"Ready at http://127.0.0.1:{port}")
            announced = True
        if not announced and time.monotonic() > end:
            raise CannotRunError(f"Not ready after {READY_SECONDS} s; http://127.0.0.1:{port}/readyz says why.")
        time.sleep(POLL_SECONDS)


def _prepare() -> None:
    process = subprocess.Popen(
        [sys.executable, "-m", "clinic_crm.prepare"], cwd=BASE_DIR, stdin=subprocess.DEVNULL, start_new_session=True
    )
    try:
        if process.wait():
            raise CannotRunError("Setting up failed; see above.")
    finally:
        if process.poll() is None:
            process.terminate()
            process.wait()


def _run(directory: Path, port: int) -> None:
    _end_leftovers(directory)
    _check_port(port)
    with joined(directory) as servers:
        children = _children()
        try:
            _prepare()
            for child in children:
                child.start()
            _record(directory, children)
            _watch(children, servers, directory, port)
        finally:
            for child in children:
                child.stop()
            (directory / "children.json").unlink(missing_ok=True)
            _say(_stopped(servers))


def _stopped(servers: Servers) -> str:
    names = [server.name for server in (servers.valkey, servers.postgres) if server]
    if not names:
        return "Stopped."
    return f"Stopped {' and '.join(names)}." if servers.leave() else "Another command uses the servers; left them up."


def _stop(_number: int, _frame: FrameType | None) -> None:
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)  # we are stopping; a second Ctrl-C must not interrupt that
    raise StopRequested


def main() -> int:
    """Run until told to stop; returns the exit status."""
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        if number != signal.SIGHUP or signal.getsignal(number) != signal.SIG_IGN:  # as under nohup
            signal.signal(number, _stop)
    directory, port = var_dir(), int(os.environ.get("PORT") or 8000)
    os.environ["PORT"] = str(port)
    try:
        with closing(_lock(directory)):
            _run(directory, port)
    except StopRequested:
        return 0
    except RuntimeError as error:
        print(error, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
