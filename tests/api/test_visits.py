"""A whole visit through the API, and what each role may not do or see of it."""

from io import BytesIO
from typing import Any

import pytest
from django.utils import timezone
from PIL import Image

from accounts.permissions import Role
from consultations.models import ExamKind, Visit
from tests.api.programs import Program
from tests.consultations.clinical import Room
from tests.factories import ClinicFactory, PatientFactory, UserFactory, VisitFactory

pytestmark = pytest.mark.django_db

PLAN = {
    "title": "右下后牙种植",
    "options": [
        {"name": "种植", "items": [{"name": "种植体植入", "teeth": [46], "quantity": 1, "sessions": 3}]},
        {"name": "固定桥", "items": [{"name": "三单位固定桥", "teeth": [45, 46, 47]}]},
    ],
    "finish": True,
}
NOTE = {
    "class_code": "C-C", "awareness": 2, "trust": 3, "opinion": "缺牙半年，想种牙。", "told_patient": "先看片子。",
    "stress_points": ["拖久了邻牙会倾斜"], "wished_words": "您来得正是时候。",
}  # fmt: skip


class Case:
    """A clinic with a coordinator's and a doctor's program."""

    def __init__(self) -> None:
        self.room = Room()
        self.clinic = self.room.clinic
        self.tc, self.doctor = Program(self.room.tc), Program(self.room.doctor)
        self.desk = Program(self.room.person(Role.FRONT_DESK))

    def step(self, who: Program, name: str, **body: Any) -> dict[str, Any]:
        """Take a step with the version as it stands."""
        told = who.get(f"visits/{self.pk}/")
        answer = who.post(f"visits/{self.pk}/{name}/", body, if_match=told.headers["ETag"])
        assert answer.status_code == 200, answer.content.decode()
        return answer.json()

    def changed(self, who: Program, address: str, body: dict[str, Any], method: str = "post") -> dict[str, Any]:
        of = address if method != "post" else address.rstrip("/").rpartition("/")[0] + "/"
        tag = who.get(of).headers["ETag"]
        answer = getattr(who, method)(address, body, if_match=tag)
        assert answer.status_code == 200, answer.content.decode()
        return answer.json()

    def arrive(self) -> dict[str, Any]:
        patient = PatientFactory(clinic=self.clinic)
        answer = self.desk.post("visits/", {"patient": patient.pk, "complaint_text": "右下缺牙"})
        assert answer.status_code == 201, answer.content.decode()
        self.pk = answer.json()["id"]
        assert answer.headers["Location"] == f"/api/v1/visits/{self.pk}/"
        return answer.json()


def picture() -> BytesIO:
    out = BytesIO()
    Image.new("RGB", (64, 64), "white").save(out, "PNG")
    out.seek(0)
    out.name = "ct.png"
    return out


def test_a_first_visit_from_the_door_to_the_checkout():
    case = Case()
    assert case.arrive()["stage"] == "arrived"
    assert case.step(case.tc, "receive")["coordinator"] == case.room.tc.pk
    form = case.tc.post("forms/", {"visit": case.pk}).json()
    answers = {code: _answer(question) for code, question in _required(form).items()}
    answered = case.changed(case.tc, f"forms/{form['id']}/", {"answers": answers}, "patch")
    while answered["missing"]:  # an answer may ask for more
        more = {q["code"]: _answer(q) for q in answered["questions"] if q["code"] in answered["missing"]}
        answered = case.changed(case.tc, f"forms/{form['id']}/", {"answers": more}, "patch")
    assert case.changed(case.tc, f"forms/{form['id']}/complete/", {})["completed_at"]
    moved = case.step(case.tc, "complaint", complaint="implant", complaint_text="右下缺牙半年")
    assert (moved["stage"], moved["route"]) == ("exam", "exam_first")
    _examined(case)
    assert case.step(case.tc, "exams-complete")["stage"] == "consulting"
    made = case.tc.post("handoffs/", {"visit": case.pk, **NOTE})
    assert made.status_code == 201, made.content.decode()
    note_id = made.json()["id"]
    assert case.doctor.get(f"handoffs/{note_id}/").status_code == 404  # a draft is the coordinator's
    colleague = case.room.person(Role.DOCTOR).pk
    assert case.tc.patch(f"handoffs/{note_id}/", {"doctor": colleague}, if_match="*").status_code == 422  # not sent yet
    case.changed(case.tc, f"handoffs/{note_id}/send/", {"doctor": colleague})
    case.changed(case.tc, f"handoffs/{note_id}/", {"doctor": case.room.doctor.pk}, "patch")  # it was meant for another
    assert case.tc.get(f"visits/{case.pk}/").json()["doctor"] == case.room.doctor.pk
    assert case.changed(case.doctor, f"handoffs/{note_id}/acknowledge/", {})["acknowledged_by"] == case.room.doctor.pk
    late = case.tc.patch(f"handoffs/{note_id}/", {"doctor": colleague}, if_match="*")
    assert set(late.json()["errors"]) == {"doctor"}
    plan = case.doctor.post("plans/", {"visit": case.pk, **PLAN}).json()
    assert plan["options"][0]["items"][0]["unit_price"] is None  # money is not the doctor's to see
    assert case.step(case.doctor, "leave-room")["stage"] == "explaining"
    _explained(case, plan)
    left = case.step(case.tc, "decision", decision="undecided", amount="12000", obstacle="想和家人商量")
    assert (left["stage"], left["decision_amount"], left["obstacle"]) == ("leaving", "12000.00", "想和家人商量")
    _checked_out(case)
    assert case.step(case.tc, "close")["stage"] == "closed"
    steps = [change["new_stage"] for change in case.tc.get(f"visits/{case.pk}/stage-changes/").json()]
    assert steps[0] == "arrived"
    assert steps[-1] == "closed"
    assert len(steps) == 12


def _required(form: dict[str, Any]) -> dict[str, Any]:
    return {q["code"]: q for q in form["questions"] if q["code"] in form["missing"]}


def _answer(question: dict[str, Any]) -> Any:
    if question["options"]:
        code = question["options"][0]["code"]
        return [code] if question["type"] == "multi" else code
    return {"yes_no": {"value": "no"}, "date": "1990-05-01", "month": "2026-03", "number": 1, "scale": 1}.get(
        question["type"], "种牙"
    )


def _examined(case: Case) -> None:
    for kind in ExamKind.objects.for_clinic(case.clinic).filter(is_required=True):
        exam = case.tc.post("exams/", {"visit": case.pk, "kind": kind.pk}).json()
        added = case.tc.upload(f"exams/{exam['id']}/files/", file=picture(), caption="正面")
        assert added.status_code == 201, added.content.decode()
        again = case.tc.upload(f"exams/{exam['id']}/files/", file=picture())
        assert again.status_code == 409
        content = case.doctor.get(f"exam-files/{added.json()['id']}/content/?size=thumb")
        assert (content.status_code, content.headers["Content-Type"]) == (200, "image/jpeg")


def _explained(case: Case, plan: dict[str, Any]) -> None:
    at = f"plans/{plan['id']}/"
    prices = [{"item": o["items"][0]["id"], "unit_price": "6000"} for o in plan["options"]]
    terms = [{"option": plan["options"][0]["id"], "discount": "500", "payment_note": "分期"}]
    priced = case.changed(case.tc, f"{at}terms/", {"prices": prices, "options": terms})
    assert [o["total"] for o in priced["options"]] == ["5500.00", "6000.00"]
    chosen = case.changed(case.tc, f"{at}choose/", {"option": plan["options"][1]["id"]})
    assert [o["is_chosen"] for o in chosen["options"]] == [False, True]
    for point in ("price", "time", "pain", "alternatives"):
        assert case.tc.post(f"{at}explain/", {"point": point}).status_code == 200


def _checked_out(case: Case) -> None:
    manager = Program(case.room.person(Role.MANAGER))
    case.tc.post(f"visits/{case.pk}/wechat/", {})
    lines = case.tc.get(f"visits/{case.pk}/checkout/").json()
    for line in [one for one in lines if not one["is_met"]]:
        body = {"code": line["code"], "do": "let_go", "reason": "今天来不及"}
        assert case.tc.post(f"visits/{case.pk}/checkout/item/", body).status_code == 200
        if line["needs_manager"]:
            word = {"code": line["code"], "approve": True}
            assert case.tc.post(f"visits/{case.pk}/checkout/waiver/", word).status_code == 403
            assert manager.post(f"visits/{case.pk}/checkout/waiver/", word).status_code == 200
    assert all(one["is_met"] for one in case.tc.get(f"visits/{case.pk}/checkout/").json())


def test_a_step_that_lacks_something_says_what():
    room = Room()
    visit = room.visit(stage="handoff")
    tc = Program(room.tc)
    tag = tc.get(f"visits/{visit.pk}/").headers["ETag"]
    answer = tc.post(f"visits/{visit.pk}/decision/", {"decision": "accepted"}, if_match=tag)
    assert answer.status_code == 422
    assert answer.json()["missing"]
    assert Visit.objects.get(pk=visit.pk).decision == ""


def test_a_step_from_an_older_version_is_refused_and_nothing_is_written():
    room = Room()
    visit = room.visit(stage="arrived", received_at=None)
    tc, other = Program(room.tc), Program(room.person(Role.COORDINATOR))
    tag = tc.get(f"visits/{visit.pk}/").headers["ETag"]
    assert other.post(f"visits/{visit.pk}/receive/", {}, if_match=tag).status_code == 200
    answer = tc.post(f"visits/{visit.pk}/receive/", {}, if_match=tag)
    assert answer.status_code == 412
    assert tc.post(f"visits/{visit.pk}/receive/", {}).status_code == 428
    assert Visit.objects.get(pk=visit.pk).coordinator == other.user


def test_what_was_recorded_wrongly_is_taken_back():
    case = Case()
    case.arrive()
    case.step(case.tc, "receive")
    back = case.step(case.tc, "receive/undo")
    assert (back["stage"], back["coordinator"], back["received_at"]) == ("arrived", None, None)
    mistaken = case.step(case.desk, "check-in/undo")
    assert (mistaken["stage"], mistaken["is_error"]) == ("left_unseen", True)
    tag = case.tc.get(f"visits/{case.pk}/").headers["ETag"]
    assert case.tc.post(f"visits/{case.pk}/receive/undo/", {}, if_match=tag).status_code == 409


def test_a_wrong_complaint_is_corrected():
    case = Case()
    case.pk = case.room.visit(stage="exam", complaint="implant", exams_completed_at=None, route="exam_first").pk
    corrected = case.step(case.tc, "complaint/correct", complaint="pain", complaint_text="牙痛三天")
    assert corrected["route"] == "doctor_first"
    tag = case.tc.get(f"visits/{case.pk}/").headers["ETag"]
    body = {"complaint": "pain", "complaint_text": "牙痛三天，夜里重"}
    assert case.tc.post(f"visits/{case.pk}/complaint/correct/", body, if_match=tag).status_code == 200
    other = {"complaint": "pain", "complaint_text": "右下牙痛"}  # by somebody who read what stood before
    assert case.tc.post(f"visits/{case.pk}/complaint/correct/", other, if_match=tag).status_code == 412
    told = case.tc.get(f"consultations/{Visit.objects.get(pk=case.pk).consultation_id}/").json()
    assert (told["complaint"], told["complaint_text"]) == ("pain", "牙痛三天，夜里重")


def test_a_decision_an_approval_and_wechat_are_taken_back():
    case = Case()
    visit = case.room.visit(stage="leaving", decision="undecided", decided_at=timezone.now(), decision_amount="9000")
    case.pk, manager = visit.pk, Program(case.room.person(Role.MANAGER))
    at = f"visits/{case.pk}/checkout/"
    case.tc.post(f"{at}item/", {"code": "next_appointment", "do": "let_go", "reason": "今天来不及"})
    manager.post(f"{at}waiver/", {"code": "next_appointment", "approve": True})
    assert case.tc.post(f"{at}waiver/undo/", {"code": "next_appointment"}).status_code == 403
    lines = manager.post(f"{at}waiver/undo/", {"code": "next_appointment"}).json()
    assert {line["code"]: line["state"] for line in lines}["next_appointment"] == "waiting"
    assert manager.post(f"{at}waiver/undo/", {"code": "next_appointment"}).status_code == 422
    assert case.tc.post(f"patients/{visit.patient_id}/wechat/", {}).status_code == 200
    assert case.tc.post(f"patients/{visit.patient_id}/wechat/undo/", {}).json()["contact"]["wechat_linked_at"] is None
    case.tc.post(f"visits/{case.pk}/wechat/", {"guardian": True})
    visit.patient.refresh_from_db()
    assert visit.patient.wechat_linked_guardian
    assert case.tc.post(f"visits/{case.pk}/wechat/undo/", {}).status_code == 200
    visit.patient.refresh_from_db()
    assert visit.patient.wechat_linked_at is None
    asked = case.step(case.tc, "decision/undo")
    assert (asked["stage"], asked["decision"], asked["decision_amount"]) == ("decision", "", None)


def test_money_and_obstacles_are_null_for_a_nurse():
    room = Room()
    visit = room.visit(decision_amount="9000", obstacle="太贵")
    told = Program(room.person(Role.NURSE)).get(f"visits/{visit.pk}/").json()
    assert (told["decision_amount"], told["deposit_amount"], told["obstacle"]) == (None, None, None)
    assert Program(room.tc).get(f"visits/{visit.pk}/").json()["decision_amount"] == "9000.00"


@pytest.mark.parametrize(
    ("role", "address"),
    [
        (Role.FRONT_DESK, "plans/"), (Role.FRONT_DESK, "handoffs/"), (Role.NURSE, "plans/"), (Role.NURSE, "refunds/"),
        (Role.ONLINE_CONSULTANT, "forms/"), (Role.ONLINE_CONSULTANT, "exams/"), (Role.COORDINATOR, "refunds/"),
    ],
)  # fmt: skip
def test_what_a_role_may_not_read_on_the_pages_it_may_not_read_here(role: Role, address: str):
    assert Program(UserFactory(role=role)).get(address).status_code == 403


def test_another_clinics_visit_is_not_there():
    visit = VisitFactory(clinic=ClinicFactory())
    program = Program(Room().tc)
    assert program.get(f"visits/{visit.pk}/").status_code == 404
    assert program.get(f"visits/?patient={visit.patient_id}").json()["results"] == []
    assert program.post("forms/", {"visit": visit.pk}).status_code == 422


def test_refunds_are_recorded_and_taken_back():
    room = Room()
    manager = Program(room.person(Role.MANAGER))
    visit = room.visit(decision="accepted", decided_at="2026-11-01T10:00+08:00", decision_amount="8000", stage="closed")
    body = {"consultation": visit.consultation_id, "amount": "3000", "reason": "换了方案"}
    made = manager.post("refunds/", body)
    assert made.status_code == 201
    assert made.json()["visit"] == visit.pk
    assert manager.post("refunds/", body | {"amount": "9000"}).status_code == 422
    back = manager.post(f"refunds/{made.json()['id']}/take-back/", {"reason": "记错了"})
    assert (back.status_code, back.json()["cancels"]) == (201, made.json()["id"])


def test_doctor_and_coordinator_ask_and_answer_each_other():
    room = Room()
    visit = room.sent()
    doctor, tc = Program(room.doctor), Program(room.tc)
    asked = doctor.post("handoff-questions/", {"visit": visit.pk, "question": "拍CT了吗？"}).json()
    assert asked["for_doctor"] is False
    at = f"handoff-questions/{asked['id']}/reply/"
    assert doctor.post(at, {"answer": "拍了"}).status_code == 422
    assert tc.post(at, {"answer": "拍了"}).json()["answered_by"] == room.tc.pk


def test_tooth_findings_are_put_on_and_taken_off():
    room = Room()
    visit = room.acknowledged()
    doctor = Program(room.doctor)
    on = {"visit": visit.pk, "tooth": 46, "kind": "missing"}
    assert [one["tooth"] for one in doctor.post("tooth-findings/", on).json()] == [46]
    assert doctor.post("tooth-findings/", on).json() == []
    assert doctor.post("tooth-findings/", on | {"tooth": 19}).status_code == 422
