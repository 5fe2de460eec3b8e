"""PostgreSQL and Valkey for one machine, shared by every command that runs on the same VAR_DIR.

Whoever needs the servers holds a shared lock for as long as it runs. Coming and going happen under
a second, exclusive lock: the first to come starts them, the last to go stops them. Both locks are
the kernel's, so a process that is killed lets go of them by dying, and whatever it left running is
joined, and later stopped, by the next one.

With DATABASE_URL or REDIS_URL set, the respective server is not ours and is left alone.
"""

import fcntl
import hashlib
import os
import signal
import stat
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO
from urllib.parse import quote

BASE_DIR = Path(__file__).resolve().parent.parent
DATABASE = "clinic_crm"
SERVICE_USER = "embedded_postgres"  # PostgreSQL refuses to run as root
LONGEST_SOCKET_DIR = 80  # bytes; a socket's whole path may have about 104
SHARED_HOMES = Path("/var/lib/clinic-crm")  # for root, when VAR_DIR lies where no other user may go


@dataclass(frozen=True)
class Place:
    """Where one instance keeps its servers' files."""

    home: Path  # data and logs
    run: Path  # sockets; short, because the kernel limits a socket's path


def var_dir() -> Path:
    """Return the directory that VAR_DIR names, `var/` beside manage.py by default."""
    return Path(os.environ.get("VAR_DIR") or BASE_DIR / "var").expanduser().resolve()


def place(var: Path) -> Place:
    """Return where the servers of `var` live; reads the file system, changes nothing."""
    var = var.expanduser().resolve()
    digest = hashlib.sha256(str(var).encode()).hexdigest()[:12]
    note = var / "embedded-home"
    if note.exists():  # a cluster does not move because somebody changed a directory's mode
        home = Path(note.read_text().strip())
    else:
        home = var if os.geteuid() != 0 or _others_can_enter(var.parent) else SHARED_HOMES / digest
    run = home / "run"
    if len(os.fsencode(run)) > LONGEST_SOCKET_DIR:
        run = Path("/tmp") / f"clinic-crm-{os.geteuid()}-{digest}"  # noqa: S108  mode 0700, owner checked
    return Place(home, run)


def database_url(var: Path) -> str:
    """Return the URL of the embedded database of `var`, running or not."""
    return f"postgres://postgres@{quote(str(place(var).run), safe='')}/{DATABASE}"


def redis_url(var: Path) -> str:
    """Return the URL of the embedded Valkey of `var`, running or not."""
    return f"unix://{place(var).run / 'valkey.sock'}"


class Servers:
    """The embedded servers that the environment leaves to us."""

    def __init__(self, var: Path) -> None:
        from clinic_crm.servers import Postgres, Valkey

        self.locks = var / "lock"
        self.place = place(var)
        self.postgres = None if os.environ.get("DATABASE_URL") else Postgres(self.place)
        self.valkey = None if os.environ.get("REDIS_URL") else Valkey(self.place)
        self._users: IO[str] | None = None

    def join(self) -> None:
        """Count ourselves in, starting whatever does not run."""
        if not (self.postgres or self.valkey):
            return
        with self._gate():
            if self.place.home != self.locks.parent:
                (self.locks.parent / "embedded-home").write_text(f"{self.place.home}\n")
            self._users = (self.locks / "users").open("a")
            fcntl.flock(self._users, fcntl.LOCK_SH)
            self._start_missing()

    def revive(self) -> list[str]:
        """Start again whatever died while we use it; returns the names."""
        if all(server.alive() for server in (self.postgres, self.valkey) if server):
            return []
        with self._gate():
            return self._start_missing()

    def leave(self) -> bool:
        """Count ourselves out; stops the servers, and returns True, when nobody else uses them."""
        if self._users is None:
            return False
        with self._gate():
            try:
                fcntl.flock(self._users, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                return False
            else:
                for server in (self.valkey, self.postgres):
                    if server:
                        server.stop()
                return True
            finally:
                self._users.close()
                self._users = None

    def _start_missing(self) -> list[str]:
        missing = [server for server in (self.postgres, self.valkey) if server and not server.alive()]
        for server in missing:
            server.start()
        return [server.name for server in missing]

    @contextmanager
    def _gate(self) -> Iterator[None]:
        make_enterable(self.locks)
        with (self.locks / "gate").open("a") as gate:
            fcntl.flock(gate, fcntl.LOCK_EX)
            yield


@contextmanager
def joined(var: Path | None = None) -> Iterator[Servers]:
    """Have PostgreSQL and Valkey running for as long as the block lasts.

    Args:
        var: the instance's directory; the one that VAR_DIR names by default.
    """
    servers = Servers((var or var_dir()).expanduser().resolve())
    _end_politely_on_sigterm()
    servers.join()
    try:
        yield servers
    finally:
        servers.leave()


def _end_politely_on_sigterm() -> None:
    """Turn SIGTERM into SystemExit, so that `finally` blocks run; keeps a handler that is there."""
    if threading.current_thread() is threading.main_thread() and signal.getsignal(signal.SIGTERM) is signal.SIG_DFL:
        signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))


def make_enterable(directory: Path) -> None:
    """Make `directory` and what is missing above it; root's are made so that PostgreSQL's user passes through."""
    if directory.exists():
        return
    make_enterable(directory.parent)
    directory.mkdir(exist_ok=True)
    if os.geteuid() == 0:
        directory.chmod(0o755)


def _others_can_enter(directory: Path) -> bool:
    """Tell whether any user may pass through `directory` (its nearest existing ancestor, and all above)."""
    while not directory.exists():
        directory = directory.parent
    return all(path.stat().st_mode & stat.S_IXOTH for path in (directory, *directory.parents))
