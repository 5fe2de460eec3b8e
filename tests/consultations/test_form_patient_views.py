"""The patient's own form behind the signed link."""

import json
from datetime import timedelta
from functools import lru_cache
from typing import Any

import pytest
import time_machine
from django.core.cache import cache
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from django.utils.html import strip_tags

from accounts.permissions import Role
from consultations.form_links import Link, LinkInvalid, read_token, token_for
from consultations.models import ConsultationForm, Visit
from consultations.services.forms import complete_form, renew_link, save_answers, start_form
from consultations.services.reception import receive
from patients.models import Consent
from tests.consultations.test_form_services import WHOLE
from tests.factories import ClinicFactory, PatientFactory, UserFactory, VisitFactory

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _fresh_counters() -> None:
    cache.clear()
    token_of.cache_clear()


@pytest.fixture
def form() -> ConsultationForm:
    clinic = ClinicFactory()
    tc = UserFactory(role=Role.COORDINATOR, clinic=clinic)
    patient = PatientFactory(clinic=clinic, name="沈雨薇", sex="f", phone="19900001734")
    return start_form(visit=receive(visit=VisitFactory(clinic=clinic, patient=patient), by=tc), by=tc)


@lru_cache
def token_of(link: Link) -> str:
    """The same token each time: a fresh one carries another second."""
    return token_for(link)


def url(form: ConsultationForm, name: str = "patient_form", *args: Any) -> str:
    return reverse(name, args=[token_of(Link(form.pk, form.link_key)), *args])


def consent(client: Client, form: ConsultationForm, **more: str) -> Any:
    return client.post(url(form), {"care": "1", **more})


def test_the_first_screen_greets_by_surname_alone_and_asks_for_consent(client: Client, form: ConsultationForm) -> None:
    page = client.get(url(form))
    text = page.content.decode()
    assert page.status_code == 200
    assert "沈女士" in text
    assert "沈雨薇" not in text
    assert "1734" not in strip_tags(text)
    assert "19900001734" not in text
    assert 'name="care"' in text
    assert page["Cache-Control"] == "no-store"
    assert page["Referrer-Policy"] == "no-referrer"
    assert "noindex" in page["X-Robots-Tag"]


def test_nothing_is_asked_without_consent_to_care(client: Client, form: ConsultationForm) -> None:
    assert client.post(url(form), {"marketing": "1"}).status_code == 422
    assert not Consent.objects.exists()
    assert client.get(url(form, "patient_form_step", 1)).url == url(form)
    assert client.get(url(form, "patient_form_review")).url == url(form)


def test_consents_are_kept_as_given(client: Client, form: ConsultationForm) -> None:
    assert consent(client, form, contact="1").url == url(form, "patient_form_step", 1)
    rows = {row.purpose: (row.given, row.channel, row.by) for row in Consent.objects.all()}
    assert rows == {
        "care": (True, "patient_form", None),
        "contact": (True, "patient_form", None),
        "marketing": (False, "patient_form", None),
    }
    consent(client, form, marketing="1")
    assert Consent.objects.count() == 3


def test_each_screen_is_saved_and_the_form_resumes_where_it_was_left(client: Client, form: ConsultationForm) -> None:
    consent(client, form)
    step = url(form, "patient_form_step", 1)
    onward = client.post(
        step, {"q_main_complaint": "左下后牙缺失", "q_complaint_since": "year", "version": "{}", "go": "next"}
    )
    assert onward.url == url(form, "patient_form_step", 2)
    form.refresh_from_db()
    assert form.answers == {"main_complaint": "左下后牙缺失", "complaint_since": "year"}
    assert client.get(url(form)).url == url(form, "patient_form_step", 2)


def test_going_back_saves_too(client: Client, form: ConsultationForm) -> None:
    consent(client, form)
    back = client.post(url(form, "patient_form_step", 2), {"q_pain": "now", "version": "{}", "go": "back"})
    assert back.url == url(form, "patient_form_step", 1)
    form.refresh_from_db()
    assert form.answers == {"pain": "now"}


def test_a_bad_answer_stays_on_the_screen_with_what_was_typed(client: Client, form: ConsultationForm) -> None:
    consent(client, form)
    page = client.post(url(form, "patient_form_step", 3), {"q_weight": "9000", "q_surgery": "no", "go": "next"})
    assert page.status_code == 422
    assert "9000" in page.content.decode()
    form.refresh_from_db()
    assert form.answers == {"surgery": {"value": "no"}}


def test_what_the_patient_types_stays_text(client: Client, form: ConsultationForm) -> None:
    consent(client, form)
    evil = '<script>alert(1)</script>"><img src=x onerror=alert(2)>'
    client.post(url(form, "patient_form_step", 1), {"q_main_complaint": evil, "version": "{}", "go": "next"})
    for name, args in (("patient_form_step", [1]), ("patient_form_review", [])):
        text = client.get(url(form, name, *args)).content.decode()
        assert "<script>alert" not in text
        assert "<img src=x" not in text
        assert "&lt;script&gt;alert" in text


def test_the_coordinators_answers_survive_the_patients_stale_screen(client: Client, form: ConsultationForm) -> None:
    consent(client, form)
    seen = json.dumps({})
    save_answers(form=form, sent={"complaint_since": "years"}, seen={}, by=form.visit.coordinator)
    client.post(url(form, "patient_form_step", 1), {"q_main_complaint": "牙疼", "version": seen, "go": "next"})
    form.refresh_from_db()
    assert form.answers == {"main_complaint": "牙疼", "complaint_since": "years"}


def test_handing_in_is_possible_with_open_questions_and_the_coordinator_completes(
    client: Client, form: ConsultationForm
) -> None:
    consent(client, form)
    assert "还没填" in client.get(url(form, "patient_form_review")).content.decode()
    assert client.post(url(form, "patient_form_review")).url == url(form, "patient_form_done")
    form.refresh_from_db()
    assert form.patient_submitted_at
    assert form.completed_at is None
    assert Visit.objects.get(pk=form.visit_id).form_completed_at is None
    assert client.get(url(form)).url == url(form, "patient_form_done")
    assert client.get(url(form, "patient_form_done")).status_code == 200


def test_pregnancy_is_no_screen_of_a_mans_form(client: Client, form: ConsultationForm) -> None:
    form.visit.patient.sex = "m"
    form.visit.patient.save()
    consent(client, form)
    save_answers(form=form, sent=WHOLE, seen={}, by=None)
    assert "孕期" not in client.get(url(form, "patient_form_review")).content.decode()


@pytest.mark.parametrize("language", ["en", "zh-hans"])
def test_both_languages(client: Client, form: ConsultationForm, language: str) -> None:
    consent(client, form)
    text = client.get(url(form, "patient_form_step", 2) + f"?lang={language}").content.decode()
    assert ("Do teeth or gums hurt?" in text) is (language == "en")
    assert ("现在牙齿或牙龈疼吗" in text) is (language != "en")
    onward = client.post(url(form, "patient_form_step", 2) + f"?lang={language}", {"q_pain": "none", "go": "next"})
    assert onward.url.endswith("?lang=en" if language == "en" else "/3/")


def test_the_form_is_no_way_into_the_rest_of_the_product(client: Client, form: ConsultationForm) -> None:
    """Even in a browser where a staff member is signed in, no link leads away from the form."""
    client.force_login(form.visit.coordinator, backend="allauth.account.auth_backends.AuthenticationBackend")
    consent(client, form)
    for name, args in (("patient_form_step", [1]), ("patient_form_review", [])):
        text = client.get(url(form, name, *args)).content.decode()
        targets = [part.split('"')[0] for part in text.split('href="')[1:]]
        assert all(t.startswith(("/f/", "/static/", "#", "?")) for t in targets), targets
        assert form.visit.coordinator.full_name not in text


# --- which links work ----------------------------------------------------------------------------


def test_a_link_expires_after_a_day(client: Client, form: ConsultationForm) -> None:
    address = url(form)
    with time_machine.travel(timezone.now() + timedelta(hours=23, minutes=59), tick=False):
        assert client.get(address).status_code == 200
    with time_machine.travel(timezone.now() + timedelta(hours=24, minutes=1), tick=False):
        page = client.get(address)
        assert page.status_code == 410
        assert page["Cache-Control"] == "no-store"


def test_a_changed_link_opens_nothing(client: Client, form: ConsultationForm) -> None:
    token = token_for(Link(form.pk, form.link_key))
    for wrong in (token[:-1] + ("A" if token[-1] != "A" else "B"), "x" + token, "abc", token.split(":")[0]):
        assert client.get(reverse("patient_form", args=[wrong])).status_code == 404
        with pytest.raises(LinkInvalid):
            read_token(wrong)


def test_a_link_opens_its_own_form_only(client: Client, form: ConsultationForm) -> None:
    clinic = form.visit.clinic
    tc = form.visit.coordinator
    other = start_form(visit=receive(visit=VisitFactory(clinic=clinic), by=tc), by=tc)
    crossed = token_for(Link(other.pk, form.link_key))
    assert client.get(reverse("patient_form", args=[crossed])).status_code == 410


def test_a_new_link_kills_the_old_one_and_revoking_kills_all(client: Client, form: ConsultationForm) -> None:
    old = url(form)
    fresh = renew_link(form=form, by=form.visit.coordinator)
    assert client.get(old).status_code == 410
    assert client.get(url(fresh)).status_code == 200
    gone = url(fresh)
    renew_link(form=form, by=form.visit.coordinator, revoke=True)
    assert client.get(gone).status_code == 410
    empty = token_for(Link(form.pk, ""))
    assert client.get(reverse("patient_form", args=[empty])).status_code == 410


def test_a_completed_form_is_closed_to_the_patient(client: Client, form: ConsultationForm) -> None:
    consent(client, form)
    address = url(form, "patient_form_step", 1)
    save_answers(form=form, sent=WHOLE, seen={}, by=form.visit.coordinator)
    complete_form(form=form, by=form.visit.coordinator)
    assert client.get(address).status_code == 410
    assert client.post(address, {"q_main_complaint": "x"}).status_code == 410
    form.refresh_from_db()
    assert form.answers["main_complaint"] == WHOLE["main_complaint"]


def test_a_link_dies_with_the_visit(client: Client, form: ConsultationForm) -> None:
    Visit.objects.filter(pk=form.visit_id).update(stage="left_unseen")
    assert client.get(url(form)).status_code == 410


def test_too_many_requests_are_held_up(client: Client, form: ConsultationForm, monkeypatch: Any) -> None:
    monkeypatch.setattr("consultations.views.patient_form.PER_MINUTE", 3)
    assert [client.get(url(form)).status_code for _ in range(4)] == [200, 200, 200, 429]
    monkeypatch.setattr("consultations.views.patient_form.GUESSES_PER_MINUTE", 1)
    wrong = reverse("patient_form", args=["guess"])
    assert [client.get(wrong).status_code for _ in range(2)] == [404, 429]


def test_posting_needs_no_cookie_because_the_address_is_the_key(form: ConsultationForm) -> None:
    strict = Client(enforce_csrf_checks=True, headers={"origin": "null"})
    assert strict.post(url(form), {"care": "1"}).status_code == 302
