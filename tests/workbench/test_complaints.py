"""Complaints: taken, joined, answered, settled, opened again; who may, and what follows for others."""

import re
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from threading import Barrier
from typing import Any

import pytest
from django.db import connection, connections
from django.utils import timezone

from accounts.permissions import Role
from clinic_crm.workbench.merging import merge_patients, undo_merge
from followups.errors import ComplaintChanged, Refused
from followups.models import Message, PlaybookRun, Task
from followups.services import complaint_acts as acts
from followups.services import playbooks
from followups.services.classes import set_class
from followups.services.complaints import NewComplaint, take
from patients import complaint_rules as rules
from patients.models import ComplaintCase, ComplaintStep
from tests.factories import ClinicFactory, ConversationFactory, PatientFactory, UserFactory, VisitFactory
from tests.guards.routes import signed_in

pytestmark = pytest.mark.django_db
NOON = datetime(2026, 11, 22, 4, tzinfo=UTC)


@pytest.fixture
def clinic():
    return ClinicFactory()


@pytest.fixture
def manager(clinic):
    return UserFactory(clinic=clinic, role=Role.MANAGER)


@pytest.fixture
def desk(clinic):
    return UserFactory(clinic=clinic, role=Role.FRONT_DESK)


@pytest.fixture
def patient(clinic):
    return PatientFactory(clinic=clinic)


def taken(clinic: Any, patient: Any, by: Any, category: str = "waiting", **facts: Any) -> ComplaintCase:
    details = NewComplaint(category=category, what="等了一个小时", source="phone", **facts)
    return take(clinic=clinic, details=details, patient=patient, by=by)


def settle(case: ComplaintCase, by: Any, **facts: Any) -> ComplaintCase:
    case.refresh_from_db()
    return acts.close(case=case, outcome="explained", upheld=True, version=case.version, by=by, **facts)


# --- rules ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(("severity", "hours"), [("high", 4), ("medium", 24), ("low", 72), ("?", 24)])
def test_the_graver_the_sooner_due(severity, hours):
    assert rules.due_at(severity=severity, received_at=NOON) == NOON + timedelta(hours=hours)


@pytest.mark.parametrize(
    ("later", "again"),
    [
        (rules.Said(1, "waiting", NOON + timedelta(days=30)), True),
        (rules.Said(1, "waiting", NOON + timedelta(days=30, seconds=1)), False),
        (rules.Said(1, "price", NOON), False),
        (rules.Said(1, "price", NOON + timedelta(days=90), "visit:7"), True),
        (rules.Said(2, "waiting", NOON, "visit:7"), False),
    ],
)
def test_the_same_patient_and_matter_is_a_repeat(later, again):
    assert rules.is_repeat(rules.Said(1, "waiting", NOON, "visit:7"), later) is again


def test_complaints_of_nobody_known_repeat_nothing():
    assert not rules.is_repeat(rules.Said(None, "waiting", NOON), rules.Said(None, "waiting", NOON))


# --- taking --------------------------------------------------------------------------------------


def test_numbers_count_up_and_the_manager_owns_and_is_told(clinic, patient, desk, manager):
    first, second = taken(clinic, patient, desk), taken(clinic, patient, desk, category="price")
    stamp = clinic.today().strftime("%y%m")
    assert [first.number, second.number] == [f"TS{stamp}-0001", f"TS{stamp}-0002"]
    assert first.owner == manager
    message = Message.objects.get(subject=f"complaint:{first.pk}")
    assert (message.staff, message.purpose) == (manager, "alert")
    assert first.number in message.variables["text"]
    assert patient.name not in message.variables["text"]


def test_who_it_is_about_is_neither_told_nor_owner(clinic, patient, desk, manager):
    other = UserFactory(clinic=clinic, role=Role.MANAGER)
    case = taken(clinic, patient, desk, about=manager)
    assert case.owner == other
    assert {m.staff for m in Message.objects.filter(purpose="alert")} == {other}


def test_a_repeat_is_joined_and_counts_once(clinic, patient, desk, manager):
    first, again = taken(clinic, patient, desk), taken(clinic, patient, desk)
    assert again.joined_to == first
    assert list(ComplaintCase.objects.for_clinic(clinic).cases()) == [first]
    apart = acts.unjoin(case=again, version=again.version, by=manager)
    assert apart.joined_to is None
    assert ComplaintCase.objects.for_clinic(clinic).cases().count() == 2


def test_what_was_settled_is_not_repeated_but_opened_anew(clinic, patient, desk, manager):
    settle(taken(clinic, patient, desk), manager)
    assert taken(clinic, patient, desk).joined_to is None


def test_joining_by_hand_takes_the_repeats_along(clinic, patient, desk, manager):
    first, second = taken(clinic, patient, desk), taken(clinic, patient, desk, category="price")
    again = taken(clinic, patient, desk, category="price")
    acts.join(case=second, to=first, version=second.version, by=manager)
    again.refresh_from_db()
    assert again.joined_to == first
    other = taken(clinic, PatientFactory(clinic=clinic), desk)
    with pytest.raises(Refused):
        acts.join(case=other, to=first, version=other.version, by=manager)


def test_a_complaint_is_taken_from_the_chat_it_arose_from(clinic, patient):
    consultant = UserFactory(clinic=clinic, role=Role.ONLINE_CONSULTANT)
    chat = ConversationFactory(clinic=clinic, consultant=consultant, patient=patient)
    client, take_here = signed_in(consultant), f"/complaints/new/?conversation={chat.pk}"
    assert take_here in client.get(f"/conversations/{chat.pk}/").content.decode()
    form = client.get(take_here).context["form"]
    assert (form.initial["source"], form.initial["about"]) == ("conversation", consultant.pk)
    said = {"category": "attitude", "severity": "low", "source": "conversation", "what": "说话不耐烦"}
    client.post(take_here, said)
    case = ComplaintCase.objects.get()
    assert (case.patient, case.subject, case.source) == (patient, f"conversation:{chat.pk}", "conversation")
    assert f"/conversations/{chat.pk}/" in client.get(f"/complaints/{case.pk}/").content.decode()
    other = UserFactory(clinic=clinic, role=Role.ONLINE_CONSULTANT)
    assert signed_in(other).get(take_here).status_code == 404
    assert signed_in(UserFactory(clinic=clinic, role=Role.NURSE)).get(take_here).status_code == 404


def test_what_a_complaint_cost_is_told_only_to_those_who_settle(clinic, patient, manager):
    nurse = UserFactory(clinic=clinic, role=Role.NURSE)
    case = taken(clinic, patient, nurse)
    settle(case, manager, cost=Decimal(86_427))
    page = f"/complaints/{case.pk}/"
    assert "86,427" in signed_in(manager).get(page).content.decode()
    told = signed_in(nurse).get(page).content.decode()
    assert "86,427" not in told
    assert "86427" not in told


# --- what follows --------------------------------------------------------------------------------


def test_the_playbook_rests_until_the_last_complaint_is_settled(clinic, patient, desk, manager):
    judged = {"awareness": 2, "trust": 2, "code": "C-E", "reason": "新客"}
    set_class(patient=patient, clinic=clinic, by=manager, **judged)
    one, two = taken(clinic, patient, desk), taken(clinic, patient, desk, category="price")
    run = PlaybookRun.objects.get(patient=patient)
    assert run.paused_at is not None
    settle(one, manager)
    run.refresh_from_db()
    assert run.paused_at is not None
    settle(two, manager)
    run.refresh_from_db()
    assert run.paused_at is None


def test_a_playbook_that_starts_while_a_complaint_is_open_rests_from_the_first_day(clinic, patient, desk, manager):
    case = taken(clinic, patient, desk)
    set_class(patient=patient, clinic=clinic, by=manager, awareness=2, trust=2, code="C-E", reason="新客")
    run = PlaybookRun.objects.get(patient=patient)
    playbooks.left(clinic=clinic, patient=patient, at=timezone.now(), by=manager)
    assert run.paused_at is not None
    assert not Task.objects.filter(run=run).exists()
    settle(case, manager)
    run.refresh_from_db()
    assert run.paused_at is None


def test_a_complaint_that_came_by_a_merge_lets_the_playbook_rest_until_the_merge_is_undone(clinic, patient, desk):
    admin = UserFactory(clinic=clinic, role=Role.ADMIN)
    set_class(patient=patient, clinic=clinic, by=admin, awareness=2, trust=2, code="C-E", reason="新客")
    other = PatientFactory(clinic=clinic)
    taken(clinic, other, desk)
    merge = merge_patients(winner=patient, loser=other, clinic=clinic, by=admin)
    assert PlaybookRun.objects.get(patient=patient, ended_at=None).paused_at is not None
    undo_merge(merge=merge, by=admin)
    assert PlaybookRun.objects.get(patient=patient, ended_at=None).paused_at is None


def test_three_days_after_settling_somebody_asks_even_without_a_playbook(clinic, patient, desk, manager):
    case = settle(taken(clinic, patient, desk), manager)
    task = Task.objects.get(patient=patient, kind="complaint")
    assert timezone.localdate(task.due_at, clinic.tz) == clinic.today() + timedelta(days=3)
    acts.reopen(case=case, reason="又来电", version=case.version, by=manager)
    task.refresh_from_db()
    assert task.status == Task.Status.CLOSED
    settle(case, manager)
    assert Task.objects.filter(patient=patient, kind="complaint").open().count() == 1


def test_a_case_without_a_patient_asks_nobody(clinic, manager):
    settle(taken(clinic, None, None), manager)
    assert not Task.objects.exists()


def test_the_first_answer_is_kept_and_severity_moves_the_due_time(clinic, patient, desk, manager):
    case = taken(clinic, patient, desk)
    acts.note(case=case, text="已致电道歉", replied=True, by=manager)
    case.refresh_from_db()
    first = case.first_reply_at
    acts.note(case=case, text="再次致电", replied=True, by=manager)
    changed = acts.change(case=case, owner=manager, severity="high", about=None, version=case.version, by=manager)
    assert changed.due_at == case.received_at + timedelta(hours=4)
    assert changed.first_reply_at == first
    kinds = list(case.steps.order_by("pk").values_list("kind", flat=True))
    assert kinds == ["taken", "replied", "replied", "changed"]


def test_settling_keeps_outcome_cost_and_who(clinic, patient, desk, manager):
    case = settle(taken(clinic, patient, desk), manager, cost=Decimal("120.50"))
    case.refresh_from_db()
    assert (case.outcome, case.is_upheld, case.cost, case.closed_by) == ("explained", True, Decimal("120.50"), manager)


# --- who may -------------------------------------------------------------------------------------


def test_nobody_settles_what_is_about_them(clinic, patient, desk, manager):
    case = taken(clinic, patient, desk, about=manager)
    with pytest.raises(Refused):
        settle(case, manager)
    with pytest.raises(Refused):
        acts.note(case=case, text="没有的事", replied=True, by=manager)


def test_who_sees_which(clinic, patient, desk, manager):
    doctor = UserFactory(clinic=clinic, role=Role.DOCTOR)
    nurse = UserFactory(clinic=clinic, role=Role.NURSE)
    about, general = taken(clinic, patient, desk, about=doctor), taken(clinic, patient, doctor, category="price")
    seen = {who: set(ComplaintCase.objects.visible_to(who)) for who in (doctor, nurse, desk, manager)}
    assert seen == {doctor: {about}, nurse: set(), desk: {about}, manager: {about, general}}
    assert signed_in(doctor).get(f"/complaints/{general.pk}/").status_code == 404
    assert signed_in(doctor).get(f"/complaints/{about.pk}/").status_code == 200
    assert signed_in(doctor).post(f"/complaints/{about.pk}/close/").status_code == 403


# --- pages ---------------------------------------------------------------------------------------


def test_taking_from_a_visit_keeps_whose_and_where(clinic, manager):
    visit = VisitFactory(clinic=clinic)
    said = {"category": "pain", "severity": "high", "what": "很疼", "source": "visit"}
    answer = signed_in(manager).post(f"/complaints/new/?visit={visit.pk}", said)
    case = ComplaintCase.objects.get()
    assert answer["Location"] == f"/complaints/{case.pk}/"
    assert (case.patient, case.subject, case.received_by) == (visit.patient, f"visit:{visit.pk}", manager)


def test_a_form_without_words_is_kept_and_says_so(clinic, manager, patient):
    said = {"category": "pain", "severity": "high", "what": "", "wish": "退款", "source": "phone"}
    answer = signed_in(manager).post(f"/complaints/new/?patient={patient.pk}", said)
    assert answer.status_code == 422
    assert "退款" in answer.content.decode()
    assert not ComplaintCase.objects.exists()


def test_giving_up_leads_back_and_sends_nothing(clinic, manager, patient):
    client = signed_in(manager)
    for asked, back in (("", "/complaints/"), (f"?patient={patient.pk}", f"/patients/{patient.pk}/")):
        page = client.get(f"/complaints/new/{asked}").content.decode()
        assert re.search(rf'<a [^>]*href="{back}"[^>]*>(<[^>]*>)*取消<', page)


def test_settling_a_page_that_has_changed_says_who_was_quicker(clinic, manager, patient, desk):
    case = taken(clinic, patient, desk)
    other = UserFactory(clinic=clinic, role=Role.MANAGER, full_name="何静宜")
    settle(case, other)
    said = {"outcome": "refunded", "upheld": "yes", "cost": "80", "version": "1"}
    answer = signed_in(manager).post(f"/complaints/{case.pk}/close/", said)
    assert answer.status_code == 409
    assert "何静宜" in answer.content.decode()


def test_the_page_settles_and_opens_again(clinic, manager, patient, desk):
    case, client = taken(clinic, patient, desk), signed_in(manager)
    assert client.post(f"/complaints/{case.pk}/close/", {"version": "1"}).status_code == 422
    client.post(f"/complaints/{case.pk}/close/", {"outcome": "apologised", "upheld": "no", "version": "1"})
    case.refresh_from_db()
    assert case.closed_by == manager
    client.post(f"/complaints/{case.pk}/reopen/", {"reason": "又来电", "version": str(case.version)})
    case.refresh_from_db()
    assert case.closed_at is None
    page = client.get(f"/complaints/{case.pk}/").content.decode()
    assert "又来电" in page
    assert f"已重新开启：{case.number}" in page  # said at once, as every deed is


def test_filters_of_the_list(clinic, manager, patient, desk):
    old, client = taken(clinic, patient, desk, severity="high"), signed_in(manager)
    ComplaintCase.objects.filter(pk=old.pk).update(due_at=timezone.now() - timedelta(hours=1))
    new = taken(clinic, patient, desk, category="price")
    done = settle(taken(clinic, patient, desk, category="pain"), manager)
    numbers = {"state=open": {old, new}, "state=overdue": {old}, "state=closed": {done}, "state=all": {old, new, done}}
    numbers |= {"category=price": {new}, "severity=high": {old}, f"owner={manager.pk}": {old, new}, "owner=1": set()}
    for query, expected in numbers.items():
        page = client.get(f"/complaints/?{query}").content.decode()
        assert {case for case in (old, new, done) if f">{case.number}<" in page} == expected, query


def test_the_list_asks_as_often_for_a_thousand_as_for_ten(clinic, manager, patient, django_assert_num_queries):
    client = signed_in(manager)

    def fill(first: int, last: int) -> None:
        now = timezone.now()
        rows = [
            ComplaintCase(
                clinic=clinic, patient=patient, number=f"X{n}", category="waiting", source="phone", what="等",
                due_at=now, received_at=now - timedelta(minutes=n), owner=manager,
            )
            for n in range(first, last)
        ]  # fmt: skip
        ComplaintCase.objects.bulk_create(rows)

    fill(0, 10)
    client.get("/complaints/")
    with connection.execute_wrapper(counting := Counting()):
        client.get("/complaints/")
    fill(10, 1000)
    with connection.execute_wrapper(later := Counting()):
        answer = client.get("/complaints/")
    assert counting.count == later.count <= 12
    seen = 0
    while answer is not None:
        seen += len(answer.context["rows"])
        following = answer.context["next_url"]
        answer = client.get(f"/complaints/{following}") if following else None
    assert seen == 1000


class Counting:
    """Counts statements."""

    def __init__(self) -> None:
        self.count = 0

    def __call__(self, execute: Any, *args: Any) -> Any:
        self.count += 1
        return execute(*args)


# --- at once -------------------------------------------------------------------------------------


def together(*acts_: Any) -> Counter[str]:
    """Run the acts at the same moment, each on a connection of its own; count how they ended."""
    barrier = Barrier(len(acts_))

    def run(act: Any) -> str:
        try:
            connection.ensure_connection()
            barrier.wait(timeout=60)
            act()
        except ComplaintChanged:
            return "told"
        else:
            return "won"
        finally:
            connections.close_all()

    with ThreadPoolExecutor(len(acts_)) as pool:
        return Counter(pool.map(run, acts_))


def race(clinic: Any, patient: Any, manager: Any) -> tuple[Counter[str], ComplaintCase]:
    """One person settles a case while another joins it to an earlier one, and a third settles it too."""
    first, case = taken(clinic, patient, manager), taken(clinic, patient, manager, category="price")
    facts = {"case": case, "version": case.version, "by": manager}
    ended = together(
        lambda: acts.close(outcome="explained", upheld=True, **facts),
        lambda: acts.close(outcome="refunded", upheld=True, **facts),
        lambda: acts.join(to=first, **facts),
    )
    return ended, case


@pytest.mark.django_db(transaction=True)
def test_of_people_who_join_and_settle_at_once_one_wins(clinic, patient, manager):
    ended, case = race(clinic, patient, manager)
    assert ended == {"won": 1, "told": 2}
    case.refresh_from_db()
    assert (case.closed_at is None) != (case.joined_to is None)


@pytest.mark.django_db(transaction=True)
def test_without_the_lock_and_version_more_than_one_would_win(clinic, patient, manager, monkeypatch):
    """The control."""

    def unlocked(case: ComplaintCase, version: int | None = None) -> ComplaintCase:
        found: ComplaintCase = ComplaintCase.objects.select_related("clinic", "patient").get(pk=case.pk)
        return found

    monkeypatch.setattr(acts, "locked", unlocked)
    monkeypatch.setattr(acts, "_open", unlocked)
    ended, case = race(clinic, patient, manager)
    assert ended["won"] > 1
    assert ComplaintStep.objects.filter(complaint=case, kind__in=["closed", "joined"]).count() > 1


@pytest.mark.django_db(transaction=True)
def test_one_complaint_taken_by_two_people_at_once_is_one_case(clinic, patient, manager):
    ended = together(*[lambda: taken(clinic, patient, manager)] * 4)
    assert ended == {"won": 4}
    assert ComplaintCase.objects.cases().count() == 1
    assert ComplaintCase.objects.exclude(joined_to=None).count() == 3


def test_the_managers_board_says_what_is_overdue(clinic, manager, patient, desk):
    taken(clinic, patient, desk)
    assert "state=overdue" not in signed_in(manager).get("/today/").content.decode()
    ComplaintCase.objects.update(due_at=timezone.now() - timedelta(hours=1))
    assert "state=overdue" in signed_in(manager).get("/today/").content.decode()
    assert "state=overdue" not in signed_in(desk).get("/today/").content.decode()
