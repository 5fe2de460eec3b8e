"""One month of an invented clinic with something for every key figure; the counts are for others to know."""

from dataclasses import dataclass, field
from datetime import date, datetime, timedelta

from accounts.models import Clinic, User
from accounts.permissions import Role
from consultations.models import Consultation, Visit
from consultations.stages import Stage
from followups.models import Appointment, AppointmentChange
from metrics.models import EtiquetteInspection, EtiquetteRubric
from patients.models import ComplaintCase, Patient
from tests.factories import (
    AppointmentFactory,
    ClassChangeFactory,
    ClinicFactory,
    PatientFactory,
    ReferralFactory,
    TeamFactory,
    UserFactory,
    VisitFactory,
)

MONTH = date(2026, 10, 1)
AFTER = datetime.fromisoformat("2026-11-10T10:00:00+08:00")
SCORES = (82, 94, 91)


@dataclass
class Story:
    """A clinic with two coordinators, a manager, and its October."""

    clinic: Clinic = field(default_factory=ClinicFactory)

    def __post_init__(self) -> None:
        team = TeamFactory(clinic=self.clinic)
        self.one: User = UserFactory(clinic=self.clinic, role=Role.COORDINATOR, team=team)
        self.two: User = UserFactory(clinic=self.clinic, role=Role.COORDINATOR)
        self.doctor: User = UserFactory(clinic=self.clinic, role=Role.DOCTOR)
        self.manager: User = UserFactory(clinic=self.clinic, role=Role.MANAGER, current_clinic=self.clinic)
        self.visits = [
            self.visit(self.one, 5, "undecided", classified=True, booked=True),
            self.visit(self.one, 6, "accepted", booked=True),
            self.visit(self.two, 7, "refused", formed=False),
            self.visit(self.two, 8, "deposit", booked=True, linked=True),
            self.visit(self.two, 9, "no_treatment", formed=False),
        ]
        self.cancel(self.visits[0].next_appointment)
        self.scored()
        patient = self.visits[1].patient
        times = {"created_at": self.at(6), "effective_at": self.at(7)}
        ReferralFactory(clinic=self.clinic, referrer=patient, referred=self.visits[3].patient, **times)
        facts = {"category": "waiting", "source": "phone", "what": "等了很久", "number": "C1", "about": self.two}
        ComplaintCase.objects.create(
            clinic=self.clinic, patient=patient, received_at=self.at(12), due_at=self.at(13), **facts
        )

    def at(self, day: int, hour: float = 10, month: int = 10) -> datetime:
        start = self.clinic.day_bounds(date(2026, month, day))[0]
        return start + timedelta(hours=hour)

    def visit(
        self, who: User, day: int, decision: str, *, classified: bool = False, booked: bool = False,
        formed: bool = True, linked: bool = False,
    ) -> Visit:  # fmt: skip
        """A first visit on a day of October, ended."""
        at = self.at(day)
        patient = PatientFactory(clinic=self.clinic, reg_owner=who)
        if linked:
            Patient.objects.filter(pk=patient.pk).update(wechat_linked_at=at + timedelta(hours=1))
        status = {"undecided": "open"}.get(decision, decision)
        case = Consultation.objects.create(
            clinic=self.clinic, patient=patient, complaint="implant", complaint_text="左下后牙缺失一年", status=status,
            coordinator=who, first_received_at=at, opened_at=at,
        )  # fmt: skip
        facts = {"decision": decision, "decided_at": at + timedelta(minutes=50), "decision_amount": 8000}
        facts |= {"deposit_amount": 500} if decision == "deposit" else {}
        facts |= {"form_completed_at": at + timedelta(minutes=10)} if formed else {}
        if classified:
            change = ClassChangeFactory(
                clinic=self.clinic, patient=patient, new_class="C-D", awareness=3, trust=3, at=at + timedelta(hours=1),
                by=who,
            )  # fmt: skip
            facts |= {"classification": change, "classified_at": change.at}
            Patient.objects.filter(pk=patient.pk).update(class_code="C-D")
        if booked:
            facts |= {"next_appointment": self.appointment(patient, who, at), "next_appointment_made_at": at}
        return VisitFactory(
            clinic=self.clinic, patient=patient, consultation=case, coordinator=who, doctor=self.doctor, is_first=True,
            stage=Stage.CLOSED, arrived_at=at - timedelta(minutes=5), received_at=at,
            handoff_at=at + timedelta(minutes=20), explaining_started_at=at + timedelta(minutes=30),
            left_at=at + timedelta(minutes=70), **facts,
        )  # fmt: skip

    def appointment(self, patient: Patient, who: User, made: datetime) -> Appointment:
        """The next one, ten days later."""
        starts = made + timedelta(days=10)
        booked = AppointmentFactory(
            clinic=self.clinic, patient=patient, doctor=self.doctor, starts_at=starts,
            ends_at=starts + timedelta(minutes=30), created_by=who, created_at=made,
        )  # fmt: skip
        AppointmentChange.objects.create(appointment=booked, new_status="booked", at=made, by=who)
        return booked

    def cancel(self, appointment: Appointment) -> None:
        """The patient cancels it a day before."""
        at = appointment.starts_at - timedelta(days=1)
        told = {"old_status": "booked", "new_status": "cancelled_patient", "at": at, "is_late": False}
        AppointmentChange.objects.create(appointment=appointment, **told)
        facts = {"status": "cancelled_patient", "ended_at": at, "is_late": False, "holds_slot": False}
        Appointment.objects.filter(pk=appointment.pk).update(**facts)

    def scored(self) -> None:
        """The manager inspected three visits."""
        items = [{"code": "greeting", "label": "Greeting", "label_zh": "问候", "points": 100}]
        rubric = EtiquetteRubric.objects.create(clinic=self.clinic, kind="visit", version=1, items=items)
        for visit, score in zip(self.visits, SCORES, strict=False):
            EtiquetteInspection.objects.create(
                clinic=self.clinic, rubric=rubric, staff=visit.coordinator, visit=visit, patient=visit.patient,
                answers={}, score=score, inspected_at=visit.left_at, inspected_by=self.manager,
            )  # fmt: skip

    def late_facts(self) -> None:
        """What is recorded in November about October: it changes the live figures alone."""
        late = self.at(3, month=11)
        refused = self.visits[2]
        Consultation.objects.filter(pk=refused.consultation_id).update(status="accepted")
        self.visit_again(refused, late)

    def visit_again(self, visit: Visit, at: datetime) -> Visit:
        """The same case comes back and accepts."""
        facts = {"decision": "accepted", "decided_at": at + timedelta(hours=1), "decision_amount": 9000}
        return VisitFactory(
            clinic=self.clinic, patient=visit.patient, consultation=visit.consultation, coordinator=visit.coordinator,
            doctor=self.doctor, is_first=False, number=2, stage=Stage.CLOSED, arrived_at=at, received_at=at,
            handoff_at=at, left_at=at + timedelta(hours=2), **facts,
        )  # fmt: skip
