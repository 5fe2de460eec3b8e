"""What a class must never get is refused on every path that makes a task, and closed when the class changes."""

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest
import time_machine

from accounts.models import Clinic, User
from accounts.permissions import Role
from followups.errors import Refused
from followups.models import PlaybookRun, PlaybookStep, Task
from followups.never import NEVER
from followups.playbook_sets import BUILTIN
from followups.services.builtin import ensure_builtin_playbooks, playbook_for, save_playbook
from followups.services.classes import set_class
from followups.services.consents_said import consents_said
from followups.services.generation import generate_due
from followups.services.tasks import create_task, reopen_tasks
from patients.models import Patient
from tests.factories import ClinicFactory, PatientFactory, TaskFactory, UserFactory

NOW = datetime.fromisoformat("2026-11-18T10:42:00+08:00")
PAIRS = [(code, nature) for code, natures in NEVER.items() for nature in sorted(natures)]
pytestmark = pytest.mark.django_db


class World:
    def __init__(self, code: str, nature: str) -> None:
        self.code, self.nature = code, nature
        self.clinic: Clinic = ClinicFactory()
        self.by: User = UserFactory(clinic=self.clinic, role=Role.MANAGER)
        self.patient: Patient = PatientFactory(clinic=self.clinic, class_code=code)
        for purpose in ("contact", "marketing"):
            consents_said(patient=self.patient, clinic=self.clinic, purpose=purpose, given=True, by=self.by)
        ensure_builtin_playbooks(self.clinic)


def by_service(world: World) -> None:
    with pytest.raises(Refused):
        create_task(
            clinic=world.clinic, patient=world.patient, kind="activity", title="活动", due_at=NOW, by=world.by,
            nature=world.nature,
        )  # fmt: skip


def by_editor(world: World) -> None:
    steps = [replace(BUILTIN[world.code][0], nature=world.nature)]
    with pytest.raises(Refused):
        save_playbook(clinic=world.clinic, code=world.code, steps=steps, version=1, by=world.by)


def by_generation(world: World) -> None:
    """Even a step that stands in a playbook, by whatever way, makes no task."""
    playbook = playbook_for(world.clinic, world.code)
    PlaybookStep.objects.filter(playbook=playbook).delete()
    PlaybookStep.objects.create(
        playbook=playbook, kind="activity", title="活动", anchor="left", offset_days=1, nature=world.nature
    )
    PlaybookRun.objects.create(
        clinic=world.clinic, patient=world.patient, playbook=playbook, left_at=NOW, generate_at=NOW
    )
    assert generate_due(now=NOW, limit=10) == 0


def by_reopening(world: World) -> None:
    TaskFactory(
        clinic=world.clinic, patient=world.patient, nature=world.nature, status="closed", closed_reason="booked",
        ended_at=NOW,
    )  # fmt: skip
    assert reopen_tasks(Task.objects.all(), by=world.by) == 0


def by_page(world: World, client: Any) -> None:
    client.force_login(world.by)
    answer = client.post(
        f"/tasks/add/?patient={world.patient.pk}",
        {
            "kind": "activity",
            "title": "活动",
            "day": "2026-11-20",
            "at": "10:00",
            "channel": "wechat",
            "nature": world.nature,
        },
    )
    assert answer.status_code == 422


@pytest.mark.parametrize(("code", "nature"), PAIRS)
@pytest.mark.parametrize("path", [by_service, by_editor, by_generation, by_reopening])
def test_no_path_makes_a_forbidden_task(path: Callable[[World], None], code: str, nature: str) -> None:
    with time_machine.travel(NOW, tick=False):
        path(World(code, nature))
        assert not Task.objects.filter(status="open").exists()


@pytest.mark.parametrize(("code", "nature"), PAIRS)
def test_the_page_for_a_task_by_hand_refuses_it(client: Any, code: str, nature: str) -> None:
    with time_machine.travel(NOW, tick=False):
        by_page(World(code, nature), client)
        assert not Task.objects.exists()


@pytest.mark.parametrize(("code", "nature"), PAIRS)
def test_setting_the_class_closes_what_it_forbids(code: str, nature: str) -> None:
    with time_machine.travel(NOW, tick=False):
        world = World("C-E", nature)
        task = TaskFactory(clinic=world.clinic, patient=world.patient, nature=nature, due_at=NOW + timedelta(days=1))
        other = TaskFactory(clinic=world.clinic, patient=world.patient)
        set_class(patient=world.patient, clinic=world.clinic, code=code, awareness=3, trust=3, by=world.by)
        task.refresh_from_db(), other.refresh_from_db()
        assert (task.closed_reason, other.status) == (Task.Closed.NEVER, "open")


def test_the_builtin_playbooks_keep_to_it() -> None:
    for code, steps in BUILTIN.items():
        assert not [step.title for step in steps if step.nature in NEVER.get(code, ())]
