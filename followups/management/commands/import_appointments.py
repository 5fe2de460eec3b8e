"""Import a list of appointments into a clinic: manage.py import_appointments FILE --clinic CODE."""

from collections.abc import Iterator
from typing import Any

from django.core.management.base import CommandParser

from accounts.models import Clinic
from followups.importing.service import import_appointments
from patients.importing.command import ImportCommand, day, words_of


class Command(ImportCommand):
    help = "Import appointments from a CSV or XLSX file into a clinic. Importing the same file again creates nothing."

    def add_arguments(self, parser: CommandParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("--today", type=day, metavar="DATE", help="the day taken as today, e.g. 2026-01-31")

    def bring_in(self, clinic: Clinic, options: dict[str, Any]) -> tuple[dict[str, Any], Iterator[str]]:
        outcome = import_appointments(
            path=options["file"], clinic=clinic, by=None, sheet=options["sheet"], today=options["today"],
            dry_run=options["dry_run"],
        )  # fmt: skip
        return outcome.plan.report(), words_of(outcome, dry_run=options["dry_run"])
