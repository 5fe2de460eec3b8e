"""The report pages: who may see what, how many statements they take, exports, and addresses that make no sense."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from io import BytesIO

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from openpyxl import load_workbook

from accounts.models import AuditEvent
from accounts.permissions import Role
from conversations.models import Conversation, Finding
from tests.conversations.reading_helpers import client_of, consultant_of, manager_of
from tests.conversations.report_world import Told, make
from tests.factories import ClinicFactory, ConversationFactory, UserFactory

pytestmark = pytest.mark.django_db
NOON = datetime(2026, 11, 4, 4, tzinfo=UTC)
DAYS = "from=2026-11-01&to=2026-11-30"
PAGES = ("", "trend/", "losses/", "sources/", "times/", "service/")


@pytest.fixture
def clinic():
    return ClinicFactory()


@pytest.fixture
def manager(clinic):
    return manager_of(clinic)


@pytest.fixture
def wei(clinic):
    return consultant_of(clinic, full_name="魏晓岚")


def table(response, slug):
    return response.context["by_slug"][slug]


@pytest.mark.parametrize("page", PAGES)
def test_a_consultant_sees_the_own_line_only(clinic, wei, page):
    other = consultant_of(clinic, full_name="卢一帆")
    make(clinic, [Told(NOON, led=wei, keyword="我的词"), Told(NOON, led=other, keyword="别人的词")], wei)
    said = client_of(wei).get(f"/conversations/reports/{page}?{DAYS}&consultant={other.pk}&group=team").content.decode()
    assert "卢一帆" not in said
    assert "别人的词" not in said


def test_each_way_to_reach_a_visitor_has_its_cost(clinic, manager, wei):
    given = {"phone": [("phone", wei)], "wechat": [("wechat", wei)], "both": [("phone", wei), ("wechat", wei)]}
    chats = [Told(NOON, led=wei, cost=Decimal(120), contacts=contacts) for contacts in given.values()]
    make(clinic, chats, manager)
    costs = table(client_of(manager).get(f"/conversations/reports/?{DAYS}"), "costs")
    heads = [column.label for column in costs.columns][1:]
    cost = dict(zip(heads, (cell.value for cell in costs.rows[0].cells), strict=True))
    assert (cost["每电话"], cost["每微信"], cost["每 QQ"], cost["每留联"]) == (180, 180, None, 120)


def test_tables_sort_by_any_column_and_keep_the_whole_on_top(clinic, manager, wei):
    lu = consultant_of(clinic, full_name="卢一帆")
    make(clinic, [Told(NOON, led=wei, cost=Decimal(100)), Told(NOON, led=wei, cost=None), Told(NOON, led=lu)], manager)
    client = client_of(manager)

    def rows(order, **more):
        response = client.get(f"/conversations/reports/?{DAYS}&{order}", **more)
        return [row.label for row in table(response, "costs").rows], response

    usual, page = rows("")
    assert usual == [clinic.name, "魏晓岚", "卢一帆"]  # the most chats first
    spent = table(page, "costs").heads[2]
    assert "sort=costs.2&dir=desc" in spent.href
    assert rows("sort=costs.2&dir=desc")[0] == [clinic.name, "卢一帆", "魏晓岚"]
    found, page = rows("sort=costs.2&dir=asc")
    assert found == [clinic.name, "魏晓岚", "卢一帆"]
    assert 'aria-sort="ascending"' in page.content.decode()
    assert all("sort=costs.2" in url for _words, url, _on in page.context["bar"].segments)  # other days keep it
    assert [row.label for row in table(page, "results").rows] == usual  # the other table stays as it is
    for nonsense in ("sort=costs.99", "sort=costs", "sort=.1&dir=up", "sort=costs.-1"):
        assert rows(nonsense)[0] == usual


def test_who_may_not_see_chats_sees_no_reports(clinic):
    nurse = client_of(UserFactory(clinic=clinic, role=Role.NURSE))
    for page in PAGES:
        assert nurse.get(f"/conversations/reports/{page}").status_code == 403
    assert nurse.post(f"/conversations/reports/export/?page=people&{DAYS}").status_code == 403
    assert nurse.get("/conversations/export/").status_code == 403


@pytest.mark.parametrize("page", PAGES)
def test_pages_take_the_same_statements_at_ten_and_at_a_thousand_chats(clinic, manager, page):
    people = [consultant_of(clinic) for _n in range(3)]
    client = client_of(manager)

    def grow(number):
        told = [
            Conversation(clinic=clinic, source_key=f"{number}-{n}", started_at=NOON + timedelta(minutes=n), cost=150,
                         ended_at=NOON + timedelta(minutes=n), consultant=people[n % 3], keyword=f"词{n % 90}",
                         ending="visitor", first_reply_seconds=n % 90, inspected_at=NOON)
            for n in range(number)
        ]  # fmt: skip
        rows = Conversation.objects.bulk_create(told)
        Finding.objects.bulk_create(Finding(conversation=row, code="abuse", user=row.consultant) for row in rows[::2])

    def statements():
        with CaptureQueriesContext(
            connection,
        ) as asked:
            assert client.get(f"/conversations/reports/{page}?{DAYS}").status_code == 200
        return len(asked)

    grow(10)
    statements()
    few = statements()
    grow(1000)
    assert statements() == few
    assert few <= 26


def test_days_that_make_no_sense_are_refused_beside_the_filter_and_kept(manager):
    response = client_of(manager).get("/conversations/reports/?from=2026-11-30&to=2026-11-01")
    assert response.status_code == 422
    said = response.content.decode()
    assert 'value="2026-11-30"' in said
    assert 'value="2026-11-01"' in said


@pytest.mark.parametrize(
    "query",
    ["by=hour&key=x", "by=slot&key=9-99", "by=consultant&key=abc", "by=week&key=2026-13-45", "part=reply&value=x-",
     "part=reply&value=9-99999999999", "part=nothing&by=nothing", "by=team&none=1", "key=%00&by=channel", "after=x",
     "part=loss&value=%25", "consultant=999999999999999999999", "channel=%00", "by=opening&key=open", "hours=x"],
)  # fmt: skip
def test_addresses_that_make_no_sense_give_a_page(manager, query):
    assert client_of(manager).get(f"/conversations/reports/chats/?{query}").status_code in (200, 400, 404)
    assert client_of(manager).get(f"/conversations/reports/?{query}").status_code in (200, 400, 422)


def test_the_list_behind_a_number_shows_just_those_chats(clinic, manager, wei):
    make(clinic, [Told(NOON, led=wei, contacts=[("phone", wei)], keyword="有电话"), Told(NOON, led=wei)], manager)
    response = client_of(manager).get(f"/conversations/reports/chats/?{DAYS}&part=phone&by=consultant&key={wei.pk}")
    assert response.context["figures"]["chats"] == 1
    assert "有电话" in response.content.decode()
    assert "魏晓岚" in response.content.decode()


def test_names_of_other_clinics_staff_are_not_told(manager):
    stranger = consultant_of(ClinicFactory(), full_name="外院顾问")
    response = client_of(manager).get(f"/conversations/reports/chats/?{DAYS}&by=consultant&key={stranger.pk}")
    assert "外院顾问" not in response.content.decode()


def test_a_table_is_exported_with_counts_and_harmless_cells(clinic, manager, wei):
    make(clinic, [Told(NOON, led=wei, keyword="=1+1", contacts=[("phone", wei)], cost=Decimal("153.50"))], manager)
    client = client_of(manager)
    address = f"/conversations/reports/export/?page=sources&{DAYS}"
    said = b"".join(client.post(address, {"table": "keyword", "format": "csv"}).streaming_content).decode()
    assert "'=1+1,1," in said
    assert said.startswith("\ufeff")
    book = load_workbook(
        BytesIO(b"".join(client.post(address, {"table": "keyword", "format": "xlsx"}).streaming_content))
    )
    rows = list(book.active.values)
    assert rows[2][1] == 1  # numbers stay numbers
    assert "'=1+1" in [row[0] for row in rows]
    assert AuditEvent.objects.filter(action="chat_report_exported").count() == 2
    assert client.post(address, {"table": "nothing", "format": "csv"}).status_code == 400
    assert client.get(address).status_code == 405


def test_the_list_is_exported_as_it_is_shown_and_without_what_was_captured(clinic, manager, wei):
    make(clinic, [Told(NOON, led=wei, contacts=[("phone", wei)]), Told(NOON, led=wei, channel="抖音")], manager)
    client = client_of(manager)
    assert client.get("/conversations/export/").status_code == 200
    assert client.post("/conversations/export/?channel=抖音", {"format": "csv"}).status_code == 422  # no reason
    answer = {"format": "csv", "reason": "周会"}
    said = b"".join(client.post("/conversations/export/?channel=抖音", answer).streaming_content).decode()
    assert len(said.splitlines()) == 2
    said = b"".join(client.post(f"/conversations/export/?{DAYS}&part=phone", answer).streaming_content).decode()
    assert len(said.splitlines()) == 2
    assert "19900" not in said
    event = AuditEvent.objects.filter(action="chats_exported").latest("pk")
    assert event.detail["count"] == 1


def test_a_consultants_export_holds_the_own_chats_only(clinic, wei):
    ConversationFactory(clinic=clinic, consultant=consultant_of(clinic), visitor_name="别人的访客", started_at=NOON)
    answer = {"format": "csv", "reason": "自查"}
    for query in ("", f"?{DAYS}&part=chats"):
        said = b"".join(client_of(wei).post(f"/conversations/export/{query}", answer).streaming_content).decode()
        assert "别人的访客" not in said
