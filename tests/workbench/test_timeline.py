"""The timeline of the patient page: every kind in one order, by permission, and as quick with 2,000 events as with 10."""

from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from accounts.audit import record
from accounts.permissions import Role
from clinic_crm.workbench.merging import merge_patients
from clinic_crm.workbench.timeline import PAGE, counts, read
from clinic_crm.workbench.timeline_items import MARKS, TELL, items_of
from clinic_crm.workbench.timeline_kinds import BRANCHES, Reader
from consultations.models import StageChange, Visit
from followups.models import Contact
from patients.models import CareAction, ClassChange, ComplaintCase
from tests.factories import (
    AppointmentFactory,
    ClinicFactory,
    ConsentFactory,
    PatientFactory,
    ReferralFactory,
    UserFactory,
    VisitFactory,
)

pytestmark = pytest.mark.django_db


@pytest.fixture
def clinic():
    return ClinicFactory()


@pytest.fixture
def manager(clinic):
    return UserFactory(clinic=clinic, role=Role.MANAGER)


@pytest.fixture
def patient(clinic):
    return PatientFactory(clinic=clinic)


def reader(user, patient, clinic) -> Reader:
    return Reader.of(user, patient.pk, clinic.pk)


def fill(clinic, patient, count: int) -> None:
    """Add so many events of several kinds, a minute apart."""
    now, quarter = timezone.now(), count // 4
    times = [now - timedelta(minutes=n) for n in range(count)]
    facts = {"clinic": clinic, "patient": patient}
    ClassChange.objects.bulk_create(ClassChange(new_class="C-E", at=at, **facts) for at in times[:quarter])
    Contact.objects.bulk_create(
        Contact(channel="phone", outcome="reached", at=at, **facts) for at in times[quarter : 2 * quarter]
    )
    CareAction.objects.bulk_create(CareAction(kind="tbi", at=at, **facts) for at in times[2 * quarter : 3 * quarter])
    visit = VisitFactory(**facts, stage="closed", arrived_at=now)
    StageChange.objects.bulk_create(
        StageChange(visit=visit, old_stage="intake", new_stage="complaint", at=at) for at in times[:quarter]
    )
    for at in times[3 * quarter :][:20]:
        ConsentFactory(at=at, **facts)
    Contact.objects.bulk_create(
        Contact(channel="wechat", outcome="sent", at=at, **facts) for at in times[3 * quarter + 20 :]
    )


def test_every_kind_has_words_and_an_icon():
    assert set(BRANCHES) == set(TELL) == set(MARKS)


def test_complaints_care_merges_and_openings_are_told(clinic, manager, patient):
    now = timezone.now()
    ComplaintCase.objects.create(
        clinic=clinic, patient=patient, number="T1", category="waiting", source="visit", what="等了很久", due_at=now
    )
    CareAction.objects.create(clinic=clinic, patient=patient, kind="tbi", by=manager)
    other = PatientFactory(clinic=clinic, name="沈雨微")
    record(action="contact_revealed", clinic=clinic, by=manager, subject=other, what="phone")
    merge_patients(winner=patient, loser=other, clinic=clinic, by=manager)
    found = read(reader(manager, patient, clinic)).events
    told = {item.kind: item for item in items_of(found, subject=patient.pk, tz=clinic.tz)}
    assert "T1" in told["complaint"].title
    assert "沈雨微" in told["merge"].title
    assert told["reveal"].by == str(manager)
    assert told["care"].by == str(manager)


def walk(visit: Visit, manager, *stages: str) -> None:
    """Take a visit through stages, a minute apart."""
    old, start = "", timezone.now() - timedelta(minutes=len(stages))
    for n, new in enumerate(stages):
        StageChange.objects.create(
            visit=visit, old_stage=old, new_stage=new, by=manager, at=start + timedelta(minutes=n)
        )
        old = new


def test_stages_of_visits_are_a_kind_of_their_own(clinic, manager, patient):
    visit = VisitFactory(clinic=clinic, patient=patient, stage="intake")
    walk(visit, manager, "arrived", "received", "intake")
    mine = reader(manager, patient, clinic)
    assert counts(mine)["stage"] == 2  # that somebody arrived is told by the visit
    found = read(mine, kind="stage").events
    assert [event.data["new"] for event in found] == ["intake", "received"]
    Visit.objects.filter(pk=visit.pk).update(is_error=True)
    assert "stage" not in counts(mine)


def test_stages_that_follow_each_other_stand_in_one_line_until_something_is_said(clinic, manager, patient):
    visit = VisitFactory(
        clinic=clinic, patient=patient, stage="consulting", arrived_at=timezone.now() - timedelta(days=1)
    )
    walk(visit, manager, "arrived", "received", "intake", "complaint")
    StageChange.objects.create(visit=visit, old_stage="complaint", new_stage="intake", by=manager, reason="填错了")
    found = read(reader(manager, patient, clinic), kind="stage").events
    lines = items_of(found, subject=patient.pk, tz=clinic.tz)
    assert [(line.title.count("→"), line.text) for line in lines] == [(0, "填错了"), (2, "")]
    assert lines[1].url.endswith(f"/{visit.pk}/")


def test_pages_of_stages_hold_each_once(clinic, manager, patient):
    visit = VisitFactory(clinic=clinic, patient=patient, stage="closed")
    for _round in range(3):
        walk(visit, manager, *["received", "intake"] * 10)
    mine, seen, cursor = reader(manager, patient, clinic), [], ""
    while True:
        page = read(mine, kind="stage", cursor=cursor)
        seen += [event.pk for event in page.events]
        if not (cursor := page.more):
            break
    assert len(seen) == len(set(seen)) == counts(mine)["stage"] == 57


def test_who_opened_contacts_is_for_those_who_read_the_audit_log(clinic, manager, patient):
    record(action="contact_revealed", clinic=clinic, by=manager, subject=patient, what="phone")
    coordinator = UserFactory(clinic=clinic)
    assert "reveal" in counts(reader(manager, patient, clinic))
    assert "reveal" not in counts(reader(coordinator, patient, clinic))
    nurse = UserFactory(clinic=clinic, role=Role.DOCTOR)
    assert not {"complaint", "care", "merge"} & set(reader(nurse, patient, clinic).kinds)


def test_pages_hold_every_event_once_in_order(clinic, manager, patient):
    fill(clinic, patient, 200)
    VisitFactory(clinic=clinic, patient=patient, stage="closed")
    AppointmentFactory(clinic=clinic, patient=patient)
    ReferralFactory(clinic=clinic, referrer=patient)
    mine, seen, cursor = reader(manager, patient, clinic), [], ""
    while True:
        page = read(mine, cursor=cursor)
        seen += page.events
        if not (cursor := page.more):
            break
    assert len(seen) == sum(counts(mine).values()) > 200
    assert len({(event.kind, event.pk) for event in seen}) == len(seen)
    order = [(event.at, event.kind, event.pk) for event in seen]
    assert order == sorted(order, reverse=True)


def test_one_kind_alone_is_paged_too(clinic, manager, patient):
    fill(clinic, patient, 400)
    page = read(reader(manager, patient, clinic), kind="class")
    assert len(page.events) == PAGE
    assert page.more
    assert {event.kind for event in page.events} == {"class"}


def test_a_page_is_one_statement_with_ten_events_and_with_two_thousand(clinic, manager, patient):
    def statements() -> int:
        with CaptureQueriesContext(connection) as asked:
            page = read(mine)
            counts(mine)
        assert page.events
        return len(asked)

    mine = reader(manager, patient, clinic)
    fill(clinic, patient, 10)
    few = statements()
    fill(clinic, patient, 1990)
    assert statements() == few == 2


def test_of_no_kind_more_is_read_than_a_page_can_show(clinic, manager, patient, settings):
    """Each kind is cut by itself, before all are put in one order. Behind a pooler the statement is sent in full."""
    settings.PGBOUNCER = True
    fill(clinic, patient, 200)
    mine = reader(manager, patient, clinic)
    with CaptureQueriesContext(connection) as asked:
        read(mine)
    [query] = asked.captured_queries
    assert query["sql"].count(f"LIMIT {PAGE + 1}") == len(mine.kinds) + 1


def test_what_is_prepared_in_a_connection_tells_the_same_as_the_statement_in_full(
    clinic, manager, patient, settings, monkeypatch
):
    monkeypatch.setattr("accounts.prepared.MOST", 10**6)  # this connection may have had its fill
    fill(clinic, patient, 30)
    mine = reader(manager, patient, clinic)
    with CaptureQueriesContext(connection) as asked:
        prepared = read(mine), counts(mine)
    assert [query["sql"].split()[0] for query in asked.captured_queries] == ["EXECUTE"] * 2
    settings.PGBOUNCER = True
    assert (read(mine), counts(mine)) == prepared
