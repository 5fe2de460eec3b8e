"""The calendar's day and week for 12 doctors and 400 appointments, as ratios to the bare view."""

from datetime import datetime, time, timedelta
from typing import Any

from django.urls import reverse

from accounts.models import Clinic, Membership, User
from accounts.permissions import Role
from bench.measure import Browser, Timing
from followups.models import Appointment
from patients.models import Patient

DOCTORS, EACH, MINUTES = 12, 34, 15
DAYS_AHEAD = 3  # a day on which nothing is past


def fill(clinic: Clinic) -> Any:
    """Make the full day once; returns it."""
    day = clinic.today() + timedelta(days=DAYS_AHEAD)
    start, end = clinic.day_bounds(day)
    doctors = [_doctor(clinic, number) for number in range(DOCTORS)]
    if Appointment.objects.for_clinic(clinic).filter(doctor__in=doctors, starts_at__range=(start, end)).exists():
        return day
    patients = list(Patient.objects.for_clinic(clinic).order_by("-id")[:EACH])
    opens = datetime.combine(day, time(9), clinic.tz)
    Appointment.objects.bulk_create(
        Appointment(
            clinic=clinic,
            patient=patients[n % len(patients)],
            doctor=doctor,
            kind="recheck",
            purpose="复查",
            starts_at=opens + timedelta(minutes=MINUTES * n),
            ends_at=opens + timedelta(minutes=MINUTES * (n + 1)),
        )
        for doctor in doctors
        for n in range(EACH)
    )
    return day


def _doctor(clinic: Clinic, number: int) -> User:
    name = f"bench_doctor_{number}"
    user, _made = User.objects.get_or_create(username=name, defaults={"full_name": f"医生{number}"})
    Membership.objects.get_or_create(user=user, clinic=clinic, defaults={"role": Role.DOCTOR})
    return user


def rows(browser: Browser, clinic: Clinic) -> list[tuple[str, Timing]]:
    """Time a day by doctor, a day by room, a doctor's week, and asking whether anything changed."""
    day = fill(clinic).isoformat()
    home, board = reverse("appointments"), reverse("calendar_board")
    asked = [
        ("calendar day, 400", f"{home}?day={day}&view=day"),
        ("calendar day by room", f"{home}?day={day}&view=day&by=room"),
        ("calendar week", f"{home}?day={day}&view=week"),
        ("calendar parts", f"{board}?day={day}"),
    ]
    return [(name, browser.time(path)) for name, path in asked]
