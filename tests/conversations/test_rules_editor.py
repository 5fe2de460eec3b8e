"""The rules editor: trying, counting what would change, versions, two editors, rubrics."""

import re

import pytest
from django.utils.translation import override

from accounts.permissions import Role
from conversations.inspection import Rules
from conversations.models import Finding, ReinspectionJob, Rubric, RuleSet
from conversations.rule_forms import RulesForm, words_in
from conversations.services.inspecting import inspect_batch
from conversations.services.rule_sets import (
    differences,
    preview_step,
    sample_messages,
    save_rules,
    start_preview,
    try_on,
)
from conversations.word_gloss import gloss
from tests.conversations.reading_helpers import client_of, consultant_of, manager_of
from tests.factories import ClinicFactory, ConversationFactory, UserFactory

pytestmark = pytest.mark.django_db
OWN = {"words": {"taboo.colloquial": {"added": [{"word": "亲亲", "advice": "您"}]}}}
SAID = [("visitor", "种牙疼吗"), ("consultant", "亲亲，稍等一下，我帮您看一下资料")]


@pytest.fixture
def clinic():
    return ClinicFactory()


@pytest.fixture
def manager(clinic):
    return manager_of(clinic)


@pytest.fixture
def client(manager):
    return client_of(manager)


def posted(rules=None, version=0, **changes):
    """What the form sends when nothing but `changes` was touched."""
    form = RulesForm(rules=rules or {}, version=version)
    data = {}
    for name in form.fields:
        value = form[name].value()
        if isinstance(value, list):
            data[name] = value
        elif value is True:
            data[name] = "on"
        elif value is not None and value is not False:
            data[name] = value
    return {name: value for name, value in (data | changes).items() if value is not None}


def test_only_who_edits_rules_may_open_them(clinic):
    for role in (Role.ONLINE_CONSULTANT, Role.COORDINATOR, Role.DOCTOR):
        client = client_of(UserFactory(clinic=clinic, role=role))
        for url in ("/conversations/rules/", "/conversations/rubrics/", "/conversations/rules/versions/0/"):
            assert client.get(url).status_code == 403
        assert client.post("/conversations/rules/save/", posted()).status_code == 403


def test_the_untouched_form_says_nothing_differs_from_the_built_in(client, clinic):
    assert client.get("/conversations/rules/").status_code == 200
    client.post("/conversations/rules/save/", posted(reinspect=""))
    rules = RuleSet.objects.for_clinic(clinic).get()
    assert (rules.version, rules.data) == (1, {})
    assert not ReinspectionJob.objects.exists()


def test_what_is_saved_comes_back_on_the_form(client, clinic):
    changes = {
        "t.silence_seconds": "90", "w.taboo.colloquial": "亲亲 = 您\n宝子", "on.error.punctuation": None,
        "a.abuse": "马上道歉", "note": "更严", "reinspect": "all",
    }  # fmt: skip
    ConversationFactory(clinic=clinic)
    client.post("/conversations/rules/save/", posted(**changes))
    saved = RuleSet.objects.for_clinic(clinic).get(is_active=True)
    assert saved.data == {
        "thresholds": {"silence_seconds": 90.0}, "off": ["error.punctuation"], "advice": {"abuse": "马上道歉"},
        "words": {"taboo.colloquial": {"added": [{"word": "亲亲", "advice": "您"}, {"word": "宝子", "advice": ""}]}},
    }  # fmt: skip
    job = ReinspectionJob.objects.get()
    assert (job.rule_set, job.total, job.since) == (saved, 1, None)
    client.post("/conversations/rules/save/", posted(saved.data, 1, reinspect=""))
    again = RuleSet.objects.for_clinic(clinic).get(is_active=True)
    assert (again.version, again.data) == (2, saved.data)


@pytest.mark.parametrize(
    "changes",
    [{"t.silence_seconds": "0"}, {"t.silence_seconds": "x"}, {"t.few_words_ratio": "99"}, {"seen": "x"},
     {"w.abuse": "字" * 41}, {"x.abuse": ["没有这个词"]}],
)  # fmt: skip
def test_rules_that_cannot_be_used_are_refused_beside_their_field(client, clinic, changes):
    answer = client.post("/conversations/rules/save/", posted(**changes))
    assert answer.status_code == 422
    assert set(answer.context["form"].errors) & set(changes)
    assert not RuleSet.objects.exists()


def test_of_two_editors_the_second_sees_both_and_may_save_over(client, clinic):
    save_rules(clinic=clinic, data={"thresholds": {"silence_seconds": 60}}, note="", seen=0, by=manager_of(clinic))
    mine = posted(**{"t.silence_seconds": "90"})
    answer = client.post("/conversations/rules/save/", mine)
    page = answer.content.decode()
    assert answer.status_code == 409
    assert "90.0 → 60" in page
    assert 'value="90"' in page
    assert '<input type="hidden" name="seen" value="1">' in page
    client.post("/conversations/rules/save/", mine | {"seen": "1"})
    assert RuleSet.objects.for_clinic(clinic).get(is_active=True).data["thresholds"] == {"silence_seconds": 90.0}


def test_an_earlier_version_and_the_built_in_rules_can_be_used_again(client, clinic, manager):
    save_rules(clinic=clinic, data=OWN, note="", seen=0, by=manager)
    client.post("/conversations/rules/versions/0/")
    assert RuleSet.objects.for_clinic(clinic).get(is_active=True).data == {}
    assert "亲亲" in client.get("/conversations/rules/versions/1/").content.decode()
    client.post("/conversations/rules/versions/1/")
    newest = RuleSet.objects.for_clinic(clinic).get(is_active=True)
    assert (newest.version, newest.data) == (3, OWN)
    assert client.get("/conversations/rules/versions/9/").status_code == 404


# --- trying --------------------------------------------------------------------------------------


def test_trying_finds_what_saving_then_finds(client, clinic, manager):
    chat = ConversationFactory(clinic=clinic, consultant=consultant_of(clinic), lines=SAID)
    sample = "\n".join(("访客：" if who == "visitor" else "咨询师：") + text for who, text in SAID)
    _said, tried, _verdict = try_on(sample, Rules.from_data(OWN))
    save_rules(clinic=clinic, data=OWN, note="", seen=0, by=manager)
    inspect_batch([chat.pk])
    stored = Finding.objects.standing().filter(conversation=chat)
    places = {(f.code, f.message.position if f.message else None, f.advice) for f in tried}
    assert places == {(f.code, f.message.position if f.message else None, f.advice) for f in stored}
    assert ("taboo.colloquial", 1) in {(code, place) for code, place, _advice in places}


def test_trying_answers_a_fragment_or_the_page_and_saves_nothing(client, clinic):
    data = posted(**{"w.taboo.colloquial": "亲亲 = 您"}) | {"sample": "亲亲，<i>稍等</i>"}
    part = client.post("/conversations/rules/try/", data, headers={"HX-Request": "true"}).content.decode()
    assert ">亲亲</mark>" in part
    assert "&lt;i&gt;" in part
    assert "<html" not in part
    whole = client.post("/conversations/rules/try/", data).content.decode()
    assert ">亲亲</mark>" in whole
    assert "亲亲 = 您" in whole
    assert not RuleSet.objects.exists()


def test_pasted_lines_are_read_by_who_said_them(clinic):
    text = "2026-11-20 13:05:12 访客1234：在吗\n13:06 小青: 在\n系统提示：已接入\n就一句话\n\n25:00 访客：？"
    from django.utils import timezone

    rows = sample_messages(text, timezone.localtime())
    assert [r.sender for r in rows] == ["visitor", "consultant", "system", "consultant", "visitor"]
    assert [r.text for r in rows] == ["在吗", "在", "已接入", "就一句话", "？"]
    assert [bool(r.at) for r in rows] == [True, True, False, False, False]


# --- what would change ----------------------------------------------------------------------------


def test_the_count_is_what_inspecting_again_then_changes(client, clinic, manager, monkeypatch):
    monkeypatch.setattr("conversations.services.rule_sets.STEP", 2)
    who = consultant_of(clinic)
    chats = [ConversationFactory(clinic=clinic, consultant=who, lines=SAID) for _ in range(3)]
    other = ConversationFactory(clinic=ClinicFactory(), lines=SAID)
    inspect_batch([chat.pk for chat in chats])
    before = Finding.objects.standing().count()
    token = start_preview(clinic=clinic, data=OWN, by=manager)
    assert preview_step(clinic=clinic, token=token, by=manager)["done"] == 2
    state = preview_step(clinic=clinic, token=token, by=manager)
    assert (state["done"], state["changed"], state["added"], state["removed"]) == (3, 3, {"taboo.colloquial": 3}, {})
    assert sorted(state["examples"]["added:taboo.colloquial"]) == [chat.pk for chat in chats]
    save_rules(clinic=clinic, data=OWN, note="", seen=0, by=manager)
    assert inspect_batch([chat.pk for chat in chats]) == 3
    assert Finding.objects.standing().count() == before + 3
    assert not Finding.objects.filter(conversation=other).exists()


def test_what_a_manager_found_or_took_back_does_not_change(clinic, manager):
    who = consultant_of(clinic)
    chat = ConversationFactory(clinic=clinic, consultant=who, lines=SAID)
    save_rules(clinic=clinic, data=OWN, note="", seen=0, by=manager)
    inspect_batch([chat.pk])
    Finding.objects.filter(code="taboo.colloquial").update(withdrawn_at=chat.started_at, withdrawn_reason="manager")
    token = start_preview(clinic=clinic, data=OWN, by=manager)
    assert preview_step(clinic=clinic, token=token, by=manager)["changed"] == 0


def test_counting_goes_on_by_itself_and_without_scripts_by_links(client, clinic, monkeypatch):
    monkeypatch.setattr("conversations.services.rule_sets.STEP", 1)
    for _n in range(2):
        ConversationFactory(clinic=clinic, lines=SAID)
    part = client.post("/conversations/rules/preview/", posted(), headers={"HX-Request": "true"}).content.decode()
    assert "1 / 2" in part
    assert 'hx-trigger="load' in part
    page = client.post("/conversations/rules/preview/", posted(), follow=True)
    url = page.request["PATH_INFO"]
    assert page.context["preview"]["done"] == 1
    assert client.get(url).context["preview"]["is_over"]
    other = client_of(manager_of(clinic))
    assert other.get(url).status_code == 404
    assert client.get("/conversations/rules/preview/nothing/").status_code == 404


def test_words_are_read_line_by_line():
    assert words_in(" 亲亲 = 您 \n\n宝子\nOK ＝ 好的\n=没有词") == [("亲亲", "您"), ("宝子", ""), ("OK", "好的")]


def test_differences_are_told_path_by_path():
    old, new = {"off": ["abuse"]}, {"off": ["abuse", "not_invited"], "advice": {"abuse": "?"}}
    assert differences(old, new) == ["advice.abuse: — → ?", "off: abuse → abuse、not_invited"]
    assert differences(OWN, OWN) == []


# --- rubrics -------------------------------------------------------------------------------------


def chat_rubric(client, **changes):
    form = client.get("/conversations/rubrics/").context["chat_form"]
    return {"kind": "chat", **{name: form[name].value() for name in form.fields}} | changes


def test_a_rubric_gets_a_new_version_and_two_editors_meet(client, clinic):
    data = chat_rubric(client, **{"d.error.typo": "6"})
    client.post("/conversations/rubrics/", data)
    rubric = Rubric.objects.for_clinic(clinic).get(kind="chat", is_active=True)
    assert (rubric.version, rubric.data["deductions"]["error.typo"]) == (1, 6.0)
    assert client.post("/conversations/rubrics/", data | {"d.error.typo": "7"}).status_code == 409
    assert client.post("/conversations/rubrics/", data | {"d.error.typo": "700", "seen": "1"}).status_code == 422
    client.post("/conversations/rubrics/", data | {"d.error.typo": "7", "seen": "1"})
    assert Rubric.objects.for_clinic(clinic).get(kind="chat", is_active=True).version == 2


@pytest.mark.parametrize(
    ("word", "shown"),
    [
        ("亲亲", "亲亲"),
        ("稍…等", "稍…等"),
        ("管管(你|他)", "管管你, 管管他"),
        ("(他|她)(妈|娘)的(，|。|$)", "他妈的, 她娘的 and 2 more"),
        ("不(认|)识字(吗|)", "不认识字吗, 不识字 and 2 more"),
        ("(没关", "(没关"),  # a bracket that does not close stands for itself
    ],
)
def test_patterns_are_shown_as_words(word, shown):
    with override("en"):
        assert gloss(word) == shown


def test_no_built_in_word_is_shown_as_a_pattern(client):
    page = client.get("/conversations/rules/").content.decode()
    shown = [
        text for text in re.findall(r'<label class="check">.*?<span[^>]*>([^<]*)', page) if set(text) & set("(|)$")
    ]
    assert not shown
