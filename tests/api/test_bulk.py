"""Bulk read: every row once, in order, of one's own clinic, and kept in the audit log."""

import pytest
from django.utils import timezone

from accounts.models import AuditEvent
from accounts.permissions import Role
from clinic_crm.workbench.bulk import DATASETS
from metrics.models import EtiquetteInspection
from patients.models import Patient
from tests.api.programs import Program
from tests.factories import ClinicFactory, PatientFactory, PhoneFactory, UserFactory, VisitFactory
from tests.metrics.story import Story

pytestmark = pytest.mark.django_db


def test_every_row_is_read_once_and_none_of_another_clinic():
    clinic = ClinicFactory()
    mine = [VisitFactory(clinic=clinic).pk for _ in range(5)]
    VisitFactory(clinic=ClinicFactory())
    program = Program(UserFactory(clinic=clinic, role=Role.MANAGER))
    seen, address = [], "bulk/visits/?limit=2"
    while address:
        page = program.get(address).json()
        seen += [row["id"] for row in page["results"]]
        address = (page["next"] or "").removeprefix("/api/v1/")
    assert seen == mine
    assert AuditEvent.objects.filter(action="bulk_read").count() == 3


@pytest.mark.parametrize("name", DATASETS)
def test_each_kind_can_be_read(name: str):
    told = Program(UserFactory(role=Role.MANAGER)).get(f"bulk/{name}/")
    assert told.status_code == 200
    assert told.json() == {"results": [], "next": None, "cursor": ""}


def test_bad_questions_are_told_and_coordinators_may_not():
    manager = Program(UserFactory(role=Role.MANAGER))
    assert {row["name"] for row in manager.get("bulk/").json()} == set(DATASETS)
    assert manager.get("bulk/nothing/").status_code == 404
    assert manager.get("bulk/visits/?limit=99999").status_code == 400
    assert manager.get("bulk/visits/?cursor=zzz").status_code == 400
    assert Program(UserFactory(role=Role.COORDINATOR)).get("bulk/visits/").status_code == 403


def test_what_key_figures_3_and_10_count_is_read_too():
    story = Story()
    manager = Program(story.manager)
    complaint = manager.get("bulk/complaints/").json()["results"][0]
    assert (complaint["category"], complaint["about"]["id"]) == ("waiting", story.two.pk)
    assert len(manager.get("bulk/inspections/").json()["results"]) == EtiquetteInspection.objects.count() > 0


def test_patients_are_told_masked_and_closed_records_are_left_out():
    clinic = ClinicFactory()
    known, closed = PhoneFactory(patient=PatientFactory(clinic=clinic)).patient, PatientFactory(clinic=clinic)
    Patient.objects.filter(pk=closed.pk).update(restricted_at=timezone.now())
    manager = Program(UserFactory(clinic=clinic, role=Role.MANAGER))
    (row,) = manager.get("bulk/patients/").json()["results"]
    assert (row["id"], row["phones"][0]["masked"].count("*")) == (known.pk, 4)
    assert [one["patient"]["id"] for one in manager.get("bulk/registrations/").json()["results"]] == [known.pk]
