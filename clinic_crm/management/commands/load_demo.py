"""Load invented data to try the product with."""

from argparse import ArgumentParser
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from django.db import transaction

from accounts.models import Clinic
from clinic_crm.demo.conversations import tell_conversations
from clinic_crm.demo.etiquette import tell_etiquette
from clinic_crm.demo.history import History
from clinic_crm.demo.kpis import tell_kpis
from clinic_crm.demo.multiply import load_many
from clinic_crm.demo.reputation import tell_reputation
from clinic_crm.demo.snapshots import freeze_last_months, want_digests
from clinic_crm.demo.staff import build_group
from clinic_crm.demo.tasks import tell_tasks
from clinic_crm.demo.today import Today
from consultations.services.undecided import rebuild
from metrics.services import standing
from patients.models import Patient

MANY = 4000  # from here on a told block is repeated


class Command(BaseCommand):
    help = "Load two clinics with staff, months of history and a lively today. All of it invented."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--patients", type=int, default=300, help="patients with a history (default 300)")
        parser.add_argument("--months", type=int, default=6, help="how far back the history goes (default 6)")
        parser.add_argument("--seed", type=int, default=1, help="the same seed gives the same people")
        parser.add_argument("--if-empty", action="store_true", help="do nothing when there is a clinic already")

    def handle(self, *args: Any, **options: Any) -> None:
        if settings.PRODUCTION:
            raise CommandError("Demo data has public passwords; it is not loaded in production.")
        if options["patients"] < 0 or options["months"] < 1:
            raise CommandError("--patients must be 0 or more and --months 1 or more.")
        if Clinic.objects.exists() or Patient.objects.exists():
            if options["if_empty"]:
                return
            raise CommandError("There is a clinic already; demo data is loaded into an empty database only.")
        self._load(options["patients"], options["months"], options["seed"])

    @transaction.atomic  # all or nothing: a start that was cut off begins afresh
    def _load(self, patients: int, months: int, seed: int) -> None:
        groups = build_group()
        history = History(groups, months=months, seed=seed)
        tell = load_many if patients > MANY else History.load
        tell(history, patients, progress=self._progress)
        for group in groups:
            Today(history, group).tell()
        written = history.write()
        rebuild()  # what was written for speed past the triggers
        standing.rebuild()
        for group in groups:
            tell_tasks(group.clinic)
            tell_conversations(group.clinic)
            tell_reputation(group.clinic)
            tell_etiquette(group)
        clinics = [group.clinic for group in groups]
        want_digests(clinics)
        if patients <= MANY:  # what touches every row; of a large demo the months are frozen by beat
            for group in groups:
                tell_kpis(group)
            freeze_last_months(clinics)
        self.stdout.write(
            self.style.SUCCESS(f"Demo data loaded: {patients} patients with history, {written} rows of today.")
        )

    def _progress(self, done: int) -> None:
        self.stdout.write(f"{done} patients")
