"""What a sentence is by its build and by what it answers, in words of no labelled chat."""

from datetime import UTC, datetime

import pytest

from tests.conversations.spoken import chat, codes

ENQUIRY = ("想咨询下种牙", "今年五十了", "掉了有阵子了")


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("反正护士会弄，过程您别操心。", "taboo.perfunctory"),
        ("应该吧，我也没数。", "taboo.perfunctory"),
        ("洗不洗都行。", "taboo.perfunctory"),
        ("教程网上多得是。", "taboo.perfunctory"),
        ("该退的时候自然就退了。", "taboo.perfunctory"),
        ("发了三遍都不回，您在忙什么呢？", "taboo.interrogating"),
        ("您是怎么填的？", "taboo.interrogating"),
        ("不来占什么名额？", "taboo.interrogating"),
        ("弄坏了对医院有什么好处？", "taboo.rhetorical"),
        ("您买台冰箱能用三十年吗？", "taboo.rhetorical"),
        ("说个没完了是吧！", "taboo.scolding"),
        ("谁登记的您找谁。", "taboo.shirking"),
        ("开单的是护士，您找护士。", "taboo.shirking"),
        ("满口大葱味。", "abuse"),
        ("要在牙更那里处理。", "error.typo"),
    ],
)
def test_a_turn_is_found_whatever_it_is_about(text: str, code: str) -> None:
    assert code in codes("你好", f">{text}")


@pytest.mark.parametrize(
    "text",
    [
        "您稍等，我去翻一下病历。",
        "您看还有没听清的地方没？",
        "好，那就说到这儿，晚安。",
        "花多少由您定，我只负责讲明白。",
        "提醒会直接推到手机上。",
        "哪能呢，您尽管问。",
        "您按预约的钟点直接上椅位。",
    ],
)
def test_a_turn_that_is_meant_well_is_none(text: str) -> None:
    assert not [code for code in codes("你好", f">{text}") if code.startswith(("taboo", "abuse", "error"))]


@pytest.mark.parametrize(
    ("asked", "text", "code", "is_missing"),
    [
        ("那怎么弄", "在耳后切开一道，把筋膜往上拉紧再缝。", "not_offered.technique", False),
        ("打完僵不僵", "我们用二十九号细针。", "not_offered.technique", False),
        ("好的", "下午三点有空吗？", "not_offered.technique", True),
        ("你是机器人吗", "我不是机器人。", "not_offered.technique", True),
        ("你们靠谱吗", "一间门脸起家，如今本市有十来处，招牌没换过。", "not_offered.brand", False),
        ("你们靠谱吗", "给您看的齐医生毕业于外省，干了九年。", "not_offered.brand", True),
        ("我一个人去有点怕", "到时候有人守着您，不用慌。", "not_offered.service", False),
        ("网页打不开", "网页在维护，我发截图给您。", "not_offered.service", True),
        ("好的", "每次月经哪天来的？", "not_invited", True),
        ("好的", "您从哪边过来？", "not_invited", True),
        ("好的", "您抽个空让医生瞧一眼？", "not_invited", False),
        ("好的", "过来要换几趟车？", "not_asked.social", False),
        ("好的", "碰着凉的缩得住吗，夜里比白天难受？", "not_asked.condition", False),
        ("好的", "能不能留要看牙根的长短。", "not_asked.condition", True),
        ("好的", "抽血要空腹，您看明早方便吗？", "not_asked.condition", True),
    ],
)
def test_what_an_answer_tells_of(asked: str, text: str, code: str, is_missing: bool) -> None:
    assert (code in codes(*ENQUIRY, asked, f">{text}")) is is_missing


def test_the_day_is_the_visitors_to_name_until_it_is_full() -> None:
    named = ("想补牙", ">您挑个日子。", "周五晚上七点吧")
    assert chat(*named).captured.booking == datetime(2026, 6, 12, 19, tzinfo=UTC)
    assert chat(*named, ">周五晚上约满了。").captured.booking is None


def test_a_phone_given_as_the_id_of_wechat_is_both() -> None:
    captured = chat("想补牙", ">加您微信，号码是多少？", "手机号就是 199 0000 0123").captured
    assert (captured.phone, captured.wechat) == ("19900000123", "19900000123")


@pytest.mark.parametrize(
    ("last", "ending"), [(">您保重，我下线了。", "consultant"), ("=对方已退出会话", "visitor"), (">好的。", "visitor")]
)
def test_who_left(last: str, ending: str) -> None:
    assert chat("想补牙", ">可以补的。", "好", last).ending == ending


def test_where_a_report_is_read_is_an_errand() -> None:
    assert not chat("化验单在哪里看", "没找到", "还是没有").in_scope


def test_an_in_law_is_somebody_asked_for() -> None:
    verdict = chat("姐夫头顶秃了一块 想种", ">您哪年开始掉的？")
    assert verdict.third_party
    assert "third_party_missed" in {found.code for found in verdict.findings}
