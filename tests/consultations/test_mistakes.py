"""Visits entered in error: marked by a manager, once they have ended, with the reason."""

import pytest
from django.utils import timezone

from accounts.models import AuditEvent
from accounts.permissions import Role
from consultations.stages import Stage
from tests.factories import ClinicFactory, UserFactory, VisitFactory

pytestmark = pytest.mark.django_db


@pytest.fixture
def clinic():
    return ClinicFactory()


@pytest.fixture
def ended(clinic):
    return VisitFactory(clinic=clinic, stage=Stage.CLOSED, left_at=timezone.now(), closed_at=timezone.now())


@pytest.fixture
def as_manager(client, clinic):
    client.force_login(UserFactory(clinic=clinic, role=Role.MANAGER))
    return client


def test_a_manager_marks_a_visit_that_never_was(as_manager, ended):
    page = f"/visits/{ended.pk}/error/"
    assert page in as_manager.get(f"/visits/{ended.pk}/").content.decode()
    assert as_manager.post(page, {"reason": "点错了人"}).status_code == 302
    ended.refresh_from_db()
    assert ended.is_error
    first = ended.error_at
    assert AuditEvent.objects.get(action="visit_entered_in_error").detail["reason"] == "点错了人"
    as_manager.post(page, {"reason": "再点一次"})
    ended.refresh_from_db()
    assert ended.error_at == first
    assert page not in as_manager.get(f"/visits/{ended.pk}/").content.decode()


def test_it_needs_a_reason_and_an_ended_visit(as_manager, clinic, ended):
    assert as_manager.post(f"/visits/{ended.pk}/error/", {"reason": " "}).status_code == 422
    here = VisitFactory(clinic=clinic)
    answer = as_manager.post(f"/visits/{here.pk}/error/", {"reason": "点错了人"})
    assert answer.status_code == 422
    assert "点错了人" in answer.content.decode()
    here.refresh_from_db()
    assert not here.is_error


def test_a_coordinator_does_not(client, clinic, ended):
    client.force_login(UserFactory(clinic=clinic, role=Role.COORDINATOR))
    assert client.post(f"/visits/{ended.pk}/error/", {"reason": "x"}).status_code == 403
