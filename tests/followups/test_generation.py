"""Tasks that come due by themselves: once, in time, without a flood after a pause."""

from collections.abc import Iterator
from datetime import datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
import time_machine
from django.db import connection
from django.test.utils import CaptureQueriesContext

from followups import playbook_rules, task_rules
from followups.models import Appointment, PlaybookRun, Task, TaskKind
from followups.playbook_rules import StepTimes
from followups.services import appointment_tasks
from followups.services.builtin import ensure_builtin_playbooks, playbook_for
from followups.services.consents_said import consents_said
from followups.services.generation import generate_due, overdue_digest
from tests.factories import AppointmentFactory, ClinicFactory, PatientFactory, TaskFactory, UserFactory

NOW = datetime.fromisoformat("2026-11-18T10:42:00+08:00")
TZ = ZoneInfo("Asia/Shanghai")


@pytest.fixture(autouse=True)
def _at_work() -> Iterator[None]:
    with time_machine.travel(NOW, tick=False):
        yield


def runs(count: int, code: str = "C-E", left: datetime = NOW) -> list[PlaybookRun]:
    clinic = ClinicFactory()
    ensure_builtin_playbooks(clinic)
    playbook = playbook_for(clinic, code)
    people = [PatientFactory(clinic=clinic, class_code=code) for _n in range(count)]
    return [
        PlaybookRun.objects.create(
            clinic=clinic, patient=p, playbook=playbook, left_at=left, started_at=left, generate_at=left
        )
        for p in people
    ]


@pytest.mark.django_db
def test_a_step_far_ahead_becomes_a_task_two_weeks_before_and_once() -> None:
    runs(1)
    first = generate_due(now=NOW, limit=100)
    assert first == 3  # day 1, day 2, day 7
    assert generate_due(now=NOW, limit=100) == 0
    later = NOW + timedelta(days=8)
    assert generate_due(now=later, limit=100) == 1
    assert generate_due(now=later, limit=100) == 0


@pytest.mark.django_db
def test_doing_it_twice_over_the_same_runs_makes_nothing_new() -> None:
    runs(3)
    assert generate_due(now=NOW, limit=100) == 9
    PlaybookRun.objects.update(generate_at=NOW)
    assert generate_due(now=NOW, limit=100) == 0
    assert Task.objects.count() == 9


@pytest.mark.django_db
def test_the_limit_bounds_a_run_of_the_job() -> None:
    runs(5)
    assert generate_due(now=NOW, limit=2) == 6
    assert generate_due(now=NOW, limit=100) == 9


@pytest.mark.django_db
def test_after_a_long_pause_what_is_stale_is_left_out() -> None:
    runs(1, left=NOW - timedelta(days=40))
    generate_due(now=NOW, limit=100)
    assert not Task.objects.filter(due_at__lt=NOW - timedelta(days=7)).exists()
    assert Task.objects.count() == 0  # day 60 is still beyond the horizon


@pytest.mark.django_db
def test_nobody_is_asked_to_book_what_is_booked_already() -> None:
    (run,) = runs(1)
    recheck = AppointmentFactory(clinic=run.clinic, patient=run.patient, starts_at=NOW + timedelta(days=14))
    generate_due(now=NOW, limit=100)
    assert not Task.objects.filter(kind=TaskKind.BOOK_RECHECK).exists()
    Appointment.objects.filter(pk=recheck.pk).update(status=Appointment.Status.ERROR, holds_slot=False)
    recheck.refresh_from_db()
    appointment_tasks.freed(recheck, by=None)
    generate_due(now=NOW, limit=100)
    assert Task.objects.get(kind=TaskKind.BOOK_RECHECK).status == Task.Status.OPEN


@pytest.mark.django_db
def test_repeats_go_on_from_where_they_are() -> None:
    run = runs(1, code="C-A", left=NOW - timedelta(days=200))[0]
    generate_due(now=NOW, limit=100)
    run.refresh_from_db()
    assert run.generate_at == datetime.combine((NOW + timedelta(days=70)).date(), time(18), TZ) - timedelta(days=14)


@pytest.mark.django_db
def test_advertising_needs_a_yes_and_care_only_no_no() -> None:
    run = runs(1, code="C-B", left=NOW - timedelta(days=17))[0]
    generate_due(now=NOW, limit=10)
    assert not Task.objects.filter(nature="marketing").exists()
    for purpose in ("contact", "marketing"):
        consents_said(patient=run.patient, clinic=run.clinic, purpose=purpose, given=True, by=None)
    PlaybookRun.objects.update(generate_at=NOW)
    generate_due(now=NOW, limit=10)
    assert Task.objects.filter(nature="marketing").count() == 1


@pytest.mark.django_db
def test_the_number_of_statements_does_not_grow() -> None:
    def statements() -> int:
        with CaptureQueriesContext(
            connection,
        ) as seen:
            generate_due(now=NOW, limit=1000)
        return len(seen)

    runs(2)
    few = statements()
    runs(40)
    assert statements() == few


@pytest.mark.django_db
def test_the_digest_counts_each_ones_overdue_tasks() -> None:
    clinic = ClinicFactory()
    tc = UserFactory(clinic=clinic)
    TaskFactory.create_batch(2, clinic=clinic, owner=tc)
    TaskFactory(clinic=clinic)
    assert overdue_digest(clinic=clinic, now=NOW) == [(tc, 2), (None, 1)]


def test_a_step_before_an_appointment_whose_time_passed_is_due_now_if_it_must_be_done() -> None:
    starts, times = NOW + timedelta(hours=4), StepTimes(-1, time(12))
    given = {"starts_at": starts, "times": times, "tz": TZ, "now": NOW}
    assert playbook_rules.before_appointment(must=True, **given) == NOW
    assert playbook_rules.before_appointment(must=False, **given) is None


@pytest.mark.parametrize(
    ("now", "start", "end", "again", "no_answer"),
    [
        ("10:42", None, None, "19T10:00", "18T14:50"),
        ("10:42", "18:00", None, "19T18:00", "18T18:00"),
        ("18:00", None, None, "19T10:00", "19T09:00"),
        ("10:42", "22:00", "02:00", "19T22:00", "18T22:00"),
    ],
)
def test_the_next_date_lies_inside_the_patients_hours(
    now: str, start: str | None, end: str | None, again: str, no_answer: str
) -> None:
    at = datetime.fromisoformat(f"2026-11-18T{now}:00+08:00")
    wishes = {"start": start and time.fromisoformat(start), "end": end and time.fromisoformat(end)}
    dates = task_rules.next_dates(now=at, tz=TZ, **wishes)
    assert dates.again == datetime.fromisoformat(f"2026-11-{again}:00+08:00")
    assert dates.no_answer == datetime.fromisoformat(f"2026-11-{no_answer}:00+08:00")


def test_words_are_filled_in_and_parted_by_channel() -> None:
    both = task_rules.join_scripts("{surname}{title}您好", "喂，{name}")
    words = task_rules.scripts_of(both)
    assert task_rules.fill(words["wechat"], {"surname": "林", "title": "女士"}) == "林女士您好"
    assert task_rules.fill(words["phone"], {}) == "喂，{name}"
    assert task_rules.join_scripts("甲", "甲") == "甲"
