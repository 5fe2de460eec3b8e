"""Set up the first clinic from the command line, or print the code for doing it in a browser."""

import getpass
import os
from argparse import ArgumentParser
from typing import Any

from django.core.exceptions import ValidationError
from django.core.management.base import BaseCommand, CommandError
from django.utils import translation

from accounts.management.commands.create_clinic import words_of
from accounts.models import User
from accounts.services.invitations import issue_invitation
from clinic_crm.setup.code import new_code
from clinic_crm.setup.services import FirstClinic, is_set_up, set_up

ASKED = (
    ("name", "Clinic name", ""),
    ("code", "Clinic code, 2 to 8 capital letters or digits", ""),
    ("zone", "Time zone", "Asia/Shanghai"),
    ("full_name", "Administrator's name", ""),
    ("username", "Administrator's username", "admin"),
)


class Command(BaseCommand):
    help = (
        "Set up the first clinic and its administrator; asks what no option says. The password comes from the "
        "environment (SETUP_PASSWORD), is asked for, or is chosen by the administrator through a link (--invite)."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        for name, words, usual in ASKED:
            parser.add_argument(f"--{name.replace('_', '-')}", help=words + (f" (default: {usual})" if usual else ""))
        parser.add_argument("--group", default="", help="name of the group of clinics (default: GROUP_NAME)")
        parser.add_argument("--rooms", type=int, default=3, help="consulting rooms (default: %(default)s)")
        parser.add_argument("--invite", action="store_true", help="print a link for choosing the password")
        parser.add_argument("--no-input", action="store_true", help="ask nothing; what is missing is an error")
        parser.add_argument("--page", action="store_true", help="only print the code for the page /setup/")

    def handle(self, *args: Any, **options: Any) -> None:
        if is_set_up():
            raise CommandError("This installation is set up already; create_clinic opens further clinics.")
        if options["page"]:
            self.stdout.write(f"Open /setup/ and type the code {new_code()}")
            return
        facts: dict[str, Any] = {
            name: options[name] or self._asked(words, usual, options) for name, words, usual in ASKED
        }
        password = "" if options["invite"] else self._password(options)
        facts["code"] = facts["code"].upper()
        try:
            with translation.override("zh-hans"):  # the names of rooms and what is built in are for the clinic
                admin = set_up(
                    first=FirstClinic(**facts, password=password, rooms=options["rooms"], group=options["group"]),
                    by=None,
                )
        except ValidationError as error:
            raise CommandError(words_of(error)) from error
        self._report(admin, invite=options["invite"])

    def _asked(self, words: str, usual: str, options: dict[str, Any]) -> str:
        if options["no_input"]:
            if not usual:
                raise CommandError(f"{words}: missing")
            return usual
        return input(f"{words}{f' [{usual}]' if usual else ''}: ").strip() or usual

    def _password(self, options: dict[str, Any]) -> str:
        given = os.environ.get("SETUP_PASSWORD", "")
        if given or options["no_input"]:
            if not given:
                raise CommandError("SETUP_PASSWORD is empty; set it, or use --invite")
            return given
        first, second = getpass.getpass("Administrator's password: "), getpass.getpass("Again: ")
        if first != second or not first:
            raise CommandError("The two passwords are not the same.")
        return first

    def _report(self, admin: User, *, invite: bool) -> None:
        clinic = admin.memberships.get().clinic
        self.stdout.write(f"Opened {clinic.code} {clinic.name} ({clinic.zone}).")
        if invite:
            link = issue_invitation(membership=admin.memberships.get(), by=None)
            self.stdout.write(f"{admin.username} chooses a password at {link}")
        else:
            self.stdout.write(f"{admin.username} may sign in.")
