"""Readings of a clinic: kept within the law, given to patients, logged."""

import pytest
from django.urls import reverse

from accounts.permissions import Role
from followups import ad_words
from followups.errors import Refused
from followups.material_sets import BUILTIN
from followups.models import Material, MaterialUse, Message
from followups.services.materials import SMS_LENGTH, ensure_builtin_materials, save_material, use_material
from patients.models import Consent
from tests.factories import ClinicFactory, PatientFactory, UserFactory

pytestmark = pytest.mark.django_db
BACKEND = "allauth.account.auth_backends.AuthenticationBackend"
HTMX = {"HTTP_HX_REQUEST": "true"}


@pytest.fixture
def clinic():
    return ClinicFactory()


@pytest.fixture
def by(clinic):
    return UserFactory(clinic=clinic, role=Role.MANAGER)


@pytest.fixture
def patient(clinic):
    return PatientFactory(clinic=clinic, phone="19900000001")


@pytest.fixture
def material(clinic, by):
    return save_material(clinic=clinic, by=by, **values())


def values(**over):
    usual = {"kind": "symptom", "complaint": "implant", "title": "缺牙", "body": "早些检查。", "is_active": True}
    return usual | over


def agree(patient, clinic, given=True, purpose="contact"):
    return Consent.objects.create(patient=patient, clinic=clinic, purpose=purpose, given=given)


def test_the_built_in_readings_keep_the_advertising_rules():
    assert len(BUILTIN) >= 6
    for reading in BUILTIN:
        assert ad_words.check(f"{reading.title}{reading.body}", marketing=True) == ad_words.Finding()
        assert "最" not in reading.title + reading.body


def test_built_in_readings_come_once_and_not_over_ones_own(clinic, by):
    assert ensure_builtin_materials(clinic) == len(BUILTIN)
    assert ensure_builtin_materials(clinic) == 0
    other = ClinicFactory()
    save_material(clinic=other, by=by, **values())
    assert ensure_builtin_materials(other) == 0


def test_a_promise_of_cure_is_refused_and_what_was_typed_is_kept(client, by):
    client.force_login(by, backend=BACKEND)
    response = client.post(reverse("material_new"), values(body="保证治愈，请放心"))
    assert response.status_code == 422
    assert "body" in response.context["form"].errors
    assert "请放心" in response.content.decode()
    assert not Material.objects.exists()


def test_a_changed_text_is_a_new_version(client, by, material):
    client.force_login(by, backend=BACKEND)
    url = reverse("material_edit", args=[material.pk])
    client.post(url, values(complaint="cleaning", is_active="on"))
    client.post(url, values(body="改过的。", is_active="on"))
    material.refresh_from_db()
    assert (material.version, material.body, material.updated_by) == (2, "改过的。", by)


def test_copying_is_logged_with_version_and_person(client, clinic, patient, material):
    nurse = UserFactory(clinic=clinic, role=Role.NURSE)
    client.force_login(nurse, backend=BACKEND)
    url = reverse("patient_reading_use", args=[patient.pk, material.pk])
    response = client.post(url, {"how": "copied"}, **HTMX)
    assert response.status_code == 200
    assert "<html" not in response.content.decode()
    use = MaterialUse.objects.get()
    assert (use.how, use.material_version, use.by, use.patient) == ("copied", 1, nurse, patient)
    assert not Message.objects.exists()
    assert client.get(reverse("patient_reading", args=[patient.pk])).status_code == 200


def test_sending_needs_consent_and_a_number_and_happens_once_a_day(clinic, by, patient, material):
    def send(whom=patient):
        use_material(material=material, patient=whom, clinic=clinic, how="sent", by=by)

    with pytest.raises(Refused):
        send()
    agree(patient, clinic)
    send()
    message = Message.objects.get()
    assert (message.purpose, message.nature, message.material) == ("material", "service", material)
    assert message.variables["text"] == material.body
    with pytest.raises(Refused):
        send()
    assert MaterialUse.objects.count() == 1
    unreachable = PatientFactory(clinic=clinic)
    agree(unreachable, clinic)
    with pytest.raises(Refused):
        send(unreachable)


def test_who_withdrew_gets_nothing_not_even_by_hand(clinic, by, patient, material):
    agree(patient, clinic, given=False)
    for how in ("copied", "sent"):
        with pytest.raises(Refused):
            use_material(material=material, patient=patient, clinic=clinic, how=how, by=by)


def test_long_or_unused_readings_and_other_ways_are_refused(clinic, by, patient, material):
    agree(patient, clinic)
    long = save_material(clinic=clinic, by=by, **values(body="长" * (SMS_LENGTH + 1)))
    unused = save_material(clinic=clinic, by=by, **values(is_active=False))
    for one, how in ((long, "sent"), (unused, "copied"), (material, "shouted")):
        with pytest.raises(Refused):
            use_material(material=one, patient=patient, clinic=clinic, how=how, by=by)
    assert not MaterialUse.objects.exists()


def test_roles_and_clinics(client, clinic, by, patient, material):
    doctor = UserFactory(clinic=clinic, role=Role.DOCTOR)
    client.force_login(doctor, backend=BACKEND)
    assert client.get(reverse("material_list")).status_code == 403
    assert client.get(reverse("patient_reading", args=[patient.pk])).status_code == 403
    stranger = UserFactory(clinic=ClinicFactory(), role=Role.MANAGER)
    client.force_login(stranger, backend=BACKEND)
    assert client.get(reverse("material_edit", args=[material.pk])).status_code == 404
    assert client.post(reverse("patient_reading_use", args=[patient.pk, material.pk])).status_code == 404


def test_the_empty_list_offers_the_built_in_ones(client, by, clinic):
    client.force_login(by, backend=BACKEND)
    assert reverse("materials_load") in client.get(reverse("material_list")).content.decode()
    client.post(reverse("materials_load"))
    assert Material.objects.for_clinic(clinic).count() == len(BUILTIN)
    assert client.get(reverse("material_list"), {"kind": "case"}).status_code == 200
