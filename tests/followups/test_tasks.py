"""Tasks: made once, claimed by one, logged in a gesture, undone."""

from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from threading import Barrier
from typing import Any

import pytest
import time_machine
from django.db import connection, connections

from accounts.permissions import Role
from followups.errors import Refused, TaskEnded, TaskHeld
from followups.models import Contact, ContactOutcome, PlaybookRun, Task, TaskKind
from followups.services import contacts, tasks
from followups.services.booking import cancel, restore
from followups.services.builtin import playbook_for
from followups.services.consents_said import consents_said
from followups.services.playbooks import end_runs
from followups.services.tasks import claim, create_task
from tests.factories import AppointmentFactory, ClinicFactory, PatientFactory, TaskFactory, UserFactory

NOW = datetime.fromisoformat("2026-11-18T10:42:00+08:00")


class Desk:
    def __init__(self) -> None:
        self.clinic = ClinicFactory()
        self.zhang = UserFactory(clinic=self.clinic, full_name="张敏")
        self.cao = UserFactory(clinic=self.clinic, full_name="曹素铭")
        self.patient = PatientFactory(clinic=self.clinic)

    def task(self, **more: Any) -> Task:
        given = {"clinic": self.clinic, "patient": self.patient, "owner": self.cao}
        return TaskFactory(**(given | more))

    def log(self, task: Task | None, outcome: str, **more: Any) -> Contact:
        given = {"patient": self.patient, "clinic": self.clinic, "channel": "phone", "by": self.cao}
        return contacts.log_contact(task=task, outcome=outcome, **(given | more))


@pytest.fixture
def desk(db: None) -> Iterator[Desk]:
    with time_machine.travel(NOW, tick=False):
        yield Desk()


def test_a_task_with_a_key_is_made_once(desk: Desk) -> None:
    given = {"clinic": desk.clinic, "patient": desk.patient, "kind": "other", "title": "问候", "due_at": NOW}
    assert create_task(**given, by=desk.cao, dedupe_key="x") is not None
    assert create_task(**given, by=desk.cao, dedupe_key="x") is None
    assert Task.objects.count() == 1


def test_claiming_takes_all_tasks_of_the_patient_and_keeps_others_out(desk: Desk) -> None:
    first, second = desk.task(), desk.task(kind=TaskKind.PLAN_SENT)
    claim(task=first, by=desk.zhang)
    with pytest.raises(TaskHeld, match="张敏"):
        claim(task=second, by=desk.cao)
    with pytest.raises(TaskHeld):
        desk.log(second, ContactOutcome.REACHED)
    with pytest.raises(TaskHeld):
        desk.log(None, ContactOutcome.REACHED)


def test_a_claim_runs_out_after_ten_minutes(desk: Desk) -> None:
    task = desk.task()
    claim(task=task, by=desk.zhang)
    with time_machine.travel(NOW + timedelta(minutes=11), tick=False):
        claim(task=task, by=desk.cao)
    task.refresh_from_db()
    assert task.claimed_by == desk.cao


def test_reached_ends_the_task_and_lets_the_others_step_aside(desk: Desk) -> None:
    task, other = desk.task(due_at=NOW), desk.task(due_at=NOW)
    urgent = desk.task(kind=TaskKind.CONFIRM, due_at=NOW)
    desk.log(task, ContactOutcome.REACHED)
    task.refresh_from_db(), other.refresh_from_db(), urgent.refresh_from_db()
    assert task.status == Task.Status.DONE
    assert task.outcome == ContactOutcome.REACHED
    assert other.due_at == NOW + timedelta(days=3)
    assert urgent.due_at == NOW


def test_a_wish_for_an_appointment_comes_back_until_one_stands(desk: Desk) -> None:
    task = desk.task(kind=TaskKind.BOOK_RECHECK, closed_by="booked")
    desk.log(task, ContactOutcome.WILL_COME)
    task.refresh_from_db()
    assert task.status == Task.Status.OPEN
    assert task.due_at == NOW + timedelta(days=3)


def test_no_answer_is_tried_again_inside_the_preferred_hours(desk: Desk) -> None:
    desk.patient.call_from = desk.patient.call_to = None
    type(desk.patient).objects.filter(pk=desk.patient.pk).update(call_from="18:30", call_to="21:00")
    task = desk.task()
    contact = desk.log(task, ContactOutcome.NO_ANSWER)
    task.refresh_from_db()
    assert task.due_at == contact.next_at == datetime.fromisoformat("2026-11-18T18:30:00+08:00")
    assert task.contacts == 1


@pytest.mark.parametrize("outcome", [ContactOutcome.REFUSES, ContactOutcome.NOT_INTERESTED])
def test_a_refusal_needs_its_reason(desk: Desk, outcome: str) -> None:
    with pytest.raises(Refused) as refused:
        desk.log(desk.task(), outcome)
    assert refused.value.field == "note"
    assert not Contact.objects.exists()


def test_refusing_contact_withdraws_consent_and_closes_the_rest(desk: Desk) -> None:
    task, other = desk.task(), desk.task()
    desk.log(task, ContactOutcome.REFUSES, note="不想再接电话")
    other.refresh_from_db()
    assert other.closed_reason == Task.Closed.CONSENT
    assert desk.patient.consents.get().given is False
    with pytest.raises(Refused):
        create_task(clinic=desk.clinic, patient=desk.patient, kind="other", title="x", due_at=NOW, by=desk.cao)


def test_undo_puts_everything_back(desk: Desk) -> None:
    consents_said(patient=desk.patient, clinic=desk.clinic, purpose="contact", given=True, by=desk.cao)
    task, other = desk.task(due_at=NOW), desk.task(due_at=NOW)
    contact = desk.log(task, ContactOutcome.REFUSES, note="误触")
    contacts.undo_contact(contact=contact, by=desk.cao)
    task.refresh_from_db(), other.refresh_from_db()
    assert (task.status, other.status, task.due_at) == ("open", "open", NOW)
    assert desk.patient.consents.order_by("-id").first().given is True
    with pytest.raises(Refused):
        contacts.undo_contact(contact=contact, by=desk.cao)


def test_undo_restores_the_due_time(desk: Desk) -> None:
    task = desk.task(due_at=NOW - timedelta(days=1))
    contact = desk.log(task, ContactOutcome.NO_ANSWER)
    contacts.undo_contact(contact=contact, by=desk.cao)
    task.refresh_from_db()
    assert task.due_at == NOW - timedelta(days=1)


def test_undo_leaves_alone_what_a_colleague_did_to_the_patients_other_tasks_meanwhile(desk: Desk) -> None:
    task, other, third = (desk.task(due_at=NOW) for _ in range(3))
    contact = desk.log(task, ContactOutcome.REACHED)
    next_at = NOW + timedelta(days=6)
    desk.log(other, ContactOutcome.NO_ANSWER, by=desk.zhang, next_at=next_at)
    contacts.undo_contact(contact=contact, by=desk.cao)
    task.refresh_from_db(), other.refresh_from_db(), third.refresh_from_db()
    assert (task.status, other.due_at, third.due_at) == ("open", next_at, NOW)


def test_undo_of_a_contact_does_not_take_back_how_the_patient_decided_meanwhile(desk: Desk) -> None:
    run = PlaybookRun.objects.create(
        clinic=desk.clinic,
        patient=desk.patient,
        playbook=playbook_for(desk.clinic, "C-E"),
        owner=desk.cao,
        started_at=NOW - timedelta(days=3),
    )
    contact = desk.log(desk.task(), ContactOutcome.REACHED)
    with time_machine.travel(NOW + timedelta(minutes=5), tick=False):
        end_runs(patient=desk.patient, clinic=desk.clinic, reason="refused", by=desk.zhang)
        contacts.undo_contact(contact=contact, by=desk.cao)
    run.refresh_from_db()
    assert run.end_reason == "refused"


def test_undo_of_will_come_has_the_appointment_confirmed_anew(desk: Desk) -> None:
    start = NOW + timedelta(days=1)
    soon = AppointmentFactory(
        clinic=desk.clinic, patient=desk.patient, starts_at=start, ends_at=start + timedelta(minutes=30)
    )
    task = desk.task(kind=TaskKind.CONFIRM, appointment=soon)
    contact = desk.log(task, ContactOutcome.WILL_COME)
    soon.refresh_from_db()
    assert soon.status == "confirmed"
    contacts.undo_contact(contact=contact, by=desk.cao)
    soon.refresh_from_db(), task.refresh_from_db()
    assert (soon.status, task.status) == ("booked", "open")


def test_a_no_show_taken_back_asks_nobody_why(desk: Desk) -> None:
    start = NOW - timedelta(hours=1)
    row = AppointmentFactory(
        clinic=desk.clinic, patient=desk.patient, starts_at=start, ends_at=start + timedelta(minutes=30)
    )
    missed = cancel(appointment=row, outcome="no_show", absence_reason="weather", by=desk.cao)
    asks = Task.objects.open().filter(appointment=row, kind=TaskKind.NO_SHOW)
    assert asks.exists()
    restored = restore(appointment=missed, by=desk.cao)
    assert not asks.exists()
    cancel(appointment=restored, outcome="no_show", absence_reason="weather", by=desk.cao)
    assert asks.exists()


def test_only_ones_own_contact_is_undone_and_only_soon(desk: Desk) -> None:
    contact = desk.log(desk.task(), ContactOutcome.REACHED)
    with pytest.raises(Refused):
        contacts.undo_contact(contact=contact, by=desk.zhang)
    with time_machine.travel(NOW + timedelta(minutes=11), tick=False), pytest.raises(Refused):
        contacts.undo_contact(contact=contact, by=desk.cao)


def test_an_ended_task_is_not_logged_again(desk: Desk) -> None:
    task = desk.task()
    desk.log(task, ContactOutcome.REACHED)
    with pytest.raises(TaskEnded):
        desk.log(task, ContactOutcome.REACHED)


class Race:
    """Twelve people who open the same patient's two tasks at one moment."""

    PEOPLE = 12

    def __init__(self) -> None:
        self.desk = Desk()
        self.tasks = [self.desk.task(), self.desk.task()]
        self.people = [UserFactory(clinic=self.desk.clinic) for _ in range(self.PEOPLE)]
        self.barrier = Barrier(self.PEOPLE)

    def _try(self, index: int) -> str:
        try:
            connection.ensure_connection()
            self.barrier.wait()
            claim(task=self.tasks[index % 2], by=self.people[index])
        except TaskHeld:
            return "held"
        else:
            return "mine"
        finally:
            connections.close_all()

    def run(self) -> Counter[str]:
        with ThreadPoolExecutor(self.PEOPLE) as pool:
            return Counter(pool.map(self._try, range(self.PEOPLE)))


@pytest.mark.django_db(transaction=True)
def test_of_many_at_once_one_gets_the_patient() -> None:
    assert Race().run() == {"mine": 1, "held": Race.PEOPLE - 1}


@pytest.mark.django_db(transaction=True)
def test_without_the_lock_several_get_the_patient(monkeypatch: pytest.MonkeyPatch) -> None:
    """The control: with the protection off the same race must go wrong."""
    meet = Barrier(Race.PEOPLE)
    real = tasks.holder_of

    def slow(*args: Any, **kwargs: Any) -> Any:
        found = real(*args, **kwargs)
        meet.wait(timeout=60)
        return found

    monkeypatch.setattr(tasks, "hold_patient", lambda clinic, patient_id: None)
    monkeypatch.setattr(tasks, "holder_of", slow)
    assert Race().run()["mine"] > 1


def test_nurses_get_their_own(desk: Desk) -> None:
    task = desk.task(owner=None, owner_role=Role.NURSE)
    assert task.owner is None
