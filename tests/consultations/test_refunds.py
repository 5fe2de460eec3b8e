"""Money paid back: what may be, once, and taken back; two people at once; what pages show."""

import threading
from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
import time_machine
from django.db import InternalError, connection, transaction
from django.test import Client
from django.utils import timezone

from accounts.models import AuditEvent, Clinic, User
from accounts.permissions import Role
from consultations.errors import Refused
from consultations.models import Consultation, Refund, Visit
from consultations.services import refunds
from consultations.services.refunds import most_refundable, refund, take_back
from tests.factories import ClinicFactory, UserFactory, VisitFactory

pytestmark = pytest.mark.django_db


def paid(clinic: Clinic, status: str = "accepted", amount: Any = 16800, deposit: Any = None, **facts: Any) -> Visit:
    """Make a visit on which the case was accepted, or a deposit paid."""
    visit: Visit = VisitFactory(
        clinic=clinic, stage="closed", decision=status, decided_at=timezone.now(), decision_amount=amount,
        deposit_amount=deposit, **facts,
    )  # fmt: skip
    Consultation.objects.filter(pk=visit.consultation_id).update(status=status)
    visit.consultation.refresh_from_db()
    return visit


@pytest.fixture
def clinic() -> Clinic:
    return ClinicFactory()


@pytest.fixture
def manager(clinic: Clinic) -> User:
    return UserFactory(role=Role.MANAGER, clinic=clinic, full_name="何静宜")


@pytest.fixture
def give(manager: User) -> Callable[..., Refund]:
    def give(visit: Visit, amount: Any, *, full: bool = False, reason: str = "患者要求") -> Refund:
        case = visit.consultation
        return refund(consultation=case, amount=Decimal(str(amount)), is_full=full, reason=reason, by=manager)

    return give


def test_a_refund_keeps_the_status_and_is_on_record(clinic, give, manager):
    visit = paid(clinic)
    row = give(visit, 16800, full=True)
    assert (row.clinic, row.visit, row.by, row.is_full) == (clinic, visit, manager, True)
    visit.consultation.refresh_from_db()
    assert visit.consultation.status == "accepted"
    assert AuditEvent.objects.get(action="refunded").detail == {"amount": "16800", "in_full": True}


@pytest.mark.parametrize("amount", ["0", "-1", "16800.01", "1e9"])
def test_amounts_beyond_what_was_paid_are_refused(clinic, give, amount):
    with pytest.raises(Refused):
        give(paid(clinic), amount)
    assert not Refund.objects.exists()


def test_refunds_add_up_to_at_most_what_was_paid(clinic, give):
    visit = paid(clinic)
    give(visit, 10000)
    assert most_refundable(visit.consultation) == 6800
    with pytest.raises(Refused):
        give(visit, "6800.01")
    give(visit, 6800)
    assert most_refundable(visit.consultation) == 0


def test_of_a_deposit_the_deposit_may_go_back_not_the_plan_s_price(clinic, give):
    visit = paid(clinic, "deposit", deposit=2000)
    with pytest.raises(Refused):
        give(visit, 2001)
    give(visit, 2000, full=True)


def test_a_deposit_is_part_of_what_is_accepted_later(clinic, give):
    first = paid(clinic, "deposit", amount=None, deposit=2000)
    paid(clinic, consultation=first.consultation, patient=first.patient)
    first.consultation.refresh_from_db()
    assert most_refundable(first.consultation) == 16800


@pytest.mark.parametrize("status", ["open", "refused", "no_treatment", "lost"])
def test_nothing_goes_back_where_nothing_was_paid(clinic, give, status):
    visit: Visit = VisitFactory(clinic=clinic)
    Consultation.objects.filter(pk=visit.consultation_id).update(status=status)
    with pytest.raises(Refused):
        give(visit, 1)


def test_a_deposit_goes_back_after_the_patient_refused(clinic, give):
    visit = paid(clinic, "deposit", deposit=2000)
    Consultation.objects.filter(pk=visit.consultation_id).update(status="refused")
    assert give(visit, 2000, full=True).visit == visit


def test_a_refund_in_full_is_the_last(clinic, give):
    visit = paid(clinic)
    give(visit, 16000, full=True)
    with pytest.raises(Refused):
        give(visit, 1)


def test_a_refund_needs_a_reason(clinic, give):
    with pytest.raises(Refused):
        give(paid(clinic), 1, reason="  ")


def test_a_wrong_refund_is_taken_back_by_a_second_row_and_may_then_be_made_anew(clinic, give, manager):
    visit = paid(clinic)
    wrong = give(visit, 16800, full=True)
    back = take_back(refund=wrong, reason="记错了人", by=manager)
    assert back.cancels == wrong
    assert not Refund.objects.standing().exists()
    assert most_refundable(visit.consultation) == 16800
    for row in (wrong, back):
        with pytest.raises(Refused):
            take_back(refund=row, reason="再来", by=manager)
    give(visit, 100)


def test_what_stood_at_a_past_moment_can_be_asked(clinic, give, manager):
    visit, start = paid(clinic), timezone.now()
    with time_machine.travel(start + timedelta(hours=1), tick=False):
        row = give(visit, 100)
    with time_machine.travel(start + timedelta(hours=3), tick=False):
        take_back(refund=row, reason="错", by=manager)
    stood = [Refund.objects.standing(start + timedelta(hours=hours)).count() for hours in (0, 1, 2, 3, 4)]
    assert stood == [0, 1, 1, 0, 0]
    assert Refund.objects.standing().count() == 0


def test_refunds_are_never_rewritten(clinic, give):
    row = give(paid(clinic), 1)
    for write in (lambda: Refund.objects.filter(pk=row.pk).update(amount=2), row.delete):
        with pytest.raises(InternalError), transaction.atomic():
            write()


# --- two at once -----------------------------------------------------------------------------------


def _both(visit: Visit, by: User) -> list[str]:
    """Pay everything back twice at the same moment; return what each was told."""
    gate, told = threading.Barrier(2), []

    def pay() -> None:
        gate.wait()
        try:
            refund(consultation=visit.consultation, amount=Decimal(16800), is_full=True, reason="x", by=by)
            told.append("done")
        except Refused:
            told.append("refused")
        finally:
            connection.close()

    threads = [threading.Thread(target=pay) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return sorted(told)


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("protected", [True, False])
def test_two_at_once_pay_back_once(clinic, manager, monkeypatch, protected):
    visit = paid(clinic)
    if not protected:  # the switch: without the lock, both look before either has written
        looked, plain = threading.Barrier(2), refunds.most_refundable
        monkeypatch.setattr(Consultation.objects.__class__, "select_for_update", lambda self: self.all())

        def slowly(case: Consultation) -> Decimal | None:
            most = plain(case)
            looked.wait(timeout=60)
            return most

        monkeypatch.setattr(refunds, "most_refundable", slowly)
    told = _both(visit, manager)
    assert (told == ["done", "refused"]) is protected
    assert (Refund.objects.count() == 1) is protected


# --- pages -----------------------------------------------------------------------------------------


@pytest.fixture
def open_as() -> Callable[[User], Client]:
    def opened(user: User) -> Client:
        client = Client()
        client.force_login(user, backend="allauth.account.auth_backends.AuthenticationBackend")
        return client

    return opened


def test_a_manager_records_and_takes_back_from_the_visit(clinic, manager, open_as):
    visit, client = paid(clinic), open_as(manager)
    url = f"/visits/{visit.pk}/refund/"
    assert url in client.get(visit.get_absolute_url()).content.decode()
    sent = client.post(url, {"amount": "16800", "is_full": "on", "reason": "改去外地治疗"})
    assert sent.status_code == 302
    page = client.get(visit.get_absolute_url()).content.decode()
    assert "16,800" in page
    timeline = client.get(f"/patients/{visit.patient_id}/").content.decode()
    assert "改去外地治疗" in timeline
    assert "改去外地治疗" in client.get(f"/patients/{visit.patient_id}/?tab=fees").content.decode()
    row = Refund.objects.get()
    client.post(f"/visits/{visit.pk}/refunds/{row.pk}/", {"reason": "记错"})
    assert Refund.objects.filter(cancels=row).exists()


def test_a_wrong_entry_keeps_what_was_typed(clinic, manager, open_as):
    visit, client = paid(clinic), open_as(manager)
    for headers in ({}, {"HTTP_HX_REQUEST": "true"}):
        answer = client.post(f"/visits/{visit.pk}/refund/", {"amount": "99999", "reason": "多写了"}, **headers)
        assert answer.status_code == 422
        assert "多写了" in answer.content.decode()
        assert "99999" in answer.content.decode()


def test_coordinators_do_not_refund_and_do_not_see_the_menu(clinic, open_as):
    visit, client = paid(clinic), open_as(UserFactory(role=Role.COORDINATOR, clinic=clinic))
    assert client.post(f"/visits/{visit.pk}/refund/", {"amount": "1", "reason": "x"}).status_code == 403
    assert f"/visits/{visit.pk}/refund/" not in client.get(visit.get_absolute_url()).content.decode()


def test_another_clinic_s_visit_is_not_found(open_as, manager):
    visit = paid(ClinicFactory())
    assert open_as(manager).post(f"/visits/{visit.pk}/refund/", {"amount": "1", "reason": "x"}).status_code == 404


def test_a_row_of_another_case_is_not_taken_back_here(clinic, give, manager, open_as):
    row, other = give(paid(clinic), 5), paid(clinic)
    assert open_as(manager).post(f"/visits/{other.pk}/refunds/{row.pk}/", {"reason": "x"}).status_code == 404
