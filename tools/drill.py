"""`make drill`: fill, back up, destroy, restore on a second server, compare; then try damaged backups.

Everything lies in a new temporary directory.
"""

import os
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
KEY = "a key for drills only, not a secret"


class DrillError(RuntimeError):
    """The drill failed; the message says where."""


def manage(var: Path, *arguments: str, fails: str = "") -> str:
    """Run a command on the servers of `var`. With `fails` it must fail, and say that."""
    environment = {
        key: value for key, value in os.environ.items() if key not in {"DATABASE_URL", "REDIS_URL", "MEDIA_ROOT"}
    }
    environment |= {
        "VAR_DIR": str(var),
        "SECRET_KEY": KEY,
        "DATA_KEY": KEY,
        "DJANGO_SETTINGS_MODULE": "clinic_crm.settings",
    }
    command = [sys.executable, "manage.py", *arguments]
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, stdin=subprocess.DEVNULL)
    said = (done.stdout + done.stderr).strip()
    if fails and (done.returncode == 0 or fails not in said):
        raise DrillError(f"{' '.join(arguments)} should have failed with “{fails}”:\n{said}")
    if not fails and done.returncode:
        raise DrillError(f"{' '.join(arguments)} failed:\n{said}")
    return said


def compare(var: Path, kept: Path) -> None:
    """Compare every table and file on the servers of `var` with a backup (raises DrillError)."""
    told = manage(var, "shell", "--no-imports", "-c",
                  f"from clinic_crm.backup.restoring import compare; from pathlib import Path;"
                  f"print('different:', compare(Path({str(kept)!r})))")  # fmt: skip
    if "different: []" not in told:
        raise DrillError(told)


def damage(kept: Path, into: Path, name: str) -> Path:
    """Return a copy of a backup in which one bit of a file is another."""
    shutil.copytree(kept, into)
    path = into / name
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(bytes(content))
    return into


def step(words: str, started: float) -> None:
    """Say what was done, and when."""
    print(f"{time.monotonic() - started:6.1f} s  {words}", flush=True)


def run(home: Path, started: float) -> None:
    """Do it all; raises DrillError."""
    first, second, kept = home / "first", home / "second", home / "kept"
    manage(first, "migrate", "--verbosity=0")
    manage(first, "load_demo")
    pictures = first / "media/drill"
    pictures.mkdir(parents=True)
    for number in range(20):
        (pictures / f"{number}.bin").write_bytes(os.urandom(100_000))
    step("filled with the demo data", started)
    step(manage(first, "backup", str(kept)), started)
    compare(first, kept)
    shutil.rmtree(first)
    step("destroyed", started)
    step(manage(second, "restore", str(kept)), started)
    compare(second, kept)
    step("every table and file is as it was", started)
    manage(second, "restore", str(kept), fails="not empty")
    tables = sorted((kept / "tables").glob("*.gz"), key=lambda path: path.stat().st_size)
    for number, path in enumerate([tables[-1], kept / "files/drill/7.bin", kept / "manifest.json"]):
        name = str(path.relative_to(kept))
        broken = damage(kept, home / f"damaged{number}", name)
        complaint = "changed" if name == "manifest.json" else "damaged"
        manage(second, "restore", str(broken), "--replace", fails=complaint)
        step(f"refused with one bit of {name} turned", started)
    compare(second, kept)
    manage(second, "restore", str(kept), "--replace")
    compare(second, kept)
    step("refusals changed nothing, and replacing works", started)


def main() -> int:
    """Run the drill; returns the exit status."""
    home = Path(tempfile.mkdtemp(prefix="drill-"))
    home.chmod(0o755)  # PostgreSQL's own user passes through
    try:
        run(home, time.monotonic())
    except DrillError as error:
        print(error, file=sys.stderr)
        return 1
    finally:
        shutil.rmtree(home, ignore_errors=True)
    print("The drill went well.")
    return 0


if __name__ == "__main__":
    sys.exit(main())
