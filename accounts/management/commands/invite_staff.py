"""Invite one person from the command line: how the first administrator of an installation gets in."""

from argparse import ArgumentParser
from typing import Any

from django.core.exceptions import ValidationError
from django.core.management.base import BaseCommand, CommandError, no_translations

from accounts.management.commands.create_clinic import words_of
from accounts.management.commands.import_staff import clinic_by_code
from accounts.models import Membership
from accounts.permissions import Role
from accounts.services.invitations import issue_invitation
from accounts.services.members import invite_member
from accounts.services.second_step import reset_second_step


class Command(BaseCommand):
    help = (
        "Print a one-time link with which a person sets a password: invite_staff NAME_OR_USERNAME --clinic CODE. "
        "With --role, a person the clinic does not have is added; with --reset-app, a lost phone's app is taken away."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("person", help="username, or full name")
        parser.add_argument("--clinic", required=True, metavar="CODE")
        parser.add_argument("--role", choices=Role.values)
        parser.add_argument("--reset-app", action="store_true", help="take the authenticator app of a lost phone away")
        parser.add_argument("--site", default="http://127.0.0.1:8000", help="where the product is reached")

    @no_translations
    def handle(self, *args: Any, **options: Any) -> None:
        clinic, person = clinic_by_code(options["clinic"]), options["person"].strip()
        members = Membership.objects.filter(clinic=clinic).select_related("user")
        found = list(members.filter(user__username=person)) or list(members.filter(user__full_name=person))
        if len(found) > 1:
            raise CommandError(f"Several people in {clinic.code} are called {person}; give the username.")
        if not found and not options["role"]:
            raise CommandError(f"Nobody in {clinic.code} is called {person}; give --role to add them.")
        try:
            member = (
                found[0] if found else invite_member(clinic=clinic, full_name=person, role=options["role"], by=None)
            )
            if options["reset_app"]:
                reset_second_step(membership=member, by=None)
            link = issue_invitation(membership=member, by=None)
        except ValidationError as error:
            raise CommandError(words_of(error)) from error
        self.stdout.write(f"{member.user.full_name} ({member.user.username}, {member.role} in {clinic.code})")
        self.stdout.write(options["site"].rstrip("/") + link)
