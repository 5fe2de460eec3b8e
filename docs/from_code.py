"""Tables of the handbook that are made from the code, so that they cannot fall behind it."""

import ast
import re
from collections.abc import Iterable
from pathlib import Path

from django.conf import settings
from django.core.management import load_command_class
from django.utils import translation

from accounts.api.problems import KINDS, PLACE
from accounts.permissions import ROLE_PERMISSIONS, Permission, Role
from accounts.scopes import GROUPS as SCOPE_GROUPS
from clinic_crm.management.commands.settings_table import UNSAID, variables
from clinic_crm.settings_words import MEANINGS
from clinic_crm.setup.index import GROUPS as SETTING_GROUPS
from conversations.inspection.codes import CODES, GROUPS
from conversations.inspection.rules import THRESHOLDS
from followups.models import HookEvent
from followups.services.hook_sending import MOST_TRIES
from metrics.kpis import ACCURACY_TARGET, KPIS
from metrics.records import REASONS

ROOT = Path(__file__).resolve().parent.parent
SIGNS = {"up": "≥", "down": "≤"}


def table(head: Iterable[str], rows: Iterable[Iterable[object]]) -> str:
    """Return a Markdown table."""
    told = [list(map(str, row)) for row in rows]
    names = list(head)
    lines = [names, ["---"] * len(names), *told]
    return "\n".join("| " + " | ".join(cell.replace("|", "\\|") for cell in line) + " |" for line in lines)


def kpis() -> str:
    """Return the ten key figures: name, target as delivered, definition."""
    rows = [
        (kpi.number, f"**{kpi.name}** {_chinese(kpi.name)}", f"{SIGNS[kpi.direction]} {_target(kpi)}", kpi.meaning)
        for kpi in KPIS
    ]
    return table(("No.", "Figure", "Target", "Definition"), rows)


def _target(kpi: object) -> str:
    unit = "%" if kpi.unit == "percent" else ""  # type: ignore[attr-defined]
    own = f"{kpi.target}{unit}"  # type: ignore[attr-defined]
    return f"{own}; accuracy {ACCURACY_TARGET}{unit}" if kpi.slug == "classification" else own  # type: ignore[attr-defined]


def _chinese(text: object) -> str:
    with translation.override("zh-hans"):
        return str(text)


def companions() -> str:
    """Return what stands beside each figure."""
    rows = [(kpi.name, "; ".join(str(one.name) for one in kpi.companions)) for kpi in KPIS if kpi.companions]
    return table(("Figure", "Beside it"), rows)


def exclusions() -> str:
    """Return the reasons for which a record is left out of a figure."""
    return "\n".join(f"- {words}" for words in REASONS.values())


def permissions() -> str:
    """Return who may do what, as the code has it."""
    rows = [
        (f"`{permission.value}`", *("●" if permission in ROLE_PERMISSIONS[role] else "" for role in Role.values))
        for permission in Permission
    ]
    return table(("Permission", *(str(label) for label in Role.labels)), rows)


def findings() -> str:
    """Return the faults that the inspection of chats knows."""
    return table(
        ("Group", "Fault", "Costs", "What to do instead"),
        ((GROUPS[code.group], code.label, code.deduction, code.advice) for code in CODES.values()),
    )


def thresholds() -> str:
    """Return the numbers of the inspection that a clinic may set."""
    return table(
        ("Threshold", "As delivered", "Unit"),
        ((one.label, f"{one.default:g}", one.unit) for one in THRESHOLDS.values()),
    )


def jobs() -> str:
    """Return what beat starts, and how often."""
    return table(
        ("Job", "Task", "Every"),
        (
            (name, f"`{entry['task']}`", _every(float(entry["schedule"])))
            for name, entry in settings.CELERY_BEAT_SCHEDULE.items()
        ),
    )


def _every(seconds: float) -> str:
    for size, word in ((86_400, "day"), (3600, "hour"), (60, "minute")):
        if seconds >= size and seconds % size == 0:
            count = int(seconds // size)
            return f"{word}" if count == 1 else f"{count} {word}s"
    return f"{seconds:g} seconds"


def make_targets() -> str:
    """Return what the Makefile says of its targets."""
    lines = [line for line in (ROOT / "Makefile").read_text().splitlines() if ": " in line and " ## " in line]
    return table(
        ("Command", "What it does"), ((f"`make {line.split(':')[0]}`", line.split(" ## ")[1]) for line in lines)
    )


def commands() -> str:
    """Return the management commands with what they say of themselves."""
    found = sorted(ROOT.glob("*/management/commands/*.py"))
    names = sorted((path.stem, path.parts[-4]) for path in found if path.stem != "__init__")
    rows = [(f"`{name}`", load_command_class(app, name).help) for name, app in names]
    return table(("Command", "What it does"), rows)


def settings_table() -> str:
    """Return every environment variable, its default and meaning: what `manage.py settings_table` prints."""
    rows = (
        (f"`{name}`", default if default == UNSAID else f"`{default}`", MEANINGS[name])
        for name, default in variables().items()
    )
    return table(("Variable", "Default", "Meaning"), rows)


def settings_pages() -> str:
    """Return what a clinic changes on its pages."""
    rows = [
        ("" if at else group.name, entry.name, entry.what, "●" if entry.restorable else "")
        for group in SETTING_GROUPS
        for at, entry in enumerate(group.entries)
    ]
    return table(("Subject", "Page", "What", "Can go back to what is built in"), rows)


def problems() -> str:
    """Return the kinds of problems that the API answers with."""
    rows = ((kind.status, f"`{PLACE}{slug}`", kind.meaning) for slug, kind in KINDS.items())
    return table(("Status", "Type", "Meaning"), sorted(rows, key=lambda row: row[0]))


def scopes() -> str:
    """Return the groups of resources that a token may be limited to."""
    return table(("Scope", "What"), ((f"`{name}:read`, `{name}:write`", words) for name, words in SCOPE_GROUPS.items()))


def hook_events() -> str:
    """Return what webhooks may be told."""
    return table(("Event", "When"), ((f"`{event.value}`", event.label) for event in HookEvent))


def resources() -> str:
    """Return the lists of the API, by application, as its routes have them."""
    rows = []
    for path in sorted([*ROOT.glob("*/api_urls.py"), *ROOT.glob("clinic_crm/*/api_urls.py")]):
        named = re.findall(r'register\("([^"]+)"|path\("([^"<]+?)/', path.read_text())
        names = dict.fromkeys(one or other for one, other in named)
        rows.append((f"`{path.parent.relative_to(ROOT)}`", ", ".join(f"`{name}`" for name in names)))
    return table(("Application", "Under `/api/v1/`"), rows)


def layers() -> str:
    """Return the applications in the order in which they may import one another."""
    text = (ROOT / "Makefile").read_text()
    names = next(line for line in text.splitlines() if line.startswith("APPS :="))
    return " ← ".join(f"`{name}`" for name in names.split(":=")[1].split())


def first_lines(*paths: str) -> str:
    """Return files with the first sentence of what they say of themselves."""
    rows = []
    for path in paths:
        told = ast.get_docstring(ast.parse((ROOT / path).read_text())) or ""
        rows.append((f"`{path}`", told.split("\n\n")[0].replace("\n", " ")))
    return table(("File", "What it is"), rows)


def substitutions() -> dict[str, str]:
    """Return all of it, by the names that the pages use."""
    makers = (
        kpis, companions, exclusions, permissions, findings, thresholds, jobs, commands, make_targets, layers,
        settings_table, settings_pages, problems, scopes, resources, hook_events,
    )  # fmt: skip
    more = {"senders": first_lines(*_senders()), "hook_tries": str(MOST_TRIES)}
    with translation.override("en"):
        return {maker.__name__: maker() for maker in makers} | more


def _senders() -> list[str]:
    found = sorted((ROOT / "followups/senders").glob("*.py"))
    return [str(path.relative_to(ROOT)) for path in found if path.name != "__init__.py"]
