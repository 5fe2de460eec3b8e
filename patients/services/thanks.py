"""Thanks for referrals: owed once the referral is effective, given once. For the referral, never for a review."""

from decimal import Decimal

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from accounts.audit import record
from accounts.models import User
from accounts.permissions import Permission
from patients.errors import Refused
from patients.models import Referral, ReferralThanks


def owe(referral: Referral) -> ReferralThanks | None:
    """Note the thanks owed for an effective referral, once; None while it is not effective."""
    if referral.effective_at is None:
        return None
    row, _made = ReferralThanks.objects.get_or_create(
        referral=referral, defaults={"clinic": referral.clinic, "owed_since": referral.effective_at}
    )
    return row


@transaction.atomic
def give(*, row: ReferralThanks, how: str, cost: Decimal, by: User) -> ReferralThanks:
    """Note how the referrer was thanked. Args: cost: yuan.

    Raises: Refused without saying how, or when somebody has thanked them already.
    """
    if not how.strip():
        raise Refused(_("Say how they were thanked."))
    fresh: ReferralThanks = (
        ReferralThanks.objects.select_for_update(of=("self",))
        .select_related("clinic", "given_by", "referral")
        .get(pk=row.pk)
    )
    if fresh.given_at is not None:
        raise Refused(_("%(name)s has thanked them already.") % {"name": fresh.given_by or "—"})
    fresh.how, fresh.cost = how.strip()[:120], cost
    fresh.given_at, fresh.given_by = timezone.now(), by
    fresh.save(update_fields=["how", "cost", "given_at", "given_by"])
    record(action="thanks_given", clinic=fresh.clinic, by=by, subject=fresh.referral, kind=fresh.how, cost=str(cost))
    return fresh


@transaction.atomic
def take_back(*, row: ReferralThanks, by: User) -> ReferralThanks:
    """They were not thanked after all, or otherwise: the thanks are owed again; kept in the audit log.

    Raises: Refused when none were given, or for who neither gave them today nor approves what others let go.
    """
    rows = ReferralThanks.objects.select_for_update(of=("self",)).select_related("clinic", "given_by", "referral")
    fresh: ReferralThanks = rows.get(pk=row.pk)
    if fresh.given_at is None:
        raise Refused(_("Nobody has thanked them yet."))
    clinic = fresh.clinic
    own = fresh.given_by_id == by.pk and fresh.given_at.astimezone(clinic.tz).date() == clinic.today()
    if not own and not by.may(Permission.APPROVE_WAIVER, clinic):
        raise Refused(_("A manager takes this back."))
    record(
        action="thanks_taken_back", clinic=clinic, by=by, subject=fresh.referral, kind=fresh.how, cost=str(fresh.cost)
    )
    fresh.how, fresh.cost, fresh.given_at, fresh.given_by = "", Decimal(0), None, None
    fresh.save(update_fields=["how", "cost", "given_at", "given_by"])
    return fresh
