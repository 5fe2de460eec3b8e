"""The undecided board: who stands there, what a card says, filters, windows, moving, its cost."""

from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone, translation

from accounts.models import Clinic, User
from accounts.permissions import Role
from clinic_crm.workbench.undecided import Board, View, board_of, more_of
from clinic_crm.workbench.undecided_cards import UndecidedCard
from clinic_crm.workbench.undecided_moving import Moved, move_class, undo_move
from consultations.models import Consultation, Plan, PlanItem, PlanOption
from consultations.services.undecided import fold
from consultations.stages import Stage
from followups.models import Contact
from patients.models import ClassChange, ClassSuggestion, Patient, Registration
from tests.factories import (
    AppointmentFactory,
    ClinicFactory,
    PatientFactory,
    TaskFactory,
    TeamFactory,
    UserFactory,
    VisitFactory,
)

pytestmark = pytest.mark.django_db
HTMX = {"HTTP_HX_REQUEST": "true"}


class Floor:
    """A clinic with two coordinators and patients in classes."""

    def __init__(self) -> None:
        self.clinic: Clinic = ClinicFactory()
        self.team = TeamFactory(clinic=self.clinic)
        self.tc: User = UserFactory(clinic=self.clinic, team=self.team)
        self.mate: User = UserFactory(clinic=self.clinic, team=self.team)
        self.other: User = UserFactory(clinic=self.clinic)
        self.doctor: User = UserFactory(clinic=self.clinic, role=Role.DOCTOR)

    def patient(
        self, code: str = "C-E", *, owner: User | None = None, seen: date | None = None, **facts: Any
    ) -> Patient:
        return PatientFactory(
            clinic=self.clinic,
            class_code=code,
            class_set_at=timezone.now() - timedelta(days=20),
            reg_owner=owner or self.tc,
            reg_last_visit_on=seen or self.clinic.today(),
            **facts,
        )

    def visit(self, patient: Patient, *, days: int = 3, status: str = "open", **facts: Any) -> Any:
        at = timezone.now() - timedelta(days=days)
        case = Consultation.objects.create(
            clinic=self.clinic,
            patient=patient,
            complaint="implant",
            complaint_text="左下后牙缺失",
            status=status,
            opened_at=at,
        )
        usual = {"arrived_at": at, "received_at": at, "stage": Stage.CLOSED, "left_at": at, "doctor": self.doctor}
        return VisitFactory(clinic=self.clinic, patient=patient, consultation=case, **(usual | facts))

    def board(self, **view: Any) -> Board:
        """Return the board, which must be the same while its rows are derived and once they are kept."""
        with translation.override("en"):
            derived = board_of(self.clinic, self.tc, View(**view), timezone.now())
            fold()
            kept = board_of(self.clinic, self.tc, View(**view), timezone.now())
        assert [(c.head, c.cards, c.left) for c in kept.columns] == [(c.head, c.cards, c.left) for c in derived.columns]
        assert kept.scopes == derived.scopes
        return kept

    def card(self, patient: Patient) -> UndecidedCard:
        cards = [card for column in self.board().columns for card in column.cards]
        return next(card for card in cards if card.patient_id == patient.pk)

    def names(self, **view: Any) -> set[str]:
        return {card.name for column in self.board(**view).columns for card in column.cards}


@pytest.fixture
def floor() -> Floor:
    return Floor()


def test_who_is_undecided(floor: Floor) -> None:
    inside = [floor.patient("C-E"), floor.patient("C-D"), floor.patient("C-C")]
    floor.visit(inside[1])
    floor.visit(inside[2], status="refused")
    for status in ("accepted", "deposit", "lost", "no_treatment"):
        floor.visit(floor.patient("C-E"), status=status)
    floor.patient("")
    floor.patient("C-E", restricted_at=timezone.now())
    gone = floor.patient("C-E")
    Patient.objects.filter(pk=gone.pk).update(merged_into=inside[0])
    PatientFactory(clinic=ClinicFactory(), class_code="C-E")
    assert floor.names() == {patient.name for patient in inside}


def test_a_new_case_after_an_accepted_one_counts(floor: Floor) -> None:
    patient = floor.patient("C-D")
    floor.visit(patient, days=60, status="accepted")
    floor.visit(patient, days=2)
    assert floor.names() == {patient.name}


def test_the_amount_is_what_was_decided_on_else_the_plan(floor: Floor) -> None:
    decided, planned, nothing = floor.patient(), floor.patient(), floor.patient()
    floor.visit(decided, decision="undecided", decided_at=timezone.now(), decision_amount=Decimal(16800))
    plan = Plan.objects.create(visit=floor.visit(planned), made_by=floor.doctor, finished_at=timezone.now())
    for name, price, suggested in (("活动义齿", 3000, False), ("种植", 9000, True)):
        option = PlanOption.objects.create(plan=plan, name=name, is_suggested=suggested, discount=500)
        PlanItem.objects.create(option=option, name=name, unit_price=price, quantity=2)
    assert floor.card(decided).amount == Decimal(16800)
    assert floor.card(planned).amount == Decimal(17500)
    assert floor.card(nothing).amount is None
    head = floor.board().columns[0].head
    assert (head.n, head.amount) == (3, Decimal(34300))


def test_what_a_card_says_next(floor: Floor) -> None:
    today = floor.clinic.today()
    here, coming, task, silent, bare = (floor.patient() for _n in range(5))
    floor.visit(here, stage=Stage.EXAM, left_at=None)
    AppointmentFactory(clinic=floor.clinic, patient=coming, doctor=floor.doctor)
    TaskFactory(clinic=floor.clinic, patient=task, title="问原因", due_at=timezone.now() - timedelta(days=1))
    Registration.objects.filter(patient=silent).update(last_visit_on=today - timedelta(days=16))
    told = {p.pk: floor.card(p).next for p in (here, coming, task, silent, bare)}
    assert told[here.pk].level == "here"
    assert "Exam" in told[here.pk].words
    assert told[coming.pk].level == "coming"
    assert (told[task.pk].level, told[task.pk].label) == ("bad", "Contact")
    assert told[silent.pk].words == "16 days without contact"
    assert (told[bare.pk].level, told[bare.pk].label) == ("bad", "Book")


@pytest.mark.parametrize(("days", "level"), [(14, "bad"), (15, "watch")])
def test_silence_is_watched_after_fourteen_days(floor: Floor, days: int, level: str) -> None:
    patient = floor.patient(seen=floor.clinic.today() - timedelta(days=days))
    assert floor.card(patient).next.level == level
    assert floor.board().silent == (days > 14)


def test_blocker_and_last_contact(floor: Floor) -> None:
    patient = floor.patient()
    floor.visit(patient, days=1, obstacle="怕疼，等先生")
    assert floor.card(patient).blocker == "怕疼，等先生"
    assert floor.card(patient).last == "Yesterday visit"
    Contact.objects.create(clinic=floor.clinic, patient=patient, channel="phone", outcome="no_answer", by=floor.tc)
    assert floor.card(patient).last == "Today No answer"


def test_scopes_and_their_numbers(floor: Floor) -> None:
    mine, mates = floor.patient(), floor.patient(owner=floor.mate)
    floor.patient(owner=floor.other)
    board = floor.board(scope="me")
    assert board.scopes == (1, 2, 3)
    assert floor.names(scope="me") == {mine.name}
    assert floor.names(scope="team") == {mine.name, mates.name}
    assert len(floor.names(scope="all")) == 3


def test_filters_and_flags(floor: Floor) -> None:
    rich, poor, plain = floor.patient(), floor.patient("C-C"), floor.patient()
    decided = {"decision": "undecided", "decided_at": timezone.now()}
    floor.visit(rich, days=40, decision_amount=Decimal(20000), **decided)
    floor.visit(
        poor, days=5, decision_amount=Decimal(900), doctor=UserFactory(clinic=floor.clinic, role="doctor"), **decided
    )
    AppointmentFactory(clinic=floor.clinic, patient=poor, doctor=floor.doctor)
    assert floor.names(from_amount=20000) == {rich.name}
    assert floor.names(to_amount=900) == {poor.name}
    assert floor.names(doctor=floor.doctor.pk) == {rich.name}
    assert floor.names(complaint="implant") == {rich.name, poor.name}
    assert floor.names(from_age=40) == {rich.name}
    assert floor.names(to_age=5) == {poor.name}
    assert floor.names(owner=floor.other.pk) == set()
    assert floor.names(flag="no_next") == {rich.name, plain.name}
    assert floor.board(flag="no_next").total == 3  # the head stays, the columns are narrowed


def test_order_by_contact_amount_and_age(floor: Floor) -> None:
    today = floor.clinic.today()
    people = [floor.patient(seen=today - timedelta(days=n)) for n in (1, 9, 5)]
    for patient, amount, days in zip(people, (100, 50, 900), (3, 2, 1), strict=True):
        floor.visit(patient, days=days, decision="undecided", decided_at=timezone.now(), decision_amount=amount)
    order = {
        sort: [people.index(Patient.objects.get(pk=c.patient_id)) for c in floor.board(sort=sort).columns[0].cards]
        for sort in ("contact", "amount", "newest")
    }
    assert order == {"contact": [1, 2, 0], "amount": [2, 0, 1], "newest": [2, 1, 0]}


@pytest.mark.parametrize("sort", ["contact", "amount", "newest"])
def test_a_column_is_read_in_windows_without_gap_or_double(floor: Floor, sort: str) -> None:
    for n in range(47):
        floor.patient(seen=floor.clinic.today() - timedelta(days=n % 3))
    view = View(sort=sort, klass="C-E")
    column = floor.board(sort=sort).columns[0]
    seen, left = [card.patient_id for card in column.cards], [column.left]
    cursor = column.more
    while cursor:
        following = more_of(floor.clinic, floor.tc, view, cursor, timezone.now())
        assert following is not None
        seen += [card.patient_id for card in following.cards]
        left.append(following.left)
        cursor = following.more
    assert len(seen) == len(set(seen)) == 47
    assert left == [27, 7, 0]


def test_a_cursor_from_elsewhere_leads_to_the_board(floor: Floor, client: Client) -> None:
    client.force_login(floor.tc)
    answer = client.get(reverse("undecided_more"), {"klass": "C-E", "after": "x:y:z"})
    assert answer.status_code == 302


def test_as_many_statements_for_fifty_as_for_two_hundred(floor: Floor, client: Client) -> None:
    client.force_login(floor.tc)

    def cost() -> int:
        with CaptureQueriesContext(
            connection,
        ) as seen:
            assert client.get(reverse("undecided")).status_code == 200
        return len(seen)

    for n in range(50):
        floor.visit(floor.patient(["C-E", "C-C"][n % 2]), days=n % 20)
    cost()
    few = cost()
    for n in range(150):
        floor.visit(floor.patient(["C-E", "C-C"][n % 2]), days=n % 20)
    assert cost() == few
    assert few <= 12


def move_url(patient: Patient, **query: str) -> str:
    return reverse("undecided_move", args=[patient.pk]) + ("?to=" + query["to"] if query else "")


def test_a_move_needs_a_reason_unless_it_is_suggested(floor: Floor, client: Client) -> None:
    client.force_login(floor.tc)
    patient = floor.patient("C-C", awareness=2, trust=3)
    shown = client.get(move_url(patient, to="C-B"), **HTMX)
    assert "C-B" in shown.content.decode()
    sent = {"code": "C-B", "expected": "C-C", "reason": " "}
    refused = client.post(move_url(patient, to="C-B"), sent, **HTMX)
    assert refused.status_code == 422
    done = client.post(move_url(patient, to="C-B"), sent | {"reason": "美学修复复诊，很看重品质"}, **HTMX)
    assert done.status_code == 200
    assert f'id="und-{patient.pk}"' in done.content.decode()
    change = ClassChange.objects.get()
    assert (change.old_class, change.new_class, change.awareness, change.trust) == ("C-C", "C-B", 2, 3)
    assert not change.is_correction


def test_a_correction_is_kept_as_one(floor: Floor, client: Client) -> None:
    client.force_login(floor.tc)
    patient = floor.patient("C-D")
    client.post(move_url(patient), {"code": "C-E", "expected": "C-D", "is_correction": "on"})
    assert ClassChange.objects.get().is_correction


def test_who_comes_second_sees_both_and_loses_nothing(floor: Floor, client: Client) -> None:
    client.force_login(floor.tc)
    patient = floor.patient("C-E")
    move_class(patient=patient, clinic=floor.clinic, code="C-D", expected="C-E", by=floor.mate, reason="又来了")
    late = client.post(move_url(patient), {"code": "C-B", "expected": "C-E", "reason": "看重品质"}, **HTMX)
    told = late.content.decode()
    assert late.status_code == 409
    for words in ("C-D", "C-B", "又来了", "看重品质", str(floor.mate)):
        assert words in told
    patient.refresh_from_db()
    assert patient.class_code == "C-D"


def test_a_move_is_taken_back_as_a_correction(floor: Floor, client: Client) -> None:
    client.force_login(floor.tc)
    patient = floor.patient("C-C", awareness=2)
    change = move_class(patient=patient, clinic=floor.clinic, code="C-B", expected="C-C", by=floor.tc, reason="误拖")
    client.post(reverse("undecided_undo", args=[change.pk]))
    patient.refresh_from_db()
    assert (patient.class_code, patient.awareness) == ("C-C", 2)
    assert ClassChange.objects.order_by("-pk")[0].is_correction
    with pytest.raises(Moved):
        undo_move(change=change, by=floor.tc)


def test_a_move_puts_the_open_suggestion_away(floor: Floor) -> None:
    patient = floor.patient("C-E")
    facts = {
        "clinic": floor.clinic,
        "patient": patient,
        "old_class": "C-E",
        "new_class": "C-D",
        "reason": "return visit",
    }
    suggestion = ClassSuggestion.objects.create(**facts)
    move_class(patient=patient, clinic=floor.clinic, code="C-C", expected="C-E", by=floor.tc, reason="种植")
    suggestion.refresh_from_db()
    assert suggestion.status == ClassSuggestion.Status.OUTDATED


def test_the_tray_is_answered_on_the_board(floor: Floor, client: Client) -> None:
    client.force_login(floor.tc)
    rows = []
    for _n in range(2):
        facts = {"old_class": "C-E", "new_class": "C-D", "reason": "two rechecks and high awareness"}
        rows.append(ClassSuggestion.objects.create(clinic=floor.clinic, patient=floor.patient("C-E"), **facts))
    assert rows[0].patient.name in client.get(reverse("undecided")).content.decode()
    client.post(reverse("undecided_answer", args=[rows[0].pk, "accept"]))
    client.post(reverse("undecided_answer", args=[rows[1].pk, "dismiss"]))
    rows[0].patient.refresh_from_db()
    assert rows[0].patient.class_code == "C-D"
    assert list(ClassSuggestion.objects.order_by("pk").values_list("status", flat=True)) == ["accepted", "dismissed"]


def test_another_clinics_patient_is_404_and_a_doctor_403(floor: Floor, client: Client) -> None:
    client.force_login(floor.tc)
    stranger = PatientFactory(clinic=ClinicFactory(), class_code="C-E")
    assert client.get(move_url(stranger)).status_code == 404
    client.force_login(floor.doctor)
    assert client.get(reverse("undecided")).status_code == 403


def test_what_a_patient_wrote_is_escaped(floor: Floor, client: Client) -> None:
    client.force_login(floor.tc)
    patient = floor.patient(name="<b>x</b>")
    floor.visit(patient, obstacle="<script>alert(1)</script>")
    page = client.get(reverse("undecided")).content.decode()
    assert "<b>x</b>" not in page
    assert "<script>alert" not in page
