"""The commands that README and handbook tell a reader to type."""

import re
import shlex
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from clinic_crm.embedded import BASE_DIR

PAGES = sorted(
    [*BASE_DIR.glob("README*.md"), BASE_DIR / "CONTRIBUTING.md", BASE_DIR / "CHANGELOG.md"]
    + [page for page in (BASE_DIR / "docs").rglob("*.md") if "_build" not in page.parts]
)
FENCE = re.compile(r"^```(\w+)\n(.*?)^```", re.MULTILINE | re.DOTALL)
ASSIGNED = re.compile(r"^[A-Z_]+=")


def name(page: Path) -> str:
    return str(page.relative_to(BASE_DIR))


@dataclass(frozen=True)
class Command:
    """One line to type: what is set before it, and its words."""

    page: str
    line: str
    settings: tuple[str, ...]
    words: tuple[str, ...]

    @property
    def manage(self) -> tuple[str, ...] | None:
        """The arguments of manage.py, wherever it is run."""
        return self.words[self.words.index("manage.py") + 1 :] if "manage.py" in self.words else None


def _lines(kind: str, block: str) -> Iterator[str]:
    joined = block.replace("\\\n", " ")
    for line in joined.splitlines():
        if kind == "console" and line.startswith("$ "):
            yield line[2:].strip()
        elif kind == "bash" and line.strip() and not line.startswith("#"):
            yield line.strip()


def commands() -> list[Command]:
    """Return every command of every page once."""
    found: dict[str, Command] = {}
    for page in PAGES:
        for kind, block in FENCE.findall(page.read_text()):
            for line in _lines(kind, block):
                words = shlex.split(line)
                settings = tuple(word for word in words if ASSIGNED.match(word) and words.index(word) == 0)
                found.setdefault(line, Command(name(page), line, settings, tuple(words[len(settings) :])))
    return list(found.values())
