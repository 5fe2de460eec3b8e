"""Appointments, free times, tasks, contacts and messages through the API."""

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from accounts.permissions import Role
from followups.models import Appointment, Contact, Task
from patients.classification import PatientClass
from tests.api.programs import Program
from tests.factories import (
    AppointmentFactory,
    ClinicFactory,
    ConsentFactory,
    PatientFactory,
    RoomFactory,
    TaskFactory,
    UserFactory,
)

pytestmark = pytest.mark.django_db


class Desk:
    """A clinic with a doctor, a patient who may be contacted, and a coordinator's program."""

    def __init__(self, **patient: Any) -> None:
        self.clinic = ClinicFactory()
        self.tc = UserFactory(clinic=self.clinic, role=Role.COORDINATOR)
        self.doctor = UserFactory(clinic=self.clinic, role=Role.DOCTOR)
        self.patient = PatientFactory(clinic=self.clinic, **patient)
        for purpose in ("contact", "marketing"):
            ConsentFactory(patient=self.patient, purpose=purpose)
        self.program = Program(self.tc)

    def free(self) -> list[dict[str, str]]:
        found = self.program.get(f"free-slots/?doctor={self.doctor.pk}&days=14&kind=recheck")
        assert found.status_code == 200, found.content.decode()
        return found.json()

    def book(self, **more: Any) -> Any:
        body = {"patient": self.patient.pk, "doctor": self.doctor.pk, "kind": "recheck"}
        return self.program.post("appointments/", body | {"starts_at": self.free()[3]["starts_at"]} | more)

    def act(self, address: str, name: str, **body: Any) -> Any:
        tag = self.program.get(address).headers["ETag"]
        return self.program.post(f"{address}{name}/", body, if_match=tag)


def test_a_time_is_found_booked_moved_and_cancelled():
    desk = Desk()
    made = desk.book(purpose="复诊")
    assert made.status_code == 201, made.content.decode()
    assert made.json()["ends_at"]
    later = desk.free()[8]
    at = f"appointments/{made.json()['id']}/"
    moved = desk.act(at, "move", doctor=desk.doctor.pk, reason="改时间", **later)
    assert moved.status_code == 201
    assert moved.json()["moved_from"] == made.json()["id"]
    at = f"appointments/{moved.json()['id']}/"
    assert desk.act(at, "confirm").json()["status"] == "confirmed"
    gone = desk.act(at, "cancel", outcome="cancelled_patient", absence_reason="weather", reason="下大雨")
    assert (gone.json()["status"], gone.json()["absence_side"]) == ("cancelled_patient", "chance")
    assert desk.act(at, "restore").json()["status"] == "booked"
    statuses = [change["new_status"] for change in desk.program.get(f"{at}changes/").json()]
    assert statuses == ["booked", "confirmed", "cancelled_patient", "booked"]


def test_a_taken_time_answers_with_the_nearest_free_ones():
    desk = Desk()
    first = desk.book().json()
    other = PatientFactory(clinic=desk.clinic)
    answer = desk.book(patient=other.pk, starts_at=first["starts_at"])
    assert answer.status_code == 409
    assert answer.json()["nearest"]
    assert Appointment.objects.filter(patient=other).count() == 0


def test_times_are_suggested_to_a_patient_and_a_doctor_or_room_has_to_be_named():
    desk = Desk()
    asked = f"free-slots/?doctor={desk.doctor.pk}&patient={desk.patient.pk}&suggest=true"
    assert 1 <= len(desk.program.get(asked).json()) <= 3
    assert desk.program.get("free-slots/").status_code == 400
    assert desk.program.get("free-slots/?doctor=0").status_code == 400
    assert desk.program.get(f"free-slots/?doctor={desk.doctor.pk}&days=99").status_code == 400
    assert desk.program.get(f"free-slots/?doctor={desk.doctor.pk}&dayz=9").status_code == 400


def test_somebody_elses_patient_doctor_and_room_cannot_be_named():
    desk = Desk()
    elsewhere = ClinicFactory()
    for field, value in (
        ("patient", PatientFactory(clinic=elsewhere).pk),
        ("doctor", UserFactory(clinic=elsewhere, role=Role.DOCTOR).pk),
        ("room", RoomFactory(clinic=elsewhere).pk),
    ):
        answer = desk.book(**{field: value})
        assert answer.status_code == 422
        assert field in answer.json()["errors"]


def test_a_task_is_made_claimed_logged_and_the_contact_taken_back():
    desk = Desk()
    due = (timezone.now() + timedelta(minutes=5)).isoformat()
    body = {"patient": desk.patient.pk, "kind": "keep_in_touch", "title": "回访", "due_at": due, "owner": desk.tc.pk}
    made = desk.program.post("tasks/", body)
    assert made.status_code == 201, made.content.decode()
    at = f"tasks/{made.json()['id']}/"
    assert desk.program.post(f"{at}claim/", {}).json()["claimed_by"] == desk.tc.pk
    colleague = Program(UserFactory(clinic=desk.clinic, role=Role.COORDINATOR))
    assert colleague.post(f"{at}claim/", {}).status_code == 409
    logged = desk.act(at, "log", outcome="reached", note="周三来")
    assert logged.json()["status"] == "done"
    contact = desk.program.get(f"contacts/?task={made.json()['id']}").json()["results"][0]
    undone = desk.program.post(f"contacts/{contact['id']}/undo/", {})
    assert (undone.status_code, undone.json()["undoes"]) == (201, contact["id"])
    assert desk.program.get(at).json()["status"] == "open"


def test_the_tasks_of_who_is_away_are_handed_over_and_given_back():
    desk = Desk()
    manager, to = (
        UserFactory(clinic=desk.clinic, role=Role.MANAGER),
        UserFactory(clinic=desk.clinic, role="coordinator"),
    )
    program, at = Program(manager), "tasks/hand-over/"
    due = (timezone.now() + timedelta(days=1)).isoformat()
    body = {"patient": desk.patient.pk, "kind": "keep_in_touch", "title": "回访", "due_at": due}
    task = desk.program.post("tasks/", body | {"owner": desk.tc.pk}).json()
    assert desk.program.post(at, {"away": desk.tc.pk, "reason": "病假"}).status_code == 403
    assert set(program.post(at, {"away": desk.tc.pk, "to": 999, "reason": "病假"}).json()["errors"]) == {"to"}
    far = {"away": desk.tc.pk, "to": to.pk, "until": "9999-12-31", "reason": "病假"}
    assert set(program.post(at, far).json()["errors"]) == {"until"}
    made = program.post(at, {"away": desk.tc.pk, "to": to.pk, "reason": "病假"}).json()
    assert made["tasks"] == 1
    assert desk.program.get(f"tasks/{task['id']}/").json()["owner"] == to.pk
    assert program.post(f"{at}{made['batch']}/undo/", {}).json()["tasks"] == 1
    assert desk.program.get(f"tasks/{task['id']}/").json()["owner"] == desk.tc.pk
    assert program.post(f"{at}nothing/undo/", {}).status_code == 404


@pytest.mark.parametrize("klass", [PatientClass.CA, PatientClass.CB])
def test_what_a_class_never_allows_is_refused_here_too(klass: str):
    """C-A: no marketing, activities or urging; C-B: no closing pitches (DOMAIN §3)."""
    desk = Desk(class_code=klass)
    nature = "marketing" if klass == PatientClass.CA else "closing"
    due = (timezone.now() + timedelta(days=1)).isoformat()
    body = {"patient": desk.patient.pk, "kind": "keep_in_touch", "title": "活动", "due_at": due, "nature": nature}
    answer = desk.program.post("tasks/", body)
    assert answer.status_code == 422, answer.content.decode()
    assert Task.objects.filter(patient=desk.patient).count() == 0
    assert desk.program.post("tasks/", body | {"nature": "service"}).status_code == 201


def test_a_doctor_sees_the_tasks_that_name_them_and_logs_none():
    desk = Desk()
    mine = TaskFactory(clinic=desk.clinic, patient=desk.patient, doctor=desk.doctor)
    TaskFactory(clinic=desk.clinic, patient=desk.patient)
    doctor = Program(desk.doctor)
    assert [row["id"] for row in doctor.get("tasks/").json()["results"]] == [mine.pk]
    assert doctor.post(f"tasks/{mine.pk}/log/", {"outcome": "reached"}, if_match="*").status_code == 403
    assert Contact.objects.count() == 0


def test_a_list_costs_the_same_for_few_and_for_many(django_assert_max_num_queries: Any):
    desk = Desk()
    for n in range(30):
        AppointmentFactory(clinic=desk.clinic, patient=desk.patient, starts_at=timezone.now() + timedelta(days=n + 1))
    with django_assert_max_num_queries(5):
        assert len(desk.program.get("appointments/?limit=5").json()["results"]) == 5
    with django_assert_max_num_queries(5):
        told = desk.program.get("appointments/?limit=25").json()
    assert len(told["results"]) == 25
    assert len(desk.program.get(told["next"].removeprefix("/api/v1/")).json()["results"]) == 5


def test_the_outbox_is_read_by_those_who_may_and_not_written():
    desk = Desk()
    assert desk.book().status_code == 201
    rows = desk.program.get("messages/").json()["results"]
    assert rows
    assert {row["patient"] for row in rows} == {desk.patient.pk}
    assert desk.program.get(f"messages/{rows[0]['id']}/events/").status_code == 200
    assert desk.program.post("messages/", {}).status_code == 405
    assert Program(UserFactory(clinic=desk.clinic, role=Role.NURSE)).get("messages/").status_code == 403
