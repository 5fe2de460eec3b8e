"""Free times on a grid: the rules alone."""

from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from followups import slots
from followups.slots import Slot

TZ = ZoneInfo("Asia/Shanghai")
DAY = date(2026, 11, 25)


def at(clock: str, day: date = DAY) -> datetime:
    return datetime.combine(day, time.fromisoformat(clock), TZ)


def span(start: str, end: str, day: date = DAY) -> Slot:
    return Slot(at(start, day), at(end, day))


def clocks(found: list[Slot]) -> list[str]:
    return [slot.starts_at.strftime("%d %H:%M") for slot in found]


def test_a_day_has_every_start_on_the_grid_that_ends_before_closing():
    found = slots.day_slots(day=DAY, length=timedelta(minutes=60), tz=TZ)
    assert clocks(found)[0] == "25 09:00"
    assert clocks(found)[-1] == "25 17:00"
    assert len(found) == 17


def test_a_slot_that_touches_a_busy_time_only_at_its_edge_is_free():
    every = slots.day_slots(day=DAY, length=timedelta(minutes=30), tz=TZ)
    found = slots.free(every, busy=[span("09:30", "10:30")], after=at("08:00"))
    assert clocks(found)[:3] == ["25 09:00", "25 10:30", "25 11:00"]


def test_past_times_are_not_free():
    every = slots.day_slots(day=DAY, length=timedelta(minutes=30), tz=TZ)
    assert clocks(slots.free(every, busy=[], after=at("17:00"))) == ["25 17:30"]


def test_a_longer_appointment_needs_room_before_the_next_one():
    every = slots.day_slots(day=DAY, length=timedelta(minutes=90), tz=TZ)
    found = slots.free(every, busy=[span("10:00", "10:30")], after=at("08:00"))
    assert clocks(found)[0] == "25 10:30"


def test_nearest_are_told_in_order_of_time():
    every = slots.day_slots(day=DAY, length=timedelta(minutes=30), tz=TZ)
    free = [slot for slot in every if slot.starts_at != at("10:00")]
    assert clocks(slots.nearest(free, wanted=at("10:00"), count=3)) == ["25 09:00", "25 09:30", "25 10:30"]


def test_preferred_hours_come_first_but_nothing_is_hidden():
    every = slots.day_slots(day=DAY, length=timedelta(minutes=30), tz=TZ)
    found = slots.preferred(every, start=time(14), end=time(15), tz=TZ)
    assert clocks(found)[:3] == ["25 14:00", "25 14:30", "25 09:00"]
    assert len(found) == len(every)


def test_suggestions_are_spread_over_two_days_and_an_hour_apart():
    following = DAY + timedelta(days=1)
    every = [s for day in (DAY, following) for s in slots.day_slots(day=day, length=timedelta(minutes=30), tz=TZ)]
    assert clocks(slots.spread(every, count=3, tz=TZ)) == ["25 09:00", "25 10:00", "26 09:00"]
