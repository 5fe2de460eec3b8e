"""Chats, findings, appeals, scores and etiquette inspections through the API."""

from datetime import timedelta

import pytest

from accounts.permissions import Role
from conversations.models import Capture
from conversations.services.captures import build_contact
from followups.models import Appointment
from metrics.services.etiquette import ensure_rubrics
from patients.models import Patient
from tests.api.programs import Program
from tests.consultations.clinical import Room
from tests.factories import (
    ClinicFactory,
    ConversationFactory,
    FindingFactory,
    PatientFactory,
    PhoneFactory,
    UserFactory,
)

pytestmark = pytest.mark.django_db


class Chats:
    """A clinic with a consultant's chat, in which something was found."""

    def __init__(self) -> None:
        self.clinic = ClinicFactory()
        self.consultant = UserFactory(clinic=self.clinic, role=Role.ONLINE_CONSULTANT)
        self.manager = UserFactory(clinic=self.clinic, role=Role.MANAGER)
        self.chat = ConversationFactory(clinic=self.clinic, consultant=self.consultant)
        self.at = f"conversations/{self.chat.pk}/"


def test_a_consultant_reads_and_checks_their_own_chats_alone():
    here = Chats()
    ConversationFactory(clinic=here.clinic)
    mine = Program(here.consultant)
    assert [row["id"] for row in mine.get("conversations/").json()["results"]] == [here.chat.pk]
    assert mine.post(f"{here.at}self-check/", {}).json()["self_checked_at"]
    assert mine.post(f"{here.at}read/", {}).status_code == 403
    other = Program(UserFactory(clinic=here.clinic, role=Role.ONLINE_CONSULTANT))
    assert other.get(here.at).status_code == 404
    assert Program(UserFactory(role=Role.MANAGER)).get(here.at).status_code == 404


def test_numbers_in_the_text_are_hidden_but_for_their_last_four_signs():
    here = Chats()
    chat = ConversationFactory(clinic=here.clinic, lines=[("visitor", "我电话 199 0000 1234")])
    told = Program(here.manager).get(f"conversations/{chat.pk}/messages/").json()
    assert told[-1]["text"] == "我电话 *** **** 1234"


def test_a_finding_is_made_appealed_and_the_appeal_upheld():
    here = Chats()
    manager, consultant = Program(here.manager), Program(here.consultant)
    body = {"conversation": here.chat.pk, "code": "not_invited", "note": "没有邀约"}
    made = manager.post("findings/", body)
    assert made.status_code == 201, made.content.decode()
    assert made.json()["label"]
    at = f"findings/{made.json()['id']}/"
    assert manager.post(f"{at}appeal/", {"text": "不是我"}).status_code == 422
    appeal = consultant.post(f"{at}appeal/", {"text": "最后一句邀约了"})
    assert appeal.status_code == 201
    assert consultant.post(f"{at}appeal/", {"text": "再说一次"}).status_code == 409
    reply = f"appeals/{appeal.json()['id']}/reply/"
    assert consultant.post(reply, {"is_upheld": True}).status_code == 403
    assert manager.post(reply, {"is_upheld": True}).json()["is_upheld"] is True
    assert manager.get(at).json()["withdrawn_reason"] == "appeal"


def test_a_finding_on_somebody_elses_chat_is_refused():
    here = Chats()
    elsewhere = ConversationFactory(clinic=ClinicFactory())
    answer = Program(here.manager).post("findings/", {"conversation": elsewhere.pk, "code": "not_invited"})
    assert answer.status_code == 422
    assert "conversation" in answer.json()["errors"]


def test_a_manager_scores_a_chat():
    here = Chats()
    FindingFactory(conversation=here.chat, code="not_invited")
    manager = Program(here.manager)
    card = manager.post(f"{here.at}score/", {})
    assert card.status_code == 201, card.content.decode()
    assert [line["code"] for line in card.json()["lines"]] == ["not_invited"]
    assert manager.post(f"{here.at}score/", {"points": {"not_invited": "1"}}).status_code == 422  # without a reason
    again = manager.post(f"{here.at}score/", {"points": {"not_invited": "1"}, "note": "第一次"})
    assert again.json()["score"] == "99.00"


def test_a_visit_is_inspected_by_a_manager_and_seen_by_whom_it_concerns():
    room = Room()
    ensure_rubrics(room.clinic)
    visit = room.visit()
    manager = Program(room.person(Role.MANAGER))
    rubric = next(r for r in manager.get("etiquette-rubrics/").json()["results"] if r["kind"] == "visit")
    answers = {item["code"]: 1 for item in rubric["items"]}
    body = {"visit": visit.pk, "answers": answers, "rubric_version": rubric["version"]}
    made = manager.post("inspections/", body)
    assert made.status_code == 201, made.content.decode()
    assert (made.json()["score"], made.json()["staff"]) == ("100.00", room.tc.pk)
    assert manager.post("inspections/", body | {"answers": {}}).status_code == 422
    assert manager.post("inspections/", body | {"visit": None}).status_code == 422
    assert [r["id"] for r in Program(room.tc).get("inspections/").json()["results"]] == [made.json()["id"]]
    assert Program(room.person(Role.COORDINATOR)).get("inspections/").json()["results"] == []
    assert Program(room.tc).post("inspections/", body).status_code == 403
    at = f"inspections/{made.json()['id']}/"
    assert Program(room.tc).post(f"{at}seen/", {}).json()["seen_at"]
    assert manager.post(f"{at}seen/", {}).status_code == 422
    assert manager.post(f"{at}take-back/", {"reason": "评错了到诊"}).status_code == 428
    taken = manager.post(f"{at}take-back/", {"reason": "评错了到诊"}, if_match=manager.get(at)["ETag"])
    assert taken.json()["replaced_at"]


def captured(here: Chats, number: str = "19900001234") -> str:
    capture = Capture.objects.create(conversation=here.chat)
    build_contact(capture, "phone", number).save()
    return f"{here.at}take-over/"


def test_what_a_chat_captured_becomes_a_patient_with_an_appointment_once():
    here = Chats()
    doctor, at = UserFactory(clinic=here.clinic, role=Role.DOCTOR), captured(here)
    mine = Program(here.consultant)
    day = here.clinic.today() + timedelta(days=3)
    assert mine.post(at, {}).status_code == 422  # nobody is called anything yet
    wish = {"name": "沈雨薇", "starts_at": f"{day}T10:00:00", "doctor": doctor.pk, "insist": True}
    told = mine.post(at, wish).json()
    assert told["patient"] == Patient.objects.get(name="沈雨薇").pk
    assert told["appointment"] == Appointment.objects.get(doctor=doctor).pk
    assert mine.post(at, wish).json()["patient"] == told["patient"]
    assert (Patient.objects.count(), Appointment.objects.count()) == (1, 1)
    back = mine.post(f"{here.at}take-back/", {}).json()
    assert (back["patient"], back["appointment"]) == (None, None)
    assert Appointment.objects.get().status == "error"


def test_a_capture_is_taken_over_by_whom_it_belongs_to_and_joins_who_has_the_number():
    here = Chats()
    at, other = captured(here), PatientFactory(clinic=here.clinic)
    known = PatientFactory(clinic=here.clinic)
    PhoneFactory(patient=known, number="19900001234")
    stranger = Program(UserFactory(clinic=here.clinic, role=Role.ONLINE_CONSULTANT))
    assert stranger.post(at, {"name": "沈雨薇"}).status_code == 404
    assert Program(UserFactory(clinic=here.clinic, role=Role.NURSE)).post(at, {"name": "甲"}).status_code == 403
    refused = Program(here.manager).post(at, {"patient": other.pk})
    assert (refused.status_code, set(refused.json()["errors"])) == (422, {"patient"})
    not_a_doctor = {"starts_at": "2030-01-02T10:00:00", "doctor": here.consultant.pk}
    assert set(Program(here.manager).post(at, not_a_doctor).json()["errors"]) == {"doctor"}
    assert Program(here.manager).post(at, {}).json()["patient"] == known.pk


def test_a_captured_contact_is_filed_opened_and_corrected():
    here = Chats()
    captured(here)
    build_contact(here.chat.capture, "wechat", "hello_1990").save()
    mine, at = Program(here.consultant), f"conversations/{here.chat.pk}/correct/"
    listed = mine.get(f"captured-contacts/?conversation={here.chat.pk}&is_filed=false").json()["results"]
    assert sorted((row["kind"], row["last4"]) for row in listed) == [("phone", "1234"), ("wechat", "1990")]
    contact = next(f"captured-contacts/{row['id']}/" for row in listed if row["kind"] == "wechat")
    filed = mine.patch(contact, {"group_name": "种植", "remark": "沈"}, if_match=mine.get(contact)["ETag"]).json()
    assert (filed["group_name"], bool(filed["added_at"])) == ("种植", True)
    assert mine.patch(contact, {"group_name": "种植"}, if_match="*").status_code == 422
    assert mine.post(f"{contact}reveal/", {}).json() == {"value": "hello_1990"}
    assert mine.post(at, {"wechat": "x"}).status_code == 428
    assert set(mine.post(at, {"wechat": "x"}, if_match="*").json()["errors"]) == {"wechat"}
    told = mine.post(at, {"wechat": "hello_1999"}, if_match=mine.get(f"conversations/{here.chat.pk}/")["ETag"]).json()
    assert sorted(row["last4"] for row in told["captured"]) == ["1234", "1999"]
    assert Program(UserFactory(clinic=here.clinic, role=Role.FRONT_DESK)).get("captured-contacts/").status_code == 403
    other = Program(UserFactory(clinic=here.clinic, role=Role.ONLINE_CONSULTANT))
    assert other.get("captured-contacts/").json()["results"] == []
