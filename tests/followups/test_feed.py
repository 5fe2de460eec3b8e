"""The calendar feed behind a secret link: what is in it, and when it stops."""

from datetime import datetime, time, timedelta

import icalendar
import pytest
import time_machine
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from accounts.models import Membership, User
from accounts.permissions import Role
from followups.models import Appointment, CalendarFeed
from followups.services.feeds import digest_of, make_feed
from tests.factories import AppointmentFactory, ClinicFactory, PatientFactory, RoomFactory, UserFactory

pytestmark = pytest.mark.django_db
NOW = datetime.fromisoformat("2026-11-18T10:42:00+08:00")


class Feed:
    def __init__(self, client: Client) -> None:
        self.client = client
        self.clinic = ClinicFactory()
        self.user = UserFactory(clinic=self.clinic, role=Role.DOCTOR)
        self.patient = PatientFactory(clinic=self.clinic, name="叶明安", phone="19900000001", reg_number="QH2611-0001")

    def at(self, clock: str = "10:00", days: int = 1) -> datetime:
        return datetime.combine(self.clinic.today() + timedelta(days=days), time.fromisoformat(clock), self.clinic.tz)

    def row(self, days: int = 1, clock: str = "10:00", **facts):
        start = self.at(clock, days)
        usual = {"clinic": self.clinic, "patient": self.patient, "doctor": self.user}
        return AppointmentFactory(starts_at=start, ends_at=start + timedelta(minutes=30), **(usual | facts))

    def make(self) -> str:
        return reverse("calendar_feed", args=[make_feed(user=self.user, clinic=self.clinic, by=self.user)])

    def events(self, url: str):
        response = self.client.get(url)
        assert response.status_code == 200
        return icalendar.Calendar.from_ical(response.content).walk("VEVENT")


@pytest.fixture
def feed(client):
    with time_machine.travel(NOW, tick=False):
        yield Feed(client)


def test_the_feed_tells_initials_and_number_and_neither_name_nor_phone(feed):
    room = RoomFactory(clinic=feed.clinic, name="3 诊室")
    row = feed.row(room=room, kind="recheck", purpose="叶明安的种植复查", note="电话19900000001")
    url = feed.make()
    response = feed.client.get(url)
    text = response.content.decode()
    (event,) = feed.events(url)
    assert response["Content-Type"] == "text/calendar; charset=utf-8"
    assert (event["SUMMARY"], event["LOCATION"]) == ("YMA QH2611-0001", "3 诊室")
    assert event.start == row.starts_at
    assert event.end == row.ends_at
    assert all(secret not in text for secret in ("叶明安", "1990000", "种植复查"))
    assert str(event["UID"]).startswith(f"appointment-{row.pk}@")


def test_only_what_stands_from_thirty_days_back_to_ninety_ahead(feed):
    shown = [feed.row(-29), feed.row(1), feed.row(89), feed.row(-1, status="kept")]
    feed.row(-31), feed.row(91)
    feed.row(2, status="cancelled_patient", holds_slot=False)
    feed.row(3, doctor=UserFactory(clinic=feed.clinic, role=Role.DOCTOR))
    elsewhere = ClinicFactory()
    Membership.objects.create(clinic=elsewhere, user=feed.user, role=Role.DOCTOR)
    feed.row(4, clinic=elsewhere)
    assert len(feed.events(feed.make())) == len(shown)


def test_a_coordinators_feed_holds_the_appointments_of_their_patients(feed):
    mine = UserFactory(clinic=feed.clinic, role=Role.COORDINATOR)
    patient = PatientFactory(clinic=feed.clinic, reg_owner=mine)
    feed.row(patient=patient)
    feed.row(clock="11:00")
    feed.user = mine
    assert len(feed.events(feed.make())) == 1


def test_only_a_digest_of_the_link_is_kept(feed):
    token = make_feed(user=feed.user, clinic=feed.clinic, by=feed.user)
    kept = CalendarFeed.objects.get()
    assert kept.token_digest == digest_of(token) != token


def test_a_new_link_ends_the_old_one_and_revoking_ends_both(feed):
    first, second = feed.make(), feed.make()
    assert [feed.client.get(url).status_code for url in (first, second)] == [404, 200]
    feed.client.force_login(feed.user, backend="allauth.account.auth_backends.AuthenticationBackend")
    feed.client.post(reverse("my_calendar_revoke"))
    assert feed.client.get(second).status_code == 404
    assert feed.client.get(reverse("calendar_feed", args=["x"])).status_code == 404


def test_who_left_reads_nothing_more(feed):
    url = feed.make()
    Membership.objects.filter(user=feed.user).update(is_active=False)
    assert feed.client.get(url).status_code == 404
    Membership.objects.filter(user=feed.user).update(is_active=True)
    assert feed.client.get(url).status_code == 200
    User.objects.filter(pk=feed.user.pk).update(is_active=False)
    assert feed.client.get(url).status_code == 404


def test_an_unchanged_feed_is_not_sent_again(feed):
    feed.row()
    url = feed.make()
    etag = feed.client.get(url)["ETag"]
    again = feed.client.get(url, headers={"If-None-Match": etag})
    assert (again.status_code, again.content) == (304, b"")
    feed.row(2)
    assert feed.client.get(url, headers={"If-None-Match": etag}).status_code == 200


def test_what_was_cancelled_leaves_the_feed_though_nothing_in_it_changed(feed):
    row = feed.row()
    url = feed.make()
    first = feed.client.get(url)
    Appointment.objects.filter(pk=row.pk).update(status="cancelled_patient", holds_slot=False)
    since = {"If-Modified-Since": first["Last-Modified"]}
    assert feed.client.get(url, headers=since).status_code == 200


def test_reading_is_noted_at_most_once_an_hour(feed):
    url = feed.make()
    with time_machine.travel(NOW, tick=False) as clock:
        for minutes, expected in ((0, 0), (59, 0), (2, 61)):
            clock.shift(timedelta(minutes=minutes))
            feed.client.get(url)
            assert CalendarFeed.objects.get().last_read_at == NOW + timedelta(minutes=expected)


def test_the_page_shows_the_link_once(feed):
    feed.client.force_login(feed.user, backend="allauth.account.auth_backends.AuthenticationBackend")
    made = feed.client.post(reverse("my_calendar"))
    link = made.context["link"]
    assert link in made.content.decode()
    assert feed.client.get(link).status_code == 200
    later = feed.client.get(reverse("my_calendar")).content.decode()
    assert ".ics" not in later


def test_the_feed_costs_the_same_with_three_and_with_ninety_appointments(feed):
    url = feed.make()

    def count():
        with CaptureQueriesContext(connection) as captured:
            feed.client.get(url)
        return len(captured)

    for day in range(1, 4):
        feed.row(day)
    count()
    few = count()
    for day in range(4, 90):
        feed.row(day)
    assert count() == few
