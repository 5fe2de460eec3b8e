"""How a patient can be reached."""

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from accounts.audit import record
from accounts.models import Clinic, User
from accounts.permissions import Permission
from patients.errors import Refused
from patients.models import Patient, PatientPhone


@transaction.atomic
def link_wechat(*, patient: Patient, clinic: Clinic, by: User, guardian: bool = False) -> Patient:
    """Record that the patient (or a minor's guardian) was added on WeChat; the first time is kept (KPI 8).

    Raises: Refused for the guardian of somebody of age, whose own WeChat counts.
    """
    fresh = Patient.objects.select_for_update(no_key=True).get(pk=patient.pk)
    if guardian and fresh.birth_date is not None and not fresh.is_minor:
        raise Refused(_("A guardian counts for a minor only."))
    if fresh.wechat_linked_at is None:
        fresh.wechat_linked_at = timezone.now()
        fresh.wechat_linked_guardian = guardian
        fresh.save(update_fields=["wechat_linked_at", "wechat_linked_guardian", "updated_at"])
        record(action="wechat_linked", clinic=clinic, by=by, subject=fresh, guardian=guardian)
    return fresh


@transaction.atomic
def unlink_wechat(*, patient: Patient, clinic: Clinic, by: User) -> Patient:
    """The patient was marked as added on WeChat by mistake: the mark goes. Nothing happens when there is none.

    Raises: Refused on a later day for who does not approve what others let go: a key figure counts it.
    """
    fresh = Patient.objects.select_for_update(no_key=True).get(pk=patient.pk)
    linked_at = fresh.wechat_linked_at
    if linked_at is None:
        return fresh
    today = linked_at.astimezone(clinic.tz).date() == clinic.today()
    if not today and not by.may(Permission.APPROVE_WAIVER, clinic):
        raise Refused(_("This was marked on another day; a manager takes it back."))
    fresh.wechat_linked_at, fresh.wechat_linked_guardian = None, False
    fresh.save(update_fields=["wechat_linked_at", "wechat_linked_guardian", "updated_at"])
    record(action="wechat_unlinked", clinic=clinic, by=by, subject=fresh)
    return fresh


@transaction.atomic
def reveal_contact(*, patient: Patient, clinic: Clinic, what: str, by: User, phone: PatientPhone | None = None) -> str:
    """Return a number or id in full, and log who opened it.

    Args: what: "phone" (then `phone` says which), "wechat" or "qq".
    Raises: Refused when there is nothing of the kind.
    """
    if what == "phone":
        shown = phone.number if phone is not None and phone.patient_id == patient.pk else ""
    else:
        shown = {"wechat": patient.wechat_id, "qq": patient.qq}.get(what, "")
    if not shown:
        raise Refused(_("There is nothing to show."))
    detail = {"phone": phone.pk} if phone is not None else {}
    record(action="contact_revealed", clinic=clinic, by=by, subject=patient, what=what, **detail)
    return shown
