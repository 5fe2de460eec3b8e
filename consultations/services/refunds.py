"""Money paid back to a patient, and taking a wrongly recorded payment back."""

from decimal import Decimal

from django.db import transaction
from django.db.models import QuerySet, Sum
from django.utils.translation import gettext as _

from accounts.audit import record
from accounts.models import User
from accounts.statements import Statement
from consultations.errors import Refused
from consultations.models import Consultation, Refund, Visit
from consultations.stages import Decision

PAID = (Consultation.Status.ACCEPTED, Consultation.Status.DEPOSIT)
PAYING = (Decision.ACCEPTED, Decision.DEPOSIT)
LARGEST = Decimal("99999999.99")  # what the column holds


def _decided(consultation: Consultation) -> QuerySet[Visit]:
    """Return the visits on which this case was accepted or a deposit paid, the newest first."""
    rows: QuerySet[Visit] = Visit.objects.filter(consultation=consultation, decision__in=PAYING, is_error=False)
    return rows.order_by("-decided_at", "-pk")


def most_refundable(consultation: Consultation) -> Decimal | None:
    """Return how much may still be paid back, in yuan; None when no amount was recorded at the decision.

    The bound is the largest amount accepted or deposited on one of its visits (a deposit is part of what is
    accepted later), less the refunds that stand.
    """
    amounts = [
        visit.deposit_amount if visit.decision == Decision.DEPOSIT else visit.decision_amount
        for visit in _decided(consultation)
    ]
    known = [amount for amount in amounts if amount is not None]
    return max(known) - refunded(consultation) if known else None


def refunded(consultation: Consultation) -> Decimal:
    """Return the sum of the refunds that stand, in yuan."""
    rows = Refund.objects.filter(consultation=consultation).standing()
    return rows.aggregate(sum=Sum("amount"))["sum"] or Decimal(0)


def payable(consultation: Consultation) -> bool:
    """Tell whether the case was accepted or had a deposit, also when it was refused or left open later."""
    return consultation.status in PAID or _decided(consultation).exists()


def standing_refunds(visit: Visit) -> list[Refund]:
    """Return the refunds in force of a visit's case (one statement)."""
    return _STANDING.rows(consultation=visit.consultation_id)


_STANDING = Statement(lambda *, consultation: Refund.objects.filter(consultation=consultation).standing())


@transaction.atomic
def refund(*, consultation: Consultation, amount: Decimal, is_full: bool, reason: str, by: User) -> Refund:
    """Record money paid back for a case that was accepted or had a deposit, whatever came after.

    The case keeps its status; a refund in full reverses its closing in the key figures from this moment on.

    Args: amount: yuan, more than 0; is_full: everything went back, the treatment was given up.
    Raises: Refused when nothing was paid, for more than was, without a reason, or after a refund in full.
    Source: DOMAIN §6.7.
    """
    case = Consultation.objects.select_for_update().get(pk=consultation.pk)
    if not payable(case):
        raise Refused(_("Nothing was accepted or paid here that could be refunded."))
    if not reason.strip():
        raise Refused(_("Say why the money goes back."))
    if not 0 < amount <= LARGEST:
        raise Refused(_("A refund is more than ¥0."))
    if Refund.objects.filter(consultation=case, is_full=True).standing().exists():
        raise Refused(_("This was refunded in full already."))
    most = most_refundable(case)
    if most is not None and amount > most:
        raise Refused(_("At most ¥%(amount)s can be refunded.") % {"amount": f"{max(most, Decimal(0)):,.2f}"})
    row = Refund.objects.create(
        clinic_id=case.clinic_id,
        consultation=case,
        visit=_decided(case).first(),
        amount=amount,
        is_full=is_full,
        reason=reason.strip()[:200],
        by=by,
    )
    record(action="refunded", clinic=row.clinic, by=by, subject=row, amount=str(amount), in_full=is_full)
    return row


@transaction.atomic
def take_back(*, refund: Refund, reason: str, by: User) -> Refund:
    """Take a wrongly recorded refund back by a row that names it; both stay.

    Raises: Refused without a reason, for a row that is itself a taking back, or a second time.
    """
    Consultation.objects.select_for_update().get(pk=refund.consultation_id)
    if refund.cancels_id is not None or Refund.objects.filter(cancels=refund).exists():
        raise Refused(_("This refund was taken back already."))
    if not reason.strip():
        raise Refused(_("Say why the refund is taken back."))
    row = Refund.objects.create(
        clinic_id=refund.clinic_id,
        consultation_id=refund.consultation_id,
        visit_id=refund.visit_id,
        amount=refund.amount,
        is_full=refund.is_full,
        reason=reason.strip()[:200],
        cancels=refund,
        by=by,
    )
    record(action="refund_taken_back", clinic=row.clinic, by=by, subject=refund, amount=str(refund.amount))
    return row
