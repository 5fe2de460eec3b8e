"""The panels: what they count, and that each number opens as many records as it says."""

from datetime import date, timedelta
from decimal import Decimal

import pytest
import time_machine

from accounts.models import Membership
from accounts.windows import Window
from consultations.models import Consultation, Plan, PlanItem, PlanOption, Refund, Visit
from conversations.models import Capture, CapturedContact
from followups.models import Appointment
from metrics.counting import figures
from metrics.kpis import KPIS
from metrics.panels import PANELS, absences, cohort, funnel, leaks, moves
from metrics.scope import Scope
from patients.models import ComplaintCase, Patient, Registration
from tests.factories import AppointmentFactory, ClassChangeFactory, ConversationFactory, PatientFactory
from tests.metrics.story import AFTER, Story

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("after")]
OCTOBER = Window.of("month", date(2026, 10, 1))


@pytest.fixture
def after():
    with time_machine.travel(AFTER, tick=False):
        yield


@pytest.fixture
def story() -> Story:
    return Story()


def scope_of(story: Story, **more) -> Scope:
    return Scope((story.clinic,), **more)


def change(story: Story, patient: Patient, old: str, new: str, day: int, month: int = 10, **more) -> None:
    facts = {"old_class": old, "new_class": new, "at": story.at(day, month=month), "by": story.one}
    ClassChangeFactory(clinic=story.clinic, patient=patient, **facts | more)


def moved(found: moves.Matrix) -> dict[str, int]:
    return {cell.part: cell.n for row in found.rows for cell in row.cells if cell.n}


def test_the_matrix_counts_moves_falls_and_no_corrections(story):
    before = moved(moves.count(scope_of(story), OCTOBER))
    up, down, wrong, still = (PatientFactory(clinic=story.clinic) for _ in range(4))
    for patient, code in ((up, "C-E"), (down, "C-C"), (wrong, "C-E"), (still, "C-B")):
        change(story, patient, "", code, 1, month=9)
    change(story, up, "C-E", "C-D", 5)
    change(story, down, "C-C", "C-D", 6)
    change(story, wrong, "C-E", "C-D", 7, is_correction=True)
    found = moves.count(scope_of(story), OCTOBER)
    new = {part: n - before.get(part, 0) for part, n in moved(found).items() if n != before.get(part, 0)}
    assert new == {"C-E:C-D": 1, "C-C:C-D": 1, "C-D:C-D": 1, "C-B:C-B": 1}
    assert found.downs == 1


def test_the_matrix_is_kpi_2_taken_apart(story):
    for code in ("C-E", "C-D"):
        patient = PatientFactory(clinic=story.clinic)
        change(story, patient, "", code, 2)
        change(story, patient, code, "C-B", 9)
    found = moves.count(scope_of(story), OCTOBER)
    figure = figures(scope_of(story), OCTOBER)[None][[k.slug for k in KPIS].index("c_conversion")]
    below = [row for row in found.rows if row.code != "C-A"]
    assert (sum(row.up for row in below), found.below_top) == (figure.numerator, figure.denominator)
    assert found.downs == figure.companions["c_conversion.fell"].numerator


def test_the_cohort_counts_those_whose_days_are_over(story):
    quick, slow, fresh = (PatientFactory(clinic=story.clinic) for _ in range(3))
    change(story, quick, "", "C-E", 1, month=8)
    change(story, quick, "C-E", "C-A", 20, month=8)
    change(story, slow, "", "C-E", 1, month=8)
    change(story, slow, "C-E", "C-A", 20, month=9)
    change(story, fresh, "", "C-E", 25)
    got = [(span.days, span.reached, span.n) for span in cohort.count(scope_of(story), OCTOBER)]
    assert got == [(30, 1, 2), (60, 2, 2), (90, 2, 2)]


def test_reasons_stand_by_side_and_who_was_not_asked_too(story):
    start = story.at(20)
    for status, reason, side in (
        ("no_show", "weather", "chance"),
        ("no_show", "forced", "ours"),
        ("cancelled_patient", "forced", "ours"),
        ("no_show", "", ""),
        ("kept", "", ""),
    ):
        facts = {"absence_reason": reason, "absence_side": side, "holds_slot": status in ("no_show", "kept")}
        AppointmentFactory(clinic=story.clinic, status=status, starts_at=start, **facts)
        start += timedelta(hours=1)
    found = absences.count(scope_of(story), OCTOBER)
    assert [(code, n) for code, _label, n in found.sides] == [("ours", 2), ("patient", 0), ("chance", 1)]
    assert (found.total, found.unasked) == (5, 2)  # the story has a cancellation that nobody asked about
    forced = next(r for r in found.reasons if r.code == "forced")
    assert (forced.no_shows, forced.cancelled) == (1, 1)


def plan(visit: Visit, price: int, *, suggested: bool = True) -> None:
    made, _new = Plan.objects.get_or_create(visit=visit, defaults={"made_by": visit.doctor})
    option = PlanOption.objects.create(plan=made, name="种植", is_suggested=suggested, discount=100)
    PlanItem.objects.create(option=option, name="种植体", quantity=2, unit_price=price)


def test_leaks_tell_the_money_and_the_dearest_first(story):
    undecided, accepted, refused = story.visits[0], story.visits[1], story.visits[2]
    plan(undecided, 4000)
    plan(refused, 1000)
    plan(refused, 9000, suggested=False)
    facts = {"reason": "不做了", "by": story.manager, "at": story.at(20)}
    Refund.objects.create(clinic=story.clinic, consultation=accepted.consultation, amount=3000, **facts)
    ConversationFactory(clinic=story.clinic, started_at=story.at(3), cost=180)
    found = {leak.code: (leak.n, leak.lost) for leak in leaks.count(scope_of(story), OCTOBER)}
    assert found["undecided"] == (2, Decimal(7900 + 1900))  # the one cancelled since has nothing booked
    assert found["refunds"] == (1, Decimal(3000))
    assert found["chats"] == (1, Decimal(180))
    assert found["no_shows"] == (0, None)
    assert [leak.code for leak in leaks.count(scope_of(story), OCTOBER)][:3] == ["undecided", "refunds", "chats"]


def chat(story: Story, **more):
    return ConversationFactory(clinic=story.clinic, started_at=story.at(2), cost=150, **more)


def test_the_funnel_goes_from_the_chat_to_who_came_back(story):
    chat(story)
    captured = Capture.objects.create(conversation=chat(story))
    CapturedContact.objects.create(capture=captured, kind="phone", value_encrypted=b"x", value_index=b"x", last4="1")
    Capture.objects.create(conversation=chat(story), booking_at=story.at(9))
    undecided, accepted, _refused, deposit, _none = story.visits
    chat(story, patient=undecided.patient)
    chat(story, patient=accepted.patient)
    chat(story, patient=deposit.patient)
    chat(story, patient=accepted.patient, is_error=True)
    story.visit_again(accepted, story.at(20))
    plan(undecided, 4000)
    found = funnel.count(scope_of(story), OCTOBER)
    assert [step.n for step in found.steps] == [6, 5, 4, 3, 3, 3, 2, 1]
    assert (found.cost, found.planned, found.accepted) == (Decimal(900), Decimal(7900), Decimal(16000))


def test_a_refund_of_a_visit_entered_in_error_is_no_leak(story):
    wrong = story.visits[1]
    facts = {"reason": "不做了", "by": story.manager, "at": story.at(20), "visit": wrong}
    Refund.objects.create(clinic=story.clinic, consultation=wrong.consultation, amount=3000, **facts)
    Visit.objects.filter(pk=wrong.pk).update(is_error=True)
    assert {leak.code: leak.n for leak in leaks.count(scope_of(story), OCTOBER)}["refunds"] == 0


def test_a_full_refund_takes_an_acceptance_back_from_the_funnel(story):
    accepted = story.visits[1]
    chat(story, patient=accepted.patient)
    facts = {"amount": 8000, "is_full": True, "reason": "不做了", "by": story.manager}
    Refund.objects.create(clinic=story.clinic, consultation=accepted.consultation, **facts)
    assert funnel.count(scope_of(story), OCTOBER).won.n == 0


def test_without_conversations_the_panel_says_so(story):
    assert funnel.count(scope_of(story), OCTOBER).total == 0
    from tests.metrics.etiquette import signed_in

    shown = signed_in(story.manager).get("/kpis/panels/funnel/?window=month&day=2026-10-01")
    assert "还没有导入对话" in shown.content.decode()


def test_each_number_of_a_panel_opens_as_many_records(story):
    patient = PatientFactory(clinic=story.clinic)
    change(story, patient, "", "C-E", 1, month=8)
    change(story, patient, "C-E", "C-A", 20, month=8)
    chat(story, patient=story.visits[1].patient)
    chat(story)
    scope = scope_of(story)
    matrix, steps = moves.count(scope, OCTOBER), funnel.count(scope, OCTOBER).steps
    told = {("matrix", part): n for part, n in moved(matrix).items()}
    told |= {("matrix", "up"): matrix.ups, ("matrix", "same"): matrix.same}
    told |= {("funnel", step.code): step.n for step in steps}
    told |= {("funnel", f"not:{step.code}"): step.gone for step in steps[1:]}
    told |= {("leaks", leak.code): leak.n for leak in leaks.count(scope, OCTOBER)}
    told |= {("absences", r.part): r.total for r in absences.count(scope, OCTOBER).reasons}
    for span in cohort.count(scope, OCTOBER):
        told |= {("cohort", f"{span.days}:reached"): span.reached, ("cohort", f"{span.days}:all"): span.n}
    for (slug, part), n in told.items():
        rows = PANELS[slug].records(scope, OCTOBER, part)
        assert rows is not None
        assert rows.count() == n, (slug, part)


NARROW = {
    "coordinator": (lambda story: {"coordinators": (story.one.pk,)}, lambda story: {"coordinators": (story.two.pk,)}),
    "team": (
        lambda story: {"teams": tuple(Membership.objects.filter(user=story.one).values_list("team", flat=True))},
        lambda story: {"teams": (10**9,)},
    ),
    "doctor": (lambda story: {"doctors": (story.doctor.pk,)}, lambda story: {"doctors": (10**9,)}),
    "channel": (lambda story: {"channels": ("online",)}, lambda story: {"channels": ("walk_in",)}),
    "complaint": (lambda story: {"complaints": ("implant",)}, lambda story: {"complaints": ("filling",)}),
    "visits": (lambda story: {"is_first": True}, lambda story: {"is_first": False}),
}


@pytest.mark.parametrize("name", NARROW)
def test_every_filter_narrows_every_panel(story, name):
    visit = story.visits[0]
    patient = visit.patient
    Registration.objects.filter(patient=patient).update(channel="online")
    Visit.objects.filter(patient=patient).update(doctor=story.doctor, is_first=True)
    chat(story, patient=patient)
    entered = ClassChangeFactory(
        clinic=story.clinic, patient=patient, old_class="", new_class="C-E", at=story.at(5, 11), by=story.one
    )
    Visit.objects.filter(pk=visit.pk).update(classification=entered)
    facts = {"reason": "不做了", "by": story.manager, "at": story.at(20)}
    Refund.objects.create(clinic=story.clinic, consultation=visit.consultation, amount=3000, **facts)
    case = {"category": "waiting", "source": "phone", "what": "等了很久", "number": "C2", "cost": 100}
    about = story.doctor if name == "doctor" else story.one
    times = {"received_at": story.at(6), "due_at": story.at(7)}
    ComplaintCase.objects.create(clinic=story.clinic, patient=patient, about=about, **case, **times)
    missed = {"status": "no_show", "starts_at": story.at(25), "created_by": story.one, "doctor": story.doctor}
    kind = {"kind": "first", "absence_reason": "weather", "absence_side": "chance"}
    AppointmentFactory(clinic=story.clinic, patient=patient, **missed, **kind)
    meeting, missing = (scope_of(story, **make(story)) for make in NARROW[name])
    december = Window.of("month", date(2026, 12, 1))

    def found(scope: Scope) -> dict[str, int]:
        lost = {leak.code: leak.n for leak in leaks.count(scope, OCTOBER)}
        return {
            "funnel": funnel.count(scope, OCTOBER).total,
            "cohort": cohort.count(scope, december)[0].n,
            "absences": sum(r.no_shows for r in absences.count(scope, OCTOBER).reasons),
            **{code: lost[code] for code in ("refunds", "no_shows", "complaints")},
        }

    with time_machine.travel(story.at(31, month=12), tick=False):
        assert all(found(meeting).values()), found(meeting)
        assert not any(found(missing).values()), found(missing)


def test_acceptances_of_the_cohort_open_and_end_with_a_full_refund(story):
    accepted = story.visits[1]
    change(story, accepted.patient, "", "C-E", 1)
    with time_machine.travel(story.at(20, month=11), tick=False):
        assert [row.pk for row in cohort.records(scope_of(story), Window.of("year", OCTOBER.start), "30:accepted")] == [
            accepted.patient_id
        ]
        facts = {"amount": 8000, "is_full": True, "reason": "不做了", "by": story.manager}
        Refund.objects.create(clinic=story.clinic, consultation=accepted.consultation, **facts)
        assert not cohort.records(scope_of(story), Window.of("year", OCTOBER.start), "30:accepted")


@pytest.mark.parametrize("slug", PANELS)
def test_panels_count_nobody_for_nobody_and_all_narrowed_scopes(story, slug):
    for more in ({"coordinators": ()}, {"teams": ()}, {"coordinators": (story.one.pk,), "channels": ("online",)}):
        PANELS[slug].count(scope_of(story, **more), OCTOBER)
    assert Consultation.objects.exists()
    assert Appointment.objects.exists()
