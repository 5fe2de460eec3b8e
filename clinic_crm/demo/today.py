"""A lively today: visits standing at every stage, some over their limit, others to come or gone."""

from datetime import datetime, timedelta

from clinic_crm.demo.calendar import furnish
from clinic_crm.demo.history import History
from clinic_crm.demo.pictures import draw_pictures
from clinic_crm.demo.staff import DemoClinic
from clinic_crm.demo.story import Case
from consultations.stages import Stage
from followups.models import Appointment
from patients.classification import Complaint

# Stage, minutes in it (some over the limit), and the complaint where it matters.
IMPLANT, BRACES = Complaint.IMPLANT, Complaint.ORTHODONTICS
STANDING: tuple[tuple[str, int, str], ...] = (
    (Stage.ARRIVED, 14, Complaint.PAIN), (Stage.ARRIVED, 4, ""), (Stage.ARRIVED, 2, ""), (Stage.RECEIVED, 5, ""),
    (Stage.INTAKE, 8, IMPLANT), (Stage.COMPLAINT, 3, BRACES), (Stage.EXAM, 18, IMPLANT), (Stage.EXAM, 9, BRACES),
    (Stage.CONSULTING, 6, ""), (Stage.HANDOFF, 12, IMPLANT), (Stage.DOCTOR, 12, IMPLANT), (Stage.DOCTOR, 38, ""),
    (Stage.DOCTOR, 5, ""), (Stage.EXPLAINING, 41, IMPLANT), (Stage.EXPLAINING, 72, BRACES), (Stage.DECISION, 6, ""),
    (Stage.LEAVING, 5, ""), (Stage.LEAVING, 2, ""),
)  # fmt: skip
EXPECTED_IN = (4, 18, 33, 48, 63, 78, 110, 150, 210)  # minutes from now
GONE = 6
YESTERDAY = 9


class Today:
    """Adds today's visits and appointments of one clinic to a history's rows."""

    def __init__(self, history: History, group: DemoClinic) -> None:
        self.history = history
        self.group = group

    def tell(self) -> None:
        """Add everything; the caller writes it."""
        self.history.pictures = draw_pictures()
        for index, (stage, minutes, wanted) in enumerate(STANDING):
            self._standing(index, stage, minutes, wanted)
        for index in range(GONE):
            self._gone(index, self.history.now - timedelta(minutes=200 + 17 * index), booked=index != 3)
        for index in range(YESTERDAY):
            day = self.history.now.astimezone(self.group.clinic.tz) - timedelta(days=1)
            start = day.replace(hour=9 + index % 7, minute=30 * (index % 2), second=0, microsecond=0)
            self._gone(index, start, booked=index not in {2, 5})
        for index, minutes in enumerate(EXPECTED_IN):
            self._expected(index, minutes)
        furnish(self.history, self.group)

    def _case(self, index: int, wanted: str = "") -> Case:
        case = self.history.person(self.group, wanted=wanted)
        case.coordinator = self.group.coordinators[index % 2 and index % len(self.group.coordinators)]
        case.doctor = self.group.doctors[index % len(self.group.doctors)]
        return case

    def _standing(self, index: int, stage: str, minutes: int, wanted: str) -> None:
        case = self._case(index, wanted)
        now = self.history.now
        self.history.story(self.group).tell(case, start=now - timedelta(minutes=minutes), stop=stage)
        registration = self.history.registrations[case.patient.pk]
        registration.active_at, registration.last_visit_on = now, now.date()

    def _gone(self, index: int, start: datetime, *, booked: bool) -> None:
        case = self._case(index)
        history = self.history
        visit = history.story(self.group).tell(case, start=start)
        assert visit.left_at is not None  # it was told to its end
        registration = history.registrations[case.patient.pk]
        registration.active_at, registration.last_visit_on = visit.left_at, start.date()
        if booked:
            later = history.opening(history.now + timedelta(days=7 + index), self.group)
            visit.next_appointment = history.promise(self.group, case, later, made_at=visit.left_at)
            visit.next_appointment_made_at = visit.left_at - timedelta(minutes=2)

    def _expected(self, index: int, minutes: int) -> None:
        case = self._case(index)
        start = _half_hour(self.history.now + timedelta(minutes=minutes))
        row = self.history.promise(self.group, case, start, made_at=self.history.now - timedelta(days=3))
        row.kind = Appointment.Kind.FIRST
        if index % 2 == 0:
            row.status = Appointment.Status.CONFIRMED


def _half_hour(moment: datetime) -> datetime:
    """Return the next half hour on or after `moment`."""
    late = moment.minute % 30
    return (moment + timedelta(minutes=(30 - late) % 30)).replace(second=0, microsecond=0)
