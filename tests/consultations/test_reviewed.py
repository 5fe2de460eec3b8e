"""What a second look at the services found: each went wrong once."""

import re
from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from accounts.permissions import Role
from consultations.errors import Refused
from consultations.models import CheckoutItem, Visit
from consultations.services import leaving, reception
from consultations.stages import Stage
from consultations.views.workspace import last_visit
from followups.models import Appointment
from patients.classification import Suggestion
from patients.export import harmless
from patients.models import ClassChange
from tests.factories import AppointmentFactory, ClinicFactory, UserFactory, VisitFactory
from tests.guards.routes import signed_in

pytestmark = pytest.mark.django_db


@pytest.fixture
def clinic():
    return ClinicFactory()


@pytest.fixture
def manager(clinic):
    return UserFactory(role=Role.MANAGER, clinic=clinic)


@pytest.fixture
def leaver(clinic, manager):
    """A visit about to end."""
    now = timezone.now()
    facts = {"stage": Stage.LEAVING, "decision": "accepted", "decided_at": now, "received_at": now}
    return VisitFactory(clinic=clinic, coordinator=manager, **facts)


def test_an_appointment_brings_one_visit_also_when_its_page_is_old(clinic, manager):
    now = timezone.now()
    row = AppointmentFactory(clinic=clinic, starts_at=now, ends_at=now + timedelta(minutes=30))
    visit = reception.check_in(clinic=clinic, patient=row.patient, by=manager, appointment=row)
    Visit.objects.filter(pk=visit.pk).update(stage=Stage.CLOSED)
    with pytest.raises(Refused):
        reception.check_in(clinic=clinic, patient=row.patient, by=manager, appointment=row)
    assert Visit.objects.count() == 1
    assert Appointment.objects.get(pk=row.pk).status == Appointment.Status.KEPT


def test_receiving_locks_the_visit_before_the_patient_like_every_other_step(clinic, manager):
    visit = VisitFactory(clinic=clinic)
    with CaptureQueriesContext(
        connection,
    ) as queries:
        reception.receive(visit=visit, by=manager)
    locks = [q["sql"] for q in queries if re.search("FOR (NO KEY )?UPDATE", q["sql"])]
    assert 'FROM "consultations_visit"' in locks[0]
    assert any('FROM "patients_patient"' in sql for sql in locks[1:])


def test_an_approved_waiver_keeps_its_reason_and_its_approval(leaver, manager):
    code = CheckoutItem.Code.WECHAT
    leaving.let_go(visit=leaver, code=code, reason="手机没带", by=manager)
    leaving.decide_waiver(visit=leaver, code=code, approve=True, by=manager)
    leaving.let_go(visit=leaver, code=code, reason="another reason", by=manager)
    other = UserFactory(role=Role.MANAGER, clinic=leaver.clinic)
    leaving.decide_waiver(visit=leaver, code=code, approve=False, by=other)
    item = CheckoutItem.objects.get(visit=leaver, code=code)
    assert (item.waiver_reason, item.waived_by, item.refused_at) == ("手机没带", manager, None)


def test_approving_after_a_refusal_takes_the_refusal_away(leaver, manager):
    code = CheckoutItem.Code.WECHAT
    leaving.let_go(visit=leaver, code=code, reason="手机没带", by=manager)
    leaving.decide_waiver(visit=leaver, code=code, approve=False, by=manager)
    leaving.decide_waiver(visit=leaver, code=code, approve=True, by=manager)
    item = CheckoutItem.objects.get(visit=leaver, code=code)
    assert item.waived_at
    assert item.refused_at is None


def test_a_crash_while_classifying_leaves_neither_class_nor_visit_changed(leaver, manager, monkeypatch):
    def crash(**_ignored):
        raise RuntimeError

    monkeypatch.setattr(leaving, "set_classification", crash)
    with pytest.raises(RuntimeError):
        leaving.classify_visit(
            visit=leaver, code="C-E", awareness=3, trust=3, by=manager, suggestion=Suggestion("C-E", "x")
        )
    assert not ClassChange.objects.exists()
    leaver.patient.refresh_from_db()
    assert leaver.patient.class_code == ""


def test_a_visit_in_another_clinic_is_not_told_here(leaver):
    before = leaver.arrived_at - timedelta(days=9)
    VisitFactory(clinic=ClinicFactory(), patient=leaver.patient, arrived_at=before, received_at=before, stage="closed")
    assert last_visit(leaver) is None


def test_pages_of_staff_are_kept_by_no_browser(manager):
    assert "no-store" in signed_in(manager).get("/patients/")["Cache-Control"]


@pytest.mark.parametrize("text", ["=1+1", "＝1+1", "＠SUM(A1)", " =1+1", "\u200b-2", "\t+3", "|calc", "%0"])
def test_no_cell_begins_a_formula(text):
    assert harmless(text).startswith("'")


def test_a_cell_holds_no_control_characters_that_break_a_workbook():
    assert harmless("沈\x01雨\x1f薇") == "沈雨薇"


def test_a_manager_takes_a_wrong_approval_back(leaver, manager, client):
    code = CheckoutItem.Code.WECHAT
    leaving.let_go(visit=leaver, code=code, reason="手机没带", by=manager)
    leaving.decide_waiver(visit=leaver, code=code, approve=True, by=manager)
    client.force_login(manager)
    page = f"/visits/{leaver.pk}/"
    assert 'value="take_back"' in client.get(page).content.decode()
    path = reverse("visit_waiver", args=[leaver.pk, code])
    assert client.post(path, {"action": "take_back"}).status_code == 302
    item = CheckoutItem.objects.get(visit=leaver, code=code)
    assert (item.waived_at, item.waived_by, item.waiver_reason) == (None, None, "手机没带")
    assert 'value="take_back"' not in client.get(page).content.decode()
    assert client.post(path, {"action": "take_back"}).status_code == 422
