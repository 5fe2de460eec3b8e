"""Referrals: codes at the desk, the tree, thanks owed and given, the figures."""

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.utils import timezone

from accounts.permissions import Role
from consultations.services.reception import check_in, receive
from followups.models import Task
from patients.errors import Refused
from patients.models import Patient, PublicLink, Referral, ReferralThanks
from patients.referral_tree import tree_of
from patients.services import link_referral
from patients.services.referral_links import code_in, link_for, referrer_by_code, revoke
from patients.services.thanks import give
from tests.factories import ClinicFactory, PatientFactory, ReferralFactory, UserFactory
from tests.guards.routes import signed_in

pytestmark = pytest.mark.django_db


@pytest.fixture
def clinic():
    return ClinicFactory()


@pytest.fixture
def tc(clinic):
    return UserFactory(clinic=clinic, full_name="曹素铭")


@pytest.fixture
def referrer(clinic, tc):
    return PatientFactory(clinic=clinic, name="周岚", reg_owner=tc)


def brought(clinic: Any, referrer: Any, tc: Any, name: str = "沈雨薇") -> Patient:
    """Somebody the referrer brought, checked in and received."""
    patient: Patient = PatientFactory(clinic=clinic, name=name)
    link_referral(referrer=referrer, referred=patient, clinic=clinic, by=tc)
    visit = check_in(clinic=clinic, patient=patient, by=tc)
    receive(visit=visit, by=tc)
    return patient


# --- codes ---------------------------------------------------------------------------------------


def test_a_code_is_read_off_paper_off_a_link_and_off_a_scanner(clinic, referrer, tc):
    link = link_for(clinic=clinic, purpose="referral", patient=referrer, by=tc)
    written = (link.code, link.code.lower(), f" {link.code[:5]} {link.code[5:]} ", f"https://x.cn/r/{link.code}/")
    assert {code_in(text) for text in written} == {link.code}
    assert referrer_by_code(link.code, user=tc) == referrer
    assert code_in("沈雨薇") == code_in("") == ""


def test_a_patient_has_one_live_code_and_a_revoked_one_is_nobodys(clinic, referrer, tc):
    first = link_for(clinic=clinic, purpose="referral", patient=referrer, by=tc)
    assert link_for(clinic=clinic, purpose="referral", patient=referrer, by=tc) == first
    revoke(link=first, by=tc)
    assert referrer_by_code(first.code, user=tc) is None
    assert link_for(clinic=clinic, purpose="referral", patient=referrer, by=tc) != first


def test_another_clinics_code_names_nobody(clinic, referrer, tc):
    link = link_for(clinic=clinic, purpose="referral", patient=referrer, by=tc)
    assert referrer_by_code(link.code, user=UserFactory(clinic=ClinicFactory())) is None


def test_a_code_typed_in_quick_add_links_the_referrer(clinic, referrer, tc):
    link = link_for(clinic=clinic, purpose="referral", patient=referrer, by=tc)
    signed_in(tc).post("/patients/add/", {"name": "沈雨薇", "referrer_q": link.code})
    assert Referral.objects.get().referrer == referrer


def test_staff_who_open_the_link_get_quick_add_filled_in(clinic, referrer, tc):
    link, client = link_for(clinic=clinic, purpose="referral", patient=referrer, by=tc), signed_in(tc)
    answer = client.get(f"/r/{link.code}/")
    assert answer["Location"] == f"/patients/add/?code={link.code}"
    page = client.get(answer["Location"]).content.decode()
    assert "周岚" in page
    assert f'value="{referrer.pk}" checked' in page


def test_the_code_page_makes_and_revokes_and_writes_nothing_when_read(clinic, referrer, tc):
    client, url = signed_in(tc), f"/patients/{referrer.pk}/referral/code/"
    client.get(url)
    assert not PublicLink.objects.exists()
    client.post(url, {"action": "make"})
    link = PublicLink.objects.get()
    assert link.code in client.get(url).content.decode()
    client.post(url, {"action": "revoke"})
    assert client.get(f"/r/{link.code}/").status_code == 404


# --- thanks --------------------------------------------------------------------------------------


def test_reception_makes_thanks_owed_and_a_task_for_the_owner(clinic, referrer, tc):
    patient = brought(clinic, referrer, tc)
    row = ReferralThanks.objects.get()
    assert (row.referral.referrer, row.referral.referred, row.given_at) == (referrer, patient, None)
    task = Task.objects.get(kind="referral")
    assert (task.patient, task.owner) == (referrer, tc)


def test_before_reception_nothing_is_owed(clinic, referrer, tc):
    link_referral(referrer=referrer, referred=PatientFactory(clinic=clinic), clinic=clinic, by=tc)
    assert not ReferralThanks.objects.exists()


def test_linked_after_the_visit_is_owed_too(clinic, referrer, tc):
    patient = PatientFactory(clinic=clinic)
    receive(visit=check_in(clinic=clinic, patient=patient, by=tc), by=tc)
    signed_in(tc).post(f"/patients/{patient.pk}/referral/", {"referrer": referrer.pk})
    assert ReferralThanks.objects.get().referral.referrer == referrer
    assert Task.objects.filter(kind="referral").count() == 1


def test_giving_thanks_closes_the_task_and_happens_once(clinic, referrer, tc):
    brought(clinic, referrer, tc)
    row, client = ReferralThanks.objects.get(), signed_in(tc)
    assert client.post(f"/referrals/thanks/{row.pk}/", {"how": "", "cost": "-1"}).status_code == 422
    client.post(f"/referrals/thanks/{row.pk}/", {"how": "电话致谢，送洁牙一次", "cost": "120"})
    row.refresh_from_db()
    assert (row.cost, row.given_by) == (Decimal(120), tc)
    assert not Task.objects.open().filter(kind="referral").exists()
    again = client.post(f"/referrals/thanks/{row.pk}/", {"how": "再送一次", "cost": "1"})
    assert again.status_code == 409
    with pytest.raises(Refused):
        give(row=row, how="x", cost=Decimal(0), by=tc)


def test_thanks_noted_by_mistake_are_owed_again(clinic, referrer, tc):
    brought(clinic, referrer, tc)
    row, client = ReferralThanks.objects.get(), signed_in(tc)
    undo = f"/referrals/thanks/{row.pk}/undo/"
    page = client.post(f"/referrals/thanks/{row.pk}/", {"how": "送错人了", "cost": "120"}, follow=True)
    assert undo in page.content.decode()
    assert undo in client.get(f"/referrals/thanks/{row.pk}/").content.decode()
    other = UserFactory(clinic=clinic)
    signed_in(other).post(undo)
    row.refresh_from_db()
    assert row.given_at is not None  # a colleague's is a manager's to take back
    client.post(undo)
    row.refresh_from_db()
    assert (row.given_at, row.given_by, row.how, row.cost) == (None, None, "", Decimal(0))
    assert Task.objects.open().filter(kind="referral").count() == 1
    client.post(f"/referrals/thanks/{row.pk}/", {"how": "电话致谢", "cost": "0"})
    assert not Task.objects.open().filter(kind="referral").exists()


# --- tree and figures ----------------------------------------------------------------------------


def test_the_tree_reaches_four_levels_in_one_statement(clinic, referrer, tc, django_assert_num_queries):
    above, names = referrer, []
    for level in range(1, 6):
        below = PatientFactory(clinic=clinic, name=f"第{level}级")
        ReferralFactory(clinic=clinic, referrer=above, referred=below)
        names.append(below.name)
        above = below
    sibling = PatientFactory(clinic=clinic, name="另一位")
    ReferralFactory(clinic=clinic, referrer=referrer, referred=sibling, effective_at=timezone.now())
    assert tc.clinic_ids()
    with django_assert_num_queries(1):
        tree = tree_of(referrer, tc)
    assert [(node.name, node.level) for node in tree] == [*zip(names[:4], range(1, 5), strict=True), ("另一位", 1)]
    assert [bool(node.effective_at) for node in tree] == [False] * 4 + [True]


def test_the_tree_ends_where_a_circle_closes(clinic, referrer, tc):
    other = PatientFactory(clinic=clinic)
    ReferralFactory(clinic=clinic, referrer=referrer, referred=other)
    ReferralFactory(clinic=clinic, referrer=other, referred=referrer)
    assert [node.patient_id for node in tree_of(referrer, tc)] == [other.pk]


def test_links_of_another_clinic_are_not_in_the_tree(clinic, referrer, tc):
    ReferralFactory(clinic=ClinicFactory(), referrer=referrer, referred=PatientFactory())
    assert tree_of(referrer, tc) == []


def test_figures_by_coordinator_and_referrer_within_the_window(clinic, referrer, tc):
    brought(clinic, referrer, tc)
    old = ReferralFactory(
        clinic=clinic,
        referrer=referrer,
        referred=PatientFactory(clinic=clinic),
        created_at=timezone.now() - timedelta(days=60),
    )
    client = signed_in(tc)
    month = client.get("/referrals/?window=30").context
    quarter = client.get("/referrals/?window=90").context
    assert [(r["name"], r["brought"], r["effective"], r["owed"]) for r in month["coordinators"]] == [
        ("曹素铭", 1, 1, 1)
    ]
    assert [(r["brought"], r["effective"]) for r in quarter["referrers"]] == [(2, 1)]
    assert [row.referral.referrer for row in month["owed"]] == [referrer]
    assert old.effective_at is None


def test_the_page_is_for_those_who_record_care(clinic):
    assert signed_in(UserFactory(clinic=clinic, role=Role.DOCTOR)).get("/referrals/").status_code == 403


# --- taking a link back --------------------------------------------------------------------------


def test_a_wrong_referrer_is_taken_back_and_the_right_one_named(clinic, referrer, tc):
    patient = PatientFactory(clinic=clinic)
    link_referral(referrer=referrer, referred=patient, clinic=clinic, by=tc)
    client, page = signed_in(tc), f"/patients/{patient.pk}/referral/"
    assert 'value="unlink"' in client.get(page).content.decode()
    assert client.post(page, {"action": "unlink"}).status_code == 302
    assert client.post(page, {"action": "unlink"}).status_code == 302  # somebody was quicker: done all the same
    right = PatientFactory(clinic=clinic)
    client.post(page, {"referrer": right.pk})
    assert Referral.objects.get().referrer == right


def test_a_referral_that_counts_is_taken_back_by_a_manager_with_the_thanks_that_were_owed(clinic, referrer, tc):
    patient = brought(clinic, referrer, tc)
    page = f"/patients/{patient.pk}/referral/"
    assert signed_in(tc).post(page, {"action": "unlink"}).status_code == 422
    manager = UserFactory(clinic=clinic, role=Role.MANAGER)
    assert signed_in(manager).post(page, {"action": "unlink"}).status_code == 302
    assert not Referral.objects.exists()
    assert not ReferralThanks.objects.exists()
    assert not Task.objects.open().filter(patient=referrer).exists()


def test_a_referral_stays_once_the_referrer_was_thanked(clinic, referrer, tc):
    patient = brought(clinic, referrer, tc)
    give(row=ReferralThanks.objects.get(), how="电话致谢", cost=Decimal(0), by=tc)
    manager = UserFactory(clinic=clinic, role=Role.MANAGER)
    assert signed_in(manager).post(f"/patients/{patient.pk}/referral/", {"action": "unlink"}).status_code == 422
    assert Referral.objects.exists()
