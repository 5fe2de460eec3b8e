"""A patient's rights in their data: the report, erasure, and who sees what is left."""

from datetime import date, timedelta

import pytest
from django.apps import apps
from django.test import Client
from django.urls import reverse
from django.utils import timezone, translation

from accounts.audit import record
from accounts.permissions import Role
from clinic_crm.workbench.merging import merge_patients, undo_merge
from clinic_crm.workbench.rights import erase_patient, report_of
from followups.models import Campaign, CampaignMember, Contact, Message, Task
from patients.errors import Refused
from patients.models import Patient, PatientPhone, Registration, RightsRequest
from patients.rights_report import render_pdf
from patients.search import find
from patients.services.rights import keep_until
from tests.factories import (
    ClinicFactory,
    ConsentFactory,
    PatientFactory,
    RegistrationFactory,
    TaskFactory,
    UserFactory,
    VisitFactory,
)

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _english():
    """Refusals are matched in the language of the code."""
    with translation.override("en"):
        yield


@pytest.fixture
def clinic():
    return ClinicFactory()


@pytest.fixture
def manager(clinic):
    return UserFactory(clinic=clinic, role=Role.MANAGER)


@pytest.fixture
def patient(clinic):
    return PatientFactory(
        clinic=clinic, name="沈雨薇", phone="19900001734", wechat_id="yuwei", notes="爱喝咖啡", allergies="青霉素",
        occupation="护士", class_code="C-C", reg_tags=["种植"],
    )  # fmt: skip


def came(clinic, patient):
    at = timezone.now() - timedelta(days=3)
    return VisitFactory(clinic=clinic, patient=patient, stage="closed", arrived_at=at, received_at=at)


def erase(patient, clinic, by):
    done = erase_patient(patient=patient, clinic=clinic, reason="患者要求", by=by)
    patient.refresh_from_db()
    return done


def signed_in(user) -> Client:
    client = Client()
    client.force_login(user, backend="allauth.account.auth_backends.AuthenticationBackend")
    return client


def words_of(report) -> str:
    return "\n".join(cell for section in report.sections for row in section.rows for cell in row)


# --- the report ------------------------------------------------------------------------------------


def test_the_report_says_what_is_held_who_saw_it_and_where_it_went(clinic, manager, patient):
    came(clinic, patient)
    ConsentFactory(clinic=clinic, patient=patient, wording_version="1")
    record(action="contact_revealed", clinic=clinic, by=manager, subject=patient, what="phone")
    now = timezone.now()
    Message.objects.create(
        clinic=clinic, patient=patient, channel="sms", purpose="care", subject="x", due_at=now, not_before=now,
        state="accepted", accepted_at=now, provider="log",
    )  # fmt: skip
    report = report_of(patient=patient, clinic=clinic, by=manager)
    told = words_of(report)
    for what in ("沈雨薇", "19900001734", "yuwei", "青霉素", "种植", "Contact opened", str(manager), "Log only"):
        assert what in told
    assert RightsRequest.objects.get().kind == "report"


def test_the_report_is_a_pdf_with_chinese_and_hostile_words(clinic, manager, patient):
    Patient.objects.filter(pk=patient.pk).update(notes="<b>&amp;</para> 很" * 300)
    patient.refresh_from_db()
    body = render_pdf(report_of(patient=patient, clinic=clinic, by=manager))
    assert body.startswith(b"%PDF-")
    assert b"STSong-Light" in body


def test_the_report_names_clinics_that_hold_more_and_prints_nothing_of_them(clinic, manager, patient):
    away = ClinicFactory(name="青禾口腔·远方")
    RegistrationFactory(patient=patient, clinic=away, number="AWAY-1")
    report = report_of(patient=patient, clinic=clinic, by=manager)
    assert report.elsewhere == ["青禾口腔·远方"]
    assert "AWAY-1" not in words_of(report)


def test_the_report_says_who_opened_a_record_that_was_merged(clinic, manager, patient):
    other = PatientFactory(clinic=clinic)
    record(action="contact_revealed", clinic=clinic, by=manager, subject=other, what="phone")
    merge_patients(winner=patient, loser=other, clinic=clinic, by=manager)
    assert "Contact opened" in words_of(report_of(patient=patient, clinic=clinic, by=manager))


def test_the_report_is_downloaded_by_managers_only(clinic, manager, patient):
    address = reverse("rights_report", args=[patient.pk])
    answer = signed_in(manager).post(address)
    assert (answer.status_code, answer["Content-Type"]) == (200, "application/pdf")
    assert signed_in(UserFactory(clinic=clinic)).post(address).status_code == 403


# --- erasure -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("last", "until"),
    [(None, None), (date(2026, 11, 22), date(2041, 11, 22)), (date(2024, 2, 29), date(2039, 2, 28))],
)
def test_records_are_kept_fifteen_years_from_the_last_visit(last, until):
    assert keep_until(last) == until


def test_what_the_law_does_not_want_kept_goes(clinic, manager, patient):
    came(clinic, patient)
    done = erase(patient, clinic, manager)
    assert (patient.wechat_id, patient.notes, patient.class_code) == ("", "", "")
    assert (patient.name, patient.allergies, patient.occupation) == ("沈雨薇", "青霉素", "护士")
    assert patient.restricted_at is not None
    assert not PatientPhone.objects.exists()
    assert Registration.objects.get(patient=patient).tags == []
    assert done.keep_until == keep_until(timezone.localdate() - timedelta(days=3))
    assert done.erased["gone"]["phones"] == 1


def test_who_never_came_leaves_no_name(clinic, manager, patient):
    done = erase(patient, clinic, manager)
    assert (patient.name, patient.allergies, patient.sex) == ("—", "", "")
    assert done.keep_until is None


def test_the_histories_forget_too(clinic, manager, patient):
    patient.notes = "爱喝茶"
    patient.save()
    erase(patient, clinic, manager)
    kept = apps.get_model("patients", "PatientEvent").objects.filter(pgh_obj=patient.pk)
    assert kept.exists()
    assert {(row.notes, row.wechat_id, row.name) for row in kept} == {("", "", "—")}


def test_nothing_is_sent_or_called_about_any_more(clinic, manager, patient):
    for purpose in ("contact", "marketing"):
        ConsentFactory(clinic=clinic, patient=patient, purpose=purpose)
    task = TaskFactory(clinic=clinic, patient=patient)
    now = timezone.now()
    message = Message.objects.create(
        clinic=clinic, patient=patient, channel="sms", purpose="care", subject="x", due_at=now, not_before=now
    )
    campaign = Campaign.objects.create(clinic=clinic, name="x", text="x", starts_at=now)
    CampaignMember.objects.create(campaign=campaign, patient=patient)
    Contact.objects.create(clinic=clinic, patient=patient, channel="phone", outcome="reached", note="说想要")
    erase(patient, clinic, manager)
    task.refresh_from_db()
    message.refresh_from_db()
    assert (task.status, message.state) == (Task.Status.CLOSED, Message.State.SUPPRESSED)
    assert not CampaignMember.objects.exists()
    assert Contact.objects.get().note == ""


def test_an_erased_record_cannot_come_back_by_undoing_a_merge(clinic, manager, patient):
    other = PatientFactory(clinic=clinic, notes="秘密")
    made = merge_patients(winner=patient, loser=other, clinic=clinic, by=manager)
    erase(patient, clinic, manager)
    made.refresh_from_db()
    other.refresh_from_db()
    assert (made.before, other.notes) == ({}, "")
    with pytest.raises(Refused, match="erasure"):
        undo_merge(merge=made, by=manager)


def test_refused_during_a_visit_twice_and_without_the_right_everywhere(clinic, manager, patient):
    visit = VisitFactory(clinic=clinic, patient=patient)
    with pytest.raises(Refused, match="in the clinic now"):
        erase(patient, clinic, manager)
    type(visit).objects.update(stage="closed")
    away = RegistrationFactory(patient=patient)
    with pytest.raises(Refused, match=away.clinic.name):
        erase(patient, clinic, manager)
    away.delete()
    erase(patient, clinic, manager)
    with pytest.raises(Refused, match="already"):
        erase(patient, clinic, manager)


# --- who sees what is left ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("role", "status"),
    [(Role.MANAGER, 200), (Role.DOCTOR, 200), (Role.COORDINATOR, 403), (Role.FRONT_DESK, 403), (Role.NURSE, 403)],
)
def test_a_closed_record_is_for_those_who_treat_and_managers(clinic, manager, patient, role, status):
    came(clinic, patient)
    erase(patient, clinic, manager)
    user = UserFactory(clinic=clinic, role=role)
    assert signed_in(user).get(reverse("patient", args=[patient.pk])).status_code == status
    found = [hit.patient for hit in find("沈雨薇", user=user, clinic=clinic)]
    assert found == ([patient] if status == 200 else [])


def test_a_closed_record_is_in_no_list(clinic, manager, patient):
    came(clinic, patient)
    erase(patient, clinic, manager)
    assert "沈雨薇" not in signed_in(manager).get(reverse("patient_list")).content.decode()


def test_erasure_by_page_wants_a_reason_and_says_what_stays(clinic, manager, patient):
    came(clinic, patient)
    client, address = signed_in(manager), reverse("rights_erase", args=[patient.pk])
    until = keep_until(timezone.localdate() - timedelta(days=3))
    assert str(until.year) in client.get(address).content.decode()
    assert client.post(address, {"reason": "患者要求"}).status_code == 422
    answer = client.post(address, {"reason": "患者要求", "understood": "on"})
    assert answer["Location"] == reverse("patient_rights", args=[patient.pk])
    assert client.get(answer["Location"]).status_code == 200
    assert client.post(address, {"reason": "患者要求", "understood": "on"}).status_code == 409
