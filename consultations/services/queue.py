"""Whom a doctor has to do with now: waiting, in the chair, in the exam, on the way."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import IntEnum

from django.db.models import Exists, OuterRef, Q, QuerySet
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _

from accounts.models import Clinic, User
from accounts.statements import Statement
from consultations.models import HandoffQuestion, Visit
from consultations.stages import Stage
from followups.models import Appointment

BEFORE_DOCTOR = (
    Stage.ARRIVED, Stage.RECEIVED, Stage.INTAKE, Stage.COMPLAINT, Stage.EXAM, Stage.CONSULTING, Stage.HANDOFF
)  # fmt: skip
MOST_EXPECTED = 8


class Turn(IntEnum):
    """Why a patient is in the queue, most urgent first."""

    CHANGE = 0  # the coordinator asks for a change of the plan
    WAITING = 1  # the note is there, not read yet
    IN_CHAIR = 2
    IN_EXAM = 3
    ON_THE_WAY = 4  # in the clinic, before the doctor
    EXPECTED = 5  # an appointment later today


@dataclass(frozen=True)
class Card:
    """One patient in the queue. `visit_id` is None for one who is still to come."""

    turn: Turn
    patient: str
    words: str
    state: str
    since: datetime
    limit: int | None = None
    visit_id: int | None = None
    url: str = ""
    is_new: bool = False  # no doctor was named: whoever reads the note first

    @property
    def is_waiting(self) -> bool:
        return self.turn == Turn.WAITING


def queue_of(doctor: User, clinic: Clinic) -> list[Card]:
    """Return the doctor's queue in one clinic, most urgent first, then longest waiting (two queries)."""
    _start, end = clinic.day_bounds(clinic.today())
    lately = timezone.now() - timedelta(minutes=30)  # who is late is still expected
    cards = [_card(visit) for visit in _VISITS.rows(doctor=doctor.pk, clinic=clinic.pk)]
    coming = _APPOINTMENTS.rows(doctor=doctor.pk, clinic=clinic.pk, lately=lately, end=end)
    cards += [_expected(appointment) for appointment in coming]
    return sorted(cards, key=lambda card: (card.turn, card.since))


def _visits(*, doctor: int, clinic: int) -> QuerySet[Visit]:
    asked = HandoffQuestion.objects.filter(handoff__visit=OuterRef("pk"), for_doctor=True, answered_at=None)
    mine = Q(doctor=doctor)
    unclaimed = Q(doctor=None, stage=Stage.DOCTOR)
    here = Q(stage__in=[*BEFORE_DOCTOR, Stage.DOCTOR]) | Q(asked=True, stage__in=[Stage.EXPLAINING, Stage.DECISION])
    visits: QuerySet[Visit] = (
        Visit.objects.for_clinic(clinic)
        .in_clinic_now()
        .annotate(asked=Exists(asked))
        .filter((mine | unclaimed) & here)
        .select_related("patient", "consultation", "clinic")
    )
    return visits


_VISITS = Statement(_visits)


def _turn(visit: Visit) -> tuple[Turn, str]:
    if visit.asked:  # type: ignore[attr-defined]
        return Turn.CHANGE, _("asks for a change")
    if visit.stage == Stage.DOCTOR:
        if visit.handoff_acknowledged_at is None:
            return Turn.WAITING, _("waits %(count)d min") % {"count": visit.minutes_in_stage(timezone.now())}
        return Turn.IN_CHAIR, _("in the room")
    if visit.stage == Stage.EXAM:
        return Turn.IN_EXAM, _("in the exam")
    return Turn.ON_THE_WAY, str(visit.get_stage_display())


def _card(visit: Visit) -> Card:
    turn, state = _turn(visit)
    return Card(
        turn=turn,
        patient=visit.patient.name,
        words=str(visit.consultation),
        state=state,
        since=visit.stage_since,
        limit=visit.stage_limit,
        visit_id=visit.pk,
        url=reverse("doctor_visit", args=[visit.pk]),
        is_new=visit.doctor_id is None,
    )


def _appointments(*, doctor: int, clinic: int, lately: datetime, end: datetime) -> QuerySet[Appointment]:
    rows = Appointment.objects.for_clinic(clinic).expected().filter(doctor=doctor, starts_at__range=(lately, end))
    return rows.select_related("patient").order_by("starts_at")[:MOST_EXPECTED]  # type: ignore[no-any-return]


_APPOINTMENTS = Statement(_appointments)


def _expected(appointment: Appointment) -> Card:
    return Card(
        turn=Turn.EXPECTED,
        patient=appointment.patient.name,
        words=appointment.purpose or str(appointment.get_kind_display()),
        state=_("comes %(clock)s") % {"clock": timezone.localtime(appointment.starts_at).strftime("%H:%M")},
        since=appointment.starts_at,
    )


def first_open(cards: list[Card]) -> int | None:
    """Return the visit that the page opens by itself: the first waiting, else the one in the chair."""
    ready = [card.visit_id for card in cards if card.turn <= Turn.IN_CHAIR]
    return ready[0] if ready else None
