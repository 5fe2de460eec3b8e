"""Have Chromium and a Chinese font for the browser tests: install them with apt where that can be done."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

CHROMIUM_NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
PACKAGES = ("chromium", "fonts-noto-cjk")
WHAT_TO_INSTALL = (
    "The browser tests need Chromium (or Chrome) on the PATH, or named in CHROMIUM, and a Chinese font. "
    f"On Debian or Ubuntu: apt-get install {' '.join(PACKAGES)}"
)


def find_chromium() -> str | None:
    """Return the path of the browser to drive, or None."""
    return os.environ.get("CHROMIUM") or next(filter(None, map(shutil.which, CHROMIUM_NAMES)), None)


def has_chinese_font() -> bool:
    """Tell whether Chinese text would show as more than boxes."""
    if shutil.which("fc-list"):
        return bool(subprocess.run(["fc-list", ":lang=zh-cn"], capture_output=True, check=False).stdout.strip())
    return sys.platform == "darwin" or any(Path("/usr/share/fonts").rglob("*CJK*"))


def install() -> bool:
    """Install both through apt as root or by a password-less sudo; returns whether apt said yes."""
    if not shutil.which("apt-get"):
        return False
    prefix: list[str] = []
    if os.geteuid() != 0:
        if not shutil.which("sudo") or subprocess.run(["sudo", "-n", "true"], capture_output=True).returncode:
            return False
        prefix = ["sudo", "-n"]
    print(f"Installing {' and '.join(PACKAGES)} for the browser tests …", flush=True)
    environment = os.environ | {"DEBIAN_FRONTEND": "noninteractive"}
    for command in (["update", "-q"], ["install", "-q", "-y", "--no-install-recommends", *PACKAGES]):
        done = subprocess.run(
            [*prefix, "apt-get", *command], stdin=subprocess.DEVNULL, capture_output=True, text=True, env=environment
        )
        if done.returncode:
            print(done.stderr, file=sys.stderr)
    return done.returncode == 0


def main() -> int:
    """Return 0 when both are there, installing them if need be."""
    if find_chromium() and has_chinese_font():
        return 0
    if install() and find_chromium():
        return 0
    print(WHAT_TO_INSTALL, file=sys.stderr)
    return 1


if __name__ == "__main__":
    sys.exit(main())
