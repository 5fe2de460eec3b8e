"""Print every environment variable that the product reads, as a Markdown table."""

import ast
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, no_translations

from clinic_crm.settings_words import MEANINGS

CODE = Path(__file__).resolve().parent.parent.parent
UNSAID = "—"


def variables() -> dict[str, str]:
    """Return each variable's default as the code has it, in the order in which they are read."""
    found: dict[str, str] = {}
    for path in [CODE / "settings.py", *sorted(CODE.rglob("*.py"))]:
        for name, default in _read(ast.parse(path.read_text())):
            if name not in found or found[name] == UNSAID:
                found[name] = default
    return found


def _read(tree: ast.AST) -> Iterator[tuple[str, str]]:
    """Yield (name, default) of env.kind("NAME", default) and os.environ.get("NAME", default)."""
    for node in sorted((n for n in ast.walk(tree) if isinstance(n, ast.Call)), key=lambda n: (n.lineno, n.col_offset)):
        called = ast.unparse(node.func)
        first = node.args[0] if node.args else None
        if not isinstance(first, ast.Constant) or not str(first.value).isupper():
            continue
        if called.startswith("env.") or called == "os.environ.get":
            yield str(first.value), _shown(node.args[1]) if len(node.args) > 1 else UNSAID


def _shown(default: ast.expr) -> str:
    """Return a default as a reader understands it."""
    known = {"True": "1", "False": "0", "DEFAULT_SECRET": "for one machine only", "SECRET_KEY": "SECRET_KEY",
             "PRODUCTION": "as PRODUCTION", "not PRODUCTION": "0 in PRODUCTION, else 1"}  # fmt: skip
    text = ast.unparse(default)
    if text in known:
        return known[text]
    if isinstance(default, ast.Constant):
        return str(default.value) or UNSAID
    if isinstance(default, ast.List):
        return ",".join(str(ast.literal_eval(one)) for one in default.elts) or UNSAID
    if "BASE_DIR" in text or "VAR_DIR /" in text:
        return text.replace("BASE_DIR / ", "").replace(" / ", "/").replace("'", "")
    return "the embedded one" if "_url(" in text else UNSAID


class Command(BaseCommand):
    help = "Print every environment variable with its default and meaning, as a Markdown table"

    @no_translations
    def handle(self, *args: Any, **options: Any) -> None:
        self.stdout.write("| variable | default | meaning |\n|---|---|---|")
        for name, default in variables().items():
            shown = default if default == UNSAID else f"`{default}`"
            self.stdout.write(f"| `{name}` | {shown} | {MEANINGS[name]} |")
