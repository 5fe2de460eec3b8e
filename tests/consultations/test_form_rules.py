"""What is asked, what is an answer, what is missing; no database."""

import json
from datetime import time
from typing import Any

import pytest
from django.http import QueryDict

from consultations import form_edit
from consultations.answer_form import AnswerForm
from consultations.form_facts import facts_from
from consultations.form_rules import (
    AnswerError,
    Condition,
    Person,
    Question,
    asked,
    clean,
    merge,
    progress,
    read,
    spoken,
)
from consultations.form_sets import BUILTIN_SETS, DENTAL
from consultations.script_sets import BUILTIN_SCRIPTS

ADULT_WOMAN = Person("f", 34)
COLOURS = (("red", "红"), ("blue", "蓝"), ("none", "没有"))


def one(type_: str, **more: object) -> Question:
    return Question("q", type_, "?", **more)  # type: ignore[arg-type]


@pytest.mark.parametrize("kind", BUILTIN_SETS)
@pytest.mark.parametrize("language", ["zh-hans", "en"])
def test_builtin_sets_are_whole_in_both_languages(kind: str, language: str) -> None:
    groups = read(BUILTIN_SETS[kind], language, ADULT_WOMAN)
    codes = [q.code for g in groups for q in g.questions]
    assert len(codes) == len(set(codes))
    for group in groups:
        assert group.title
        for question in group.questions:
            assert question.label
            assert all(label for _code, label in question.options)
            assert bool(question.options) == (question.type in {"single", "multi"})
            assert not question.show_if.answer or question.show_if.answer in codes
    wanted = {"main_complaint", "pain", "conditions", "medication", "allergies", "pregnancy", "smoking", "wish",
              "worries", "decide_with", "budget", "heard", "call_hours"}  # fmt: skip
    assert wanted <= set(codes)


@pytest.mark.parametrize(
    ("person", "is_asked"),
    [
        (Person("f", 34), True),
        (Person("f", 12), True),
        (Person("f", 11), False),
        (Person("f", 55), True),
        (Person("f", 56), False),
        (Person("f", None), True),
        (Person("", 30), True),
        (Person("m", 30), False),
    ],
)
def test_pregnancy_is_asked_only_where_it_matters(person: Person, is_asked: bool) -> None:
    assert ("pregnancy" in {g.code for g in read(DENTAL, "zh", person)}) is is_asked


def test_a_question_waits_for_the_answer_it_depends_on() -> None:
    group = next(g for g in read(DENTAL, "zh", ADULT_WOMAN) if g.code == "pain")
    assert [q.code for q in asked(group, {"pain": "none"}, ADULT_WOMAN)] == ["pain"]
    assert "pain_where" in [q.code for q in asked(group, {"pain": "now"}, ADULT_WOMAN)]
    assert Condition("a", frozenset({"x"})).holds({"a": ["x", "y"]}, ADULT_WOMAN)
    assert Condition("a", frozenset({"yes"})).holds({"a": {"value": "yes"}}, ADULT_WOMAN)
    assert not Condition("a", frozenset({"yes"})).holds({}, ADULT_WOMAN)


@pytest.mark.parametrize(
    ("question", "raw", "stored"),
    [
        (one("text"), "  小学老师 ", "小学老师"),
        (one("text"), "   ", None),
        (one("text"), "a\x00b", "ab"),
        (one("long"), "字" * 1000, "字" * 1000),
        (one("single", options=COLOURS), "red", "red"),
        (one("multi", options=COLOURS), ["blue", "red"], ["red", "blue"]),
        (one("multi", options=COLOURS), ["none"], ["none"]),
        (one("multi", options=COLOURS), ["none", "red"], ["red"]),
        (one("multi", options=COLOURS), [], None),
        (one("yes_no"), "no", {"value": "no"}),
        (one("scale", least=0, most=10), "0", 0),
        (one("scale", least=0, most=10), "10", 10),
        (one("number", least=2, most=300), "52", 52),
        (one("date"), "2026-03-05", "2026-03-05"),
        (one("month"), "2026-12", "2026-12"),
    ],
)
def test_a_good_answer_is_kept(question: Question, raw: object, stored: object) -> None:
    assert clean(question, raw) == stored


@pytest.mark.parametrize(
    ("question", "raw"),
    [
        (one("text"), "x" * 121),
        (one("long"), "x" * 1001),
        (one("single", options=COLOURS), "green"),
        (one("multi", options=COLOURS), ["red", "green"]),
        (one("yes_no"), "perhaps"),
        (one("scale", least=0, most=10), "11"),
        (one("scale", least=0, most=10), "-1"),
        (one("number", least=2, most=300), "1.5"),
        (one("number", least=2, most=300), "9" * 5000),
        (one("date"), "2026-02-30"),
        (one("month"), "2026-13"),
        (one("month"), "3026-01"),
    ],
)
def test_a_bad_answer_is_refused(question: Question, raw: object) -> None:
    with pytest.raises(AnswerError):
        clean(question, raw)


def test_details_belong_to_a_yes_alone() -> None:
    assert clean(one("yes_no"), "yes", " 青霉素 ") == {"value": "yes", "detail": "青霉素"}
    assert clean(one("yes_no"), "no", "青霉素") == {"value": "no"}


def test_progress_counts_what_applies_and_names_what_is_missing() -> None:
    groups = read(DENTAL, "zh", Person("m", 40))
    empty = progress(groups, {}, Person("m", 40))
    assert empty.answered == 0
    assert {"main_complaint", "pain", "conditions", "allergies", "medication"} <= {q.code for q in empty.missing}
    hurting = progress(groups, {"pain": "now"}, Person("m", 40))
    assert hurting.total > empty.total
    assert hurting.answered == 1


def test_a_required_yes_is_whole_only_with_its_detail() -> None:
    groups = read(DENTAL, "zh", ADULT_WOMAN)

    def missing(answers: dict[str, object]) -> set[str]:
        return {q.code for q in progress(groups, answers, ADULT_WOMAN).missing}

    assert "allergies" in missing({"allergies": {"value": "yes"}})
    assert "allergies" not in missing({"allergies": {"value": "yes", "detail": "青霉素"}})
    assert "allergies" not in missing({"allergies": {"value": "unsure"}})


@pytest.mark.parametrize(
    ("stored", "seen", "sent", "result"),
    [
        ({}, {}, {"a": 1}, {"a": 1}),
        ({"b": 2}, {}, {"a": 1, "b": None}, {"a": 1, "b": 2}),  # b was answered by the other meanwhile
        ({"a": 2}, {"a": 1}, {"a": 1}, {"a": 2}),  # untouched here, changed there
        ({"a": 2}, {"a": 1}, {"a": 3}, {"a": 3}),  # both changed it: the later holds
        ({"a": 1}, {"a": 1}, {"a": None}, {}),  # emptied
        ({"a": 1, "z": 9}, {"a": 1}, {"a": 1}, {"a": 1, "z": 9}),
    ],
)
def test_merging_keeps_what_the_other_answered(stored: dict, seen: dict, sent: dict, result: dict) -> None:
    assert merge(stored, seen, sent) == result


def test_without_what_was_seen_the_other_answer_would_be_lost() -> None:
    """The protection above is what does it: a writer who claims to have seen all of it wipes it."""
    assert merge({"b": 2}, {"b": 2}, {"a": 1, "b": None}) == {"a": 1}


def test_a_page_remembers_what_it_saw_and_sent_but_not_what_others_did() -> None:
    groups = read(DENTAL, "zh", ADULT_WOMAN)
    data = QueryDict(mutable=True)
    data.update({"q_occupation": "老师", "version": json.dumps({"heard": "wechat"})})
    form = AnswerForm(groups, {"heard": "search", "daily_rhythm": "夜班"}, data)
    assert form.is_valid()
    assert json.loads(form.seen_now()) == {"occupation": "老师"}  # heard was emptied by this page


def test_unreadable_memory_counts_as_nothing_seen() -> None:
    groups = read(DENTAL, "zh", ADULT_WOMAN)
    for text in ("{", "[1]", "x" * 100_000, '"a"'):
        data = QueryDict(mutable=True)
        data.update({"version": text})
        assert AnswerForm(groups, {}, data).seen() == {}


def test_facts_carry_what_matters_and_leave_out_a_plain_no() -> None:
    questions = [q for g in read(DENTAL, "zh", ADULT_WOMAN) for q in g.questions]
    answers = {
        "main_complaint": "左下后牙缺失一年，想种植",
        "allergies": {"value": "yes", "detail": "青霉素"},
        "conditions": ["blood_pressure", "diabetes"],
        "medication": {"value": "yes", "detail": "二甲双胍"},
        "blood_thinner": {"value": "no"},
        "pregnancy": "no",
        "occupation": "小学老师",
        "heard": "referral",
        "call_hours": "18:00-21:00",
    }
    facts = facts_from(questions, answers)
    assert facts.allergies == "青霉素"
    assert facts.medical_notes == "高血压、糖尿病；用药：二甲双胍"
    assert (facts.call_from, facts.call_to) == (time(18), time(21))
    assert (facts.occupation, facts.channel, facts.complaint) == ("小学老师", "referral", "左下后牙缺失一年，想种植")
    assert facts_from(questions, {"allergies": {"value": "no"}, "conditions": ["none"]}).medical_notes == ""


def test_answers_are_said_in_words() -> None:
    assert spoken(one("single", options=COLOURS), "red") == "红"
    assert "红" in spoken(one("multi", options=COLOURS), ["red", "blue"])
    assert spoken(one("scale"), 7) == "7 / 10"
    assert spoken(one("text"), None) == ""


def test_builtin_scripts_keep_to_the_rules_of_speech() -> None:
    never = ("不好意思", "最", "保证", "根治", "治愈", "100%", "麻烦您", "打扰一下", "难道", "永久")
    for stage, scripts in BUILTIN_SCRIPTS.items():
        assert scripts, stage
        for title, body in scripts:
            assert not [word for word in never if word in body], (stage, title)
    words = {title for scripts in BUILTIN_SCRIPTS.values() for title, _body in scripts}
    assert {"说明价格", "说明时间", "说明疼痛", "说明替代方案", "请介绍朋友", "请写点评"} <= words
    assert "很抱歉" in BUILTIN_SCRIPTS["received"][0][1]


def test_editing_renames_switches_and_moves_without_touching_the_original() -> None:
    before = json.dumps(DENTAL, ensure_ascii=False)
    groups = form_edit.edited(DENTAL, {"zh-pain": "疼吗", "en-pain": "Pain?", "on-pain": "1"})
    pain = next(q for g in groups for q in g["questions"] if q["code"] == "pain")
    assert pain["label"] == {"zh": "疼吗", "en": "Pain?"}
    assert "required" not in pain
    groups = form_edit.moved(groups, "pain_where", -1)
    assert [q["code"] for q in groups[1]["questions"]][:2] == ["pain_where", "pain"]
    assert form_edit.moved(groups, "pain_where", -1) == groups
    assert json.dumps(DENTAL, ensure_ascii=False) == before


def test_a_clinic_adds_and_deletes_its_own_questions_but_not_builtin_ones() -> None:
    data = {"new-zh-pain": "牙龈出血吗", "new-type-pain": "single", "new-options-pain": "常常 | Often\n没有"}
    groups = form_edit.added(DENTAL, "pain", data)
    own = groups[1]["questions"][-1]
    assert own["code"] == "own_1"
    assert own["options"][0]["label"] == {"zh": "常常", "en": "Often"}
    assert form_edit.removed(groups, "own_1") == DENTAL
    assert form_edit.removed(groups, "pain") == groups


def answers_of(groups: Any, code: str) -> list[tuple[str, str]]:
    question = next(q for g in groups for q in g["questions"] if q["code"] == code)
    return [(option["code"], option["label"]["zh"]) for option in question["options"]]


def test_answers_keep_their_codes_when_reworded_moved_or_joined_by_new_ones() -> None:
    form = {"zh-pain": "疼吗", "on-pain": "1"}
    assert answers_of(DENTAL, "pain") == [("none", "不疼"), ("sometimes", "有时疼"), ("now", "正在疼")]
    reworded = form_edit.edited(DENTAL, form | {"answers-pain": "完全不疼 | No\n有时疼 | At times\n正在疼 | Right now"})
    assert answers_of(reworded, "pain") == [("none", "完全不疼"), ("sometimes", "有时疼"), ("now", "正在疼")]
    turned = form_edit.edited(DENTAL, form | {"answers-pain": "正在疼 | Right now\n不疼 | No\n咬东西时疼"})
    assert answers_of(turned, "pain")[:2] == [("now", "正在疼"), ("none", "不疼")]
    assert answers_of(turned, "pain")[2] == ("a1", "咬东西时疼")
    longer = form_edit.edited(
        DENTAL, form | {"answers-pain": "不疼 | No\n有时疼 | At times\n正在疼 | Right now\n夜里疼"}
    )
    assert answers_of(longer, "pain")[3] == ("a1", "夜里疼")


def test_a_question_is_not_left_with_one_answer() -> None:
    data = {"zh-pain": "疼吗", "on-pain": "1", "answers-pain": "只有一个"}
    groups = form_edit.edited(DENTAL, data)
    assert form_edit.lacks_answers(groups, data)
    assert len(answers_of(groups, "pain")) == 3


@pytest.mark.parametrize(
    "data",
    [
        {"new-zh-pain": " ", "new-type-pain": "text"},
        {"new-zh-pain": "问", "new-type-pain": "essay"},
        {"new-zh-pain": "问", "new-type-pain": "multi", "new-options-pain": "只有一个"},
    ],
)
def test_a_question_that_cannot_be_asked_is_refused(data: dict[str, str]) -> None:
    with pytest.raises(ValueError, match=r"."):
        form_edit.added(DENTAL, "pain", data)


def test_a_set_without_words_or_questions_is_a_problem() -> None:
    assert form_edit.problem(DENTAL) == ""
    nameless = form_edit.edited(DENTAL, {"zh-pain": "", "en-pain": "", "on-pain": "1"})
    assert form_edit.problem(nameless)
    silent = [g | {"questions": [q | {"off": True} for q in g["questions"]]} for g in DENTAL]
    assert form_edit.problem(silent)
