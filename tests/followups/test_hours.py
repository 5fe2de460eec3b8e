"""Opening stretches of a day, public holidays, and who on the waiting list fits: the rules alone."""

from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest

from followups import holidays_cn
from followups.hours import ALWAYS, Away, Hours, Policy, both, gaps, parse_spans, spans_text, without
from followups.recheck_rules import suggested
from followups.slots import Slot
from followups.waiting_rules import Gap, Wait, best, fit, who_fits

TZ = ZoneInfo("Asia/Shanghai")
WEDNESDAY = date(2026, 11, 25)
LUNCH = ((time(9), time(12)), (time(14), time(18)))
WEEKDAYS = dict.fromkeys(range(5), LUNCH)
KEEPS = Policy(closed_on_holidays=True, open_on_makeup_days=True)
STEP = timedelta(minutes=30)


def at(clock: str, day: date = WEDNESDAY) -> datetime:
    return datetime.combine(day, time.fromisoformat(clock), TZ)


def span(start: str, end: str, day: date = WEDNESDAY) -> Slot:
    return Slot(at(start, day), at(end, day))


def clocks(stretches: list[Slot]) -> list[str]:
    return [f"{s.starts_at:%H:%M}-{s.ends_at:%H:%M}" for s in stretches]


def test_without_any_hours_every_day_is_open_from_nine_to_six():
    hours = Hours(tz=TZ)
    assert clocks(hours.openings(date(2026, 10, 1))) == ["09:00-18:00"]
    assert clocks(hours.openings(date(2026, 11, 22), doctor=7)) == ["09:00-18:00"]


def test_a_break_is_the_gap_between_two_stretches():
    hours = Hours(tz=TZ, clinic=WEEKDAYS)
    found = hours.openings(WEDNESDAY, doctor=7)
    assert clocks(found) == ["09:00-12:00", "14:00-18:00"]
    assert clocks(gaps(found)) == ["12:00-14:00"]
    assert hours.openings(date(2026, 11, 28)) == []  # Saturday


def test_a_doctors_own_hours_count_instead_of_the_clinics():
    hours = Hours(tz=TZ, clinic=WEEKDAYS, doctors={7: {2: ((time(12), time(20)),)}})
    assert clocks(hours.openings(WEDNESDAY, doctor=7)) == ["12:00-20:00"]
    assert hours.openings(WEDNESDAY + timedelta(days=1), doctor=7) == []  # no hours of theirs on a Thursday
    assert clocks(hours.openings(WEDNESDAY, doctor=8)) == ["09:00-12:00", "14:00-18:00"]


def test_a_doctor_in_a_room_has_the_hours_of_both():
    hours = Hours(tz=TZ, clinic=WEEKDAYS, rooms={3: {2: ((time(11), time(15)),)}})
    assert clocks(hours.openings(WEDNESDAY, doctor=7, room=3)) == ["11:00-12:00", "14:00-15:00"]
    assert clocks(hours.openings(WEDNESDAY, room=3)) == ["11:00-15:00"]


@pytest.mark.parametrize(
    ("away", "left"),
    [
        ({"doctor": 7}, ["09:00-10:00", "11:00-12:00", "14:00-18:00"]),
        ({"doctor": 8}, ["09:00-12:00", "14:00-18:00"]),
        ({"room": 3}, ["09:00-10:00", "11:00-12:00", "14:00-18:00"]),
        ({"room": 4}, ["09:00-12:00", "14:00-18:00"]),
        ({}, ["09:00-10:00", "11:00-12:00", "14:00-18:00"]),
    ],
)
def test_an_absence_takes_away_the_doctor_the_room_or_the_whole_clinic(away, left):
    hours = Hours(tz=TZ, clinic=WEEKDAYS, away=[Away(at("10:00"), at("11:00"), "培训", **away)])
    assert clocks(hours.openings(WEDNESDAY, doctor=7, room=3)) == left


def test_a_time_must_lie_within_one_stretch():
    hours = Hours(tz=TZ, clinic=WEEKDAYS)
    who = {"doctor": 7, "room": None}
    assert hours.is_open(span("11:30", "12:00"), **who)
    assert not hours.is_open(span("11:30", "12:30"), **who)
    assert not hours.is_open(span("11:00", "15:00"), **who)


def test_cutting_and_crossing_stretches():
    assert clocks(without([span("09:00", "18:00")], [span("08:00", "09:30"), span("12:00", "14:00")])) == [
        "09:30-12:00",
        "14:00-18:00",
    ]
    assert without([span("09:00", "10:00")], [span("08:00", "11:00")]) == []
    assert both([span("09:00", "10:00")], [span("10:00", "11:00")]) == []


# --- public holidays ---------------------------------------------------------------------------


def test_national_day_2026_is_closed_for_seven_days():
    hours = Hours(tz=TZ, clinic=ALWAYS, policy=KEEPS)
    days = [date(2026, 9, 30) + timedelta(days=n) for n in range(9)]
    assert [bool(hours.openings(day)) for day in days] == [True] + [False] * 7 + [True]
    assert holidays_cn.is_holiday(date(2026, 10, 4))  # the Sunday among them


def test_a_make_up_saturday_has_a_fridays_hours():
    hours = Hours(tz=TZ, clinic=WEEKDAYS, policy=KEEPS)
    assert clocks(hours.openings(date(2026, 10, 10))) == ["09:00-12:00", "14:00-18:00"]
    assert hours.openings(date(2026, 10, 17)) == []
    assert clocks(hours.openings(date(2026, 9, 20))) == ["09:00-12:00", "14:00-18:00"]  # a Sunday: Monday's
    assert Hours(tz=TZ, clinic=WEEKDAYS).openings(date(2026, 10, 10)) == []


def test_a_holiday_may_be_worked_all_the_same():
    day = date(2026, 10, 2)
    hours = Hours(tz=TZ, clinic=WEEKDAYS, policy=Policy(closed_on_holidays=True, open_anyway=frozenset({day})))
    assert hours.openings(day)
    assert not hours.openings(day - timedelta(days=1))


def test_days_off_have_names_and_touching_weekends_belong_to_them():
    assert holidays_cn.holiday_name(date(2026, 10, 7)) == holidays_cn.holiday_name(date(2026, 10, 1)) != ""
    assert holidays_cn.holiday_name(date(2026, 6, 20)) == holidays_cn.holiday_name(date(2026, 6, 19))
    assert holidays_cn.holiday_name(WEDNESDAY) == ""
    assert not holidays_cn.is_holiday(date(2026, 1, 4))  # a Sunday that is worked
    assert holidays_cn.makeup_days_of(2026)[-1] == date(2026, 10, 10)


# --- what a person types ------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "spans"),
    [
        ("9-12 14-18", LUNCH),
        ("9：00—12：00，14：00～18：00", LUNCH),
        ("14:00 - 18:00, 9-12", LUNCH),
        ("9点", None),
        ("12-9", None),
        ("9-12 11-14", None),
        ("25-26", None),
        ("9:75-10", None),
        ("", ()),
        ("18-24", ((time(18), time(23, 59)),)),
    ],
)
def test_hours_are_read_as_people_write_them(text, spans):
    if spans is None:
        with pytest.raises(ValueError, match=r".*"):
            parse_spans(text)
    else:
        assert parse_spans(text) == list(spans)
        assert parse_spans(spans_text(spans)) == list(spans)


# --- rechecks and the waiting list ---------------------------------------------------------------


@pytest.mark.parametrize(
    ("facts", "days"),
    [
        ({"kind": "recheck", "class_code": "C-E"}, 14),
        ({"kind": "recheck", "class_code": "C-D"}, 14),
        ({"kind": "recheck", "class_code": "C-C"}, 7),
        ({"kind": "recheck"}, 7),
        ({"kind": "first", "class_code": "C-E"}, 0),
        ({"kind": "treatment", "treatment": "orthodontics"}, 28),
        ({"kind": "treatment", "treatment": "whitening"}, 1),
    ],
)
def test_a_recheck_is_suggested_by_class_and_plan_with_a_reason(facts, days):
    found = suggested(**facts)
    assert found.days == days
    assert str(found.reason)


def waits(pk: int = 1, **facts: object) -> Wait:
    usual = {"minutes": 30, "from_day": WEDNESDAY, "until_day": WEDNESDAY}
    return Wait(pk, **(usual | facts))  # type: ignore[arg-type]


GAP = Gap(at("10:00"), at("12:00"), doctor=7)


@pytest.mark.parametrize(
    ("facts", "start"),
    [
        ({}, "10:00"),
        ({"doctor": 7}, "10:00"),
        ({"doctor": 8}, None),
        ({"minutes": 120}, "10:00"),
        ({"minutes": 125}, None),
        ({"liked_from": time(11), "liked_to": time(12)}, "11:00"),
        ({"liked_from": time(18), "liked_to": time(20)}, "10:00"),  # liked, not demanded
        ({"from_day": WEDNESDAY + timedelta(days=1), "until_day": WEDNESDAY + timedelta(days=1)}, None),
        ({"from_day": date(2026, 11, 1), "until_day": WEDNESDAY - timedelta(days=1)}, None),
    ],
)
def test_who_waits_fits_a_gap_by_doctor_length_days_and_liked_hours(facts, start):
    found = fit(waits(**facts), GAP, tz=TZ, step=STEP)
    assert (found and f"{found.slot.starts_at:%H:%M}") == start


def test_those_whose_hours_it_meets_come_first_then_the_longest_wait():
    rows = [waits(1, liked_from=time(18), liked_to=time(20)), waits(2), waits(3, minutes=300), waits(4)]
    assert [f.wait.pk for f in who_fits(rows, GAP, tz=TZ, step=STEP)] == [2, 4, 1]


def test_the_best_time_among_gaps_is_the_earliest_that_is_liked():
    late = Gap(at("15:00"), at("16:00"), doctor=8)
    found = best(waits(liked_from=time(14), liked_to=time(18)), [GAP, late], tz=TZ, step=STEP)
    assert found is not None
    assert found.gap == late
    assert best(waits(minutes=300), [GAP, late], tz=TZ, step=STEP) is None
