"""Pages without sign-in: complaining, and coming as somebody's friend."""

from typing import Any

import pytest
from django.conf import settings
from django.core.cache import cache
from django.test import Client

from accounts.models import AuditEvent
from accounts.permissions import Role
from clinic_crm.workbench import complaints_public
from patients import crypto
from patients.models import ComplaintCase, PublicLink
from patients.services.referral_links import link_for, revoke
from patients.views import public
from tests.factories import ClinicFactory, PatientFactory, UserFactory
from tests.guards.routes import signed_in

pytestmark = pytest.mark.django_db
SAID = {"category": "waiting", "what": "等了一个小时", "wish": "给个说法", "name": "沈女士", "phone": "199 0000 1734"}


@pytest.fixture(autouse=True)
def _nobody_counted():
    cache.clear()


@pytest.fixture
def clinic():
    return ClinicFactory(name="青禾口腔·滨江")


@pytest.fixture
def manager(clinic):
    return UserFactory(clinic=clinic, role=Role.MANAGER)


@pytest.fixture
def link(clinic, manager):
    return link_for(clinic=clinic, purpose="complaint", by=manager)


def send(link: PublicLink, **other: Any) -> Any:
    return Client(enforce_csrf_checks=True).post(f"/c/{link.code}/", SAID | other)


def test_a_complaint_without_account_gets_a_number(clinic, link, manager):
    answer = send(link)
    case = ComplaintCase.objects.get()
    assert case.number in Client().get(answer["Location"]).content.decode()
    assert (case.source, case.owner, case.contact_name, case.contact_last4) == (
        "public_link",
        manager,
        "沈女士",
        "1734",
    )
    assert b"19900001734" not in bytes(case.contact_encrypted)
    assert crypto.decrypt(case.contact_encrypted) == "19900001734"


def test_a_known_number_says_whose_it_is_inside_only(clinic, link):
    patient = PatientFactory(clinic=clinic, phone="19900001734", name="沈雨薇")
    page = Client().get(send(link)["Location"]).content.decode()
    assert ComplaintCase.objects.get().patient == patient
    assert "沈雨薇" not in page


def test_a_number_of_two_people_is_nobodys(clinic, link):
    for _n in range(2):
        PatientFactory(clinic=clinic, phone="19900001734")
    send(link)
    assert ComplaintCase.objects.get().patient is None


def test_another_clinics_patient_is_not_matched(link):
    PatientFactory(clinic=ClinicFactory(), phone="19900001734")
    send(link)
    assert ComplaintCase.objects.get().patient is None


def test_sent_twice_it_is_one(link):
    assert send(link)["Location"].split("?")[0] == send(link)["Location"].split("?")[0]
    assert ComplaintCase.objects.count() == 1


def test_a_program_that_fills_everything_in_is_thanked_and_not_kept(link):
    assert send(link, website="https://x.example").status_code == 302
    assert not ComplaintCase.objects.exists()


@pytest.mark.parametrize("wrong", [{"what": ""}, {"phone": "12"}, {"category": "?"}, {"what": "x" * 2001}])
def test_what_is_wrong_is_said_and_the_rest_kept(link, wrong):
    answer = send(link, **wrong)
    assert answer.status_code == 422
    assert "给个说法" in answer.content.decode()
    assert not ComplaintCase.objects.exists()


def test_a_revoked_or_invented_link_is_answered_kindly(link, manager):
    revoke(link=link, by=manager)
    for code in (link.code, "ABCDEFGHJK", "x"):
        answer = Client().get(f"/c/{code}/")
        assert answer.status_code == 404
        assert "前台" in answer.content.decode()


@pytest.mark.parametrize(
    ("path", "chinese", "english"),
    [
        ("/c/ABCDEFGHJK/", "前台", "at the desk"),
        ("/r/ABCDEFGHJK/", "前台", "at the desk"),
        ("/f/x/", "扫码", "not complete"),
    ],
)
def test_a_link_that_leads_nowhere_speaks_the_language_this_browser_chose(path, chinese, english):
    browser = Client()
    assert chinese in browser.get(path).content.decode()
    browser.cookies[settings.LANGUAGE_COOKIE_NAME] = "en"
    assert english in browser.get(path).content.decode()
    assert chinese in browser.get(path, {"lang": "zh-hans"}).content.decode()


def test_a_living_page_starts_in_chinese_whatever_the_browser_chose(link):
    browser = Client()
    browser.cookies[settings.LANGUAGE_COOKIE_NAME] = "en"
    assert 'hreflang="en"' in browser.get(f"/c/{link.code}/").content.decode()


def test_a_referral_code_opens_no_complaint(clinic, manager):
    link = link_for(clinic=clinic, purpose="referral", patient=PatientFactory(clinic=clinic), by=manager)
    assert Client().get(f"/c/{link.code}/").status_code == 404


def test_too_many_complaints_from_one_address_wait(link, monkeypatch):
    monkeypatch.setattr(complaints_public, "PER_ADDRESS", 2)
    statuses = [send(link, what=f"第{n}次").status_code for n in range(3)]
    assert statuses == [302, 302, 429]
    assert ComplaintCase.objects.count() == 2


def test_too_many_requests_to_one_link_wait(link, monkeypatch):
    monkeypatch.setattr(public, "PER_MINUTE", 2)
    assert [Client().get(f"/c/{link.code}/").status_code for _n in range(3)] == [200, 200, 429]


def test_too_many_guesses_from_one_address_wait(monkeypatch):
    monkeypatch.setattr(public, "GUESSES_PER_MINUTE", 2)
    assert [Client().get(f"/c/GUESS{n}/").status_code for n in range(3)] == [404, 404, 429]


def test_thanks_for_a_number_nobody_signed_leads_back(link):
    assert Client().get(f"/c/{link.code}/thanks/?n=TS2611-0001").status_code == 302


def test_the_friends_page_names_the_clinic_and_nobody_else(clinic, manager):
    referrer = PatientFactory(clinic=clinic, name="周岚", phone="19900001734")
    link = link_for(clinic=clinic, purpose="referral", patient=referrer, by=manager)
    answer = Client().get(f"/r/{link.code}/?lang=en")
    page = answer.content.decode()
    assert "青禾口腔·滨江" in page
    assert link.code in page
    assert "周岚" not in page
    assert "patients/" not in page
    assert answer["Referrer-Policy"] == "no-referrer"
    assert "noindex" in answer["X-Robots-Tag"]


def test_the_number_left_is_opened_by_those_who_may_and_logged(clinic, link, manager):
    send(link)
    case, client = ComplaintCase.objects.get(), signed_in(manager)
    assert "19900001734" not in client.get(f"/complaints/{case.pk}/").content.decode()
    assert "19900001734" in client.post(f"/complaints/{case.pk}/contact/").content.decode()
    assert AuditEvent.objects.filter(action="complaint_contact_shown", subject_id=case.pk).exists()


def test_the_sheet_is_made_and_revoked(clinic, manager):
    client = signed_in(manager)
    client.get("/complaints/link/")
    assert not PublicLink.objects.exists()
    client.post("/complaints/link/", {"action": "make"})
    link = PublicLink.objects.get()
    assert f"/c/{link.code}/" in client.get("/complaints/link/").content.decode()
    client.post("/complaints/link/", {"action": "revoke"})
    link.refresh_from_db()
    assert link.revoked_at is not None
