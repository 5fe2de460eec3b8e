"""Give clinics the built-in question sets, kinds of exam, scripts and playbooks."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from accounts.models import Clinic
from consultations.services.content import ensure_builtin_content
from followups.services.builtin import ensure_builtin_playbooks
from followups.services.materials import ensure_builtin_materials


class Command(BaseCommand):
    """`load_content [CODE …]`: all clinics, or those named; what a clinic already has stays as it is."""

    help = "Gives clinics the built-in question sets, kinds of exam and scripts they have none of yet."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("codes", nargs="*", metavar="CODE")

    def handle(self, *args: Any, codes: list[str], **options: Any) -> None:
        clinics = Clinic.objects.filter(code__in=codes) if codes else Clinic.objects.all()
        unknown = sorted(set(codes) - {clinic.code for clinic in clinics})
        if unknown:
            raise CommandError(f"No such clinic: {', '.join(unknown)}")
        for clinic in clinics:
            ensure_builtin_content(clinic)
            ensure_builtin_playbooks(clinic)
            ensure_builtin_materials(clinic)
            self.stdout.write(f"{clinic.code}: content ready")
