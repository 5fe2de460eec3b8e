"""`make screenshots`: take the pictures of README and handbook from the running product.

Starts the product on a spare port with today's demo data, under var/screenshots, which is made anew each time.
"""

import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import django
from PIL import Image
from playwright.sync_api import Browser, Page, ViewportSize, sync_playwright

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "clinic_crm.settings")
django.setup()

from clinic_crm.demo.staff import PASSWORD  # noqa: E402
from tools.browser import WHAT_TO_INSTALL, find_chromium  # noqa: E402

TARGET = ROOT / "docs" / "screenshots"
PORT = int(os.environ.get("PORT") or 8098)
VAR = ROOT / "var" / "screenshots"
BASE = f"http://127.0.0.1:{PORT}"
DESKTOP: ViewportSize = {"width": 1440, "height": 900}
TABLET: ViewportSize = {"width": 820, "height": 1180}
PHONE: ViewportSize = {"width": 390, "height": 844}
COLOURS = 160  # of a saved picture: the interface has few, and the file stays small
LOOKUP = """
from consultations.models import Visit
from conversations.models import Conversation
from patients.models import Patient
for v in Visit.objects.filter(clinic__code="QH").in_clinic_now().order_by("-id"):
    print("FOUND", v.stage, f"/visits/{v.pk}/")
    print("FOUND", f"{v.stage}-patient", f"/patients/{v.patient_id}/")
faulty = Conversation.objects.filter(clinic__code="QH", findings__code__startswith="taboo").order_by("-started_at")
for c in faulty[:1]:
    print("FOUND", "conversation", f"/conversations/{c.pk}/")
"""


@dataclass(frozen=True)
class Shot:
    """One picture: whose page, where, how large; `prepare` does what a click would."""

    name: str
    path: str  # "{handoff}" stands for an address that LOOKUP found
    account: str = "demo_tc"
    size: ViewportSize | None = None
    prepare: Callable[[Page], None] | None = None


def open_first_task(page: Page) -> None:
    """Open the first task of the list, as a coordinator does who is about to call."""
    page.locator("a.row-link").first.click()
    page.wait_for_load_state("networkidle")


SHOTS = (
    # A coordinator's day in six pictures.
    Shot("today", "/today/?scope=clinic"),
    Shot("form", "{intake}"),
    Shot("handoff", "{handoff}"),
    Shot("plan", "{explaining}plan/"),
    Shot("checkout", "{leaving}"),
    Shot("tasks", "/tasks/", prepare=open_first_task),
    # What else a handbook shows.
    Shot("patient", "{explaining-patient}"),
    Shot("undecided", "/undecided/"),
    Shot("calendar", "/appointments/", account="demo_desk"),
    Shot("doctor", "/doctor/", account="demo_doctor", size=TABLET),
    Shot("kpis", "/kpis/", account="demo_manager"),
    Shot("conversation", "{conversation}", account="demo_manager"),
    Shot("outbox", "/outbox/", account="demo_manager"),
    Shot("phone", "/tasks/", size=PHONE),
)


@contextmanager
def product() -> Iterator[None]:
    """Run the product until the pictures are taken."""
    shutil.rmtree(VAR, ignore_errors=True)
    place = {"PORT": str(PORT), "VAR_DIR": str(VAR), "DEMO": "1"}
    process = subprocess.Popen(
        [sys.executable, "-m", "clinic_crm.supervise"],
        cwd=ROOT,
        env=os.environ | place,
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        for line in process.stdout or ():
            print(line, end="")
            if line.startswith("Ready at"):
                break
        yield
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait()


def sign_in(page: Page, username: str) -> None:
    """Sign in as a demo person."""
    page.goto(f"{BASE}/sign-in/")
    page.fill("input[name=login]", username)
    page.fill("input[name=password]", PASSWORD)
    page.press("input[name=password]", "Enter")
    page.wait_for_load_state("networkidle")


def addresses() -> dict[str, str]:
    """Return addresses of the product's own rows by what LOOKUP calls them; the first of a name counts."""
    command = [sys.executable, "manage.py", "shell", "-v0", "-c", LOOKUP]
    environment = os.environ | {"VAR_DIR": str(VAR)}
    said = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=True).stdout
    found: dict[str, str] = {}
    for line in said.splitlines():
        if line.startswith("FOUND "):
            _word, name, address = line.split()
            found.setdefault(name, address)
    return found


def shrink(path: Path) -> None:
    """Save a picture with few colours: a third of the size, and nobody sees it."""
    with Image.open(path) as picture:
        small = picture.convert("RGB").quantize(COLOURS, method=Image.Quantize.MEDIANCUT, dither=Image.Dither.NONE)
    small.save(path, optimize=True)


def take(browser: Browser, shots: list[Shot], at: dict[str, str]) -> None:
    """Take the pictures of one person."""
    page = browser.new_page(locale="zh-CN", timezone_id="Asia/Shanghai", reduced_motion="reduce")
    sign_in(page, shots[0].account)
    for shot in shots:
        page.set_viewport_size(shot.size or DESKTOP)
        page.goto(BASE + shot.path.format(**at))
        page.wait_for_load_state("networkidle")
        if shot.prepare:
            shot.prepare(page)
        path = TARGET / f"{shot.name}.png"
        page.screenshot(path=path)
        shrink(path)
        print(f"docs/screenshots/{shot.name}.png, {path.stat().st_size // 1000} kB")
    page.close()


def main() -> None:
    """Take all pictures, or those named on the command line."""
    chromium = find_chromium()
    if not chromium:
        raise SystemExit(WHAT_TO_INSTALL)
    TARGET.mkdir(parents=True, exist_ok=True)
    wanted = [shot for shot in SHOTS if not sys.argv[1:] or shot.name in sys.argv[1:]]
    flags = ["--no-sandbox"] if os.geteuid() == 0 else []
    with product(), sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=[*flags, "--disable-background-networking"])
        at = addresses()
        for account in dict.fromkeys(shot.account for shot in wanted):
            take(browser, [shot for shot in wanted if shot.account == account], at)
        browser.close()


if __name__ == "__main__":
    main()
