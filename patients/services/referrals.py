"""Who brought whom."""

from datetime import datetime

from django.db import connection, transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from accounts.audit import record
from accounts.models import Clinic, User
from accounts.permissions import Permission
from patients.errors import Refused
from patients.models import Patient, Referral, ReferralThanks
from patients.services import thanks


@transaction.atomic
def link_referral(*, referrer: Patient, referred: Patient, clinic: Clinic, by: User) -> Referral:
    """Record that `referrer` brought `referred`.

    Links are made one at a time (an advisory lock), so that two cannot close a circle together.
    Raises: Refused for oneself, a second referrer, or a circle. Source: DOMAIN §4.
    """
    if referrer.pk == referred.pk:
        raise Refused(_("Nobody can refer themselves."))
    _take_turns()
    if Referral.objects.filter(referred=referred).exists():
        raise Refused(_("%(patient)s already has a referrer.") % {"patient": referred})
    if _leads_to(referrer.pk, referred.pk):
        raise Refused(_("This would close a circle of referrals."))
    referral = Referral.objects.create(
        clinic=clinic, referrer=referrer, referred=referred, effective_at=_received_at(referred), created_by=by
    )
    thanks.owe(referral)
    record(action="referral_linked", clinic=clinic, by=by, subject=referred, referrer=referrer.pk)
    return referral


def _received_at(patient: Patient) -> datetime | None:
    """Return when the patient was first received, None while they were not."""
    received = patient.visits.filter(received_at__isnull=False, is_error=False).order_by("received_at")
    first: datetime | None = received.values_list("received_at", flat=True).first()
    return first


def _take_turns() -> None:
    """Wait until no other transaction is linking; held to the end of this one."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(hashtext('referral'))")


def _leads_to(start: int, target: int) -> bool:
    """Tell whether following referrers upwards from `start` reaches `target`."""
    seen: set[int] = set()
    current: int | None = start
    while current is not None and current not in seen:
        if current == target:
            return True
        seen.add(current)
        current = Referral.objects.filter(referred=current).values_list("referrer", flat=True).first()
    return False


@transaction.atomic
def mark_referral_effective(*, patient: Patient, by: User) -> Referral | None:
    """The referred patient was received: the referral counts from now on (once), and thanks are owed.

    Returns the referral that became effective, None when there is none or it was already.
    """
    rows = Referral.objects.filter(referred=patient, effective_at=None).select_for_update(of=("self",))
    referral: Referral | None = rows.select_related("clinic", "referrer", "referred").first()
    if referral is None:
        return None
    referral.effective_at = timezone.now()
    referral.save(update_fields=["effective_at"])
    thanks.owe(referral)
    return referral


@transaction.atomic
def reconsider_effective(*, patient: Patient) -> Referral | None:
    """A visit of the referred patient never was: the referral counts from their first reception that stands.

    Returns the referral that no longer counts, None when there is none or it still does. Thanks that were given stay.
    """
    rows = Referral.objects.filter(referred=patient).exclude(effective_at=None).select_for_update(of=("self",))
    referral: Referral | None = rows.first()
    if referral is None or referral.effective_at is None:
        return None
    received_at = _received_at(patient)
    if received_at is not None and received_at <= referral.effective_at:
        return None
    referral.effective_at = received_at
    referral.save(update_fields=["effective_at"])
    if received_at is not None:
        return None
    ReferralThanks.objects.filter(referral=referral, given_at=None).delete()
    return referral


@transaction.atomic
def unlink_referral(*, referral: Referral, by: User) -> None:
    """It was somebody else who brought the patient: the link goes, with the thanks that were owed for it.

    Raises: Refused once it counts, unless `by` approves what others let go; and once thanks were given.
    """
    _take_turns()
    rows = Referral.objects.select_related("clinic", "referred").select_for_update(of=("self",))
    fresh = rows.filter(pk=referral.pk).first()
    if fresh is None:  # a colleague was quicker
        return
    if fresh.effective_at is not None and not by.may(Permission.APPROVE_WAIVER, fresh.clinic_id):
        raise Refused(_("This referral counts already; a manager takes it back."))
    if ReferralThanks.objects.filter(referral=fresh).exclude(given_at=None).exists():
        raise Refused(_("The referrer was thanked already; the link stays."))
    ReferralThanks.objects.filter(referral=fresh).delete()
    record(action="referral_unlinked", clinic=fresh.clinic, by=by, subject=fresh.referred, referrer=fresh.referrer_id)
    fresh.delete()
