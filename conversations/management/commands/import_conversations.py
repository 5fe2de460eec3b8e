"""Import chats into a clinic: manage.py import_conversations FILE --clinic CODE."""

import json
from argparse import ArgumentTypeError
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from accounts.models import Clinic
from conversations.importing.columns import FIELDS
from conversations.services.importing import Tally, import_chats
from patients.importing.errors import ImportRefused

NEWS_EVERY = 10_000  # chats


def _mapping(text: str) -> dict[str, str]:
    try:
        mapping = json.loads(text)
    except ValueError as error:
        raise ArgumentTypeError(f"not JSON: {error}") from error
    if not isinstance(mapping, dict) or not all(isinstance(value, str) for value in mapping.values()):
        raise ArgumentTypeError('expected an object like {"column name": "field"}')
    unknown = [field for field in mapping.values() if field and field not in FIELDS]
    if unknown:
        raise ArgumentTypeError(f"unknown field {unknown[0]!r}; known are: {', '.join(FIELDS)}")
    return mapping


class Command(BaseCommand):
    help = (
        "Import online chats from JSONL, CSV, XLSX or text into a clinic and inspect them. The same file again "
        "changes nothing; a longer version of a chat replaces it."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("file", type=Path)
        parser.add_argument("--clinic", required=True, metavar="CODE", help="code of the clinic")
        parser.add_argument("--sheet", default="", metavar="NAME", help="sheet of a workbook; by default the one found")
        parser.add_argument("--mapping", type=_mapping, default={}, metavar="JSON", help='{"column name": "field"}')
        parser.add_argument("--dry-run", action="store_true", help="write nothing, only report")
        parser.add_argument("--json", action="store_true", help="print the report as JSON and nothing else")

    def handle(self, *args: Any, **options: Any) -> None:
        clinic = Clinic.objects.filter(code=options["clinic"]).first()
        if clinic is None:
            raise CommandError(f"There is no clinic with the code {options['clinic']!r}.")
        path: Path = options["file"]
        if not path.is_file():
            raise CommandError(f"There is no file {path}.")
        self._told = 0
        try:
            tally = import_chats(
                path=path, clinic=clinic, by=None, sheet=options["sheet"], mapping=options["mapping"],
                dry_run=options["dry_run"], settled=self._tell,
            )  # fmt: skip
        except (ImportRefused, OSError) as error:
            raise CommandError(str(error)) from error
        if options["json"]:
            self.stdout.write(json.dumps(tally.report(), ensure_ascii=False))
        else:
            self.stdout.write("\n".join(_summary(tally, dry_run=options["dry_run"])))

    def _tell(self, tally: Tally) -> None:
        if tally.taken - self._told >= NEWS_EVERY:
            self._told = tally.taken
            self.stderr.write(f"{tally.taken} chats read")


def _summary(tally: Tally, *, dry_run: bool) -> list[str]:
    report = tally.report()
    lines = [
        f"{report['conversations']} chats with {tally.messages} new messages: {tally.created} created, {tally.updated} "
        f"updated, {tally.unchanged} unchanged, {sum(tally.rejected_counts.values())} rows rejected"
        + (" (dry run, nothing written)" if dry_run else "")
    ]
    for title, counts in (("Rejected", tally.rejected_counts), ("Warnings", tally.warning_counts)):
        lines += [f"{title}: {reason} {count}" for reason, count in sorted(counts.items())]
    lines += [f"Unknown consultant: {name} in {count} chats" for name, count in tally.unknown.most_common(20)]
    return lines
