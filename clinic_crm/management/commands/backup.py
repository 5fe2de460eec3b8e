"""Back the installation up."""

import os
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, no_translations

from clinic_crm.backup.making import make_backup
from clinic_crm.backup.manifest import BackupError


class Command(BaseCommand):
    help = "Back up the database and the uploaded files into a new directory: backup DIR"

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("directory", type=Path, help="is made; must not exist")

    @no_translations
    def handle(self, *args: Any, **options: Any) -> None:
        os.umask(0o077)  # what patients told is nobody else's to read
        say = self.stdout.write if options["verbosity"] > 1 else lambda _line: None
        try:
            manifest = make_backup(options["directory"].expanduser().resolve(), say)
        except BackupError as error:
            raise CommandError(str(error)) from error
        rows = sum(facts["rows"] for facts in manifest["tables"].values())
        self.stdout.write(
            f"Backed up {len(manifest['tables'])} tables with {rows} rows and {manifest['files']['count']} files "
            f"into {options['directory']}. DATA_KEY is not in it: keep that apart."
        )
