"""Make a token for the API from the command line."""

from argparse import ArgumentParser
from typing import Any

from django.core.exceptions import ValidationError
from django.core.management.base import BaseCommand, CommandError, no_translations

from accounts.management.commands.create_clinic import words_of
from accounts.models import User
from accounts.scopes import EVERYTHING, SCOPES
from accounts.services.tokens import create_token


class Command(BaseCommand):
    help = "Print a new API token, and nothing else: create_token USERNAME [--name NAME] [--scope SCOPE …] [--days N]"

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("username", help="of a person or a service account")
        parser.add_argument("--name", default="command line", help="what it is for (default: %(default)s)")
        words = "what it may be used for, any number of times (default: %(default)s)"
        parser.add_argument(
            "--scope", action="append", choices=SCOPES, metavar="SCOPE", help=f"{words}; one of {SCOPES}"
        )
        parser.add_argument("--days", type=int, default=365, help="after which it expires (default: %(default)s)")

    @no_translations
    def handle(self, *args: Any, **options: Any) -> None:
        user = User.objects.filter(username=options["username"]).first()
        if user is None:
            raise CommandError(f"Nobody has the username {options['username']}.")
        try:
            _row, secret = create_token(
                user=user,
                name=options["name"],
                scopes=options["scope"] or [EVERYTHING],
                days=options["days"],
                by=None,
            )
        except ValidationError as error:
            raise CommandError(words_of(error)) from error
        self.stdout.write(secret)
