"""Which function fills which stage's panel of the visit page."""

from collections.abc import Callable
from typing import Any

from accounts.access import StaffRequest
from accounts.models import Clinic
from consultations.models import Visit
from consultations.stages import Stage
from consultations.views import desk, doctor, exams, handoff, intake

PanelBuilder = Callable[[StaffRequest, Clinic, Visit], dict[str, Any]]

PANELS: dict[str, PanelBuilder] = {
    Stage.ARRIVED: desk.arrived_panel,
    Stage.RECEIVED: desk.received_panel,
    Stage.INTAKE: intake.intake_panel,
    Stage.EXAM: exams.exam_panel,
    Stage.COMPLAINT: desk.complaint_panel,
    Stage.CONSULTING: desk.consulting_panel,
    Stage.HANDOFF: handoff.handoff_panel,
    Stage.DOCTOR: doctor.doctor_panel,
    Stage.EXPLAINING: desk.explaining_panel,
    Stage.DECISION: desk.decision_panel,
    Stage.LEAVING: desk.leaving_panel,
    Stage.CLOSED: desk.closed_panel,
    Stage.LEFT_UNSEEN: desk.closed_panel,
}

# Who besides the coordinator may open a stage's panel: the name of a permission.
READERS: dict[str, str] = {Stage.EXAM: "capture_exam", Stage.HANDOFF: "read_handoff", Stage.DOCTOR: "read_handoff"}
