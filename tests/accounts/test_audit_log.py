"""The audit log: append-only, one clinic, filtered, paged by key."""

import ast
import re
from datetime import datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from django.conf import settings
from django.db import InternalError, transaction
from django.utils import timezone

from accounts.audit import record
from accounts.audit_words import ACTIONS, FACTS
from accounts.models import AuditEvent
from accounts.permissions import Role
from tests.factories import ClinicFactory, UserFactory

RECORDED = r'record\([^()]*?action="([a-z_]+)"'


@pytest.fixture
def clinic(db):
    return ClinicFactory()


@pytest.fixture
def manager(client, clinic):
    user = UserFactory(full_name="高静", role=Role.MANAGER, clinic=clinic)
    client.force_login(user)
    return user


def lines(response):
    return response.context["lines"]


def test_events_cannot_be_changed_or_deleted(clinic):
    record(action="renamed", clinic=clinic, by=None)
    for change in (lambda: AuditEvent.objects.update(action="x"), lambda: AuditEvent.objects.all().delete()):
        with pytest.raises(InternalError), transaction.atomic():
            change()


def test_only_the_current_clinics_events_show(client, clinic, manager):
    record(action="role_changed", clinic=clinic, by=manager, subject=manager, was="nurse", now="doctor")
    record(action="renamed", clinic=ClinicFactory(), by=None)
    (line,) = lines(client.get("/audit/"))
    assert line.actor == manager
    assert line.subject == "高静"
    assert [value for _name, value in line.detail] == ["护士", "医生"]  # before, then after


def test_filters_by_person_action_and_day(client, clinic, manager):
    record(action="renamed", clinic=clinic, by=None)
    record(action="team_changed", clinic=clinic, by=manager)
    assert len(lines(client.get(f"/audit/?actor={manager.pk}"))) == 1
    assert len(lines(client.get("/audit/?action=renamed"))) == 1
    today = clinic.today()
    assert len(lines(client.get(f"/audit/?since={today}&until={today}"))) == 2
    assert lines(client.get(f"/audit/?until={today - timedelta(days=1)}")) == []


def test_days_are_the_clinics(client, clinic, manager):
    late = datetime(2026, 3, 1, 23, 30, tzinfo=ZoneInfo("Asia/Shanghai"))
    AuditEvent.objects.create(clinic=clinic, action="renamed", at=late)
    assert len(lines(client.get("/audit/?since=2026-03-01&until=2026-03-01"))) == 1
    assert lines(client.get("/audit/?since=2026-03-02&until=2026-03-02")) == []


@pytest.mark.parametrize("query", ["actor=x", "action=none", "since=today", "before=~", "before=2026~1", "before=9~9"])
def test_nonsense_in_the_address_is_no_error(client, clinic, manager, query):
    record(action="renamed", clinic=clinic, by=None)
    assert client.get(f"/audit/?{query}").status_code == 200


def test_paging_shows_each_event_once_even_at_one_moment(client, clinic, manager, django_assert_max_num_queries):
    moment = timezone.now()
    AuditEvent.objects.bulk_create(
        AuditEvent(clinic=clinic, action="renamed", actor=manager, at=moment, detail={"now": str(n)})
        for n in range(120)
    )
    seen, url = [], "/audit/?action=renamed"
    while url:
        with django_assert_max_num_queries(10):
            response = client.get(url)
        seen += [line.detail[0][1] for line in lines(response)]
        url = "/audit/" + response.context["older"] if response.context["older"] else ""
    assert seen == [str(n) for n in reversed(range(120))]


def test_every_action_in_the_code_has_a_name():
    apps = ("accounts", "patients", "followups", "consultations", "conversations", "metrics", "clinic_crm")
    files = [file for app in apps for file in (Path(settings.BASE_DIR) / app).rglob("*.py")]
    used = {code for file in files for code in re.findall(RECORDED, file.read_text(encoding="utf-8"))}
    assert used
    assert used - set(ACTIONS) == set()


def _facts(call: ast.Call) -> set[str]:
    """The names of the details that a call of record() keeps."""
    given = {keyword.arg for keyword in call.keywords if keyword.arg}
    return given - {"action", "clinic", "by", "subject"}


def test_every_detail_in_the_code_has_a_name():
    apps = ("accounts", "patients", "followups", "consultations", "conversations", "metrics", "clinic_crm")
    files = [file for app in apps for file in (Path(settings.BASE_DIR) / app).rglob("*.py")]
    nodes = [node for file in files for node in ast.walk(ast.parse(file.read_text(encoding="utf-8")))]
    calls = [node for node in nodes if isinstance(node, ast.Call) and getattr(node.func, "id", "") == "record"]
    used = set().union(*(_facts(call) for call in calls))
    assert used - set(FACTS) == set()


def test_amounts_and_codes_read_as_the_pages_write_them(client, clinic, manager):
    record(action="thanks_given", clinic=clinic, by=manager, cost="1280.00")
    record(action="captured_contact_revealed", clinic=clinic, by=manager, kind="phone")
    record(action="refunded", clinic=clinic, by=manager, amount="?")
    shown = [[value for _name, value in line.detail] for line in lines(client.get("/audit/"))]
    assert shown == [["?"], ["手机"], ["¥1,280"]]


def test_a_clinics_settings_and_stages_are_named_in_details(client, clinic, manager):
    was, now = {"stage_limits": {"exam": 30}, "phone": "1"}, {"stage_limits": {"exam": 35}, "phone": "2"}
    record(action="clinic_edited", clinic=clinic, by=manager, subject=clinic, was=was, now=now)
    record(action="script_saved", clinic=clinic, by=manager, title="雨天", stage="complaint")
    page = client.get("/audit/").content.decode()
    assert "检查 35" in page
    assert "stage_limits" not in page
    assert "主诉" in page
