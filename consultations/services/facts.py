"""Reading the facts that a move looks at from the database."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from django.db.models import Exists, OuterRef, QuerySet
from django.utils import timezone

from accounts.models import User
from accounts.permissions import Permission
from accounts.statements import Statement
from consultations import checkout
from consultations.models import CheckoutItem, Exam, Visit
from consultations.points import ALL_POINTS
from consultations.stages import Actor, Stage, VisitFacts
from followups.models import Appointment


def actor_of(user: User, visit: Visit) -> Actor:
    """Return as whom `user` acts on the visit."""
    if user.may(Permission.TREAT, visit.clinic_id):
        return Actor.DOCTOR
    if user.may(Permission.COORDINATE, visit.clinic_id):
        return Actor.COORDINATOR
    return Actor.OTHER


def later_appointment(visit: Visit) -> Appointment | None:
    """Return the appointment the patient leaves with: the one made here if it stands, else the next expected one."""
    if (made_here := _made_here(visit)) is not None:
        return made_here
    found: list[Appointment] = _LATER.rows(clinic=visit.clinic_id, patient=visit.patient_id, now=timezone.now())
    return found[0] if found else None


def _made_here(visit: Visit) -> Appointment | None:
    made = visit.next_appointment
    return made if made is not None and (made.holds_slot or not visit.is_open) else None


def _later(*, clinic: int, patient: int, now: datetime) -> QuerySet[Any, Any]:
    expected = Appointment.objects.for_clinic(clinic).expected().filter(patient=patient, starts_at__gt=now)
    coming: QuerySet[Any, Any] = expected.select_related("doctor").order_by("starts_at")[:1]
    return coming


_LATER = Statement(_later)


def checkout_lines(
    visit: Visit, *, comes_again: bool | None = None, items: Iterable[CheckoutItem] | None = None
) -> list[checkout.CheckoutLine]:
    """Return the must-dos of the visit with their states.

    The next appointment, WeChat and class are read from the facts themselves, not from a tick.
    Args: comes_again: whether a later appointment stands, and items: what was recorded, for who has read it already.
    """
    if comes_again is None:
        comes_again = later_appointment(visit) is not None
    recorded = {
        item.code: checkout.Line(
            done=item.done_at is not None,
            waiver_reason=item.waiver_reason,
            waiver_asked=item.waiver_asked_at is not None and item.refused_at is None,
            waived=item.waived_at is not None,
        )
        for item in (visit.checkout_items.all() if items is None else items)
    }
    facts = {
        "next_appointment": comes_again,
        "wechat": visit.patient.wechat_linked_at is not None,
        "classification": visit.classified_at is not None,
    }
    for code, done in facts.items():
        if done:
            recorded[code] = checkout.Line(done=True)
    codes = checkout.must_dos(decision=visit.decision, class_code=visit.patient.class_code)
    return checkout.lines(codes, recorded)


def _read(*, visit: int, now: datetime) -> QuerySet[Any, Any]:
    ordered = Exists(Exam.objects.filter(visit=OuterRef("pk")))
    coming = Appointment.objects.expected().filter(clinic=OuterRef("clinic"), patient=OuterRef("patient"))
    later = Exists(coming.filter(starts_at__gt=now))
    return Visit.objects.filter(pk=visit).values_list("plan__finished_at", "plan__no_treatment", ordered, later)


_READ = Statement(_read)


def items_of(visit: Visit) -> list[CheckoutItem]:
    """Return what is recorded of the checkout, with who did it (one statement)."""
    return _ITEMS.rows(visit=visit.pk)


def _items(*, visit: int) -> QuerySet[CheckoutItem]:
    rows = CheckoutItem.objects.filter(visit=visit)
    found: QuerySet[CheckoutItem] = rows.select_related("done_by", "waived_by", "waiver_asked_by")
    return found


_ITEMS = Statement(_items)


def facts_of(visit: Visit) -> VisitFacts:
    """Return what the stage rules need to know of a visit (one query, at the checkout two)."""
    finished_at, no_treatment, exams_ordered, later = _READ.rows(visit=visit.pk, now=timezone.now())[0]
    finished = finished_at is not None
    return VisitFacts(
        stage=visit.stage,
        route=visit.route,
        form_complete=visit.form_completed_at is not None,
        form_required=visit.is_first,
        complaint_confirmed=visit.complaint_confirmed_at is not None,
        exams_complete=visit.exams_completed_at is not None,
        exams_ordered=exams_ordered,
        handoff_sent=visit.handoff_at is not None,
        handoff_acknowledged=visit.handoff_acknowledged_at is not None,
        plan_ready=finished,
        all_explained=(finished and no_treatment) or set(visit.explained_points) >= ALL_POINTS,
        decision=visit.decision,
        checkout_ready=visit.stage == Stage.LEAVING and _is_checked_out(visit, comes_later=later),
    )


def _is_checked_out(visit: Visit, *, comes_later: bool) -> bool:
    comes_again = comes_later or _made_here(visit) is not None
    return checkout.ready(checkout_lines(visit, comes_again=comes_again, items=items_of(visit)))
