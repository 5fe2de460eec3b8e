"""A clinic's address and telephone: typed once, and on everything a patient holds in their hands."""

from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from accounts.models import AuditEvent, Clinic, User
from accounts.permissions import Role
from clinic_crm.workbench.rights import report_of
from followups.message_sets import ALLOWED, VARIABLES, fill
from followups.models import MessagePurpose
from followups.services.reminders import variables_of
from tests.factories import AppointmentFactory, ClinicFactory, PatientFactory, UserFactory

pytestmark = pytest.mark.django_db
ADDRESS, PHONE = "青禾路 12 号 2 楼", "199 0000 0000"
LINE = f"{ADDRESS} · {PHONE}"


@pytest.fixture
def clinic() -> Clinic:
    found: Clinic = ClinicFactory(address=ADDRESS, phone=PHONE)
    return found


@pytest.fixture
def manager(clinic: Clinic) -> User:
    found: User = UserFactory(clinic=clinic, role=Role.MANAGER)
    return found


def signed_in(user: User) -> Client:
    client = Client()
    client.force_login(user, backend="allauth.account.auth_backends.AuthenticationBackend")
    return client


def settings_of(clinic: Clinic, **more: Any) -> dict[str, Any]:
    return {"name": clinic.name, "zone": clinic.zone, "late_cancel_hours": 24, "address": "", "phone": ""} | more


def test_an_administrator_changes_them_and_it_is_kept_who_did() -> None:
    clinic = ClinicFactory()
    client, url = signed_in(UserFactory(clinic=clinic, role=Role.ADMIN)), reverse("clinic_edit", args=[clinic.pk])
    assert client.post(url, settings_of(clinic, address=ADDRESS, phone=PHONE)).status_code == 302
    clinic.refresh_from_db()
    assert clinic.contact_line == LINE
    assert AuditEvent.objects.filter(action="clinic_edited", subject_id=clinic.pk).exists()
    assert ADDRESS in client.get(url).content.decode()


@pytest.mark.parametrize("wrong", [{"phone": "call us"}, {"phone": "1" * 41}, {"address": "x" * 121}])
def test_what_is_no_number_or_too_long_is_refused_and_stays_typed(wrong: dict[str, str]) -> None:
    clinic = ClinicFactory()
    client = signed_in(UserFactory(clinic=clinic, role=Role.ADMIN))
    answer = client.post(reverse("clinic_edit", args=[clinic.pk]), settings_of(clinic, **wrong))
    assert answer.status_code == 422
    assert next(iter(wrong.values())) in answer.content.decode()
    clinic.refresh_from_db()
    assert clinic.contact_line == ""


def test_one_of_them_stands_alone() -> None:
    assert ClinicFactory.build(phone=PHONE).contact_line == PHONE
    assert ClinicFactory.build(address=ADDRESS).contact_line == ADDRESS


def test_sheets_and_the_pages_behind_them_say_where_the_clinic_is(clinic: Clinic, manager: User) -> None:
    client, patient = signed_in(manager), PatientFactory(clinic=clinic)
    sheets = (reverse("complaint_link"), "/c/"), (reverse("patient_referral_code", args=[patient.pk]), "/r/")
    for url, behind in sheets:
        client.post(url, {"action": "make"})
        page = client.get(url)
        assert LINE in page.content.decode()
        assert LINE in Client().get(f"{behind}{page.context['link'].code}/").content.decode()


def test_the_patients_report_says_whom_to_ask(clinic: Clinic, manager: User) -> None:
    assert report_of(patient=PatientFactory(clinic=clinic), clinic=clinic, by=manager).contact == LINE


def test_messages_about_appointments_may_name_them(clinic: Clinic) -> None:
    facts = variables_of(AppointmentFactory(clinic=clinic, starts_at=timezone.now()))
    assert fill("{clinic}在{address}，电话{phone}", facts) == f"{clinic.name}在{ADDRESS}，电话{PHONE}"
    assert {"address", "phone"} <= set(ALLOWED[MessagePurpose.REMINDER_DAY]) & VARIABLES.keys()
