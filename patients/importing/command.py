"""What the commands that import a file into a clinic have in common."""

import json
from abc import ABC, abstractmethod
from argparse import ArgumentTypeError
from collections import Counter
from collections.abc import Callable, Collection, Iterator
from datetime import date
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from accounts.models import Clinic
from patients.importing.errors import ImportRefused


def mapping_among(fields: Collection[str]) -> Callable[[str], dict[str, str]]:
    """Return what reads `--mapping`: a JSON object of column names and known fields ("" to leave a column out)."""

    def mapping(text: str) -> dict[str, str]:
        try:
            found = json.loads(text)
        except ValueError as error:
            raise ArgumentTypeError(f"not JSON: {error}") from error
        if not isinstance(found, dict) or not all(isinstance(value, str) for value in found.values()):
            raise ArgumentTypeError('expected an object like {"column name": "field"}')
        unknown = [field for field in found.values() if field and field not in fields]
        if unknown:
            raise ArgumentTypeError(f"unknown field {unknown[0]!r}; known are: {', '.join(fields)}")
        return found

    return mapping


def day(text: str) -> date:
    """Read `--today`."""
    try:
        return date.fromisoformat(text)
    except ValueError as error:
        raise ArgumentTypeError(f"{text!r} is not a date like 2026-01-31") from error


class ImportCommand(BaseCommand, ABC):
    """Finds clinic and file, imports, prints the report: as words, or as JSON alone."""

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("file", type=Path)
        parser.add_argument("--clinic", required=True, metavar="CODE", help="code of the clinic")
        parser.add_argument("--sheet", default="", metavar="NAME", help="sheet of a workbook; by default the one found")
        parser.add_argument("--dry-run", action="store_true", help="write nothing, only report")
        parser.add_argument("--json", action="store_true", help="print the report as JSON and nothing else")

    def handle(self, *args: Any, **options: Any) -> None:
        clinic = Clinic.objects.filter(code=options["clinic"]).first()
        if clinic is None:
            raise CommandError(f"There is no clinic with the code {options['clinic']!r}.")
        if not options["file"].is_file():
            raise CommandError(f"There is no file {options['file']}.")
        try:
            report, words = self.bring_in(clinic, options)
        except (ImportRefused, OSError) as error:
            raise CommandError(str(error)) from error
        self.stdout.write(json.dumps(report, ensure_ascii=False) if options["json"] else "\n".join(words))

    @abstractmethod
    def bring_in(self, clinic: Clinic, options: dict[str, Any]) -> tuple[dict[str, Any], Iterator[str]]:
        """Import the file; return the report, and the same in words."""
        raise TypeError(f"{type(self).__name__} does not say how it imports")


def words_of(outcome: Any, *, dry_run: bool) -> Iterator[str]:
    """Say what came of a table: its header, the rows by what was done with them, reasons with their counts."""
    plan, table = outcome.plan, outcome.table
    yield f"Header in row {table.header.number}" + (f" of sheet {table.sheet}" if table.sheet else "")
    yield (
        f"{plan.rows} rows: {plan.created} created, {plan.updated} updated, {len(plan.merged)} merged, "
        f"{len(plan.rejected)} rejected" + (" (dry run, nothing written)" if dry_run else "")
    )
    for title, found in (("Rejected", plan.rejected), ("Warnings", plan.warnings)):
        yield from counted(title, Counter(reason.value for _row, reason in found))


def counted(title: str, counts: "Counter[str]") -> Iterator[str]:
    """Say how often each reason was given."""
    yield from (f"{title}: {reason} {count}" for reason, count in sorted(counts.items()))
