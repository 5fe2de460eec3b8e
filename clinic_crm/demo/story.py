"""One visit as it could have gone: every row it leaves behind, with consistent times."""

import random
from collections import defaultdict
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from django.db import models

from accounts.models import User
from clinic_crm.demo import words
from clinic_crm.demo.answers import answers_of
from clinic_crm.demo.copying import Ids
from clinic_crm.demo.staff import DemoClinic
from consultations.checkout import CLASS_MUST_DOS
from consultations.models import (
    CheckoutItem,
    Consultation,
    ConsultationForm,
    Exam,
    ExamFile,
    ExamKind,
    FormTemplate,
    Handoff,
    Plan,
    PlanItem,
    PlanOption,
    StageChange,
    Visit,
)
from consultations.points import Point
from consultations.services.decision import STATUS
from consultations.stages import ENDED, ROUTES, UNDECIDED, Decision, Route, Stage, route_for
from followups.models import Appointment
from patients.classification import SPECIALIST, ClassFacts, suggest
from patients.models import ClassChange, Patient

# Usual minutes in each stage.
MINUTES = {
    Stage.ARRIVED: (1, 9), Stage.RECEIVED: (2, 5), Stage.INTAKE: (5, 12), Stage.COMPLAINT: (2, 6),
    Stage.EXAM: (10, 25), Stage.CONSULTING: (4, 15), Stage.HANDOFF: (2, 8), Stage.DOCTOR: (10, 28),
    Stage.EXPLAINING: (15, 80), Stage.DECISION: (1, 5), Stage.LEAVING: (3, 9),
}  # fmt: skip

Rows = dict[type[models.Model], list[Any]]  # unsaved rows by model


@dataclass
class Content:
    """A clinic's content that stories refer to."""

    template: FormTemplate
    kinds: list[ExamKind]


@dataclass
class Case:
    """The patient's running case, carried from visit to visit."""

    patient: Patient
    complaint: str
    text: str
    price: Decimal
    coordinator: User
    doctor: User
    consultation: Consultation | None = None
    visits: int = 0
    decided: str = ""


@dataclass
class Story:
    """Builds the rows of one visit; `stop` is the stage it stands at (closed for the past)."""

    ids: Ids
    dice: random.Random
    group: DemoClinic
    content: Content
    rows: Rows = field(default_factory=lambda: defaultdict(list))
    pictures: dict[str, list[dict[str, Any]]] = field(default_factory=dict)
    examined: tuple[int, list[int]] = (0, [])  # the last visit with exams, and these

    def add(self, model: type[models.Model], **values: Any) -> Any:
        """Make a row with its primary key and keep it."""
        row = model(id=self.ids.take(model), **values)
        self.rows[model].append(row)
        return row

    def tell(
        self, case: Case, *, start: datetime, stop: str = Stage.CLOSED, appointment: Appointment | None = None
    ) -> Visit:
        """Add one visit of `case`: from arrival at `start` to its end, or standing at `stop` since `start`."""
        first = case.visits == 0
        case.visits += 1
        route = route_for(case.complaint)
        path = [stage for stage in ROUTES[route] if stage not in ENDED]
        ended = stop not in path
        path = path if ended else path[: path.index(Stage(stop)) + 1]
        spans = [timedelta(minutes=self.dice.randint(*MINUTES[stage])) for stage in path]
        if not ended:
            start -= sum(spans[:-1], timedelta())
        if case.consultation is None:
            case.consultation = self.add(
                Consultation, clinic=self.group.clinic, patient=case.patient, complaint=case.complaint,
                complaint_text=case.text, coordinator=case.coordinator, opened_at=start,
            )  # fmt: skip
        visit: Visit = self.add(
            Visit, clinic=self.group.clinic, patient=case.patient, consultation=case.consultation,
            appointment=appointment, doctor=case.doctor, is_first=first, number=case.visits, route=route,
            arrived_at=start, updated_at=start, stage=stop,
        )  # fmt: skip
        self._walk(visit, case, list(zip(path, spans, strict=True)), start, ended=ended)
        return visit

    def _walk(
        self, visit: Visit, case: Case, path: list[tuple[Stage, timedelta]], clock: datetime, *, ended: bool
    ) -> None:
        old = ""
        for index, (stage, span) in enumerate(path):
            doctors = stage == Stage.EXPLAINING or (stage == Stage.EXAM and visit.route == Route.DOCTOR_FIRST)
            self._step(visit, old, stage, clock, case.doctor if doctors else case.coordinator)
            visit.stage_since, old = clock, stage
            if ended or index < len(path) - 1:
                getattr(self, f"_after_{stage}", self._nothing)(visit, case, clock, clock + span)
                clock += span
        if ended:
            self._step(visit, old, Stage.CLOSED, clock, case.coordinator)
            visit.stage_since = visit.left_at = visit.closed_at = clock
        visit.updated_at = clock

    def _step(self, visit: Visit, old: str, new: str, at: datetime, by: User) -> None:
        self.add(StageChange, visit=visit, old_stage=old, new_stage=new, at=at, by=by)

    def _nothing(self, visit: Visit, case: Case, start: datetime, end: datetime) -> None:
        """Most stages leave only their step."""

    def _after_arrived(self, visit: Visit, case: Case, start: datetime, end: datetime) -> None:
        visit.received_at = end
        visit.coordinator = case.coordinator
        if case.consultation and case.consultation.first_received_at is None:
            case.consultation.first_received_at = end

    def _after_received(self, visit: Visit, case: Case, start: datetime, end: datetime) -> None:
        if visit.stage == Stage.INTAKE and visit.is_first:  # the form is being filled in just now
            self._form(visit, case, end, end, groups=3)

    def _after_intake(self, visit: Visit, case: Case, start: datetime, end: datetime) -> None:
        if not visit.is_first:
            return
        complete = self.dice.random() < 0.97
        form = self._form(visit, case, start, end, groups=None if complete else 4)
        if complete:
            form.patient_submitted_at = form.completed_at = visit.form_completed_at = end
            form.completed_by = case.coordinator

    def _form(
        self, visit: Visit, case: Case, start: datetime, end: datetime, *, groups: int | None
    ) -> ConsultationForm:
        answers = answers_of(self.content.template, case.patient, case.text, self.dice, groups=groups)
        form: ConsultationForm = self.add(
            ConsultationForm, visit=visit, template=self.content.template, answers=answers,
            created_at=start, updated_at=end, consented_at=start,
        )  # fmt: skip
        return form

    def _after_complaint(self, visit: Visit, case: Case, start: datetime, end: datetime) -> None:
        visit.complaint_confirmed_at = end

    def _after_exam(self, visit: Visit, case: Case, start: datetime, end: datetime) -> None:
        self.examined = visit.pk, []
        for kind in self.content.kinds:
            exam = self.add(
                Exam, visit=visit, kind=kind, ordered_at=start, ordered_by=case.coordinator, done_at=end,
                done_by=case.coordinator, fee=kind.fee(first_visit=visit.is_first),
            )  # fmt: skip
            self.examined[1].append(exam.pk)
            for file in self.pictures.get(kind.code, ()):
                self.add(ExamFile, exam=exam, uploaded_at=end, uploaded_by=case.coordinator, **file)
        visit.exams_completed_at = end

    def _after_consulting(self, visit: Visit, case: Case, start: datetime, end: datetime) -> None:
        if visit.stage == Stage.HANDOFF:  # the note is being written just now
            self._note(visit, case, end, wished_words="", awareness=2, trust=3, class_code="")

    def _note(self, visit: Visit, case: Case, at: datetime, **values: Any) -> Handoff:
        dice, talk = self.dice, words.TALK.get(case.complaint, words.EVERYDAY)
        of_visit, exams = self.examined
        usual = {
            "attached_exams": exams if of_visit == visit.pk else [],
            "situation": dice.choice(talk.situations),
            "opinion": dice.choice(talk.opinions),
            "told_patient": dice.choice(talk.told),
            "stress_points": list(talk.stress),
            "wished_words": dice.choice(talk.wished),
        }
        note: Handoff = self.add(Handoff, visit=visit, saved_at=at, **(usual | values))
        return note

    def _after_handoff(self, visit: Visit, case: Case, start: datetime, end: datetime) -> None:
        patient, dice = case.patient, self.dice
        patient.awareness = min(
            5, (patient.awareness or dice.randint(1, 3)) + (0 if visit.is_first else dice.randint(0, 1))
        )
        patient.trust = min(5, (patient.trust or dice.randint(2, 3)) + (0 if visit.is_first else dice.randint(0, 1)))
        facts = ClassFacts(case.complaint, not visit.is_first, patient.awareness)
        suggestion = suggest(facts)
        change = self.add(
            ClassChange, clinic=self.group.clinic, patient=patient, old_class=patient.class_code,
            new_class=suggestion.code, awareness=patient.awareness, trust=patient.trust, suggested=suggestion.code,
            suggestion_reason=str(suggestion.reason), at=end, by=case.coordinator,
        )  # fmt: skip
        patient.class_code, patient.class_set_at = suggestion.code, end
        visit.classification, visit.classified_at, visit.handoff_at = change, end, end
        note = self._note(
            visit, case, end, class_code=suggestion.code, awareness=patient.awareness, trust=patient.trust,
            sent_at=end, sent_by=case.coordinator,
        )  # fmt: skip
        if visit.stage != Stage.DOCTOR or visit.pk % 2:
            note.acknowledged_at, note.acknowledged_by = end, case.doctor
            visit.handoff_acknowledged_at = end

    def _after_doctor(self, visit: Visit, case: Case, start: datetime, end: datetime) -> None:
        finished = end if visit.stage not in {Stage.EXAM} else None
        plan = self.add(
            Plan, visit=visit, title=case.text[:40], findings=self.dice.choice(words.TALK.get(case.complaint, words.EVERYDAY).situations),
            principles=self.dice.choice(words.PRINCIPLES), made_by=case.doctor, made_at=end, finished_at=finished,
        )  # fmt: skip
        for position, (name, share, duration, visits, pain, note) in enumerate(
            words.OPTIONS.get(case.complaint, words.DEFAULT_OPTIONS)
        ):
            option = self.add(
                PlanOption, plan=plan, name=name, position=position, is_suggested=position == 0,
                is_chosen=position == 0, duration=duration, pain=pain, pain_note=note,
            )  # fmt: skip
            price = (case.price * Decimal(str(share))).quantize(Decimal(10))
            tooth = self.dice.choice([16, 26, 36, 46])
            self.add(PlanItem, option=option, name=name, unit_price=price, sessions=visits, teeth=[tooth])
        visit.doctor_left_at = visit.explaining_started_at = end
        if visit.stage == Stage.EXPLAINING:
            visit.explained_points = [Point.PRICE.value, Point.TIME.value]

    def _after_explaining(self, visit: Visit, case: Case, start: datetime, end: datetime) -> None:
        visit.explaining_ended_at = end
        visit.explained_points = list(Point.values)

    def _after_decision(self, visit: Visit, case: Case, start: datetime, end: datetime) -> None:
        weights = (Decision.ACCEPTED, 50), (Decision.DEPOSIT, 20), (Decision.UNDECIDED, 24), (Decision.REFUSED, 6)
        chosen = self.dice.choices([d for d, _w in weights], [w for _d, w in weights])[0]
        if case.complaint not in SPECIALIST and chosen == Decision.DEPOSIT:
            chosen = Decision.ACCEPTED
        visit.decision, visit.decided_at, visit.decision_amount = chosen, end, case.price
        visit.deposit_amount = Decimal(1000) if chosen == Decision.DEPOSIT else None
        visit.obstacle = self.dice.choice(words.OBSTACLES) if chosen in UNDECIDED else ""
        case.decided = chosen
        if case.consultation:
            case.consultation.status = STATUS[Decision(chosen)]

    def _after_leaving(self, visit: Visit, case: Case, start: datetime, end: datetime) -> None:
        patient = case.patient
        if patient.wechat_linked_at is None and self.dice.random() < 0.93:
            patient.wechat_linked_at = end
        codes = ["word_of_mouth"]
        if visit.decision in UNDECIDED:
            codes += ["recheck_plan", *CLASS_MUST_DOS.get(patient.class_code, ())]
        for code in codes:
            outcome = (
                self.dice.choice(["moments", "friends", "dianping", "declined"]) if code == "word_of_mouth" else ""
            )
            self.add(CheckoutItem, visit=visit, code=code, done_at=end, done_by=case.coordinator, outcome=outcome)
