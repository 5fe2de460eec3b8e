"""The pages of the appointments' import: upload, columns, what would happen, run, report, rejected rows."""

import csv
import io

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.urls import reverse

from accounts.models import AuditEvent
from accounts.permissions import Role
from followups import tasks
from followups.importing.jobs import appointment_jobs
from followups.importing.rules import REASON_TEXTS
from followups.models import Appointment
from patients.models import ImportJob
from tests.factories import ClinicFactory, PatientFactory, UserFactory

pytestmark = pytest.mark.django_db
LIST = "/appointments/import/"
BOOK = """患者,电话,预约日期,开始时间,结束时间,状态,备注
叶明安,19900000001,2026-03-02,10:00,10:30,已到,
叶明安,19900000001,2026-03-09,10:00,10:30,未到,
叶明安,19900000001,2026-03-09,11:00,10:30,已到,
不认识,19900000002,2026-03-02,10:00,10:30,已到,=cmd()
"""


@pytest.fixture
def clinic():
    return ClinicFactory()


@pytest.fixture
def patient(clinic):
    return PatientFactory(clinic=clinic, name="叶明安", phone="19900000001")


@pytest.fixture
def manager(clinic, client):
    user = UserFactory(clinic=clinic, role=Role.MANAGER)
    client.force_login(user, backend="allauth.account.auth_backends.AuthenticationBackend")
    return user


def upload(client, text=BOOK, name="book.csv"):
    return client.post(LIST, {"file": SimpleUploadedFile(name, text.encode())})


def page(name, job):
    return reverse(f"appointment_import_{name}", args=[job.pk])


def checked(client):
    """Take a file to where one sees what would happen; returns the job."""
    answer = upload(client)
    assert answer.status_code == 302, answer.content.decode()
    job = ImportJob.objects.get()
    form = client.get(answer.url).context["form"]
    client.post(answer.url, {field.html_name: field.initial for field in form} | {"sheet": ""})
    tasks.import_appointments()
    return job


def test_a_file_is_looked_at_checked_and_imported_and_its_rejected_rows_are_told(client, manager, patient):
    job = checked(client)
    preview = client.get(page("detail", job)).content.decode()
    assert str(REASON_TEXTS["unknown_patient"]) in preview
    assert str(REASON_TEXTS["end_before_start"]) in preview
    assert not Appointment.objects.exists()

    client.post(page("start", job))
    assert b"import-progress" in client.get(page("detail", job), headers={"HX-Request": "true"}).content
    tasks.import_appointments()
    assert sorted(Appointment.objects.values_list("patient", "status")) == [
        (patient.pk, Appointment.Status.KEPT),
        (patient.pk, Appointment.Status.NO_SHOW),
    ]
    over = client.get(page("detail", job), headers={"HX-Request": "true"})
    assert over["HX-Refresh"] == "true"
    report = client.get(page("detail", job)).context["report"]
    assert (report["created"], report["rejected"]["total"]) == (2, 2)
    assert "book.csv" in client.get(LIST).content.decode()
    assert AuditEvent.objects.filter(action="import_appointments", actor=manager).count() == 1

    told = b"".join(client.get(page("rejected", job)).streaming_content).decode()
    rows = list(csv.reader(io.StringIO(told.removeprefix("\ufeff"))))
    assert [row[0] for row in rows[1:]] == ["4", "5"]
    assert rows[2][-1] == "'=cmd()"


def test_the_same_file_again_creates_nothing(client, manager, patient):
    job = checked(client)
    client.post(page("start", job))
    tasks.import_appointments()
    ImportJob.objects.all().delete()
    again = checked(client)
    assert client.get(page("detail", again)).context["report"]["created"] == 0


def test_columns_are_corrected_and_the_missing_ones_named(client, manager, patient):
    text = BOOK.replace("状态", "怎么样了")
    answer = upload(client, text)
    job = ImportJob.objects.get()
    form = client.get(answer.url).context["form"]
    sent = {field.html_name: field.initial for field in form} | {"sheet": ""}
    refused = client.post(answer.url, sent)
    assert refused.status_code == 422
    assert refused.context["form"].errors
    client.post(answer.url, sent | {"column_5": "status"})
    tasks.import_appointments()
    assert client.get(page("detail", job)).context["report"]["created"] == 2


@pytest.mark.parametrize("text", ["", "姓名\n", "\x00\x01\x02", "a,b\n1,2\n"], ids=["empty", "names", "noise", "other"])
def test_what_is_no_list_of_appointments_is_refused_beside_the_field(client, manager, text):
    answer = upload(client, text)
    assert answer.status_code == 422
    assert answer.context["form"].errors["file"]
    assert not ImportJob.objects.exists()


def test_a_file_is_thrown_away_before_and_kept_after(client, manager, patient):
    job = checked(client)
    assert client.post(page("discard", job)).url == LIST
    assert not ImportJob.objects.exists()
    job = checked(client)
    client.post(page("start", job))
    tasks.import_appointments()
    client.post(page("discard", job))
    assert ImportJob.objects.exists()


def test_whoever_was_taken_over_leaves_nothing_behind(client, manager, patient):
    job = checked(client)
    client.post(page("start", job))
    mine = appointment_jobs.claim()
    ImportJob.objects.filter(pk=job.pk).update(attempts=7)  # another worker has it now
    appointment_jobs.run(mine)
    assert not Appointment.objects.exists()
    assert ImportJob.objects.get().status == ImportJob.Status.RUNNING


def test_a_file_of_another_import_is_not_found_here(client, manager, clinic):
    other = ImportJob.objects.create(clinic=clinic, created_by=manager, kind="patients", original_name="x")
    assert client.get(page("detail", other)).status_code == 404
