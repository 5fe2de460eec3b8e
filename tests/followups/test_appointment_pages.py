"""The pages of appointments: the day's list, booking, moving, cancelling."""

from datetime import datetime, time, timedelta
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from accounts.permissions import Role
from consultations.stages import Stage
from followups.models import Appointment
from tests.factories import AppointmentFactory, ClinicFactory, PatientFactory, RoomFactory, UserFactory, VisitFactory

pytestmark = pytest.mark.django_db
HTMX = {"HTTP_HX_REQUEST": "true"}
Status = Appointment.Status


class Desk:
    def __init__(self, client: Client) -> None:
        self.client = client
        self.clinic = ClinicFactory()
        self.user = UserFactory(clinic=self.clinic, role=Role.FRONT_DESK)
        self.doctor = UserFactory(clinic=self.clinic, role=Role.DOCTOR)
        self.room = RoomFactory(clinic=self.clinic)
        self.patient = PatientFactory(clinic=self.clinic)
        self.sign_in(self.user)

    def sign_in(self, user: Any) -> None:
        self.client.force_login(user, backend="allauth.account.auth_backends.AuthenticationBackend")

    def at(self, clock: str, days: int = 1) -> datetime:
        day = self.clinic.today() + timedelta(days=days)
        return datetime.combine(day, time.fromisoformat(clock), self.clinic.tz)

    def row(self, clock: str = "10:00", days: int = 1, **facts: Any) -> Appointment:
        start = self.at(clock, days)
        usual = {"doctor": self.doctor, "starts_at": start, "ends_at": start + timedelta(minutes=30)}
        return AppointmentFactory(clinic=self.clinic, **(usual | facts))

    def fields(self, **over: Any) -> dict[str, Any]:
        usual = {
            "patient": self.patient.pk,
            "kind": "recheck",
            "doctor": self.doctor.pk,
            "room": "",
            "minutes": "",
            "purpose": "种植复查",
            "day": self.at("10:00").date().isoformat(),
            "at": "10:00",
        }
        return usual | over


@pytest.fixture
def desk(client: Client) -> Desk:
    return Desk(client)


def test_booking_a_free_time_leads_to_the_patient_and_can_be_undone(desk):
    response = desk.client.post(reverse("appointment_new"), desk.fields())
    row = Appointment.objects.get()
    assert response["Location"] == reverse("patient", args=[desk.patient.pk])
    assert (row.starts_at, row.ends_at, row.created_by) == (desk.at("10:00"), desk.at("10:30"), desk.user)
    desk.client.post(reverse("appointment_undo", args=[row.pk]))
    row.refresh_from_db()
    assert (row.status, row.holds_slot) == (Status.ERROR, False)


def test_a_suggested_slot_books_with_one_tap(desk):
    slot = desk.at("14:00").strftime("%Y-%m-%dT%H:%M:%S%z")
    desk.client.post(reverse("appointment_new"), desk.fields(at="", slot=slot))
    assert Appointment.objects.get().starts_at == desk.at("14:00")


def test_the_page_suggests_times_that_book_when_posted(desk):
    page = desk.client.get(reverse("appointment_new"), {"patient": desk.patient.pk, "doctor": desk.doctor.pk})
    slots = page.context["suggestions"]
    assert len(slots) == 3
    html = page.content.decode()
    value = html.partition('name="slot" value="')[2].partition('"')[0]
    desk.client.post(reverse("appointment_new"), desk.fields(at="", slot=value))
    assert Appointment.objects.get().starts_at == slots[0].starts_at


def test_a_taken_time_says_so_with_the_nearest_and_keeps_what_was_typed(desk):
    desk.row()
    response = desk.client.post(reverse("appointment_new"), desk.fields(purpose="想问费用"))
    html = response.content.decode()
    assert response.status_code == 409
    assert [slot.starts_at for slot in response.context["nearest"]] == [desk.at(t) for t in ("09:00", "09:30", "10:30")]
    assert "想问费用" in html
    assert Appointment.objects.count() == 1


def test_what_is_missing_is_told_beside_its_field(desk):
    response = desk.client.post(reverse("appointment_new"), desk.fields(at="", doctor=""))
    assert response.status_code == 422
    assert set(response.context["form"].errors) == {"at", "doctor"}


@pytest.mark.parametrize(
    "over", [{"at": "25:99"}, {"day": "gestern"}, {"doctor": "0 OR 1"}, {"minutes": "7"}, {"slot": "x"}, {"kind": "?"}]
)
def test_nonsense_is_refused_not_booked(desk, over):
    assert desk.client.post(reverse("appointment_new"), desk.fields(**over)).status_code == 422
    assert not Appointment.objects.exists()


def test_changing_the_doctor_brings_only_the_times_anew(desk):
    other = UserFactory(clinic=desk.clinic, role=Role.DOCTOR)
    desk.row()
    asked = {"patient": desk.patient.pk, "day": desk.at("10:00").date().isoformat(), "kind": "recheck"}
    taken = desk.client.get(reverse("appointment_new"), asked | {"doctor": desk.doctor.pk}, **HTMX).content.decode()
    free = desk.client.get(reverse("appointment_new"), asked | {"doctor": other.pk}, **HTMX).content.decode()
    assert "<html" not in taken
    assert 'value="10:00"' not in taken
    assert 'value="10:00"' in free


def test_booking_from_a_visit_leads_back_to_it(desk):
    visit = VisitFactory(clinic=desk.clinic, patient=desk.patient, stage=Stage.LEAVING, doctor=desk.doctor)
    page = desk.client.get(reverse("appointment_new"), {"patient": desk.patient.pk, "visit": visit.pk})
    assert str(page.context["form"].initial["doctor"]) == str(desk.doctor.pk)
    response = desk.client.post(reverse("appointment_new"), desk.fields(visit=visit.pk))
    assert response["Location"] == visit.get_absolute_url()


def test_only_our_own_addresses_are_gone_back_to(desk):
    response = desk.client.post(reverse("appointment_new"), desk.fields(next="https://example.com/"))
    assert response["Location"] == reverse("patient", args=[desk.patient.pk])


def test_without_a_patient_one_is_searched_first(desk):
    assert "workbench/booking_patient.html" in [t.name for t in desk.client.get(reverse("appointment_new")).templates]
    found = desk.client.post(reverse("appointment_new"), {"q": desk.patient.name}, **HTMX).content.decode()
    assert f"patient={desk.patient.pk}" in found


def test_other_clinics_are_not_there_and_doctors_do_not_book(desk):
    foreign = AppointmentFactory()
    for name in ("appointment", "appointment_move", "appointment_cancel"):
        assert desk.client.get(reverse(name, args=[foreign.pk])).status_code == 404
    for name in ("appointment_confirm", "appointment_restore", "appointment_undo"):
        assert desk.client.post(reverse(name, args=[foreign.pk])).status_code == 404
    page = desk.client.get(reverse("appointment_new"), {"patient": foreign.patient_id})
    assert "workbench/booking_patient.html" in [t.name for t in page.templates]
    desk.sign_in(desk.doctor)
    for name in ("appointments", "appointment_new"):
        assert desk.client.get(reverse(name)).status_code == 403


def test_moving_keeps_the_old_row_and_goes_back_to_its_new_day(desk):
    old = desk.row()
    fields = {"doctor": desk.doctor.pk, "day": desk.at("09:00", 2).date().isoformat(), "at": "09:00", "reason": "出差"}
    response = desk.client.post(reverse("appointment_move", args=[old.pk]), fields)
    old.refresh_from_db()
    assert old.status == Status.MOVED
    assert old.moved_to.starts_at == desk.at("09:00", 2)
    day = desk.at("09:00", 2).date().isoformat()
    assert response["Location"].endswith(f"?day={day}#a-{old.moved_to.pk}")
    again = desk.client.post(reverse("appointment_move", args=[old.pk]), fields | {"at": "11:00"})
    assert again.status_code == 409


def test_confirming_from_the_list_draws_only_the_row(desk):
    row = desk.row()
    response = desk.client.post(reverse("appointment_confirm", args=[row.pk]), {"row": "1"}, **HTMX)
    assert f'id="appt-{row.pk}"' in response.content.decode()
    assert "<html" not in response.content.decode()
    row.refresh_from_db()
    assert row.status == Status.CONFIRMED


def test_cancelling_asks_for_the_reason_and_can_be_taken_back(desk):
    row = desk.row()
    url = reverse("appointment_cancel", args=[row.pk])
    refused = desk.client.post(url, {"outcome": "cancelled_patient", "reason": "下雨"})
    assert refused.status_code == 422
    assert set(refused.context["form"].errors) == {"absence_reason"}
    assert "下雨" in refused.content.decode()
    desk.client.post(url, {"outcome": "cancelled_patient", "absence_reason": "weather"})
    row.refresh_from_db()
    assert row.status == Status.CANCELLED_PATIENT
    desk.client.post(reverse("appointment_restore", args=[row.pk]))
    row.refresh_from_db()
    assert row.status == Status.BOOKED


def test_no_show_is_offered_only_once_the_time_has_come(desk):
    past, coming = desk.row(days=-1), desk.row()
    for row, offered in ((past, True), (coming, False)):
        page = desk.client.get(reverse("appointment_cancel", args=[row.pk])).content.decode()
        assert ('value="no_show"' in page) is offered


def test_the_day_shows_what_stands_and_apart_what_fell_through(desk):
    kept, gone = desk.row("10:00"), desk.row("11:00", status=Status.CANCELLED_PATIENT, holds_slot=False)
    desk.row("10:00", days=2)
    url = f"{reverse('appointments')}?view=list&day={desk.at('10:00').date().isoformat()}"
    rows = [r["a"] for r in desk.client.get(url).context["rows"]]
    assert rows == [kept]
    assert [r["a"] for r in desk.client.get(f"{url}&show=gone").context["rows"]] == [gone]
    assert [r["a"] for r in desk.client.get(f"{url}&doctor={desk.doctor.pk}").context["rows"]] == [kept]
    assert not desk.client.get(f"{url}&doctor=999999").context["rows"]


def test_the_day_costs_the_same_with_five_and_with_eighty_appointments(desk):
    def count() -> int:
        with CaptureQueriesContext(connection) as captured:
            desk.client.get(reverse("appointments"), {"view": "list", "day": desk.at("09:00").date().isoformat()})
        return len(captured)

    def fill(number: int) -> None:
        for minute in range(number):
            start = desk.at("09:00") + timedelta(minutes=minute)
            doctor = UserFactory(clinic=desk.clinic, role=Role.DOCTOR)
            desk.row(doctor=doctor, starts_at=start, ends_at=start + timedelta(minutes=5))

    fill(5)
    few = count()
    fill(75)
    assert count() == few <= 10


def test_the_drawer_tells_what_happened_to_an_appointment(desk):
    row = desk.row()
    desk.client.post(
        reverse("appointment_cancel", args=[row.pk]), {"outcome": "cancelled_clinic", "reason": "医生外出"}
    )
    page = desk.client.get(reverse("appointment", args=[row.pk]), **HTMX).content.decode()
    assert "医生外出" in page
    assert "<html" not in page
