"""What was done for a patient: recorded, from a checkout once, taken back."""

from datetime import timedelta
from decimal import Decimal

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from accounts.permissions import Role
from consultations.services.leaving import mark_done, undo_done
from consultations.stages import Stage
from patients.errors import Refused
from patients.models import CareAction
from patients.services.care import record_care, undo_care
from tests.factories import ClinicFactory, PatientFactory, UserFactory, VisitFactory

pytestmark = pytest.mark.django_db


def standing() -> list[str]:
    return list(CareAction.objects.filter(undoes=None, undone_by=None).values_list("kind", flat=True))


def test_recorded_once_for_a_subject() -> None:
    clinic = ClinicFactory()
    patient, by = PatientFactory(clinic=clinic), UserFactory(clinic=clinic)
    facts = {"patient": patient, "clinic": clinic, "kind": "tbi", "by": by, "subject": "visit:7"}
    assert record_care(**facts) is not None
    assert record_care(**facts) is None
    assert standing() == ["tbi"]


def test_the_future_and_unknown_kinds_are_refused() -> None:
    clinic = ClinicFactory()
    patient, by = PatientFactory(clinic=clinic), UserFactory(clinic=clinic)
    with pytest.raises(Refused):
        record_care(patient=patient, clinic=clinic, kind="tbi", by=by, at=timezone.now() + timedelta(hours=1))
    with pytest.raises(Refused):
        record_care(patient=patient, clinic=clinic, kind="party", by=by)


def test_taken_back_once() -> None:
    clinic = ClinicFactory()
    by = UserFactory(clinic=clinic)
    made = record_care(patient=PatientFactory(clinic=clinic), clinic=clinic, kind="gift", by=by, cost=Decimal(30))
    assert made is not None
    undo_care(action=made, by=by)
    assert standing() == []
    with pytest.raises(Refused):
        undo_care(action=made, by=by)


def test_a_must_do_of_the_checkout_is_care_once_and_goes_with_it() -> None:
    clinic = ClinicFactory()
    by = UserFactory(clinic=clinic)
    patient = PatientFactory(clinic=clinic, class_code="C-E")
    now = timezone.now()
    facts = {"stage": Stage.LEAVING, "decision": "undecided", "decided_at": now, "coordinator": by, "received_at": now}
    visit = VisitFactory(clinic=clinic, patient=patient, **facts)
    mark_done(visit=visit, code="tbi", by=by)
    mark_done(visit=visit, code="tbi", by=by)
    assert standing() == ["tbi"]
    undo_done(visit=visit, code="tbi", by=by)
    assert standing() == []
    mark_done(visit=visit, code="tbi", by=by)
    assert standing() == ["tbi"]


def test_the_page_records_and_keeps_what_was_typed(client: Client) -> None:
    clinic = ClinicFactory()
    client.force_login(UserFactory(clinic=clinic))
    patient = PatientFactory(clinic=clinic)
    url = reverse("patient_care", args=[patient.pk])
    wrong = client.post(url, {"kind": "gift", "day": "2999-01-01", "note": "洗牙券"})
    assert wrong.status_code == 422
    assert "洗牙券" in wrong.content.decode()
    right = client.post(url, {"kind": "gift", "day": clinic.today().isoformat(), "cost": "30", "note": "洗牙券"})
    assert right.status_code == 302
    made = CareAction.objects.get()
    assert (made.kind, made.cost, made.note) == ("gift", Decimal(30), "洗牙券")
    client.post(reverse("care_undo", args=[made.pk]))
    assert standing() == []


def test_who_may_not_record_care_gets_403_and_another_clinic_404(client: Client) -> None:
    clinic = ClinicFactory()
    patient = PatientFactory(clinic=clinic)
    client.force_login(UserFactory(clinic=clinic, role=Role.DOCTOR))
    assert client.get(reverse("patient_care", args=[patient.pk])).status_code == 403
    client.force_login(UserFactory(clinic=ClinicFactory()))
    assert client.get(reverse("patient_care", args=[patient.pk])).status_code == 404
