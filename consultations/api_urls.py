"""The visit in the REST API."""

from accounts.api.routes import Router
from consultations.api.intake import ExamFiles, ExamKinds, Exams, Forms
from consultations.api.notes import HandoffQuestions, Handoffs, ToothFindings
from consultations.api.plans import Plans
from consultations.api.refunds import Refunds
from consultations.api.visits import Consultations, Visits

router = Router()
router.register("consultations", Consultations, "consultation")
router.register("visits", Visits, "visit")
router.register("forms", Forms, "form")
router.register("exam-kinds", ExamKinds, "exam_kind")
router.register("exams", Exams, "exam")
router.register("exam-files", ExamFiles, "exam_file")
router.register("handoffs", Handoffs, "handoff")
router.register("handoff-questions", HandoffQuestions, "handoff_question")
router.register("tooth-findings", ToothFindings, "tooth_finding")
router.register("plans", Plans, "plan")
router.register("refunds", Refunds, "refund")

urlpatterns = router.urls
