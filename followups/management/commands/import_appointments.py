"""Import a list of appointments into a clinic: manage.py import_appointments FILE --clinic CODE."""

import json
from argparse import ArgumentTypeError
from collections import Counter
from datetime import date
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from accounts.models import Clinic
from followups.importing.service import Outcome, import_appointments
from patients.importing.errors import ImportRefused


def _day(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError as error:
        raise ArgumentTypeError(f"{text!r} is not a date like 2026-01-31") from error


class Command(BaseCommand):
    help = "Import appointments from a CSV or XLSX file into a clinic. Importing the same file again creates nothing."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("file", type=Path)
        parser.add_argument("--clinic", required=True, metavar="CODE", help="code of the clinic")
        parser.add_argument("--sheet", default="", metavar="NAME", help="sheet of a workbook; by default the one found")
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
            outcome = import_appointments(
                path=path, clinic=clinic, by=None, sheet=options["sheet"], today=options["today"],
                dry_run=options["dry_run"],
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
    return lines
