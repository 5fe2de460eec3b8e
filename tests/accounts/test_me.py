"""Language, theme and current clinic."""

import pytest

from accounts.models import User
from accounts.permissions import Role
from tests.factories import ClinicFactory, MembershipFactory, UserFactory

pytestmark = pytest.mark.django_db
SIGN_IN = {"zh-hans": "登录", "en": "Sign in"}


@pytest.fixture
def manager(client):
    user = UserFactory(role=Role.MANAGER, clinic=ClinicFactory())
    client.force_login(user)
    return user


def fresh(user):
    return User.objects.get(pk=user.pk)


def test_chinese_is_the_default_whatever_the_browser_prefers(client):
    response = client.get("/sign-in/", headers={"Accept-Language": "en-GB,en"})
    assert response.headers["Content-Language"] == "zh-hans"


def test_a_visitors_language_is_kept_in_the_browser(client):
    client.post("/me/language/", {"language": "en"})
    assert client.get("/sign-in/").headers["Content-Language"] == "en"


def test_a_persons_language_follows_them_and_wins_over_the_browsers(client, manager):
    client.post("/me/language/", {"language": "en", "next": "/staff/?show=active"})
    assert fresh(manager).language == "en"
    client.cookies["django_language"] = "zh-hans"
    assert client.get("/staff/").headers["Content-Language"] == "en"


@pytest.mark.parametrize("language", ["", "xx", "fr", "../en"])
def test_an_unknown_language_is_ignored(client, manager, language):
    client.post("/me/language/", {"language": language})
    assert fresh(manager).language == ""


def test_switches_go_back_to_our_pages_alone(client, manager):
    assert client.post("/me/language/", {"language": "en", "next": "/staff/"})["Location"] == "/staff/"
    for evil in ("https://evil.example/", "//evil.example", "javascript:alert(1)"):
        assert client.post("/me/theme/", {"theme": "dark", "next": evil})["Location"] == "/"


def test_the_theme_is_kept_and_can_follow_the_system_again(client, manager):
    client.post("/me/theme/", {"theme": "dark"})
    assert fresh(manager).theme == "dark"
    assert 'data-theme="dark"' in client.get("/staff/").content.decode()
    client.post("/me/theme/", {"theme": ""})
    assert 'data-theme="dark"' not in client.get("/staff/").content.decode()


def test_one_works_in_the_chosen_clinic(client, manager):
    other = MembershipFactory(user=manager, role=Role.MANAGER).clinic
    client.post("/me/clinic/", {"clinic": other.pk})
    assert fresh(manager).working_in == other
    assert other.name in client.get("/staff/").content.decode()


@pytest.mark.parametrize("chosen", ["foreign", "", "x", "0", "99999999999999999999"])
def test_only_the_own_clinics_can_be_chosen(client, manager, chosen):
    foreign = ClinicFactory()
    pk = foreign.pk if chosen == "foreign" else chosen
    assert client.post("/me/clinic/", {"clinic": pk}).status_code == 404
    assert fresh(manager).current_clinic is None


def test_a_chosen_clinic_that_is_no_longer_allowed_falls_back(manager):
    other = MembershipFactory(user=manager, role=Role.NURSE)
    User.objects.filter(pk=manager.pk).update(current_clinic=other.clinic)
    other.is_active = False
    other.save()
    assert fresh(manager).working_in == manager.memberships.order_by("pk").first().clinic


def test_who_works_nowhere_is_told_so(client):
    client.force_login(UserFactory())
    assert client.get("/staff/").status_code == 403


@pytest.mark.parametrize("path", ["/me/language/", "/me/theme/", "/me/clinic/"])
def test_switches_only_listen_to_posts(client, manager, path):
    assert client.get(path).status_code == 405
