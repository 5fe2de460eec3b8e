"""Findings by hand, scores that replace each other, appeals and their answers; and two people at once."""

from concurrent.futures import ThreadPoolExecutor
from decimal import Decimal
from threading import Barrier

import pytest
from django.db import connection, connections

from conversations.errors import Changed, Refused
from conversations.models import Appeal, Finding, ScoreCard
from conversations.services import appeals, scoring
from conversations.services.appeals import answer_appeal, make_appeal
from conversations.services.scoring import add_finding, give_score, withdraw_finding
from tests.conversations.reading_helpers import client_of, consultant_of, found, manager_of, rude_chat
from tests.factories import ClinicFactory

pytestmark = pytest.mark.django_db


@pytest.fixture
def clinic():
    return ClinicFactory()


@pytest.fixture
def manager(clinic):
    return manager_of(clinic)


@pytest.fixture
def consultant(clinic):
    return consultant_of(clinic)


@pytest.fixture
def chat(clinic, consultant):
    return rude_chat(clinic, consultant)


def card(chat):
    return ScoreCard.objects.get(conversation=chat, replaced_at=None)


def score(chat, by, **points):
    holds = ScoreCard.objects.filter(conversation=chat, replaced_at=None).first()
    given = {code.replace("_", ".", 1): Decimal(value) for code, value in points.items()}
    return give_score(conversation=chat, points=given, note="看过了", seen=holds.pk if holds else None, by=by)


# --- scores --------------------------------------------------------------------------------------


def test_the_rubric_proposes_and_the_manager_may_differ_with_a_note(chat, manager, consultant):
    client = client_of(manager)
    url = f"/conversations/{chat.pk}/score/"
    answer = client.post(url, {"taboo.rhetorical": "4"})
    assert answer.status_code == 422
    assert answer.context["score_form"].errors["note"]
    assert 'value="4"' in answer.content.decode()
    client.post(url, {"taboo.rhetorical": "4", "note": "语气还好"})
    one = card(chat)
    assert (one.score, one.consultant, one.scored_by, one.rubric.version) == (Decimal(88), consultant, manager, 1)
    assert {line["code"]: line["points"] for line in one.lines} == {
        "taboo.rhetorical": 4, "error.typo": 3, "not_invited": 5,
    }  # fmt: skip


def test_a_new_score_replaces_the_former(chat, manager):
    score(chat, manager)
    score(chat, manager, error_typo=0)
    assert [c.score for c in ScoreCard.objects.order_by("pk")] == [Decimal(82), Decimal(85)]
    assert card(chat).score == Decimal(85)


def test_two_managers_scoring_the_second_is_told_and_sees_the_first(chat, manager, clinic):
    score(chat, manager_of(clinic, full_name="何静宜"))
    answer = client_of(manager).post(f"/conversations/{chat.pk}/score/", {"note": "?"})
    assert answer.status_code == 409
    assert "何静宜" in answer.content.decode()
    assert ScoreCard.objects.count() == 1


def test_an_insult_leaves_nothing(chat, manager):
    add_finding(conversation=chat, code="abuse", by=manager, message=chat.messages.get(position=1))
    chat.refresh_from_db()
    assert (chat.score, chat.severity) == (0, 4)
    assert score(chat, manager, abuse=1).score == 0


@pytest.mark.parametrize("points", ["-1", "101", "abc", "1e9", "NaN"])
def test_points_that_are_none_are_refused(chat, manager, points):
    answer = client_of(manager).post(f"/conversations/{chat.pk}/score/", {"error.typo": points, "note": "?"})
    assert answer.status_code == 422
    assert not ScoreCard.objects.exists()


# --- findings by hand ----------------------------------------------------------------------------


def test_a_managers_finding_lowers_the_score_and_names_who(chat, manager, consultant):
    score(chat, manager)
    message = chat.messages.get(position=3)
    facts = {"message": message.pk, "code": "taboo.shirking", "quote": "再说", "note": "推给以后"}
    client_of(manager).post(f"/conversations/{chat.pk}/findings/add/", facts)
    finding = Finding.objects.get(code="taboo.shirking")
    assert (finding.by, finding.user, finding.quote) == (manager, consultant, "再说")
    assert finding.shown_advice
    chat.refresh_from_db()
    assert chat.score == Decimal(72)
    assert card(chat).score == Decimal(72)


def test_a_finding_needs_words_of_the_message_and_a_consultants_one(chat, manager):
    client, url = client_of(manager), f"/conversations/{chat.pk}/findings/add/"
    said, asked = chat.messages.get(position=1), chat.messages.get(position=0)
    for facts in (
        {"message": said.pk, "code": "taboo.shirking", "quote": "没有这句"},
        {"message": asked.pk, "code": "taboo.shirking"},
        {"message": said.pk, "code": "taboo.rhetorical"},  # found there already
        {"message": said.pk, "code": "nothing"},
        {"code": ""},
    ):
        assert client.post(url, facts).status_code == 422, facts
    other = rude_chat(chat.clinic).messages.first()
    assert client.post(url, {"message": other.pk, "code": "taboo.shirking"}).status_code == 404


def test_withdrawing_twice_is_withdrawing_once(chat, manager):
    score(chat, manager)
    finding = chat.findings.get(code="taboo.rhetorical")
    withdraw_finding(finding=finding, reason="manager", by=manager)
    withdraw_finding(finding=finding, reason="manager", by=manager)
    assert card(chat).score == Decimal(92)
    assert ScoreCard.objects.count() == 2


# --- appeals -------------------------------------------------------------------------------------


def test_an_appeal_upheld_withdraws_the_finding_and_the_score_follows(chat, manager, consultant, clinic):
    score(chat, manager, error_typo=1)  # the manager's own view of the typo stays
    finding = chat.findings.get(code="taboo.rhetorical")
    mine, theirs = client_of(consultant), client_of(manager)
    answer = mine.post(f"/conversations/findings/{finding.pk}/appeal/", {"text": "当时同时接四个对话"})
    assert answer.headers["Location"] == f"/conversations/{chat.pk}/"
    assert "当时同时接四个对话" in theirs.get("/conversations/?tab=appeals").content.decode()
    appeal = Appeal.objects.get()
    theirs.post(f"/conversations/appeals/{appeal.pk}/answer/", {"upheld": "yes", "answer": "情有可原"})
    finding.refresh_from_db()
    chat.refresh_from_db()
    assert finding.withdrawn_reason == "appeal"
    assert chat.score == Decimal(92)
    assert card(chat).score == Decimal(94)
    assert "情有可原" in mine.get("/conversations/").content.decode()
    assert "当时同时接四个对话" not in "".join(
        str(a.text) for a in theirs.get("/conversations/?tab=appeals").context["waiting"]
    )


def test_turned_down_needs_a_reason_and_changes_nothing(chat, manager, consultant):
    finding = chat.findings.get(code="error.typo")
    appeal = make_appeal(finding=finding, text="方言", by=consultant)
    client, url = client_of(manager), f"/conversations/appeals/{appeal.pk}/answer/"
    assert client.post(url, {"upheld": "no"}).status_code == 422
    assert client.post(url, {"upheld": "perhaps"}).status_code == 422
    assert client.post(url, {"upheld": "no", "answer": "就是错字"}).status_code == 302
    finding.refresh_from_db()
    chat.refresh_from_db()
    assert finding.withdrawn_at is None
    assert chat.score == Decimal(82)
    assert client.post(url, {"upheld": "yes"}).status_code == 409


def test_a_finding_is_appealed_once_by_whose_words_they_are(chat, clinic, consultant):
    finding = chat.findings.get(code="error.typo")
    url = f"/conversations/findings/{finding.pk}/appeal/"
    assert client_of(manager_of(clinic)).post(url, {"text": "?"}).status_code == 422
    client = client_of(consultant)
    assert client.post(url, {"text": " "}).status_code == 422
    assert client.post(url, {"text": "方言"}).status_code == 302
    assert client.post(url, {"text": "再说一次"}).status_code == 409
    assert Appeal.objects.get().text == "方言"


def test_nobody_answers_their_own_appeal(clinic):
    manager = manager_of(clinic)
    chat = rude_chat(clinic, manager)
    appeal = make_appeal(finding=chat.findings.get(code="error.typo"), text="?", by=manager)
    with pytest.raises(Refused):
        answer_appeal(appeal=appeal, upheld=True, answer="", by=manager)
    answer_appeal(appeal=appeal, upheld=True, answer="", by=manager_of(clinic))


def test_a_finding_taken_back_cannot_be_appealed(chat, manager, consultant):
    finding = chat.findings.get(code="error.typo")
    withdraw_finding(finding=finding, reason="manager", by=manager)
    finding.refresh_from_db()
    with pytest.raises(Refused):
        make_appeal(finding=finding, text="?", by=consultant)


def test_another_clinics_appeal_is_not_found(manager):
    other = ClinicFactory()
    who = consultant_of(other)
    appeal = make_appeal(finding=rude_chat(other, who).findings.first(), text="?", by=who)
    answer = client_of(manager).post(f"/conversations/appeals/{appeal.pk}/answer/", {"upheld": "yes"})
    assert answer.status_code == 404


def test_findings_on_the_whole_chat_can_be_appealed(chat, consultant, manager):
    finding = found(chat, "not_asked.condition")
    appeal = make_appeal(finding=finding, text="问过了", by=consultant)
    answer_appeal(appeal=appeal, upheld=True, answer="", by=manager)
    assert not chat.findings.standing().filter(code="not_asked.condition").exists()


# --- two at once ---------------------------------------------------------------------------------

PEOPLE = 6


def at_once(work, people):
    """Let everybody do it at the same moment; how each fared."""
    barrier = Barrier(len(people))

    def one(person):
        try:
            connection.ensure_connection()
            barrier.wait(timeout=60)
            work(person)
        except Exception as error:
            return type(error).__name__
        else:
            return "won"
        finally:
            connections.close_all()

    with ThreadPoolExecutor(len(people)) as pool:
        return sorted(pool.map(one, people))


@pytest.mark.django_db(transaction=True)
def test_of_many_answers_one_counts(clinic, chat, consultant):
    people = [manager_of(clinic) for _ in range(PEOPLE)]
    appeal = make_appeal(finding=chat.findings.get(code="error.typo"), text="?", by=consultant)
    fared = at_once(lambda by: answer_appeal(appeal=appeal, upheld=True, answer=str(by.pk), by=by), people)
    assert fared == ["Changed"] * (PEOPLE - 1) + ["won"]


@pytest.mark.django_db(transaction=True)
def test_without_the_lock_several_answers_count(clinic, chat, consultant, monkeypatch):
    """The control: were one answer to win here too, the test above would prove nothing."""
    people = [manager_of(clinic) for _ in range(PEOPLE)]
    appeal = make_appeal(finding=chat.findings.get(code="error.typo"), text="?", by=consultant)
    barrier = Barrier(PEOPLE)

    def unlocked(given):
        row = Appeal.objects.select_related("finding__conversation__clinic").get(pk=given.pk)
        barrier.wait(timeout=60)
        return row

    monkeypatch.setattr(appeals, "_hold", unlocked)
    fared = at_once(lambda by: answer_appeal(appeal=appeal, upheld=False, answer="?", by=by), people)
    assert fared.count("won") > 1


@pytest.mark.django_db(transaction=True)
def test_of_many_scores_one_holds_and_the_others_are_told(clinic, chat, monkeypatch):
    people = [manager_of(clinic) for _ in range(PEOPLE)]
    fared = at_once(lambda by: give_score(conversation=chat, points={}, note="", seen=None, by=by), people)
    assert fared == ["Changed"] * (PEOPLE - 1) + ["won"]
    ScoreCard.objects.all().delete()
    barrier = Barrier(PEOPLE)

    def unlocked(conversation):
        return conversation

    def late(conversation):
        barrier.wait(timeout=60)

    monkeypatch.setattr(scoring, "_hold", unlocked)
    monkeypatch.setattr(scoring, "card_of", late)
    fared = at_once(lambda by: give_score(conversation=chat, points={}, note="", seen=None, by=by), people)
    assert fared != ["Changed"] * (PEOPLE - 1) + ["won"]
    assert card(chat)  # the constraint still lets one hold


def test_errors_say_what_stands(chat, manager):
    score(chat, manager)
    with pytest.raises(Changed) as told:
        give_score(conversation=chat, points={}, note="", seen=None, by=manager)
    assert told.value.now == card(chat)
