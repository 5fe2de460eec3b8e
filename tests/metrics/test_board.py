"""The dashboard, its filters and its records: who sees what, equal numbers, refusals, pages, statements."""

import re
from datetime import date
from decimal import Decimal
from typing import Any

import pytest
import time_machine
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from accounts.models import AuditEvent
from accounts.permissions import Role
from accounts.windows import Window
from consultations.models import Consultation, Visit
from metrics.counting import figures
from metrics.kpis import KPIS
from metrics.models import KpiTarget
from metrics.record_keys import querysets
from metrics.records import records_of
from metrics.scope import Scope
from metrics.targets import target_of
from patients.models import Patient
from tests.factories import ClinicFactory, MembershipFactory, TeamFactory, UserFactory
from tests.metrics.etiquette import signed_in
from tests.metrics.story import AFTER, Story

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("after")]
OCTOBER = "window=month&day=2026-10-01"
PARTS = re.compile(r'data-part="([^"]+)" data-n="(\d+)"')
MARKED = re.compile(r'data-kpi="closing" data-numerator="([^"]+)" data-denominator="([^"]+)"')


@pytest.fixture
def after():
    with time_machine.travel(AFTER, tick=False):
        yield


@pytest.fixture
def story() -> Story:
    return Story()


def page(user: Any, address: str, status: int = 200, **headers: str) -> str:
    response = signed_in(user).get(address, headers=headers)
    assert response.status_code == status, (address, response.status_code)
    return response.content.decode()


# --- who sees whose ------------------------------------------------------------------------------


def test_other_roles_are_refused_and_strangers_sign_in(story):
    page(story.doctor, "/kpis/", 403)
    assert Client().get("/kpis/").status_code == 302


def test_a_coordinator_sees_their_own_patients_and_reads_so(story):
    own = page(story.one, f"/kpis/closing/?{OCTOBER}")
    assert "你自己的患者" in own
    assert MARKED.search(own).groups() == ("1", "2")  # the manager's is 2 of 4
    assert MARKED.search(page(story.manager, f"/kpis/closing/?{OCTOBER}")).groups() == ("2", "4")


@pytest.mark.parametrize("address", ["/kpis/?", "/kpis/closing/?", "/kpis/compare/?", "/kpis/panels/matrix/?"])
def test_of_another_s_figures_a_coordinator_is_refused(story, address):
    page(story.one, f"{address}tc={story.two.pk}", 403)
    page(story.one, f"{address}tc={story.one.pk}")
    page(story.one, f"{address}clinic=all", 403)


def test_what_is_for_managers_alone_is_refused_to_others(story):
    for address in ("/kpis/panels/funnel/", "/kpis/panels/leaks/", "/kpis/panels/leaks/records/?part=refunds"):
        page(story.one, address, 403)
        page(story.manager, address)


def test_clinics_teams_and_people_one_cannot_know_of_are_not_found(story):
    elsewhere = ClinicFactory()
    stranger = UserFactory(clinic=elsewhere)
    team = TeamFactory(clinic=elsewhere)
    for query in (f"clinic={elsewhere.pk}", f"tc={stranger.pk}", f"team={team.pk}", f"doctor={stranger.pk}"):
        page(story.manager, f"/kpis/?{query}", 404)


def test_a_clinic_where_one_is_no_manager_is_refused_among_others(story):
    elsewhere = ClinicFactory()
    MembershipFactory(user=story.manager, clinic=elsewhere, role=Role.COORDINATOR)
    page(story.manager, f"/kpis/?clinic={elsewhere.pk}&clinic={story.clinic.pk}", 403)
    assert "你自己的患者" in page(story.manager, f"/kpis/?clinic={elsewhere.pk}")  # alone: one's own


def test_people_of_other_chosen_clinics_are_refused_beside_the_filter(story):
    elsewhere = ClinicFactory()
    MembershipFactory(user=story.manager, clinic=elsewhere, role=Role.MANAGER)
    said = page(story.manager, f"/kpis/?clinic={elsewhere.pk}&tc={story.one.pk}", 400)
    assert "这个人不在所选门诊工作" in said


# --- what makes no sense --------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("query", "words"),
    [
        ("window=free&from=2026-10-09&to=2026-10-01", "结束必须晚于开始"),
        ("window=free&from=2026-10-09", "不是日期"),
        ("window=fortnight", "没有这种时段"),
        ("window=month&day=1950-01-01", "2000 至 2099"),
        ("window=free&from=2010-01-01&to=2026-01-01", "最长三年"),
        ("tc=x", "未知的取值"),
        ("complaint=hair", "未知的取值"),
        ("visits=third", "未知的取值"),
        ("compare=never", "未知的取值"),
        ("as_of=soon", "不是时间"),
        ("as_of=2027-01-01T00:00", "不能晚于现在"),
    ],
)
def test_what_makes_no_sense_is_said_and_nothing_counted(story, query, words):
    assert words in page(story.manager, f"/kpis/?{query}", 400)


def test_a_refused_window_keeps_what_was_chosen(story):
    said = page(story.manager, f"/kpis/?window=free&from=2026-10-09&to=2026-10-01&tc={story.one.pk}", 400)
    assert 'value="2026-10-09"' in said
    assert 'value="2026-10-01"' in said
    assert f'name="tc" value="{story.one.pk}" checked' in said


@pytest.mark.parametrize(
    "query", ["window=year&day=2000-05-05", "window=day&day=2000-01-01", "window=year&day=2099-01-01"]
)
def test_at_the_ends_of_the_calendar_there_are_fewer_windows_beside(story, query):
    for address in ("/kpis/", "/kpis/cards/", "/kpis/closing/trend/"):
        page(story.manager, f"{address}?{query}&trend=1")


def test_unknown_figures_panels_and_parts_are_not_found(story):
    for address in ("hair/", "closing/?part=x", "closing/?figure=form.late", "panels/x/", "compare/?by=x"):
        page(story.manager, f"/kpis/{address}", 404)
    for slug in ("matrix", "cohort", "funnel", "leaks", "absences"):
        page(story.manager, f"/kpis/panels/{slug}/records/?part=x", 404)


# --- numbers --------------------------------------------------------------------------------------


@pytest.mark.parametrize("kpi", KPIS, ids=[kpi.slug for kpi in KPIS])
def test_the_list_behind_a_number_is_as_long_as_the_number(story, kpi):
    month, scope = Window.of("month", date(2026, 10, 1)), Scope((story.clinic,))
    figure = figures(scope, month)[None][KPIS.index(kpi)]
    for part in ("counted", "failing"):
        shown = page(story.manager, f"/kpis/{kpi.slug}/?{OCTOBER}&part={part}")
        told = dict(PARTS.findall(shown))
        rows = sum(q.count() for q in querysets(records_of(kpi, scope, month, part)))
        assert int(told[part]) == rows == shown.count('class="row" id=')
    if kpi.unit == "percent":
        assert int(told["counted"]) == figure.numerator
    if kpi.unit == "percent" and kpi.slug != "complaints":
        assert int(told["failing"]) == figure.denominator - figure.numerator


def test_the_card_s_shortfall_opens_as_many_records_as_it_says(story):
    board = page(story.manager, f"/kpis/?{OCTOBER}")
    links = re.findall(r'class="link" href="(/kpis/[a-z_]+/\?[^"]+)">(\d+) ', board)
    assert len(links) >= 6
    for address, n in links:
        assert page(story.manager, address.replace("&amp;", "&")).count('class="row" id=') == int(n)


def test_excluded_records_say_why(story):
    shown = page(story.manager, f"/kpis/closing/?{OCTOBER}&part=excluded:no_treatment")
    assert "无需治疗" in shown
    assert shown.count('class="row" id=') == 1


def test_each_row_leads_to_what_mends_it(story):
    shown = page(story.manager, f"/kpis/next_appointment/?{OCTOBER}&part=failing")
    visit = story.visits[2]
    assert f"/visits/{visit.pk}/" in shown
    assert f"/appointments/new/?patient={visit.patient_id}&amp;visit={visit.pk}" in shown


def test_a_month_without_anything_shows_dashes(story):
    board = page(story.manager, "/kpis/?window=month&day=2025-01-01")
    assert board.count("<b>—</b>") == len(KPIS) + 1
    assert "0.0%" not in board


def test_numbers_to_call_stay_masked(story):
    assert "199000" not in page(story.manager, f"/kpis/closing/?{OCTOBER}")


def test_small_numbers_are_marked_with_their_interval(story):
    table = page(story.manager, f"/kpis/compare/?{OCTOBER}")
    assert "tone-few" in table
    assert "95% 区间" in table
    assert f"tc={story.one.pk}" in table


def test_the_trend_has_its_table(story):
    shown = page(story.manager, f"/kpis/closing/trend/?{OCTOBER}", **{"HX-Request": "true"})
    assert 'id="chart-trend"' in shown
    assert shown.count("<tr") == 14
    assert "50.0%" in shown


def test_changes_are_against_the_window_before_or_a_year_ago(story):
    assert "变化较 9月1日 – 9月30日" in page(story.manager, f"/kpis/?{OCTOBER}")
    assert "变化较 2025年10月1日 – 2025年10月31日" in page(story.manager, f"/kpis/?{OCTOBER}&compare=year")
    then = page(story.manager, "/kpis/cards/?window=month&day=2026-11-01")
    assert "较 10月1日 – 10月31日" in then


def test_records_come_page_by_page_each_once(story, monkeypatch):
    monkeypatch.setattr("metrics.views.records_paging.page_of.__defaults__", ("", 1))
    address, seen = f"/kpis/wechat/?{OCTOBER}&part=failing", []
    while address:
        shown = page(story.manager, address)
        seen += re.findall(r'class="row" id="([^"]+)"', shown)
        more = re.search(r'href="([^"]+after=[^"]+)"', shown)
        address = more[1].replace("&amp;", "&") if more else ""
    assert len(seen) == len(set(seen)) == 4


# --- statements -----------------------------------------------------------------------------------


def _statements(user: Any, address: str) -> int:
    client = signed_in(user)
    client.get("/kpis/targets/")  # what is asked once in a process
    with CaptureQueriesContext(
        connection,
    ) as asked:
        assert client.get(address).status_code == 200
    return len(asked)


def _many(story: Story, n: int) -> None:
    """Visits like one of the story's, four for each of many patients."""
    pattern = story.visits[2]
    people = Patient.objects.bulk_create(Patient(name="沈雨薇", name_key="沈雨薇") for _ in range(n // 4))
    fields = {f.attname: getattr(pattern, f.attname) for f in Visit._meta.concrete_fields if not f.primary_key}
    cases = Consultation.objects.bulk_create(Consultation(clinic=story.clinic, patient=person) for person in people)
    own = [{"patient_id": people[i // 4].pk, "consultation_id": cases[i // 4].pk} for i in range(n)]
    Visit.objects.bulk_create(Visit(**fields | facts) for facts in own)


# Statements of each page, with four of every request: session, person, roles, open tasks.
MOST = {
    "": 17, "cards/": 17, "compare/": 18, "next_appointment/": 23, "panels/matrix/": 12, "panels/funnel/": 12,
    "panels/cohort/": 12, "panels/leaks/": 16, "panels/absences/": 12,
}  # fmt: skip


def test_a_thousand_visits_ask_no_more_than_ten(story):
    few = {name: _statements(story.manager, f"/kpis/{name}?{OCTOBER}") for name in MOST}
    _many(story, 1000)
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")  # as autovacuum does of a table that grew
    assert {name: _statements(story.manager, f"/kpis/{name}?{OCTOBER}") for name in MOST} == few
    assert {name: n for name, n in few.items() if n > MOST[name]} == {}


# --- targets --------------------------------------------------------------------------------------


def _set(user: Any, **data: str) -> Any:
    return signed_in(user).post("/kpis/targets/", data)


def test_a_new_target_holds_from_its_day_and_leaves_the_past(story):
    data = {"figure": "closing", "closing-value": "85", "closing-valid_from": "2026-11-15"}
    assert _set(story.manager, **data).status_code == 302
    clinics = [story.clinic]
    assert target_of(clinics, "closing", date(2026, 11, 14)) == 80
    assert target_of(clinics, "closing", date(2026, 11, 15)) == 85
    assert AuditEvent.objects.get(action="kpi_target_set").detail["target"] == "85"
    assert "11月15日" in page(story.manager, "/kpis/targets/")


@pytest.mark.parametrize(
    ("value", "day", "words"),
    [("85", "2026-11-09", "评过的不再改"), ("101", "2026-11-10", ""), ("", "2026-11-10", ""), ("85", "x", "")],
)
def test_a_target_that_makes_no_sense_is_refused_and_kept(story, value, day, words):
    data = {"figure": "closing", "closing-value": value, "closing-valid_from": day}
    response = _set(story.manager, **data)
    assert response.status_code == 422
    assert words in response.content.decode()
    assert not KpiTarget.objects.exists()


def test_the_usual_target_comes_back_as_a_new_row(story):
    KpiTarget.objects.create(clinic=story.clinic, slug="closing", value=70, valid_from=date(2026, 1, 1))
    assert _set(story.manager, figure="closing", restore="1").status_code == 302
    assert target_of([story.clinic], "closing", date(2026, 11, 10)) == Decimal(80)
    assert target_of([story.clinic], "closing", date(2026, 11, 9)) == Decimal(70)


def test_targets_are_for_those_who_set_them(story):
    page(story.one, "/kpis/targets/", 403)
    assert _set(story.one, figure="closing", restore="1").status_code == 403
