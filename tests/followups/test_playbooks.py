"""Playbooks: what a class starts, what ends it, and the tasks in between."""

import re
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import time_machine

from followups.errors import Refused
from followups.models import Appointment, Playbook, PlaybookRun, Task, TaskKind
from followups.playbook_sets import BUILTIN
from followups.services import after, booking, playbooks
from followups.services.builtin import draft_of, ensure_builtin_playbooks, playbook_for, restore_builtin, save_playbook
from followups.services.classes import set_class
from followups.services.consents_said import consents_said
from followups.services.generation import sweep_playbooks
from patients.models import Patient
from patients.services import classify
from tests.factories import AppointmentFactory, ClinicFactory, PatientFactory, TaskFactory, UserFactory

NOW = datetime.fromisoformat("2026-11-18T10:42:00+08:00")
Closed = Task.Closed


class Desk:
    def __init__(self) -> None:
        self.clinic = ClinicFactory()
        self.tc = UserFactory(clinic=self.clinic)
        self.patient: Patient = PatientFactory(clinic=self.clinic, reg_owner=self.tc)

    def set(self, code: str, **more: Any) -> PlaybookRun | None:
        given = {"patient": self.patient, "clinic": self.clinic, "awareness": 2, "trust": 2, "by": self.tc}
        change = set_class(code=code, **(given | more))
        return PlaybookRun.objects.filter(class_change=change).first()

    def leave(self, plan: str = "") -> None:
        playbooks.left(clinic=self.clinic, patient=self.patient, at=NOW, by=self.tc, plan=plan)

    def open(self) -> Any:
        return Task.objects.filter(patient=self.patient, status="open")

    def book(self, days: int = 7, **more: Any) -> Appointment:
        starts = NOW + timedelta(days=days)
        given = {"clinic": self.clinic, "patient": self.patient, "starts_at": starts, "kind": "recheck"}
        appointment = AppointmentFactory(**(given | more))
        after.booked(appointment, by=self.tc)
        return appointment

    def end(self, appointment: Appointment, status: str) -> None:
        Appointment.objects.filter(pk=appointment.pk).update(
            status=status, holds_slot=status in ("booked", "no_show", "kept")
        )
        appointment.refresh_from_db()


@pytest.fixture
def desk(db: None) -> Iterator[Desk]:
    with time_machine.travel(NOW, tick=False):
        yield Desk()


def test_setting_a_class_starts_its_playbook_and_leaving_dates_the_steps(desk: Desk) -> None:
    run = desk.set("C-E")
    assert run is not None
    assert (run.playbook.class_code, run.owner) == ("C-E", desk.tc)
    assert not desk.open().exists()
    desk.leave()
    dues = dict(desk.open().values_list("title", "due_at"))
    assert dues["首次问候"] == datetime.fromisoformat("2026-11-19T16:30:00+08:00")
    assert dues["刷牙指导后第 7 天"] == datetime.fromisoformat("2026-11-25T14:00:00+08:00")
    assert set(desk.open().values_list("owner", flat=True)) == {desk.tc.pk}
    run.refresh_from_db()
    assert run.generate_at == datetime.fromisoformat("2026-11-25T15:00:00+08:00")  # two weeks before day 21


def test_another_class_closes_the_former_steps_with_the_reason(desk: Desk) -> None:
    first = desk.set("C-E")
    desk.leave()
    desk.set("C-C")
    assert first is not None
    first.refresh_from_db()
    assert first.end_reason == "class_changed"
    assert set(Task.objects.filter(run=first).values_list("closed_reason", flat=True)) == {Closed.CLASS_CHANGED}
    assert PlaybookRun.objects.filter(patient=desk.patient, ended_at=None).count() == 1


def test_the_same_class_again_does_not_restart(desk: Desk) -> None:
    desk.set("C-E")
    desk.leave()
    before = set(desk.open().values_list("pk", flat=True))
    assert desk.set("C-E", is_correction=True) is None
    assert desk.set("C-E") is None
    assert set(desk.open().values_list("pk", flat=True)) == before


def test_a_plan_taken_home_is_asked_about_on_its_days(desk: Desk) -> None:
    desk.set("C-C")
    desk.leave(plan="前牙修复方案")
    found = desk.open().filter(kind=TaskKind.PLAN_SENT).order_by("due_at").values_list("title", flat=True)
    assert list(found) == [f"前牙修复方案，第 {n} 天" for n in (3, 7)]  # day 14 lies beyond the horizon yet


@pytest.mark.parametrize(
    ("decision", "reason"), [("accepted", "accepted"), ("deposit", "accepted"), ("refused", "refused")]
)
def test_a_decision_ends_the_playbook_and_closes_its_tasks(desk: Desk, decision: str, reason: str) -> None:
    run = desk.set("C-D")
    desk.leave()
    playbooks.decided(clinic=desk.clinic, patient=desk.patient, decision=decision, by=desk.tc)
    assert run is not None
    run.refresh_from_db()
    assert run.end_reason == reason
    assert not desk.open().exists()
    assert set(Task.objects.values_list("closed_reason", flat=True)) == {reason}


def test_an_undecided_one_goes_on(desk: Desk) -> None:
    desk.set("C-D")
    desk.leave()
    playbooks.decided(clinic=desk.clinic, patient=desk.patient, decision="undecided", by=desk.tc)
    assert desk.open().exists()


def test_withdrawn_contact_consent_closes_everything_and_starts_nothing(desk: Desk) -> None:
    desk.set("C-E")
    desk.leave()
    consents_said(patient=desk.patient, clinic=desk.clinic, purpose="contact", given=False, by=desk.tc)
    assert not desk.open().exists()
    assert desk.set("C-D") is None
    assert not desk.open().exists()


def test_withdrawn_marketing_closes_only_the_advertising(desk: Desk) -> None:
    for purpose in ("contact", "marketing"):
        consents_said(patient=desk.patient, clinic=desk.clinic, purpose=purpose, given=True, by=desk.tc)
    advert = TaskFactory(clinic=desk.clinic, patient=desk.patient, nature="marketing")
    kept = TaskFactory(clinic=desk.clinic, patient=desk.patient)
    consents_said(patient=desk.patient, clinic=desk.clinic, purpose="marketing", given=False, by=desk.tc)
    advert.refresh_from_db(), kept.refresh_from_db()
    assert (advert.closed_reason, kept.status) == (Closed.CONSENT, "open")


def test_booking_closes_the_wish_for_it_also_one_made_by_hand(desk: Desk) -> None:
    desk.set("C-E")
    desk.leave()
    by_hand = TaskFactory(clinic=desk.clinic, patient=desk.patient, kind=TaskKind.BOOK_RECHECK)
    desk.book()
    by_hand.refresh_from_db()
    assert by_hand.closed_reason == Closed.BOOKED
    assert not desk.open().filter(kind=TaskKind.BOOK_RECHECK).exists()
    assert desk.open().filter(kind=TaskKind.CONFIRM).count() == 1


def test_cancelling_brings_the_wish_back_once_and_restoring_takes_it_away(desk: Desk) -> None:
    desk.set("C-E")
    appointment = desk.book()
    for _n in range(2):
        desk.end(appointment, "cancelled_patient")
        after.freed(appointment, by=desk.tc)
        assert desk.open().filter(kind=TaskKind.BOOK_RECHECK).count() == 1
        assert not desk.open().filter(kind=TaskKind.CONFIRM).exists()
        desk.end(appointment, "booked")
        after.booked(appointment, by=desk.tc)
        assert not desk.open().filter(kind=TaskKind.BOOK_RECHECK).exists()
        assert desk.open().filter(kind=TaskKind.CONFIRM).count() == 1
    assert Task.objects.filter(kind=TaskKind.BOOK_RECHECK).count() == 1


def test_a_booking_undone_opens_what_it_had_closed(desk: Desk) -> None:
    wish = TaskFactory(clinic=desk.clinic, patient=desk.patient, kind=TaskKind.BOOK_RECHECK)
    appointment = desk.book()
    desk.end(appointment, "error")
    after.freed(appointment, by=desk.tc)
    wish.refresh_from_db()
    assert wish.status == "open"


def test_who_stays_away_is_asked_why_with_or_without_a_class(desk: Desk) -> None:
    appointment = desk.book(days=1)
    with time_machine.travel(NOW + timedelta(days=1, hours=2), tick=False):
        desk.end(appointment, "no_show")
        after.missed(appointment, by=None)
        after.missed(appointment, by=None)
    task = desk.open().get(kind=TaskKind.NO_SHOW)
    assert (task.owner, task.appointment) == (desk.tc, appointment)


def test_confirming_ends_the_call_that_was_to_ask(desk: Desk) -> None:
    appointment = desk.book()
    booking.confirm(appointment=appointment, by=desk.tc)
    assert not desk.open().filter(kind=TaskKind.CONFIRM).exists()


def test_coming_closes_what_was_to_bring_the_patient(desk: Desk) -> None:
    appointment = desk.book(days=1)
    desk.end(appointment, "kept")
    after.kept(appointment, by=desk.tc)
    assert set(Task.objects.values_list("closed_reason", flat=True)) == {Closed.RECEIVED}


def test_a_complaint_lets_the_playbook_rest_and_is_asked_about_after(desk: Desk) -> None:
    desk.set("C-E")
    playbooks.complaint_opened(clinic=desk.clinic, patient=desk.patient)
    desk.leave()
    assert not desk.open().exists()
    for _n in range(2):
        playbooks.complaint_closed(clinic=desk.clinic, patient=desk.patient, at=NOW, by=desk.tc, number=1)
    assert desk.open().filter(kind=TaskKind.COMPLAINT).count() == 1


def test_the_builtin_playbooks_are_put_there_once(desk: Desk) -> None:
    ensure_builtin_playbooks(desk.clinic)
    ensure_builtin_playbooks(desk.clinic)
    assert Playbook.objects.for_clinic(desk.clinic).count() == len(BUILTIN)


def test_saving_makes_a_version_and_runs_keep_theirs(desk: Desk) -> None:
    run = desk.set("C-E")
    steps = [draft_of(step) for step in playbook_for(desk.clinic, "C-E").steps.all()][:2]
    made = save_playbook(clinic=desk.clinic, code="C-E", steps=steps, version=1, by=desk.tc)
    assert (made.version, made.steps.count()) == (2, 2)
    assert save_playbook(clinic=desk.clinic, code="C-E", steps=steps, version=2, by=desk.tc) == made
    assert run is not None
    run.refresh_from_db()
    assert run.playbook.version == 1
    with pytest.raises(Refused):
        save_playbook(clinic=desk.clinic, code="C-E", steps=[], version=1, by=desk.tc)
    assert restore_builtin(clinic=desk.clinic, code="C-E", version=2, by=desk.tc).steps.count() == len(BUILTIN["C-E"])


def test_the_sweep_starts_what_was_forgotten_once(desk: Desk) -> None:
    given = {"awareness": 2, "trust": 2, "by": desk.tc, "clinic": desk.clinic}
    classify(patient=desk.patient, code="C-E", **given)
    later = NOW + timedelta(days=2)
    with time_machine.travel(later, tick=False):
        assert sweep_playbooks(now=later, limit=10) == 1
        assert sweep_playbooks(now=later, limit=10) == 0
    assert desk.open().filter(title="首次问候").exists()


def test_the_sweep_leaves_those_in_peace_who_have_accepted(desk: Desk) -> None:
    desk.set("C-E")
    desk.set("C-E")  # judged anew the same: no run of its own
    playbooks.decided(clinic=desk.clinic, patient=desk.patient, decision="accepted", by=desk.tc)
    assert sweep_playbooks(now=NOW, limit=10) == 0


def test_nobody_classifies_or_records_consent_past_the_services() -> None:
    """Setting a class or a consent elsewhere would leave its tasks behind."""
    root = Path(__file__).parents[2]
    allowed = {"followups/services/classes.py", "followups/services/consents_said.py"}
    allowed |= {"clinic_crm/workbench/merging.py"}  # moves the playbook of a merged record itself
    for folder in ("accounts", "patients", "followups", "consultations", "clinic_crm"):
        for file in (root / folder).rglob("*.py"):
            name = file.relative_to(root).as_posix()
            if name in allowed or name.startswith("patients/services/"):
                continue
            text = file.read_text(encoding="utf-8")
            assert not re.search(r"(?<!def) classify\(", text), name
            assert "record_consent" not in text, name
