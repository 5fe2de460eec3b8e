"""The timeline: a patient page with few events and with 2,000, first page and deep pages, as ratios to F."""

from datetime import timedelta

from django.db import connection
from django.urls import reverse
from django.utils import timezone

from accounts.models import Clinic
from bench.measure import Browser, Timing
from followups.models import Contact
from patients.models import ClassChange, Patient

EVENTS = 2000
MARK = "bench"


def rows(browser: Browser, clinic: Clinic) -> list[tuple[str, Timing]]:
    """Return the timings of a page of the timeline, of few events and of many."""
    quiet, busy = Patient.objects.for_clinic(clinic).living().order_by("-id")[:2]
    _fill(clinic, busy)
    few, many = (reverse("patient_timeline", args=[patient.pk]) for patient in (quiet, busy))
    return [
        ("timeline, few events", browser.time(few)),
        (f"timeline, {EVENTS:,}", browser.time(many)),
        (f"timeline, {EVENTS:,}, one kind", browser.time(f"{many}?kind=class")),
        (f"patient page, {EVENTS:,}", browser.time(reverse("patient", args=[busy.pk]))),
    ]


def _fill(clinic: Clinic, patient: Patient) -> None:
    """Give a patient 2,000 events once; the data is kept for the next run."""
    if Contact.objects.filter(patient=patient, note=MARK).exists():
        return
    now = timezone.now()
    times = [now - timedelta(hours=n) for n in range(EVENTS // 2)]
    Contact.objects.bulk_create(
        Contact(clinic=clinic, patient=patient, channel="phone", outcome="reached", note=MARK, at=at) for at in times
    )
    ClassChange.objects.bulk_create(ClassChange(clinic=clinic, patient=patient, new_class="C-E", at=at) for at in times)
    with connection.cursor() as cursor:
        for model in (Contact, ClassChange):  # as autovacuum does within a minute
            cursor.execute(f"ANALYZE {model._meta.db_table}")
