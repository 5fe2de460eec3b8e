"""What the house style asks of the source and a tool does not check: lengths, and what is never used."""

import ast
import re
from functools import cache
from pathlib import Path

import pytest

from clinic_crm.embedded import BASE_DIR

APPS = ("accounts", "patients", "followups", "consultations", "conversations", "metrics", "clinic_crm")
LONGEST_FUNCTION, LONGEST_FILE = 60, 400  # lines
RULES = re.compile(r"(rules|_rules|stages|classification|permissions)\.py$")
MARKS_A_MESSAGE = {"_", "gettext", "ngettext", "pgettext", "npgettext", "gettext_lazy", "pgettext_lazy"}
NEEDS_A_FRAGMENT = re.compile(r"<(?!c-)[a-z]+\b[^>]*\shx-(get|post|put|patch|delete)=[^>]*>", re.DOTALL)


@cache
def sources():
    found = [path for app in APPS for path in sorted((BASE_DIR / app).rglob("*.py"))]
    return [path for path in found if "migrations" not in path.parts]


@cache
def tree(path):
    return ast.parse(path.read_text())


def templates():
    return sorted((BASE_DIR / "templates").rglob("*.html"))


def name(path: Path) -> str:
    return str(path.relative_to(BASE_DIR))


def imports(path):
    for node in ast.walk(tree(path)):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def test_functions_are_short():
    long = [
        f"{name(path)}:{node.lineno} {node.name} has {node.end_lineno - node.lineno + 1} lines"
        for path in sources()
        for node in ast.walk(tree(path))
        if isinstance(node, ast.FunctionDef) and node.end_lineno - node.lineno + 1 > LONGEST_FUNCTION
    ]
    assert not long, "\n".join(long)


def test_files_are_short():
    long = [f"{name(path)} has {count} lines" for path in sources()
            if (count := len(path.read_text().splitlines())) > LONGEST_FILE]  # fmt: skip
    assert not long, "\n".join(long)


def test_no_signals_and_no_generic_foreign_keys():
    banned = ("django.db.models.signals", "django.dispatch", "django.contrib.contenttypes.fields")
    found = [f"{name(path)} imports {what}" for path in sources() for what in imports(path) if what.startswith(banned)]
    assert not found, "\n".join(found)


def test_rules_need_no_database():
    """Of Django's models they may use the choices alone, which are plain enumerations."""
    banned = ("django.http", "django.shortcuts", "django.db.transaction", "django.db.connection")
    rules = [path for path in sources() if RULES.search(path.name)]
    found = [f"{name(path)} imports {what}" for path in rules for what in imports(path) if what.startswith(banned)]
    found += [
        f"{name(path)}:{node.lineno} uses models.{node.attr}"
        for path in rules
        for node in ast.walk(tree(path))
        if isinstance(node, ast.Attribute)
        and isinstance(node.value, ast.Name)
        and node.value.id == "models"
        and node.attr not in {"TextChoices", "IntegerChoices"}
    ]
    assert rules
    assert not found, "\n".join(found)


def test_nothing_is_left_for_later():
    words = re.compile(
        r"\b(TODO|FIXME|XXX)\b|raise NotImplementedError|coming soon|lorem ipsum|敬请期待", re.IGNORECASE
    )
    scripts = sorted((BASE_DIR / "static/js").rglob("*.js"))
    found = [name(path) for path in [*sources(), *templates(), *scripts] if words.search(path.read_text())]
    assert not found


@pytest.mark.parametrize(
    ("pattern", "why"),
    [
        (r"\|\s*safe\b", "autoescape always"),
        (r"{%\s*autoescape\s+off", "autoescape always"),
        (r"<[a-z][^>]*\sstyle=", "the content security policy forbids style attributes"),
        (r"<[a-z][^>]*\son[a-z]+=", "the content security policy forbids handlers in attributes"),
        (r"<script\b(?![^>]*\b(src|type=\"application/json\"|nonce)\b)", "scripts come from files"),
        (r"<style\b", "the content security policy forbids inline styles"),
        (r"\shx-on\b|\shx-on:|hx-vals=.js:", "htmx evaluates no code"),
        (r"javascript:", "no code in links"),
        (r"(src|href)=\"https?://", "nothing is fetched from outside"),
    ],
)  # fmt: skip
def test_templates_never_hold(pattern, why):
    found = [f"{name(path)}: {match.group(0)!r}" for path in templates()
             for match in re.finditer(pattern, path.read_text())]  # fmt: skip
    assert not found, f"{why}:\n" + "\n".join(found)


def test_what_htmx_swaps_works_without_it_too():
    """A plain element with an hx- request is a link, a button of a form, a form or a field inside one."""
    found = []
    for path in templates():
        for match in NEEDS_A_FRAGMENT.finditer(path.read_text()):
            element = match.group(0)
            kind = re.match(r"<([a-z]+)", element)[1]
            if (kind == "a" and "href=" not in element) or (kind == "form" and "action=" not in element):
                found.append(f"{name(path)}: {element[:120]}")
    assert not found, "\n".join(found)


def test_no_message_hides_in_an_f_string():
    """Messages are not found there by the extraction, and would stay English."""
    hidden = [
        f"{name(path)}:{call.lineno}"
        for path in sources()
        for node in ast.walk(tree(path))
        if isinstance(node, ast.JoinedStr)
        for call in ast.walk(node)
        if isinstance(call, ast.Call) and isinstance(call.func, ast.Name) and call.func.id in MARKS_A_MESSAGE
    ]
    assert not hidden, "\n".join(hidden)
