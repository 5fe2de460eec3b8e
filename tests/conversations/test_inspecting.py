"""What the inspection says is stored, again and again, without touching what people decided."""

from dataclasses import replace
from datetime import datetime, timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from accounts.permissions import Role
from conversations import tasks
from conversations.inspection import Captured, Found, Verdict
from conversations.models import Appeal, Capture, CapturedContact, Finding, ReinspectionJob, RuleSet
from conversations.services import inspecting, reinspecting
from conversations.services.inspecting import inspect_batch, inspect_conversation
from followups.models import Message
from tests.factories import ClinicFactory, ConversationFactory, UserFactory

pytestmark = pytest.mark.django_db
COUNTS = {"visitor_messages": 1, "visitor_chars": 1, "consultant_messages": 1, "consultant_chars": 1}
NOTHING = Verdict("greeting", False, True, True, Captured(), (), 12, 40, COUNTS)
LINES = [
    ("visitor", "种牙疼吗"),
    ("consultant", "难道你不知道吗"),
    ("visitor", "微信 hello_1990"),
    ("consultant", "好的"),
]


def found(code="taboo.rhetorical", message=1, quote="难道"):
    return Found(code, message, quote, "换个说法", {})


@pytest.fixture
def clinic():
    return ClinicFactory()


@pytest.fixture
def consultant(clinic):
    return UserFactory(clinic=clinic, role=Role.ONLINE_CONSULTANT)


@pytest.fixture
def manager(clinic):
    return UserFactory(clinic=clinic, role=Role.MANAGER)


@pytest.fixture
def chat(clinic, consultant):
    return ConversationFactory(clinic=clinic, consultant=consultant, lines=LINES)


@pytest.fixture
def says(monkeypatch):
    """Have the rules say something: says(finding, …, captured=…)."""

    def say(*findings, **facts):
        verdict = replace(NOTHING, findings=findings, **facts)
        monkeypatch.setattr(inspecting, "inspect", lambda chat, rules: verdict)

    say()
    return say


def standing(chat):
    return sorted(Finding.objects.filter(conversation=chat).standing().values_list("code", flat=True))


def test_facts_findings_and_captures_are_stored_together(chat, consultant, says):
    captured = Captured(wechat="hello_1990", wechat_message=2, booking=datetime(2026, 11, 25, 10), booking_message=2)
    says(found(), found("neglect.silence", 2), found("not_invited", None), captured=captured, third_party=True)
    assert inspect_conversation(chat)
    chat.refresh_from_db()
    assert (chat.ending, chat.third_party, chat.is_effective, chat.first_reply_seconds) == ("greeting", True, True, 12)
    assert (chat.severity, chat.score) == (3, 80)
    assert set(chat.findings.values_list("user", flat=True)) == {consultant.pk}  # a visitor's line: who answers it
    contact = CapturedContact.objects.get()
    assert (contact.kind, contact.value, contact.last4, contact.user) == ("wechat", "hello_1990", "1990", consultant)
    assert timezone.localtime(contact.capture.booking_at, chat.clinic.tz).hour == 10


def test_again_withdraws_what_no_longer_holds_and_adds_what_is_new(chat, says):
    says(found(), found("error.typo", 3))
    inspect_conversation(chat)
    assert not inspect_conversation(chat)
    says(found("error.typo", 3), found("abuse", 1))
    assert inspect_conversation(chat)
    assert standing(chat) == ["abuse", "error.typo"]
    gone = Finding.objects.get(code="taboo.rhetorical")
    assert (gone.withdrawn_reason, gone.withdrawn_at is None) == ("rules", False)
    assert Finding.objects.filter(code="error.typo").count() == 1


def test_what_people_decided_stays(chat, manager, consultant, says):
    says(found(), found("error.typo", 3), found("error.punctuation", 3))
    inspect_conversation(chat)
    Appeal.objects.create(finding=Finding.objects.get(code="taboo.rhetorical"), text="引用", made_by=consultant)
    Finding.objects.create(conversation=chat, code="taboo.perfunctory", message=chat.messages.last(), by=manager)
    upheld = Finding.objects.filter(code="error.typo")
    upheld.update(withdrawn_at=timezone.now(), withdrawn_reason="appeal")
    says(found("error.typo", 3), found("taboo.perfunctory", 3))
    inspect_conversation(chat)
    assert standing(chat) == ["taboo.perfunctory", "taboo.rhetorical"]
    assert Finding.objects.filter(code="taboo.perfunctory").count() == 1


def test_corrected_and_filed_captures_stay(chat, manager, says):
    says(captured=Captured(wechat="hello_1990", wechat_message=2, qq="123456", qq_message=2))
    inspect_conversation(chat)
    CapturedContact.objects.filter(kind="qq").update(group_name="种植", remark="11月")
    says()
    inspect_conversation(chat)
    assert list(CapturedContact.objects.values_list("kind", flat=True)) == ["qq"]
    Capture.objects.update(corrected_at=timezone.now(), corrected_by=manager)
    says(captured=Captured(phone="19900001234", phone_message=2))
    inspect_conversation(chat)
    assert list(CapturedContact.objects.values_list("kind", flat=True)) == ["qq"]


def test_abuse_alerts_each_manager_once_a_finding(chat, manager, says):
    says(found("abuse", 1, "你是不是傻"))
    inspect_conversation(chat)
    inspect_conversation(chat)
    [alert] = Message.objects.filter(purpose="alert")
    assert (alert.staff, alert.due_at <= timezone.now()) == (manager, True)
    assert "你是不是傻" in alert.variables["text"]
    chat.refresh_from_db()
    assert (chat.severity, chat.score) == (4, 0)


def test_statements_do_not_grow_with_the_chats(clinic, consultant, says):
    says(found(), captured=Captured(phone="19900001234", phone_message=2))

    def statements(count):
        chats = [ConversationFactory(clinic=clinic, consultant=consultant, lines=LINES) for _n in range(count)]
        with CaptureQueriesContext(connection) as seen:
            inspect_batch([chat.pk for chat in chats])
        return len(seen)

    assert statements(3) == statements(40)


def test_the_clinics_rules_and_rubric_count(chat, clinic):
    RuleSet.objects.create(clinic=clinic, version=1, data={})
    inspect_conversation(chat)
    chat.refresh_from_db()
    assert chat.rule_set.version == 1


def test_reinspection_goes_on_where_it_stopped(clinic, consultant, says, monkeypatch):
    chats = [ConversationFactory(clinic=clinic, consultant=consultant, lines=LINES) for _n in range(5)]
    says(found())
    monkeypatch.setattr(reinspecting, "CHATS_AT_ONCE", 2)
    job = ReinspectionJob.objects.create(clinic=clinic, rule_set=RuleSet.objects.create(clinic=clinic, version=1))
    whole, asked = reinspecting.inspect_batch, []

    def dies(ids, standards):
        asked.append(ids)
        if len(asked) == 2:
            raise KeyboardInterrupt
        return whole(ids, standards)

    monkeypatch.setattr(reinspecting, "inspect_batch", dies)
    with pytest.raises(KeyboardInterrupt):
        tasks.run_due_reinspections()
    job.refresh_from_db()
    assert (job.total, job.done, job.changed, job.finished_at) == (5, 2, 2, None)
    assert reinspecting.claim() is None  # its lease holds
    ReinspectionJob.objects.update(leased_until=timezone.now() - timedelta(seconds=1))
    tasks.run_due_reinspections()
    job.refresh_from_db()
    assert (job.done, job.changed, job.finished_at is None) == (5, 5, False)
    assert asked[2] == [chats[2].pk, chats[3].pk]


def test_a_worker_that_was_taken_over_writes_nothing_more(chat, clinic, says):
    says(found())
    ReinspectionJob.objects.create(clinic=clinic, rule_set=RuleSet.objects.create(clinic=clinic, version=1))
    late = reinspecting.claim()
    ReinspectionJob.objects.update(leased_until=timezone.now() - timedelta(seconds=1))
    reinspecting.run(reinspecting.claim())
    reinspecting.run(late)
    assert ReinspectionJob.objects.get().done == 1
