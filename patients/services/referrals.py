"""Who brought whom."""

from django.db import connection, transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from accounts.audit import record
from accounts.models import Clinic, User
from patients.errors import Refused
from patients.models import Patient, Referral
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
    received = referred.visits.filter(received_at__isnull=False).order_by("received_at").first()
    referral = Referral.objects.create(
        clinic=clinic,
        referrer=referrer,
        referred=referred,
        effective_at=received.received_at if received else None,
        created_by=by,
    )
    thanks.owe(referral)
    record(action="referral_linked", clinic=clinic, by=by, subject=referred, referrer=referrer.pk)
    return referral


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
