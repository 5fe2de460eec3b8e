"""Import chats into a clinic: manage.py import_conversations FILE --clinic CODE."""

from collections.abc import Iterator
from typing import Any

from django.core.management.base import CommandParser

from accounts.models import Clinic
from conversations.importing.columns import FIELDS
from conversations.services.importing import Tally, import_chats
from patients.importing.command import ImportCommand, counted, mapping_among

NEWS_EVERY = 10_000  # chats


class Command(ImportCommand):
    help = (
        "Import online chats from JSONL, CSV, XLSX or text into a clinic and inspect them. The same file again "
        "changes nothing; a longer version of a chat replaces it."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        super().add_arguments(parser)
        parser.add_argument(
            "--mapping", type=mapping_among(FIELDS), default={}, metavar="JSON", help='{"column name": "field"}'
        )

    def bring_in(self, clinic: Clinic, options: dict[str, Any]) -> tuple[dict[str, Any], Iterator[str]]:
        self._told = 0
        tally = import_chats(
            path=options["file"], clinic=clinic, by=None, sheet=options["sheet"], mapping=options["mapping"],
            dry_run=options["dry_run"], settled=self._tell,
        )  # fmt: skip
        report = tally.report()
        return report, _words(tally, report, dry_run=options["dry_run"])

    def _tell(self, tally: Tally) -> None:
        if tally.taken - self._told >= NEWS_EVERY:
            self._told = tally.taken
            self.stderr.write(f"{tally.taken} chats read")


def _words(tally: Tally, report: dict[str, Any], *, dry_run: bool) -> Iterator[str]:
    yield (
        f"{report['conversations']} chats with {tally.messages} new messages: {tally.created} created, {tally.updated} "
        f"updated, {tally.unchanged} unchanged, {sum(tally.rejected_counts.values())} rows rejected"
        + (" (dry run, nothing written)" if dry_run else "")
    )
    yield from counted("Rejected", tally.rejected_counts)
    yield from counted("Warnings", tally.warning_counts)
    yield from (f"Unknown consultant: {name} in {count} chats" for name, count in tally.unknown.most_common(20))
