"""While a colleague is away, what comes due by itself goes to who stands in, and to nobody else."""

from datetime import datetime, timedelta
from typing import Any

import pytest
from django.db import IntegrityError, connection, transaction
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from accounts.models import Membership, User
from accounts.permissions import Role
from followups.errors import Refused
from followups.models import PlaybookRun, StandIn, Task
from followups.services.builtin import ensure_builtin_playbooks, playbook_for
from followups.services.generation import generate_due
from followups.services.handing_over import hand_over, takers, undo_hand_over
from followups.services.standing_in import end_stand_in, on_duty, stand_in
from followups.services.tasks import create_task, owner_of
from tests.factories import ClinicFactory, MembershipFactory, PatientFactory, TaskFactory, UserFactory

pytestmark = pytest.mark.django_db


class Desk:
    def __init__(self) -> None:
        self.clinic = ClinicFactory()
        self.manager = UserFactory(clinic=self.clinic, role=Role.MANAGER)
        self.away, self.there, self.third = (UserFactory(clinic=self.clinic) for _ in range(3))
        self.today = self.clinic.today()

    def set(self, days: int = 3, **more: Any) -> StandIn:
        facts = {"away": self.away, "to": self.there, "batch": "b", "reason": "病假", "by": self.manager} | more
        return stand_in(clinic=self.clinic, until=self.today + timedelta(days=days), **facts)

    def noon(self, days: int) -> datetime:
        return self.clinic.day_bounds(self.today + timedelta(days=days))[0] + timedelta(hours=12)

    def made(self, days: int, *, key: str | None) -> User | None:
        patient = PatientFactory(clinic=self.clinic)
        task = create_task(
            clinic=self.clinic, patient=patient, kind="keep_in_touch", title="问候", due_at=self.noon(days),
            owner=self.away, by=None, dedupe_key=key,
        )  # fmt: skip
        assert task is not None
        return task.owner


@pytest.fixture
def desk() -> Desk:
    return Desk()


def test_what_comes_due_through_the_last_day_goes_to_who_stands_in(desk: Desk) -> None:
    desk.set(days=3)
    assert [desk.made(days, key=f"k{days}") for days in (0, 3, 4)] == [desk.there, desk.there, desk.away]


def test_who_makes_a_task_by_hand_chooses_whom(desk: Desk) -> None:
    desk.set()
    assert desk.made(1, key=None) == desk.away


def test_the_last_day_ends_at_midnight_in_the_clinics_zone(desk: Desk) -> None:
    row = desk.set(days=1)
    end = desk.clinic.day_bounds(desk.today + timedelta(days=1))[1]
    before, after = end - timedelta(seconds=1), end
    assert row.last_day == desk.today + timedelta(days=1)
    assert on_duty(clinic=desk.clinic, owner=desk.away, due_at=before) == desk.there
    assert on_duty(clinic=desk.clinic, owner=desk.away, due_at=after) == desk.away


def test_the_tasks_of_a_playbook_are_shared_by_their_days_in_the_same_statements(desk: Desk) -> None:
    ensure_builtin_playbooks(desk.clinic)
    now = timezone.now()

    def generated(owner: User) -> tuple[int, set[tuple[int, bool]]]:
        patient = PatientFactory(clinic=desk.clinic, class_code="C-E")
        PlaybookRun.objects.create(
            clinic=desk.clinic, patient=patient, playbook=playbook_for(desk.clinic, "C-E"), owner=owner,
            left_at=now, started_at=now, generate_at=now,
        )  # fmt: skip
        with CaptureQueriesContext(connection) as asked:
            generate_due(now=now, limit=10)
        rows = Task.objects.filter(patient=patient).exclude(owner=None)
        ends_at = desk.clinic.day_bounds(desk.today + timedelta(days=3))[1]
        return len(asked), {(row.owner_id or 0, row.due_at < ends_at) for row in rows}

    desk.set(days=3)
    few, mine = generated(desk.third)
    more, theirs = generated(desk.away)
    assert {owner for owner, _early in mine} == {desk.third.pk}
    assert theirs == {(desk.there.pk, True), (desk.away.pk, False)}
    assert more == few


def test_what_comes_due_for_somebody_who_left_the_clinic_is_for_all_of_their_role(desk: Desk) -> None:
    """They work in another clinic still: the account is open, but nobody here sees what is theirs."""
    ensure_builtin_playbooks(desk.clinic)
    now, patient = timezone.now(), PatientFactory(clinic=desk.clinic, class_code="C-E", reg_owner=desk.away)
    PlaybookRun.objects.create(
        clinic=desk.clinic, patient=patient, playbook=playbook_for(desk.clinic, "C-E"), owner=desk.away,
        left_at=now, started_at=now, generate_at=now,
    )  # fmt: skip
    old = TaskFactory(clinic=desk.clinic, patient=patient, owner=desk.away)
    assert owner_of(desk.clinic, patient) == desk.away
    MembershipFactory(user=desk.away, clinic=ClinicFactory(), role=Role.COORDINATOR)
    Membership.objects.filter(user=desk.away, clinic=desk.clinic).update(is_active=False)
    assert owner_of(desk.clinic, patient) is None
    generate_due(now=now, limit=10)
    made = Task.objects.filter(patient=patient).exclude(pk=old.pk)
    assert made.exists()
    assert not made.exclude(owner=None).exists()
    assert desk.away not in takers(desk.clinic, desk.away)
    hand_over(clinic=desk.clinic, away=desk.away, to=None, reason="离职", by=desk.manager)
    old.refresh_from_db()
    assert old.owner in {desk.there, desk.third}


def test_another_clinic_and_a_stand_in_who_left_do_not_count(desk: Desk) -> None:
    desk.set()
    assert on_duty(clinic=ClinicFactory(), owner=desk.away, due_at=desk.noon(1)) == desk.away
    User.objects.filter(pk=desk.there.pk).update(is_active=False)
    assert desk.made(1, key="k") == desk.away


def test_a_later_choice_takes_the_earlier_ones_place(desk: Desk) -> None:
    first = desk.set()
    desk.set(to=desk.third)
    first.refresh_from_db()
    assert first.ended_by == desk.manager
    assert desk.made(1, key="k") == desk.third


def test_who_goes_away_too_passes_on_whom_they_stood_in_for(desk: Desk) -> None:
    desk.set()
    with pytest.raises(Refused):
        desk.set(away=desk.third, to=desk.away)
    desk.set(away=desk.there, to=desk.third)
    assert desk.made(1, key="k") == desk.third


def test_a_day_that_has_passed_is_refused_and_today_is_not(desk: Desk) -> None:
    with pytest.raises(Refused) as refused:
        desk.set(days=-1)
    assert refused.value.field == "until"
    assert desk.set(days=0).last_day == desk.today


def test_nobody_stands_in_for_themselves_or_twice(desk: Desk) -> None:
    row = desk.set()
    facts = {"clinic": desk.clinic, "ends_at": row.ends_at, "batch": "c", "reason": "x"}
    for pair in ({"away": desk.away, "to": desk.third}, {"away": desk.third, "to": desk.third}):
        with pytest.raises(IntegrityError), transaction.atomic():
            StandIn.objects.create(**facts, **pair)


def test_ending_it_early_gives_what_comes_later_back(desk: Desk) -> None:
    row = desk.set()
    assert end_stand_in(row=row, by=desk.manager)
    assert not end_stand_in(row=row, by=desk.manager)
    assert desk.made(1, key="k") == desk.away


def test_handing_over_until_a_day_needs_one_colleague_and_no_task(desk: Desk) -> None:
    facts = {"clinic": desk.clinic, "away": desk.away, "reason": "休假", "by": desk.manager}
    with pytest.raises(Refused):
        hand_over(to=None, until=desk.today, **facts)
    made = hand_over(to=desk.there, until=desk.today + timedelta(days=7), **facts)
    assert made.total == 0
    assert desk.made(2, key="k1") == desk.there
    undo_hand_over(clinic=desk.clinic, batch=made.batch, by=desk.manager)
    assert desk.made(2, key="k2") == desk.away


def test_the_page_takes_a_day_and_lets_one_end_it(desk: Desk, client: Client) -> None:
    client.force_login(desk.manager, backend="allauth.account.auth_backends.AuthenticationBackend")
    TaskFactory(clinic=desk.clinic, owner=desk.away)
    until = desk.today + timedelta(days=5)
    given = {"away": desk.away.pk, "to": desk.there.pk, "until": f"{until:%Y-%m-%d}", "reason": "病假"}
    assert client.post("/tasks/hand-over/", given | {"until": "2020-01-01"}).status_code == 422
    assert client.post("/tasks/hand-over/", given | {"to": ""}).status_code == 422
    assert client.post("/tasks/hand-over/", given).status_code == 302
    assert Task.objects.get().owner == desk.there
    row = StandIn.objects.get()
    page = client.get("/tasks/hand-over/").content.decode()
    assert f"/tasks/stand-in/{row.pk}/end/" in page
    assert client.post(f"/tasks/stand-in/{row.pk}/end/").status_code == 302
    assert not StandIn.objects.standing().exists()
    client.force_login(desk.there, backend="allauth.account.auth_backends.AuthenticationBackend")
    assert client.post(f"/tasks/stand-in/{row.pk}/end/").status_code == 403
