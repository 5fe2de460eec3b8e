"""Settings that were changed go back to the built-in ones."""

import pytest

from accounts.models import AuditEvent, Clinic
from accounts.permissions import Role
from clinic_crm.setup.defaults import RESTORERS
from consultations.exam_sets import BUILTIN_EXAMS
from consultations.form_sets import BUILTIN_SETS
from consultations.models import ExamKind, FormTemplate
from consultations.services.content import ensure_builtin_content
from conversations.models import Rubric
from conversations.rubric_sets import builtin
from conversations.services.rubrics import active_rubric
from conversations.services.rule_sets import active_rules, save_rules
from followups.models import CalendarSettings, MessagingSettings
from tests.factories import ClinicFactory, UserFactory

pytestmark = pytest.mark.django_db


@pytest.fixture
def clinic():
    clinic = ClinicFactory(late_cancel_hours=3, stage_limits={"exam": 5})
    ensure_builtin_content(clinic)
    return clinic


@pytest.fixture
def admin(client, clinic):
    admin = UserFactory(role=Role.ADMIN, clinic=clinic)
    client.force_login(admin)
    return admin


def test_everything_goes_back_and_is_in_the_audit_log(client, clinic, admin):
    first = BUILTIN_EXAMS[0]
    ExamKind.objects.for_clinic(clinic).filter(code=first.code).update(name="?", price=1)
    ExamKind.objects.create(clinic=clinic, code="own-1", name="自有", position=99)
    FormTemplate.objects.for_clinic(clinic).update(groups=[])
    CalendarSettings.objects.create(clinic=clinic, grid_minutes=10)
    MessagingSettings.objects.create(clinic=clinic, daily_cap=1)
    save_rules(clinic=clinic, data={}, note="?", seen=0, by=admin)
    for what in RESTORERS:
        assert client.get(f"/settings/{what}/restore/").status_code == 200
        assert client.post(f"/settings/{what}/restore/")["Location"] == "/settings/", what
    kept = ExamKind.objects.for_clinic(clinic).get(code=first.code)
    assert (kept.name, kept.price) == (first.name, first.price)
    assert ExamKind.objects.for_clinic(clinic).filter(code="own-1").exists()
    for template in FormTemplate.objects.for_clinic(clinic).filter(is_active=True):
        assert template.groups == BUILTIN_SETS[template.kind]
    assert CalendarSettings.objects.get().grid_minutes == 30
    assert MessagingSettings.objects.get().daily_cap == 500
    assert active_rules(clinic).version == 2
    assert active_rubric(clinic, Rubric.Kind.CHAT).data == builtin(Rubric.Kind.CHAT)
    assert (Clinic.objects.get().late_cancel_hours, Clinic.objects.get().stage_limits) == (24, {})
    assert AuditEvent.objects.filter(actor=admin).count() >= len(RESTORERS)


def test_only_who_may_change_them(client, clinic):
    client.force_login(UserFactory(role=Role.MANAGER, clinic=clinic))
    assert client.post("/settings/clinic_list/restore/").status_code == 403
    assert client.post("/settings/staff_list/restore/").status_code == 404
    client.force_login(UserFactory(role=Role.COORDINATOR, clinic=clinic))
    assert client.post("/settings/exam_kinds/restore/").status_code == 403
