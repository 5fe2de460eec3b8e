"""Confirming the chief complaint, which sets the route (stage 4)."""

from django.db import transaction
from django.db.models import Exists, OuterRef, QuerySet
from django.utils import timezone
from django.utils.translation import gettext as _

from accounts.audit import record
from accounts.models import User
from consultations.errors import Refused
from consultations.models import Consultation, Visit
from consultations.services.moves import locked, move, out_of_order, write_stage
from consultations.stages import Route, Stage, route_for
from patients.models import Registration

BEFORE = (Stage.RECEIVED, Stage.INTAKE, Stage.COMPLAINT)
BEGINS = {Route.EXAM_FIRST: Stage.EXAM, Route.DOCTOR_FIRST: Stage.CONSULTING}  # where a route leads first


@transaction.atomic
def confirm_complaint(
    *,
    visit: Visit,
    complaint: str,
    text: str,
    by: User,
    route: str = "",
    route_reason: str = "",
    new_case: bool = False,
    rejoins: Consultation | None = None,
    expected: str | None = None,
) -> Visit:
    """Record the confirmed complaint and take the visit to the next stage of its route.

    Args: route: another route than the complaint sets, which needs `route_reason`; new_case: the complaint
    is a new one, so a return visit leaves the earlier consultation for one of its own; rejoins: an earlier
    consultation of the patient here that this visit rechecks, which a walk-in could not tell at the desk.
    Raises: Refused without a reason for another route or for another patient's consultation; MoveRefused before reception or after the complaint
    stage; StageConflict.
    Source: DOMAIN §2.4, [S1].
    """
    fresh = locked(visit, expected=expected)
    if fresh.stage not in BEFORE:
        raise out_of_order(fresh)
    set_route = route_for(complaint)
    chosen = route or set_route
    if chosen != set_route and not route_reason.strip():
        raise Refused(_("Another route than the complaint sets needs a reason."))
    while fresh.stage != Stage.COMPLAINT:
        following = Stage.INTAKE if fresh.stage == Stage.RECEIVED else Stage.COMPLAINT
        fresh = move(visit=fresh, to=following, by=by)
    left = fresh.consultation
    if rejoins is not None:
        fresh.consultation = _rejoined(fresh, rejoins)
    case = _case(fresh, complaint, text, by, new_case=new_case)
    fresh.complaint_confirmed_at = fresh.complaint_confirmed_at or timezone.now()
    fresh.route = chosen
    fresh.route_reason = route_reason.strip() if chosen != set_route else ""
    fresh.consultation = case
    fresh.save(update_fields=["complaint_confirmed_at", "route", "route_reason", "consultation", "updated_at"])
    if rejoins is not None and left.pk != case.pk and not left.visits.exists():
        left.delete()  # opened at the desk for this visit alone
    Registration.objects.for_clinic(fresh.clinic_id).filter(patient=fresh.patient_id).update(complaint=text[:200])
    return move(visit=fresh, to=BEGINS[Route(chosen)], by=by, expected=Stage.COMPLAINT)


def earlier_cases(visit: Visit) -> QuerySet[Consultation]:
    """Return the patient's other consultations here that a visit could recheck, the latest first (one query)."""
    seen = Visit.objects.filter(consultation=OuterRef("pk"), received_at__isnull=False, is_error=False)
    over = (Consultation.Status.LOST, Consultation.Status.NO_TREATMENT)
    rows = Consultation.objects.for_clinic(visit.clinic_id).filter(Exists(seen), patient=visit.patient_id)
    found: QuerySet[Consultation] = rows.exclude(pk=visit.consultation_id).exclude(status__in=over)
    return found.order_by("-opened_at", "-id")


def _rejoined(visit: Visit, case: Consultation) -> Consultation:
    """Return the consultation that the visit rechecks, locked."""
    if case.pk == visit.consultation_id:
        return visit.consultation
    found = earlier_cases(visit).select_for_update(of=("self",)).filter(pk=case.pk).first()
    if found is None:
        raise Refused(_("Choose one of this patient's earlier complaints."))
    return found


def _case(visit: Visit, complaint: str, text: str, by: User, *, new_case: bool) -> Consultation:
    """Return the consultation of the visit with the complaint written to it."""
    case = visit.consultation
    if new_case and case.visits.exclude(pk=visit.pk).exists():
        return Consultation.objects.create(
            clinic=visit.clinic,
            patient=visit.patient,
            complaint=complaint,
            complaint_text=text,
            coordinator=by,
            first_received_at=visit.received_at,
        )
    case.complaint = complaint
    case.complaint_text = text
    case.save(update_fields=["complaint", "complaint_text"])
    return case


@transaction.atomic
def correct_complaint(*, visit: Visit, complaint: str, text: str, by: User) -> Visit:
    """Mend a complaint that was confirmed wrongly, while the patient is still here; kept in the audit log.

    The route follows it while nothing was done on it yet; one that was begun, or chosen with a reason, stays.
    Raises: Refused before the complaint was confirmed, or once the visit has ended.
    """
    fresh = locked(visit)
    if fresh.complaint_confirmed_at is None or not fresh.is_open:
        raise Refused(_("A confirmed complaint is corrected until the visit has ended."))
    case = Consultation.objects.select_for_update().get(pk=fresh.consultation_id)
    if (case.complaint, case.complaint_text) == (complaint, text):
        return fresh
    record(action="visit_complaint_corrected", clinic=fresh.clinic, by=by, subject=fresh, was=case.complaint)
    case.complaint, case.complaint_text = complaint, text
    case.save(update_fields=["complaint", "complaint_text"])
    Registration.objects.for_clinic(fresh.clinic_id).filter(patient=fresh.patient_id).update(complaint=text[:200])
    route = route_for(complaint)
    begun = fresh.handoff_at or fresh.stage != BEGINS[Route(fresh.route)] or fresh.exams.exists()
    if route != fresh.route and not fresh.route_reason and not begun:
        return write_stage(visit=fresh, to=BEGINS[route], by=by, reason=_("complaint corrected"), route=route)
    fresh.version += 1  # who read the visit before knows another complaint
    fresh.save(update_fields=["version", "updated_at"])
    return fresh
