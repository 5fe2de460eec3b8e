"""Import a list of patients into a clinic: manage.py import_patients FILE --clinic CODE."""

import json
from argparse import ArgumentTypeError
from collections import Counter
from datetime import date
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from accounts.models import Clinic
from patients.importing.errors import ImportRefused
from patients.importing.headers import FIELDS
from patients.importing.service import Outcome, import_patients


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


def _day(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError as error:
        raise ArgumentTypeError(f"{text!r} is not a date like 2026-01-31") from error


class Command(BaseCommand):
    help = "Import patients from a CSV or XLSX file into a clinic. Importing the same file again creates nothing."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("file", type=Path)
        parser.add_argument("--clinic", required=True, metavar="CODE", help="code of the clinic")
        parser.add_argument("--sheet", default="", metavar="NAME", help="sheet of a workbook; by default the one found")
        parser.add_argument("--mapping", type=_mapping, default={}, metavar="JSON", help='{"column name": "field"}')
        parser.add_argument("--today", type=_day, metavar="DATE", help="the day taken as today, e.g. 2026-01-31")
        parser.add_argument("--dry-run", action="store_true", help="write nothing, only report")
        parser.add_argument("--json", action="store_true", help="print the report as JSON and nothing else")

    def handle(self, *args: Any, **options: Any) -> None:
        clinic = Clinic.objects.filter(code=options["clinic"]).first()
        if clinic is None:
            raise CommandError(f"There is no clinic with the code {options['clinic']!r}.")
        path: Path = options["file"]
        if not path.is_file():
            raise CommandError(f"There is no file {path}.")
        try:
            outcome = import_patients(
                path=path, clinic=clinic, by=None, sheet=options["sheet"], mapping=options["mapping"],
                today=options["today"], dry_run=options["dry_run"],
            )  # fmt: skip
        except (ImportRefused, OSError) as error:
            raise CommandError(str(error)) from error
        if options["json"]:
            self.stdout.write(json.dumps(outcome.plan.report(), ensure_ascii=False))
        else:
            self.stdout.write("\n".join(_summary(outcome, dry_run=options["dry_run"])))


def _summary(outcome: Outcome, *, dry_run: bool) -> list[str]:
    plan, table = outcome.plan, outcome.table
    lines = [
        f"Header in row {table.header.number}" + (f" of sheet {table.sheet}" if table.sheet else ""),
        f"{plan.rows} rows: {plan.created} created, {plan.updated} updated, {len(plan.merged)} merged, "
        f"{len(plan.rejected)} rejected" + (" (dry run, nothing written)" if dry_run else ""),
    ]
    for title, found in (("Rejected", plan.rejected), ("Warnings", plan.warnings)):
        counts = Counter(reason.value for _row, reason in found)
        lines += [f"{title}: {reason} {count}" for reason, count in sorted(counts.items())]
    links, open_ends = outcome.referrals.links, outcome.referrals.unresolvable
    lines.append(f"Referrals: {len(links)} found, {len(open_ends)} left open")
    return lines
