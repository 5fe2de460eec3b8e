"""Imports of chats as jobs and pages: uploaded, checked, imported, gone on with after a crash."""

from datetime import timedelta

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.urls import reverse
from django.utils import timezone

from accounts.permissions import Role
from conversations import tasks
from conversations.models import ChatMessage, ConsultantName, Conversation
from conversations.services import import_jobs as jobs
from conversations.services import importing
from patients.importing import job_states
from patients.importing.jobs import patient_jobs
from patients.models import ImportJob
from tests.conversations.chats import DAY, chat_json, csv_of, jsonl_of
from tests.factories import ClinicFactory, UserFactory

pytestmark = pytest.mark.django_db
Status = ImportJob.Status
ROWS = [("1", f"{DAY} 13:05:12", "访客1", "您好"), ("1", f"{DAY} 13:05:40", "郑老师", "在的"), ("1", "", "", "谁")]


@pytest.fixture
def clinic():
    return ClinicFactory()


@pytest.fixture
def manager(clinic):
    return UserFactory(clinic=clinic, role=Role.MANAGER)


@pytest.fixture
def page(client, manager):
    client.force_login(manager, backend="allauth.account.auth_backends.AuthenticationBackend")
    return client


def uploaded(page, text, name):
    return page.post(reverse("conversation_import"), {"file": SimpleUploadedFile(name, text.encode())}, follow=True)


def queued(clinic, manager, count=5):
    text = jsonl_of(*(chat_json(f"c{n}") for n in range(count)))
    job = jobs.upload(clinic=clinic, by=manager, file=SimpleUploadedFile("a.jsonl", text.encode()), name="a.jsonl")
    tasks.run_due_chat_imports()
    job.refresh_from_db()
    assert (job.status, Conversation.objects.count()) == (Status.CHECKED, 0)
    job_states.start_import(job=job, by=manager, report=None)
    return job


def test_a_table_is_uploaded_corrected_checked_and_imported(page, clinic):
    answer = uploaded(page, csv_of(ROWS, ("会话ID", "时间", "发送者", "说的话")), "chats.csv")
    assert answer.status_code == 422  # which column holds the text is not known
    answer = uploaded(page, csv_of(ROWS), "chats.csv")
    assert "各列的内容" in answer.content.decode()
    job = ImportJob.objects.get()
    fields = {f"column_{n}": field for n, field in enumerate(["conversation", "time", "sender", "text"])}
    detail = reverse("conversation_import_detail", args=[job.pk])
    assert page.post(reverse("conversation_import_columns", args=[job.pk]), fields | {"sheet": ""}).url == detail
    assert "正在检查" in page.get(detail).content.decode()
    tasks.run_due_chat_imports()
    assert "导入 1 个" in page.get(detail).content.decode()
    page.post(reverse("conversation_import_start", args=[job.pk]))
    tasks.run_due_chat_imports()
    done = page.get(detail).content.decode()
    assert "已导入" in done
    assert "郑老师" in done  # unknown, to be linked
    assert ChatMessage.objects.count() == 2
    rows = b"".join(page.get(reverse("conversation_import_rows", args=[job.pk])).streaming_content).decode()
    assert "4,未导入" in rows


def test_columns_that_do_not_suffice_are_told(page):
    uploaded(page, csv_of(ROWS), "chats.csv")
    job = ImportJob.objects.get()
    answer = page.post(reverse("conversation_import_columns", args=[job.pk]), {"sheet": "", "column_0": "conversation"})
    assert answer.status_code == 422


def test_text_is_pasted(page):
    text = f"{DAY} 13:05:12 访客1：您好\n{DAY} 13:05:40 郑老师：在的"
    page.post(reverse("conversation_import"), {"text": text})
    job = ImportJob.objects.get()
    assert job.status == Status.CHECKING
    tasks.run_due_chat_imports()
    job_states.start_import(job=job, by=job.created_by, report=None)
    tasks.run_due_chat_imports()
    assert list(ChatMessage.objects.values_list("text", flat=True)) == ["您好", "在的"]


@pytest.mark.parametrize("given", [{}, {"text": "什么也没有"}, {"text": " "}])
def test_nothing_or_nonsense_is_refused_and_kept(page, given):
    answer = page.post(reverse("conversation_import"), given)
    assert answer.status_code == 422
    assert not ImportJob.objects.exists()
    assert given.get("text", "") in answer.content.decode()


def test_a_worker_that_dies_is_gone_on_with(clinic, manager, monkeypatch):
    job = queued(clinic, manager)
    monkeypatch.setattr(importing, "CHATS_AT_ONCE", 2)
    whole, written = importing.write_batch, []

    def dies(chats, **options):
        written.append([chat.source_key for chat in chats])
        if len(written) == 2:
            raise KeyboardInterrupt
        return whole(chats, **options)

    monkeypatch.setattr(importing, "write_batch", dies)
    with pytest.raises(KeyboardInterrupt):
        tasks.run_due_chat_imports()
    assert Conversation.objects.count() == 2
    assert jobs.claim() is None  # its lease holds
    ImportJob.objects.update(leased_until=timezone.now() - timedelta(seconds=1))
    tasks.run_due_chat_imports()
    job.refresh_from_db()
    assert (job.status, job.report["created"], job.report["unchanged"], job.rows_done) == (Status.DONE, 5, 0, 5)
    assert written[2] == ["c2", "c3"]  # what was settled is passed over


def test_a_worker_that_was_taken_over_writes_nothing_more(clinic, manager):
    job = queued(clinic, manager)
    late = jobs.claim()
    ImportJob.objects.update(leased_until=timezone.now() - timedelta(seconds=1))
    jobs.run(jobs.claim())
    Conversation.objects.all().delete()
    jobs.run(late)
    assert Conversation.objects.count() == 0
    job.refresh_from_db()
    assert job.status == Status.DONE


def test_a_job_that_gets_nowhere_is_given_up(clinic, manager):
    job = queued(clinic, manager)
    for _try in range(job_states.ATTEMPTS):
        jobs.claim()
        ImportJob.objects.update(leased_until=timezone.now() - timedelta(seconds=1))
    assert jobs.claim().status == Status.FAILED
    job.refresh_from_db()
    assert job.failure


def test_imports_of_patients_and_of_chats_keep_apart(page, clinic, manager):
    job = queued(clinic, manager)
    assert patient_jobs.claim() is None
    assert job.original_name not in page.get(reverse("import_list")).content.decode()
    assert page.get(reverse("import_detail", args=[job.pk])).status_code == 404


def test_a_name_is_linked_by_one_click(page, clinic, manager):
    jobs.run(jobs.claim()) if queued(clinic, manager) else None
    zheng = UserFactory(clinic=clinic, role=Role.ONLINE_CONSULTANT, full_name="郑佳宁")
    assert "郑老师" in page.get(reverse("consultant_names")).content.decode()
    assert page.post(reverse("consultant_names"), {"name": "郑老师", "user": "0"}).status_code == 422
    page.post(reverse("consultant_names"), {"name": "郑老师", "user": zheng.pk})
    assert ConsultantName.objects.get().user == zheng
    assert set(Conversation.objects.values_list("consultant", flat=True)) == {zheng.pk}
