"""Sessions that run out, and ending them from elsewhere."""

from datetime import UTC, datetime, timedelta

import pytest
import time_machine
from allauth.usersessions.models import UserSession
from django.contrib.sessions.models import Session
from django.test import Client

from accounts.devices import device_name
from accounts.permissions import Role
from accounts.services.sessions import drop_old_sessions
from tests.factories import PASSWORD, ClinicFactory, UserFactory

pytestmark = pytest.mark.django_db
START = datetime(2026, 11, 20, 1, tzinfo=UTC)
PAGE = "/me/security/"
CHROME = "Mozilla/5.0 (Windows NT 10.0) AppleWebKit/537.36 Chrome/130.0 Safari/537.36"


@pytest.fixture
def nurse():
    return UserFactory(username="yiyi", role=Role.NURSE, clinic=ClinicFactory())


def signed_in(**headers):
    browser = Client(**headers)
    browser.post("/sign-in/", {"login": "yiyi", "password": PASSWORD})
    return browser


def status_at(browser, minutes, **headers):
    with time_machine.travel(START + timedelta(minutes=minutes), tick=False):
        return browser.get(PAGE, headers=headers).status_code


@pytest.fixture
def browser(nurse):
    with time_machine.travel(START, tick=False):
        return signed_in(HTTP_USER_AGENT=CHROME)


def test_a_session_unused_too_long_is_over(browser, settings):
    settings.SESSION_IDLE_MINUTES = 30
    assert [status_at(browser, minute) for minute in (30, 60, 90)] == [200, 200, 200]
    assert status_at(browser, 121) == 302
    assert not Session.objects.filter(session_key=browser.cookies["sessionid"].value).exists()


def test_pages_that_ask_for_news_by_themselves_keep_nothing_alive(browser, settings):
    settings.SESSION_IDLE_MINUTES = 30
    poll = {"X-Poll": "1", "HX-Request": "true"}
    assert [status_at(browser, minute, **poll) for minute in (10, 20, 30)] == [200, 200, 200]
    assert status_at(browser, 31, **poll) == 401


def test_a_session_in_use_ends_some_hours_after_signing_in(browser, settings):
    settings.SESSION_ABSOLUTE_HOURS = 2
    assert [status_at(browser, minute) for minute in (40, 80, 120)] == [200, 200, 200]
    assert status_at(browser, 121) == 302


def test_use_is_written_once_a_minute_at_most(browser, django_assert_num_queries):
    with time_machine.travel(START + timedelta(seconds=50), tick=False):
        before = Session.objects.get().session_data
        browser.get(PAGE)
        assert Session.objects.get().session_data == before
    with time_machine.travel(START + timedelta(seconds=70), tick=False):
        browser.get(PAGE)
        assert Session.objects.get().session_data != before
        assert UserSession.objects.get().last_seen_at == START + timedelta(seconds=70)


def test_one_sees_where_one_is_signed_in(nurse):
    here, there = signed_in(), signed_in(HTTP_USER_AGENT=CHROME, REMOTE_ADDR="10.1.2.3")
    page = here.get(PAGE).content.decode()
    assert "Chrome · Windows" in page
    assert "10.1.2.3" in page
    there.post("/sign-out/")
    assert "10.1.2.3" not in here.get(PAGE).content.decode()


def test_a_session_is_ended_from_elsewhere_at_once(nurse):
    here, there = signed_in(), signed_in(REMOTE_ADDR="10.1.2.3")
    key = there.cookies["sessionid"].value
    here.post(f"{PAGE}sessions/{UserSession.objects.get(session_key=key).pk}/end/")
    assert there.get(PAGE).status_code == 302
    assert here.get(PAGE).status_code == 200


def test_all_others_are_ended_at_once(nurse):
    browsers = [signed_in() for _ in range(3)]
    browsers[0].post(f"{PAGE}sessions/end/")
    assert [browser.get(PAGE).status_code for browser in browsers] == [200, 302, 302]


def test_ending_this_session_signs_out_here(nurse):
    here = signed_in()
    here.post(f"{PAGE}sessions/{UserSession.objects.get().pk}/end/")
    assert here.get(PAGE).status_code == 302


def test_nobody_ends_somebody_elses_session(nurse):
    signed_in()
    other = Client()
    other.force_login(UserFactory(role=Role.ADMIN, clinic=nurse.memberships.get().clinic))
    assert other.post(f"{PAGE}sessions/{UserSession.objects.get(user=nurse).pk}/end/").status_code == 404


def test_what_is_left_of_old_sessions_is_dropped(browser):
    with time_machine.travel(START + timedelta(days=2), tick=False):
        drop_old_sessions()
    assert not Session.objects.exists()
    assert not UserSession.objects.exists()


@pytest.mark.parametrize(
    ("agent", "name"),
    [(CHROME, "Chrome · Windows"), ("", ""), ("curl/8", ""), ("x iPad x Version/17 Safari/604.1", "Safari · iPad")],
)
def test_devices_have_short_names(agent, name):
    assert device_name(agent) == name


@pytest.mark.parametrize(("minutes", "words"), [(480, "8 小时不使用"), (90, "90 分钟不使用")])
def test_the_page_says_in_hours_or_minutes_when_a_session_ends(nurse, settings, minutes, words):
    settings.SESSION_IDLE_MINUTES = minutes
    assert words in signed_in().get(PAGE).content.decode()
