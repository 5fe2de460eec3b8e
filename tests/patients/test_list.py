"""The patient list: filters in the address, keyset paging, columns, cost; and its export."""

import csv
import io
from datetime import date, timedelta
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from openpyxl import load_workbook

from accounts.models import AuditEvent, Clinic, User
from accounts.permissions import Role
from patients.export import harmless
from patients.models import Patient, Registration
from patients.paging import SORTS, page_of
from tests.factories import AppointmentFactory, ClinicFactory, PatientFactory, PhoneFactory, UserFactory

pytestmark = pytest.mark.django_db
URL = "/patients/"


@pytest.fixture
def clinic() -> Clinic:
    return ClinicFactory(code="QH")


@pytest.fixture
def tc(clinic: Clinic) -> User:
    return UserFactory(clinic=clinic, role=Role.COORDINATOR, full_name="曹素铭")


@pytest.fixture
def signed_in(client: Client, tc: User) -> Client:
    client.force_login(tc)
    return client


def listed(client: Client, query: str = "") -> list[str]:
    response = client.get(f"{URL}?{query}")
    assert response.status_code == 200
    return [row.patient.name for row in response.context["page"].rows]


def test_only_this_clinics_people_are_listed(signed_in: Client, clinic: Clinic) -> None:
    PatientFactory(name="沈雨薇", clinic=clinic)
    PatientFactory(name="周岚", clinic=ClinicFactory())
    assert listed(signed_in) == ["沈雨薇"]


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("klass=C-C", {"甲"}),
        ("klass=C-C&klass=C-A", {"甲", "乙"}),
        ("klass=none", {"丙"}),
        ("owner=me", {"甲"}),
        ("owner=none", {"丙"}),
        ("channel=dianping", {"乙"}),
        ("tag=怕疼", {"乙"}),
        ("no_next=1", {"乙", "丙"}),
        ("away=90", {"乙"}),
        ("last_from=2020-01-01&last_to=2020-12-31", {"乙"}),
        ("owner=me&klass=C-A", set()),
        ("klass=nonsense&owner=999999&away=x&last_from=yesterday", {"甲", "乙", "丙"}),
    ],
)
def test_filters_in_the_address_narrow_the_list_together(
    signed_in: Client, clinic: Clinic, tc: User, query: str, found: set[str]
) -> None:
    other = UserFactory(clinic=clinic)
    first = PatientFactory(name="甲", clinic=clinic, class_code="C-C", reg_owner=tc, reg_last_visit_on=clinic.today())
    AppointmentFactory(clinic=clinic, patient=first)
    PatientFactory(
        name="乙",
        clinic=clinic,
        class_code="C-A",
        reg_owner=other,
        reg_channel="dianping",
        reg_tags=["怕疼", "医保"],
        reg_last_visit_on=date(2020, 5, 1),
    )
    PatientFactory(name="丙", clinic=clinic)
    assert set(listed(signed_in, query)) == found


def test_each_set_filter_is_a_chip_whose_removal_keeps_the_rest(signed_in: Client, clinic: Clinic) -> None:
    response = signed_in.get(f"{URL}?klass=C-C&klass=C-A&no_next=1&sort=visit")
    removes = [chip.remove for chip in response.context["chips"]]
    assert removes == [
        f"{URL}?klass=C-A&no_next=1&sort=visit",
        f"{URL}?klass=C-C&no_next=1&sort=visit",
        f"{URL}?klass=C-C&klass=C-A&sort=visit",
    ]


def test_a_cancelled_appointment_is_no_next_appointment(signed_in: Client, clinic: Clinic) -> None:
    patient = PatientFactory(clinic=clinic)
    AppointmentFactory(clinic=clinic, patient=patient, status="cancelled_patient", holds_slot=False)
    assert listed(signed_in, "no_next=1") == [patient.name]


@pytest.mark.parametrize("sort", sorted(SORTS))
def test_paging_shows_everybody_once_both_ways_with_ties_and_gaps(clinic: Clinic, sort: str) -> None:
    days = [None, date(2026, 1, 1), date(2026, 1, 1), date(2026, 3, 5), None, date(2026, 2, 2), date(2026, 1, 1)]
    for day in days:
        PatientFactory(clinic=clinic, reg_last_visit_on=day, reg_last_contact_on=day)
    rows = Registration.objects.for_clinic(clinic)
    seen: list[int] = []
    page = page_of(rows, sort=sort, size=2)
    starts = [[row.pk for row in page.rows]]
    while page.after:
        page = page_of(rows, sort=sort, after=page.after, size=2)
        starts.append([row.pk for row in page.rows])
    seen = [pk for part in starts for pk in part]
    assert sorted(seen) == sorted(rows.values_list("pk", flat=True))
    for expected in reversed(starts[:-1]):
        page = page_of(rows, sort=sort, before=page.before, size=2)
        assert [row.pk for row in page.rows] == expected
    assert page.before == ""


def test_a_made_up_cursor_shows_the_first_page(signed_in: Client, clinic: Clinic) -> None:
    PatientFactory(name="沈雨薇", clinic=clinic)
    assert listed(signed_in, "after=WzEsMl0:forged:sig&sort=number") == ["沈雨薇"]
    assert listed(signed_in, "before=x") == ["沈雨薇"]


def test_a_cursor_of_one_sort_is_not_taken_for_another(clinic: Clinic) -> None:
    for _ in range(3):
        PatientFactory(clinic=clinic)
    rows = Registration.objects.for_clinic(clinic)
    cursor = page_of(rows, sort="number", size=1).after
    assert len(page_of(rows, sort="-active", after=cursor, size=5).rows) == 3


def _statements(client: Client, query: str = "") -> int:
    client.get(URL)
    with CaptureQueriesContext(connection) as captured:
        client.get(f"{URL}?{query}")
    return len(captured)


def test_the_list_takes_the_same_few_statements_at_60_and_200_rows(signed_in: Client, clinic: Clinic, tc: User) -> None:
    def add(count: int) -> None:
        for _ in range(count):
            patient = PatientFactory(clinic=clinic, reg_owner=tc, reg_tags=["怕疼"])
            PhoneFactory(patient=patient)
        AppointmentFactory(clinic=clinic, patient=patient, doctor=None)

    add(10)
    few = _statements(signed_in)
    add(50)
    more = _statements(signed_in)
    add(140)
    assert _statements(signed_in) == more <= 12
    assert more == few + 1  # what does not fit on one page is counted


def test_columns_are_chosen_by_the_address_and_remembered(signed_in: Client, clinic: Clinic) -> None:
    PatientFactory(clinic=clinic)
    assert signed_in.get(f"{URL}?cols=class,number").context["columns"] == ["class", "number"]
    assert len(signed_in.get(URL).context["columns"]) == 9
    response = signed_in.post(f"{reverse('patient_columns')}?klass=C-C", {"column": ["visit", "class", "evil"]})
    assert response["Location"] == f"{URL}?klass=C-C&cols=class,visit"
    assert signed_in.get(URL).context["columns"] == ["class", "visit"]


def test_a_doctor_sees_neither_channel_nor_tags_nor_contacts(client: Client, clinic: Clinic) -> None:
    client.force_login(UserFactory(clinic=clinic, role=Role.DOCTOR))
    PatientFactory(clinic=clinic, reg_tags=["怕疼"], reg_channel="dianping")
    response = client.get(f"{URL}?cols=channel,tags,contact,class")
    assert response.context["columns"] == ["class"]
    assert "怕疼" not in response.content.decode()


def test_the_empty_list_says_how_to_begin(signed_in: Client) -> None:
    assert reverse("patient_add") in signed_in.get(URL).content.decode()


# --- export ------------------------------------------------------------------------------------


@pytest.fixture
def manager(client: Client, clinic: Clinic) -> Client:
    client.force_login(UserFactory(clinic=clinic, role=Role.MANAGER))
    return client


def _csv(response: Any) -> list[list[str]]:
    text = b"".join(response.streaming_content).decode()
    assert text.startswith("\ufeff")
    return list(csv.reader(io.StringIO(text.removeprefix("\ufeff"))))


def test_the_export_is_exactly_the_filtered_list_with_masked_phones(manager: Client, clinic: Clinic) -> None:
    PatientFactory(name="沈雨薇", clinic=clinic, class_code="C-C", phone="19900001734", reg_number="QH-1")
    PatientFactory(name="周岚", clinic=clinic, class_code="C-A")
    response = manager.post("/patients/export/?klass=C-C", {"reason": "月度核对", "format": "csv"})
    header, *rows = _csv(response)
    assert len(rows) == 1
    assert rows[0][:2] == ["QH-1", "沈雨薇"]
    assert "199****1734" in rows[0]
    assert len(header) == len(rows[0])


def test_the_export_is_logged_with_reason_filters_and_count(manager: Client, clinic: Clinic) -> None:
    PatientFactory(clinic=clinic, class_code="C-C")
    manager.post("/patients/export/?klass=C-C&sort=number", {"reason": "月度核对", "format": "csv", "phones": "on"})
    detail = AuditEvent.objects.get(action="patients_exported").detail
    assert detail == {
        "reason": "月度核对",
        "format": "csv",
        "full_phones": True,
        "filters": {"klass": ["C-C"]},
        "count": 1,
    }


def test_phones_in_full_only_when_ticked(manager: Client, clinic: Clinic) -> None:
    PatientFactory(clinic=clinic, phone="19900001734")
    response = manager.post("/patients/export/", {"reason": "短信群发", "format": "csv", "phones": "on"})
    assert "19900001734" in _csv(response)[1]


def test_nothing_is_exported_without_a_reason(manager: Client, clinic: Clinic) -> None:
    response = manager.post("/patients/export/", {"reason": " ", "format": "csv"})
    assert response.status_code == 422
    assert not AuditEvent.objects.exists()


def test_a_coordinator_may_not_export(signed_in: Client) -> None:
    assert signed_in.post("/patients/export/", {"reason": "看看", "format": "csv"}).status_code == 403


def test_formula_cells_are_made_harmless_in_both_formats(manager: Client, clinic: Clinic) -> None:
    evil = "=HYPERLINK(A1)"
    patient = PatientFactory(clinic=clinic, name="甲", reg_complaint="+1+1")
    Patient.objects.filter(pk=patient.pk).update(name=evil)
    data = {"reason": "核对", "format": "csv"}
    assert _csv(manager.post("/patients/export/", data))[1][1] == f"'{evil}"
    response = manager.post("/patients/export/", data | {"format": "xlsx"})
    book = load_workbook(io.BytesIO(b"".join(response.streaming_content)))
    cells = [cell for row in book.active.iter_rows() for cell in row]
    assert f"'{evil}" in [cell.value for cell in cells]
    assert "'+1+1" in [cell.value for cell in cells]
    assert all(cell.data_type != "f" for cell in cells)


@pytest.mark.parametrize("text", ["=1", "+1", "-1", "@x", "\t=1", "\r=1"])
def test_a_cell_that_begins_like_a_formula_gets_an_apostrophe(text: str) -> None:
    assert harmless(text) == f"'{text}"


def test_an_export_costs_the_same_statements_for_more_rows(manager: Client, clinic: Clinic) -> None:
    def cost() -> int:
        with CaptureQueriesContext(connection) as captured:
            _csv(manager.post("/patients/export/", {"reason": "核对", "format": "csv"}))
        return len(captured)

    PatientFactory(clinic=clinic, phone="19900000001")
    few = cost()
    for number in range(2, 20):
        PatientFactory(clinic=clinic, phone=f"1990000{number:04d}")
    assert cost() == few


def test_away_counts_from_the_last_visit(signed_in: Client, clinic: Clinic) -> None:
    today = clinic.today()
    PatientFactory(name="甲", clinic=clinic, reg_last_visit_on=today - timedelta(days=30))
    PatientFactory(name="乙", clinic=clinic, reg_last_visit_on=today - timedelta(days=29))
    assert listed(signed_in, "away=30") == ["甲"]


def test_the_filters_are_offered_as_they_are_set(signed_in: Client, clinic: Clinic, tc: User) -> None:
    PatientFactory(clinic=clinic, reg_tags=["怕疼"])
    html = signed_in.get("/patients/filters/?klass=C-C&sort=visit", headers={"HX-Request": "true"}).content.decode()
    assert 'value="C-C" id="id_klass_2" checked' in html
    assert 'name="sort" value="visit"' in html
    assert "曹素铭" in html
    assert 'value="怕疼"' in html


def test_who_asks_when_somebody_was_here_gets_the_list_by_visit(signed_in: Client, clinic: Clinic) -> None:
    assert signed_in.get(f"{URL}?away=30").context["sort"] == "-visit"
    assert signed_in.get(f"{URL}?away=30&sort=number").context["sort"] == "number"
