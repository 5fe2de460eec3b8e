"""The patient page: what it says first, its timeline, its tabs by role, its cost."""

from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from accounts.models import Clinic, User
from accounts.permissions import Role
from clinic_crm.workbench.timeline import PAGE, read
from clinic_crm.workbench.timeline_kinds import Reader
from consultations.models import Exam, ExamFile, ExamKind, Plan, Visit
from consultations.stages import Stage
from followups.models import Appointment, AppointmentChange
from followups.services.classes import set_class
from followups.services.complaints import NewComplaint, take
from patients.models import ClassChange, Patient, Registration
from patients.services import record_consent
from patients.services.word_of_mouth import answer, ask
from tests.factories import (
    AppointmentFactory,
    ClassChangeFactory,
    ClinicFactory,
    ConsentFactory,
    PatientFactory,
    ReferralFactory,
    UserFactory,
    VisitFactory,
)

pytestmark = pytest.mark.django_db
HTMX = {"HX-Request": "true"}


@pytest.fixture
def clinic() -> Clinic:
    return ClinicFactory(code="QH")


@pytest.fixture
def people(clinic: Clinic) -> dict[str, User]:
    return {role: UserFactory(clinic=clinic, role=role) for role in Role.values}


@pytest.fixture
def patient(clinic: Clinic) -> Patient:
    found: Patient = PatientFactory(name="沈雨薇", clinic=clinic, class_code="C-C", awareness=2, trust=3)
    return found


def page(client: Client, user: User, patient: Patient, query: str = "") -> Any:
    client.force_login(user)
    response = client.get(f"{reverse('patient', args=[patient.pk])}?{query}")
    assert response.status_code == 200
    return response


def ended_visit(clinic: Clinic, patient: Patient, people: dict[str, User], at: datetime) -> Visit:
    """A visit with everything that shows on the timeline: exam with pictures, plan, decision."""
    tc, doctor = people[Role.COORDINATOR], people[Role.DOCTOR]
    facts = {"stage": Stage.CLOSED, "coordinator": tc, "doctor": doctor, "received_at": at, "left_at": at}
    money = {"decision": "undecided", "decided_at": at, "decision_amount": Decimal(16800), "obstacle": "怕疼"}
    visit = VisitFactory(clinic=clinic, patient=patient, arrived_at=at, **facts, **money)
    kind, _made = ExamKind.objects.get_or_create(clinic=clinic, code="pano", defaults={"name": "全景片"})
    exam = Exam.objects.create(visit=visit, kind=kind, ordered_by=tc, done_at=at, done_by=tc, fee=Decimal(50))
    for number in range(6):
        file = ExamFile(exam=exam, sha256=f"{visit.pk}-{number}", uploaded_by=tc, width=1, height=1)
        ExamFile.objects.bulk_create([file])
    Plan.objects.create(visit=visit, made_by=doctor, title="左下种植", finished_at=at)
    return visit


def test_the_page_says_who_in_one_line(client: Client, people: dict[str, User], patient: Patient) -> None:
    html = page(client, people[Role.COORDINATOR], patient).content.decode()
    for words in ("沈雨薇", "C-C", Registration.objects.get(patient=patient).number):
        assert words in html


@pytest.mark.parametrize(
    ("role", "stage", "url_name"),
    [
        (Role.COORDINATOR, Stage.ARRIVED, "visit_receive"),
        (Role.COORDINATOR, Stage.HANDOFF, "visit"),
        (Role.DOCTOR, Stage.DOCTOR, "visit"),
        (Role.COORDINATOR, None, "appointment_new"),
        (Role.FRONT_DESK, None, "appointment_new"),
    ],
)
def test_the_primary_button_is_the_next_thing(
    client: Client, clinic: Clinic, people: dict[str, User], patient: Patient, role: str, stage: Any, url_name: str
) -> None:
    if stage:
        VisitFactory(clinic=clinic, patient=patient, stage=stage, stage_since=timezone.now())
    assert page(client, people[role], patient).context["thing"].url_name == url_name


def test_somebody_expected_today_is_checked_in_by_one_tap(
    client: Client, clinic: Clinic, people: dict[str, User], patient: Patient
) -> None:
    start = clinic.day_bounds(clinic.today())[0] + timedelta(hours=23)
    row = AppointmentFactory(clinic=clinic, patient=patient, starts_at=start, ends_at=start + timedelta(minutes=30))
    thing = page(client, people[Role.FRONT_DESK], patient).context["thing"]
    assert (thing.url_name, thing.pk, thing.post) == ("appointment_check_in", row.pk, True)


def test_a_doctor_has_nothing_to_do_with_somebody_who_is_not_here(
    client: Client, people: dict[str, User], patient: Patient
) -> None:
    assert page(client, people[Role.DOCTOR], patient).context["thing"] is None


def test_an_open_complaint_is_known_to_whoever_calls(
    client: Client, clinic: Clinic, people: dict[str, User], patient: Patient
) -> None:
    case = take(
        clinic=clinic,
        details=NewComplaint(category="waiting", what="等了一个小时", source="phone"),
        patient=patient,
        by=people["coordinator"],
    )
    client.force_login(people["coordinator"])
    assert f"待处理投诉 {case.number}" in client.get(f"/patients/{patient.pk}/").content.decode()
    client.force_login(people["doctor"])  # sees only what is about them
    assert case.number not in client.get(f"/patients/{patient.pk}/").content.decode()


def test_word_of_mouth_says_what_became_of_it_and_lets_one_ask_again(
    client: Client, clinic: Clinic, people: dict[str, User], patient: Patient
) -> None:
    tc, link = people[Role.COORDINATOR], reverse("patient_word_of_mouth", args=[patient.pk])
    empty = page(client, tc, patient).content.decode()
    assert "还没有提过。" in empty
    rows = [ask(clinic=clinic, patient=patient, platform=p, by=tc) for p in ("moments", "friends", "dianping")]
    answer(row=rows[0], state="done", by=tc)
    answer(row=rows[1], state="declined", by=tc)
    facts = page(client, tc, patient).context["facts"]
    assert [one["state"] for one in facts.asked] == ["asked", "declined", "done"]
    assert page(client, tc, patient).content.decode().count(link) >= 4  # the menu's and the card's, each with htmx
    assert page(client, people[Role.DOCTOR], patient).content.decode().count(link) == 0


def test_everything_that_happened_stands_on_the_timeline(
    client: Client, clinic: Clinic, people: dict[str, User], patient: Patient
) -> None:
    tc = people[Role.COORDINATOR]
    ended_visit(clinic, patient, people, timezone.now() - timedelta(days=20))
    row = AppointmentFactory(clinic=clinic, patient=patient, created_by=tc)
    AppointmentChange.objects.create(appointment=row, new_status=Appointment.Status.CONFIRMED, by=tc)
    ClassChangeFactory(clinic=clinic, patient=patient, new_class="C-C", awareness=2, suggested="C-C", by=tc)
    ReferralFactory(clinic=clinic, referrer=PatientFactory(name="周岚", clinic=clinic), referred=patient)
    ConsentFactory(clinic=clinic, patient=patient)
    response = page(client, tc, patient)
    kinds = {item.kind for item in response.context["items"]}
    assert kinds == {
        "visit", "decision", "image", "plan", "booking", "appointment", "class", "referral", "consent", "record",
    }  # fmt: skip
    counts = {chip["value"]: chip["count"] for chip in response.context["chips"]}
    assert counts == {
        "visit": 1, "appointment": 2, "class": 1, "decision": 1, "plan": 1, "image": 1, "referral": 1, "consent": 1,
    }  # fmt: skip
    html = response.content.decode()
    assert "¥16,800" in html
    assert html.count('class="thumb"') == 4
    assert "+2" in html


def test_a_chip_narrows_the_timeline(client: Client, clinic: Clinic, people: dict[str, User], patient: Patient) -> None:
    ended_visit(clinic, patient, people, timezone.now())
    response = page(client, people[Role.COORDINATOR], patient, "kind=decision")
    assert [item.kind for item in response.context["items"]] == ["decision"]
    assert page(client, people[Role.COORDINATOR], patient, "kind=nonsense").context["kind"] == ""


def test_the_timeline_goes_on_without_gaps_or_repeats(
    client: Client, clinic: Clinic, people: dict[str, User], patient: Patient
) -> None:
    at = timezone.now()
    for number in range(2 * PAGE + 3):
        ClassChangeFactory(clinic=clinic, patient=patient, at=at - timedelta(hours=number // 3))
        ConsentFactory(clinic=clinic, patient=patient, at=at - timedelta(hours=number // 3))
    reader = Reader.of(people[Role.COORDINATOR], patient.pk, clinic.pk)
    seen, cursor = [], ""
    while True:
        found = read(reader, cursor=cursor)
        seen += [(event.kind, event.pk) for event in found.events]
        cursor = found.more
        if not cursor:
            break
    assert len(seen) == len(set(seen)) == 2 * (2 * PAGE + 3) + 1
    client.force_login(people[Role.COORDINATOR])
    first = read(reader)
    url = reverse("patient_timeline", args=[patient.pk])
    html = client.get(url, {"after": first.more}, headers=HTMX).content.decode()
    assert html.count('class="tl') >= PAGE // 2
    assert "<html" not in html


def test_a_cursor_of_another_patient_is_as_none(clinic: Clinic, people: dict[str, User], patient: Patient) -> None:
    other = PatientFactory(clinic=clinic)
    for _ in range(PAGE + 2):
        ClassChangeFactory(clinic=clinic, patient=other)
        ClassChangeFactory(clinic=clinic, patient=patient)
    tc = people[Role.COORDINATOR]
    cursor = read(Reader.of(tc, other.pk, clinic.pk)).more
    reader = Reader.of(tc, patient.pk, clinic.pk)
    assert read(reader, cursor=cursor) == read(reader)


@pytest.mark.parametrize(
    ("role", "tabs"),
    [
        (Role.COORDINATOR, ["timeline", "visits", "plans", "images", "fees", "profile"]),
        (Role.DOCTOR, ["timeline", "visits", "plans", "images", "profile"]),
        (Role.NURSE, ["timeline", "visits", "images", "profile"]),
        (Role.FRONT_DESK, ["timeline", "visits", "profile"]),
    ],
)
def test_each_role_has_the_tabs_it_needs_and_no_money_it_must_not_see(
    client: Client, clinic: Clinic, people: dict[str, User], patient: Patient, role: str, tabs: list[str]
) -> None:
    ended_visit(clinic, patient, people, timezone.now())
    response = page(client, people[role], patient)
    assert [tab["value"] for tab in response.context["tabs"]] == tabs
    for tab in ("timeline", "visits", "plans", "images", "forms", "fees", "profile"):
        html = page(client, people[role], patient, f"tab={tab}").content.decode()
        assert ("16,800" in html) <= (role == Role.COORDINATOR)


def test_what_another_clinic_did_is_not_on_the_timeline(
    client: Client, clinic: Clinic, people: dict[str, User], patient: Patient
) -> None:
    other = ClinicFactory()
    Registration.objects.create(patient=patient, clinic=other, number="X2604-0001")
    ClassChangeFactory(clinic=other, patient=patient, reason="别家门诊写的")
    assert "别家门诊写的" not in page(client, people[Role.COORDINATOR], patient).content.decode()


def test_money_of_a_clinic_where_one_may_not_see_it_stays_hidden(
    client: Client, clinic: Clinic, people: dict[str, User], patient: Patient
) -> None:
    other, tc = ClinicFactory(), people[Role.COORDINATOR]
    tc.memberships.create(clinic=other, role=Role.NURSE)
    Registration.objects.create(patient=patient, clinic=other, number="X2604-0001")
    there = {role: UserFactory(clinic=other, role=role) for role in (Role.COORDINATOR, Role.DOCTOR)}
    ended_visit(other, patient, there, timezone.now())
    for tab in ("timeline", "visits", "fees"):
        assert "16,800" not in page(client, tc, patient, f"tab={tab}").content.decode()


def _statements(client: Client, patient: Patient, query: str = "") -> int:
    url = f"{reverse('patient', args=[patient.pk])}?{query}"
    client.get(url)
    with CaptureQueriesContext(connection) as captured:
        client.get(url)
    return len(captured)


def test_the_page_takes_at_most_15_statements_however_much_happened(
    client: Client, clinic: Clinic, people: dict[str, User], patient: Patient
) -> None:
    client.force_login(people[Role.COORDINATOR])
    Registration.objects.filter(patient=patient).update(doctor=people[Role.DOCTOR])
    VisitFactory(clinic=clinic, patient=patient, stage=Stage.HANDOFF, coordinator=people[Role.COORDINATOR])
    ended_visit(clinic, patient, people, timezone.now() - timedelta(days=1))
    few = _statements(client, patient)
    for days in range(2, 12):
        ended_visit(clinic, patient, people, timezone.now() - timedelta(days=days))
        record_consent(patient=patient, clinic=clinic, purpose="care", given=True, by=people[Role.COORDINATOR])
        ReferralFactory(clinic=clinic, referrer=patient, referred=PatientFactory(clinic=clinic))
        ask(clinic=clinic, patient=patient, platform="moments", by=people[Role.COORDINATOR])
    assert _statements(client, patient) == few <= 15


@pytest.mark.parametrize("tab", ["visits", "plans", "images", "fees", "profile"])
def test_each_tab_takes_the_same_statements_for_more_rows(
    client: Client, clinic: Clinic, people: dict[str, User], patient: Patient, tab: str
) -> None:
    client.force_login(people[Role.COORDINATOR])
    ended_visit(clinic, patient, people, timezone.now())
    few = _statements(client, patient, f"tab={tab}")
    for days in range(1, 8):
        ended_visit(clinic, patient, people, timezone.now() - timedelta(days=days))
    assert _statements(client, patient, f"tab={tab}") == few <= 16


# --- classifying -------------------------------------------------------------------------------


def test_classifying_differently_from_the_suggestion_needs_a_reason(
    client: Client, clinic: Clinic, people: dict[str, User], patient: Patient
) -> None:
    client.force_login(people[Role.COORDINATOR])
    url = reverse("patient_classify", args=[patient.pk])
    data = {"class_code": "C-A", "awareness": "4", "trust": "5"}
    assert client.post(url, data).status_code == 422
    assert client.post(url, data | {"reason": "介绍了三位同事"}).status_code == 302
    change = ClassChange.objects.get()
    assert (change.old_class, change.new_class, change.suggested) == ("C-C", "C-A", "C-E")


def test_the_suggestion_follows_the_awareness(
    client: Client, clinic: Clinic, people: dict[str, User], patient: Patient
) -> None:
    visit = VisitFactory(clinic=clinic, patient=patient)
    visit.consultation.complaint = "implant"
    visit.consultation.save()
    client.force_login(people[Role.COORDINATOR])
    url = reverse("patient_classify", args=[patient.pk])
    assert "C-C" in client.get(url, {"awareness": "2"}, headers=HTMX).content.decode()
    assert "C-E" in client.get(url, {"awareness": "3"}, headers=HTMX).content.decode()


def test_classifying_while_leaving_counts_for_the_visit(
    client: Client, clinic: Clinic, people: dict[str, User], patient: Patient
) -> None:
    visit = VisitFactory(clinic=clinic, patient=patient, stage=Stage.LEAVING)
    client.force_login(people[Role.COORDINATOR])
    data = {"class_code": "C-E", "awareness": "3", "trust": "3"}
    client.post(reverse("patient_classify", args=[patient.pk]), data)
    visit.refresh_from_db()
    assert visit.classification == ClassChange.objects.get()


def test_who_classifies_after_a_colleague_is_told_before_it_is_overwritten(
    client: Client, clinic: Clinic, people: dict[str, User], patient: Patient
) -> None:
    client.force_login(people[Role.COORDINATOR])
    url = reverse("patient_classify", args=[patient.pk])
    seen = client.get(url).context["seen"]
    colleague = UserFactory(clinic=clinic, full_name="罗倩")
    set_class(patient=patient, clinic=clinic, code="C-B", awareness=4, trust=4, by=colleague)
    data = {"class_code": "C-E", "awareness": "3", "trust": "3", "seen": seen}
    told = client.post(url, data)
    assert told.status_code == 409
    assert "罗倩" in told.content.decode()
    assert ClassChange.objects.count() == 1
    assert client.post(url, data | {"seen": told.context["seen"]}).status_code == 302
    assert client.post(url, data | {"seen": seen}).status_code == 302  # one's own entry sent twice


def test_front_desk_does_not_classify(client: Client, people: dict[str, User], patient: Patient) -> None:
    client.force_login(people[Role.FRONT_DESK])
    assert client.get(reverse("patient_classify", args=[patient.pk])).status_code == 403
