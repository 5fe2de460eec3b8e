"""Start the product as a person would, sign in, open the today board, and stop it again.

Uses `make run` on a spare port and a directory of its own; fails when any step does.
"""

import os
import re
import shutil
import signal
import socket
import subprocess
import tempfile
import threading
import urllib.parse
import urllib.request
from http.cookiejar import CookieJar
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
START_SECONDS = 600  # the first start migrates and loads demo data
STOP_SECONDS = 120


def spare_port() -> int:
    """Return a port that nobody uses now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def start(port: int, var: Path) -> tuple[subprocess.Popen[str], list[str]]:
    """Start `make run` and return it with what it said until it was ready."""
    environment = {key: value for key, value in os.environ.items() if key not in {"DATABASE_URL", "REDIS_URL", "DEMO"}}
    process = subprocess.Popen(
        ["make", "run"], cwd=ROOT, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True,
        env=environment | {"PORT": str(port), "VAR_DIR": str(var)},
    )  # fmt: skip
    assert process.stdout is not None
    alarm = threading.Timer(START_SECONDS, process.terminate)
    alarm.daemon = True
    alarm.start()
    said = []
    for line in process.stdout:
        print(line, end="", flush=True)
        said.append(line.rstrip())
        if line.startswith("Ready at "):
            alarm.cancel()
            return process, said
    raise SystemExit("`make run` ended before it was ready.")


def account(said: list[str], role: str) -> tuple[str, str]:
    """Return user name and password of the demo account that has `role`."""
    for line in said:
        words = line.split()
        if len(words) >= 3 and words[0].startswith("demo_") and words[2] == role:
            return words[0], words[1]
    raise SystemExit(f"No demo account for {role} was printed.")


def open_today(address: str, username: str, password: str) -> str:
    """Sign in through the form and return the page of the today board."""
    browser = urllib.request.build_opener(urllib.request.HTTPCookieProcessor(CookieJar()))
    with browser.open(f"{address}/", timeout=30) as response:
        form, url = response.read().decode(), response.url
    token = re.search(r'name="csrfmiddlewaretoken" value="([^"]+)"', form)
    if token is None:
        raise SystemExit(f"{url} shows no sign-in form.")
    fields = {"login": username, "password": password, "csrfmiddlewaretoken": token[1]}
    request = urllib.request.Request(url, urllib.parse.urlencode(fields).encode(), {"Referer": url})  # noqa: S310
    with browser.open(request, timeout=30) as response:
        page = response.read().decode()
        if 'name="password"' in page or "今日" not in page:
            raise SystemExit(f"Signing in led to {response.url}, which is not the today board.")
    return str(page)


def main() -> None:
    """Go through all of it; raises SystemExit with words when a step fails."""
    var = Path(tempfile.mkdtemp(prefix="clinic-crm-smoke-"))
    var.chmod(0o755)
    port = spare_port()
    process = None
    try:
        process, said = start(port, var)
        page = open_today(f"http://127.0.0.1:{port}", *account(said, "coordinator"))
        print(f"The today board has {len(page)} characters.")
    finally:
        if process is not None and process.poll() is None:
            process.send_signal(signal.SIGTERM)
            rest, _ = process.communicate(timeout=STOP_SECONDS)
            print(rest, end="")
        shutil.rmtree(var, ignore_errors=True)
    if "Stopped Valkey and PostgreSQL." not in rest:
        raise SystemExit("It did not stop cleanly.")
    print("Started, signed in, opened the today board, stopped.")


if __name__ == "__main__":
    main()
