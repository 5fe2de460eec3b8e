"""What to inspect this week: a fair draw of each person's visits and calls."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from django.db.models import CharField, Count, Exists, F, OuterRef, Q, QuerySet, Value, Window
from django.db.models.functions import MD5, Cast, Concat, RowNumber

from accounts.models import Clinic, User
from consultations.models import Visit
from followups.models import Contact, ContactChannel
from metrics.models import EtiquetteInspection
from metrics.services.etiquette import SPOKEN

VISITS, CALLS = 2, 1  # of each person and week


@dataclass
class Share:
    """One person's week: what was drawn and waits, how much there is, how much was inspected."""

    staff: User
    visits: list[Visit] = field(default_factory=list)
    calls: list[Contact] = field(default_factory=list)
    visits_of: int = 0
    visits_done: int = 0
    calls_of: int = 0
    calls_done: int = 0

    @property
    def done(self) -> int:
        return self.visits_done + self.calls_done

    @property
    def wanted(self) -> int:
        """How many inspections the week asks for: never more than there is to inspect."""
        return min(self.visits_of, VISITS) + min(self.calls_of, CALLS)


def week_of(clinic: Clinic) -> tuple[datetime, datetime]:
    """Return the bounds of the clinic's week, Monday to Monday, in its own time."""
    today = clinic.today()
    monday = today - timedelta(days=today.weekday())
    return clinic.day_bounds(monday)[0], clinic.day_bounds(monday + timedelta(days=7))[0]


def visits_to_inspect(clinic: Clinic, start: datetime, end: datetime) -> "QuerySet[Any]":
    """Return the visits of some days that can be inspected, with `done`."""
    standing = EtiquetteInspection.objects.filter(visit=OuterRef("pk"), staff=OuterRef("coordinator"), replaced_at=None)
    rows: QuerySet[Any] = Visit.objects.for_clinic(clinic).filter(
        received_at__gte=start, received_at__lt=end, is_error=False, coordinator__isnull=False
    )
    return rows.annotate(person=F("coordinator_id"), done=Exists(standing))


def calls_to_inspect(clinic: Clinic, start: datetime, end: datetime) -> "QuerySet[Any]":
    """Return the call-backs of some days that can be inspected, with `done`."""
    standing = EtiquetteInspection.objects.filter(contact=OuterRef("pk"), replaced_at=None)
    rows: QuerySet[Any] = Contact.objects.for_clinic(clinic).filter(
        at__gte=start, at__lt=end, channel=ContactChannel.PHONE, outcome__in=SPOKEN, by__isnull=False,
        undoes=None, undone_by=None,
    )  # fmt: skip
    return rows.annotate(person=F("by_id"), done=Exists(standing))


def _drawn(rows: "QuerySet[Any]", seed: str, count: int) -> "QuerySet[Any]":
    """Keep each person's lowest draws, whether inspected yet or not.

    The draw is a hash of the row and the week: the same for everybody who looks, and nobody's choice. A row that
    comes later may take the place of another, so that each has the same chance.
    """
    draw = MD5(Concat(Value(seed), Cast("pk", CharField())))
    place = Window(RowNumber(), partition_by=[F("person")], order_by=[draw.asc()])
    return rows.annotate(place=place).filter(place__lte=count).order_by("person", "place")


def _counts(rows: "QuerySet[Any]") -> Iterable[dict[str, Any]]:
    return rows.values("person").annotate(n=Count("pk"), inspected=Count("pk", filter=Q(done=True))).order_by("person")


def week_sample(*, clinic: Clinic, viewer: User) -> list[Share]:
    """Return what the week asks to inspect, by person, those with the most left first; not the viewer's own.

    Five statements, however many visits.
    """
    start, end = week_of(clinic)
    seed = f"{clinic.pk}:{start:%Y-%m-%d}:"
    visits, calls = visits_to_inspect(clinic, start, end), calls_to_inspect(clinic, start, end)
    visits, calls = visits.exclude(coordinator=viewer), calls.exclude(by=viewer)
    told: dict[int, dict[str, Any]] = {}
    for name, rows in (("visits", visits), ("calls", calls)):
        for row in _counts(rows):
            told.setdefault(row["person"], {}).update({f"{name}_of": row["n"], f"{name}_done": row["inspected"]})
    shares = {user.pk: Share(user, **told[user.pk]) for user in User.objects.filter(pk__in=told)}
    for visit in _drawn(visits, seed, VISITS).select_related("patient", "consultation", "doctor"):
        if not visit.done:
            shares[visit.person].visits.append(visit)
    for call in _drawn(calls, seed, CALLS).select_related("patient", "task"):
        if not call.done:
            shares[call.person].calls.append(call)
    return sorted(shares.values(), key=lambda one: (-len(one.visits) - len(one.calls), one.staff.full_name))
