"""`make screenshots`: take the README's pictures from the running product.

Starts the product on a spare port with demo data of its own under var/screenshots.
"""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import django
from playwright.sync_api import Page, ViewportSize, sync_playwright

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


@contextmanager
def product() -> Iterator[None]:
    """Run the product until the pictures are taken."""
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


def shoot(page: Page, name: str, path: str = "") -> None:
    """Save what the page shows; with a path, go there first."""
    if path:
        page.goto(BASE + path)
    page.wait_for_load_state("networkidle")
    page.screenshot(path=TARGET / f"{name}.png")
    print(f"docs/screenshots/{name}.png")


def visits() -> dict[str, str]:
    """Return the address of one open visit and of one patient, by stage, from the product's own database."""
    lookup = (
        "from consultations.models import Visit\n"
        "for v in Visit.objects.filter(clinic__code='QH').in_clinic_now().order_by('-id'):\n"
        "    print('VISIT', v.stage, v.pk, v.patient_id)"
    )
    command = [sys.executable, "manage.py", "shell", "-v0", "-c", lookup]
    environment = os.environ | {"VAR_DIR": str(VAR)}
    said = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=True).stdout
    found = {}
    for line in said.splitlines():
        if line.startswith("VISIT "):
            _word, stage, visit, patient = line.split()
            found[stage] = f"/visits/{visit}/"
            found[f"{stage} patient"] = f"/patients/{patient}/"
    return found


def main() -> None:
    """Take all pictures."""
    chromium = find_chromium()
    if not chromium:
        raise SystemExit(WHAT_TO_INSTALL)
    TARGET.mkdir(parents=True, exist_ok=True)
    flags = ["--no-sandbox"] if os.geteuid() == 0 else []
    with product(), sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=[*flags, "--disable-background-networking"])
        page = browser.new_page(viewport=DESKTOP, locale="zh-CN", timezone_id="Asia/Shanghai")
        sign_in(page, "demo_tc")
        shoot(page, "today", "/today/?scope=clinic")
        at = visits()
        shoot(page, "handoff", at["handoff"])
        shoot(page, "plan", f"{at['explaining']}plan/")
        shoot(page, "patient", at["explaining patient"])
        doctor = browser.new_page(viewport=TABLET, locale="zh-CN", timezone_id="Asia/Shanghai")
        sign_in(doctor, "demo_doctor")
        shoot(doctor, "doctor")
        browser.close()


if __name__ == "__main__":
    main()
