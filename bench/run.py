"""`make bench`: pages and search at 10,000 and at 1,000,000 patients, and the import against COPY.

Every figure is a ratio to a floor taken in the same run: F, a bare view under the same gunicorn, and S, one
SELECT 1. BENCH_SCALES=10000 limits the sizes. Data lies under var/bench and is kept for the next run.
"""

import os
import platform
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
os.environ.setdefault("VAR_DIR", str(ROOT / "var" / "bench"))
os.environ["DJANGO_SETTINGS_MODULE"] = "bench.settings"

SCALES = [int(n) for n in os.environ.get("BENCH_SCALES", "10000,1000000").split(",")]
PORT = int(os.environ.get("BENCH_PORT", "8097"))
START = 120  # seconds a server may take to answer


def main() -> None:
    """Run everything and print it."""
    from clinic_crm.embedded import joined

    with joined():
        import django

        django.setup()
        from django.core.management import call_command

        from bench import (
            booking,
            chat_import,
            conversations,
            imports,
            inspection,
            kpis,
            memory,
            pages,
            sweep,
            tasks,
            throughput,
        )
        from bench.people import grow_to

        print(
            f"{platform.processor() or platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}"
        )
        call_command("migrate", verbosity=0)
        call_command("collectstatic", interactive=False, verbosity=0)
        for scale in SCALES:
            grow_to(scale)
            with server():
                pages.report(scale, PORT)
                throughput.report(PORT)
        memory.report()
        imports.report()
        sweep.report()
        booking.report()
        tasks.report()
        conversations.report()
        inspection.report()
        chat_import.report()
        kpis.main()  # last: it makes data of its own


@contextmanager
def server(application: str = "clinic_crm.wsgi:application", *options: str) -> Iterator[int]:
    """Run gunicorn with one worker for as long as it is needed; gives its process number."""
    command = [sys.executable, "-m", "gunicorn", *options, "--bind", f"127.0.0.1:{PORT}", "--workers", "1"]
    process = subprocess.Popen([*command, "--keep-alive", "60", "--log-level", "error", application], cwd=ROOT)
    try:
        _wait_for(f"http://127.0.0.1:{PORT}/healthz")
        yield process.pid
    finally:
        process.terminate()
        process.wait()


def _wait_for(url: str) -> None:
    until = time.monotonic() + START
    while time.monotonic() < until:
        try:
            urllib.request.urlopen(url, timeout=2)  # noqa: S310 - our own server
            return
        except (urllib.error.URLError, OSError):
            time.sleep(0.1)
    raise RuntimeError("the server did not start")


if __name__ == "__main__":
    main()
