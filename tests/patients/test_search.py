"""Finding people by what one remembers of them."""

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from accounts.models import Clinic, User
from accounts.permissions import Role
from patients.models import ChartNumber, Patient, Registration
from patients.search import find
from tests.factories import ClinicFactory, MembershipFactory, PatientFactory, PhoneFactory, UserFactory

pytestmark = pytest.mark.django_db


@pytest.fixture
def clinic() -> Clinic:
    return ClinicFactory(code="QH")


@pytest.fixture
def tc(clinic: Clinic) -> User:
    return UserFactory(clinic=clinic, role=Role.COORDINATOR)


@pytest.fixture
def people(clinic: Clinic) -> None:
    for name, phone in (("沈雨薇", "19900001734"), ("孙亦文", "19900020892"), ("邵月微", "19900034410")):
        PatientFactory(name=name, clinic=clinic, phone=phone)
    PatientFactory(name="John Smith", clinic=clinic, wechat_id="Shen_YW88")


def names(query: str, user: User, clinic: Clinic) -> set[str]:
    return {hit.patient.name for hit in find(query, user=user, clinic=clinic)}


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("沈", {"沈雨薇"}),
        ("雨薇", {"沈雨薇"}),
        ("沈 雨薇", {"沈雨薇"}),
        ("沈雨薇女士", {"沈雨薇"}),
        ("syw", {"沈雨薇", "孙亦文", "邵月微"}),
        ("SYW", {"沈雨薇", "孙亦文", "邵月微"}),
        ("s", {"沈雨薇", "孙亦文", "邵月微"}),
        ("shenyu", {"沈雨薇"}),
        ("shen yuwei", {"沈雨薇"}),
        ("yuwei", {"沈雨薇"}),
        ("sh", {"沈雨薇", "邵月微"}),  # a surname begun; two letters may be a whole one: Li, Ma, Wu
        ("john", {"John Smith"}),
        ("js", {"John Smith"}),
        ("1734", {"沈雨薇"}),
        ("01734", {"沈雨薇"}),
        ("199 0000 1734", {"沈雨薇"}),
        ("+86 199-0000-1734", {"沈雨薇"}),
        ("91734", set()),
        ("734", set()),
        ("shen_y", {"John Smith"}),
        ("雨雨", set()),
        ("", set()),
        ("%_", set()),
    ],
)
def test_people_are_found_by_name_pinyin_initials_phone_and_wechat(
    clinic: Clinic, tc: User, people: None, query: str, found: set[str]
) -> None:
    assert names(query, tc, clinic) == found


def test_the_patient_number_is_found_with_and_without_the_code(clinic: Clinic, tc: User) -> None:
    PatientFactory(name="沈雨薇", clinic=clinic, reg_number="QH2604-0173")
    assert names("qh2604-0173", tc, clinic) == {"沈雨薇"}
    assert names("2604-0173", tc, clinic) == {"沈雨薇"}


@pytest.mark.parametrize("begun", ["qh2604", "QH2604-", "QH2604-01", "QH26"])
def test_a_patient_number_is_found_by_its_beginning(clinic: Clinic, tc: User, begun: str) -> None:
    PatientFactory(name="沈雨薇", clinic=clinic, reg_number="QH2604-0173")
    PatientFactory(name="周岚", clinic=clinic, reg_number="QH2512-0173")
    assert names(begun, tc, clinic) == {"沈雨薇"}


def test_an_older_systems_card_number_is_found(clinic: Clinic, tc: User) -> None:
    patient = PatientFactory(name="沈雨薇", clinic=clinic)
    registration = Registration.objects.get(patient=patient)
    ChartNumber.objects.create(clinic=clinic, registration=registration, number="B-00912")
    assert names("b-00912", tc, clinic) == {"沈雨薇"}


def test_nobody_of_another_clinic_is_found(clinic: Clinic, tc: User) -> None:
    elsewhere = ClinicFactory(code="ZZ")
    PatientFactory(name="沈雨薇", clinic=elsewhere, phone="19900001734", wechat_id="shenyw")
    PatientFactory(name="周岚", clinic=elsewhere, reg_number="ZZ2604-0001")
    for query in ("沈", "雨薇", "syw", "shenyuwei", "1734", "19900001734", "shenyw", "ZZ2604-0001"):
        assert names(query, tc, clinic) == set()


def test_people_of_ones_other_clinic_are_found_and_marked(clinic: Clinic, tc: User) -> None:
    other = ClinicFactory()
    MembershipFactory(user=tc, clinic=other)
    PatientFactory(name="沈雨薇", clinic=other)
    [hit] = find("沈雨薇", user=tc, clinic=clinic)
    assert hit.elsewhere
    assert other.name in hit.meta


def test_somebody_registered_twice_is_shown_once_through_the_current_clinic(clinic: Clinic, tc: User) -> None:
    other = ClinicFactory()
    MembershipFactory(user=tc, clinic=other)
    patient = PatientFactory(name="沈雨薇", clinic=other)
    Registration.objects.create(patient=patient, clinic=clinic, number="QH2604-0001")
    [hit] = find("沈雨薇", user=tc, clinic=clinic)
    assert hit.registration.clinic == clinic


def test_merged_people_are_not_found(clinic: Clinic, tc: User) -> None:
    survivor = PatientFactory(name="沈雨薇", clinic=clinic)
    loser = PatientFactory(name="沈雨薇", clinic=clinic)
    Patient.objects.filter(pk=loser.pk).update(merged_into=survivor)
    assert len(find("沈雨薇", user=tc, clinic=clinic)) == 1


def test_the_exact_name_comes_before_longer_ones(clinic: Clinic, tc: User) -> None:
    PatientFactory(name="沈雨", clinic=clinic)
    for tail in "薇文月岚书":
        PatientFactory(name=f"沈雨{tail}", clinic=clinic)
    assert find("沈雨", user=tc, clinic=clinic)[0].patient.name == "沈雨"


def test_a_doctor_finds_people_without_numbers_or_wechat(clinic: Clinic, people: None) -> None:
    doctor = UserFactory(clinic=clinic, role=Role.DOCTOR)
    [hit] = find("沈雨薇", user=doctor, clinic=clinic)
    assert hit.phone == ""
    assert names("shen_y", doctor, clinic) == set()


@pytest.mark.parametrize(
    ("query", "most"),
    [("雨薇", 4), ("syw", 5), ("sh", 5), ("1734", 3), ("19900001734", 3), ("00001734", 5), ("QH2604-0173", 4)],
)
def test_a_search_takes_few_statements_however_many_people(clinic: Clinic, tc: User, query: str, most: int) -> None:
    tc.clinic_ids()
    for number in range(30):
        PhoneFactory(patient=PatientFactory(name="沈雨薇", clinic=clinic), number=f"19900{number:02d}1734")
    with CaptureQueriesContext(connection) as captured:
        find(query, user=tc, clinic=clinic)
    assert len(captured) <= most, [q["sql"][:120] for q in captured]


def test_the_box_gets_a_list_with_masked_numbers_and_a_way_to_register(
    client: Client, clinic: Clinic, tc: User, people: None
) -> None:
    client.force_login(tc)
    html = client.post(reverse("search"), {"q": "syw"}, headers={"HX-Request": "true"}).content.decode()
    assert html.count('role="option"') == 4
    assert "199****1734" in html
    assert "19900001734" not in html
    assert f"{reverse('patient_add')}?name=syw" in html


def test_a_phone_number_never_gets_into_an_address(client: Client, clinic: Clinic, tc: User) -> None:
    client.force_login(tc)
    html = client.post(reverse("search"), {"q": "19900001734"}, headers={"HX-Request": "true"}).content.decode()
    assert "name=199" not in html


def test_the_search_works_as_a_page_and_is_not_answered_to_an_address(
    client: Client, clinic: Clinic, tc: User, people: None
) -> None:
    client.force_login(tc)
    assert "沈雨薇" in client.post(reverse("search"), {"q": "syw"}).content.decode()
    assert "沈雨薇" not in client.get(reverse("search"), {"q": "syw"}).content.decode()
