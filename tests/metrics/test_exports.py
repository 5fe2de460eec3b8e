"""What leaves the house: exactly what the address asks for, logged, with a reason where patients are named."""

import csv
import io

import pytest
import time_machine
from openpyxl import load_workbook

from accounts.models import AuditEvent
from accounts.permissions import Role
from metrics.kpis import KPIS
from metrics.record_keys import keys_of
from metrics.reports import gather
from metrics.scope import Scope
from metrics.services.snapshots import window_of
from tests.factories import ClinicFactory, MembershipFactory, PhoneFactory, UserFactory
from tests.guards.routes import signed_in
from tests.metrics.story import AFTER, MONTH, Story

pytestmark = pytest.mark.django_db
OCTOBER = "window=month&day=2026-10-01"


@pytest.fixture
def story():
    with time_machine.travel(AFTER, tick=False):
        yield Story()


def export(user, query=OCTOBER, **data):
    facts = {"what": "figures", "format": "csv", "by": ""} | data
    return signed_in(user).post(f"/kpis/export/?{query}", facts)


def read_csv(response) -> list[dict[str, str]]:
    text = b"".join(response.streaming_content).decode()
    assert text.startswith("\ufeff")
    return list(csv.DictReader(io.StringIO(text.removeprefix("\ufeff"))))


def columns(response) -> list[list[str]]:
    text = b"".join(response.streaming_content).decode().removeprefix("\ufeff")
    return list(csv.reader(io.StringIO(text)))


def test_figures_need_no_reason_and_are_logged(story):
    response = export(story.manager)
    assert response.status_code == 200
    rows = columns(response)
    assert [row[0] for row in rows[1:]] == [s for kpi in KPIS for s in (kpi.slug, *(c.slug for c in kpi.companions))]
    event = AuditEvent.objects.get(action="kpis_exported")
    assert (event.actor, event.clinic, event.detail["what"]) == (story.manager, story.clinic, "figures")
    assert (event.detail["from"], event.detail["to"]) == ("2026-10-01", "2026-10-31")


@pytest.mark.parametrize("shape", ["pdf", "xlsx", "csv"])
def test_every_file_has_a_name_that_browsers_can_read(story, shape):
    header = export(story.manager, format=shape)["Content-Disposition"]
    assert header.startswith("attachment; filename*=utf-8''")  # not wrapped as in mail, which no browser reads
    assert header.endswith(f"-20261001-20261031.{shape}")


def test_the_workbook_holds_numbers_as_numbers(story):
    response = export(story.manager, format="xlsx", by="coordinator")
    book = load_workbook(io.BytesIO(b"".join(response.streaming_content)))
    rows = list(book.active.iter_rows(values_only=True))
    closing = next(row for row in rows if row[0] == "closing" and not row[1])
    assert closing[4:7] == (50, 2, 4)
    assert {row[1] for row in rows[1:] if row[1]} >= {str(story.one.pk), str(story.two.pk)}


def test_no_cell_becomes_a_formula(story):
    type(story.one).objects.filter(pk=story.one.pk).update(full_name='=HYPERLINK("x")')
    patient = story.visits[0].patient
    type(patient).objects.filter(pk=patient.pk).update(name="@SUM(1)")
    figures = columns(export(story.manager, by="coordinator"))
    records = columns(export(story.manager, what="records", reason="复盘"))
    cells = [cell for row in figures + records for cell in row]
    assert '\'=HYPERLINK("x")' in cells
    assert "'@SUM(1)" in cells
    assert not [cell for cell in cells if cell.startswith(("=", "@", "+"))]


def test_records_need_a_reason_which_is_logged(story):
    refused = export(story.manager, what="records")
    assert refused.status_code == 422
    assert not AuditEvent.objects.filter(action="kpis_exported").exists()
    response = export(story.manager, what="records", kpi="form", reason="月度复盘")
    rows = columns(response)[1:]
    assert len([row for row in rows if row[0] == "form"]) == len(rows) == len(story.visits)
    detail = AuditEvent.objects.get(action="kpis_exported").detail
    assert (detail["reason"], detail["count"], detail["kpi"]) == ("月度复盘", len(rows), "form")


def test_the_records_are_those_behind_every_figure(story):
    rows = columns(export(story.manager, what="records", reason="月度复盘"))[1:]
    scope, window = Scope((story.clinic,)), window_of(MONTH)
    for kpi in KPIS:
        mine = [row for row in rows if row[0] == kpi.slug]
        parts = list(dict.fromkeys(row[2] for row in mine))
        for part, words in zip(("counted", "failing"), ("计入", "未计入"), strict=True):
            keys = keys_of(kpi, scope, window, part)
            assert sorted(row[3] for row in mine if row[2] == words) == sorted(keys), (kpi.slug, part, parts)


def test_phones_are_never_among_them(story):
    for place, visit in enumerate(story.visits):
        PhoneFactory(patient=visit.patient, number=f"1990000173{place}")
    text = "".join(",".join(row) for row in columns(export(story.manager, what="records", reason="月度复盘")))
    assert str(story.visits[0].patient) in text
    assert "1990000173" not in text
    assert "199****" not in text


def test_records_do_not_come_on_paper(story):
    assert export(story.manager, what="records", format="pdf", reason="月度复盘").status_code == 422


def test_the_report_is_a_pdf_with_charts_drawn_as_lines(story):
    response = export(story.manager, format="pdf", by="coordinator")
    content = response.content
    assert response["Content-Type"] == "application/pdf"
    assert content.startswith(b"%PDF-")
    assert b"/Subtype /Image" not in content  # vectors, no pictures
    assert b"STSong-Light" in content


def test_a_report_of_nothing_is_printed_all_the_same():
    manager = UserFactory(role=Role.MANAGER)
    assert export(manager, format="pdf", by="team").content.startswith(b"%PDF-")


def test_the_page_asks_and_says_of_what(story):
    page = signed_in(story.manager).get(f"/kpis/export/?{OCTOBER}").content.decode()
    assert "2026-10-01" in page
    assert f'action="/kpis/export/?{OCTOBER.replace("&", "&amp;")}"' in page


def test_who_may_not_see_figures_of_all_gets_no_file(story):
    assert export(story.one).status_code == 403
    assert signed_in(story.one).get("/kpis/export/").status_code == 403


def test_a_manager_here_who_is_a_coordinator_there_exports_nothing_from_there(story):
    there = ClinicFactory()
    MembershipFactory(user=story.manager, clinic=there, role=Role.COORDINATOR)
    assert export(story.manager, f"clinic={there.pk}").status_code == 403
    assert export(story.manager, f"clinic={there.pk}&clinic={story.clinic.pk}").status_code == 403
    assert export(story.manager, f"clinic={ClinicFactory().pk}").status_code == 404


def test_every_clinic_whose_figures_left_has_it_in_its_log(story):
    there = ClinicFactory()
    MembershipFactory(user=story.manager, clinic=there, role=Role.MANAGER)
    export(story.manager, f"clinic=all&{OCTOBER}")
    assert {event.clinic for event in AuditEvent.objects.filter(action="kpis_exported")} == {story.clinic, there}


@pytest.mark.parametrize("query", ["window=free&from=2026-10-02&to=2026-10-01", "window=eon", "tc=x", "as_of=never"])
def test_what_makes_no_sense_is_refused_in_words(story, query):
    assert export(story.manager, query).status_code == 400


def test_the_figures_of_a_report_are_those_that_are_counted(story):
    report = gather(Scope((story.clinic,)), window_of(MONTH), by="coordinator")
    names = {group.id: group.name for group in report.groups}
    assert names[story.one.pk] == str(story.one)
    assert [figure.of.slug for figure in report.whole] == [kpi.slug for kpi in KPIS]
