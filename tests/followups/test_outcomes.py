"""Why patients did not come: asked once, corrected later, late or not; and who is marked as not come."""

from datetime import datetime, time, timedelta
from typing import Any

import pytest
import time_machine
from django.test import Client
from django.urls import reverse

from accounts.permissions import Role
from followups.errors import Outdated, Refused
from followups.models import AbsenceReason, Appointment, Task
from followups.outcomes import USUAL_SIDE, is_late, lateness, still_to_ask
from followups.services import cancel, confirm, move, restore
from followups.services.outcomes import correct_outcome, mark_no_shows, say_why
from tests.factories import AppointmentFactory, ClinicFactory, UserFactory

pytestmark = pytest.mark.django_db
NOW = datetime.fromisoformat("2026-11-18T10:42:00+08:00")
Status = Appointment.Status


@pytest.fixture(autouse=True)
def _at_work():
    with time_machine.travel(NOW, tick=False):
        yield


class Desk:
    def __init__(self) -> None:
        self.clinic = ClinicFactory(late_cancel_hours=24)
        self.by = UserFactory(clinic=self.clinic, role=Role.FRONT_DESK)
        self.doctor = UserFactory(clinic=self.clinic, role=Role.DOCTOR)

    def at(self, clock: str, days: int = 1) -> datetime:
        return datetime.combine(self.clinic.today() + timedelta(days=days), time.fromisoformat(clock), self.clinic.tz)

    def row(self, clock: str = "16:00", days: int = 1, **facts: Any) -> Appointment:
        start = self.at(clock, days)
        usual = {"doctor": self.doctor, "created_at": start - timedelta(days=9)}
        return AppointmentFactory(
            clinic=self.clinic, starts_at=start, ends_at=start + timedelta(minutes=30), **(usual | facts)
        )


@pytest.fixture
def desk() -> Desk:
    return Desk()


def test_each_reason_has_its_usual_side():
    assert set(USUAL_SIDE) == set(AbsenceReason.values)


def test_late_is_less_than_the_threshold_before():
    start = NOW + timedelta(hours=24)
    assert not is_late(starts_at=start, at=NOW, hours=24)
    assert is_late(starts_at=start, at=NOW + timedelta(seconds=1), hours=24)
    assert lateness(status=Status.CANCELLED_CLINIC, starts_at=start, at=start, hours=24) is None


@pytest.mark.parametrize(("clock", "late"), [("10:00", True), ("11:00", False)])
def test_a_cancellation_is_early_or_late_by_the_clinics_threshold(desk, clock, late):
    row = cancel(appointment=desk.row(clock), outcome=Status.CANCELLED_PATIENT, absence_reason="weather", by=desk.by)
    row.refresh_from_db()
    assert (row.is_late, row.ended_at) == (late, NOW)
    change = row.changes.get()
    assert (change.absence_reason, change.absence_side, change.is_late) == ("weather", "chance", late)


def test_the_side_said_counts_more_than_the_usual_one(desk):
    row = cancel(
        appointment=desk.row(), outcome=Status.CANCELLED_PATIENT, absence_reason="other", absence_side="ours",
        reason="停车难", by=desk.by,
    )  # fmt: skip
    assert (row.absence_side, row.absence_note) == ("ours", "停车难")


def test_what_lies_with_us_has_no_reason_of_the_patients(desk):
    row = cancel(
        appointment=desk.row(), outcome=Status.CANCELLED_CLINIC, absence_reason="weather", reason="停电", by=desk.by
    )
    assert (row.absence_reason, row.absence_side, row.is_late) == ("", "", None)
    with pytest.raises(Refused):
        cancel(appointment=desk.row("15:00"), outcome=Status.ERROR, absence_reason="weather", by=desk.by)


@pytest.mark.parametrize("said", [{"absence_reason": "?"}, {"absence_reason": "weather", "absence_side": "?"}, {}])
def test_nonsense_is_refused(desk, said):
    row = desk.row()
    with pytest.raises(Refused):
        cancel(appointment=row, outcome=Status.CANCELLED_PATIENT, by=desk.by, **said)
    row.refresh_from_db()
    assert row.status == Status.BOOKED


def test_a_move_is_late_or_not_and_keeps_its_chain(desk, client):
    first = desk.row("10:00")
    what = {"doctor": desk.doctor, "by": desk.by}
    second = move(
        appointment=first, starts_at=desk.at("10:00", 5), ends_at=desk.at("10:30", 5), absence_reason="income", **what
    )
    third = move(appointment=second, starts_at=desk.at("10:00", 9), ends_at=desk.at("10:30", 9), **what)
    first.refresh_from_db()
    second.refresh_from_db()
    assert (first.is_late, first.absence_reason, first.absence_side) == (True, "income", "patient")
    assert (second.is_late, second.absence_reason) == (False, "")
    client.force_login(desk.by, backend="allauth.account.auth_backends.AuthenticationBackend")
    for row in (first, second, third):
        chain = client.get(reverse("appointment", args=[row.pk])).context["chain"]
        assert chain == [first, second, third]


def test_restoring_clears_what_was_said(desk):
    row = cancel(appointment=desk.row(), outcome=Status.CANCELLED_PATIENT, absence_reason="fake", by=desk.by)
    row = restore(appointment=row, by=desk.by)
    row.refresh_from_db()
    assert (row.status, row.holds_slot, row.ended_at, row.is_late) == (Status.BOOKED, True, None, None)
    assert (row.absence_reason, row.absence_side, row.absence_note) == ("", "", "")
    assert [c.absence_reason for c in row.changes.order_by("pk")] == ["fake", ""]


def test_a_reason_is_corrected_and_what_was_said_before_stays(desk):
    row = cancel(appointment=desk.row(), outcome=Status.CANCELLED_PATIENT, absence_reason="weather", by=desk.by)
    for _twice in range(2):
        row = say_why(appointment=row, absence_reason="call_time", note="中午打来", by=desk.by)
    row.refresh_from_db()
    assert (row.absence_reason, row.absence_side, row.absence_note) == ("call_time", "ours", "中午打来")
    changes = row.changes.order_by("pk")
    assert [c.absence_reason for c in changes] == ["weather", "call_time"]
    assert [c.new_status for c in changes] == [Status.CANCELLED_PATIENT] * 2


def test_nothing_is_said_of_one_that_stands(desk):
    with pytest.raises(Outdated):
        say_why(appointment=desk.row(), absence_reason="weather", by=desk.by)


def test_those_expected_on_days_that_ended_are_marked_once(desk):
    yesterday, confirmed = desk.row("10:00", -1), desk.row("11:00", -1)
    confirm(appointment=confirmed, by=desk.by)
    today, kept = desk.row("09:00", 0), desk.row("12:00", -1, status=Status.KEPT)
    assert mark_no_shows(now=NOW, limit=10) == 2
    assert mark_no_shows(now=NOW, limit=10) == 0
    for row, status in ((yesterday, "no_show"), (confirmed, "no_show"), (today, "booked"), (kept, "kept")):
        row.refresh_from_db()
        assert row.status == status
    assert (yesterday.ended_at, yesterday.is_late, still_to_ask(yesterday)) == (NOW, None, True)
    change = yesterday.changes.get()
    assert (change.new_status, change.by) == (Status.NO_SHOW, None)


def test_the_day_ends_by_the_clinics_own_clock(desk):
    west = ClinicFactory(zone="Asia/Urumqi")
    start = datetime.fromisoformat("2026-11-17T20:00:00+06:00")
    row = AppointmentFactory(
        clinic=west, starts_at=start, ends_at=start + timedelta(minutes=30), created_at=start - timedelta(days=1)
    )
    for now, count in (("2026-11-17T23:59:00+06:00", 0), ("2026-11-18T00:00:00+06:00", 1)):
        assert mark_no_shows(now=datetime.fromisoformat(now), limit=10) == count
    row.refresh_from_db()
    assert row.status == Status.NO_SHOW


def test_marking_is_bounded_and_goes_on_next_time(desk):
    for hour in range(9, 14):
        desk.row(f"{hour:02}:00", -1)
    assert [mark_no_shows(now=NOW, limit=2) for _run in range(4)] == [2, 2, 1, 0]


def test_imported_history_is_not_marked(desk):
    row = desk.row("10:00", -30, created_at=NOW)
    assert mark_no_shows(now=NOW, limit=10) == 0
    row.refresh_from_db()
    assert row.status == Status.BOOKED


def test_a_no_show_marked_by_the_clock_can_be_explained_and_taken_back(desk, client: Client):
    row = desk.row("10:00", -1)
    mark_no_shows(now=NOW, limit=10)
    client.force_login(desk.by, backend="allauth.account.auth_backends.AuthenticationBackend")
    url = reverse("appointment_why", args=[row.pk])
    assert client.post(url, {"absence_reason": ""}).status_code == 422
    assert client.post(url, {"absence_reason": "forced", "reason": "不想来"}).status_code == 302
    row.refresh_from_db()
    assert (row.absence_reason, row.absence_side, row.absence_note) == ("forced", "ours", "不想来")
    page = client.get(reverse("appointment", args=[row.pk])).content.decode()
    assert "不想来" in page
    client.post(reverse("appointment_restore", args=[row.pk]))
    row.refresh_from_db()
    assert (row.status, row.absence_reason) == (Status.BOOKED, "")
    assert client.post(url, {"absence_reason": "forced"}).status_code == 422


def test_a_cancellation_noted_wrongly_is_corrected_though_its_time_was_given_away(desk, client: Client):
    row = desk.row("15:00", 1)
    cancel(appointment=row, outcome=Status.CANCELLED_PATIENT, absence_reason="weather", by=desk.by)
    desk.row("15:00", 1)  # somebody else has the time by now
    client.force_login(desk.by, backend="allauth.account.auth_backends.AuthenticationBackend")
    url = reverse("appointment_why", args=[row.pk])
    assert 'value="cancelled_clinic"' in client.get(url).content.decode()
    assert client.post(url, {"outcome": "cancelled_clinic", "reason": ""}).status_code == 422
    assert client.post(url, {"outcome": "no_show", "absence_reason": "other"}).status_code == 422  # it is to come
    assert client.post(url, {"outcome": "cancelled_clinic", "reason": "医生停诊"}).status_code == 302
    row.refresh_from_db()
    assert (row.status, row.absence_reason, row.absence_note, row.is_late) == ("cancelled_clinic", "", "医生停诊", None)
    assert row.changes.filter(new_status="cancelled_patient", absence_reason="weather").exists()
    assert client.post(url, {"outcome": "cancelled_patient", "absence_reason": "income"}).status_code == 302
    row.refresh_from_db()
    assert (row.status, row.absence_side) == ("cancelled_patient", "patient")
    assert row.is_late is not None


def test_a_no_show_that_had_cancelled_is_asked_to_book_and_not_why(desk):
    row = desk.row("10:00", -1)
    mark_no_shows(now=NOW, limit=10)
    kinds = Task.objects.open().filter(patient=row.patient).values_list("kind", flat=True)
    assert list(kinds) == ["no_show"]
    correct_outcome(appointment=row, outcome=Status.CANCELLED_PATIENT, absence_reason="income", by=desk.by)
    assert list(kinds.all()) == ["book_recheck"]
    row.refresh_from_db()
    assert not row.holds_slot
    correct_outcome(appointment=row, outcome=Status.NO_SHOW, absence_reason="income", by=desk.by)
    assert list(kinds.all()) == ["no_show"]


def test_what_is_booked_or_kept_did_not_fall_through(desk):
    with pytest.raises(Outdated):
        correct_outcome(appointment=desk.row("15:00", 1), outcome=Status.CANCELLED_CLINIC, note="x", by=desk.by)
