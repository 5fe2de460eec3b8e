"""Import a list of patients into a clinic: manage.py import_patients FILE --clinic CODE."""

from collections.abc import Iterator
from typing import Any

from django.core.management.base import CommandParser

from accounts.models import Clinic
from patients.importing.command import ImportCommand, day, mapping_among, words_of
from patients.importing.headers import FIELDS
from patients.importing.service import Outcome, import_patients


class Command(ImportCommand):
    help = "Import patients from a CSV or XLSX file into a clinic. Importing the same file again creates nothing."

    def add_arguments(self, parser: CommandParser) -> None:
        super().add_arguments(parser)
        parser.add_argument(
            "--mapping", type=mapping_among(FIELDS), default={}, metavar="JSON", help='{"column name": "field"}'
        )
        parser.add_argument("--today", type=day, metavar="DATE", help="the day taken as today, e.g. 2026-01-31")

    def bring_in(self, clinic: Clinic, options: dict[str, Any]) -> tuple[dict[str, Any], Iterator[str]]:
        outcome = import_patients(
            path=options["file"], clinic=clinic, by=None, sheet=options["sheet"], mapping=options["mapping"],
            today=options["today"], dry_run=options["dry_run"],
        )  # fmt: skip
        return outcome.plan.report(), _words(outcome, dry_run=options["dry_run"])


def _words(outcome: Outcome, *, dry_run: bool) -> Iterator[str]:
    yield from words_of(outcome, dry_run=dry_run)
    links, open_ends = outcome.referrals.links, outcome.referrals.unresolvable
    yield f"Referrals: {len(links)} found, {len(open_ends)} left open"
