"""Derive the rows of the undecided board anew."""

from typing import Any

from django.core.management.base import BaseCommand

from consultations.services.undecided import rebuild


class Command(BaseCommand):
    """`rebuild_undecided`: needed only after rows were written past the database's triggers."""

    help = "Derives the rows of the undecided board anew and says how many were not as they should be."

    def handle(self, *args: Any, **options: Any) -> None:
        self.stdout.write(f"{rebuild()} rows put right")
