"""What a visit that has ended leaves to be done: the playbook's next steps, and care notices for the nurses."""

from datetime import datetime, time, timedelta

from django.utils.translation import gettext as _

from accounts.models import User
from accounts.permissions import Role
from consultations.models import Plan, Visit
from consultations.stages import Decision
from followups.errors import Refused
from followups.models import Appointment, ContactChannel, TaskKind
from followups.playbook_sets import CARE_SCRIPT
from followups.services import playbooks
from followups.services.tasks import create_task
from patients.classification import SPECIALIST, Complaint

# After these somebody asks the next day how it went ([S1]: denture fitting and aftercare are the nurses').
CARED_FOR = {
    Complaint.PROSTHODONTICS: "义齿配戴护理",
    Complaint.IMPLANT: "种植术后护理",
    Complaint.EXTRACTION: "拔牙术后护理",
}
DECIDED = frozenset({Decision.ACCEPTED, Decision.DEPOSIT})
SAME_DAY = frozenset({"today", "waiting"})  # the latter waits for the doctor


def plan_words(visit: Visit) -> str:
    """Return what the plan an undecided patient took home is called; empty without one.

    Without its price: tasks carry the words, and people read tasks who see no money.
    """
    plan = Plan.objects.filter(visit=visit, finished_at__isnull=False, no_treatment=False).first()
    if plan is None or visit.decision != Decision.UNDECIDED:
        return ""
    return (plan.title or _("Plan"))[:80]


def was_treated(visit: Visit) -> bool:
    """Tell whether the patient was treated on this visit: it was booked for treatment, or treated the same day.

    Specialist items never are the same day: a deposit is taken and the treatment booked (DOMAIN §2.10).
    """
    if visit.decision not in DECIDED:
        return False
    if visit.appointment is not None and visit.appointment.kind == Appointment.Kind.TREATMENT:
        return True
    return visit.treat_today in SAME_DAY and visit.consultation.complaint not in SPECIALIST


def follow_up(visit: Visit, *, by: User) -> None:
    """Hand an ended visit over to the follow-ups; call inside the transaction that ends it."""
    at = visit.left_at
    if at is None:
        return
    playbooks.left(clinic=visit.clinic, patient=visit.patient, at=at, by=by, plan=plan_words(visit))
    title = CARED_FOR.get(Complaint(visit.consultation.complaint)) if visit.consultation.complaint else None
    if title is None or not was_treated(visit):
        return
    tomorrow = at.astimezone(visit.clinic.tz).date() + timedelta(days=1)
    try:
        create_task(
            clinic=visit.clinic,
            patient=visit.patient,
            kind=TaskKind.CARE,
            title=title,
            due_at=datetime.combine(tomorrow, time(10), visit.clinic.tz),
            by=by,
            owner_role=Role.NURSE,
            channel=ContactChannel.PHONE,
            script=CARE_SCRIPT,
            doctor=visit.doctor,
            dedupe_key=f"v{visit.pk}:care",
        )
    except Refused:
        return  # the patient does not want to be contacted
