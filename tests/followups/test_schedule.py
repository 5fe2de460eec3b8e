"""Hours, absences, kinds, holidays and rooms: their pages, and what booking makes of them."""

from datetime import date, datetime, time, timedelta
from typing import Any

import pytest
from django.urls import reverse

from accounts.models import AuditEvent
from accounts.permissions import Role
from followups.errors import ClosedThen
from followups.models import Absence, Appointment, CalendarSettings, Room, WorkingHours
from followups.services.availability import check_open, free_slots, length_of, policy_of, suggest_slots
from tests.factories import ClinicFactory, PatientFactory, UserFactory
from tests.followups.test_calendar import Day
from tests.followups.test_calendar import day as day  # the fixture

pytestmark = pytest.mark.django_db


@pytest.fixture
def manager(day: Day) -> Day:
    day.sign_in(UserFactory(clinic=day.clinic, role=Role.MANAGER))
    return day


def week(text: str, **over: str) -> dict[str, str]:
    return {f"day_{n}": text for n in range(7)} | over


def starts(day: Day, on: Any = None, **facts: Any) -> list[str]:
    given = {"clinic": day.clinic, "start": on or day.today, "length": timedelta(minutes=60), "doctor": day.doctors[0]}
    return [f"{s.starts_at.astimezone(day.clinic.tz):%H:%M}" for s in free_slots(**(given | facts))]


def test_hours_are_saved_per_weekday_and_free_times_keep_them(manager):
    url = reverse("schedule")
    assert manager.client.post(url, week("9-12 14-17", day_6="")).status_code == 302
    assert starts(manager) == ["10:30", "11:00", "14:00", "14:30", "15:00", "15:30", "16:00"]
    assert starts(manager, on=date(2026, 11, 29)) == []
    assert AuditEvent.objects.filter(action="hours_saved").count() == 1


def test_a_doctors_own_hours_and_back_to_the_clinics(manager):
    url = f"{reverse('schedule')}?of=doctor-{manager.doctors[0].pk}"
    manager.client.post(url, week("18-20"))
    assert starts(manager) == ["18:00", "18:30", "19:00"]
    assert starts(manager, doctor=manager.doctors[1])[0] == "10:30"
    manager.client.post(url, week("18-20") | {"reset": "1"})
    assert starts(manager)[0] == "10:30"


def test_mondays_hours_are_copied_without_saving(manager):
    page = manager.client.post(reverse("schedule"), week("", day_0="8-12", day_5="9-10") | {"copy": "1"})
    assert [page.context["form"][f"day_{n}"].value() for n in range(7)] == ["8-12"] * 5 + ["9-10", ""]
    assert not WorkingHours.objects.exists()


def test_unreadable_hours_are_told_beside_their_day(manager):
    page = manager.client.post(reverse("schedule"), week("9-12", day_3="朝九晚五"))
    assert page.status_code == 422
    assert set(page.context["form"].errors) == {"day_3"}
    assert "朝九晚五" in page.content.decode()
    assert manager.client.get(reverse("schedule") + "?of=doctor-999999").status_code == 404


def absence(day: Day, **over: str) -> dict[str, str]:
    usual = {"who": f"doctor-{day.doctors[0].pk}", "kind": "training", "from_day": "2026-11-25", "from_time": "15:00",
             "until_day": "2026-11-25", "until_time": "18:00", "note": "院内培训"}  # fmt: skip
    return usual | over


def test_an_absence_names_what_falls_into_it_and_can_be_deleted_and_brought_back(manager):
    row = manager.row("15:30")
    manager.row("14:00")
    page = manager.client.post(reverse("schedule_absences"), absence(manager), follow=True)
    assert page.context["hit"] == [row]
    assert starts(manager)[-1] == "12:30" or "15:00" not in starts(manager)
    gone = manager.client.post(reverse("absence_delete", args=[Absence.objects.get().pk]), follow=True)
    assert not Absence.objects.exists()
    undo = next(str(m.extra_tags) for m in gone.context["messages"]).removeprefix("undo ")
    manager.client.post(undo)
    back = Absence.objects.get()
    assert (back.doctor, back.starts_at, back.note) == (manager.doctors[0], manager.at("15:00"), "院内培训")
    assert manager.client.post(reverse("absence_restore", args=["forged"])).status_code == 404


def test_whole_days_of_the_whole_clinic(manager):
    whole = {"who": "clinic", "kind": "closed", "from_time": "", "until_time": "", "until_day": "2026-11-26"}
    manager.client.post(reverse("schedule_absences"), absence(manager, **whole))
    row = Absence.objects.get()
    assert (row.starts_at, row.ends_at) == (manager.at("00:00"), manager.at("00:00", 2))
    assert starts(manager) == []
    assert starts(manager, on=manager.today + timedelta(days=2))


@pytest.mark.parametrize(
    ("over", "field"),
    [
        ({"until_day": "2026-11-24"}, "until_day"),
        ({"until_time": "14:00"}, "until_day"),
        ({"from_day": "9999-12-31"}, "from_day"),
        ({"who": "doctor-1"}, "who"),
        ({"from_time": "25:00"}, "from_time"),
    ],
)
def test_senseless_absences_are_refused_beside_their_field(manager, over, field):
    page = manager.client.post(reverse("schedule_absences"), absence(manager, **over))
    assert page.status_code == 422
    assert field in page.context["form"].errors


def test_lengths_grid_and_holidays_worked(manager):
    given = {"grid_minutes": "15", "length_first": "90", "length_recheck": "20", "length_return": "30",
             "length_treatment": "60", "closed_on_holidays": "on", "open_anyway": ["2027-01-01", "x"]}  # fmt: skip
    assert manager.client.post(reverse("schedule_settings"), given).status_code == 302
    row = CalendarSettings.objects.get()
    assert (row.grid_minutes, row.lengths["first"], row.open_anyway) == (15, 90, [date(2027, 1, 1)])
    assert (row.closed_on_holidays, row.open_on_makeup_days) == (True, False)
    assert length_of("first", clinic=manager.clinic) == timedelta(minutes=90)
    assert starts(manager)[:2] == ["10:15", "10:30"]
    page = manager.client.get(reverse("schedule_settings")).content.decode()
    assert 'value="2027-01-01" checked' in page
    assert manager.client.post(reverse("schedule_settings"), given | {"length_first": "0"}).status_code == 422


def test_rooms_are_added_renamed_and_taken_out_of_use(manager):
    manager.client.post(reverse("schedule_rooms"), {"name": "影像室"})
    room = Room.objects.get(name="影像室")
    assert manager.client.post(reverse("schedule_rooms"), {"name": "影像室"}).status_code == 422
    manager.client.post(reverse("room_edit", args=[room.pk]), {"name": "CT 室"})
    manager.client.post(reverse("room_active", args=[room.pk]), {"active": "0"})
    room.refresh_from_db()
    assert (room.name, room.is_active) == ("CT 室", False)
    assert room.name not in {c.title for c in manager.board(by="room").columns}


def test_only_who_manages_the_calendar_opens_these_pages(day):
    for name in ("schedule", "schedule_absences", "schedule_settings", "schedule_rooms"):
        assert day.client.get(reverse(name)).status_code == 403


# --- booking ---------------------------------------------------------------------------------------


def test_booking_outside_the_hours_asks_first_and_over_an_absence_never(day):
    patient = PatientFactory(clinic=day.clinic)
    fields = {"patient": patient.pk, "kind": "recheck", "doctor": day.doctors[0].pk, "day": "2026-11-26", "at": "20:00"}
    refused = day.client.post(reverse("appointment_new"), fields)
    assert refused.status_code == 409
    assert 'name="insist"' in refused.content.decode()
    assert day.client.post(reverse("appointment_new"), fields | {"insist": "1"}).status_code == 302
    start = datetime.combine(date(2026, 11, 27), time(9), day.clinic.tz)
    Absence.objects.create(clinic=day.clinic, starts_at=start, ends_at=start + timedelta(hours=9), kind="closed")
    closed = day.client.post(reverse("appointment_new"), fields | {"day": "2026-11-27", "at": "10:00", "insist": "1"})
    assert closed.status_code == 409
    assert 'name="insist"' not in closed.content.decode()
    assert Appointment.objects.count() == 1


def test_a_kept_holiday_is_closed_and_the_nearest_times_lie_after_it(day):
    CalendarSettings.objects.create(clinic=day.clinic)
    start = datetime.combine(date(2027, 1, 1), time(10), day.clinic.tz)
    with pytest.raises(ClosedThen) as closed:
        check_open(
            clinic=day.clinic, starts_at=start, ends_at=start + timedelta(minutes=30), doctor=day.doctors[0], room=None
        )
    assert closed.value.may_insist
    assert all(slot.starts_at.date() > date(2027, 1, 2) for slot in closed.value.nearest)


def test_suggestions_begin_where_class_and_plan_say(day):
    patient = PatientFactory(clinic=day.clinic, class_code="C-E")
    given = {"clinic": day.clinic, "patient": patient, "doctor": day.doctors[0]}
    first = suggest_slots(kind="recheck", **given)[0]
    assert first.starts_at.astimezone(day.clinic.tz).date() == day.today + timedelta(days=14)
    braces = suggest_slots(kind="treatment", treatment="orthodontics", **given)[0]
    assert braces.starts_at.astimezone(day.clinic.tz).date() == day.today + timedelta(days=28)


def test_free_times_take_the_same_statements_for_a_day_and_a_month(day, django_assert_num_queries):
    given = {"clinic": day.clinic, "start": day.today, "length": timedelta(minutes=30), "doctor": day.doctors[0]}
    free_slots(**given)  # the clinic's settings are read once for a clinic object
    for days in (1, 30):
        with django_assert_num_queries(2):
            free_slots(days=days, **given)


def test_a_clinic_that_settled_nothing_is_closed_on_public_holidays():
    policy = policy_of(ClinicFactory())
    assert (policy.closed_on_holidays, policy.open_on_makeup_days) == (True, True)
