"""The appointments of one day, as the front desk reads them."""

from collections import Counter
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from django.db.models import Q

from accounts.models import Clinic, User
from followups.models import Appointment
from followups.outcomes import still_to_ask

GONE = frozenset(Appointment.FREE)
STATUS_LEVELS = {
    Appointment.Status.BOOKED: "watch",
    Appointment.Status.CONFIRMED: "good",
    Appointment.Status.KEPT: "good",
    Appointment.Status.NO_SHOW: "bad",
}


@dataclass(frozen=True)
class DoctorCount:
    pk: int
    name: str
    count: int


@dataclass(frozen=True)
class Day:
    """The rows of a day and what they add up to. `rows` are those of the chosen doctor and view."""

    day: date
    rows: list[Appointment]
    doctors: list[DoctorCount]
    total: int
    kept: int
    to_come: int
    unconfirmed: int
    gone: int

    @property
    def before(self) -> date:
        return self.day - timedelta(days=1)

    @property
    def after(self) -> date:
        return self.day + timedelta(days=1)


def day_of(*, user: User, clinic: Clinic, day: date, doctor: int | None, gone: bool) -> Day:
    """Read a day in one query. `gone` shows what was cancelled or moved instead of what stands."""
    start, end = clinic.day_bounds(day)
    found = Appointment.objects.for_user(user).for_clinic(clinic).filter(starts_at__gte=start, starts_at__lt=end)
    every = [a for a in found.with_people().order_by("starts_at", "id") if a.status != Appointment.Status.ERROR]
    live = [a for a in every if a.status not in GONE]
    shown = [a for a in every if a.status in GONE] if gone else live
    by_doctor = Counter((a.doctor_id, str(a.doctor)) for a in live if a.doctor_id)
    states = Counter(a.status for a in live)
    booked = states[Appointment.Status.BOOKED]
    return Day(
        day=day,
        rows=[a for a in shown if doctor is None or a.doctor_id == doctor],
        doctors=[DoctorCount(pk, name, n) for (pk, name), n in sorted(by_doctor.items(), key=lambda item: item[0][1])],
        total=len(live),
        kept=states[Appointment.Status.KEPT],
        to_come=booked + states[Appointment.Status.CONFIRMED],
        unconfirmed=booked,
        gone=len(every) - len(live),
    )


def chain_of(appointment: Appointment) -> list[Appointment]:
    """Return all the times that one promise was moved through, the first one first; empty when it never was."""
    rows = Appointment.objects.filter(patient=appointment.patient_id, clinic=appointment.clinic_id)
    linked = rows.filter(Q(moved_from__isnull=False) | Q(status=Appointment.Status.MOVED))
    by_pk = {row.pk: row for row in linked.select_related("doctor")}
    follows = {row.moved_from_id: row for row in by_pk.values() if row.moved_from_id}
    at = by_pk.get(appointment.pk)
    while at is not None and at.moved_from_id in by_pk:
        at = by_pk[at.moved_from_id]
    chain: list[Appointment] = []
    while at is not None:
        chain.append(at)
        at = follows.get(at.pk)
    return chain if len(chain) > 1 else []


def describe(appointment: Appointment, *, clinic: Clinic, now: datetime) -> dict[str, Any]:
    """Return what a row may offer: checking in on its day, confirming, moving, cancelling."""
    expected = appointment.status in (Appointment.Status.BOOKED, Appointment.Status.CONFIRMED)
    start, end = clinic.day_bounds(clinic.today())
    today = start <= appointment.starts_at < end
    return {
        "a": appointment,
        "level": STATUS_LEVELS.get(Appointment.Status(appointment.status), "none"),
        "expected": expected,
        "can_check_in": expected and today,
        "can_confirm": appointment.status == Appointment.Status.BOOKED and appointment.starts_at > now,
        "is_late": expected and appointment.starts_at < now,
        "ask_why": still_to_ask(appointment),
    }
