"""The pages of tasks: the list, the panel, logging, making, handing over, playbooks."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

import pytest
import time_machine
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from accounts.permissions import Role
from followups.models import Contact, Playbook, Task, TaskKind
from followups.services.builtin import ensure_builtin_playbooks
from followups.services.tasks import claim
from tests.factories import AppointmentFactory, ClinicFactory, PatientFactory, TaskFactory, UserFactory

NOW = datetime.fromisoformat("2026-11-18T10:42:00+08:00")
pytestmark = pytest.mark.django_db


class Desk:
    def __init__(self, client: Client) -> None:
        self.client = client
        self.clinic = ClinicFactory()
        self.tc = UserFactory(clinic=self.clinic, full_name="曹素铭")
        self.patient = PatientFactory(clinic=self.clinic, name="林书瑶", phone="19900002267", class_code="C-C")
        client.force_login(self.tc)

    def task(self, **more: Any) -> Task:
        return TaskFactory(**({"clinic": self.clinic, "patient": self.patient, "owner": self.tc} | more))

    def get(self, path: str) -> str:
        answer = self.client.get(path)
        assert answer.status_code == 200
        return answer.content.decode()


@pytest.fixture
def desk(client: Client) -> Iterator[Desk]:
    with time_machine.travel(NOW, tick=False):
        yield Desk(client)


def statements(desk: Desk, path: str) -> int:
    with CaptureQueriesContext(connection) as seen:
        desk.get(path)
    return len(seen)


def test_the_list_groups_what_is_due_and_folds_tomorrow(desk: Desk) -> None:
    desk.task(title="问候一")
    desk.task(title="明天的", due_at=NOW + timedelta(days=1))
    desk.task(title="下周的", due_at=NOW + timedelta(days=7))
    page = desk.get("/tasks/")
    assert "问候一" in page
    assert "明天的" in page
    assert "下周的" not in page


def test_anothers_tasks_show_under_all_only(desk: Desk) -> None:
    desk.task(owner=UserFactory(clinic=desk.clinic), title="别人的")
    assert "别人的" not in desk.get("/tasks/")
    assert "别人的" in desk.get("/tasks/?scope=all")


def test_a_manager_sees_everybodys_first(desk: Desk) -> None:
    desk.task(title="曹素铭的问候")
    desk.client.force_login(UserFactory(clinic=desk.clinic, role=Role.MANAGER))
    assert "曹素铭的问候" in desk.get("/tasks/")
    assert "曹素铭的问候" not in desk.get("/tasks/?scope=mine")


def test_a_doctor_claims_only_what_names_them(desk: Desk) -> None:
    doctor = UserFactory(clinic=desk.clinic, role=Role.DOCTOR)
    other, own = desk.task(), desk.task(kind=TaskKind.RECHECK_PLAN, doctor=doctor)
    desk.client.force_login(doctor)
    assert desk.client.post(f"/tasks/{other.pk}/claim/").status_code == 404
    assert desk.client.post(f"/tasks/{own.pk}/claim/").status_code == 302


def test_filters_narrow_the_list(desk: Desk) -> None:
    desk.task(title="问候一")
    assert "问候一" in desk.get("/tasks/?class=C-C")
    assert "问候一" not in desk.get("/tasks/?class=C-E")
    assert "问候一" not in desk.get("/tasks/?kind=care")


def test_the_number_of_statements_is_the_same_for_ten_and_a_thousand_tasks(desk: Desk) -> None:
    def more(count: int) -> None:
        people = [PatientFactory(clinic=desk.clinic) for _n in range(10)]
        Task.objects.bulk_create(
            Task(clinic=desk.clinic, patient=people[n % 10], owner=desk.tc, kind="other", title="x", due_at=NOW)
            for n in range(count)
        )

    first = desk.task()
    more(10)
    desk.get("/tasks/")
    few, few_open = statements(desk, "/tasks/"), statements(desk, f"/tasks/{first.pk}/")
    more(990)
    assert statements(desk, "/tasks/") == few
    assert statements(desk, f"/tasks/{first.pk}/") == few_open


def test_the_panel_fills_the_words_in_and_masks_the_number(desk: Desk) -> None:
    task = desk.task(script="{surname}{title}您好，我是{tc}。")
    page = desk.get(f"/tasks/{task.pk}/")
    assert "林女士您好，我是曹素铭。" in page
    assert "199****2267" in page
    assert "19900002267" not in page


def test_logging_goes_on_to_the_next_task(desk: Desk) -> None:
    task, other = desk.task(), desk.task(patient=PatientFactory(clinic=desk.clinic))
    answer = desk.client.post(f"/tasks/{task.pk}/log/", {"outcome": "reached", "channel": "phone"})
    assert answer.status_code == 302
    assert answer.url == f"/tasks/{other.pk}/"
    assert Contact.objects.get().by == desk.tc
    assert "undo" in desk.get("/tasks/") or "撤销" in desk.get("/tasks/")


def test_a_refusal_without_reason_keeps_what_was_typed(desk: Desk) -> None:
    answer = desk.client.post(f"/tasks/{desk.task().pk}/log/", {"outcome": "refuses", "channel": "phone", "note": " "})
    assert answer.status_code == 422
    assert not Contact.objects.exists()


@pytest.mark.parametrize("outcome", ["", "nonsense", "x" * 5000])
def test_nonsense_is_refused(desk: Desk, outcome: str) -> None:
    assert desk.client.post(f"/tasks/{desk.task().pk}/log/", {"outcome": outcome}).status_code == 422


def test_somebody_elses_patient_is_not_logged(desk: Desk) -> None:
    task = desk.task()
    claim(task=task, by=UserFactory(clinic=desk.clinic, full_name="张敏"))
    assert "张敏" in desk.get(f"/tasks/{task.pk}/")
    assert desk.client.post(f"/tasks/{task.pk}/claim/", headers={"HX-Request": "true"}).status_code == 409
    assert desk.client.post(f"/tasks/{task.pk}/log/", {"outcome": "reached", "channel": "phone"}).status_code == 409


def test_booked_leads_to_the_booking_page_filled_in(desk: Desk) -> None:
    task = desk.task(kind=TaskKind.BOOK_RECHECK, closed_by="booked")
    told = {"outcome": "will_come", "channel": "phone", "book": "1", "doctor": "7", "slot": "2026-11-21T02:00:00+00:00"}
    answer = desk.client.post(f"/tasks/{task.pk}/log/", told)
    assert answer.url.startswith("/appointments/new/")
    assert "day=2026-11-21&at=10%3A00" in answer.url


@pytest.mark.django_db(transaction=True)  # a test's own transaction would hide that the view opens none
def test_why_a_patient_did_not_come_is_kept_with_the_outcome(desk: Desk) -> None:
    missed = AppointmentFactory(
        clinic=desk.clinic, patient=desk.patient, starts_at=NOW - timedelta(days=1), status="no_show"
    )
    task = desk.task(kind=TaskKind.NO_SHOW, appointment=missed, closed_by="booked")
    told = {"outcome": "call_later", "channel": "phone", "absence_reason": "weather", "absence_side": "chance"}
    assert desk.client.post(f"/tasks/{task.pk}/log/", told).status_code == 302
    missed.refresh_from_db()
    assert (missed.absence_reason, missed.absence_side) == ("weather", "chance")


@pytest.mark.django_db(transaction=True)
def test_a_task_that_is_not_needed_is_closed_by_hand(desk: Desk) -> None:
    task = desk.task()
    assert desk.client.post(f"/tasks/{task.pk}/close/").status_code == 302
    task.refresh_from_db()
    assert (task.status, task.closed_reason) == (Task.Status.CLOSED, Task.Closed.BY_HAND)


def test_undo_takes_the_contact_back(desk: Desk) -> None:
    task = desk.task()
    desk.client.post(f"/tasks/{task.pk}/log/", {"outcome": "reached", "channel": "phone"})
    assert desk.client.post(f"/contacts/{Contact.objects.get().pk}/undo/").status_code == 302
    task.refresh_from_db()
    assert task.status == Task.Status.OPEN


def test_a_task_by_hand_and_a_contact_without_one(desk: Desk) -> None:
    told = {
        "kind": "other", "title": "送资料", "day": "2026-11-20", "at": "10:00", "channel": "wechat", "nature": "service",
        "owner": desk.tc.pk,
    }  # fmt: skip
    assert desk.client.post(f"/tasks/add/?patient={desk.patient.pk}", told).status_code == 302
    assert Task.objects.get().due_at == datetime.fromisoformat("2026-11-20T10:00:00+08:00")
    wrong = told | {"day": "1026-11-20", "script": "{nobody}"}
    assert desk.client.post(f"/tasks/add/?patient={desk.patient.pk}", wrong).status_code == 422
    answer = desk.client.post(f"/patients/{desk.patient.pk}/contact/", {"channel": "wechat", "outcome": "sent"})
    assert answer.status_code == 302
    assert Contact.objects.get().task is None


def test_handing_over_shares_patients_out_and_is_undone(desk: Desk) -> None:
    manager = UserFactory(clinic=desk.clinic, role=Role.MANAGER)
    UserFactory.create_batch(2, clinic=desk.clinic)
    for _n in range(4):
        patient = PatientFactory(clinic=desk.clinic)
        desk.task(patient=patient), desk.task(patient=patient)
    assert desk.client.get("/tasks/hand-over/").status_code == 403
    desk.client.force_login(manager)
    assert desk.client.post("/tasks/hand-over/", {"away": desk.tc.pk}).status_code == 422
    answer = desk.client.post("/tasks/hand-over/", {"away": desk.tc.pk, "reason": "病假"})
    assert answer.status_code == 302
    assert sorted(Task.objects.values_list("owner").distinct().count() for _n in range(1)) == [2]
    assert not Task.objects.filter(owner=desk.tc).exists()
    batch = Task.objects.first().events.get().detail["batch"]
    desk.client.post(f"/tasks/hand-over/{batch}/undo/")
    assert Task.objects.filter(owner=desk.tc).count() == 8


def test_the_patient_page_shows_open_tasks_and_contacts(desk: Desk) -> None:
    desk.task(title="第七天问候")
    desk.client.post(
        f"/patients/{desk.patient.pk}/contact/", {"channel": "wechat", "outcome": "sent", "note": "发了护理图"}
    )
    page = desk.get(f"/patients/{desk.patient.pk}/")
    assert "第七天问候" in page
    assert "发了护理图" in page


def _editor(desk: Desk, code: str, **more: str) -> dict[str, str]:
    given = {
        "version": "1", "total": "1", "s0-title": "问候", "s0-kind": "keep_in_touch", "s0-anchor": "left",
        "s0-offset_days": "1", "s0-owner_role": "coordinator", "s0-channel": "wechat", "s0-nature": "service",
        "s0-closed_by": "contact", "s0-wechat": "{name}您好", "s0-phone": "",
    }  # fmt: skip
    return given | more


def test_the_playbook_editor_saves_a_version_and_refuses_what_is_never(desk: Desk) -> None:
    desk.client.force_login(UserFactory(clinic=desk.clinic, role=Role.MANAGER))
    ensure_builtin_playbooks(desk.clinic)
    assert "C-A" in desk.get("/playbooks/")
    desk.get("/playbooks/C-A/")
    refused = desk.client.post("/playbooks/C-A/", _editor(desk, "C-A", **{"s0-nature": "marketing"}))
    assert refused.status_code == 422
    assert desk.client.post("/playbooks/C-A/", _editor(desk, "C-A", **{"s0-wechat": "{nobody}"})).status_code == 422
    assert desk.client.post("/playbooks/C-A/", _editor(desk, "C-A", add="1")).status_code == 200
    assert desk.client.post("/playbooks/C-A/", _editor(desk, "C-A", move="up 0")).status_code == 200
    assert desk.client.post("/playbooks/C-A/", _editor(desk, "C-A")).status_code == 302
    current = Playbook.objects.get(clinic=desk.clinic, class_code="C-A", is_current=True)
    assert (current.version, current.steps.count()) == (2, 1)
    assert desk.client.post("/playbooks/C-A/restore/", {"version": "2"}).status_code == 302
    assert desk.client.get("/playbooks/C-Z/").status_code == 404


def test_a_coordinator_does_not_edit_playbooks(desk: Desk) -> None:
    assert desk.client.get("/playbooks/").status_code == 403
