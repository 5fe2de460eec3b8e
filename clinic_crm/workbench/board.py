"""Reading the cards of the today board: few statements, however many patients are in the clinic."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from django.contrib.postgres.expressions import ArraySubquery
from django.db.models import (
    Count,
    Exists,
    F,
    IntegerField,
    OuterRef,
    Q,
    QuerySet,
    Subquery,
    Value,
)
from django.db.models.functions import Coalesce, JSONObject
from django.utils.translation import get_language

from accounts.models import Clinic, User
from accounts.permissions import Permission
from accounts.statements import Statement
from clinic_crm.workbench.cards import Card, Facts, Me, card_of, form_open
from consultations import form_rules
from consultations.checkout import CheckoutLine
from consultations.exam_rules import ExamState, lacking
from consultations.form_rules import Group, Person
from consultations.handoff_rules import Note
from consultations.models import CheckoutItem, Exam, ExamKind, FormTemplate, HandoffQuestion, Visit
from consultations.services.facts import checkout_lines
from consultations.stages import Actor, Stage
from followups.models import Appointment
from patients.models import Registration

# What a card tells, and no more: a visit with its people, form and note has some two hundred columns.
COLUMNS_READ = (
    "clinic_id", "stage", "stage_since", "route", "is_first", "form_completed_at", "exams_completed_at", "handoff_at",
    "handoff_acknowledged_at", "explained_points", "decision", "classified_at", "coordinator_id", "doctor_id",
    "patient__name", "patient__sex", "patient__birth_date", "patient__class_code", "patient__wechat_linked_at",
)  # fmt: skip
ITEM = ("code", "done_at", "waiver_reason", "waiver_asked_at", "refused_at", "waived_at")
NOTE = ("class_code", "class_reason", "awareness", "trust", "opinion", "told_patient", "stress_points", "wished_words")
# Read as plain columns of the visit, since an object for each of them costs more than the statement.
BESIDE = {
    "case_complaint": "consultation__complaint",
    "case_words": "consultation__complaint_text",
    "coordinator_name": "coordinator__full_name",
    "doctor_name": "doctor__full_name",
    "form_template": "form__template_id",
    "form_answers": "form__answers",
} | {f"note_{name}": f"handoff__{name}" for name in NOTE}


def me_of(user: User, clinic: Clinic) -> Me:
    """Return as whom `user` looks at the board."""
    actor = Actor.OTHER
    if user.may(Permission.TREAT, clinic):
        actor = Actor.DOCTOR
    elif user.may(Permission.COORDINATE, clinic):
        actor = Actor.COORDINATOR
    return Me(user.pk, actor, captures_exams=user.may(Permission.CAPTURE_EXAM, clinic))


def count_of(grouped: QuerySet[Any, Any]) -> Coalesce:
    """Return how many rows a correlated, grouped query has, as a column."""
    counted = grouped.annotate(n=Count("pk")).values("n")
    return Coalesce(Subquery(counted, output_field=IntegerField()), Value(0))


def open_visits(clinic: Clinic, now: datetime) -> list[Any]:
    """Return the clinic's open visits with everything a card needs of one row (one statement)."""
    found = _OPEN.rows(clinic=clinic.pk, now=now)
    for visit in found:
        visit.clinic = clinic
    return found


def _open(*, clinic: int, now: datetime) -> QuerySet[Any]:
    registration = Registration.objects.filter(patient=OuterRef("patient"), clinic=clinic)
    asked = HandoffQuestion.objects.filter(handoff__visit=OuterRef("pk"), for_doctor=False, answered_at=None).order_by()
    later = Appointment.objects.for_clinic(clinic).expected().filter(patient=OuterRef("patient"), starts_at__gt=now)
    rows = Visit.objects.for_clinic(clinic).in_clinic_now().select_related("patient").only(*COLUMNS_READ)
    recorded = CheckoutItem.objects.filter(visit=OuterRef("pk")).values(
        told=JSONObject(**{name: name for name in ITEM})
    )
    rows = rows.annotate(
        comes_again=Exists(later),
        recorded=ArraySubquery(recorded),
        owner_id=Subquery(registration.values("owner_id")[:1]),
        owner_name=Subquery(registration.values("owner__full_name")[:1]),
        open_questions=count_of(asked.values("handoff__visit")),
        **{name: F(path) for name, path in BESIDE.items()},
    )
    return rows.order_by("stage_since", "pk")


def _exams(*, visits: tuple[int, ...]) -> QuerySet[Any]:
    kept = Count("files", filter=Q(files__removed_at=None))
    return Exam.objects.filter(visit__in=visits).annotate(kept=kept).order_by()


_OPEN = Statement(_open)
_EXAMS = Statement(_exams)
_EXAM_KINDS = Statement(lambda *, clinic: ExamKind.objects.for_clinic(clinic))
_TEMPLATES = Statement(lambda *, ids: FormTemplate.objects.filter(pk__in=ids))


def _open_form_questions(clinic: Clinic, visits: Iterable[Any]) -> dict[int, int]:
    """Return by visit how many required questions of a begun form are open (one statement)."""
    begun = [v for v in visits if form_open(v) and v.form_template is not None]
    ids = tuple(sorted({v.form_template for v in begun}))
    templates = {found.pk: found for found in _TEMPLATES.rows(ids=ids)} if begun else {}
    language, today = get_language() or "zh-hans", clinic.today()
    read: dict[tuple[int, Person], tuple[Group, ...]] = {}
    result = {}
    for visit in begun:
        person = Person(visit.patient.sex, visit.patient.age_on(today))
        key = (visit.form_template, person)
        if key not in read:
            read[key] = form_rules.read(templates[key[0]].groups, language, person)
        result[visit.pk] = len(form_rules.progress(read[key], visit.form_answers, person).missing)
    return result


def _exam_states(clinic: Clinic, visits: Iterable[Any]) -> dict[int, list[ExamState]]:
    """Return by visit how its exams stand (two statements, none without visits at the exam)."""
    ids = tuple(v.pk for v in visits if v.stage == Stage.EXAM)
    if not ids:
        return {}
    exams = _EXAMS.rows(visits=ids)
    done: dict[tuple[int, int], Exam] = {(exam.visit_id, exam.kind_id): exam for exam in exams}
    kinds = _EXAM_KINDS.rows(clinic=clinic.pk)
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


def _note(visit: Any) -> Note:
    """Return the handoff note as it stands. The reason for another class is the note's own business."""
    values = {name: getattr(visit, f"note_{name}") for name in NOTE}
    if values["class_code"] is None:
        return Note()
    return Note(**(values | {"stress_points": tuple(values["stress_points"]), "class_reason": "-"}))


def _facts(visit: Any, questions: int | None) -> Facts:
    return Facts(
        complaint=visit.case_complaint,
        words=visit.case_words,
        coordinator=visit.coordinator_name or visit.owner_name or "",
        doctor=visit.doctor_name or "",
        owner_id=visit.owner_id,
        open_questions=visit.open_questions,
        form_begun=visit.form_template is not None,
        questions=questions,
        note=_note(visit),
        checkout=_checkout(visit) if visit.stage == Stage.LEAVING else (),
    )


def _checkout(visit: Any) -> list[CheckoutLine]:
    items = [CheckoutItem(**told) for told in visit.recorded]  # of its times only whether there are any matters
    return checkout_lines(visit, comes_again=visit.comes_again, items=items)


def cards_of(clinic: Clinic, user: User, now: datetime) -> list[Card]:
    """Return a card for every open visit of the clinic, the longest in its stage first."""
    visits = open_visits(clinic, now)
    me = me_of(user, clinic)
    questions = _open_form_questions(clinic, visits)
    exams = _exam_states(clinic, visits)
    cards, today = [], clinic.today()
    for visit in visits:
        facts = _facts(visit, questions.get(visit.pk))
        without = lacking(exams.get(visit.pk, ()), visit.route)
        cards.append(card_of(visit, facts, me, now=now, today=today, lacking=without))
    return cards
