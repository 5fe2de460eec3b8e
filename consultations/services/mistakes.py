"""A visit that was entered in error: it never counts, and what followed from it is taken back."""

from typing import Any

from django.db import transaction
from django.db.models import F
from django.utils import timezone
from django.utils.translation import gettext as _

from accounts.audit import record
from accounts.models import User
from accounts.permissions import Permission
from consultations.errors import Refused
from consultations.models import Consultation, Visit
from consultations.services.decision import status_left
from consultations.services.moves import locked, tell_ended, write_stage
from consultations.services.numbering import forget_last_day, forget_owner, recount_visits
from consultations.stages import Decision, Stage
from followups.models import Task
from followups.services.booking import expect_again
from followups.services.classes import set_class
from followups.services.playbooks import taken_back
from followups.services.referral_tasks import not_owed
from followups.services.tasks import close_tasks
from patients.models import ClassChange
from patients.services import care, word_of_mouth
from patients.services.referrals import reconsider_effective


@transaction.atomic
def mark_error(*, visit: Visit, reason: str, by: User) -> Visit:
    """Mark a visit that has ended as entered in error; when is kept, figures as of before still count it.

    Raises: Refused without a reason, or while the visit is under way. Idempotent.
    """
    if not reason.strip():
        raise Refused(_("Give the reason."))
    fresh = locked(visit)
    if fresh.is_open:
        raise Refused(_("End the visit first."))
    if not fresh.is_error:
        now = timezone.now()
        Visit.objects.filter(pk=fresh.pk).update(is_error=True, error_at=now, version=F("version") + 1, updated_at=now)
        record(action="visit_entered_in_error", clinic=fresh.clinic, by=by, subject=fresh, reason=reason[:200])
        fresh.refresh_from_db()
        tell_ended(fresh)
        _take_back(fresh, by=by)
    return fresh


def _take_back(visit: Visit, *, by: User) -> None:
    """Count the patient's visits, the case and the referral as if this visit had not been."""
    recount_visits(visit.patient_id)
    forget_last_day(visit)
    _reopen_case(visit)
    _take_tasks_back(visit, by=by)
    _expect_again_today(visit, by=by)
    _take_care_back(visit, by=by)
    _take_class_back(visit, by=by)
    if visit.received_at is not None:
        not_owed(reconsider_effective(patient=visit.patient), by=by)


def _take_tasks_back(visit: Visit, *, by: User) -> None:
    """Nobody asks how a treatment was that never was; what its decision closed is needed again.

    Unless the patient decided once more on a later visit.
    """
    care = Task.objects.for_clinic(visit.clinic_id).filter(dedupe_key=f"v{visit.pk}:care")
    close_tasks(care, reason=Task.Closed.BY_HAND, by=by, visit=visit.pk)
    if visit.decided_at is None or visit.decision == Decision.UNDECIDED:
        return
    visits = Visit.objects.for_clinic(visit.clinic_id).filter(patient=visit.patient_id, is_error=False)
    if not visits.filter(decided_at__gt=visit.decided_at).exists():
        taken_back(clinic=visit.clinic, patient=visit.patient, since=visit.decided_at, by=by)


def _take_care_back(visit: Visit, *, by: User) -> None:
    """What the checkout noted as done for the patient, or asked of them, was another's."""
    for code in care.OF_CHECKOUT:
        care.undo_of_checkout(patient=visit.patient, clinic=visit.clinic, code=code, visit=visit.pk, by=by)
    word_of_mouth.take_back(clinic=visit.clinic, patient=visit.patient, visit=visit.pk)


def _take_class_back(visit: Visit, *, by: User) -> None:
    """The patient stands as before the visit, by a correction; not when somebody has judged them since."""
    changes = ClassChange.objects.filter(patient=visit.patient_id).order_by("-at", "-id")
    last = changes.first()
    if last is None or last.pk != visit.classification_id:
        return
    before = changes.filter(at__lt=visit.arrived_at).first()
    set_class(
        patient=visit.patient,
        clinic=visit.clinic,
        code=before.new_class if before else "",
        awareness=before.awareness if before else None,
        trust=before.trust if before else None,
        by=by,
        reason=_("the visit was entered in error"),
        is_correction=True,
    )


def _expect_again_today(visit: Visit, *, by: User) -> None:
    """An appointment of today that the mistake used up can still be kept; earlier ones stay as they were told."""
    appointment = visit.appointment
    if appointment is None or appointment.starts_at < visit.clinic.day_bounds(visit.clinic.today())[0]:
        return
    Visit.objects.filter(pk=visit.pk).update(appointment=None)
    visit.appointment = None
    expect_again(appointment=appointment, by=by)


def _reopen_case(visit: Visit) -> None:
    """The case stands as its remaining visits leave it: their latest decision, their first reception."""
    standing = Visit.objects.filter(consultation=visit.consultation_id, is_error=False)
    first = standing.filter(received_at__isnull=False).order_by("received_at").first()
    facts: dict[str, Any] = {"first_received_at": first.received_at if first else None}
    if first is not None:
        facts["coordinator"] = first.coordinator_id
    if visit.decision:
        facts["status"] = status_left(visit.consultation_id)
    Consultation.objects.filter(pk=visit.consultation_id).update(**facts)


@transaction.atomic
def undo_check_in(*, visit: Visit, by: User) -> Visit:
    """The wrong patient was checked in: the visit never was, and the appointment is expected again.

    Only until a coordinator has received the patient. Raises: StageConflict with who did.
    """
    fresh = locked(visit, expected=Stage.ARRIVED)
    appointment, now = fresh.appointment, timezone.now()
    why = _("checked in by mistake")
    ended = write_stage(
        visit=fresh,
        to=Stage.LEFT_UNSEEN,
        by=by,
        reason=why,
        unseen_reason=why,
        appointment=None,
        is_error=True,
        error_at=now,
    )
    record(action="visit_entered_in_error", clinic=ended.clinic, by=by, subject=ended, reason=why)
    recount_visits(ended.patient_id)
    forget_last_day(ended)
    if appointment is not None:
        expect_again(appointment=appointment, by=by)
    return ended


@transaction.atomic
def undo_receive(*, visit: Visit, by: User) -> Visit:
    """The wrong patient was taken over: the visit waits again, and what the reception set is as before.

    Only while nothing more was done. Raises: StageConflict with who went on; Refused for a colleague's reception.
    """
    fresh = locked(visit, expected=Stage.RECEIVED)
    if fresh.coordinator_id != by.pk and not by.may(Permission.APPROVE_WAIVER, fresh.clinic_id):
        raise Refused(_("%(who)s has received the patient.") % {"who": fresh.coordinator})
    received_at, coordinator = fresh.received_at, fresh.coordinator_id
    back = write_stage(
        visit=fresh, to=Stage.ARRIVED, by=by, reason=_("reception taken back"), coordinator=None, received_at=None
    )
    recount_visits(back.patient_id)
    case = Consultation.objects.filter(pk=back.consultation_id, first_received_at=received_at)
    case.update(first_received_at=None, coordinator=None)
    forget_owner(back, owner=coordinator, since=received_at)
    not_owed(reconsider_effective(patient=back.patient), by=by)
    back.refresh_from_db()
    return back
