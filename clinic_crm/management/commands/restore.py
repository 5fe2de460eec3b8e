"""Bring a backup back."""

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, no_translations

from clinic_crm.backup.manifest import BackupError
from clinic_crm.backup.restoring import restore_backup


class Command(BaseCommand):
    help = "Restore the database and the uploaded files from a backup: restore DIR [--replace]"

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("directory", type=Path)
        parser.add_argument("--replace", action="store_true", help="delete what the installation holds now")

    @no_translations
    def handle(self, *args: Any, **options: Any) -> None:
        say = self.stdout.write if options["verbosity"] > 1 else lambda _line: None
        try:
            manifest = restore_backup(options["directory"].expanduser().resolve(), replace=options["replace"], say=say)
        except BackupError as error:
            raise CommandError(str(error)) from error
        rows = sum(facts["rows"] for facts in manifest["tables"].values())
        self.stdout.write(
            f"Restored {len(manifest['tables'])} tables with {rows} rows and {manifest['files']['count']} files, "
            f"as of {manifest['made_at']}; counts and contents are those of the backup."
        )
