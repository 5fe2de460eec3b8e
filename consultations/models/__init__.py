"""What happens in the room: consultations, visits and everything recorded in them."""

from consultations.models.checkout import CheckoutItem
from consultations.models.content import ExamKind, FormTemplate, Script
from consultations.models.exam import Exam, ExamFile
from consultations.models.form import ConsultationForm
from consultations.models.handoff import Handoff, HandoffQuestion
from consultations.models.plan import Plan, PlanItem, PlanOption, ToothFinding
from consultations.models.refund import Refund
from consultations.models.undecided import UndecidedCase, UndecidedMark
from consultations.models.visit import Consultation, StageChange, Visit

__all__ = [
    "CheckoutItem",
    "Consultation",
    "ConsultationForm",
    "Exam",
    "ExamFile",
    "ExamKind",
    "FormTemplate",
    "Handoff",
    "HandoffQuestion",
    "Plan",
    "PlanItem",
    "PlanOption",
    "Refund",
    "Script",
    "StageChange",
    "ToothFinding",
    "UndecidedCase",
    "UndecidedMark",
    "Visit",
]
