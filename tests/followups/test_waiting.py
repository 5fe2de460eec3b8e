"""The waiting list: getting on and off it, and being given a time."""

from datetime import timedelta

import pytest
from django.urls import reverse

from accounts.permissions import Role
from followups.errors import Outdated, Refused
from followups.models import Appointment, WaitingEntry
from followups.services import cancel
from followups.services.waiting import add_waiting, book_waiting, fitting, reopen_waiting, withdraw_waiting
from followups.waiting_rules import Gap
from tests.factories import AppointmentFactory, PatientFactory, UserFactory
from tests.followups.test_calendar import HTMX, Day
from tests.followups.test_calendar import day as day  # the fixture

pytestmark = pytest.mark.django_db
Status = WaitingEntry.Status


def add(day: Day, **facts: object) -> WaitingEntry:
    patient = facts.pop("patient", None) or PatientFactory(clinic=day.clinic)
    usual = {"kind": "recheck", "minutes": 30, "from_day": day.today, "until_day": day.today + timedelta(days=7)}
    return add_waiting(clinic=day.clinic, patient=patient, by=day.user, **(usual | facts))  # type: ignore[arg-type]


def test_the_same_wish_twice_is_one_entry(day):
    first = add(day)
    assert add(day, patient=first.patient) == first
    assert add(day, patient=first.patient, minutes=60) != first


@pytest.mark.parametrize(
    ("facts", "field"),
    [({"minutes": 0}, "minutes"), ({"until": -1}, "until_day"), ({"until": 400}, "until_day")],
)
def test_senseless_wishes_are_refused(day, facts, field):
    if "until" in facts:
        facts = {"until_day": day.today + timedelta(days=facts["until"])}
    with pytest.raises(Refused) as refused:
        add(day, **facts)
    assert refused.value.field == field
    with pytest.raises(Refused):
        add(day, patient=PatientFactory())


def test_being_given_a_time_ends_the_wait_and_taking_it_back_opens_it(day):
    entry = add(day, note="冷热敏感")
    row = book_waiting(entry=entry, starts_at=day.at("15:00"), doctor=day.doctors[0], room=None, by=day.user)
    entry.refresh_from_db()
    assert (entry.status, entry.appointment, row.purpose) == (Status.BOOKED, row, "冷热敏感")
    with pytest.raises(Outdated):
        book_waiting(entry=entry, starts_at=day.at("16:00"), doctor=day.doctors[0], room=None, by=day.user)
    reopen_waiting(entry=entry, by=day.user)
    row.refresh_from_db()
    entry.refresh_from_db()
    assert (row.status, entry.status, entry.appointment) == ("error", Status.WAITING, None)


def test_a_freed_time_fits_those_who_wait_for_it(day):
    row = day.row("11:00")
    fits, other = add(day, doctor=day.doctors[0]), add(day, doctor=day.doctors[1])
    cancel(appointment=row, outcome=Appointment.Status.CANCELLED_CLINIC, reason="设备检修", by=day.user)
    found = fitting(clinic=day.clinic, gap=Gap(row.starts_at, row.ends_at, doctor=row.doctor_id))
    assert [entry for entry, _fit in found] == [fits]
    withdraw_waiting(entry=fits, by=day.user)
    withdraw_waiting(entry=other, by=day.user)
    assert fitting(clinic=day.clinic, gap=Gap(row.starts_at, row.ends_at, doctor=row.doctor_id)) == []


def test_a_past_time_is_offered_to_nobody(day):
    add(day)
    assert fitting(clinic=day.clinic, gap=Gap(day.at("09:00"), day.at("09:30"), doctor=day.doctors[0].pk)) == []


# --- pages ----------------------------------------------------------------------------------------


def test_from_the_booking_page_onto_the_list_and_off_it_again(day):
    patient = PatientFactory(clinic=day.clinic)
    booking = day.client.get(reverse("appointment_new"), {"patient": patient.pk}).content.decode()
    assert reverse("waiting_new") in booking
    fields = {"patient": patient.pk, "kind": "recheck", "from_day": "2026-11-25", "until_day": "2026-12-05"}
    assert day.client.get(reverse("waiting_new"), {"patient": patient.pk}).status_code == 200
    assert day.client.post(reverse("waiting_new"), fields).status_code == 302
    entry = WaitingEntry.objects.get()
    assert patient.name in day.client.get(reverse("waiting_list")).content.decode()
    assert patient.name in day.page()
    day.client.post(reverse("waiting_withdraw", args=[entry.pk]))
    assert list(day.client.get(reverse("waiting_list")).context["rows"]) == []
    day.client.post(reverse("waiting_reopen", args=[entry.pk]))
    assert patient.name in day.client.get(reverse("waiting_list")).content.decode()


def test_wrong_days_are_told_beside_their_field_and_keep_what_was_typed(day):
    patient = PatientFactory(clinic=day.clinic)
    fields = {
        "patient": patient.pk,
        "kind": "recheck",
        "from_day": "2026-11-25",
        "until_day": "2026-11-01",
        "note": "上午",
    }
    response = day.client.post(reverse("waiting_new"), fields)
    assert response.status_code == 422
    assert set(response.context["form"].errors) == {"until_day"}
    assert "上午" in response.content.decode()


def test_the_side_panel_books_its_suggestion_with_one_tap(day):
    entry = day.waits(doctor=day.doctors[1])
    html = day.page()
    assert f'action="{reverse("waiting_book", args=[entry.pk])}?day=2026-11-25"' in html
    given = {"by": "doctor", "col": day.doctors[1].pk, "day": "2026-11-25", "at": "10:30"}
    url = reverse("waiting_book", args=[entry.pk]) + "?day=2026-11-25"
    assert day.client.post(url, given, **HTMX).status_code == 200
    entry.refresh_from_db()
    assert entry.appointment.starts_at == day.at("10:30")
    assert day.client.post(url, given | {"at": "16:00"}, **HTMX).status_code == 409  # somebody was quicker


def test_a_taken_time_is_refused_and_the_wait_goes_on(day):
    day.row("10:30")
    entry = day.waits()
    given = {"by": "doctor", "col": day.doctors[0].pk, "day": "2026-11-25", "at": "10:30"}
    assert (
        day.client.post(reverse("waiting_book", args=[entry.pk]) + "?day=2026-11-25", given, **HTMX).status_code == 409
    )
    entry.refresh_from_db()
    assert entry.status == Status.WAITING


def test_cancelling_says_at_once_who_waits_for_the_time(day):
    entry = day.waits(doctor=day.doctors[0])
    row = day.row("15:00")
    fields = {"outcome": "cancelled_clinic", "reason": "设备检修"}
    page = day.client.post(reverse("appointment_cancel", args=[row.pk]), fields)
    said = [str(m.extra_tags) for m in page.wsgi_request._messages]
    see = next(tag for tag in said if tag.startswith("see ")).removeprefix("see ")
    assert entry.patient.name in day.client.get(see).content.decode()


def test_somebody_being_asked_is_marked(day):
    entry = day.waits()
    day.client.post(reverse("waiting_offer", args=[entry.pk]), {"start": "2026-11-25T15:00:00+08:00"})
    entry.refresh_from_db()
    assert (entry.status, entry.offered_start) == (Status.OFFERED, day.at("15:00"))
    assert "询问中" in day.page()
    refused = day.client.post(reverse("waiting_offer", args=[entry.pk]), {"start": "soon"}, follow=True)
    assert "请选一个空位" in refused.content.decode()
    entry.refresh_from_db()
    assert entry.offered_start == day.at("15:00")


def test_who_fits_is_a_dialog_or_a_page(day):
    entry = day.waits()
    asked = {"start": "2026-11-25T15:00:00+08:00", "end": "2026-11-25T15:30:00+08:00", "doctor": day.doctors[0].pk}
    for headers in ({}, HTMX):
        assert entry.patient.name in day.client.get(reverse("waiting_fits"), asked, **headers).content.decode()
    assert day.client.get(reverse("waiting_fits"), asked | {"end": "x"})["Location"] == reverse("waiting_list")


def test_other_clinics_entries_are_not_there(day):
    foreign = Day(day.client)
    entry = foreign.waits()
    day.sign_in(day.user)
    for name in ("waiting_book", "waiting_withdraw", "waiting_reopen", "waiting_offer"):
        assert day.client.post(reverse(name, args=[entry.pk])).status_code == 404
    day.sign_in(UserFactory(clinic=day.clinic, role=Role.DOCTOR))
    assert day.client.get(reverse("waiting_list")).status_code == 403


def test_who_has_an_appointment_already_is_shown_with_it_and_not_left_with_two(day, client):
    entry = add(day)
    later = AppointmentFactory(
        clinic=day.clinic, patient=entry.patient, starts_at=day.at("10:00") + timedelta(days=5),
        ends_at=day.at("10:30") + timedelta(days=5),
    )  # fmt: skip
    gap = Gap(day.at("15:00"), day.at("16:00"), doctor=day.doctors[0].pk)
    assert [row.coming_at for row, _fit in fitting(clinic=day.clinic, gap=gap)] == [later.starts_at]
    client.force_login(day.user)
    assert "10:00" in client.get(reverse("waiting_list")).content.decode()
    told = {"by": "doctor", "col": day.doctors[0].pk, "day": day.today.isoformat(), "at": "15:00"}
    page = client.post(reverse("waiting_book", args=[entry.pk]), told, follow=True).content.decode()
    assert reverse("appointment", args=[later.pk]) in page
