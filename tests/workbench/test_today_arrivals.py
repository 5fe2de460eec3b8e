"""Checking in: from an appointment, as a walk-in, and twice."""

from datetime import timedelta

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from accounts.permissions import Role
from consultations.models import Visit
from consultations.stages import Stage
from followups.models import Appointment
from tests.factories import AppointmentFactory, ClinicFactory, PatientFactory, UserFactory, VisitFactory

pytestmark = pytest.mark.django_db
HTMX = {"HTTP_HX_REQUEST": "true", "HTTP_HX_CURRENT_URL": "http://testserver/today/"}


@pytest.fixture
def clinic():
    return ClinicFactory()


@pytest.fixture
def desk(client: Client, clinic) -> Client:
    user = UserFactory(clinic=clinic, role=Role.FRONT_DESK)
    client.force_login(user, backend="allauth.account.auth_backends.AuthenticationBackend")
    return client


def today_at(clinic, hours: float):
    return clinic.day_bounds(clinic.today())[0] + timedelta(hours=hours)


def booked(clinic, **facts) -> Appointment:
    start = today_at(clinic, 12)
    usual = {"doctor": None, "starts_at": start, "ends_at": start + timedelta(minutes=30)}
    return AppointmentFactory(clinic=clinic, **(usual | facts))


def test_one_tap_checks_in_from_an_appointment(desk, clinic):
    row = booked(clinic)
    response = desk.post(reverse("appointment_check_in", args=[row.pk]), **HTMX)
    assert response.status_code == 200
    row.refresh_from_db()
    assert row.status == Appointment.Status.KEPT
    assert row.visit.stage == Stage.ARRIVED
    assert f'id="card-{row.visit.pk}"' in response.content.decode()
    assert f'id="soon-{row.pk}"' not in response.content.decode()


def test_checking_in_twice_tells_who_has_the_patient(desk, clinic):
    coordinator = UserFactory(clinic=clinic, full_name="曹素铭")
    visit = VisitFactory(clinic=clinic, stage=Stage.RECEIVED, coordinator=coordinator, received_at=timezone.now())
    response = desk.post(reverse("check_in_patient", args=[visit.patient_id]), **HTMX)
    assert response.status_code == 409
    assert "曹素铭" in response["HX-Trigger"].encode().decode("unicode_escape")
    assert Visit.objects.filter(patient=visit.patient_id).count() == 1


def test_a_walk_in_with_an_appointment_today_keeps_it(desk, clinic):
    row = booked(clinic)
    desk.post(reverse("check_in_patient", args=[row.patient_id]))
    row.refresh_from_db()
    assert row.status == Appointment.Status.KEPT


def test_a_walk_in_without_an_appointment_is_checked_in(desk, clinic):
    patient = PatientFactory(clinic=clinic)
    response = desk.post(reverse("check_in_patient", args=[patient.pk]))
    assert response["Location"] == reverse("today")
    assert patient.visits.get().appointment is None


def test_an_appointment_given_up_meanwhile_is_refused_with_words(desk, clinic):
    row = booked(clinic, status=Appointment.Status.CANCELLED_PATIENT, holds_slot=False)
    assert desk.post(reverse("appointment_check_in", args=[row.pk]), **HTMX).status_code == 422
    assert not Visit.objects.exists()


def test_who_comes_is_found_by_search_which_is_posted(desk, clinic):
    patient = PatientFactory(clinic=clinic, name="沈雨薇", phone="19900001734")
    here = VisitFactory(clinic=clinic, patient=PatientFactory(clinic=clinic, name="沈雨晴"))
    found = desk.post(reverse("check_in"), {"q": "沈雨"}, **HTMX).content.decode()
    assert reverse("check_in_patient", args=[patient.pk]) in found
    assert reverse("check_in_patient", args=[here.patient_id]) not in found
    assert here.get_absolute_url() in found
    assert "沈雨薇" in desk.post(reverse("check_in"), {"q": "1734"}, **HTMX).content.decode()


def test_whom_the_search_does_not_find_is_registered_by_the_name_typed_but_never_by_a_number(desk):
    add = reverse("patient_add")
    assert f"{add}?name=%E9%99%B6%E6%9C%AA" in desk.post(reverse("check_in"), {"q": "陶未"}, **HTMX).content.decode()
    assert f"{add}?name" not in desk.post(reverse("check_in"), {"q": "19900001735"}, **HTMX).content.decode()


def test_another_clinics_patients_and_appointments_are_not_there(desk):
    other = booked(ClinicFactory())
    assert desk.post(reverse("appointment_check_in", args=[other.pk])).status_code == 404
    assert desk.post(reverse("check_in_patient", args=[other.patient_id])).status_code == 404


@pytest.mark.parametrize("role", [Role.DOCTOR, Role.NURSE, Role.ONLINE_CONSULTANT])
def test_others_do_not_check_in(client, clinic, role):
    client.force_login(
        UserFactory(clinic=clinic, role=role), backend="allauth.account.auth_backends.AuthenticationBackend"
    )
    assert client.post(reverse("appointment_check_in", args=[booked(clinic).pk])).status_code == 403
    assert client.get(reverse("check_in")).status_code == 403


def test_who_comes_after_being_marked_as_not_come_is_checked_in_for_that_appointment(desk, clinic):
    row = booked(clinic, status="no_show")
    desk.post(reverse("check_in_patient", args=[row.patient_id]))
    row.refresh_from_db()
    assert row.status == Appointment.Status.KEPT
    assert row.visit.patient == row.patient


def test_a_missed_appointment_stays_missed_while_the_patient_is_here_for_something_else(desk, clinic):
    row = booked(clinic, status="no_show")
    VisitFactory(clinic=clinic, patient=row.patient, stage=Stage.RECEIVED, received_at=timezone.now())
    assert desk.post(reverse("check_in_patient", args=[row.patient_id]), **HTMX).status_code == 409
    row.refresh_from_db()
    assert row.status == Appointment.Status.NO_SHOW


def test_who_comes_on_another_day_than_they_were_booked_for_is_told_of(desk, clinic):
    later = booked(clinic, starts_at=today_at(clinic, 36), ends_at=today_at(clinic, 36.5))
    page = desk.post(reverse("check_in_patient", args=[later.patient_id]), follow=True).content.decode()
    assert reverse("appointment", args=[later.pk]) in page
    assert Visit.objects.get(patient=later.patient_id).appointment is None
