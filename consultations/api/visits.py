"""Consultations and visits: coming, every step, the decision, the checkout."""

from typing import Any

import django_filters
from drf_spectacular.utils import extend_schema
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.api.fields import NothingIn
from accounts.api.filters import FilterSet, Since
from accounts.api.views import Lists, Reads, Resource
from accounts.permissions import Permission
from consultations.api import visits_in, visits_out
from consultations.models import Consultation, Visit
from consultations.services import leaving
from consultations.services.complaint import confirm_complaint, correct_complaint
from consultations.services.decision import leave_unseen, take_decision, take_decision_back
from consultations.services.exams import complete_exams
from consultations.services.facts import checkout_lines
from consultations.services.handoff import suggestion_of
from consultations.services.mistakes import mark_error, undo_check_in, undo_receive
from consultations.services.moves import move
from consultations.services.plans import come_back, leave_room, send_to_exam
from consultations.services.reception import check_in, receive
from consultations.stages import Decision, Stage
from followups.services.wechat import add_wechat, take_wechat_back
from patients.api.shapes import WechatIn
from patients.classification import Complaint

P = Permission


class ConsultationFilters(FilterSet):
    patient = django_filters.NumberFilter()
    status = django_filters.MultipleChoiceFilter(choices=Consultation.Status.choices)
    complaint = django_filters.MultipleChoiceFilter(choices=Complaint.choices)
    opened_from = Since("opened_at")

    class Meta:
        model = Consultation
        fields: list[str] = []


class Consultations(Lists, Reads, Resource):
    """Cases: one patient, one chief complaint, until accepted, refused or lost."""

    tag, scope = "Visits", "visits"
    access = {"list": (P.VIEW_VISITS,), "retrieve": (P.VIEW_VISITS,)}
    model = Consultation
    serializer_class = visits_out.ConsultationOut
    filterset_class = ConsultationFilters
    order = ("-opened_at", "-id")


class VisitFilters(FilterSet):
    patient = django_filters.NumberFilter()
    consultation = django_filters.NumberFilter()
    coordinator = django_filters.NumberFilter()
    doctor = django_filters.NumberFilter()
    stage = django_filters.MultipleChoiceFilter(choices=Stage.choices)
    decision = django_filters.MultipleChoiceFilter(choices=Decision.choices)
    is_first = django_filters.BooleanFilter()
    is_open = django_filters.BooleanFilter(method="in_clinic_now", label="In the clinic now.")
    arrived_from = Since("arrived_at")
    arrived_before = django_filters.IsoDateTimeFilter(field_name="arrived_at", lookup_expr="lt")

    class Meta:
        model = Visit
        fields: list[str] = []

    def in_clinic_now(self, rows: Any, _name: str, wanted: bool) -> Any:
        return rows.in_clinic_now() if wanted else rows.exclude(closed_at=None)


STEPS = (
    "receive", "move", "complaint", "unseen", "exams_complete", "leave_room", "send_to_exam", "decision", "classify",
    "close", "error", "undo_check_in", "undo_receive", "correct_complaint", "undo_decision",
    "undo_leave_room",
)  # fmt: skip
PLAIN = (
    "exams_complete", "leave_room", "send_to_exam", "close", "undo_wechat", "undo_check_in", "undo_receive",
    "undo_decision", "undo_leave_room",
)  # fmt: skip


class Visits(Lists, Reads, Resource):
    """Visits from arrival to checkout. A step needs If-Match; what it still lacks is told as `missing` (422)."""

    tag, scope = "Visits", "visits"
    access = {
        "list": (P.VIEW_VISITS,),
        "retrieve": (P.VIEW_VISITS,),
        "create": (P.CHECK_IN,),
        "stage_changes": (P.VIEW_VISITS,),
        "checkout": (P.COORDINATE,),
        "checkout_item": (P.COORDINATE,),
        "waiver": (P.APPROVE_WAIVER,),
        "undo_waiver": (P.APPROVE_WAIVER,),
        "wechat": (P.COORDINATE,),
        "undo_wechat": (P.COORDINATE,),
        **dict.fromkeys(STEPS, (P.COORDINATE,)),
        "undo_check_in": (P.CHECK_IN,),
        "exams_complete": (P.CAPTURE_EXAM,),
        "leave_room": (P.TREAT,),
        "undo_leave_room": (P.TREAT,),
        "send_to_exam": (P.TREAT,),
        "error": (P.APPROVE_WAIVER,),
    }
    model = Visit
    serializer_class = visits_out.VisitOut
    serializers = {
        "create": visits_in.CheckInIn,
        "receive": visits_in.ReceiveIn,
        "move": visits_in.MoveIn,
        "complaint": visits_in.ComplaintIn,
        "unseen": visits_in.UnseenIn,
        "decision": visits_in.DecisionIn,
        "classify": visits_in.ClassifyIn,
        "checkout_item": visits_in.CheckoutIn,
        "waiver": visits_in.WaiverIn,
        "undo_waiver": visits_in.WaiverUndoIn,
        "wechat": WechatIn,
        "error": visits_in.MistakeIn,
        "correct_complaint": visits_in.ComplaintCorrectionIn,
    } | dict.fromkeys(PLAIN, NothingIn)
    filterset_class = VisitFilters
    order = ("-arrived_at", "-id")
    if_match = STEPS
    held = dict.fromkeys(STEPS, ("self",))

    def rows(self) -> Any:
        return super().rows().select_related("patient", "consultation", "clinic")

    def create(self, request: Request) -> Response:
        """Record that a patient has come, for an appointment of today or as a walk-in."""
        return self.made(check_in(clinic=self.clinic, by=self.user, **self.read(visits_in.CheckInIn)))

    @action(detail=True, methods=["post"])
    def receive(self, request: Request, pk: int) -> Response:
        """The coordinator takes the patient over."""
        visit = self.found()
        return self.told(receive(visit=visit, by=self.user, **self.read(visits_in.ReceiveIn)))

    @action(detail=True, methods=["post"], url_path="check-in/undo")
    def undo_check_in(self, request: Request, pk: int) -> Response:
        """The wrong patient was checked in: the visit counts nowhere, its appointment is expected again."""
        visit = self.found()
        self.read(NothingIn)
        return self.told(undo_check_in(visit=visit, by=self.user))

    @action(detail=True, methods=["post"], url_path="receive/undo")
    def undo_receive(self, request: Request, pk: int) -> Response:
        """The wrong patient was taken over: the visit waits again; only while nothing more was done."""
        visit = self.found()
        self.read(NothingIn)
        return self.told(undo_receive(visit=visit, by=self.user))

    @action(detail=True, methods=["post"])
    def move(self, request: Request, pk: int) -> Response:
        """A step that records nothing but itself."""
        visit = self.found()
        to = self.read(visits_in.MoveIn)["to"]
        return self.told(move(visit=visit, to=to, by=self.user, expected=visit.stage))

    @action(detail=True, methods=["post"])
    def complaint(self, request: Request, pk: int) -> Response:
        """Confirm the chief complaint; the visit goes on along the route it sets."""
        visit = self.found()
        data = self.read(visits_in.ComplaintIn)
        data["text"] = data.pop("complaint_text")
        return self.told(confirm_complaint(visit=visit, by=self.user, expected=visit.stage, **data))

    @action(detail=True, methods=["post"], url_path="complaint/correct")
    def correct_complaint(self, request: Request, pk: int) -> Response:
        """Mend a complaint that was confirmed wrongly; the route follows while nothing was done on it."""
        visit = self.found()
        data = self.read(visits_in.ComplaintCorrectionIn)
        facts = {"complaint": data["complaint"], "text": data["complaint_text"]}
        return self.told(correct_complaint(visit=visit, by=self.user, **facts))

    @action(detail=True, methods=["post"])
    def unseen(self, request: Request, pk: int) -> Response:
        """The patient left without being seen."""
        visit = self.found()
        reason = self.read(visits_in.UnseenIn)["reason"]
        return self.told(leave_unseen(visit=visit, reason=reason, by=self.user, expected=visit.stage))

    @action(detail=True, methods=["post"], url_path="exams-complete")
    def exams_complete(self, request: Request, pk: int) -> Response:
        """Declare the exam data complete; refused with what is missing."""
        visit = self.found()
        self.read(NothingIn)
        return self.told(complete_exams(visit=visit, by=self.user))

    @action(detail=True, methods=["post"], url_path="send-to-exam")
    def send_to_exam(self, request: Request, pk: int) -> Response:
        """The doctor sends the patient to the exams ordered (doctor-first route)."""
        visit = self.found()
        self.read(NothingIn)
        return self.told(send_to_exam(visit=visit, by=self.user, expected=visit.stage))

    @action(detail=True, methods=["post"], url_path="leave-room")
    def leave_room(self, request: Request, pk: int) -> Response:
        """The doctor leaves; the coordinator explains from here on."""
        visit = self.found()
        self.read(NothingIn)
        return self.told(leave_room(visit=visit, by=self.user, expected=visit.stage))

    @action(detail=True, methods=["post"], url_path="leave-room/undo")
    def undo_leave_room(self, request: Request, pk: int) -> Response:
        """The doctor has not left after all; only while nothing was explained."""
        visit = self.found()
        self.read(NothingIn)
        return self.told(come_back(visit=visit, by=self.user))

    @action(detail=True, methods=["post"])
    def decision(self, request: Request, pk: int) -> Response:
        """Record the patient's decision and go on to leaving."""
        visit = self.found()
        answer = visits_in.answer_of(self.read(visits_in.DecisionIn))
        return self.told(take_decision(visit=visit, answer=answer, by=self.user, expected=visit.stage))

    @action(detail=True, methods=["post"], url_path="decision/undo")
    def undo_decision(self, request: Request, pk: int) -> Response:
        """The decision was recorded wrongly: until the visit has ended it stands at the decision again."""
        visit = self.found()
        self.read(NothingIn)
        return self.told(take_decision_back(visit=visit, by=self.user))

    @action(detail=True, methods=["post"])
    def classify(self, request: Request, pk: int) -> Response:
        """Classify the patient as the outcome of this visit; another class than suggested needs a reason."""
        visit = self.found()
        data = self.read(visits_in.ClassifyIn)
        leaving.classify_visit(
            visit=visit,
            by=self.user,
            code=data["class_code"],
            awareness=data["awareness"],
            trust=data["trust"],
            reason=data["reason"],
            suggestion=suggestion_of(visit, data["awareness"]),
        )
        return self.told(visit)

    @extend_schema(responses=visits_out.CheckoutLineOut(many=True), filters=False)
    @action(detail=True, methods=["get"])
    def checkout(self, request: Request, pk: int) -> Response:
        """What must be done before the patient leaves, and how each stands."""
        return self._checkout(self.found())

    @extend_schema(responses=visits_out.CheckoutLineOut(many=True))
    @action(detail=True, methods=["post"], url_path="checkout/item")
    def checkout_item(self, request: Request, pk: int) -> Response:
        """One must-do: done, undone, or let go with a reason. Answers with all of them."""
        visit, data = self.found(), self.read(visits_in.CheckoutIn)
        if data["do"] == "done":
            leaving.mark_done(visit=visit, code=data["code"], by=self.user, outcome=data["outcome"])
        elif data["do"] == "undo":
            leaving.undo_done(visit=visit, code=data["code"], by=self.user)
        else:
            leaving.let_go(visit=visit, code=data["code"], reason=data["reason"], by=self.user)
        return self._checkout(self.found())

    @extend_schema(responses=visits_out.CheckoutLineOut(many=True))
    @action(detail=True, methods=["post"], url_path="checkout/waiver")
    def waiver(self, request: Request, pk: int) -> Response:
        """The manager's word on what a coordinator asked to let go. Answers with all must-dos."""
        visit, data = self.found(), self.read(visits_in.WaiverIn)
        leaving.decide_waiver(visit=visit, by=self.user, **data)
        return self._checkout(self.found())

    @extend_schema(responses=visits_out.CheckoutLineOut(many=True))
    @action(detail=True, methods=["post"], url_path="checkout/waiver/undo")
    def undo_waiver(self, request: Request, pk: int) -> Response:
        """An approval was given wrongly: it waits for a manager again. Answers with all must-dos."""
        visit, data = self.found(), self.read(visits_in.WaiverUndoIn)
        leaving.take_approval_back(visit=visit, by=self.user, **data)
        return self._checkout(self.found())

    @action(detail=True, methods=["post"])
    def wechat(self, request: Request, pk: int) -> Response:
        """The patient, or a minor's guardian, was added on WeChat; the first time is kept."""
        visit, data = self.found(), self.read(WechatIn)
        add_wechat(patient=visit.patient, clinic=self.clinic, by=self.user, guardian=data["guardian"])
        return self.told(visit)

    @action(detail=True, methods=["post"], url_path="wechat/undo")
    def undo_wechat(self, request: Request, pk: int) -> Response:
        """They were not added after all; what waited for it is open again. A manager says so on a later day."""
        visit = self.found()
        self.read(NothingIn)
        take_wechat_back(patient=visit.patient, clinic=self.clinic, by=self.user)
        return self.told(visit)

    @action(detail=True, methods=["post"])
    def close(self, request: Request, pk: int) -> Response:
        """End the visit; every must-do has to be met."""
        visit = self.found()
        self.read(NothingIn)
        return self.told(leaving.close(visit=visit, by=self.user))

    @action(detail=True, methods=["post"])
    def error(self, request: Request, pk: int) -> Response:
        """Mark a visit that has ended as entered in error: it counts nowhere from now on."""
        visit = self.found()
        return self.told(mark_error(visit=visit, by=self.user, **self.read(visits_in.MistakeIn)))

    @extend_schema(responses=visits_out.StageChangeOut(many=True), filters=False)
    @action(detail=True, methods=["get"], url_path="stage-changes")
    def stage_changes(self, request: Request, pk: int) -> Response:
        """Every step of the visit: when, by whom and why; the oldest first."""
        rows = self.found().stage_changes.order_by("at", "id")
        return self.answer(visits_out.StageChangeOut(rows, many=True, context=self.serializer_context()).data)

    def _checkout(self, visit: Visit) -> Response:
        items = {item.code: item for item in visit.checkout_items.all()}
        told = [
            {
                "code": line.code,
                "state": line.state,
                "needs_manager": line.needs_manager,
                "is_met": line.met,
                "outcome": items[line.code].outcome if line.code in items else "",
                "waiver_reason": items[line.code].waiver_reason if line.code in items else "",
            }
            for line in checkout_lines(visit)
        ]
        return self.answer(told)
