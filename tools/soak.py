"""`make soak`: eight people and programs at work for ten minutes on 1,000,000 patients.

A mix as on a busy day: pages, searches, contacts logged, patients checked in and leaving, appointments booked, reads of
the API, beside the floor F (a bare view) under the same load. Fails on any error and when the web workers' memory grows.
SOAK_MINUTES=10, SOAK_PATIENTS=1000000, SOAK_PORT=8098; data lie under var/bench, as those of `make bench`.
"""

import os
import random
import statistics
import subprocess
import sys
import threading
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
import psutil

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))
os.environ.setdefault("VAR_DIR", str(ROOT / "var" / "bench"))
os.environ["DJANGO_SETTINGS_MODULE"] = "bench.settings"
MINUTES = float(os.environ.get("SOAK_MINUTES", "10"))
PATIENTS = int(os.environ.get("SOAK_PATIENTS", "1000000"))
PORT = int(os.environ.get("SOAK_PORT", "8098"))
BASE = f"http://127.0.0.1:{PORT}"
CLIENTS, WARM_SECONDS = 8, 120  # until every page has filled what a worker keeps
GROWTH = 1.15  # of a worker's own memory, from after warming up to the end
PEOPLE = ("demo_tc", "demo_desk", "demo_tc", "demo_manager", "demo_tc", "demo_desk", "demo_tc", "demo_manager")
TOKEN = "s" * 32
# A slot taken meanwhile, somebody here already, a visit that another has ended.
FINE = {"book": {200, 302, 409, 422}, "check in": {302, 409}, "leave": {302, 409, 422}}


@dataclass
class World:
    """What is asked for: drawn once, so that asking costs the server and not us."""

    clinic: int
    patients: list[int]
    tails: list[str]
    doctors: list[int]
    day: Any
    api: list[str] = field(default_factory=list)


@dataclass
class Ledger:
    """What happened, by kind."""

    times: dict[str, list[float]] = field(default_factory=lambda: defaultdict(list))
    errors: Counter[str] = field(default_factory=Counter)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def note(self, kind: str, spent: float, fault: str = "") -> None:
        with self.lock:
            self.times[kind].append(spent)
            if fault:
                self.errors[f"{kind}: {fault}"] += 1


class Person(threading.Thread):
    """One client with a session and a mix of its own."""

    def __init__(self, number: int, session: str, world: World, ledger: Ledger, end: float) -> None:
        super().__init__(daemon=True)
        at_desk = PEOPLE[number] == "demo_desk"  # who may neither end visits nor read all of the API
        self.draw, self.world, self.ledger, self.end = random.Random(number), world, ledger, end  # noqa: S311
        cookies = {"sessionid": session, "csrftoken": TOKEN}
        self.client = httpx.Client(base_url=BASE, cookies=cookies, headers={"X-CSRFToken": TOKEN}, timeout=60)
        self.acts: list[tuple[int, Callable[[], None]]] = [
            (10, self.floor), (12, self.today), (12, self.patients), (14, self.patient), (10, self.search),
            (8, self.tasks), (6, self.calendar), (12, self.contact), (0 if at_desk else 6, self.visit), (5, self.book), (0 if at_desk else 10, self.program),
        ]  # fmt: skip

    def run(self) -> None:
        weights = [weight for weight, _act in self.acts]
        while time.monotonic() < self.end:
            self.draw.choices(self.acts, weights)[0][1]()

    def ask(self, kind: str, method: str, path: str, **more: Any) -> httpx.Response | None:
        """Send a request and note how it went; None when it failed."""
        start = time.perf_counter()
        try:
            answer = self.client.request(method, path, **more)
        except httpx.HTTPError as error:
            self.ledger.note(kind, (time.perf_counter() - start) * 1000, type(error).__name__)
            return None
        spent = (time.perf_counter() - start) * 1000
        fine = answer.status_code in FINE.get(kind, {200, 302}) and "/sign-in/" not in answer.headers.get(
            "Location", ""
        )
        self.ledger.note(kind, spent, "" if fine else f"{answer.status_code} {path}")
        return answer if fine else None

    def someone(self) -> int:
        return self.draw.choice(self.world.patients)

    def floor(self) -> None:
        self.ask("F", "GET", f"/bench/floor/?clinic={self.world.clinic}")

    def today(self) -> None:
        poll = {"X-Poll": "1"} if self.draw.random() < 0.5 else {}
        self.ask("today board", "GET", "/", headers=poll, follow_redirects=True)

    def patients(self) -> None:
        self.ask("patient list", "GET", "/patients/")

    def patient(self) -> None:
        self.ask("patient page", "GET", f"/patients/{self.someone()}/")

    def search(self) -> None:
        said = {"q": self.draw.choice(self.world.tails)}
        self.ask("search", "POST", "/search/", data=said, headers={"HX-Request": "true"})

    def tasks(self) -> None:
        self.ask("follow-ups", "GET", "/tasks/")

    def calendar(self) -> None:
        self.ask("calendar", "GET", "/appointments/")

    def contact(self) -> None:
        said = {"channel": "phone", "outcome": "no_answer", "note": "soak"}
        self.ask("log a contact", "POST", f"/patients/{self.someone()}/contact/", data=said)

    def visit(self) -> None:
        """Check somebody in, and let them leave unseen: two changes of stage, and the board stays as it was."""
        if self.ask("check in", "POST", f"/check-in/{(who := self.someone())}/", data={"complaint_text": "?"}) is None:
            return
        page = self.ask("patient page", "GET", f"/patients/{who}/")
        found = _between(page.text, "/visits/", "/") if page is not None else ""
        if found.isdecimal():
            self.ask("leave", "POST", f"/visits/{found}/unseen/", data={"reason": "soak"})

    def book(self) -> None:
        minute = self.draw.randrange(9 * 60, 17 * 60, 5)
        day = self.world.day + timedelta(days=self.draw.randrange(1, 90))
        said = {
            "patient": self.someone(), "kind": "recheck", "doctor": self.draw.choice(self.world.doctors),
            "day": day.isoformat(), "at": f"{minute // 60:02}:{minute % 60:02}", "minutes": "30", "insist": "1",
        }  # fmt: skip
        self.ask("book", "POST", "/appointments/new/", data=said)

    def program(self) -> None:
        if self.world.api:
            self.ask("API", "GET", self.draw.choice(self.world.api))


def _between(text: str, before: str, after: str) -> str:
    return text.partition(before)[2].partition(after)[0]


def _world() -> World:
    from accounts.models import Clinic
    from followups.forms import doctors_of
    from patients.models import Patient, PatientPhone, Registration

    clinic = Clinic.objects.get(code="QH")
    living = Registration.objects.filter(clinic=clinic, patient__in=Patient.objects.living())
    ids = list(living.order_by("-pk").values_list("patient", flat=True)[:20_000])
    chosen = random.Random(1).sample(ids, min(len(ids), 2000))  # noqa: S311
    tails = list(PatientPhone.objects.filter(patient__in=chosen[:200]).values_list("last4", flat=True))
    doctors = list(doctors_of(clinic).values_list("pk", flat=True))
    return World(clinic.pk, chosen, tails, doctors, clinic.today())


def _session(username: str) -> str:
    from django.conf import settings
    from django.test import Client

    from accounts.models import User

    client = Client()
    client.force_login(User.objects.get(username=username), backend=settings.AUTHENTICATION_BACKENDS[-1])
    return client.cookies[settings.SESSION_COOKIE_NAME].value


def _api(session: str) -> list[str]:
    """Return the lists of the API that answer a person's session, and a patient of it."""
    with httpx.Client(base_url=BASE, cookies={"sessionid": session}, timeout=60) as client:
        names = ("patients", "visits", "consultations", "appointments", "tasks", "messages", "clinics", "staff", "kpis")
        return [path for name in names if client.get(path := f"/api/v1/{name}/").status_code == 200]


@contextmanager
def _server() -> Iterator[psutil.Process]:
    environment = os.environ | {
        "BIND": f"127.0.0.1:{PORT}",
        "WEB_WORKERS": "2",
        "API_REQUESTS_PER_MINUTE": "1000000",
        "LOG_LEVEL": "ERROR",
    }
    command = [sys.executable, "-m", "gunicorn", "--config", str(ROOT / "clinic_crm/gunicorn_conf.py"),
               "--max-requests", "0"]  # fmt: skip
    process = subprocess.Popen(command, cwd=ROOT, env=environment)
    try:
        for _n in range(300):
            try:
                httpx.get(f"{BASE}/healthz", timeout=2)
                break
            except httpx.HTTPError:
                time.sleep(0.1)
        yield psutil.Process(process.pid)
    finally:
        process.terminate()
        process.wait()


def _memory(server: psutil.Process) -> dict[int, float]:
    """Return each worker's own memory in MB."""
    return {child.pid: child.memory_full_info().uss / 2**20 for child in server.children()}


def _soak(world: World, sessions: list[str], seconds: float) -> tuple[Ledger, Iterator[None]]:
    ledger, end = Ledger(), time.monotonic() + seconds
    people = [Person(n, session, world, ledger, end) for n, session in enumerate(sessions)]
    for person in people:
        person.start()

    def halves() -> Iterator[None]:
        time.sleep(seconds / 2)
        yield
        for person in people:
            person.join()

    return ledger, halves()


def _print(ledger: Ledger, seconds: float, memories: list[dict[int, float]]) -> None:
    floor = statistics.median(ledger.times["F"])
    count = sum(len(times) for times in ledger.times.values())
    print(
        f"\n{count:,} requests in {seconds:.0f} s by {CLIENTS} clients, {count / seconds:.0f}/s; F under load {floor:.1f} ms"
    )
    print(f"{'':16}{'count':>8}{'p50 ms':>9}{'p95 ms':>9}{'p50 × F':>9}{'p95 × F':>9}")
    for kind, times in sorted(ledger.times.items(), key=lambda pair: pair[0] != "F"):
        ordered = sorted(times)
        p50, p95 = statistics.median(ordered), ordered[max(0, int(len(ordered) * 0.95) - 1)]
        print(f"{kind:16}{len(times):8}{p50:9.1f}{p95:9.1f}{p50 / floor:9.2f}{p95 / floor:9.2f}")
    for words, memory in zip(("start", "middle", "end"), memories, strict=True):
        print(f"memory of web workers at the {words}: {', '.join(f'{size:.1f} MB' for size in memory.values())}")
    for fault, times_seen in ledger.errors.most_common(20):
        print(f"error, {times_seen} times: {fault}")
    print(f"{sum(ledger.errors.values())} errors")


def _verdict(ledger: Ledger, memories: list[dict[int, float]]) -> list[str]:
    """Return what is wrong; nothing when all is well."""
    faults = [f"{sum(ledger.errors.values())} errors"] if ledger.errors else []
    first, last = memories[0], memories[-1]
    if set(first) != set(last):
        faults.append("a web worker was replaced")
    return faults + [
        f"worker {pid} grew from {first[pid]:.1f} to {last[pid]:.1f} MB"
        for pid in first if pid in last and last[pid] > first[pid] * GROWTH
    ]  # fmt: skip


def main() -> int:
    """Run it and print it; returns the exit status."""
    from clinic_crm.embedded import joined

    with joined():
        import django

        django.setup()
        from django.core.management import call_command

        from bench.people import grow_to

        call_command("migrate", verbosity=0)
        call_command("collectstatic", interactive=False, verbosity=0)
        grow_to(PATIENTS)
        world, sessions = _world(), [_session(name) for name in PEOPLE]
        with _server() as server:
            world.api = _api(sessions[0])
            _warm, halves = _soak(world, sessions, WARM_SECONDS)
            list(halves)
            seconds = MINUTES * 60
            memories = [_memory(server)]
            ledger, halves = _soak(world, sessions, seconds)
            memories.extend(_memory(server) for _half in halves)
            memories.append(_memory(server))
    _print(ledger, seconds, memories)
    faults = _verdict(ledger, memories)
    print("Not well: " + "; ".join(faults) if faults else "Well: no errors, memory flat.")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
