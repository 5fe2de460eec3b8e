"""When a message may leave: every rule at its boundary."""

from dataclasses import replace
from datetime import datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest

from followups.message_rules import SEND, Facts, Hours, ask_again_after, backoff, judge, reminder_due

ZONE = ZoneInfo("Asia/Shanghai")
NIGHT = Hours(time(21), time(9), ZONE)


def at(clock: str, day: int = 22) -> datetime:
    return datetime(2026, 11, day, *map(int, clock.split(":")), tzinfo=ZONE)


@pytest.mark.parametrize(
    ("clock", "quiet"),
    [("20:59", False), ("21:00", True), ("23:59", True), ("00:00", True), ("08:59", True), ("09:00", False)],
)
def test_quiet_hours_begin_and_end_on_the_minute(clock, quiet):
    assert NIGHT.is_quiet(at(clock)) is quiet


def test_quiet_hours_within_a_day_and_none_at_all():
    assert Hours(time(12), time(14), ZONE).is_quiet(at("13:59"))
    assert not Hours(time(12), time(14), ZONE).is_quiet(at("14:00"))
    assert not Hours(time(9), time(9), ZONE).is_quiet(at("09:00"))


def test_next_and_last_allowed_moment():
    assert NIGHT.next_allowed(at("22:00")) == at("09:00", 23)
    assert NIGHT.next_allowed(at("03:00")) == at("09:00")
    assert NIGHT.last_allowed(at("03:00")) == at("20:59", 21)
    assert NIGHT.next_allowed(at("12:00")) == at("12:00") == NIGHT.last_allowed(at("12:00"))


FINE = Facts(hours=NIGHT)
BROKEN = [
    ("merged", {"merged": True}),
    ("stale", {"stale_at": at("12:00")}),
    ("gone", {"gone": True}),
    ("ended", {"ended": True}),
    ("never", {"forbidden": True}),
    ("consent", {"consented": False}),
    ("off", {"channel_on": False}),
    ("no_address", {"has_address": False}),
]


@pytest.mark.parametrize(("reason", "fact"), BROKEN)
def test_each_broken_rule_suppresses_with_its_reason(reason, fact):
    assert judge(replace(FINE, **fact), at("12:00")).suppress == reason


@pytest.mark.parametrize("n", range(len(BROKEN) - 1))
def test_the_first_broken_rule_counts(n):
    both = BROKEN[n][1] | BROKEN[n + 1][1]
    assert judge(replace(FINE, **both), at("12:00")).suppress == BROKEN[n][0]


def test_what_breaks_no_rule_is_sent():
    assert judge(FINE, at("12:00")) is SEND
    assert judge(replace(FINE, stale_at=at("12:01")), at("12:00")) is SEND


def test_quiet_hours_put_off_and_do_not_suppress():
    assert judge(FINE, at("22:00")).until == at("09:00", 23)


def test_what_is_stale_after_the_quiet_hours_is_suppressed_at_once():
    assert judge(replace(FINE, stale_at=at("09:00", 23)), at("22:00")).suppress == "stale"
    assert judge(replace(FINE, stale_at=at("09:01", 23)), at("22:00")).until == at("09:00", 23)


def test_staff_have_no_quiet_hours():
    assert judge(replace(FINE, hours=None), at("22:00")) is SEND


def test_over_the_daily_limit_waits_for_the_next_morning():
    over = replace(FINE, over_cap=True, tomorrow=at("00:00", 23))
    assert judge(over, at("12:00")).until == at("09:00", 23)
    assert judge(replace(over, stale_at=at("08:00", 23)), at("12:00")).suppress == "cap"


def test_waiting_doubles_to_an_hour_and_half_of_it_is_chance():
    assert backoff(1, 0) == timedelta(seconds=30)
    assert backoff(1, 1) == timedelta(minutes=1)
    assert backoff(3, 1) == timedelta(minutes=4)
    assert backoff(20, 1) == timedelta(hours=1)


def test_the_provider_is_asked_less_and_less_often():
    assert ask_again_after(timedelta(0)) == timedelta(minutes=1)
    assert ask_again_after(timedelta(hours=2)) == timedelta(hours=2)
    assert ask_again_after(timedelta(days=9)) == timedelta(hours=6)


@pytest.mark.parametrize(
    ("wanted", "starts", "due"),
    [
        (at("18:00"), at("10:00", 23), at("18:00")),
        (at("08:00", 23), at("10:00", 23), at("09:00", 23)),  # later, an hour is left
        (at("07:29", 23), at("09:29", 23), at("20:59")),  # 29 minutes would be left: the evening before
        (at("07:30", 23), at("09:30", 23), at("09:00", 23)),
        (at("11:59"), at("15:00"), None),  # past
        (at("12:00"), at("15:00"), None),
        (at("12:01"), at("15:00"), at("12:01")),
    ],
)
def test_reminders_stay_out_of_quiet_hours_and_out_of_the_past(wanted, starts, due):
    assert reminder_due(wanted, starts, NIGHT, at("12:00")) == due
