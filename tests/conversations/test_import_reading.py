"""Every kind of file of chats, read without a database."""

import json
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from conversations.importing import jsonl, sorting
from conversations.importing.chat import Bad, Line
from conversations.importing.finishing import MOST_MESSAGES, finish
from conversations.importing.opening import open_source
from conversations.importing.reasons import Reason
from conversations.importing.senders import settle
from patients.importing.errors import ImportRefused
from tests.conversations.chats import DAY, csv_of, jsonl_of, workbook_of

TZ = ZoneInfo("Asia/Shanghai")
NOW = datetime(2026, 11, 22, tzinfo=UTC)
STAFF = frozenset({"郑老师"})
EXAMPLES = 40  # of each property


def read(tmp_path, text, name="chats.txt", encoding="utf-8", **options):
    """The chats of a file, finished; what was left out stays a Bad."""
    path = tmp_path / name
    path.write_bytes(text if isinstance(text, bytes) else text.encode(encoding))
    source = open_source(path, tz=TZ, staff=STAFF, **options)
    return [
        d if isinstance(d, Bad) else finish(d, staff=STAFF, now=NOW, trusted=source.trusted) for d in source.chats()
    ]


def said(chat):
    return [(m.at and m.at.astimezone(TZ).strftime("%m-%d %H:%M:%S"), m.sender, m.text) for m in chat.messages]


PLAIN = [
    ("11-20 13:05:12", "visitor", "您好，想种牙"),
    ("11-20 13:05:40", "consultant", "您好：缺了几颗？"),
    ("11-20 13:06:01", "system", "访客已离开"),
]


@pytest.mark.parametrize(
    "text",
    [
        "2026-11-20 13:05:12 访客1234：您好，想种牙\n2026-11-20 13:05:40 郑老师：您好：缺了几颗？\n2026-11-20 13:06:01 系统提示：访客已离开",
        "2026/11/20 13:05:12 访客1234: 您好，想种牙\n2026/11/20 13:05:40 郑老师: 您好：缺了几颗？\n2026/11/20 13:06:01 访客已离开",
        "访客1234 2026-11-20 13:05:12\n您好，想种牙\n\n郑老师 2026-11-20 13:05:40\n您好：缺了几颗？\n2026-11-20 13:06:01 访客已离开",
        "2026-11-20 13:05:12 访客1234\n您好，想种牙\n2026-11-20 13:05:40 郑老师\n您好：缺了几颗？\n2026-11-20 13:06:01 系统：访客已离开",
        "—— 2026年11月20日 星期五 ——\n访客1234 13:05:12\n您好，想种牙\n郑老师 13:05:40\n您好：缺了几颗？\n13:06:01 访客已离开",
        "日期：2026-11-20\n[13:05:12] 访客1234：您好，想种牙\n[13:05:40] 郑老师：您好：缺了几颗？\n[13:06:01] 系统消息：访客已离开",
        "访客1234(2026-11-20 13:05:12)：您好，想种牙\n郑老师(2026-11-20 13:05:40)：您好：缺了几颗？\n系统(2026-11-20 13:06:01)：访客已离开",
        "访客1234 2026年11月20日 下午1:05:12\n您好，想种牙\n郑老师 2026年11月20日 下午1:05:40\n您好：缺了几颗？\n2026年11月20日 下午1:06:01 访客已离开",
    ],
)  # fmt: skip
def test_the_same_chat_in_every_shape_of_text(tmp_path, text):
    [chat] = read(tmp_path, text)
    assert said(chat) == PLAIN
    assert (chat.visitor, chat.consultant, chat.warnings) == ("访客1234", "郑老师", ())


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030", "utf-16", "utf-16-le"])
@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_encodings_and_line_ends(tmp_path, encoding, end):
    text = end.join(
        ["2026-11-20 13:05:12 访客1：您好，想问一下种植牙的价格", "2026-11-20 13:05:40 郑老师：您好，请问缺了几颗呢"]
    )
    [chat] = read(tmp_path, text, encoding=encoding)
    assert [m.text for m in chat.messages] == ["您好，想问一下种植牙的价格", "您好，请问缺了几颗呢"]


def test_several_chats_in_one_text_with_headers(tmp_path):
    text = (
        "会话ID：A-1\n渠道：百度竞价\n关键词：种植牙\n费用：143元\n咨询师：郑老师\n2026-11-20 13:05:12 访客1：您好\n"
        "==========\n=== 会话 1002 ===\n2026-11-20 14:00:00 访客2：在吗\n2026-11-20 14:00:09 郑老师：在的\n"
        "2026-11-20 15:00:00 访客3：想洗牙\n2026-11-20 15:00:05 郑老师：好的"
    )
    first, second, third = read(tmp_path, text)
    assert (first.source_key, first.channel, first.keyword, str(first.cost)) == ("A-1", "百度竞价", "种植牙", "143.00")
    assert (first.consultant, first.warnings) == ("郑老师", (Reason.ONE_SIDED,))
    assert second.source_key == "1002"
    assert third.visitor == "访客3"  # another numbered visitor: another chat
    assert third.source_key.startswith("#")


def test_lines_go_on_and_a_clock_in_a_sentence_is_no_head(tmp_path):
    text = "2026-11-20 13:05:12 访客1：第一行\n第二行：也是\n13:30 的时候打过电话\n2026-11-20 13:06:00 郑老师：好"
    [chat] = read(tmp_path, text)
    assert chat.messages[0].text == "第一行\n第二行：也是\n13:30 的时候打过电话"


def test_past_midnight_counts_on_the_next_day(tmp_path):
    [chat] = read(tmp_path, "2026-11-20\n访客1 23:59:50\n还在吗\n郑老师 00:00:10\n在的")
    assert [m.at.astimezone(TZ).day for m in chat.messages] == [20, 21]


def test_automatic_answers_are_a_bots(tmp_path):
    text = "2026-11-20 13:05:12 访客1：您好\n2026-11-20 13:05:13 智能客服：欢迎\n2026-11-20 13:05:14 郑老师：【自动回复】请稍候"
    [chat] = read(tmp_path, text)
    assert [m.sender for m in chat.messages] == ["visitor", "bot", "bot"]


def test_text_without_times_is_kept_in_its_order(tmp_path):
    [chat] = read(tmp_path, "访客：您好\n客服：在的\n访客：想洗牙")
    assert [(m.at, m.sender) for m in chat.messages] == [(None, "visitor"), (None, "consultant"), (None, "visitor")]
    assert chat.notes == {"no_time": 3}
    assert chat.warnings == (Reason.NO_TIME,)


def test_lines_before_anybody_speaks_are_told(tmp_path):
    found = read(tmp_path, "导出说明\n2026-11-20 13:05:12 访客1：您好\n2026-11-20 13:05:15 郑老师：您好")
    assert found[0] == Bad(1, Reason.NO_SPEAKER)
    assert len(found) == 2


@pytest.mark.parametrize(
    ("name", "text", "words"),
    [
        ("a.txt", "什么也没有\n真的", "消息"),
        ("a.txt", "", "空"),
        ("a.pdf", "x", "只能导入"),
        ("a.csv", "甲,乙\n1,2\n", "表头"),
        ("a.csv", "会话ID,时间,发送者\n1,2026-11-20 10:00,访客\n", "内容"),
        ("a.csv", "时间,发送者,内容\n2026-11-20 10:00,访客1,您好\n", "访客"),
    ],
)
def test_what_holds_no_chats_is_refused_in_words(tmp_path, name, text, words):
    with pytest.raises(ImportRefused, match=words):
        read(tmp_path, text, name)


# --- tables --------------------------------------------------------------------------------------


def test_rows_of_chats_may_be_mixed_and_out_of_order(tmp_path, monkeypatch):
    monkeypatch.setattr(sorting, "AT_ONCE", 3)  # sorted in files, too
    rows = [
        (f"{n % 3}", f"{DAY} 13:0{n % 10}:00", f"访客{n % 3}" if n < 6 else "郑老师", f"第{n}句")
        for n in (0, 1, 2, 9, 4, 5, 6, 7, 8, 3)
    ]
    chats = read(tmp_path, csv_of(rows), "chats.csv")
    assert [chat.source_key for chat in chats] == ["0", "1", "2"]
    assert [m.text for m in chats[0].messages] == ["第0句", "第3句", "第6句", "第9句"]
    assert chats[0].warnings == (Reason.OUT_OF_ORDER,)


def test_the_same_in_a_workbook(tmp_path):
    rows = [("1", datetime(2026, 11, 20, 13, 5, 12), "访客1", "您好"), ("1", "2026-11-20 13:05:40", "郑老师", "在的")]
    [chat] = read(tmp_path, workbook_of(rows), "chats.xlsx")
    assert said(chat) == [("11-20 13:05:12", "visitor", "您好"), ("11-20 13:05:40", "consultant", "在的")]


def test_other_names_of_columns_and_roles(tmp_path):
    text = "chat_id\trole\tcontent\tcreated_at\tagent\n7\tuser\thello there\t2026-11-20T05:05:12Z\tMia\n7\tagent\thi\t1763615140\tMia\n"
    [chat] = read(tmp_path, text, "chats.tsv")
    assert [m.sender for m in chat.messages] == ["consultant", "visitor"]  # the later row has the earlier time
    assert chat.consultant == "Mia"


def test_broken_rows_are_told_and_cost_no_others(tmp_path):
    text = (
        "会话ID,时间,发送者,内容,费用\n1,2026-11-20 13:05:12,访客1,您好,120\n1,x\n,2026-11-20 13:05:13,访客1,在吗,\n"
        "1,2026-11-20 13:05:14,,谁,\n1,99点,郑老师,在的,\n1,2026-11-20 13:05:20,访客1,,-5\n"
    )
    *bad, chat = sorted(read(tmp_path, text, "chats.csv"), key=lambda one: (not isinstance(one, Bad), one.row))
    reasons = [Reason.BAD_ROW, Reason.MISSING_CONVERSATION, Reason.NO_SPEAKER]
    assert bad == [Bad(row, reason) for row, reason in zip((3, 4, 5), reasons, strict=True)]
    assert [m.text for m in chat.messages] == ["您好", "在的"]
    assert set(chat.warnings) == {Reason.BAD_TIME, Reason.NO_TIME, Reason.EMPTY_MESSAGE}


def test_bytes_that_are_no_text_become_a_mark_and_the_message_stays(tmp_path):
    raw = csv_of(
        [("1", f"{DAY} 13:05:12", "访客1", "想问一下这个价格"), ("1", f"{DAY} 13:05:20", "郑老师", "好的没问题")]
    ).encode()
    raw = raw.replace("价".encode(), b"\xff\xfe")
    [chat] = read(tmp_path, raw, "chats.csv")
    assert "\ufffd" in chat.messages[0].text
    assert chat.warnings == (Reason.BAD_BYTES,)


def test_html_is_text_and_pictures_are_placeholders(tmp_path):
    line = {"at": f"{DAY}T13:05:12+08:00", "from": "visitor", "text": '<b>疼</b><img src="x" onerror="alert(1)">😀'}
    picture = {"at": f"{DAY}T13:05:15+08:00", "from": "visitor", "type": "image", "url": "x"}
    [chat] = read(tmp_path, jsonl_of({"id": "1", "messages": [line, picture]}), "a.jsonl")
    assert [m.text for m in chat.messages] == ["<b>疼</b>[图片]😀", "[图片]"]
    assert {k: chat.notes[k] for k in ("html", "images", "emoji")} == {"html": 2, "images": 2, "emoji": 1}


# --- JSONL ---------------------------------------------------------------------------------------


def test_bad_lines_of_json_cost_no_others(tmp_path):
    good = '{"id":"1","messages":[{"from":"visitor","text":"您好"}]}'
    bad = [
        "{",
        "[]",
        '{"id":"2"}',
        '{"id":"3","messages":[]}',
        '{"id":"4","messages":[7]}',
        '{"id":"5","messages":[{"text":"\\ud800"}]}',
    ]
    found = read(tmp_path, "\n".join([*bad, "", good, "[" * 5000]), "a.jsonl")
    expected = [Reason.BAD_ROW, *[Reason.BAD_CONVERSATION] * 2, Reason.NO_MESSAGES, Reason.BAD_CONVERSATION]
    assert [one.reason for one in found[:5]] == expected
    assert found[5].messages[0].text == "\ufffd"
    assert found[6].source_key == "1"
    assert found[7] == Bad(9, Reason.BAD_ROW)


@pytest.mark.parametrize("indent", [None, 2])
@pytest.mark.parametrize("block", [7, 1 << 18])
def test_chats_in_one_array_or_over_several_lines(tmp_path, monkeypatch, indent, block):
    monkeypatch.setattr(jsonl, "BLOCK", block)
    chats = [{"id": f"[{n}]", "messages": [{"from": "visitor", "text": "您好, [图]\n{"}]} for n in (1, 2)]
    found = read(tmp_path, json.dumps(chats, indent=indent, ensure_ascii=False), "a.json")
    assert [one.source_key for one in found] == ["[1]", "[2]"]
    assert {one.messages[0].text for one in found} == {"您好, [图]\n{"}
    [single] = read(tmp_path, json.dumps(chats[0], indent=1), "a.json")
    assert single.source_key == "[1]"
    cut = read(tmp_path, json.dumps(chats, indent=2)[:-30], "a.json")
    assert [isinstance(one, Bad) for one in cut] == [False, True]


def test_a_question_for_the_total_is_no_row_of_totals(tmp_path):
    [chat] = read(tmp_path, "内容,会话ID,发送者,时间\n总计多少钱,1,访客,2026-11-20 13:05:12\n", "a.csv")
    assert chat.messages[0].text == "总计多少钱"


def test_ten_thousand_messages_are_one_chat_and_too_many_are_none(tmp_path):
    lines = [{"from": "visitor", "text": f"{n}"} for n in range(10_000)]
    [chat] = read(tmp_path, jsonl_of({"id": "1", "messages": lines}), "a.jsonl")
    assert len(chat.messages) == 10_000
    [bad] = read(tmp_path, jsonl_of({"id": "1", "messages": lines * (MOST_MESSAGES // 10_000) + lines[:1]}), "a.jsonl")
    assert bad.reason == Reason.TOO_LONG


def test_a_longer_version_of_a_chat_without_an_id_is_known_again(tmp_path):
    text = "2026-11-20 13:05:12 访客1：您好\n2026-11-20 13:05:40 郑老师：在的"
    [short] = read(tmp_path, text)
    [longer] = read(tmp_path, text + "\n2026-11-20 13:06:40 访客1：想种牙")
    assert short.source_key == longer.source_key
    assert short.content_hash != longer.content_hash


# --- properties ----------------------------------------------------------------------------------


@settings(max_examples=EXAMPLES, deadline=None)
@given(text=st.text(min_size=1, max_size=300), name=st.sampled_from(["a.txt", "a.csv", "a.jsonl"]))
def test_no_text_breaks_the_import(tmp_path_factory, text, name):
    folder = tmp_path_factory.mktemp("any")
    (folder / name).write_bytes(text.encode(errors="replace"))
    try:
        source = open_source(folder / name, tz=TZ)
        for draft in source.chats():
            if not isinstance(draft, Bad):
                finish(draft, staff=STAFF, now=NOW)
    except ImportRefused:
        pass


@settings(max_examples=EXAMPLES, deadline=None)
@given(names=st.lists(st.text(min_size=1, max_size=5), min_size=1, max_size=6))
def test_every_line_gets_a_sender(names):
    lines = [Line(None, "", name, "x") for name in names]
    settle(lines, visitor="", consultant="", staff=STAFF)
    assert all(line.role in {"visitor", "consultant", "bot", "system"} for line in lines)
