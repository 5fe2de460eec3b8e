"""Hand-counted cases at the edges of the figures, and the chats behind every number of every table."""

from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from urllib.parse import parse_qsl, urlparse

import pytest

from accounts.permissions import Role
from accounts.windows import BadWindow, Window, read_window
from conversations.models import Conversation, RuleSet
from conversations.reports.counting import WHOLE, lines
from conversations.reports.figures import Line, Share
from conversations.reports.filters import Scope, read_scope
from conversations.reports.losses import losses, losses_by
from conversations.reports.opening import open_times
from conversations.reports.pages import PAGES
from conversations.reports.records import Part, read_part, records
from conversations.reports.service import Limits, histograms, paces, tally
from conversations.reports.times import folded
from conversations.reports.windows import trend_of
from followups.models import WorkingHours
from tests.conversations.report_world import Told, make
from tests.factories import ClinicFactory, ConversationFactory, TeamFactory, UserFactory

pytestmark = pytest.mark.django_db
NOON = datetime(2026, 11, 4, 4, tzinfo=UTC)  # a Wednesday, 12:00 in the clinic
NOVEMBER = Window(date(2026, 11, 1), date(2026, 12, 1), "month")


@pytest.fixture
def clinic():
    return ClinicFactory()


@pytest.fixture
def manager(clinic):
    return UserFactory(clinic=clinic, role=Role.MANAGER)


@pytest.fixture
def wei(clinic):
    return UserFactory(clinic=clinic, role=Role.ONLINE_CONSULTANT, full_name="魏晓岚")


@pytest.fixture
def lu(clinic):
    return UserFactory(clinic=clinic, role=Role.ONLINE_CONSULTANT, full_name="卢一帆")


@pytest.fixture
def scope(clinic):
    return Scope(clinic, NOVEMBER)


# --- credit ---------------------------------------------------------------------------------------


def test_a_contact_goes_to_who_wrote_and_the_chat_to_who_led(clinic, scope, manager, wei, lu):
    make(clinic, [Told(NOON, led=wei, contacts=[("phone", lu), ("wechat", lu)]), Told(NOON, led=wei)], manager)
    found = lines(scope, "consultant")
    mine, theirs = found[str(wei.pk)], found[str(lu.pk)]
    assert (mine.chats, mine.lost, mine.cost, mine.share("contact")) == (2, 1, Decimal(300), Share(0, 2))
    assert (theirs.chats, theirs.found["contact"], theirs.found["phone"]) == (0, 1, 1)
    assert theirs.share("contact").percent is None  # shown as a dash: no chat led
    assert found[WHOLE].share("contact") == Share(1, 2)


def test_two_who_got_a_contact_in_one_chat_are_each_credited_and_the_chat_counts_once(clinic, scope, manager, wei, lu):
    make(clinic, [Told(NOON, led=wei, contacts=[("phone", wei), ("qq", lu)])], manager)
    found = lines(scope, "consultant")
    assert [found[str(user.pk)].found["contact"] for user in (wei, lu)] == [1, 1]
    assert found[WHOLE].found["contact"] == 1


def test_credit_by_team_goes_to_the_team_of_the_sender(clinic, scope, manager, wei, lu):
    ours, theirs = TeamFactory(clinic=clinic), TeamFactory(clinic=clinic)
    lu.memberships.update(team=theirs)
    told = [Told(NOON, led=wei, team=ours, contacts=[("phone", lu)], findings=[("abuse", lu)])]
    told += [Told(NOON, led=lu, team=ours, contacts=[("qq", wei), ("qq", lu)])]  # led in another team than the own
    make(clinic, told, manager)
    found = lines(scope, "team")
    mine, other = found[str(ours.pk)], found[str(theirs.pk)]
    assert (mine.chats, mine.found["contact"], mine.found.get("phone", 0)) == (2, 1, 0)
    assert (other.chats, other.found["contact"], other.found["phone"]) == (0, 1, 1)
    assert found[WHOLE].found["contact"] == 2
    assert [*losses_by(scope, "team")[1][str(theirs.pk)]] == ["abuse"]
    narrowed = Scope(clinic, NOVEMBER, team=theirs.pk)
    assert lines(narrowed, "channel")[WHOLE].found == {"phone": 1, "contact": 1}
    assert records(narrowed, Part("contact"), manager).count() == 1
    assert records(narrowed, Part("chats"), manager).count() == 0


def test_two_of_one_team_count_once_for_it(clinic, scope, manager, wei, lu):
    team = TeamFactory(clinic=clinic)
    for user in (wei, lu):
        user.memberships.update(team=team)
    make(clinic, [Told(NOON, led=wei, contacts=[("qq", wei), ("qq", lu)])], manager)  # led in no team: in their own
    line = lines(scope, "team")[str(team.pk)]
    assert (line.chats, line.found["qq"]) == (1, 1)
    narrowed = lines(Scope(clinic, NOVEMBER, team=team.pk), "consultant")
    assert narrowed[WHOLE].found["qq"] == 1
    assert [narrowed[str(user.pk)].found["qq"] for user in (wei, lu)] == [1, 1]


def test_chats_of_nobody_in_the_staff_have_their_own_line(clinic, scope, manager):
    make(clinic, [Told(NOON, contacts=[("phone", None)])], manager)
    assert lines(scope, "consultant")[None].found["phone"] == 1


def test_entered_in_error_never_counts(clinic, scope, manager, wei):
    make(clinic, [Told(NOON, led=wei, error=True, contacts=[("phone", wei)], findings=[("abuse", wei)])], manager)
    assert lines(scope, "consultant").get(WHOLE, Line()).chats == 0
    assert not losses(scope).codes


def test_another_clinic_never_counts(scope):
    ConversationFactory(started_at=NOON)
    assert lines(scope, "whole")[WHOLE].chats == 0


# --- what came of it --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("facts", "arrived", "accepted"),
    [
        ({"visits": [(0, "", "")]}, 1, 0),
        ({"visits": [(-1, "accepted", "")]}, 0, 0),  # before the chat
        ({"visits": [(3, "accepted", "")]}, 1, 1),
        ({"visits": [(3, "deposit", "")]}, 1, 1),
        ({"visits": [(3, "refused", "")]}, 1, 0),
        ({"visits": [(3, "accepted", "error")]}, 0, 0),
        ({"visits": [(3, "accepted", "refunded")]}, 1, 0),
        ({"visits": [(3, "accepted", "reopened")]}, 1, 0),  # no longer accepted
        ({"visits": [(3, "accepted", ""), (5, "accepted", "")]}, 1, 1),  # a chat counts once
        ({"kept": 4}, 1, 0),
        ({"kept": -4}, 0, 0),
        ({"coming": ["no_show:weather"]}, 0, 0),
    ],
)
def test_arrival_and_acceptance(clinic, scope, manager, wei, facts, arrived, accepted):
    make(clinic, [Told(NOON, led=wei, **facts)], manager)
    line = lines(scope, "consultant")[str(wei.pk)]
    assert (line.found.get("arrival", 0), line.found.get("acceptance", 0)) == (arrived, accepted)


def test_a_refund_that_was_taken_back_no_longer_counts(clinic, scope, manager, wei):
    from consultations.models import Refund

    make(clinic, [Told(NOON, led=wei, visits=[(3, "accepted", "refunded")])], manager)
    wrong = Refund.objects.get()
    facts = {"clinic": clinic, "consultation": wrong.consultation, "amount": 10, "reason": "?", "by": manager}
    Refund.objects.create(cancels=wrong, **facts)
    assert lines(scope, "whole")[WHOLE].found["acceptance"] == 1


def test_a_moved_appointment_counts_as_what_it_was_moved_to(clinic, scope, manager, wei):
    make(clinic, [Told(NOON, led=wei, coming=["moved", "no_show:weather"], booking=wei)], manager)
    assert tally(scope, "consultant", "coming")[str(wei.pk)] == {"no_show:weather": 1}
    assert records(scope, Part("no_show"), manager).count() == 1


# --- money ------------------------------------------------------------------------------------------


def test_cost_per_result_leaves_out_chats_without_a_known_cost(clinic, scope, manager, wei):
    told = [
        Told(NOON, led=wei, cost=Decimal(100), contacts=[("phone", wei)]),
        Told(NOON, led=wei, cost=Decimal(200)),
        Told(NOON, led=wei, cost=None, contacts=[("phone", wei)]),
    ]
    make(clinic, told, manager)
    line = lines(scope, "whole")[WHOLE]
    assert (line.cost_per("chats"), line.cost_per("contact")) == (Decimal(150), Decimal(300))
    assert line.cost_per("acceptance") is None  # a dash, not zero


def test_lost_money_counts_once_in_all_and_under_each_fault(clinic, scope, manager, wei):
    told = [
        Told(
            NOON,
            led=wei,
            cost=Decimal(100),
            findings=[("abuse", wei), ("taboo.scolding", wei), ("taboo.shirking", wei)],
        ),
        Told(NOON, led=wei, cost=Decimal(200), findings=[("abuse", wei)], contacts=[("qq", wei)]),
    ]
    make(clinic, told, manager)
    found = losses(scope)
    assert lines(scope, "whole")[WHOLE].lost_cost == Decimal(100)
    assert (found.kinds["abuse"].chats, found.kinds["abuse"].lost, found.kinds["abuse"].cost) == (2, 1, Decimal(100))
    assert (found.kinds["taboo"].chats, found.kinds["taboo"].cost) == (1, Decimal(100))  # two codes, one chat


# --- days and hours ---------------------------------------------------------------------------------


def test_a_chat_belongs_to_its_day_in_the_clinics_zone(clinic, scope, manager, wei):
    midnight = datetime(2026, 10, 31, 16, tzinfo=UTC)
    make(clinic, [Told(midnight, led=wei), Told(midnight - timedelta(seconds=1), led=wei)], manager)
    assert lines(scope, "hour")["0"].chats == 1
    assert lines(scope, "whole")[WHOLE].chats == 1


def test_off_hours_follow_the_clinics_hours_and_holidays(clinic, manager, wei):
    for weekday in range(5):
        WorkingHours.objects.create(clinic=clinic, weekday=weekday, opens=time(9), closes=time(18))
    scope = Scope(clinic, Window(date(2026, 9, 28), date(2026, 11, 30)))
    told = [
        Told(NOON, led=wei),  # Wednesday noon
        Told(NOON + timedelta(hours=6), led=wei),  # 18:00: closed
        Told(NOON + timedelta(days=3), led=wei),  # Saturday
        Told(datetime(2026, 10, 1, 4, tzinfo=UTC), led=wei),  # a Thursday, the national holiday
    ]
    make(clinic, told, manager)
    found = lines(scope, "opening")
    assert (found["open"].chats, found["off"].chats) == (1, 3)
    only = Scope(clinic, scope.window, opening=False)
    assert lines(only, "whole")[WHOLE].chats == 3
    assert records(only, Part(), manager).count() == 3


def test_hours_and_weekdays_folded_of_the_week_are_those_counted_by_themselves(clinic, scope, manager, wei, lu):
    make(clinic, varied(wei, lu, None), manager)
    slots = lines(scope, "slot")
    for place, by in enumerate(("weekday", "hour")):
        ours, counted = folded(slots, place), lines(scope, by)
        assert ours.keys() == counted.keys()
        for key, line in counted.items():
            assert (ours[key].chats, ours[key].lost_cost, ours[key].score) == (line.chats, line.lost_cost, line.score)
            assert all(ours[key].found.get(part, 0) == n for part, n in line.found.items())


def test_a_clinic_closed_for_the_whole_window_has_no_opening_hours(clinic):
    for weekday in range(5):
        WorkingHours.objects.create(clinic=clinic, weekday=weekday, opens=time(9), closes=time(18))
    assert open_times(clinic, date(2026, 11, 7), date(2026, 11, 9)) == "{}"


@pytest.mark.parametrize(
    ("said", "start", "last"),
    [
        ({}, date(2026, 11, 1), date(2026, 11, 30)),
        ({"window": "week", "day": "2026-11-22"}, date(2026, 11, 16), date(2026, 11, 22)),
        ({"window": "quarter", "day": "2026-11-22"}, date(2026, 10, 1), date(2026, 12, 31)),
        ({"from": "2026-11-03", "to": "2026-11-03"}, date(2026, 11, 3), date(2026, 11, 3)),
    ],
)
def test_windows(said, start, last):
    window = read_window(said, today=date(2026, 11, 22))
    assert (window.start, window.last_day) == (start, last)


@pytest.mark.parametrize(
    "said",
    [
        {"from": "2026-11-03", "to": "2026-11-02"}, {"from": "2026-13-01", "to": "2026-11-02"}, {"from": "2026-11-03"},
        {"window": "decade"}, {"window": "month", "day": "1899-01-01"}, {"from": "2001-01-01", "to": "2026-01-01"},
        {"from": "2026-11-03", "to": "9999-12-31"},
    ],
)  # fmt: skip
def test_days_that_make_no_sense_are_refused(said):
    with pytest.raises(BadWindow):
        read_window(said, today=date(2026, 11, 22))


def test_a_trend_is_thirteen_whole_months_to_the_one_of_the_last_day():
    found = trend_of(NOVEMBER, "month")
    assert (len(found), found[0].start, found[-1].end) == (13, date(2025, 11, 1), date(2026, 12, 1))


# --- speed ------------------------------------------------------------------------------------------


def test_distributions_by_the_clinics_own_limit(clinic, scope, manager, wei):
    RuleSet.objects.create(clinic=clinic, version=1, data={"thresholds": {"first_reply_seconds": 45}})
    told = [Told(NOON, led=wei, reply=reply) for reply in (10, 40, 45, 46, 400, None)]
    make(clinic, told, manager)
    limits = Limits.of(scope)
    assert limits.ends("reply") == [10, 30, 45, 60, 120, 300]
    assert histograms(scope, limits)["reply"] == [1, 0, 2, 1, 0, 0, 1]
    pace = paces(scope, "consultant", limits)[str(wei.pk)]
    assert (pace.reply.n, pace.reply.median, pace.reply.over, pace.unanswered) == (5, 45, 2, 1)
    assert pace.reply.p90 == pytest.approx(258.4)
    over = records(scope, Part("reply", "46-"), manager)
    assert over.count() == 2


def test_a_share_of_few_is_marked_and_its_interval_is_wilsons():
    assert Share(3, 10).is_small
    assert not Share(3, 20).is_small
    assert Share(3, 10).interval == pytest.approx((10.78, 60.32), abs=0.01)
    assert Share(0, 0).interval is None
    assert Share(0, 0).percent is None
    assert Share(3, 2).interval is None


# --- every number leads to its chats ------------------------------------------------------------------


def varied(wei, lu, team):
    """Chats with something in every table."""
    day = timedelta(days=1)
    return [
        Told(NOON, led=wei, team=team, effective=True, contacts=[("phone", lu)], booking=wei, coming=["kept"],
             visits=[(2, "accepted", "")], score=Decimal(80), card=Decimal(90)),
        Told(NOON + day, led=wei, ending="consultant", findings=[("abuse", wei), ("taboo.scolding", lu)], reply=75),
        Told(NOON + 2 * day, led=lu, team=team, channel="抖音", findings=[("not_invited", lu)], silence=500),
        Told(NOON - 4 * day + timedelta(hours=9), led=lu, reply=None, keyword="", cost=None, ending="visitor"),
        Told(NOON, channel="", contacts=[("wechat", None), ("qq", None)], coming=["moved", "no_show:weather"]),
        Told(NOON, led=lu, booking=lu, coming=["cancelled_patient"], contacts=[("phone", lu)]),
    ]  # fmt: skip


def test_every_number_leads_to_its_chats(clinic, scope, manager, wei, lu):
    make(clinic, varied(wei, lu, TeamFactory(clinic=clinic)), manager)
    seen, tables = set(), set()
    for page, (_title, build) in PAGES.items():
        for group in ("consultant", "team"):
            for table in build(scope, group).tables:
                assert not table.is_empty, table.slug
                tables.add(table.slug)
                for row in table.rows:
                    for column, cell in zip(table.columns[1:], row.cells, strict=True):
                        if cell.href and cell.href not in seen:
                            seen.add(cell.href)
                            check(cell, clinic, manager, f"{page} {table.slug} {row.label} {column.label}")
    assert len(tables) == 17
    assert len(seen) > 200


def check(cell, clinic, user, where):
    """A count or a share leads to exactly so many chats; lost money to chats that cost just that."""
    said = dict(parse_qsl(urlparse(cell.href).query, keep_blank_values=True))
    rows = records(read_scope(said, clinic, user), read_part(said), user)
    if cell.kind in ("count", "share"):
        assert rows.count() == (cell.value if cell.kind == "count" else cell.value.n), where
    elif cell.kind == "money" and cell.tone == "lost":
        assert sum(row.cost or 0 for row in rows) == cell.value, where
    else:
        assert rows.exists(), where


def test_a_consultant_gets_the_own_figures_whatever_the_address_says(clinic, manager, wei, lu):
    make(clinic, [Told(NOON, led=wei, contacts=[("phone", lu)]), Told(NOON, led=lu)], manager)
    scope = read_scope({"consultant": str(lu.pk), "from": "2026-11-01", "to": "2026-11-30"}, clinic, wei)
    assert (scope.person, scope.own) == (wei.pk, True)
    assert set(lines(scope, "consultant")) == {str(wei.pk), WHOLE}
    assert list(records(scope, Part(), wei)) == [Conversation.objects.get(consultant=wei)]
    assert not records(scope, Part("contact"), wei).exists()
