"""What a note must hold, and words a doctor should not be asked to say."""

import pytest

from consultations.handoff_rules import (
    REQUIRED,
    Fault,
    Note,
    Part,
    as_lines,
    clean_points,
    missing_parts,
    words_to_leave_out,
)

WHOLE = Note("C-C", "", 2, 3, "看法", "已说", ("强调",), "请说")


def test_a_whole_note_lacks_nothing():
    assert missing_parts(WHOLE, "C-C") == ()


def test_an_empty_note_lacks_every_needed_part():
    assert missing_parts(Note(), "C-C") == REQUIRED


@pytest.mark.parametrize("part", REQUIRED)
def test_each_part_is_named_when_it_alone_is_missing(part):
    nothing = {Part.STRESS: ("  ",), Part.AWARENESS: None, Part.TRUST: None}
    emptied = Note(**{**WHOLE.__dict__, part.value: nothing.get(part, "  ")})
    assert part in missing_parts(emptied, "C-C")


def test_another_class_than_suggested_needs_a_reason():
    assert missing_parts(WHOLE, "C-D") == (Part.REASON,)
    assert missing_parts(Note(**{**WHOLE.__dict__, "class_reason": "先生拿主意"}), "C-D") == ()


def test_points_are_three_at_most_and_say_something():
    assert clean_points(["", " 一 ", "二", "  ", "三", "四"]) == ["一", "二", "三"]


@pytest.mark.parametrize(
    ("words", "fault"),
    [
        ("我保证能治好", Fault.GUARANTEE),
        ("这个可以根治", Fault.GUARANTEE),
        ("百分百成功", Fault.GUARANTEE),
        ("做了肯定会好", Fault.GUARANTEE),
        ("终身不用换", Fault.GUARANTEE),
        ("完全不疼", Fault.GUARANTEE),
        ("We guarantee it", Fault.GUARANTEE),
        ("我们用最先进的设备", Fault.SUPERLATIVE),
        ("这是最好的材料", Fault.SUPERLATIVE),
        ("全国第一的技术", Fault.SUPERLATIVE),
        ("顶级专家", Fault.SUPERLATIVE),
        ("the best implant", Fault.SUPERLATIVE),
        ("一颗只要 6800 元", Fault.PRICE),
        ("大概一万二，¥12000", Fault.PRICE),
        ("1.2 万就够了", Fault.PRICE),
        ("今天打八折", Fault.PRICE),
        ("现在做有优惠", Fault.PRICE),
        ("价格不高", Fault.PRICE),
        ("可以分期付", Fault.PRICE),
        ("a discount today", Fault.PRICE),
    ],
)
def test_words_to_leave_out_are_found(words, fault):
    assert fault in {found.fault for found in words_to_leave_out(words)}


@pytest.mark.parametrize(
    "words",
    [
        "",
        "片子我看过，现在处理比再等省事。费用和时间，曹老师陪您细看。",
        "费用由咨询师跟您说明。",
        "最近有点肿，最多来两次，最后一次拆线。",
        "您最担心的是疼，我们会打麻药。",
        "36 缺失一年，37 已经倾斜。",
        "Your coordinator will explain the price.",
    ],
)
def test_right_words_pass(words):
    assert words_to_leave_out(words) == []


def test_each_wrong_word_is_named_once():
    found = words_to_leave_out("保证治好，保证不疼，价格低")
    assert [f.words for f in found].count("保证") == 1
    assert "价格" in [f.words for f in found]


def test_price_is_judged_sentence_by_sentence():
    assert words_to_leave_out("价格很低。时间由曹老师陪您细看。")
    assert not words_to_leave_out("时间不长。价格由曹老师陪您细看。")


def test_a_text_becomes_short_lines():
    assert as_lines("缺牙久了，邻牙会倒；能不能种看骨量。\n价格只说了范围。") == [
        "缺牙久了，邻牙会倒", "能不能种看骨量", "价格只说了范围",
    ]  # fmt: skip
