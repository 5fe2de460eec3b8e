"""What a web worker weighs (its proportional set) after it has served pages, as a multiple of a bare Django worker's."""

import http.client
import json
import os
import re
from pathlib import Path

from django.conf import settings
from django.urls import reverse

from bench.people import signed_in
from bench.run import PORT, server

PAGES = ("patient_list", "today", "appointments", "tasks", "undecided")
TIMES = 12
PARTS = ("ENGINE", "NAME", "HOST", "PORT", "USER", "PASSWORD")
GUNICORN = ("--config", "clinic_crm/gunicorn_conf.py")  # as the product runs: workers share what was loaded before


def report() -> None:
    """Print both in MB and the ratio; Linux alone tells."""
    if not Path("/proc/self/smaps_rollup").exists():
        print("\nmemory of a worker: only Linux tells")
        return
    database = {name: settings.DATABASES["default"].get(name, "") for name in PARTS}
    os.environ["BENCH_DATABASE"] = json.dumps(database)
    with server("bench.bare:application", *GUNICORN) as master:
        for _n in range(TIMES * len(PAGES)):
            _ask("/healthz")
        bare = _weight(master)
    with server("clinic_crm.wsgi:application", *GUNICORN) as master:
        browser = signed_in("demo_tc", PORT)
        for path in [reverse(name) for name in PAGES] * TIMES:
            browser.ask(path)
        ours = _weight(master)
    print(f"\nmemory of a web worker: {ours:.0f} MB · a bare Django worker {bare:.0f} MB · {ours / bare:.2f} ×")


def _ask(path: str) -> None:
    link = http.client.HTTPConnection("127.0.0.1", PORT, timeout=60)
    link.request("GET", path)
    link.getresponse().read()
    link.close()


def _weight(master: int) -> float:
    """Return the megabytes of the heaviest worker: its own pages, and its share of those it has with others."""
    workers = Path(f"/proc/{master}/task/{master}/children").read_text().split()
    return max(_proportional(int(worker)) for worker in workers) / 1024


def _proportional(pid: int) -> int:
    found = re.search(r"^Pss:\s+(\d+) kB", Path(f"/proc/{pid}/smaps_rollup").read_text(), re.MULTILINE)
    return int(found[1]) if found else 0
