"""Import the people of a clinic from a JSON file."""

import json
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.exceptions import ValidationError
from django.core.management.base import BaseCommand, CommandError, no_translations

from accounts.management.commands.create_clinic import words_of
from accounts.models import Clinic
from accounts.services.staff_files import StaffRow, import_staff, read_staff

LARGEST = 5 * 1024 * 1024  # bytes; thousands of people fit in far less


def clinic_by_code(code: str) -> Clinic:
    """Return the clinic, or raise CommandError naming those that exist."""
    clinic: Clinic | None = Clinic.objects.filter(code=code).first()
    if clinic is None:
        known = ", ".join(Clinic.objects.values_list("code", flat=True)) or "none yet; see create_clinic"
        raise CommandError(f"There is no clinic {code}. Clinics: {known}.")
    return clinic


def rows_of(path: Path) -> list[StaffRow]:
    """Read the file, or raise CommandError saying what is wrong with it."""
    try:
        if path.stat().st_size > LARGEST:
            raise CommandError(f"{path} is too large for a staff file.")
        return read_staff(json.loads(path.read_bytes().decode("utf-8-sig")))
    except OSError as error:
        raise CommandError(f"{path} cannot be read: {error.strerror}.") from error
    except (UnicodeDecodeError, json.JSONDecodeError, RecursionError) as error:
        raise CommandError(f"{path} is not JSON in UTF-8: {error}.") from error
    except ValidationError as error:
        raise CommandError(f"{path}: {words_of(error)}") from error


class Command(BaseCommand):
    help = "Import staff: import_staff FILE.json --clinic CODE. Running it again creates nothing new."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("file", type=Path)
        parser.add_argument("--clinic", required=True, metavar="CODE")

    @no_translations
    def handle(self, *args: Any, **options: Any) -> None:
        clinic = clinic_by_code(options["clinic"])
        rows = rows_of(options["file"])
        wanted = {row.name: row.role for row in rows}
        done = import_staff(clinic=clinic, rows=rows, by=None)
        for member in done.created:
            self.stdout.write(f"created   {member.user.username:<20} {member.role:<18} {member.user.full_name}")
        for member in done.existing:
            other = (
                "" if member.role == wanted[member.user.full_name] else f"  (file says {wanted[member.user.full_name]})"
            )
            self.stdout.write(f"existing  {member.user.username:<20} {member.role:<18} {member.user.full_name}{other}")
        self.stdout.write(f"{len(done.created)} created, {len(done.existing)} existing in {clinic.code} {clinic.name}")
