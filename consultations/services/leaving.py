"""Checkout (stage 11): what is done, what is let go and by whom, and ending the visit."""

from typing import Any

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from accounts.audit import record
from accounts.models import User
from accounts.permissions import Permission
from consultations import checkout
from consultations.errors import MoveRefused, Refused
from consultations.models import CheckoutItem, Visit
from consultations.services.aftermath import follow_up
from consultations.services.facts import checkout_lines, later_appointment
from consultations.services.moves import locked, move
from consultations.stages import Missing, Stage
from followups.models import Appointment
from followups.services.classes import set_class
from patients.models import ClassChange
from patients.services import care, word_of_mouth


def _item(visit: Visit, code: str) -> CheckoutItem:
    """Return the row of a must-do of this visit, made when missing. Raises Refused for one it does not have."""
    if code not in checkout.must_dos(decision=visit.decision, class_code=visit.patient.class_code):
        raise Refused(_("This visit does not ask for that."))
    item, _created = CheckoutItem.objects.get_or_create(visit=visit, code=code)
    return item


def _at_leaving(visit: Visit) -> Visit:
    fresh = locked(visit)
    if fresh.stage != Stage.LEAVING:
        raise MoveRefused([Missing.ORDER])
    return fresh


@transaction.atomic
def mark_done(*, visit: Visit, code: str, by: User, outcome: str = "", note: str = "") -> CheckoutItem:
    """Record that a must-do was done, with its outcome (word of mouth: moments, friends, dianping, declined).

    Raises: Refused for next appointment, WeChat and class, which are met by their facts and not by a tick.
    """
    if code in checkout.MANAGER_ONLY:
        raise Refused(_("This visit does not ask for that."))
    item = _item(_at_leaving(visit), code)
    item.done_at = timezone.now()
    item.done_by = by
    item.outcome = outcome[:40]
    item.note = note[:200]
    item.save(update_fields=["done_at", "done_by", "outcome", "note"])
    care.of_checkout(patient=visit.patient, clinic=visit.clinic, code=code, visit=visit.pk, by=by)
    if code == CheckoutItem.Code.WORD_OF_MOUTH:
        word_of_mouth.from_checkout(clinic=visit.clinic, patient=visit.patient, visit=visit.pk, outcome=outcome, by=by)
    return item


@transaction.atomic
def undo_done(*, visit: Visit, code: str, by: User) -> CheckoutItem:
    """Take a tick or an own reason back; kept in the audit log."""
    item = _item(_at_leaving(visit), code)
    record(action="checkout_undone", clinic=visit.clinic, by=by, subject=visit, code=code)
    care.undo_of_checkout(patient=visit.patient, clinic=visit.clinic, code=code, visit=visit.pk, by=by)
    if code == CheckoutItem.Code.WORD_OF_MOUTH:
        word_of_mouth.take_back(clinic=visit.clinic, patient=visit.patient, visit=visit.pk)
    item.done_at = None
    item.done_by = None
    item.outcome = ""
    if item.waived_at is None:
        item.waiver_reason = ""
        item.waiver_asked_at = None
    item.save(update_fields=["done_at", "done_by", "outcome", "waiver_reason", "waiver_asked_at"])
    return item


@transaction.atomic
def let_go(*, visit: Visit, code: str, reason: str, by: User) -> CheckoutItem:
    """Say why a must-do is not done; for next appointment, WeChat and class this asks the manager.

    Raises: Refused without a reason.
    """
    if not reason.strip():
        raise Refused(_("Say why it cannot be done today."))
    item = _item(_at_leaving(visit), code)
    if item.waived_at is not None:  # the words that were approved stay
        return item
    item.waiver_reason = reason.strip()[:300]
    item.waiver_asked_at = timezone.now()
    item.waiver_asked_by = by
    item.refused_at = None
    item.save(update_fields=["waiver_reason", "waiver_asked_at", "waiver_asked_by", "refused_at"])
    return item


@transaction.atomic
def decide_waiver(*, visit: Visit, code: str, approve: bool, by: User) -> CheckoutItem:
    """A manager approves or refuses what a coordinator asked to let go.

    Raises: Refused when `by` may not, or nothing was asked.
    """
    if not by.may(Permission.APPROVE_WAIVER, visit.clinic_id):
        raise Refused(_("Only a manager may decide this."))
    item = _item(_at_leaving(visit), code)
    if item.waiver_asked_at is None:
        raise Refused(_("Nobody asked for this."))
    if item.waived_at is None:  # the first approval stays, with who gave it
        now = timezone.now()
        item.waived_at, item.waived_by, item.refused_at = (now, by, None) if approve else (None, None, now)
        item.save(update_fields=["waived_at", "waived_by", "refused_at"])
    return item


@transaction.atomic
def take_approval_back(*, visit: Visit, code: str, by: User) -> CheckoutItem:
    """An approval was given wrongly: until the visit ends it waits for a manager again; kept in the audit log.

    Raises: Refused when `by` may not, or nothing was approved.
    """
    if not by.may(Permission.APPROVE_WAIVER, visit.clinic_id):
        raise Refused(_("Only a manager may decide this."))
    item = _item(_at_leaving(visit), code)
    if item.waived_at is None:
        raise Refused(_("Nothing was approved here."))
    record(action="checkout_undone", clinic=visit.clinic, by=by, subject=visit, code=code)
    item.waived_at = item.waived_by = None
    item.save(update_fields=["waived_at", "waived_by"])
    return item


@transaction.atomic
def set_next_appointment(*, visit: Visit, appointment: Appointment) -> Visit:
    """Record the appointment the patient leaves with; when the first one was made is kept."""
    fresh = locked(visit)
    fresh.next_appointment = appointment
    fresh.next_appointment_made_at = fresh.next_appointment_made_at or appointment.created_at
    fresh.save(update_fields=["next_appointment", "next_appointment_made_at", "updated_at"])
    return fresh


@transaction.atomic
def set_classification(*, visit: Visit, change: ClassChange) -> Visit:
    """Record the classification that belongs to this visit."""
    fresh = locked(visit)
    fresh.classification = change
    fresh.classified_at = fresh.classified_at or change.at
    fresh.version += 1
    fresh.save(update_fields=["classification", "classified_at", "version", "updated_at"])
    return fresh


@transaction.atomic
def classify_visit(*, visit: Visit, by: User, **judgement: Any) -> ClassChange:
    """Classify the patient, and count the visit as classified by it: both or neither.

    Args: judgement: what `followups.services.classes.set_class` takes.
    Raises: patients.errors.Refused without a reason for another class than the suggested one.
    """
    fresh = locked(visit)
    change = set_class(patient=fresh.patient, clinic=fresh.clinic, by=by, **judgement)
    set_classification(visit=fresh, change=change)
    return change


@transaction.atomic
def close(*, visit: Visit, by: User, expected: str | None = Stage.LEAVING) -> Visit:
    """End the visit when every must-do is met, and keep the appointment the patient leaves with.

    Raises: Refused naming what is open; StageConflict.
    """
    fresh = locked(visit, expected=expected)
    waiting = [line for line in checkout_lines(fresh) if not line.met]
    if waiting:
        words = _(", ").join(str(CheckoutItem.Code(line.code).label) for line in waiting)
        raise Refused(_("Still missing: %(what)s") % {"what": words}, missing=[line.code for line in waiting])
    later = later_appointment(fresh)
    if later is not None:
        set_next_appointment(visit=fresh, appointment=later)
    closed = move(visit=fresh, to=Stage.CLOSED, by=by, expected=Stage.LEAVING)
    follow_up(closed, by=by)
    return closed
