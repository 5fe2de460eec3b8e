"""A visit brought to the doctor, for tests of handoff, findings and plan."""

from typing import Any

from django.utils import timezone

from accounts.models import User
from accounts.permissions import Role
from consultations.models import Plan, Visit
from consultations.plan_rules import ItemDraft, OptionDraft, PlanDraft
from consultations.services import handoff, plans
from consultations.services.handoff import Content
from tests.factories import ClinicFactory, UserFactory, VisitFactory


class Room:
    """One clinic with a coordinator and a doctor, and visits as far as a test needs them."""

    def __init__(self) -> None:
        self.clinic = ClinicFactory()
        self.tc: User = UserFactory(clinic=self.clinic, role=Role.COORDINATOR, full_name="曹素铭")
        self.doctor: User = UserFactory(clinic=self.clinic, role=Role.DOCTOR, full_name="谢美林")

    def person(self, role: str) -> User:
        user: User = UserFactory(clinic=self.clinic, role=role)
        return user

    def visit(self, stage: str = "handoff", complaint: str = "implant", **columns: Any) -> Visit:
        """A first visit of somebody new, standing before the handoff."""
        now = timezone.now()
        facts = {"received_at": now, "form_completed_at": now, "complaint_confirmed_at": now, "exams_completed_at": now}
        people = {"coordinator": self.tc, "doctor": self.doctor}
        all_columns = {"stage": stage, "route": "exam_first"} | facts | people | columns
        visit: Visit = VisitFactory(clinic=self.clinic, **all_columns)
        visit.consultation.complaint = complaint
        visit.consultation.save()
        return visit

    def sent(self, visit: Visit | None = None, **content: Any) -> Visit:
        """A visit whose note was given to the doctor."""
        return handoff.send(visit=visit or self.visit(), content=note(**content), version=0, doctor=None, by=self.tc)

    def acknowledged(self, visit: Visit | None = None) -> Visit:
        return handoff.acknowledge(visit=visit or self.sent(), version=1, by=self.doctor)

    def planned(self, visit: Visit | None = None, **content: Any) -> tuple[Visit, Plan]:
        """A visit with the doctor, whose plan is a draft."""
        here = visit or self.acknowledged()
        return here, plans.save_plan(visit=here, draft=draft(**content), version=0, by=self.doctor)

    def explaining(self, visit: Visit | None = None) -> tuple[Visit, Plan]:
        """A visit whose doctor has left, with the plan to explain."""
        here, _plan = self.planned(visit)
        left = plans.leave_room(visit=here, by=self.doctor)
        return left, stored(left)


def stored(visit: Visit) -> Plan:
    plan = plans.plan_of(visit)
    assert plan is not None
    return plan


def note(**changes: Any) -> Content:
    """A note that is whole, for a class that is suggested."""
    whole = {
        "class_code": "C-C",
        "awareness": 2,
        "trust": 3,
        "opinion": "左侧不敢咬硬物",
        "told_patient": "缺牙久了邻牙会倒；能不能种由医生看",
        "stress_points": ("能不能种，当面给结论", "先控制牙周"),
        "wished_words": "片子我看过。费用和时间由曹老师陪您细看。",
    }
    return Content(**(whole | changes))


def draft(**changes: Any) -> PlanDraft:
    """A plan with two options, the first of two items."""
    implant = OptionDraft(
        name="种植单冠",
        is_suggested=True,
        duration="约 4 个月",
        pain=2,
        items=(ItemDraft("种植体植入", (36,), 1, 3), ItemDraft("全瓷冠", (36,), 1, 2)),
    )
    bridge = OptionDraft(name="三单位固定桥", pain=0, items=(ItemDraft("固定桥", (35, 36, 37), 3, 3),))
    whole = {"title": "左下第一磨牙缺失", "findings": "36 缺失", "options": (implant, bridge)}
    return PlanDraft(**(whole | changes))


def signature() -> str:
    """What a pen draws: two strokes."""
    stroke = "M10 20" + "".join(f"L{10 + 9 * step} {20 + step % 3 * 7}" for step in range(12))
    return stroke + "M200 30L210.5 60L220 90"


def posted(**changes: Any) -> dict[str, Any]:
    """The fields of the note's form."""
    content = note(**{name: value for name, value in changes.items() if name in Content.__dataclass_fields__})
    names = ("class_code", "class_reason", "awareness", "trust", "opinion", "told_patient", "situation", "wished_words")
    fields: dict[str, Any] = {name: getattr(content, name) for name in names}
    fields = {name: "" if value is None else value for name, value in fields.items()}
    fields |= {"stress_points": list(content.stress_points), "version": 0, "attach_form": "on"}
    return fields | {name: value for name, value in changes.items() if name not in Content.__dataclass_fields__}
