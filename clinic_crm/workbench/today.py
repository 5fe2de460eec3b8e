"""Reading the today board: the open visits in their columns, who is to come, who has left.

The number of statements does not depend on how many patients are in the clinic.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db.models import (
    Count,
    Exists,
    IntegerField,
    OuterRef,
    Prefetch,
    Q,
    QuerySet,
    Subquery,
    Value,
    prefetch_related_objects,
)
from django.db.models.functions import Coalesce
from django.utils import timezone
from django.utils.translation import get_language

from accounts.models import Clinic, User
from accounts.permissions import Permission
from clinic_crm.workbench.cards import COLUMNS, Card, Column, Facts, Me, card_of, form_open, limit_of
from consultations import form_rules
from consultations.exam_rules import ExamState, lacking
from consultations.form_rules import Group, Person
from consultations.models import CheckoutItem, Exam, ExamKind, FormTemplate, HandoffQuestion, Visit
from consultations.services.facts import checkout_lines
from consultations.stages import ENDED, Actor, Stage
from followups.models import Appointment
from patients.models import Registration

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


@dataclass(frozen=True)
class Board:
    columns: list[FilledColumn]
    total: int
    mine: int
    late: int
    doctors: list[tuple[int, str]]
    primary: Card | None


def me_of(user: User, clinic: Clinic) -> Me:
    """Return as whom `user` looks at the board."""
    actor = Actor.OTHER
    if user.may(Permission.TREAT, clinic):
        actor = Actor.DOCTOR
    elif user.may(Permission.COORDINATE, clinic):
        actor = Actor.COORDINATOR
    return Me(user.pk, actor, captures_exams=user.may(Permission.CAPTURE_EXAM, clinic))


def open_visits(clinic: Clinic, now: datetime) -> list[Visit]:
    """Return the clinic's open visits with everything a card needs of one row (one statement)."""
    registration = Registration.objects.filter(patient=OuterRef("patient"), clinic=clinic)
    asked = HandoffQuestion.objects.filter(handoff__visit=OuterRef("pk"), for_doctor=False, answered_at=None).order_by()
    rows = Visit.objects.for_clinic(clinic).in_clinic_now().with_people().select_related("form", "handoff")
    later = Appointment.objects.for_clinic(clinic).expected().filter(patient=OuterRef("patient"), starts_at__gt=now)
    rows = rows.annotate(
        comes_again=Exists(later),
        owner_id=Subquery(registration.values("owner_id")[:1]),
        owner_name=Subquery(registration.values("owner__full_name")[:1]),
        open_questions=_count(asked.values("handoff__visit")),
    )
    found = list(rows.order_by("stage_since", "pk"))
    for visit in found:
        visit.clinic = clinic
    return found


def _count(grouped: QuerySet[Any, Any]) -> Coalesce:
    """Return how many rows a correlated, grouped query has, as a column."""
    counted = grouped.annotate(n=Count("pk")).values("n")
    return Coalesce(Subquery(counted, output_field=IntegerField()), Value(0))


def _open_form_questions(visits: Iterable[Visit]) -> dict[int, int]:
    """Return by visit how many required questions of a begun form are open (one statement)."""
    begun = [v for v in visits if form_open(v) and getattr(v, "form", None) is not None]
    templates = FormTemplate.objects.in_bulk({v.form.template_id for v in begun}) if begun else {}
    language = get_language() or "zh-hans"
    read: dict[tuple[int, Person], tuple[Group, ...]] = {}
    result = {}
    for visit in begun:
        person = Person(visit.patient.sex, visit.patient.age_on(visit.clinic.today()))
        key = (visit.form.template_id, person)
        if key not in read:
            read[key] = form_rules.read(templates[key[0]].groups, language, person)
        result[visit.pk] = len(form_rules.progress(read[key], visit.form.answers, person).missing)
    return result


def _exam_states(clinic: Clinic, visits: Iterable[Visit]) -> dict[int, list[ExamState]]:
    """Return by visit how its exams stand (two statements, none without visits at the exam)."""
    ids = [v.pk for v in visits if v.stage == Stage.EXAM]
    if not ids:
        return {}
    kept = Count("files", filter=Q(files__removed_at=None))
    done: dict[tuple[int, int], Exam] = {
        (exam.visit_id, exam.kind_id): exam
        for exam in Exam.objects.filter(visit__in=ids).annotate(kept=kept).order_by()
    }
    kinds = list(ExamKind.objects.for_clinic(clinic))
    states: dict[int, list[ExamState]] = {}
    for visit in ids:
        pairs = [(kind, done.get((visit, kind.pk))) for kind in kinds]
        states[visit] = [_state(kind, exam) for kind, exam in pairs if kind.is_active or exam]
    return states


def _state(kind: ExamKind, exam: Any) -> ExamState:
    return ExamState(
        code=kind.code,
        name=kind.name,
        required=kind.is_required and kind.is_active,
        needs_files=kind.needs_files,
        one_of=kind.one_of,
        ordered=exam is not None,
        done=exam is not None and exam.done_at is not None,
        files=exam.kept if exam is not None else 0,
    )


def cards_of(clinic: Clinic, user: User, now: datetime) -> list[Card]:
    """Return a card for every open visit of the clinic, the longest in its stage first."""
    visits = open_visits(clinic, now)
    me = me_of(user, clinic)
    leaving = [v for v in visits if v.stage == Stage.LEAVING]
    prefetch_related_objects(leaving, Prefetch("checkout_items", CheckoutItem.objects.all()))
    questions = _open_form_questions(visits)
    exams = _exam_states(clinic, visits)
    cards = []
    for visit in visits:
        states = exams.get(visit.pk, [])
        facts = Facts(
            owner_id=visit.owner_id,
            owner=visit.owner_name or "",
            open_questions=visit.open_questions,
            questions=questions.get(visit.pk),
            exams=states,
            checkout=checkout_lines(visit, comes_again=visit.comes_again) if visit.stage == Stage.LEAVING else (),
        )
        cards.append(card_of(visit, facts, me, now=now, lacking=lacking(states, visit.route)))
    return cards


def board_of(clinic: Clinic, user: User, view: View, now: datetime) -> Board:
    """Return the board as `view` shows it; the counts in the head are of the whole clinic."""
    every = cards_of(clinic, user, now)
    doctors = sorted({(c.visit.doctor_id, str(c.visit.doctor)) for c in every if c.visit.doctor_id}, key=lambda d: d[1])
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


def counts_of(clinic: Clinic, now: datetime) -> Counts:
    """Return the day's numbers (one statement of three subqueries)."""
    start, end = clinic.day_bounds(clinic.today())
    yesterday, _end = clinic.day_bounds(clinic.today() - timedelta(days=1))
    visits = Visit.objects.filter(clinic=OuterRef("pk"), is_error=False).order_by()
    ended = visits.filter(stage__in=ENDED, left_at__gte=start, left_at__lt=end)
    received = visits.filter(received_at__gte=yesterday, received_at__lt=start)
    coming = Appointment.objects.filter(clinic=OuterRef("pk"), starts_at__gte=start, starts_at__lt=end).expected()
    row = (
        Clinic.objects.filter(pk=clinic.pk)
        .annotate(
            ended=_count(ended.values("clinic")),
            received_yesterday=_count(received.values("clinic")),
            to_come=_count(coming.order_by().values("clinic")),
        )
        .values("ended", "to_come", "received_yesterday")
        .get()
    )
    return Counts(**row)


def arrivals(clinic: Clinic, now: datetime) -> list[Appointment]:
    """Return who is expected within 90 minutes, and who should have come today and did not (one statement)."""
    start, end = clinic.day_bounds(clinic.today())
    rows = Appointment.objects.for_clinic(clinic).expected().with_people()
    return list(rows.filter(starts_at__gte=start, starts_at__lt=min(end, now + SOON)).order_by("starts_at", "pk"))


def ended_today(clinic: Clinic) -> list[Visit]:
    """Return the latest visits that ended today (one statement)."""
    start, end = clinic.day_bounds(clinic.today())
    rows = Visit.objects.for_clinic(clinic).filter(stage__in=ENDED, left_at__gte=start, left_at__lt=end, is_error=False)
    return list(rows.select_related("patient", "next_appointment", "coordinator").order_by("-left_at")[:ENDED_SHOWN])


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
    from clinic_crm.workbench.gaps import gaps_of
    from clinic_crm.workbench.pulse import pulse_of

    now = timezone.now()
    pulse = pulse_of(clinic, now)  # read first: what changes meanwhile shows at the next look
    soon = arrivals(clinic, now)
    waivers = waivers_waiting(clinic) if user.may(Permission.APPROVE_WAIVER, clinic) else []
    return {
        "view": view,
        "now": now,
        "pulse": pulse,
        "board": board_of(clinic, user, view, now),
        "counts": counts_of(clinic, now),
        "arrivals": soon,
        "gaps": gaps_of(clinic, now) if user.may(Permission.BOOK, clinic) else [],
        "yesterday": clinic.today() - timedelta(days=1),
        "waivers": waivers,
        "ended": ended_today(clinic) if not waivers else [],
        "may_be_mine": me_of(user, clinic).actor != Actor.OTHER,
        "may_check_in": user.may(Permission.CHECK_IN, clinic),
        "may_book": user.may(Permission.BOOK, clinic),
    }
