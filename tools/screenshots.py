"""`make screenshots`: take the README's pictures from the running product.

Starts the product on a spare port with demo data of its own under var/screenshots.
"""

import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from playwright.sync_api import Page, ViewportSize, sync_playwright

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from clinic_crm.demo.staff import PASSWORD  # noqa: E402
from tools.browser import WHAT_TO_INSTALL, find_chromium  # noqa: E402

TARGET = ROOT / "docs" / "screenshots"
PORT = int(os.environ.get("PORT") or 8098)
BASE = f"http://127.0.0.1:{PORT}"
DESKTOP: ViewportSize = {"width": 1440, "height": 900}
TABLET: ViewportSize = {"width": 820, "height": 1180}


@contextmanager
def product() -> Iterator[None]:
    """Run the product until the pictures are taken."""
    place = {"PORT": str(PORT), "VAR_DIR": str(ROOT / "var" / "screenshots"), "DEMO": "1"}
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


def visit_at(page: Page, stage: str) -> str:
    """Return the address of a visit that stands at `stage`, from the today board."""
    page.goto(f"{BASE}/today/?scope=clinic")
    href = page.locator(f"[data-stage='{stage}'] a[href*='/visits/']").first.get_attribute("href")
    found = re.search(r"/visits/\d+/", href or "")
    if found is None:
        raise SystemExit(f"no visit at {stage} on the today board")
    return found[0]


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
        handoff, explaining = visit_at(page, "handoff"), visit_at(page, "explaining")
        shoot(page, "handoff", handoff)
        shoot(page, "plan", f"{explaining}plan/present/")
        page.goto(BASE + handoff)
        page.click("a[href^='/patients/']:has-text('患者'):visible >> nth=-1")
        shoot(page, "patient")
        doctor = browser.new_page(viewport=TABLET, locale="zh-CN", timezone_id="Asia/Shanghai")
        sign_in(doctor, "demo_doctor")
        shoot(doctor, "doctor")
        browser.close()


if __name__ == "__main__":
    main()
