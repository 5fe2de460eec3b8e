"""The calendar's pages: what they show, how many statements that takes, and moving by hand."""

from datetime import datetime, time, timedelta
from typing import Any

import pytest
import time_machine
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from accounts.permissions import Role
from consultations.stages import Stage
from followups.calendar import board_of, lanes_of
from followups.calendar_look import Look
from followups.models import Absence, Appointment, AppointmentChange, CalendarSettings, WaitingEntry, WorkingHours
from tests.factories import AppointmentFactory, ClinicFactory, PatientFactory, RoomFactory, UserFactory, VisitFactory

pytestmark = pytest.mark.django_db
HTMX = {"HTTP_HX_REQUEST": "true"}
Status = Appointment.Status
PHONE = "Mozilla/5.0 (Linux; Android 14) AppleWebKit/537.36 Chrome/130.0 Mobile Safari/537.36"


class Day:
    """A Wednesday at ten with a desk, two doctors and two rooms."""

    def __init__(self, client: Client) -> None:
        self.client = client
        self.clinic = ClinicFactory()
        self.user = UserFactory(clinic=self.clinic, role=Role.FRONT_DESK)
        self.doctors = [UserFactory(clinic=self.clinic, role=Role.DOCTOR, full_name=n) for n in ("谢美林", "徐梦琪")]
        self.rooms = [RoomFactory(clinic=self.clinic) for _n in range(2)]
        self.sign_in(self.user)

    def sign_in(self, user: Any) -> None:
        self.client.force_login(user, backend="allauth.account.auth_backends.AuthenticationBackend")

    @property
    def today(self) -> Any:
        return self.clinic.today()

    def at(self, clock: str, days: int = 0) -> datetime:
        return datetime.combine(self.today + timedelta(days=days), time.fromisoformat(clock), self.clinic.tz)

    def row(self, clock: str = "11:00", days: int = 0, minutes: int = 30, **facts: Any) -> Appointment:
        start = self.at(clock, days)
        usual = {"doctor": self.doctors[0], "starts_at": start, "ends_at": start + timedelta(minutes=minutes)}
        return AppointmentFactory(clinic=self.clinic, **(usual | facts))

    def waits(self, **facts: Any) -> WaitingEntry:
        usual = {"kind": "recheck", "from_day": self.today, "until_day": self.today, "clinic": self.clinic}
        patient = facts.pop("patient", None) or PatientFactory(clinic=self.clinic)
        return WaitingEntry.objects.create(patient=patient, **(usual | facts))

    def board(self, **look: Any) -> Any:
        shown = Look(**({"day": self.today, "today": self.today} | look))
        return board_of(user=self.user, clinic=self.clinic, look=shown, now=self.at("10:00"))

    def page(self, query: str = "", **headers: Any) -> str:
        return self.client.get(reverse("appointments") + query, **headers).content.decode()

    def drop(self, row: Appointment, at: str, *, to: Any = None, by: str = "doctor", **headers: Any) -> Any:
        url = reverse("calendar_drop", args=[row.pk]) + f"?day={self.today}"
        col = (to or self.doctors[0]).pk
        return self.client.post(url, {"by": by, "col": col, "day": self.today.isoformat(), "at": at}, **headers)


@pytest.fixture
def day(client: Client):
    with time_machine.travel(datetime.fromisoformat("2026-11-25T10:00:00+08:00"), tick=False):
        yield Day(client)


def clocks(slots: Any) -> list[str]:
    return [f"{s.starts_at.astimezone(s.starts_at.tzinfo):%H:%M}-{s.ends_at:%H:%M}" for s in slots]


def lunch(day: Day) -> None:
    for opens, closes in ((time(9), time(12)), (time(14), time(18))):
        for weekday in range(7):
            WorkingHours.objects.create(clinic=day.clinic, weekday=weekday, opens=opens, closes=closes)


# --- what it shows -------------------------------------------------------------------------------


def test_a_day_has_a_column_for_every_doctor_with_what_is_free(day):
    lunch(day)
    day.row("11:00")
    board = day.board()
    assert [c.title for c in board.columns] == ["徐梦琪", "谢美林"]
    free = {c.title: [f"{s.starts_at.astimezone(day.clinic.tz):%H:%M}" for s in c.free] for c in board.columns}
    assert free == {"徐梦琪": ["10:00", "14:00"], "谢美林": ["10:00", "11:30", "14:00"]}
    assert [c.percent for c in board.columns] == [0, 7]
    assert (board.top, board.bottom) == (9 * 60, 18 * 60 + 30)


def test_by_room_and_nobodys_appointments_have_a_column_of_their_own(day):
    day.row("11:00", room=day.rooms[0])
    day.row("15:00")
    board = day.board(by="room")
    assert [len(c.entries) for c in board.columns] == [1, 0, 1]
    assert board.columns[-1].key == 0
    assert board.columns[-1].free == []


def test_a_week_is_one_doctors_seven_days(day):
    day.row("11:00")
    day.row("11:00", days=1)
    day.row("12:00", doctor=day.doctors[1])
    board = day.board(view="week", col=day.doctors[0].pk)
    assert [len(c.entries) for c in board.columns] == [0, 0, 1, 1, 0, 0, 0]


def test_an_absence_closes_its_column_and_says_why(day):
    absence = {"clinic": day.clinic, "starts_at": day.at("15:00"), "ends_at": day.at("18:00"), "note": "院内培训"}
    Absence.objects.create(doctor=day.doctors[0], **absence)
    html = day.page()
    assert html.count("院内培训") == 1
    assert 'data-free="17:00"' in html  # the other doctor's
    mine = next(c for c in day.board().columns if c.key == day.doctors[0].pk)
    assert mine.free[-1].ends_at == day.at("15:00")


def test_a_kept_holiday_has_nothing_free(day):
    CalendarSettings.objects.create(clinic=day.clinic)
    with time_machine.travel(datetime.fromisoformat("2026-10-01T08:00:00+08:00"), tick=False):
        assert sum(len(c.free) for c in day.board().columns) == 0


def test_the_page_shows_states_and_escapes_what_was_typed(day):
    day.row("09:00", patient=PatientFactory(clinic=day.clinic, name="<b>沈</b>"), purpose="<script>x</script>")
    visit_row = day.row("09:30", status=Status.KEPT)
    VisitFactory(clinic=day.clinic, patient=visit_row.patient, appointment=visit_row, stage=Stage.ARRIVED)
    html = day.page()
    assert "&lt;b&gt;沈&lt;/b&gt;" in html
    assert "<script>x" not in html
    assert "在院" in html
    assert "未到" in html


def test_cancelled_ones_are_not_on_the_calendar(day):
    day.row("11:00", status=Status.CANCELLED_PATIENT, holds_slot=False)
    assert "cal-appt" not in day.page()


def test_the_list_stays_a_view_and_opens_on_a_phone_unless_something_else_is_asked(day):
    assert 'class="rows appts' in day.page("?view=list") or "这一天没有预约" in day.page("?view=list")
    assert "cal-grid" not in day.page(HTTP_USER_AGENT=PHONE)
    assert "cal-grid" in day.page("?view=day", HTTP_USER_AGENT=PHONE)
    assert "cal-grid" in day.page()


@pytest.mark.parametrize("query", ["?day=x&by=?&col=-1&month=2026-99", "?day=0001-01-01", "?view=week&col=999999"])
def test_nonsense_in_the_address_counts_as_not_said(day, query):
    assert day.client.get(reverse("appointments") + query).status_code == 200


def test_those_at_the_same_time_stand_side_by_side(day):
    for clock in ("11:00", "11:00", "15:00"):
        day.row(clock, doctor=None, room=None, holds_slot=False)
    entries = day.board().columns[-1].entries
    lanes, width = lanes_of(entries)
    assert (sorted(lanes.values()), width) == ([0, 1], 2)


def count(day: Day, query: str) -> int:
    day.page(query)  # content types and the like are known
    with CaptureQueriesContext(connection) as queries:
        day.page(query)
    return len(queries)


@pytest.mark.parametrize("query", ["", "?by=room", "?view=week"])
def test_forty_and_four_hundred_appointments_take_the_same_statements(day, query):
    doctors = [*day.doctors, *(UserFactory(clinic=day.clinic, role=Role.DOCTOR) for _n in range(10))]
    patients = [PatientFactory(clinic=day.clinic) for _n in range(4)]

    def fill(first: int, each: int) -> None:
        rows = [
            Appointment(clinic=day.clinic, patient=patients[n % 4], doctor=doctor, kind="recheck", purpose="复查",
                        starts_at=day.at("09:00") + timedelta(minutes=15 * n),
                        ends_at=day.at("09:15") + timedelta(minutes=15 * n))
            for doctor in doctors for n in range(first, first + each)
        ]  # fmt: skip
        Appointment.objects.bulk_create(rows)
        for _n in range(each):
            day.waits()

    fill(0, 4)
    few = count(day, query)
    fill(4, 30)
    assert Appointment.objects.count() >= 400
    assert count(day, query) == few <= 13


# --- asking whether something changed -------------------------------------------------------------


def test_the_board_answers_nothing_until_something_changes(day):
    row = day.row()
    page = day.client.get(reverse("appointments"))
    asked = {"day": day.today.isoformat(), "pulse": page.context["pulse"]}
    assert day.client.get(reverse("calendar_board"), asked, **HTMX).status_code == 204
    day.client.post(reverse("appointment_confirm", args=[row.pk]))
    changed = day.client.get(reverse("calendar_board"), asked, **HTMX)
    assert changed.status_code == 200
    assert 'hx-swap-oob="outerHTML"' in changed.content.decode()
    again = asked | {"pulse": changed.context["pulse"]}
    assert day.client.get(reverse("calendar_board"), again, **HTMX).status_code == 204
    day.waits()
    assert day.client.get(reverse("calendar_board"), again, **HTMX).status_code == 200


# --- moving by hand -------------------------------------------------------------------------------


def test_a_drop_moves_time_and_doctor_and_can_be_taken_back(day):
    row = day.row("11:00", minutes=45)
    response = day.drop(row, "15:15", to=day.doctors[1], **HTMX)
    new = Appointment.objects.get(moved_from=row)
    assert response.status_code == 200
    assert (new.starts_at, new.ends_at, new.doctor) == (day.at("15:15"), day.at("16:00"), day.doctors[1])
    day.client.post(reverse("appointment_move_back", args=[new.pk]))
    row.refresh_from_db()
    new.refresh_from_db()
    assert (row.status, row.holds_slot) == (Status.BOOKED, True)
    assert (new.status, new.holds_slot, new.moved_from) == (Status.ERROR, False, None)
    assert list(AppointmentChange.objects.filter(appointment=row).values_list("new_status", flat=True))[-1] == "booked"


def test_a_drop_on_a_taken_time_stays_and_names_the_nearest(day):
    row, other = day.row("11:00"), day.row("15:00")
    response = day.drop(row, "15:00", **HTMX)
    html = response.content.decode()
    row.refresh_from_db()
    assert (response.status_code, row.status) == (409, Status.BOOKED)
    assert 'id="refused"' in html
    assert 'name="at" value="14:30"' in html
    assert f'id="a-{other.pk}"' in html


def test_a_drop_into_leave_or_a_break_is_refused(day):
    lunch(day)
    Absence.objects.create(
        clinic=day.clinic, doctor=day.doctors[0], starts_at=day.at("15:00"), ends_at=day.at("18:00"), note="院内培训"
    )
    row = day.row("11:00")
    assert "院内培训" in day.drop(row, "15:30", **HTMX).content.decode()
    assert day.drop(row, "12:30", **HTMX).status_code == 409
    assert Appointment.objects.count() == 1


def test_between_doctors_a_taken_room_is_left_but_between_rooms_it_is_refused(day):
    day.row("15:00", doctor=day.doctors[1], room=day.rooms[0])
    row = day.row("11:00", room=day.rooms[0])
    assert day.drop(row, "15:00", to=day.rooms[0], by="room", **HTMX).status_code == 409
    assert day.drop(row, "15:00", **HTMX).status_code == 200
    assert Appointment.objects.get(moved_from=row).room is None


def test_only_who_moved_it_takes_it_back_and_only_while_its_place_is_free(day):
    row = day.row("11:00")
    day.drop(row, "15:00")
    new = Appointment.objects.get(moved_from=row)
    day.sign_in(UserFactory(clinic=day.clinic, role=Role.FRONT_DESK))
    day.client.post(reverse("appointment_move_back", args=[new.pk]))
    new.refresh_from_db()
    assert new.status == Status.BOOKED
    day.row("11:00")
    day.sign_in(day.user)
    day.client.post(reverse("appointment_move_back", args=[new.pk]))
    row.refresh_from_db()
    assert row.status == Status.MOVED


def test_without_javascript_a_drop_leads_back(day):
    assert day.drop(day.row(), "16:00").status_code == 302


@pytest.mark.parametrize("over", [{"at": "25:00"}, {"day": "x"}, {"col": "-1"}, {"by": "?"}, {"day": "9999-12-31"}])
def test_nonsense_is_refused_not_moved(day, over):
    row = day.row()
    given = {"by": "doctor", "col": day.doctors[0].pk, "day": day.today.isoformat(), "at": "15:00"} | over
    response = day.client.post(reverse("calendar_drop", args=[row.pk]), given, **HTMX)
    assert response.status_code == 422
    assert Appointment.objects.count() == 1


def test_other_clinics_and_those_who_may_not_book_are_kept_out(day):
    foreign = AppointmentFactory()
    assert day.drop(foreign, "15:00").status_code == 404
    assert day.drop(day.row(), "15:00", to=foreign.doctor).status_code == 404
    day.sign_in(day.doctors[0])
    assert day.client.get(reverse("appointments")).status_code == 403
    assert day.client.get(reverse("calendar_board")).status_code == 403


def test_freeing_a_time_shows_who_waits_for_it(day):
    waiting = day.waits(doctor=day.doctors[0])
    row = day.row("11:00")
    html = day.drop(row, "15:00", **HTMX).content.decode()
    assert 'id="fits"' in html
    assert reverse("waiting_book", args=[waiting.pk]) in html


def test_a_clinic_without_doctors_or_rooms_is_told_who_adds_them(client):
    clinic = ClinicFactory()
    user = UserFactory(clinic=clinic, role=Role.FRONT_DESK)
    client.force_login(user, backend="allauth.account.auth_backends.AuthenticationBackend")
    assert "还没有医生" in client.get("/appointments/").content.decode()
    assert "还没有诊室" in client.get("/appointments/?by=room").content.decode()
