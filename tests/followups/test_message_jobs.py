"""What runs by itself: once each time, alone where it must be, and late when it is."""

from datetime import timedelta

import pytest
from django.core.files.base import ContentFile
from django.db import connection
from django.test.utils import CaptureQueriesContext

from accounts.permissions import Role
from conversations import tasks
from followups import jobs
from followups.models import JobRun, Message
from metrics.tasks import freeze_months, queue_digests
from patients.models import ImportJob
from tests.factories import ClinicFactory, UserFactory
from tests.followups.messaging import NOON, queued

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _clean(time_machine, monkeypatch):
    time_machine.move_to(NOON, tick=False)
    monkeypatch.setattr(jobs, "_pulse", lambda: None)


def job(name, monkeypatch, act):
    old = jobs.JOBS[name]
    fresh = jobs.Job(name, act, minutes=old.minutes, hour=old.hour, alone=old.alone)
    monkeypatch.setitem(jobs.JOBS, name, fresh)


def test_a_run_leaves_a_heartbeat():
    queued()
    assert jobs.run("send_due") == 1
    run = JobRun.objects.get(name="send_due")
    assert (run.handled, run.finished_at, run.failure) == (1, NOON, "")


def test_a_failing_job_says_how_and_stops_no_other(monkeypatch):
    def fail(now):
        raise ValueError("broken")

    job("generate_due", monkeypatch, fail)
    done = jobs.run_due()
    assert "generate_due" not in done
    assert "retention" in done
    assert JobRun.objects.get(name="generate_due").failure == "ValueError: broken"
    assert JobRun.objects.get(name="generate_due").finished_at is None


def test_daily_jobs_run_once_a_day_from_their_hour_on(monkeypatch):
    runs = []
    job("retention", monkeypatch, lambda now: runs.append(now) or 0)
    for hour in (2, 3, 4, 23):
        jobs.run_due(now=NOON.replace(hour=hour))
    jobs.run_due(now=NOON.replace(hour=3) + timedelta(days=1))
    assert [r.hour for r in runs] == [3, 3]


def test_hourly_jobs_wait_an_hour(monkeypatch):
    runs = []
    job("sweep_playbooks", monkeypatch, lambda now: runs.append(now) or 0)
    for minutes in (0, 30, 59, 60, 61):
        jobs.run_due(now=NOON + timedelta(minutes=minutes))
    assert len(runs) == 2


@pytest.mark.django_db(transaction=True)
def test_a_job_that_somebody_runs_already_is_left_alone(monkeypatch):
    other = connection.copy()
    try:
        with other.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_lock(hashtext('followups.job'), hashtext('retention'))")
        assert jobs.run("retention") is None
    finally:
        other.close()  # whoever dies lets go
    with connection.cursor() as cursor:  # as soon as the server has noticed
        cursor.execute("SELECT pg_advisory_lock(hashtext('followups.job'), hashtext('retention'))")
        cursor.execute("SELECT pg_advisory_unlock(hashtext('followups.job'), hashtext('retention'))")
    assert jobs.run("retention") == 0


@pytest.mark.parametrize(("minutes", "late"), [(5, False), (6, True)])
def test_a_minutely_job_is_late_after_five_periods(minutes, late):
    JobRun.objects.create(name="send_due", finished_at=NOON - timedelta(minutes=minutes))
    assert ("send_due" in jobs.late_jobs()) is late


@pytest.mark.parametrize(("hour", "late"), [(5, False), (6, True)])
def test_a_daily_job_is_late_three_hours_after_its_time(hour, late):
    JobRun.objects.create(name="retention", done_for=NOON.date() - timedelta(days=1))
    assert ("retention" in jobs.late_jobs(now=NOON.replace(hour=hour))) is late


def test_the_banner_knows_nothing_before_a_job_has_run_and_then_what_the_pulse_says(monkeypatch):
    told = {}
    monkeypatch.setattr(jobs, "_pulse_read", (-1e9, {}))
    monkeypatch.setattr(jobs.cache, "get", lambda key: told)
    assert jobs.late_by_pulse() == []
    told["send_due"] = ((NOON - timedelta(minutes=6)).timestamp(), None)
    assert jobs.late_by_pulse() == []  # read a moment ago
    monkeypatch.setattr(jobs, "_pulse_read", (-1e9, {}))
    assert jobs.late_by_pulse() == ["send_due"]


def test_readyz_names_late_jobs_once_the_start_is_over(client, monkeypatch):
    from clinic_crm import health

    assert client.get("/readyz").json()["jobs"] == "ok"
    monkeypatch.setattr(health, "_started", -1e9)
    assert "send_due" in client.get("/readyz").json()["jobs"]
    for name, one in jobs.JOBS.items():
        JobRun.objects.create(name=name, finished_at=NOON, done_for=NOON.date() if one.daily else None)
    assert client.get("/readyz").json()["jobs"] == "ok"


def test_old_import_files_are_deleted_and_their_reports_stay():
    clinic = ClinicFactory()
    old, fresh = (
        ImportJob.objects.create(
            clinic=clinic, created_by=UserFactory(), original_name="a.csv", status="done", report={"rows": 1},
            file=ContentFile(b"x", name="a.csv"), created_at=NOON - timedelta(days=days),
        )
        for days in (31, 29)
    )  # fmt: skip
    path = old.file.path
    assert jobs.run("retention") == 1
    old.refresh_from_db()
    assert (old.file.name, old.report) == ("", {"rows": 1})
    with pytest.raises(FileNotFoundError):
        open(path).close()
    assert jobs.run("retention") == 0
    assert fresh.file.storage.exists(fresh.file.name)


def test_the_digest_goes_to_each_manager_once_a_day():
    from followups.models import Task
    from tests.factories import PatientFactory

    clinic = ClinicFactory()
    UserFactory(clinic=clinic, role=Role.MANAGER)
    patient = PatientFactory(clinic=clinic)
    Task.objects.create(clinic=clinic, patient=patient, kind="other", title="x", due_at=NOON - timedelta(days=1))
    assert jobs.run("overdue_digest") == 1
    assert jobs.run("overdue_digest") == 0
    message = Message.objects.get()
    assert message.variables["count"] == "1"
    jobs.run("send_due")
    message.refresh_from_db()
    assert message.state == "accepted"


def test_the_jobs_of_the_apps_above_are_watched_too(monkeypatch):
    monkeypatch.setattr(jobs, "_polled", {})
    names = {"chat_imports", "reinspections", "forget_deliveries", "freeze_months", "kpi_digest"}
    assert names <= jobs.JOBS.keys()
    assert names <= set(jobs.late_jobs(now=NOON))
    tasks.run_due_chat_imports()
    tasks.run_due_reinspections()
    freeze_months()
    queue_digests()
    jobs.run("forget_deliveries")
    assert not names & set(jobs.late_jobs())
    assert all(jobs.JOBS[name].label for name in names)


def test_a_poll_keeps_its_heartbeat_seldom_unless_it_found_work(monkeypatch):
    monkeypatch.setattr(jobs, "_polled", {})
    found = iter([0, 0, 3])
    job("chat_imports", monkeypatch, lambda now: next(found))
    jobs.poll("chat_imports")
    assert JobRun.objects.get(name="chat_imports").finished_at == NOON
    with CaptureQueriesContext(connection) as asked:
        jobs.poll("chat_imports")
    assert not asked.captured_queries
    jobs.poll("chat_imports")
    assert JobRun.objects.get(name="chat_imports").handled == 3


def test_run_due_leaves_those_with_a_beat_of_their_own_alone():
    done = jobs.run_due(now=NOON)
    assert not {"send_due", "chat_imports", "freeze_months"} & done.keys()
    assert "forget_deliveries" in done
