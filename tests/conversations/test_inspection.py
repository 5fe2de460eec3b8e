"""The inspection holds whatever is typed: properties, a clinic's own rules, contacts and dates."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.utils import translation
from hypothesis import given, settings
from hypothesis import strategies as st

from conversations.inspection import Chat, Found, Line, Rules, RulesError, describe, inspect, lexicon
from conversations.inspection.booking import read as read_booking
from conversations.inspection.codes import CODES
from conversations.inspection.contacts import QQ_WORD, WECHAT_WORD, phones_in
from conversations.inspection.dates import read as read_date
from conversations.inspection.endings import FAREWELL, WISHES
from conversations.inspection.lexicon import notation
from conversations.inspection.people import AGED, ASKED_FOR, POSSESSED
from conversations.inspection.reading import Reading
from conversations.inspection.scoring import score
from conversations.inspection.telling import telling
from tests.conversations.own_chats import CHATS
from tests.conversations.score import chat_of
from tests.conversations.sentences import SAID

EXAMPLES = 40  # raise it to look harder
START = datetime(2026, 6, 10, 10, tzinfo=UTC)  # a Wednesday

texts = st.text(max_size=60)
times = st.none() | st.integers(-10_000, 10_000).map(lambda seconds: START + timedelta(seconds=seconds))
lines = st.builds(Line, times, st.sampled_from(["visitor", "consultant", "bot", "system"]), texts)
chats = st.builds(lambda items: Chat(START, tuple(items)), st.lists(lines, max_size=12))


def said(*items: tuple[str, str]) -> Chat:
    return Chat(START, tuple(Line(START + timedelta(seconds=10 * i), who, text) for i, (who, text) in enumerate(items)))  # type: ignore[arg-type]


@given(chats)
@settings(max_examples=EXAMPLES, deadline=None)
def test_any_text_is_inspected_without_an_error_and_twice_the_same(chat: Chat) -> None:
    verdict = inspect(chat)
    assert verdict == inspect(chat)
    assert all(item.code in CODES for item in verdict.findings)
    assert all(item.message is None or 0 <= item.message < len(chat.lines) for item in verdict.findings)
    assert len({(item.code, item.message) for item in verdict.findings}) == len(verdict.findings)


@given(st.sampled_from([text for text, code in SAID if code]), st.sampled_from(["visitor", "bot", "system"]))
@settings(max_examples=EXAMPLES, deadline=None)
def test_only_a_consultants_words_are_held_against_the_consultant(text: str, who: str) -> None:
    verdict = inspect(said(("visitor", "你好"), ("consultant", "您好，请讲。"), (who, text)))
    assert not [item for item in verdict.findings if item.code.partition(".")[0] in ("taboo", "abuse", "error")]


@given(st.permutations(range(len(CHATS))))
@settings(max_examples=3, deadline=None)
def test_the_order_of_other_chats_changes_nothing(order: list[int]) -> None:
    alone = {index: inspect(chat_of(CHATS[index])) for index in range(len(CHATS))}
    assert all(inspect(chat_of(CHATS[index])) == alone[index] for index in order)


@given(st.sampled_from(CHATS))
@settings(max_examples=EXAMPLES, deadline=None)
def test_a_greeting_at_the_end_never_lowers_the_score(data: dict[str, Any]) -> None:
    chat = chat_of(data)
    while chat.lines[-1].sender == "system":
        chat = replace(chat, lines=chat.lines[:-1])
    before = inspect(chat)
    last = chat.lines[-1].at
    assert last is not None
    greeting = (
        Line(last + timedelta(seconds=5), "consultant", "请问您还有什么不清楚的地方吗？"),
        Line(last + timedelta(seconds=9), "consultant", "祝您身体健康，再见。"),
    )
    after = inspect(replace(chat, lines=chat.lines + greeting))
    assert after.ending == "greeting"
    assert score(after.findings)[0] >= score(before.findings)[0]


def test_html_is_text() -> None:
    verdict = inspect(said(("visitor", "<script>alert(1)</script>"), ("consultant", "<b>滚！</b>")))
    assert [(item.code, item.message) for item in verdict.findings if item.code == "abuse"] == [("abuse", 1)]


def test_no_messages_no_times_and_ten_thousand_messages() -> None:
    assert inspect(Chat(START, ())).ending == "visitor"
    without = inspect(Chat(START, (Line(None, "visitor", "在吗"), Line(None, "consultant", "在的，您请讲。"))))
    assert without.first_reply_seconds is None
    assert not [item for item in without.findings if item.code.startswith("neglect.s")]
    many = Chat(
        START, tuple(Line(START, "visitor" if i % 2 else "consultant", f"第{i}句，您好") for i in range(10_000))
    )
    assert inspect(many).counts["visitor_messages"] == 5_000


def test_a_finding_quotes_the_words_and_advises() -> None:
    found = inspect(said(("visitor", "在吗"), ("consultant", "不好意思，刚才在忙。"))).findings
    colloquial = next(item for item in found if item.code == "taboo.colloquial")
    assert colloquial.quote == "不好意思"
    assert "很抱歉" in colloquial.advice


def test_advice_is_told_in_the_language_of_who_reads_it() -> None:
    verdict = inspect(said(("visitor", "在吗"), ("consultant", "不好意思，刚才在忙。")))
    found = next(item for item in verdict.findings if item.code == "taboo.colloquial")
    assert found.own_advice == ""  # nothing that would be stored in one language
    with translation.override("en"):
        assert found.advice.startswith("Say")
    with translation.override("zh-hans"):
        assert not found.advice.startswith("Say")


@given(st.data())
@settings(max_examples=EXAMPLES, deadline=None)
def test_what_a_pattern_matches_holds_one_of_its_telling_strings(data: st.DataObject) -> None:
    pattern = data.draw(st.sampled_from([WISHES, FAREWELL, WECHAT_WORD, QQ_WORD, ASKED_FOR, AGED, POSSESSED]))
    match = pattern.search(data.draw(st.from_regex(pattern)))
    assert match is None or any(text in match[0].lower() for text in telling(pattern))


def test_a_clinic_adds_takes_away_and_switches_off() -> None:
    chat = said(("visitor", "在吗"), ("consultant", "亲亲，不好意思，怕什么怕！"))
    rules = Rules.from_data(
        {
            "words": {
                "taboo.colloquial": {"added": [{"word": "亲亲", "advice": "您"}], "removed": ["不好意思"]},
            },
            "off": ["taboo.scolding"],
        }
    )
    found = inspect(chat, rules).findings
    assert [(item.code, item.quote, item.advice) for item in found] == [("taboo.colloquial", "亲亲", "您")]


def test_a_clinic_sets_its_own_limits() -> None:
    chat = said(("visitor", "在吗"), ("consultant", "您好，请问您想了解什么？"))
    assert not [item for item in inspect(chat).findings if item.code == "neglect.slow_first_reply"]
    strict = Rules.from_data({"thresholds": {"first_reply_seconds": 5}})
    found = next(item for item in inspect(chat, strict).findings if item.code == "neglect.slow_first_reply")
    assert found.detail["seconds"] == 10


@pytest.mark.parametrize(
    ("data", "path"),
    [
        ([], ""),
        ({"other": 1}, ".other"),
        ({"thresholds": {"silence_seconds": "x"}}, "thresholds.silence_seconds"),
        ({"thresholds": {"silence_seconds": -1}}, "thresholds.silence_seconds"),
        ({"thresholds": {"silence_seconds": float("nan")}}, "thresholds.silence_seconds"),
        ({"words": {"none": {}}}, "words.none"),
        ({"words": {"abuse": {"added": ["  "]}}}, "words.abuse.added.0.word"),
        ({"words": {"abuse": {"added": "x"}}}, "words.abuse.added"),
        ({"off": ["none"]}, "off.none"),
        ({"deductions": {"abuse": 101}}, "deductions.abuse"),
    ],
)
def test_rules_that_cannot_be_used_say_where(data: Any, path: str) -> None:
    with pytest.raises(RulesError) as error:
        Rules.from_data(data)
    assert error.value.path == path
    assert str(error.value)


def test_an_editor_is_told_of_every_category_and_code() -> None:
    told = describe()
    assert {item["code"] for item in told["codes"]} == set(CODES)
    assert all(item["words"] for item in told["categories"])


def test_an_insult_leaves_nothing_and_groups_are_capped() -> None:
    def found(code: str, count: int = 1) -> list[Found]:
        return [Found(code, index, "", "") for index in range(count)]

    assert score([])[0] == Decimal(100)
    assert score(found("abuse"))[0] == Decimal(0)
    assert score(found("error.typo", 50))[0] == Decimal(90)
    assert score(found("error.typo"), {"deductions": {"error.typo": 7}})[0] == Decimal(93)
    total, parts = score(found("taboo.scolding", 2) + found("error.typo"))
    assert total == Decimal(100) - sum(part.deduction for part in parts)


@pytest.mark.parametrize(
    ("text", "phones"),
    [
        ("199 0000 0001", ["19900000001"]),
        ("199-0000-0001", ["19900000001"]),
        ("199.0000.0001", ["19900000001"]),
        ("１９９００００００１２", ["19900000012"]),
        ("一九九零零零零零零一二", ["19900000012"]),
        ("+86 19900000001", ["19900000001"]),
        ("电话19900000001，晚上8点后打", ["19900000001"]),
        ("19900000001 19900000002", ["19900000001", "19900000002"]),
        ("1990 0006 1234 5", []),
        ("20250318199000", []),
        ("029-88880000", []),
        ("价格19900元", []),
    ],
)
def test_a_mobile_number_is_read_however_it_is_written(text: str, phones: list[str]) -> None:
    assert [number for _start, _end, number in phones_in(text)] == phones


@pytest.mark.parametrize(
    ("text", "day", "clock"),
    [
        ("后天下午三点", date(2026, 6, 12), (15, 0)),
        ("明天早上9点半", date(2026, 6, 11), (9, 30)),
        ("今晚八点", date(2026, 6, 10), (20, 0)),
        ("周六上午10:30", date(2026, 6, 13), (10, 30)),
        ("下周二11点", date(2026, 6, 16), (11, 0)),
        ("下下周一下午两点一刻", date(2026, 6, 22), (14, 15)),
        ("周二四点", date(2026, 6, 16), (16, 0)),
        ("6月18日下午两点半", date(2026, 6, 18), (14, 30)),
        ("6月18号18:30", date(2026, 6, 18), (18, 30)),
        ("3号上午九点", date(2026, 7, 3), (9, 0)),
        ("中午十二点", None, (12, 0)),
        ("2027年1月2日9点", date(2027, 1, 2), (9, 0)),
        ("1月5日9点", date(2027, 1, 5), (9, 0)),
        ("2月30日9点", None, (9, 0)),
        ("周末有空", date(2026, 6, 13), None),
    ],
)
def test_a_day_and_a_time_are_read_from_words(text: str, day: date | None, clock: tuple[int, int] | None) -> None:
    found = read_date(text, START.date())
    assert (found.day, found.clock()) == (day, clock)


def test_an_offer_without_a_yes_is_no_booking() -> None:
    chat = said(("visitor", "洗牙"), ("consultant", "您看明天下午三点可以吗？"), ("visitor", "多少钱"))
    assert read_booking(Reading(chat, Rules.builtin())) == (None, None)


def test_a_gap_alone_in_brackets_is_a_gap() -> None:
    entry = notation.read("(操作|主刀)的(…|)(十|多)年")
    assert entry.pattern.search("主刀的主任做了二十年")
    assert entry.pattern.search("操作的十年")
    entries = [notation.read(word) for words in lexicon.WORDS.values() for word in words]
    unread = [entry.word for entry in entries if any("(" in text for part in entry.parts for text in part)]
    assert unread == []  # what cannot be read stands for itself, brackets and all
