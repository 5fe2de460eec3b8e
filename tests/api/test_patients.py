"""Patients in the API: what the pages show and allow, to the same roles, through the same services."""

import pytest

from accounts.models import AuditEvent
from accounts.permissions import Role
from patients.models import (
    CareAction,
    ClassChange,
    ComplaintCase,
    Consent,
    Patient,
    PatientPhone,
    Referral,
    Registration,
)
from patients.services.referrals import mark_referral_effective
from tests.api.asking import problem, program, send
from tests.factories import ClinicFactory, MembershipFactory, PatientFactory, UserFactory

pytestmark = pytest.mark.django_db
URL = "/api/v1/patients/"


@pytest.fixture
def clinic():
    return ClinicFactory()


@pytest.fixture
def user(clinic):
    return UserFactory(clinic=clinic, role=Role.COORDINATOR)


@pytest.fixture
def client(user):
    return program(user)


@pytest.fixture
def patient(clinic):
    return PatientFactory(clinic=clinic, name="沈雨薇", phone="19900001734", occupation="教师")


def listed(answer) -> list[int]:
    assert answer.status_code == 200, answer.content.decode()
    return [row["id"] for row in answer.json()["results"]]


# --- reading ----------------------------------------------------------------------------------------


def test_the_list_goes_on_where_the_last_page_ended(client, clinic):
    made = {PatientFactory(clinic=clinic).pk for _n in range(5)}
    url, found = f"{URL}?limit=2", []
    while url:
        told = client.get(url).json()
        assert len(told["results"]) <= 2
        found += [row["id"] for row in told["results"]]
        url = told["next"]
    assert len(found) == len(set(found))
    assert set(found) == made


def test_the_list_asks_the_database_as_often_for_many_as_for_few(client, clinic, django_assert_max_num_queries):
    PatientFactory.create_batch(2, clinic=clinic, phone="19900001734")
    client.get(URL)
    with django_assert_max_num_queries(7):
        client.get(URL)
    PatientFactory.create_batch(10, clinic=clinic, phone="19900001735")
    with django_assert_max_num_queries(7):
        assert len(listed(client.get(URL))) == 12


def test_filters_narrow(client, clinic, user, patient):
    PatientFactory(clinic=clinic, phone="19900009999", class_code="C-C", reg_owner=user, reg_tags=["种植"])
    other = listed(client.get(f"{URL}?class_code=C-C"))
    assert listed(client.get(f"{URL}?owner={user.pk}")) == listed(client.get(f"{URL}?tag=种植")) == other
    assert listed(client.get(f"{URL}?phone_last4=1734")) == [patient.pk]
    assert listed(client.get(f"{URL}?class_code=none")) == [patient.pk]
    assert listed(client.get(f"{URL}?active_from=2999-01-01T00:00:00Z")) == []
    assert listed(client.get(f"{URL}?important=true")) == []


@pytest.mark.parametrize("said", ["沈雨薇", "雨薇", "syw", "shenyuwei", "1734", "19900001734"])
def test_search_finds_by_what_one_remembers(client, clinic, patient, said):
    PatientFactory(clinic=clinic, name="周岚")
    assert [row["id"] for row in client.get(f"{URL}search/", {"q": said}).json()] == [patient.pk]


def test_another_clinics_patient_is_not_there(client):
    there = PatientFactory(clinic=ClinicFactory(), phone="19900001734")
    problem(client.get(f"{URL}{there.pk}/"), 404)
    assert listed(client.get(URL)) == []
    assert client.get(f"{URL}search/", {"q": "1734"}).json() == []


def test_who_may_not_see_contacts_sees_none(clinic, patient):
    doctor = program(UserFactory(clinic=clinic, role=Role.DOCTOR))
    told = doctor.get(f"{URL}{patient.pk}/").json()
    assert (told["phones"], told["channel"], told["tags"], told["contact"]) == ([], None, [], None)
    problem(doctor.get(f"{URL}?channel=referral"), 403)
    problem(send(doctor, "POST", f"{URL}{patient.pk}/reveal/", {"what": "phone", "phone": 1}), 403)


def test_numbers_are_masked_until_opened_and_opening_is_logged(client, user, patient):
    answer = client.get(f"{URL}{patient.pk}/")
    assert "19900001734" not in answer.content.decode()
    [phone] = answer.json()["phones"]
    assert phone["masked"] == "199****1734"
    body = {"what": "phone", "phone": phone["id"]}
    assert send(client, "POST", f"{URL}{patient.pk}/reveal/", body).json()["value"] == "19900001734"
    event = AuditEvent.objects.get(action="contact_revealed")
    assert (event.actor, event.subject_id) == (user, patient.pk)


def test_a_nurse_opens_a_number_to_call_and_nothing_else(clinic, patient):
    nurse = program(UserFactory(clinic=clinic, role=Role.NURSE))
    number = PatientPhone.objects.get()
    url = f"{URL}{patient.pk}/reveal/"
    assert send(nurse, "POST", url, {"what": "phone", "phone": number.pk}).status_code == 200
    problem(send(nurse, "POST", url, {"what": "wechat"}), 403)


def test_a_record_closed_after_erasure_is_for_those_who_treat(clinic, client, patient):
    Patient.objects.update(restricted_at="2026-11-01T00:00:00Z")
    problem(client.get(f"{URL}{patient.pk}/"), 404)
    assert program(UserFactory(clinic=clinic, role=Role.DOCTOR)).get(f"{URL}{patient.pk}/").status_code == 200


# --- versions ---------------------------------------------------------------------------------------


def test_what_was_not_changed_is_not_sent_again(client, patient):
    first = client.get(f"{URL}{patient.pk}/")
    again = client.get(f"{URL}{patient.pk}/", headers={"if-none-match": first["ETag"]})
    assert (again.status_code, again.content) == (304, b"")
    Patient.objects.get().save()
    Patient.objects.update(name="沈雨微")
    assert client.get(f"{URL}{patient.pk}/", headers={"if-none-match": first["ETag"]}).status_code == 200


def test_a_change_names_the_version_it_starts_from(client, patient):
    url = f"{URL}{patient.pk}/"
    problem(send(client, "PATCH", url, {"name": "周岚"}), 428, "precondition-required")
    tag = client.get(url)["ETag"]
    changed = send(client, "PATCH", url, {"name": "周岚", "tags": ["a", "a"]}, If_Match=tag)
    assert changed.status_code == 200
    assert (changed.json()["name"], changed.json()["tags"], changed.json()["version"]) == ("周岚", ["a"], 2)
    assert changed["ETag"] == client.get(url)["ETag"] != tag
    stale = problem(send(client, "PATCH", url, {"name": "沈雨薇"}, If_Match=tag), 412, "precondition-failed")
    assert stale["current"].startswith('"2')
    assert Patient.objects.get().name == "周岚"


def test_a_change_at_the_same_moment_shows_both(client, patient, monkeypatch):
    from patients.api import patients
    from patients.errors import StaleEdit

    def changed_meanwhile(**kwargs):
        raise StaleEdit(Patient.objects.get())

    monkeypatch.setattr(patients, "update_patient", changed_meanwhile)
    told = problem(send(client, "PATCH", f"{URL}{patient.pk}/", {"name": "周岚"}, If_Match="*"), 409, "conflict")
    assert (told["current"]["name"], told["yours"]) == ("沈雨薇", {"name": "周岚"})


# --- writing ----------------------------------------------------------------------------------------


def test_adding_a_patient_registers_them_here(client, clinic, user):
    body = {"name": " 沈雨薇 ", "phones": [{"number": "199 0000 1734"}, {"number": "19900001735", "whose": "母亲"}]}
    answer = send(client, "POST", URL, body | {"sex": "f", "complaint": "缺牙"})
    assert answer.status_code == 201
    row = Registration.objects.get()
    assert (row.clinic, row.owner, row.patient.name) == (clinic, user, "沈雨薇")
    assert answer["Location"] == f"{URL}{row.patient_id}/"
    assert [phone["masked"] for phone in answer.json()["phones"]] == ["199****1734", "199****1735"]


def test_the_same_name_and_number_is_a_conflict_until_said_to_be_another(client, patient):
    body = {"name": "沈雨薇", "phones": [{"number": "19900001734"}]}
    told = problem(send(client, "POST", URL, body), 409)
    assert [twin["id"] for twin in told["duplicates"]] == [patient.pk]
    assert send(client, "POST", URL, body | {"same_person_is_another": True}).status_code == 201


def test_whose_number_it_is_is_told_here_and_counted_elsewhere(client, patient):
    PatientFactory(clinic=ClinicFactory(), phone="19900001734", name="周岚")
    told = send(client, "POST", f"{URL}check-phone/", {"number": "19900001734"})
    assert [row["name"] for row in told.json()["here"]] == ["沈雨薇"]
    assert told.json()["elsewhere"] == 1
    assert "周岚" not in told.content.decode()


def test_staff_of_another_clinic_is_nobody_here(client, patient):
    stranger = UserFactory(clinic=ClinicFactory())
    told = problem(send(client, "PATCH", f"{URL}{patient.pk}/", {"owner": stranger.pk}, If_Match="*"), 422)
    assert list(told["errors"]) == ["owner"]


def test_the_group_registers_a_person_once_more_by_the_exact_number(client):
    there = PatientFactory(clinic=ClinicFactory(), phone="19900001734")
    url = "/api/v1/registrations/"
    problem(send(client, "POST", url, {"patient": there.pk, "phone": "19900001735"}), 422)
    made = send(client, "POST", url, {"patient": there.pk, "phone": "19900001734"})
    assert made.status_code == 201
    assert client.get(f"{URL}{there.pk}/").status_code == 200


def test_a_persons_registrations_are_those_of_ones_own_clinics(user, clinic, patient):
    second = ClinicFactory()
    MembershipFactory(user=user, clinic=second, role=Role.NURSE)
    for other in (second, ClinicFactory()):
        Registration.objects.create(patient=patient, clinic=other, number=f"{other.code}1")
    rows = program(user).get(f"/api/v1/registrations/?patient={patient.pk}").json()["results"]
    assert {row["clinic"] for row in rows} == {clinic.code, second.code}


def test_consents_are_given_and_withdrawn(client, patient):
    url = "/api/v1/consents/"
    for given in (True, False):
        answer = send(client, "POST", url, {"patient": patient.pk, "purpose": "contact", "given": given})
        assert answer.status_code == 201
    assert [row["given"] for row in client.get(f"{url}?patient={patient.pk}").json()["results"]] == [False, True]
    assert Consent.objects.count() == 2


def test_a_class_other_than_the_suggested_needs_a_reason(client, patient):
    body = {"patient": patient.pk, "class_code": "C-A", "awareness": 2, "trust": 3}
    problem(send(client, "POST", "/api/v1/classes/", body), 422, "invalid")
    answer = send(client, "POST", "/api/v1/classes/", body | {"reason": "带来了两位朋友"})
    assert answer.status_code == 201
    assert client.get(f"{URL}{patient.pk}/").json()["class_code"] == "C-A"
    assert ClassChange.objects.get().suggested


def test_referrals_are_recorded_once_and_never_in_a_circle(client, clinic, patient):
    friend = PatientFactory(clinic=clinic)
    url = "/api/v1/referrals/"
    assert send(client, "POST", url, {"referrer": patient.pk, "referred": friend.pk}).status_code == 201
    problem(send(client, "POST", url, {"referrer": patient.pk, "referred": friend.pk}), 422)
    problem(send(client, "POST", url, {"referrer": friend.pk, "referred": patient.pk}), 422)
    assert Referral.objects.count() == 1


def test_thanks_for_a_referral_are_noted_once_and_a_wrong_link_is_taken_back(client, clinic, patient, user):
    friend, other = PatientFactory(clinic=clinic), PatientFactory(clinic=clinic)
    url = "/api/v1/referrals/"
    made = send(client, "POST", url, {"referrer": patient.pk, "referred": friend.pk})
    at = f"{url}{made.json()['id']}/"
    thanks = {"how": "洁牙券一张", "cost": "120.00"}
    problem(send(client, "POST", f"{at}thanks/", thanks), 428)
    problem(send(client, "POST", f"{at}thanks/", thanks, If_Match=made["ETag"]), 409)  # not received yet: none are owed
    mark_referral_effective(patient=friend, by=user)
    told = client.get(at)
    thanked = send(client, "POST", f"{at}thanks/", thanks, If_Match=told["ETag"])
    assert thanked.json()["thanked_how"] == "洁牙券一张"
    assert thanked.json()["thanked_at"]
    problem(send(client, "POST", f"{at}thanks/", thanks, If_Match=thanked["ETag"]), 422)
    owed = send(client, "POST", f"{at}thanks/undo/", {}, If_Match=thanked["ETag"])
    assert owed.json()["thanked_at"] is None
    thanked = send(client, "POST", f"{at}thanks/", thanks, If_Match=owed["ETag"])
    problem(send(client, "DELETE", at, If_Match=thanked["ETag"]), 422)
    wrong = send(client, "POST", url, {"referrer": patient.pk, "referred": other.pk})
    wrong_at = f"{url}{wrong.json()['id']}/"
    problem(send(client, "DELETE", wrong_at), 428)
    assert send(client, "DELETE", wrong_at, If_Match=wrong["ETag"]).status_code == 204
    assert list(Referral.objects.values_list("referred", flat=True)) == [friend.pk]


def test_care_is_recorded_and_taken_back(client, patient):
    url = "/api/v1/care/"
    made = send(client, "POST", url, {"patient": patient.pk, "kind": "tbi", "cost": "12.50"})
    assert (made.status_code, made.json()["cost"]) == (201, "12.50")
    undone = send(client, "POST", f"{url}{made.json()['id']}/undo/")
    assert undone.json()["undone"] is True
    problem(send(client, "POST", f"{url}{made.json()['id']}/undo/"), 422)
    assert CareAction.objects.count() == 2


def test_complaints_are_taken_and_settled_with_their_version(client, clinic, patient):
    url = "/api/v1/complaints/"
    made = send(client, "POST", url, {"patient": patient.pk, "category": "waiting", "what": "等了很久"})
    assert (made.status_code, made.json()["source"]) == (201, "api")
    case = f"{url}{made.json()['id']}/"
    assert send(client, "POST", f"{case}note/", {"text": "电话道歉", "replied": True}).status_code == 201
    problem(send(client, "POST", f"{case}close/", {"outcome": "apologised", "upheld": True}), 428)
    settled = send(client, "POST", f"{case}close/", {"outcome": "apologised", "upheld": True}, If_Match=made["ETag"])
    assert settled.json()["outcome"] == "apologised"
    problem(send(client, "POST", f"{case}close/", {"outcome": "redone", "upheld": True}, If_Match=made["ETag"]), 412)
    assert [step["kind"] for step in client.get(f"{case}steps/").json()] == ["taken", "replied", "closed"]
    assert ComplaintCase.objects.get().source == "api"


def test_an_online_consultant_reads_only_the_complaints_they_took(clinic, client, patient):
    send(client, "POST", "/api/v1/complaints/", {"category": "waiting", "what": "等了很久"})
    other = program(UserFactory(clinic=clinic, role=Role.ONLINE_CONSULTANT))
    assert other.get("/api/v1/complaints/").json()["results"] == []
    problem(other.get(f"/api/v1/complaints/{ComplaintCase.objects.get().pk}/"), 404)
