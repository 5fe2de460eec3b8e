"""Imports in the background: claimed under a lease, survived by the next worker, found again."""

import os
import signal
import subprocess
import sys
from datetime import timedelta
from urllib.parse import quote

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.utils import timezone

from patients import tasks
from patients.importing import job_states
from patients.importing.errors import ImportRefused
from patients.importing.jobs import patient_jobs
from patients.models import ImportJob, Patient
from tests.factories import ClinicFactory, UserFactory

pytestmark = pytest.mark.django_db
Status = ImportJob.Status
PEOPLE = "姓名,手机,微信\n张三,19900000001,\n李四,19900000002,\n,19900000003,\n"


@pytest.fixture
def clinic():
    return ClinicFactory()


@pytest.fixture
def person(clinic):
    return UserFactory(clinic=clinic)


def uploaded(clinic, person, text=PEOPLE, name="list.csv"):
    return patient_jobs.upload(clinic=clinic, by=person, file=SimpleUploadedFile(name, text.encode()))


def queued(clinic, person, **kwargs):
    job = uploaded(clinic, person, **kwargs)
    ImportJob.objects.filter(pk=job.pk).update(status=Status.QUEUED)
    job.refresh_from_db()
    return job


def expire(job):
    ImportJob.objects.filter(pk=job.pk).update(leased_until=timezone.now() - timedelta(seconds=1))


def test_from_upload_to_report(clinic, person):
    job = uploaded(clinic, person)
    assert (job.status, job.original_name) == (Status.UPLOADED, "list.csv")
    tasks.run_due_imports()
    job.refresh_from_db()
    assert job.status == Status.UPLOADED  # nothing is due before somebody has seen the columns

    job_states.choose_columns(job=job, sheet="", mapping={"姓名": "name"}, by=person)
    tasks.run_due_imports()
    job.refresh_from_db()
    assert (job.status, job.report["created"], job.rows_total) == (Status.CHECKED, 2, 3)
    assert not Patient.objects.exists()

    job_states.start_import(job=job, by=person)
    tasks.run_due_imports()
    job.refresh_from_db()
    assert (job.status, job.report["created"], job.rows_done, job.leased_until) == (Status.DONE, 2, 3, None)
    assert job.report["rejected"] == [{"row": 4, "reason": "missing_name"}]
    assert job.finished_at is not None
    assert Patient.objects.count() == 2
    assert Patient.objects.first().created_by == person


def test_an_upload_that_is_no_list_leaves_nothing(clinic, person, settings):
    with pytest.raises(ImportRefused):
        uploaded(clinic, person, text="hello")
    assert not ImportJob.objects.exists()
    assert not [path for path in settings.MEDIA_ROOT.rglob("*") if path.is_file()]


def test_examples_hold_names_but_no_numbers(clinic, person):
    job = queued(clinic, person)
    patient_jobs.run(patient_jobs.claim())
    job.refresh_from_db()
    assert [item["name"] for item in job.report["examples"]["created"]] == ["张三", "李四"]
    assert "1990000" not in str(job.report)


def test_a_refused_file_fails_with_its_reason(clinic, person):
    job = queued(clinic, person)
    ImportJob.objects.filter(pk=job.pk).update(sheet="没有")
    patient_jobs.run(patient_jobs.claim())
    job.refresh_from_db()
    assert job.status == Status.FAILED
    assert job.failure


def test_wrong_moments_are_refused(clinic, person):
    job = queued(clinic, person)
    for step in (lambda: job_states.start_import(job=job, by=person), lambda: job_states.discard(job=job, by=person),
                 lambda: job_states.choose_columns(job=job, sheet="", mapping={}, by=person)):  # fmt: skip
        with pytest.raises(job_states.NotInThisState):
            step()


def test_a_leased_job_is_not_claimed_twice_until_the_lease_runs_out(clinic, person):
    job = queued(clinic, person)
    first = patient_jobs.claim()
    assert (first.pk, first.status, first.attempts) == (job.pk, Status.RUNNING, 1)
    assert patient_jobs.claim() is None
    expire(job)
    assert patient_jobs.claim().attempts == 2


def test_whoever_lost_the_lease_does_not_count(clinic, person):
    job = queued(clinic, person)
    slow = patient_jobs.claim()
    expire(job)
    patient_jobs.run(patient_jobs.claim())
    patient_jobs.run(slow)
    job.refresh_from_db()
    assert (job.status, job.report["created"], job.report["updated"]) == (Status.DONE, 2, 0)
    assert Patient.objects.count() == 2


def test_a_job_that_always_dies_is_given_up(clinic, person):
    job = queued(clinic, person)
    for _attempt in range(job_states.ATTEMPTS):
        assert patient_jobs.claim().status == Status.RUNNING
        expire(job)
    assert patient_jobs.claim().status == Status.FAILED
    assert patient_jobs.claim() is None


def test_discarding_removes_the_file(clinic, person, settings, django_capture_on_commit_callbacks):
    job = uploaded(clinic, person)
    with django_capture_on_commit_callbacks(execute=True):
        job_states.discard(job=job, by=person)
    assert not ImportJob.objects.exists()
    assert not [path for path in settings.MEDIA_ROOT.rglob("*") if path.is_file()]


WORKER = """
import time, django
django.setup()
from django.conf import settings
import pathlib, sys
settings.MEDIA_ROOT = pathlib.Path(sys.argv[1])
from patients.importing import service
from patients.importing.jobs import patient_jobs
def half_way(*_args):
    print("half", flush=True)
    time.sleep(60)
service._link = half_way
patient_jobs.run(patient_jobs.claim())
"""


def database_url():
    data = connection.settings_dict
    user, password, host = (quote(str(data[key]), safe="") for key in ("USER", "PASSWORD", "HOST"))
    port = f":{data['PORT']}" if data["PORT"] else ""
    return f"postgres://{user}:{password}@{host}{port}/{data['NAME']}"


@pytest.mark.django_db(transaction=True)
def test_a_worker_killed_half_way_leaves_nothing_and_the_next_ends_right(clinic, person, settings):
    job = queued(clinic, person)
    environment = {**os.environ, "DATABASE_URL": database_url(), "DJANGO_SETTINGS_MODULE": "clinic_crm.settings"}
    worker = subprocess.Popen(
        [sys.executable, "-c", WORKER, str(settings.MEDIA_ROOT)], env=environment, stdout=subprocess.PIPE, text=True
    )
    try:
        assert worker.stdout.readline() == "half\n"
        worker.send_signal(signal.SIGKILL)
    finally:
        worker.kill()
        worker.wait()
    job.refresh_from_db()
    assert job.status == Status.RUNNING
    assert not Patient.objects.exists()
    assert patient_jobs.claim() is None
    expire(job)
    tasks.run_due_imports()
    job.refresh_from_db()
    assert (job.status, job.attempts, job.report["created"]) == (Status.DONE, 2, 2)
    assert Patient.objects.count() == 2


@pytest.mark.django_db(transaction=True)
def test_progress_shows_while_the_import_is_still_running(clinic, person, monkeypatch):
    job = queued(clinic, person, text=PEOPLE + "王五,19900000005,\n")
    monkeypatch.setattr("patients.importing.plan.CHUNK", 2)
    monkeypatch.setattr(job_states, "SECONDS_BETWEEN_NEWS", 0)
    seen = []
    tell = job_states.News.tell

    def watch(self, rows):
        tell(self, rows)
        with self._connection.cursor() as cursor:
            cursor.execute("SELECT rows_done, (SELECT count(*) FROM patients_patient) FROM patients_importjob")
            seen.append(cursor.fetchone())

    monkeypatch.setattr(job_states.News, "tell", watch)
    patient_jobs.run(patient_jobs.claim())
    assert seen[:2] == [(2, 0), (4, 0)]
    job.refresh_from_db()
    assert (job.rows_done, Patient.objects.count()) == (4, 3)
