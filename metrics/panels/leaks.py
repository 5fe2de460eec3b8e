"""Where the most money was lost in the window, dearest first, each with its records."""

from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from django.db.models import Count, Exists, F, OuterRef, Q, QuerySet, Subquery, Sum
from django.db.models.functions import Coalesce
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from accounts.windows import Window
from consultations.models import Refund, Visit
from consultations.stages import UNDECIDED
from conversations.models import CapturedContact, Conversation
from followups.models import Appointment
from metrics.panels.scoping import (
    MONEY,
    NOTHING,
    appointments,
    of_complaints,
    of_patients,
    plan_value,
    visits,
    whose,
    within,
)
from metrics.scope import Scope
from patients.models import ComplaintCase

Rows = QuerySet[Any]


@dataclass(frozen=True)
class Leak:
    """One way in which money goes; `lost` is in yuan, None where no amount is known."""

    code: str
    label: str | Promise
    hint: str | Promise
    n: int
    lost: Decimal | None


def _undecided(scope: Scope, window: Window) -> Rows:
    """Visits that ended undecided or refused, and nothing is booked since."""
    later = Appointment.objects.expected().filter(
        patient=OuterRef("patient"), clinic=OuterRef("clinic"), starts_at__gt=OuterRef("left_at")
    )
    came = visits(scope, window, "left_at").filter(decision__in=UNDECIDED)
    again = came.model.objects.filter(patient=OuterRef("patient"), is_error=False, received_at__gt=OuterRef("left_at"))
    return came.filter(~Exists(later), ~Exists(again)).annotate(lost=plan_value())


def _first_no_shows(scope: Scope, window: Window) -> Rows:
    """First visits that nobody came to, with what their chats cost."""
    chats = Conversation.objects.filter(appointment=OuterRef("pk"), is_error=False).order_by().values("appointment")
    cost = Subquery(chats.annotate(sum=Sum("cost")).values("sum"), output_field=MONEY)
    missed = appointments(scope, window).filter(status=Appointment.Status.NO_SHOW, kind=Appointment.Kind.FIRST)
    return missed.annotate(lost=cost)


def _lost_chats(scope: Scope, window: Window) -> Rows:
    """Conversations that left no way to reach the visitor, who so has no doctor, channel, complaint or visit."""
    rows: Rows = Conversation.objects.filter(within(scope, window, "started_at"), is_error=False).annotate(
        lost=F("cost")
    )
    if scope.of_patients:
        return rows.none()
    kept = CapturedContact.objects.filter(capture__conversation=OuterRef("pk"))
    rows = rows.filter(~Exists(kept), patient=None, appointment=None)
    if scope.teams is not None:
        rows = rows.filter(team__in=scope.teams)
    if scope.coordinators is not None:
        rows = rows.filter(consultant__in=scope.coordinators)
    return rows


def _refunds(scope: Scope, window: Window) -> Rows:
    """What was paid back, of the coordinator's consultation; never of a visit entered in error."""
    rows: Rows = Refund.objects.standing().filter(within(scope, window, "at")).exclude(visit__is_error=True)
    rows = rows.filter(whose(scope, "consultation__coordinator"), of_patients(scope, "consultation__patient"))
    if scope.complaints is not None:
        rows = rows.filter(consultation__complaint__in=scope.complaints)
    if scope.doctors is not None or scope.is_first is not None:
        came = Visit.objects.filter(consultation=OuterRef("consultation"), is_error=False)
        came = came if scope.doctors is None else came.filter(doctor__in=scope.doctors)
        rows = rows.filter(Exists(came if scope.is_first is None else came.filter(is_first=scope.is_first)))
    return rows.annotate(lost=F("amount"))


def _compensation(scope: Scope, window: Window) -> Rows:
    """What complaints cost, of those they are about, as KPI 10 credits them."""
    rows: Rows = ComplaintCase.objects.filter(within(scope, window, "received_at"), joined_to=None, cost__gt=0)
    rows = rows.filter(whose(scope, "about"), of_patients(scope), of_complaints(scope))
    if scope.doctors is not None:
        rows = rows.filter(about__in=scope.doctors)
    if scope.is_first is not None:
        before = Visit.objects.filter(patient=OuterRef("patient"), is_error=False, is_first=False)
        again = Exists(before.filter(received_at__lte=OuterRef("received_at")))
        rows = rows.filter(~again if scope.is_first else again)
    return rows.annotate(lost=F("cost"))


KINDS: dict[str, tuple[str | Promise, str | Promise, Callable[[Scope, Window], Rows]]] = {
    "undecided": (
        _("Undecided or refused, nothing booked since"),
        _("value of the plan that was explained"),
        _undecided,
    ),
    "refunds": (_("Refunds"), _("paid back"), _refunds),
    "chats": (_("Conversations without a contact"), _("what they cost"), _lost_chats),
    "no_shows": (_("First visits that nobody came to"), _("cost of the conversations behind them"), _first_no_shows),
    "complaints": (_("Compensation after complaints"), _("cost of the complaint"), _compensation),
}
RELATED = {
    "undecided": ("patient", "clinic", "coordinator", "doctor"),
    "refunds": ("consultation__patient", "clinic", "consultation__coordinator"),
    "chats": ("clinic", "consultant"),
    "no_shows": ("patient", "clinic", "doctor"),
    "complaints": ("patient", "clinic", "about"),
}


def count(scope: Scope, window: Window) -> list[Leak]:
    """Count every kind with its money (one statement each), the dearest first."""
    found = []
    for code, (label, hint, rows) in KINDS.items():
        sums = rows(scope, window).aggregate(n=Count("pk"), sum=Sum("lost"), known=Count("pk", filter=Q(lost__gt=0)))
        lost = sums["sum"] if sums["known"] else None
        found.append(Leak(code, label, hint, sums["n"], lost))
    return sorted(found, key=lambda leak: (-(leak.lost or 0), -leak.n))


def records(scope: Scope, window: Window, part: str) -> Rows | None:
    """Return the records of one kind, the dearest first; None for an unknown kind."""
    if part not in KINDS:
        return None
    rows = KINDS[part][2](scope, window).annotate(worth=Coalesce("lost", NOTHING))
    return rows.select_related(*RELATED[part])


def words(part: str) -> str:
    """Return what the records of a kind are called."""
    return str(KINDS[part][0])
