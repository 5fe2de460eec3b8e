"""`make chaos`: what is due survives crashes. About ten minutes; not part of `make test`.

1. 300 due messages to a provider that drops what it has had already and sometimes does not answer. Workers are killed
   -9 sixteen times, two beats run at once, Valkey is wiped twice, and PostgreSQL is killed -9 and started again.
   None may be lost, and the provider must have heard of each once in effect; nothing may stay in doubt.
2. Fifteen times PostgreSQL is killed -9 while rows are written. No row that was acknowledged may be missing.

SABOTAGE=no-claim | no-reconcile | no-sync takes a protection away; the programme must then fail.
The provider here does not drop duplicates by itself: it counts, so that the protection is ours to show.
"""

import os
import random
import signal
import subprocess
import sys
import threading
import time
import uuid
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
SABOTAGE = os.environ.get("SABOTAGE", "")
VAR = Path(os.environ.get("CHAOS_VAR_DIR") or ROOT / "var" / "chaos")
MESSAGES, KILLS, ROUNDS = int(os.environ.get("CHAOS_MESSAGES", "300")), 16, int(os.environ.get("CHAOS_ROUNDS", "15"))
WRITERS = 4
os.environ |= {
    "VAR_DIR": str(VAR), "DJANGO_SETTINGS_MODULE": "clinic_crm.settings", "SWEEP_SECONDS": "1",
    "MESSAGE_LEASE_SECONDS": "6", "MESSAGE_TIMEOUT_SECONDS": "2", "MESSAGE_CIRCUIT_SECONDS": "2",
}  # fmt: skip
for name in ("DATABASE_URL", "REDIS_URL"):
    os.environ.pop(name, None)
sys.path.insert(0, str(ROOT))


def say(line: str) -> None:
    print(f"{time.strftime('%H:%M:%S')} {line}", flush=True)


class Fleet:
    """The workers and beats, each the leader of a process group of its own."""

    def __init__(self) -> None:
        self.workers: list[subprocess.Popen[bytes]] = []
        self.beats: list[subprocess.Popen[bytes]] = []
        self.log = (VAR / "workers.log").open("ab")

    def _start(self, *arguments: str) -> "subprocess.Popen[bytes]":
        program = [sys.executable, "-m", "tools.chaos_worker", *arguments]
        return subprocess.Popen(
            program, cwd=ROOT, stdin=subprocess.DEVNULL, stdout=self.log, stderr=self.log, start_new_session=True
        )

    def __enter__(self) -> "Fleet":
        for n in range(2):
            self.workers.append(self._start("worker", "--loglevel", "ERROR", "--concurrency", "2", "-n", f"w{n}@here",
                                            "--without-gossip", "--without-mingle"))  # fmt: skip
            self.beats.append(self._start("beat", "--loglevel", "ERROR", "--scheduler", "celery.beat.Scheduler",
                                          "--pidfile", ""))  # fmt: skip
        return self

    def kill_worker(self) -> None:
        """Kill a worker with its children, at any moment, and start another."""
        n = random.randrange(len(self.workers))  # noqa: S311
        end(self.workers[n])
        self.workers[n] = self._start("worker", "--loglevel", "ERROR", "--concurrency", "2", "-n", f"w{n}@here",
                                      "--without-gossip", "--without-mingle")  # fmt: skip

    def __exit__(self, *_args: object) -> None:
        for process in (*self.beats, *self.workers):
            end(process)
        self.log.close()


def end(process: "subprocess.Popen[bytes]") -> None:
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()


def postmaster() -> int:
    from clinic_crm.embedded import place

    return int((place(VAR).home / "postgres/data/postmaster.pid").read_text().split("\n", 1)[0])


def kill_postgres(servers: object) -> None:
    """Kill the postmaster and all its sessions at once, and start it again."""
    from django.db import connections

    kill_postgres_only()
    connections.close_all()
    servers.revive()  # type: ignore[attr-defined]


def wipe_valkey() -> None:
    import redis
    from django.conf import settings

    redis.Redis.from_url(settings.REDIS_URL).flushall()


def prepare(url: str) -> int:
    """Make a clinic whose messages leave by a webhook, with so many messages that are due; returns its id."""
    from datetime import timedelta

    from django.utils import timezone

    from accounts.models import Clinic
    from followups.models import Message, MessagingSettings, SenderAccount
    from followups.senders.registry import sealed
    from followups.services import outbox
    from patients.models import Consent, Patient, PatientPhone, Registration

    code = f"K{uuid.uuid4().hex[:6].upper()}"
    clinic = Clinic.objects.create(code=code, name=f"混沌门诊{code}")
    MessagingSettings.objects.create(clinic=clinic, quiet_from="03:00", quiet_until="03:00", daily_cap=100_000)
    config = {"endpoint": f"{url}/send", "status_endpoint": f"{url}/status", "secret": "chaos"}
    SenderAccount.objects.create(clinic=clinic, channel="sms", provider="webhook", config_encrypted=sealed(config))
    Message.objects.exclude(clinic=clinic).filter(state="queued").update(state="suppressed", suppressed_reason="ended")
    for n in range(MESSAGES):
        patient = Patient.objects.create(name=f"沈{n:03d}")
        Registration.objects.create(patient=patient, clinic=clinic, number=f"{code}-{n:04d}")
        PatientPhone.build(patient, f"1990000{n:04d}").save()
        Consent.objects.create(patient=patient, clinic=clinic, purpose="contact", given=True)
        due = timezone.now() + timedelta(seconds=10 + 60 * n / MESSAGES)
        outbox.queue(clinic=clinic, patient=patient, purpose="care", subject=f"chaos:{n}", due_at=due,
                     nature="service", variables={"text": "早晚刷牙"})  # fmt: skip
    return clinic.pk


def unreliable(provider: Any, dice: random.Random) -> Callable[[dict], object]:
    """A gateway that counts what it gets, drops nothing, and one time in eight does not answer, too late, or wrongly."""
    from tests.followups.provider import ABORT

    def answer(request: dict) -> object:
        trouble = dice.random()
        if request["method"] == "POST" and trouble > 0.97:
            return ABORT  # it never came
        said = count(request)
        if request["method"] == "GET":
            return said
        time.sleep(dice.uniform(0, 0.3))
        if trouble < 0.04:
            return ABORT
        if trouble < 0.08:
            return 500, {}
        return (*said, 2.5) if trouble < 0.12 else said

    def count(request: dict) -> tuple:
        if request["method"] == "GET":
            uid = request["path"].rpartition("/")[2]
            return (200, {"id": uid, "status": "delivered"}) if provider.calls[uid] else (404, {})
        uid = request["json"]["id"]
        with provider.lock:
            provider.calls[uid] += 1
        return 200, {"id": uid, "reference": uid}

    return answer


def states(clinic: int) -> dict[str, int]:
    from django.db import OperationalError, connections
    from django.db.models import Count

    from followups.models import Message

    for _n in range(40):
        try:
            rows = Message.objects.filter(clinic=clinic).values_list("state").annotate(n=Count("pk"))
            return dict(rows)
        except OperationalError:
            connections.close_all()
            time.sleep(0.5)
    raise RuntimeError("PostgreSQL does not answer")


def messages_survive(servers: object) -> list[str]:
    """Part 1; returns what is wrong."""
    from tests.followups.provider import running

    dice = random.Random(11)  # noqa: S311
    with running() as provider:
        provider.usual = unreliable(provider, dice)
        clinic = prepare(provider.url)
        say(f"{MESSAGES} messages are queued; two workers, two beats")
        with Fleet() as fleet:
            time.sleep(8)
            for n in range(KILLS):
                time.sleep(dice.uniform(2.0, 5.0))
                fleet.kill_worker()
                if n in (5, 11):
                    wipe_valkey()
                if n == 8:
                    kill_postgres(servers)
                say(f"kill {n + 1}{' + Valkey wiped' if n in (5, 11) else ''}{' + PostgreSQL killed' if n == 8 else ''}: "
                    f"{states(clinic)}")  # fmt: skip
            deadline = time.monotonic() + 150
            while time.monotonic() < deadline and set(states(clinic)) - {"accepted", "delivered"}:
                time.sleep(1)
        return faults_of(clinic, provider)


def faults_of(clinic: int, provider: Any) -> list[str]:
    ended = states(clinic)
    say(f"in the end: {ended}; the provider heard of {len(provider.calls)}")
    faults = []
    open_ones = {k: v for k, v in ended.items() if k not in ("accepted", "delivered")}
    if open_ones:
        faults.append(f"not settled: {open_ones}")
    if len(provider.calls) != MESSAGES:
        faults.append(f"lost: {MESSAGES - len(provider.calls)}")
    twice = sum(n > 1 for n in provider.calls.values())
    if twice:
        faults.append(f"sent more than once: {twice}")
    return faults


def rows_survive(servers: object) -> list[str]:
    """Part 2; returns what is wrong."""
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute("DROP TABLE IF EXISTS chaos_rows")
        cursor.execute("CREATE TABLE chaos_rows (id text PRIMARY KEY)")
    acknowledged: set[str] = set()
    for n in range(ROUNDS):
        stop = threading.Event()
        writers = [threading.Thread(target=_write, args=(stop, acknowledged)) for _n in range(WRITERS)]
        for writer in writers:
            writer.start()
        time.sleep(random.uniform(0.6, 1.6))  # noqa: S311
        kill_postgres_only()
        stop.set()
        for writer in writers:
            writer.join()
        servers.revive()  # type: ignore[attr-defined]
        if n % 5 == 4:
            say(f"PostgreSQL was killed {n + 1} times; {len(acknowledged)} rows were acknowledged")
    from django.db import connections

    connections.close_all()
    with connection.cursor() as cursor:
        cursor.execute("SELECT id FROM chaos_rows")
        kept = {row[0] for row in cursor.fetchall()}
    missing = len(acknowledged - kept)
    say(f"{len(acknowledged)} acknowledged, {missing} missing")
    return [f"acknowledged rows missing: {missing}"] if missing or not acknowledged else []


def kill_postgres_only() -> None:
    import psutil

    parent = psutil.Process(postmaster())
    family = [parent, *parent.children(recursive=True)]
    for process in family:
        with suppress(psutil.NoSuchProcess):
            process.kill()
    psutil.wait_procs(family, 10)


def _write(stop: threading.Event, acknowledged: set[str]) -> None:
    import psycopg2
    from django.db import connection

    asked = connection.get_connection_params()
    keep = {k: asked[k] for k in ("dbname", "user", "host", "port") if asked.get(k)}
    try:
        link = psycopg2.connect(**keep)
        link.autocommit = True
        with link.cursor() as cursor:
            if SABOTAGE == "no-sync":
                cursor.execute("SET synchronous_commit = off")
            while not stop.is_set():
                key = uuid.uuid4().hex
                cursor.execute("INSERT INTO chaos_rows VALUES (%s)", [key])
                acknowledged.add(key)
    except psycopg2.Error:
        return


def main() -> int:
    """Run both parts; the exit status is 1 when anything was lost, doubled or left in doubt."""
    from clinic_crm.embedded import joined

    VAR.mkdir(parents=True, exist_ok=True)
    with joined(VAR) as servers:
        import django

        django.setup()
        from django.core.management import call_command

        call_command("migrate", verbosity=0)
        wipe_valkey()
        started = time.monotonic()
        part = os.environ.get("CHAOS_PART", "both")
        faults = messages_survive(servers) if part in ("both", "messages") else []
        faults += rows_survive(servers) if part in ("both", "rows") else []
        say(f"{time.monotonic() - started:.0f} s{f', with SABOTAGE={SABOTAGE}' if SABOTAGE else ''}")
    for fault in faults:
        say(f"FAULT {fault}")
    say("FAILED" if faults else "PASSED: none lost, each once, none in doubt")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
