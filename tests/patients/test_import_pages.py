"""The import's pages: upload, columns, preview, run, report."""

import csv
import io

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.urls import reverse

from accounts.models import AuditEvent
from accounts.permissions import Role
from patients import tasks
from patients.importing.patient_rules import REASON_TEXTS
from patients.models import ImportJob, Patient
from tests.factories import ClinicFactory, MembershipFactory, UserFactory

pytestmark = pytest.mark.django_db
PEOPLE = "姓名,手机,微信,情况\n张三,19900000001,,第一\n李四,19900000002,,第二\n,19900000003,,=cmd()\n"
LIST = "/patients/import/"


@pytest.fixture
def clinic():
    return ClinicFactory()


@pytest.fixture
def person(clinic, client):
    user = UserFactory(clinic=clinic, role=Role.COORDINATOR)
    client.force_login(user, backend="allauth.account.auth_backends.AuthenticationBackend")
    return user


def upload(client, text=PEOPLE, name="list.csv"):
    return client.post(LIST, {"file": SimpleUploadedFile(name, text.encode())})


def uploaded(client, **kwargs):
    assert upload(client, **kwargs).status_code == 302
    return ImportJob.objects.get()


def page(name, job):
    return reverse(name, args=[job.pk])


def columns(response):
    """Return the posted form of the columns page as it stands."""
    form = response.context["form"]
    return {field.html_name: field.initial for field in form} | {"sheet": response.context["table"].sheet}


def through(client):
    """Take a file to its report; returns the job."""
    job = uploaded(client)
    client.post(page("import_columns", job), columns(client.get(page("import_columns", job))))
    tasks.run_due_imports()
    client.post(page("import_start", job))
    tasks.run_due_imports()
    job.refresh_from_db()
    return job


def test_upload_columns_check_import_and_report(client, person):
    job = uploaded(client)
    shown = client.get(page("import_columns", job))
    assert [field.label for field in shown.context["form"]] == ["姓名", "手机", "微信", "情况"]
    assert b"199****01" in shown.content
    assert b"19900000001" not in shown.content

    answer = client.post(page("import_columns", job), columns(shown))
    assert answer.url == page("import_detail", job)
    waiting = client.get(answer.url, headers={"HX-Request": "true"})
    assert b"import-progress" in waiting.content
    tasks.run_due_imports()
    over = client.get(answer.url, headers={"HX-Request": "true"})
    assert over["HX-Refresh"] == "true"
    preview = client.get(answer.url).content.decode()
    assert str(REASON_TEXTS["missing_name"]) in preview
    assert not Patient.objects.exists()

    client.post(page("import_start", job))
    tasks.run_due_imports()
    assert Patient.objects.count() == 2
    report = client.get(page("import_detail", job))
    assert report.context["report"].created == 2
    assert "list.csv" in client.get(LIST).content.decode()


def test_corrected_columns_are_used(client, person):
    job = uploaded(client, text="甲,姓名,手机,微信\n张三,x,19900000001,\n")
    data = columns(client.get(page("import_columns", job)))
    assert data["column_0"] == ""
    client.post(page("import_columns", job), data | {"column_0": "name", "column_1": ""})
    tasks.run_due_imports()
    client.post(page("import_start", job))
    tasks.run_due_imports()
    assert Patient.objects.get().name == "张三"


def test_columns_without_name_or_contact_are_refused(client, person):
    job = uploaded(client)
    data = columns(client.get(page("import_columns", job)))
    for change in ({"column_0": ""}, {"column_1": "", "column_2": ""}):
        answer = client.post(page("import_columns", job), data | change)
        assert answer.status_code == 422
    job.refresh_from_db()
    assert job.status == ImportJob.Status.UPLOADED


@pytest.mark.parametrize(("text", "name"), [("hello", "a.csv"), ("", "a.csv"), (PEOPLE, "a.pdf"), (PEOPLE, "a.xlsx")])
def test_a_file_that_cannot_be_imported_is_told_so(client, person, text, name):
    answer = upload(client, text=text, name=name)
    assert answer.status_code == 422
    assert answer.context["form"].errors["file"]
    assert not ImportJob.objects.exists()


def test_rejected_rows_are_downloaded_with_reasons_and_no_formulas(client, person):
    job = through(client)
    answer = client.get(page("import_rejected", job))
    text = b"".join(answer.streaming_content).decode("utf-8-sig")
    header, row = csv.reader(io.StringIO(text))
    assert header[2:] == ["姓名", "手机", "微信", "情况"]
    assert row == ["4", str(REASON_TEXTS["missing_name"]), "", "19900000003", "", "'=cmd()"]
    assert AuditEvent.objects.filter(action="download_rejected", actor=person).exists()


def test_what_was_typed_is_never_markup(client, person):
    job = uploaded(client, text="姓名,手机,微信,<b>x</b>\n<script>alert(1)</script>,19900000001,,<i>\n")
    shown = client.get(page("import_columns", job))
    client.post(page("import_columns", job), columns(shown))
    tasks.run_due_imports()
    for response in (shown, client.get(page("import_detail", job))):
        assert b"<script>alert" not in response.content
        assert b"<b>x</b>" not in response.content


def test_discard_and_double_start(client, person):
    job = uploaded(client)
    assert client.post(page("import_discard", job)).url == LIST
    assert not ImportJob.objects.exists()
    job = uploaded(client)
    shown = columns(client.get(page("import_columns", job)))
    job.delete()
    job = through(client)
    client.post(page("import_start", job))
    client.post(page("import_discard", job))
    assert client.get(page("import_columns", job)).url == page("import_detail", job)
    client.post(page("import_columns", job), shown)
    job.refresh_from_db()
    assert job.status == ImportJob.Status.DONE


def test_a_failed_import_says_why(client, person):
    job = uploaded(client)
    ImportJob.objects.update(status=ImportJob.Status.FAILED, failure="坏了")
    assert "坏了" in client.get(page("import_detail", job)).content.decode()


@pytest.mark.parametrize("role", [Role.DOCTOR, Role.NURSE, Role.FRONT_DESK, Role.ONLINE_CONSULTANT])
def test_roles_that_may_not_import(client, clinic, person, role):
    job = uploaded(client)
    other = UserFactory(clinic=clinic, role=role)
    client.force_login(other, backend="allauth.account.auth_backends.AuthenticationBackend")
    for url in (LIST, page("import_detail", job), page("import_columns", job), page("import_rejected", job)):
        assert client.get(url).status_code == 403


def test_other_clinics_imports_are_not_there(client, clinic, person):
    job = uploaded(client)
    stranger = UserFactory(clinic=ClinicFactory(), role=Role.MANAGER)
    client.force_login(stranger, backend="allauth.account.auth_backends.AuthenticationBackend")
    assert client.get(page("import_detail", job)).status_code == 404
    assert client.post(page("import_start", job)).status_code == 404
    MembershipFactory(user=stranger, clinic=clinic, role=Role.NURSE)
    client.force_login(stranger, backend="allauth.account.auth_backends.AuthenticationBackend")
    assert client.get(page("import_detail", job)).status_code == 403


def test_the_list_needs_as_many_queries_for_many_imports(client, person, clinic, django_assert_num_queries):
    from django.db import connection
    from django.test.utils import CaptureQueriesContext

    job = uploaded(client)
    client.get(LIST)
    with CaptureQueriesContext(connection) as few:
        client.get(LIST)
    for _copy in range(40):
        job.pk = None
        job.save()
    with django_assert_num_queries(len(few)):
        answer = client.get(LIST)
    assert len(answer.context["jobs"]) == 30
    assert len(client.get(f"{LIST}?before={answer.context['more']}").context["jobs"]) == 11
