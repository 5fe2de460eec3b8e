"""Likely duplicates: what makes two records alike, and finding them without reading everything."""

from datetime import date

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import translation

from accounts.permissions import Role
from patients import duplicates
from patients.duplicates import Known, likeness
from patients.models import NotTheSame
from tests.factories import ClinicFactory, PatientFactory, PhoneFactory, RegistrationFactory, UserFactory

BORN = date(1990, 5, 4)
NUMBER = frozenset({b"1"})


@pytest.mark.parametrize(
    ("one", "other", "score"),
    [
        (Known("沈雨薇", numbers=NUMBER), Known("沈雨薇", numbers=NUMBER), 75),
        (Known("沈雨薇", numbers=NUMBER), Known("沈雨微", numbers=NUMBER), 65),  # sounds the same
        (Known("沈雨薇", numbers=NUMBER), Known("周岚", numbers=NUMBER), 45),  # a family's number
        (Known("沈雨薇", birth_date=BORN), Known("沈雨薇", birth_date=BORN), 60),
        (Known("沈雨薇", birth_date=BORN), Known("沈雨薇", birth_date=date(1991, 5, 4)), 0),
        (Known("沈雨薇"), Known("沈雨薇"), 30),
        (Known("沈雨薇", wechat="Yuwei_1"), Known("林亦文", wechat="yuwei_1"), 50),
        (Known("沈雨薇", sex="f", wechat="a"), Known("林亦文", sex="m", wechat="a"), 10),
        (Known("沈雨薇", birth_date=BORN), Known("沈雨薇", birth_date=date(1990, 1, 1), birth_day_known=False), 40),
        (
            Known("沈雨薇", birth_date=BORN, numbers=NUMBER, wechat="a"),
            Known("沈雨薇", birth_date=BORN, numbers=NUMBER, wechat="a"),
            100,
        ),
    ],
)
def test_score(one: Known, other: Known, score: int):
    assert likeness(one, other).score == score
    assert likeness(other, one).score == score


def test_reasons_are_told_for_and_against():
    found = likeness(Known("沈雨薇", sex="f", numbers=NUMBER), Known("沈雨薇", sex="m", numbers=NUMBER))
    with translation.override("en"):
        assert [str(words) for words in found.reasons] == ["same number", "same name"]
        assert [str(words) for words in found.against] == ["another sex"]


@pytest.fixture
def clinic(db):
    return ClinicFactory()


def pairs(clinic, **more):
    found, _more = duplicates.find(clinics=[clinic.pk], seen=[clinic.pk], **more)
    return [(pair.older, pair.newer) for pair in found]


def test_the_same_number_or_birth_date_is_found_once(clinic):
    one = PatientFactory(clinic=clinic, name="沈雨薇", phone="19900000001", birth_date=BORN)
    other = PatientFactory(clinic=clinic, name="沈雨微", phone="19900000001", birth_date=BORN)
    PatientFactory(clinic=clinic, name="周岚", phone="19900000001")
    assert pairs(clinic) == [(one.pk, other.pk)]


def test_merged_closed_and_told_apart_records_are_left_out(clinic):
    first, second, third, fourth = (PatientFactory(clinic=clinic, name="沈雨薇", birth_date=BORN) for _ in range(4))
    type(first).objects.filter(pk=third.pk).update(merged_into=first)
    type(first).objects.filter(pk=fourth.pk).update(restricted_at="2026-01-01T00:00Z")
    assert pairs(clinic) == [(first.pk, second.pk)]
    NotTheSame.objects.create(clinic=clinic, first=first, second=second)
    assert pairs(clinic) == []


def test_records_of_clinics_one_may_not_see_are_not_shown(clinic):
    one = PatientFactory(clinic=clinic, name="沈雨薇", birth_date=BORN)
    away = ClinicFactory()
    other = PatientFactory(clinic=away, name="沈雨薇", birth_date=BORN)
    assert pairs(clinic) == []
    found, _more = duplicates.find(clinics=[clinic.pk, away.pk], seen=[clinic.pk, away.pk])
    assert [(pair.older, pair.newer) for pair in found] == [(one.pk, other.pk)]


def test_pages_go_on_where_the_last_ended(clinic, monkeypatch):
    monkeypatch.setattr(duplicates, "SCAN", 4)
    monkeypatch.setattr(duplicates, "SCANS", 1)
    for n in range(6):
        for _twice in range(2):
            patient = PatientFactory(clinic=clinic, name=f"沈{n}雨")
            PhoneFactory(patient=patient, number=f"1990000000{n}")
    seen, before = [], None
    for _page in range(5):
        found, before = duplicates.find(clinics=[clinic.pk], seen=[clinic.pk], before=before)
        seen += [(pair.older, pair.newer) for pair in found]
        if before is None:
            break
    assert before is None
    assert len(seen) == len(set(seen)) == 6


def test_statements_do_not_grow_with_the_records(clinic, django_assert_num_queries):
    for _many in range(30):
        PatientFactory(clinic=clinic, name="沈雨薇", birth_date=BORN)
    with django_assert_num_queries(2):
        duplicates.find(clinics=[clinic.pk], seen=[clinic.pk])


class TestPages:
    @pytest.fixture
    def manager(self, clinic):
        return UserFactory(clinic=clinic, role=Role.MANAGER)

    @pytest.fixture
    def client(self, manager):
        client = Client()
        client.force_login(manager, backend="allauth.account.auth_backends.AuthenticationBackend")
        return client

    @pytest.fixture
    def two(self, clinic):
        return [PatientFactory(clinic=clinic, name="沈雨薇", birth_date=BORN, phone="19900000001") for _ in range(2)]

    def test_a_pair_is_listed_told_apart_and_gone(self, client, two):
        page = client.get(reverse("duplicate_list"))
        assert f"with={two[1].pk}" in page.content.decode()
        client.post(reverse("duplicate_apart"), {"one": two[0].pk, "other": two[1].pk})
        assert f"with={two[1].pk}" not in client.get(reverse("duplicate_list")).content.decode()

    def test_two_records_are_compared_merged_and_taken_apart(self, client, two):
        one, other = two
        address = reverse("patient_merge", args=[one.pk])
        assert client.get(f"{address}?with={other.pk}").status_code == 200
        answer = client.post(address, {"with": other.pk, "keep": one.pk, "name": "loser"})
        assert answer["Location"] == reverse("patient", args=[one.pk])
        assert client.get(reverse("patient", args=[other.pk]))["Location"] == reverse("patient", args=[one.pk])
        other.refresh_from_db()
        [made] = other.merges_lost.all()
        assert client.get(reverse("merge_list")).status_code == 200
        assert client.get(reverse("merge_detail", args=[made.pk])).status_code == 200
        client.post(reverse("merge_undo", args=[made.pk]))
        assert client.get(reverse("patient", args=[other.pk])).status_code == 200

    def test_a_refusal_is_shown_with_what_was_chosen(self, client, two, clinic):
        RegistrationFactory(patient=two[1], clinic=ClinicFactory())
        answer = client.post(reverse("patient_merge", args=[two[0].pk]), {"with": two[1].pk, "keep": two[0].pk})
        assert answer.status_code == 409

    def test_without_another_record_one_is_searched(self, client, two):
        address = reverse("patient_merge", args=[two[0].pk])
        assert f"with={two[1].pk}" in client.get(f"{address}?q=沈雨薇").content.decode()
        assert client.post(address, {}).status_code == 422

    def test_who_may_not_merge_sees_nothing_of_it(self, clinic, two):
        client = Client()
        client.force_login(
            UserFactory(clinic=clinic, role=Role.NURSE), backend="allauth.account.auth_backends.AuthenticationBackend"
        )
        assert client.get(reverse("duplicate_list")).status_code == 403
        assert client.get(reverse("patient_merge", args=[two[0].pk])).status_code == 403
