"""Lists of chats and the page of one: who sees what, what is hidden, and how long chats stay usable."""

from datetime import timedelta
from decimal import Decimal

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from accounts.models import AuditEvent
from conversations.masking import hidden
from conversations.models import Capture, CoachingNote, Conversation
from conversations.services.captures import build_contact
from conversations.services.reading import coach, coaching_done
from conversations.transcript import first_ranges
from followups.models import Message
from tests.conversations.reading_helpers import client_of, consultant_of, found, manager_of, rude_chat
from tests.factories import ClinicFactory, ConversationFactory, TeamFactory

pytestmark = pytest.mark.django_db


@pytest.fixture
def clinic():
    return ClinicFactory()


@pytest.fixture
def manager(clinic):
    return manager_of(clinic)


@pytest.fixture
def reading(manager):
    return client_of(manager)


def shown(client, query=""):
    """The chats on a list, in its order."""
    return [row.pk for row in client.get(f"/conversations/?{query}").context["rows"]]


# --- who sees what -------------------------------------------------------------------------------


def test_a_consultant_sees_own_chats_and_finds_no_others(clinic):
    one, other = consultant_of(clinic), consultant_of(clinic)
    mine, theirs = rude_chat(clinic, one), rude_chat(clinic, other)
    client = client_of(one)
    assert client.get(f"/conversations/{mine.pk}/").status_code == 200
    assert client.get(f"/conversations/{theirs.pk}/").status_code == 404
    assert shown(client) == [mine.pk]
    assert shown(client, "tab=all") == [mine.pk]
    assert shown(client, "tab=queue") == [mine.pk]  # managers' tabs lead a consultant to the own list
    for post in ("read", "score", "coach"):
        assert client.post(f"/conversations/{mine.pk}/{post}/").status_code == 403
    assert client.post(f"/conversations/{theirs.pk}/self-check/").status_code == 404
    assert client.get(f"/conversations/findings/{theirs.findings.first().pk}/appeal/").status_code == 404


def test_one_who_wrote_single_sentences_in_a_chat_of_another_may_read_it(clinic):
    one, other = consultant_of(clinic), consultant_of(clinic)
    chat = rude_chat(clinic, other)
    chat.findings.filter(code="error.typo").update(user=one)
    assert client_of(one).get(f"/conversations/{chat.pk}/").status_code == 200


def test_who_got_the_number_or_the_booking_in_a_chat_of_another_may_read_it(clinic):
    one, booker, led = consultant_of(clinic), consultant_of(clinic), consultant_of(clinic)
    chat = rude_chat(clinic, led)
    capture = Capture.objects.create(conversation=chat, booking_at=timezone.now(), booking_user=booker)
    contact = build_contact(capture=capture, kind="phone", value="19900001734")
    contact.user = one
    contact.save()
    for person in (one, booker):
        assert client_of(person).get(f"/conversations/{chat.pk}/").status_code == 200


def test_other_clinics_chats_are_not_found(reading):
    chat = rude_chat(ClinicFactory())
    assert reading.get(f"/conversations/{chat.pk}/").status_code == 404
    assert reading.post(f"/conversations/{chat.pk}/open/").status_code == 404
    assert shown(reading, "tab=all") == []


def test_chats_entered_in_error_are_gone(clinic, reading):
    chat = rude_chat(clinic, is_error=True)
    assert reading.get(f"/conversations/{chat.pk}/").status_code == 404
    assert shown(reading, "tab=all") == []


# --- lists ---------------------------------------------------------------------------------------


def test_the_queue_is_the_gravest_first_then_the_dearest_unread_only(clinic, reading):
    facts = [(2, 100), (4, 10), (2, None), (2, 180), (0, 200)]
    chats = [ConversationFactory(clinic=clinic, severity=s, cost=c) for s, c in facts]
    ConversationFactory(clinic=clinic, severity=4, read_at=timezone.now())
    assert shown(reading) == [chats[n].pk for n in (1, 3, 0, 2, 4)]


def test_reading_leads_through_the_whole_queue_and_ends(clinic, manager, reading):
    chats = [ConversationFactory(clinic=clinic, severity=s, cost=c) for s, c in [(3, 100), (3, None), (1, 150)]]
    at = f"/conversations/{chats[0].pk}/"
    for following in chats[1:]:
        answer = reading.post(f"{at}read/")
        at = f"/conversations/{following.pk}/"
        assert answer.headers["Location"] == at
    assert reading.post(f"{at}read/").headers["Location"] == "/conversations/"
    assert set(Conversation.objects.values_list("read_by", flat=True)) == {manager.pk}


def test_pages_follow_each_other_without_gap_or_double(clinic, reading, monkeypatch):
    monkeypatch.setattr("conversations.queries.SIZE", 4)
    for n in range(11):
        ConversationFactory(clinic=clinic, severity=n % 3, cost=None if n % 4 == 0 else n % 5)
    for tab in ("queue", "all"):
        seen, url = [], f"?tab={tab}"
        while url:
            page = reading.get(f"/conversations/{url}").context
            seen += [row.pk for row in page["rows"]]
            url = page["next_url"]
        assert len(seen) == len(set(seen)) == 11, tab


def test_filters_stand_in_the_address(clinic, reading):
    who, team = consultant_of(clinic), TeamFactory(clinic=clinic)
    old = timezone.now() - timedelta(days=40)
    one = rude_chat(clinic, who, team=team, channel="百度", keyword="种植牙多少钱", ending="consultant", cost=180)
    two = ConversationFactory(clinic=clinic, channel="抖音", keyword="洗牙", ending="greeting", cost=20, started_at=old,
                              is_effective=True)  # fmt: skip
    capture = Capture.objects.create(conversation=two, booking_at=timezone.now())
    build_contact(capture, "wechat", "qinghe_001").save()
    day = timezone.localdate() - timedelta(days=3)
    for query, expected in {
        f"consultant={who.pk}": one, f"team={team.pk}": one, "channel=百度": one, "keyword=种植": one,
        "code=taboo": one, "code=taboo.rhetorical": one, "code=error.typo": one, "ending=consultant": one,
        "captured=none": one, "captured=any": two, "captured=wechat": two, "captured=booking": two, "money=100": one,
        f"from={day}": one, f"to={day}": two, "effective=1": two, "severity=3": one,
    }.items():  # fmt: skip
        assert shown(reading, query) == [expected.pk], query
    assert shown(reading, "captured=phone") == []
    assert sorted(shown(reading, "consultant=abc&from=x&money=-1&code=nothing")) == [one.pk, two.pk]


def test_a_withdrawn_finding_is_not_filtered_by(clinic, reading):
    chat = rude_chat(clinic)
    chat.findings.filter(code="error.typo").update(withdrawn_at=timezone.now(), withdrawn_reason="rules")
    assert shown(reading, "code=error.typo") == []
    assert shown(reading, "code=taboo") == [chat.pk]


@pytest.mark.parametrize("query", ["tab=queue", "tab=all", "tab=appeals", "code=taboo&captured=none"])
def test_a_list_asks_the_same_however_many_chats(clinic, reading, query):
    def statements():
        with CaptureQueriesContext(
            connection,
        ) as asked:
            assert reading.get(f"/conversations/?{query}").status_code == 200
        return len(asked)

    rude_chat(clinic, consultant_of(clinic))
    few = statements()
    for _n in range(12):
        rude_chat(clinic, consultant_of(clinic))
    assert statements() == few


# --- one chat ------------------------------------------------------------------------------------


def test_findings_stand_beside_the_words_and_html_is_text(clinic, reading):
    chat = rude_chat(clinic, consultant_of(clinic))
    page = reading.get(f"/conversations/{chat.pk}/").content.decode()
    assert '<mark class="mark-bad" data-mark="1">难道我没说清楚吗</mark>' in page
    assert '<mark class="mark-watch" data-mark="2">检察</mark>' in page
    assert "&lt;b&gt;" in page
    assert "<b>检察" not in page
    assert "82" in page


def test_waiting_is_told_where_it_ends(clinic, reading):
    chat = rude_chat(clinic, consultant_of(clinic))
    found(chat, "neglect.slow_first_reply", at=0, detail={"seconds": 200, "limit": 30})
    rows = reading.get(f"/conversations/{chat.pk}/").context["rows"]
    assert [row.waited for row in rows] == [None, 200, None, None]
    assert [f.code for f in rows[1].waited_findings] == ["neglect.slow_first_reply"]


def test_numbers_are_hidden_until_opened_and_opening_is_logged(clinic, reading, manager):
    chat = rude_chat(clinic)
    build_contact(Capture.objects.create(conversation=chat), "phone", "19900001734").save()
    page = reading.get(f"/conversations/{chat.pk}/").content.decode()
    assert "*** **** 1734" in page
    assert "199 0000 1734" not in page
    assert not AuditEvent.objects.filter(action="chat_contacts_opened").exists()
    page = reading.post(f"/conversations/{chat.pk}/open/").content.decode()
    assert "199 0000 1734" in page
    event = AuditEvent.objects.get(action="chat_contacts_opened")
    assert (event.actor, event.subject_id) == (manager, chat.pk)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("电话199-0000-1734谢谢", "电话***-****-1734谢谢"),
        ("１９９００００１７３４", "*******１７３４"),
        ("一九九零零零零一七三四", "*******一七三四"),
        ("微信号：abc_12345", "微信号：***_*2345"),
        ("我加你 QQ 123456789", "我加你 QQ *****6789"),
        ("2026-11-20 13:05 来，6800元", "2026-11-20 13:05 来，6800元"),
    ],
)
def test_hiding_keeps_lengths_prices_and_days(text, expected):
    assert hidden(text) == expected
    assert len(hidden(text)) == len(text)


def test_known_ids_are_hidden_wherever_they_stand():
    assert hidden("就是Qinghe88这个", ["qinghe88"]) == "就是****he88这个"


def test_a_chat_of_ten_thousand_messages_shows_what_surrounds_its_findings(clinic, reading):
    lines = [("visitor" if n % 2 else "consultant", f"第{n}句") for n in range(10_000)]
    chat = ConversationFactory(clinic=clinic, lines=lines)
    found(chat, "taboo.shirking", at=5000, quote="第5000句")
    with CaptureQueriesContext(connection) as asked:
        page = reading.get(f"/conversations/{chat.pk}/")
    rows = page.context["rows"]
    said = [row.message.position for row in rows if hasattr(row, "message")]
    holes = [row for row in rows if not hasattr(row, "message")]
    assert said == [*range(4), *range(4997, 5004), *range(9996, 10_000)]
    assert [(hole.first, hole.last) for hole in holes] == [(4, 4996), (5004, 9995)]
    assert len(page.content) < 150_000
    assert len(asked) < 40
    part = reading.get(f"/conversations/{chat.pk}/lines/?first=4&last=4996", headers={"HX-Request": "true"})
    got = part.context["rows"]
    assert [row.message.position for row in got[:-1]] == list(range(4, 204))
    assert (got[-1].first, got[-1].last) == (204, 4996)
    whole = reading.get(f"/conversations/{chat.pk}/lines/?first=4&last=4996")
    assert len([row for row in whole.context["rows"] if hasattr(row, "message")]) == 15 + 200


@pytest.mark.parametrize("query", ["", "first=9&last=1", "first=a&last=b", "first=99999&last=999999"])
def test_messages_that_are_not_there_lead_back_to_the_chat(clinic, reading, query):
    chat = rude_chat(clinic)
    answer = reading.get(f"/conversations/{chat.pk}/lines/?{query}")
    assert answer.headers["Location"] == f"/conversations/{chat.pk}/"


def test_ranges_join_where_they_meet():
    assert first_ranges(0, []) == []
    assert first_ranges(300, [5]) == [(0, 299)]
    assert first_ranges(1000, [8, 500]) == [(0, 11), (497, 503), (996, 999)]


def test_a_page_asks_the_same_however_much_was_found(clinic, reading):
    def statements(chat):
        with CaptureQueriesContext(connection) as asked:
            reading.get(f"/conversations/{chat.pk}/")
        return len(asked)

    one, many = rude_chat(clinic, consultant_of(clinic)), rude_chat(clinic, consultant_of(clinic))
    for code in ("taboo.shirking", "taboo.scolding", "error.punctuation"):
        found(many, code, at=3)
    assert statements(one) == statements(many)


# --- checking oneself, coaching -------------------------------------------------------------------


def test_a_consultant_checks_the_own_chat_before_anyone_else(clinic, reading):
    who = consultant_of(clinic)
    first, second = rude_chat(clinic, who), rude_chat(clinic, who)
    client = client_of(who)
    client.post(f"/conversations/{first.pk}/self-check/")
    first.refresh_from_db()
    assert first.self_checked_at is not None
    assert shown(client) == [second.pk]
    reading.post(f"/conversations/{second.pk}/read/")
    answer = client.post(f"/conversations/{second.pk}/self-check/", follow=True)
    second.refresh_from_db()
    assert second.self_checked_at is None
    assert "管理" in answer.content.decode() or "manager" in answer.content.decode()


def test_a_coaching_note_reaches_the_consultant_who_takes_it_off_the_list(clinic, reading):
    who, other = consultant_of(clinic), consultant_of(clinic)
    chat = rude_chat(clinic, who)
    assert reading.post(f"/conversations/{chat.pk}/coach/", {"text": " "}).status_code == 422
    reading.post(f"/conversations/{chat.pk}/coach/", {"text": "先报区间再约到院", "due_on": clinic.today().isoformat()})
    note = CoachingNote.objects.get()
    assert Message.objects.get(subject=f"coaching:{note.pk}").staff == who
    client = client_of(who)
    assert "先报区间再约到院" in client.get("/conversations/").content.decode()
    assert client_of(other).post(f"/conversations/coaching/{note.pk}/done/").status_code == 404
    client.post(f"/conversations/coaching/{note.pk}/done/", {"answer": "报价先给区间"})
    assert "先报区间再约到院" not in client.get("/conversations/").content.decode()
    note.refresh_from_db()
    assert (note.answer, note.done_at is not None) == ("报价先给区间", True)
    assert "报价先给区间" in reading.get(f"/conversations/{chat.pk}/").content.decode()


def test_coaching_stands_among_the_tasks_and_today_until_it_is_done(clinic, reading):
    who = consultant_of(clinic)
    chat, client = rude_chat(clinic, who), client_of(who)
    due = clinic.today() + timedelta(days=2)
    reading.post(f"/conversations/{chat.pk}/coach/", {"text": "先报区间", "due_on": due.isoformat()})
    note = CoachingNote.objects.get()
    assert note.due_on == due
    assert all("先报区间" in client.get(page).content.decode() for page in ("/tasks/", "/today/"))
    assert all("先报区间" not in reading.get(page).content.decode() for page in ("/tasks/", "/today/"))
    back = client.post(f"/conversations/coaching/{note.pk}/done/", {"next": "/tasks/"})
    assert back.headers["Location"] == "/tasks/"
    assert all("先报区间" not in client.get(page).content.decode() for page in ("/tasks/", "/today/"))


def test_overdue_coaching_is_shown_to_the_manager(clinic, reading):
    note = coach(conversation=rude_chat(clinic, consultant_of(clinic)), text="先报区间", by=manager_of(clinic))
    CoachingNote.objects.update(due_on=clinic.today() - timedelta(days=1))
    pages = ("/conversations/", "/tasks/", "/today/")
    assert all("先报区间" in reading.get(page).content.decode() for page in pages)
    coaching_done(note=note, by=note.consultant)
    assert all("先报区间" not in reading.get(page).content.decode() for page in pages)


@pytest.mark.parametrize("due", ["2020-01-01", "2999-01-01", "soon", ""])
def test_coaching_until_a_day_that_makes_no_sense_keeps_what_was_typed(clinic, reading, due):
    chat = rude_chat(clinic, consultant_of(clinic))
    answer = reading.post(f"/conversations/{chat.pk}/coach/", {"text": "先报区间", "due_on": due})
    assert answer.status_code == 422
    assert "先报区间" in answer.content.decode()
    assert not CoachingNote.objects.exists()


def test_a_chat_of_nobody_known_takes_no_coaching(clinic, reading):
    chat = rude_chat(clinic, consultant_name="郑老师")
    assert reading.post(f"/conversations/{chat.pk}/coach/", {"text": "?"}).status_code == 422
    assert chat.cost == Decimal(150)
