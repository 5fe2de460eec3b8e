"""Chats become rows, once: created, unchanged, updated; by names to people; by the command."""

import json
from io import StringIO

import pytest
from django.core.management import CommandError, call_command
from django.db import connection
from django.test.utils import CaptureQueriesContext

from accounts.permissions import Role
from conversations.importing.reasons import Reason
from conversations.models import ChatMessage, ConsultantName, Conversation, Finding
from conversations.services import importing
from conversations.services.importing import import_chats, link_name, unknown_names
from tests.conversations.chats import chat_json, jsonl_of
from tests.factories import ClinicFactory, TeamFactory, UserFactory

pytestmark = pytest.mark.django_db


@pytest.fixture
def clinic():
    return ClinicFactory()


@pytest.fixture
def manager(clinic):
    return UserFactory(clinic=clinic, role=Role.MANAGER)


def load(tmp_path, clinic, *chats, **options):
    path = tmp_path / "chats.jsonl"
    path.write_text(jsonl_of(*chats))
    return import_chats(path=path, clinic=clinic, by=None, **options)


def test_a_chat_is_written_with_its_facts(tmp_path, clinic):
    zheng = UserFactory(clinic=clinic, role=Role.ONLINE_CONSULTANT, full_name="郑佳宁")
    ConsultantName.objects.create(clinic=clinic, name="郑老师", user=zheng)
    team = TeamFactory(clinic=clinic, name="一组")
    tally = load(tmp_path, clinic, chat_json())
    chat = Conversation.objects.get()
    assert tally.report() == {
        "conversations": 1, "created": 1, "unchanged": 0, "updated": 0, "rejected": [], "warnings": [], "messages": 3,
    }  # fmt: skip
    assert (chat.consultant, chat.team, chat.channel, chat.keyword, chat.cost) == (
        zheng,
        team,
        "百度竞价",
        "种植牙价格",
        143,
    )
    assert (chat.visitor_messages, chat.visitor_chars, chat.consultant_messages) == (2, 8, 1)
    assert list(chat.messages.values_list("sender", "user")) == [
        ("visitor", None),
        ("consultant", zheng.pk),
        ("visitor", None),
    ]
    assert chat.inspected_at is not None


def test_the_same_file_again_changes_nothing(tmp_path, clinic):
    chats = [chat_json(f"c{n}") for n in range(5)]
    load(tmp_path, clinic, *chats)
    before = list(Conversation.objects.values_list("pk", "inspected_at")), list(ChatMessage.objects.values_list("pk"))
    tally = load(tmp_path, clinic, *chats)
    assert (tally.created, tally.unchanged, tally.updated, tally.messages) == (0, 5, 0, 0)
    assert (
        list(Conversation.objects.values_list("pk", "inspected_at")),
        list(ChatMessage.objects.values_list("pk")),
    ) == before


def test_a_longer_version_updates_and_findings_stay_with_their_words(tmp_path, clinic, manager):
    lines = [("visitor", "您好"), ("consultant", "在的"), ("visitor", "想种牙")]
    load(tmp_path, clinic, chat_json(lines=lines))
    said = ChatMessage.objects.get(text="在的")
    own = Finding.objects.create(conversation=said.conversation, code="taboo.perfunctory", message=said, by=manager)
    tally = load(tmp_path, clinic, chat_json(lines=[("system", "已接入"), *lines, ("consultant", "好的")]))
    assert (tally.updated, Conversation.objects.get().message_count) == (1, 5)
    own.refresh_from_db()
    assert (own.message.text, own.message.position, own.withdrawn_at) == ("在的", 2, None)
    assert list(ChatMessage.objects.order_by("position").values_list("text", flat=True)) == [
        "已接入",
        "您好",
        "在的",
        "想种牙",
        "好的",
    ]


def test_a_shorter_version_leaves_what_is_there(tmp_path, clinic):
    load(tmp_path, clinic, chat_json())
    tally = load(tmp_path, clinic, chat_json(lines=[("visitor", "您好，想种牙")]))
    assert (tally.unchanged, tally.warnings[0]["reason"]) == (1, Reason.SHORTER)
    assert ChatMessage.objects.count() == 3


def test_of_a_chat_twice_in_a_file_the_longest_is_kept(tmp_path, clinic):
    tally = load(tmp_path, clinic, chat_json(lines=[("visitor", "您好")]), chat_json())
    assert (tally.created, tally.unchanged, ChatMessage.objects.count()) == (1, 1, 3)
    assert {"row": 2, "reason": "duplicate_in_file"} in tally.warnings


def test_the_same_id_in_another_clinic_is_another_chat(tmp_path, clinic):
    other = ClinicFactory()
    load(tmp_path, clinic, chat_json())
    assert load(tmp_path, other, chat_json()).created == 1


def test_a_dry_run_writes_nothing(tmp_path, clinic):
    assert load(tmp_path, clinic, chat_json(), dry_run=True).created == 1
    assert not Conversation.objects.exists()


def test_statements_do_not_grow_with_the_chats(tmp_path, clinic):
    def statements(count, first):
        with CaptureQueriesContext(
            connection,
        ) as seen:
            load(tmp_path, clinic, *(chat_json(f"{first}{n}") for n in range(count)))
        return len(seen)

    statements(2, "warm")
    assert statements(5, "a") == statements(200, "b")


def test_batches_come_to_the_same(tmp_path, clinic, monkeypatch):
    monkeypatch.setattr(importing, "CHATS_AT_ONCE", 2)
    tally = load(tmp_path, clinic, *(chat_json(f"c{n}") for n in range(5)), {"id": "x"})
    assert (tally.created, tally.taken, tally.rejected) == (5, 6, [{"row": 6, "reason": "bad_conversation"}])


def test_the_one_who_wrote_most_is_the_consultant(tmp_path, clinic):
    mia, liu = (UserFactory(clinic=clinic, role=Role.ONLINE_CONSULTANT, full_name=name) for name in ("米亚", "刘一"))
    lines = [
        ("visitor", "您好"),
        ("consultant", "转接", "米亚"),
        ("consultant", "您好", "刘一"),
        ("consultant", "请讲", "刘一"),
    ]
    load(tmp_path, clinic, chat_json(lines=lines, consultant="米亚"))
    assert Conversation.objects.get().consultant == liu
    assert ChatMessage.objects.get(text="转接").user == mia


def test_an_unknown_name_is_listed_and_linked_for_past_chats_too(tmp_path, clinic, manager):
    tally = load(tmp_path, clinic, chat_json("a"), chat_json("b"))
    assert tally.unknown == {"郑老师": 2}
    assert unknown_names(clinic) == [("郑老师", 2)]
    zheng = UserFactory(clinic=clinic, role=Role.ONLINE_CONSULTANT, full_name="郑佳宁")
    assert link_name(clinic=clinic, name="郑老师", user=zheng, by=manager) == 2
    assert set(Conversation.objects.values_list("consultant", flat=True)) == {zheng.pk}
    assert set(Finding.objects.standing().exclude(user=None).values_list("user", flat=True)) <= {zheng.pk}
    assert unknown_names(clinic) == []
    assert load(tmp_path, clinic, chat_json("c")).unknown == {}


def test_two_with_one_full_name_are_nobody(tmp_path, clinic):
    for _twin in range(2):
        UserFactory(clinic=clinic, full_name="郑老师")
    load(tmp_path, clinic, chat_json())
    assert Conversation.objects.get().consultant is None


def test_the_command_prints_its_report(tmp_path, clinic):
    path = tmp_path / "chats.jsonl"
    path.write_text(jsonl_of(chat_json()) + "{\n")
    out = StringIO()
    call_command("import_conversations", path, clinic=clinic.code, json=True, stdout=out)
    report = json.loads(out.getvalue())
    assert (report["created"], report["messages"], report["rejected"]) == (1, 3, [{"row": 2, "reason": "bad_row"}])
    call_command("import_conversations", path, clinic=clinic.code, stdout=out)
    assert "1 unchanged" in out.getvalue()


@pytest.mark.parametrize(
    ("options", "words"),
    [({"clinic": "NO"}, "no clinic"), ({"file": "nowhere.jsonl"}, "no file"), ({"sheet": "x"}, "表格")],
)
def test_the_command_says_what_is_wrong(tmp_path, clinic, options, words):
    path = tmp_path / "chats.jsonl"
    path.write_text(jsonl_of(chat_json()))
    given = {"file": path, "clinic": clinic.code} | options
    with pytest.raises(CommandError, match=words):
        call_command("import_conversations", given.pop("file"), **given)
