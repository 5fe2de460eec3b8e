"""Print the part of requirements.txt that running needs: what pyproject.toml's dependencies pull in, without the tools.

python tools/runtime_lock.py > runtime.txt      (in an environment that has everything installed)
"""

import re
import sys
import tomllib
from importlib.metadata import PackageNotFoundError, requires
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).resolve().parent.parent


def needed(requirements: list[str]) -> set[str]:
    """Return the names of all packages that `requirements` pull in on this machine, themselves included."""
    found: set[tuple[str, str]] = set()
    waiting = [Requirement(text) for text in requirements]
    while waiting:
        requirement = waiting.pop()
        for extra in ("", *sorted(requirement.extras)):
            name = canonicalize_name(requirement.name)
            if (name, extra) in found:
                continue
            found.add((name, extra))
            waiting += [
                inner for inner in _requirements_of(name)
                if inner.marker is None or inner.marker.evaluate({"extra": extra})
            ]  # fmt: skip
    return {name for name, _ in found}


def _requirements_of(name: str) -> list[Requirement]:
    try:
        return [Requirement(text) for text in requires(name) or []]
    except PackageNotFoundError:  # not for this machine
        return []


def entries(lock: str) -> dict[str, str]:
    """Return the lock's entries with their hashes by package name; a package may have several, by Python version."""
    found: dict[str, str] = {}
    for block in re.findall(r"^[A-Za-z0-9].*(?:\n[ \t]+.*)*\n?", lock, re.MULTILINE):
        name = canonicalize_name(re.split(r"[=\[; ]", block, maxsplit=1)[0])
        found[name] = found.get(name, "") + block
    return found


def runtime_lock() -> str:
    """Return the lock's entries that running needs."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    lock = entries((ROOT / "requirements.txt").read_text())
    names = needed(project["dependencies"])
    return "".join(block for name, block in lock.items() if name in names)


if __name__ == "__main__":
    sys.stdout.write(runtime_lock())
