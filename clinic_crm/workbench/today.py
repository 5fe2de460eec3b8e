"""Reading the today board: the open visits in their columns, who is to come, who has left.

The number of statements does not depend on how many patients are in the clinic.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db import connection
from django.utils import timezone

from accounts.models import Clinic, User
from accounts.permissions import Permission
from accounts.statements import Statement
from clinic_crm.workbench.board import cards_of, me_of
from clinic_crm.workbench.cards import COLUMNS, Card, Column, limit_of
from clinic_crm.workbench.gaps import gaps_of
from clinic_crm.workbench.pulse import pulse_of
from consultations.models import CheckoutItem, Visit
from consultations.stages import ENDED, Actor, Stage
from conversations.beside import coaching
from conversations.models import CoachingNote, Conversation
from followups.due_tasks import due_tasks
from followups.models import Appointment
from patients.models import ComplaintCase

PATIENT = ("patient__name", "patient__sex", "patient__birth_date", "patient__class_code")
SOON = timedelta(minutes=90)
ENDED_SHOWN = 8


@dataclass(frozen=True)
class View:
    """How somebody looks at the board: `scope` is "me" or "all", `stage` the column a phone shows."""

    scope: str = "all"
    doctor: int | None = None
    stage: str = ""

    @classmethod
    def of(cls, params: Any) -> "View":
        doctor = params.get("doctor", "")
        codes = {column.code for column in COLUMNS}
        return cls(
            scope="me" if params.get("scope") == "me" else "all",
            doctor=int(doctor) if doctor.isdecimal() and len(doctor) < 10 else None,
            stage=params.get("stage", "") if params.get("stage") in codes else "",
        )

    def query(self, **other: Any) -> str:
        """Return the query string of this view, with `other` changed; empty when it is the plain board."""
        parts = {"scope": self.scope, "doctor": self.doctor, "stage": self.stage} | other
        pairs = [f"{key}={value}" for key, value in parts.items() if value and value != "all"]
        return f"?{'&'.join(pairs)}" if pairs else ""


@dataclass(frozen=True)
class FilledColumn:
    column: Column
    cards: list[Card]
    limit: int
    waiting: int  # cards with a button for me


@dataclass(frozen=True)
class Counts:
    """Numbers of the day in one statement."""

    ended: int
    to_come: int
    received_yesterday: int
    complaints_overdue: int
    coaching: int  # the person's own that is open; for managers, anybody's that is overdue


@dataclass(frozen=True)
class Board:
    columns: list[FilledColumn]
    total: int
    mine: int
    late: int
    doctors: list[tuple[int, str]]
    primary: Card | None


def board_of(clinic: Clinic, user: User, view: View, now: datetime) -> Board:
    """Return the board as `view` shows it; the counts in the head are of the whole clinic."""
    every = cards_of(clinic, user, now)
    doctors = sorted({(c.visit.doctor_id, c.doctor) for c in every if c.visit.doctor_id}, key=lambda d: d[1])
    shown = [c for c in every if view.doctor is None or c.visit.doctor_id == view.doctor]
    if view.scope == "me":
        shown = [c for c in shown if c.is_mine or c.action is not None]
    columns = [_fill(column, shown, clinic) for column in COLUMNS]
    waiting = [c for c in shown if c.action is not None]
    return Board(
        columns=columns,
        total=len(every),
        mine=sum(c.is_mine or c.action is not None for c in every),
        late=sum(c.late for c in every),
        doctors=[(pk, name) for pk, name in doctors if pk is not None],
        primary=max(waiting, key=lambda c: c.urgency, default=None),
    )


def _fill(column: Column, cards: list[Card], clinic: Clinic) -> FilledColumn:
    """What waits for me stands on top; the rest stays in the order of waiting."""
    inside = sorted((c for c in cards if c.visit.stage in column.stages), key=lambda c: c.action is None)
    limit = limit_of(column.stages[0], clinic.stage_limits)
    return FilledColumn(column, inside, limit, sum(c.action is not None for c in inside))


# Raw, because all are one round trip this way and cost nothing to put together.
COUNTS = """
SELECT
  (SELECT count(*) FROM {visit} WHERE clinic_id = %(clinic)s AND NOT is_error
      AND stage = ANY(%(ended)s) AND left_at >= %(start)s AND left_at < %(end)s),
  (SELECT count(*) FROM {appointment} WHERE clinic_id = %(clinic)s AND status = ANY(%(expected)s)
      AND starts_at >= %(start)s AND starts_at < %(end)s),
  (SELECT count(*) FROM {visit} WHERE clinic_id = %(clinic)s AND NOT is_error
      AND received_at >= %(before)s AND received_at < %(start)s),
    (SELECT count(*) FROM {complaint} WHERE clinic_id = %(clinic)s AND closed_at IS NULL AND joined_to_id IS NULL
     AND due_at < %(now)s),
  (SELECT count(*) FROM {coaching} note JOIN {chat} chat ON chat.id = note.conversation_id
     WHERE chat.clinic_id = %(clinic)s AND NOT chat.is_error AND note.done_at IS NULL
     AND CASE WHEN %(coaches)s THEN note.due_on < %(today)s ELSE note.consultant_id = %(user)s END)
"""


def counts_of(clinic: Clinic, user: User) -> Counts:
    """Return the day's numbers (one statement)."""
    start, end = clinic.day_bounds(clinic.today())
    values: dict[str, Any] = {
        "clinic": clinic.pk,
        "user": user.pk,
        "coaches": user.may(Permission.SCORE_CONVERSATIONS, clinic),
        "today": clinic.today(),
        "ended": sorted(ENDED),
        "expected": [Appointment.Status.BOOKED.value, Appointment.Status.CONFIRMED.value],
        "now": timezone.now(),
        "start": start,
        "end": end,
        "before": clinic.day_bounds(clinic.today() - timedelta(days=1))[0],
    }
    tables = {
        "visit": Visit._meta.db_table,
        "appointment": Appointment._meta.db_table,
        "complaint": ComplaintCase._meta.db_table,
        "coaching": CoachingNote._meta.db_table,
        "chat": Conversation._meta.db_table,
    }
    with connection.cursor() as cursor:
        cursor.execute(COUNTS.format(**tables), values)
        return Counts(*cursor.fetchone())


def arrivals(clinic: Clinic, now: datetime) -> list[Appointment]:
    """Return who is expected within 90 minutes, and who should have come today and did not (one statement)."""
    start, end = clinic.day_bounds(clinic.today())
    return _ARRIVALS.rows(clinic=clinic.pk, start=start, end=min(end, now + SOON))


def _arrivals(*, clinic: int, start: datetime, end: datetime) -> Any:
    rows = Appointment.objects.for_clinic(clinic).expected().select_related("patient", "doctor")
    rows = rows.only("starts_at", "status", "kind", "purpose", *PATIENT, "doctor__full_name", "doctor__username")
    return rows.filter(starts_at__gte=start, starts_at__lt=end).order_by("starts_at", "pk")


def ended_today(clinic: Clinic) -> list[Visit]:
    """Return the latest visits that ended today (one statement)."""
    start, end = clinic.day_bounds(clinic.today())
    return _ENDED.rows(clinic=clinic.pk, start=start, end=end)


def _ended(*, clinic: int, start: datetime, end: datetime) -> Any:
    rows = Visit.objects.for_clinic(clinic).filter(stage__in=sorted(ENDED), is_error=False)
    rows = rows.filter(left_at__gte=start, left_at__lt=end).select_related("patient", "next_appointment")
    rows = rows.only("left_at", "stage", "decision", "clinic_id", *PATIENT, "next_appointment__starts_at")
    return rows.order_by("-left_at")[:ENDED_SHOWN]


_ARRIVALS, _ENDED = Statement(_arrivals), Statement(_ended)


def waivers_waiting(clinic: Clinic) -> list[CheckoutItem]:
    """Return what coordinators ask the manager to let go, the oldest first (one statement)."""
    rows = CheckoutItem.objects.for_clinic(clinic).filter(
        waiver_asked_at__isnull=False, waived_at=None, refused_at=None, done_at=None, visit__stage=Stage.LEAVING
    )
    codes = ("next_appointment", "wechat", "classification")
    rows = rows.filter(code__in=codes).select_related("visit__patient", "waiver_asked_by").order_by("waiver_asked_at")
    return list(rows[:20])


def board_context(clinic: Clinic, user: User, view: View) -> dict[str, Any]:
    """Return everything the board's template shows."""
    now = timezone.now()
    pulse = pulse_of(clinic, user, now)  # read first: what changes meanwhile shows at the next look
    soon = arrivals(clinic, now)
    waivers = waivers_waiting(clinic) if user.may(Permission.APPROVE_WAIVER, clinic) else []
    counts = counts_of(clinic, user)
    scope = "all" if user.may(Permission.SCORE_CONVERSATIONS, clinic) else "mine"
    return {
        "view": view,
        "now": now,
        "pulse": pulse,
        "board": board_of(clinic, user, view, now),
        "counts": counts,
        "arrivals": soon,
        "gaps": gaps_of(clinic, now) if user.may(Permission.BOOK, clinic) else [],
        "settles": user.may(Permission.APPROVE_WAIVER, clinic),
        "yesterday": clinic.today() - timedelta(days=1),
        "waivers": waivers,
        "ended": ended_today(clinic) if counts.ended else [],
        "tasks": due_tasks(user, clinic, now) if user.may(Permission.FOLLOW_UP, clinic) else None,
        "coaching": coaching(user, clinic, scope) if counts.coaching else None,
        "today": clinic.today(),
        "may_be_mine": me_of(user, clinic).actor != Actor.OTHER,
        "may_check_in": user.may(Permission.CHECK_IN, clinic),
        "may_book": user.may(Permission.BOOK, clinic),
    }
