"""What the second half of the menu shows: complaints, a second opinion on classes, care given, thanks owed, reminders."""

from datetime import timedelta
from itertools import cycle
from typing import Any

from django.utils import timezone

from accounts.models import Clinic, User
from accounts.permissions import Role
from followups.models import Appointment
from followups.services import complaint_acts, complaints, reminders
from followups.services.complaints import NewComplaint
from patients.errors import Refused
from patients.models import CareAction, ClassAuditItem, ComplaintCase, Patient, Referral
from patients.services import audits
from patients.services.care import record_care
from patients.services.thanks import owe

STANDING = 6  # classifications judged a second time
REMINDED = 30


def _people(clinic: Clinic, role: str) -> list[User]:
    rows = User.objects.filter(memberships__clinic=clinic, memberships__role=role, memberships__is_active=True)
    return list(rows.order_by("pk"))


def tell_reputation(clinic: Clinic) -> None:
    """Add them to a clinic that has its history and its today."""
    managers, coordinators = _people(clinic, Role.MANAGER), _people(clinic, Role.COORDINATOR)
    patients = list(Patient.objects.for_clinic(clinic).exclude(class_code="").order_by("pk")[:40])
    if not managers or not coordinators or len(patients) < 8:
        return
    _complaints(clinic, patients, managers[0], coordinators[0], _people(clinic, Role.DOCTOR)[0])
    _second_opinion(clinic, managers[0], coordinators)
    _care(clinic, patients, coordinators[0])
    for referral in Referral.objects.filter(clinic=clinic, effective_at__isnull=False).order_by("-effective_at")[:6]:
        owe(referral)
    coming = Appointment.objects.for_clinic(clinic).with_people().select_related("clinic").expected()
    for appointment in coming.filter(starts_at__gt=timezone.now()).order_by("starts_at")[:REMINDED]:
        reminders.plan(appointment)


def _complaints(clinic: Clinic, patients: list[Patient], manager: User, tc: User, doctor: User) -> None:
    def taken(patient: Patient | None, hours: int, by: User | None, **facts: Any) -> ComplaintCase:
        case = complaints.take(clinic=clinic, details=NewComplaint(**facts), patient=patient, by=by)
        moment = timezone.now() - timedelta(hours=hours)
        ComplaintCase.objects.filter(pk=case.pk).update(received_at=moment, due_at=case.due_at - timedelta(hours=hours))
        return case

    late = taken(
        patients[1], 50, tc, category="waiting", severity="high", source="phone", about=doctor,
        what="约的十点，等到十一点二十才进诊室，问了两次都说马上，没有人解释。", wish="下次准时，给一个说法",
    )  # fmt: skip
    complaint_acts.note(case=late, text="已致电致歉，说明当天有急诊；患者希望书面回复。", replied=True, by=manager)
    taken(
        None, 5, None, category="environment", severity="low", source="public_link", what="候诊区空调太冷，卫生间没有纸。"
    )  # fmt: skip
    settled = taken(
        patients[3],
        120,
        tc,
        category="explanation",
        severity="low",
        source="patient_page",
        what="方案没讲清楚要来几次。",
    )
    settled.refresh_from_db()
    complaint_acts.close(
        case=settled, outcome="explained", upheld=False, version=settled.version, by=manager, text="重新讲解方案，患者理解。"
    )  # fmt: skip


def _second_opinion(clinic: Clinic, manager: User, coordinators: list[User]) -> None:
    """The manager draws a sample of a coordinator's classes; the first few were judged a second time."""
    today = clinic.today()
    for coordinator in coordinators[1:]:
        try:
            audit = audits.draw(
                clinic=clinic, coordinator=coordinator, month=today.replace(day=1), size=12, by=manager, seed=7
            )
        except Refused:
            continue
        items = ClassAuditItem.objects.filter(audit=audit).select_related("class_change").order_by("position")
        for number, item in enumerate(items[:STANDING]):
            other = "C-D" if number == STANDING - 2 else item.class_change.new_class
            audits.rate(item=item, rated_class=other, awareness=item.class_change.awareness, by=coordinators[0])
        return


def _care(clinic: Clinic, patients: list[Patient], tc: User) -> None:
    kinds = cycle(CareAction.Kind.values)
    for number, patient in enumerate(patients[:24]):
        moment = timezone.now() - timedelta(days=150 - 6 * number)
        record_care(patient=patient, clinic=clinic, kind=next(kinds), by=tc, at=moment)
