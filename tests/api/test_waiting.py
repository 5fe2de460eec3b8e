"""The waiting list through the API: as on its page, through the same services."""

from datetime import timedelta
from typing import Any

import pytest

from accounts.permissions import Role
from followups.models import Appointment, WaitingEntry
from tests.api.asking import problem
from tests.api.programs import Program
from tests.api.test_calendar_and_tasks import Desk
from tests.factories import ClinicFactory, PatientFactory, UserFactory

pytestmark = pytest.mark.django_db


class Waiting(Desk):
    """The desk, and who would come sooner."""

    def entry(self, **more: Any) -> dict[str, Any]:
        day = self.clinic.today()
        days = {"from_day": day.isoformat(), "until_day": (day + timedelta(days=20)).isoformat()}
        return {"patient": self.patient.pk, "kind": "recheck", **days, **more}

    def put(self, **more: Any) -> Any:
        return self.program.post("waiting/", self.entry(**more))


def test_somebody_waits_is_asked_and_gets_a_free_time():
    desk = Waiting()
    made = desk.put(doctor=desk.doctor.pk, note="下午更好")
    assert made.status_code == 201, made.content.decode()
    assert made.json()["minutes"] > 0  # the usual length of the kind
    at = f"waiting/{made.json()['id']}/"
    start = desk.free()[3]["starts_at"]
    asked = desk.act(at, "offer", starts_at=start)
    assert (asked.json()["status"], asked.json()["offered_start"] is None) == ("offered", False)
    booked = desk.act(at, "book", starts_at=start, doctor=desk.doctor.pk)
    assert booked.status_code == 200, booked.content.decode()
    row = Appointment.objects.get(pk=booked.json()["appointment"])
    assert (row.patient, row.purpose, booked.json()["status"]) == (desk.patient, "下午更好", "booked")
    problem(desk.act(at, "withdraw"), 409, "conflict")
    assert desk.act(at, "reopen").json()["status"] == "waiting"
    assert desk.act(at, "withdraw").json()["status"] == "withdrawn"


def test_the_list_is_filtered_by_day_and_state_in_as_many_statements_for_many(django_assert_max_num_queries):
    desk = Waiting()
    first = desk.put().json()["id"]
    with django_assert_max_num_queries(9):
        assert [row["id"] for row in desk.program.get("waiting/").json()["results"]] == [first]
    for _n in range(5):
        desk.put(patient=PatientFactory(clinic=desk.clinic).pk)
    with django_assert_max_num_queries(9):
        assert len(desk.program.get("waiting/?status=waiting").json()["results"]) == 6
    later = desk.clinic.today() + timedelta(days=40)
    assert desk.program.get(f"waiting/?day={later}").json()["results"] == []
    assert len(desk.program.get(f"waiting/?day={desk.clinic.today()}&patient={desk.patient.pk}").json()["results"]) == 1
    problem(desk.program.get("waiting/?day=soon"), 400)
    problem(desk.program.get("waiting/?dya=2026-01-01"), 400)


def test_what_makes_no_sense_is_told_beside_the_field():
    desk = Waiting()
    day = desk.clinic.today()
    wrong = {
        "until_day": {"until_day": (day - timedelta(days=1)).isoformat()},
        "minutes": {"minutes": 1},
        "kind": {"kind": "?"},
        "patient": {"patient": PatientFactory(clinic=ClinicFactory()).pk},
        "doctor": {"doctor": UserFactory(clinic=ClinicFactory(), role=Role.DOCTOR).pk},
    }
    for field, sent in wrong.items():
        assert field in problem(desk.put(**sent), 422, "invalid")["errors"], field
    assert not WaitingEntry.objects.exists()


def test_the_same_again_adds_nobody():
    desk = Waiting()
    body = desk.entry()
    first = desk.program.post("waiting/", body, idempotency_key="one")
    again = desk.program.post("waiting/", body, idempotency_key="one")
    other = desk.program.post("waiting/", body)
    assert first.json()["id"] == again.json()["id"] == other.json()["id"]
    assert WaitingEntry.objects.count() == 1


def test_other_clinics_and_roles_that_do_not_book_are_kept_out():
    desk = Waiting()
    at = f"waiting/{desk.put().json()['id']}/"
    problem(Program(UserFactory(clinic=ClinicFactory(), role=Role.MANAGER)).get(at), 404)
    away = Program(UserFactory(clinic=desk.clinic, role=Role.NURSE))
    if not away.user.may("book", desk.clinic):
        problem(away.get(at), 403, "forbidden")
    problem(desk.program.post(f"{at}withdraw/", {}), 428)
