"""Inspections of etiquette for the demo: some visits and calls of each coordinator, week after week."""

from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from django.db.models import F, QuerySet, Window
from django.db.models.functions import RowNumber, TruncWeek
from django.utils import timezone

from accounts.models import Membership, User
from accounts.permissions import Role
from clinic_crm.demo.staff import DemoClinic
from consultations.models import Visit
from consultations.stages import Decision
from followups.models import Contact, ContactChannel, ContactOutcome
from metrics import etiquette_rules as rules
from metrics.models import EtiquetteInspection, EtiquetteRubric
from metrics.services.etiquette import ensure_rubrics, kind_of
from metrics.services.etiquette_sample import calls_to_inspect, visits_to_inspect

BACK = timedelta(days=190)
CALLED, MOST_CALLS = timedelta(days=45), 60
OUTCOMES = (
    (ContactOutcome.REACHED, "咬东西还有点酸，已提醒避开冷热"),
    (ContactOutcome.WILL_COME, "和家人商量后周末过来"),
    (ContactOutcome.CALL_LATER, "在上班，晚上再联系"),
    (ContactOutcome.NO_ANSWER, ""),
    (ContactOutcome.REACHED, "关心疼不疼，已发说明"),
)
VISITS, CALLS = 2, 1  # of each person and week
# How often an item is missed: one in so many answers of the n-th person, never the same two people.
SLIPS = (13, 9, 7, 5, 11)
NOTES = ("", "", "", "送别时没有复述预约时间", "", "语速偏快", "", "", "引导途中沟通自然", "", "")


def tell_etiquette(group: DemoClinic) -> int:
    """Score some visits and calls of the past months; this week's are left to do. Returns how many."""
    clinic, now = group.clinic, timezone.now()
    managers = Membership.objects.filter(clinic=clinic, role=Role.MANAGER, is_active=True).order_by("pk")
    manager = next((member.user for member in managers.select_related("user")), None)
    if manager is None:
        return 0
    ensure_rubrics(clinic)
    rubrics = {row.kind: row for row in EtiquetteRubric.objects.for_clinic(clinic).filter(is_active=True)}
    today = clinic.today()
    until = clinic.day_bounds(today - timedelta(days=today.weekday()))[0]
    _call_back(group, now)
    visits = _some(visits_to_inspect(clinic, now - BACK, until).exclude(coordinator=manager), "received_at", VISITS)
    calls = _some(calls_to_inspect(clinic, now - BACK, until).exclude(by=manager), "at", CALLS)
    people: dict[int, int] = {}
    rows = [
        _scored(subject, rubrics[kind_of(subject)], manager, people.setdefault(subject.person, len(people)), number)
        for number, subject in enumerate([*visits, *calls])
    ]
    EtiquetteInspection.objects.bulk_create([row for row in rows if row.inspected_at <= now], batch_size=500)
    return len(rows)


def _call_back(group: DemoClinic, now: datetime) -> None:
    """Let coordinators call some of those who left undecided, two days after."""
    left = Visit.objects.for_clinic(group.clinic).filter(
        left_at__gt=now - CALLED, left_at__lt=now - timedelta(days=2), decision=Decision.UNDECIDED, is_error=False,
        coordinator__isnull=False,
    )  # fmt: skip
    calls = [
        Contact(
            clinic=group.clinic, patient_id=visit.patient_id, channel=ContactChannel.PHONE,
            outcome=OUTCOMES[number % len(OUTCOMES)][0], note=OUTCOMES[number % len(OUTCOMES)][1],
            at=min(visit.left_at + timedelta(days=2, minutes=number % 7 * 11), now), by_id=visit.coordinator_id,
        )
        for number, visit in enumerate(left.order_by("-left_at", "-pk")[:MOST_CALLS])
    ]  # fmt: skip
    Contact.objects.bulk_create(calls, batch_size=500)


def _some(rows: "QuerySet[Any]", when: str, count: int) -> "QuerySet[Any]":
    place = Window(RowNumber(), partition_by=[F("person"), TruncWeek(when)], order_by=[F("pk").asc()])
    return rows.annotate(place=place).filter(place__lte=count).order_by("pk")


def _scored(subject: Any, rubric: EtiquetteRubric, by: User, person: int, number: int) -> EtiquetteInspection:
    """Score one with the slips of its person."""
    items, slips = rules.items_of(rubric.items), SLIPS[person % len(SLIPS)]
    answers: dict[str, Decimal | None] = {}
    for place, item in enumerate(items):
        drawn = (subject.pk * 7 + place * 5 + number * 3) % (slips * 3)
        answers[item.code] = {0: rules.NO, 1: rules.PARTLY, 2: rules.PARTLY, 3: None}.get(drawn, rules.YES)
    is_visit = rubric.kind == rules.VISIT
    at: datetime = (subject.received_at if is_visit else subject.at) + timedelta(minutes=40 + number % 5 * 15)
    return EtiquetteInspection(
        clinic_id=subject.clinic_id, rubric=rubric, staff_id=subject.person, patient_id=subject.patient_id,
        visit=subject if is_visit else None, contact=None if is_visit else subject,
        answers={code: None if given is None else float(given) for code, given in answers.items()},
        score=rules.score(items, answers).value, note=NOTES[number % len(NOTES)], inspected_at=at, inspected_by=by,
        seen_at=min(at + timedelta(hours=20), timezone.now()) if number % 4 else None,
    )  # fmt: skip
