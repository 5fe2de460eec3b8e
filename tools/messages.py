"""Keep locale/zh_Hans in step with the code: `update`, `check` and `compile` (all with Babel, no gettext needed).

python tools/messages.py update     take new strings in, drop those gone, keep translations; then compile
python tools/messages.py check      fail on a missing, untranslated, fuzzy or mismatched string
python tools/messages.py compile    write the .mo file that Django reads
"""

import io
import re
import sys
from collections.abc import Iterator
from pathlib import Path

from babel.messages.catalog import Catalog, Message
from babel.messages.extract import extract
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po, write_po
from django.conf import settings
from django.utils.translation.template import templatize

ROOT = Path(__file__).resolve().parent.parent
PO = ROOT / "locale/zh_Hans/LC_MESSAGES/django.po"
SKIPPED = {"tests", "tools", "bench", "static", "docs", "var", "migrations", "__pycache__"}
KEYWORDS: dict[str, tuple[int | tuple[int, str], ...] | None] = {
    **dict.fromkeys(("_", "gettext", "gettext_lazy", "gettext_noop"), None),
    **dict.fromkeys(("ngettext", "ngettext_lazy"), (1, 2)),
    **dict.fromkeys(("pgettext", "pgettext_lazy"), ((1, "c"), 2)),
    **dict.fromkeys(("npgettext", "npgettext_lazy"), ((1, "c"), 2, 3)),
}
PLACEHOLDER = re.compile(r"%\(\w+\)[#0\- +]?[\d.]*[diouxXeEfFgGcrs]|(?<!%)%[sd]|(?<!{){\w*}(?!})")
NOISE = re.compile(
    rb'^"(POT-Creation-Date|PO-Revision-Date|Report-Msgid-Bugs-To|Last-Translator|Language-Team|Generated-By):.*\n',
    re.MULTILINE,
)


def sources() -> Iterator[Path]:
    """Yield every Python file and template of the product, in a stable order."""
    for top in sorted(ROOT.iterdir()):
        if top.is_dir() and not top.name.startswith(".") and top.name not in SKIPPED:
            for path in sorted((*top.rglob("*.py"), *top.rglob("*.html"), *top.rglob("*.txt"))):
                if not SKIPPED & set(path.relative_to(ROOT).parts):
                    yield path


def _python_text(path: Path) -> bytes:
    text = path.read_text(encoding="utf-8")
    if path.suffix == ".py":
        return text.encode()
    # What templatize leaves of a template is Python but for its indentation, which brackets make meaningless.
    return f"({templatize(text, origin=str(path))}\n)".encode()


def extracted() -> Catalog:
    """Return all strings that the code and the templates mark for translation."""
    catalog = Catalog(locale="zh_Hans", project="clinic-crm", version="1", charset="utf-8", fuzzy=False)
    for path in sources():
        where = str(path.relative_to(ROOT))
        found = extract("python", io.BytesIO(_python_text(path)), keywords=KEYWORDS, options={"encoding": "utf-8"})
        for _line, message, _comments, context in found:
            catalog.add(message, locations=[(where, 1)], context=context)
    return catalog


def stored() -> Catalog:
    """Return the catalogue as it lies in the repository."""
    if not PO.exists():
        return Catalog(locale="zh_Hans", project="clinic-crm", version="1", charset="utf-8", fuzzy=False)
    with PO.open("rb") as file:
        return read_po(file, locale="zh_Hans")


def store(catalog: Catalog) -> None:
    """Write the catalogue, sorted and without dates, names or line numbers, so that only real changes show."""
    catalog.header_comment = "# Simplified Chinese."
    buffer = io.BytesIO()
    write_po(buffer, catalog, sort_output=True, include_lineno=False, ignore_obsolete=True, width=100)
    text = NOISE.sub(b"", buffer.getvalue())
    if not PO.exists() or PO.read_bytes() != text:
        PO.parent.mkdir(parents=True, exist_ok=True)
        PO.write_bytes(text)


def updated() -> Catalog:
    """Return the stored catalogue with what the code has now, translations kept."""
    catalog = stored()
    catalog.update(extracted(), no_fuzzy_matching=True)
    return catalog


def compile_messages(catalog: Catalog) -> None:
    """Write django.mo beside the catalogue."""
    PO.parent.mkdir(parents=True, exist_ok=True)
    fresh = PO.with_suffix(".mo.new")
    with fresh.open("wb") as file:
        write_mo(file, catalog)
    fresh.replace(PO.with_suffix(".mo"))


def is_translated(message: Message) -> bool:
    """Tell whether every form of a message has words."""
    strings = message.string if isinstance(message.string, list | tuple) else [message.string]
    return bool(strings) and all(strings)


def faults(catalog: Catalog) -> list[str]:
    """Return what is wrong with the translations, a line each, naming the files concerned."""
    return [f"{fault}: {message.id!r} in {_where(message)}" for message in catalog if message.id
            for fault in _faults_of(message)]  # fmt: skip


def _faults_of(message: Message) -> Iterator[str]:
    if not is_translated(message):
        yield "untranslated"
        return
    if message.fuzzy:
        yield "fuzzy"
    identifiers = message.id if isinstance(message.id, list | tuple) else [message.id]
    strings = message.string if isinstance(message.string, list | tuple) else [message.string]
    expected = set(PLACEHOLDER.findall(identifiers[-1]))
    for string in strings:
        if set(PLACEHOLDER.findall(string or "")) != expected:
            yield f"placeholders differ from {string!r}"


def _where(message: Message) -> str:
    return ", ".join(sorted({name for name, _ in message.locations}))


def check() -> list[str]:
    """Return the faults of the stored catalogue, strings missing from it or no longer used included."""
    now, then = extracted(), stored()
    known = {(message.id, message.context) for message in then if message.id}
    used = {(message.id, message.context) for message in now if message.id}
    missing = [f"missing: {identifier!r}" for identifier, _ in sorted(used - known, key=str)]
    unused = [f"no longer used: {identifier!r}" for identifier, _ in sorted(known - used, key=str)]
    return missing + unused + faults(then)


def main(command: str) -> int:
    """Run one of the three commands; returns the exit status."""
    if not settings.configured:
        settings.configure()
    if command == "update":
        catalog = updated()
        store(catalog)
        compile_messages(catalog)
        print(*faults(catalog), sep="\n")
    elif command == "check":
        found = check()
        print(*found, sep="\n")
        return 1 if found else 0
    elif command == "compile":
        compile_messages(stored())
    else:
        print(__doc__)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1] if len(sys.argv) > 1 else ""))
