"""Open a clinic from the command line."""

from argparse import ArgumentParser
from typing import Any

from django.core.exceptions import ValidationError
from django.core.management.base import BaseCommand, CommandError, no_translations

from accounts.services.clinics import create_clinic


class Command(BaseCommand):
    help = "Create a clinic: create_clinic CODE NAME [--zone ZONE]"

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("code", help="2 to 8 capital letters or digits, a letter first")
        parser.add_argument("name")
        parser.add_argument("--zone", default="Asia/Shanghai", help="IANA time zone (default: %(default)s)")

    @no_translations
    def handle(self, *args: Any, **options: Any) -> None:
        try:
            clinic = create_clinic(code=options["code"], name=options["name"].strip(), zone=options["zone"], by=None)
        except ValidationError as error:
            raise CommandError(words_of(error)) from error
        self.stdout.write(f"created {clinic.code} {clinic.name} ({clinic.zone})")


def words_of(error: ValidationError) -> str:
    """Return a validation error's messages in one line, by field."""
    if hasattr(error, "error_dict"):
        return "; ".join(f"{field}: {' '.join(words)}" for field, words in error.message_dict.items())
    return " ".join(error.messages)
