"""What was done for a patient to raise awareness or trust, and taking it back."""

from datetime import datetime
from decimal import Decimal

from django.db import IntegrityError, transaction
from django.db.models import Q, QuerySet
from django.utils import timezone
from django.utils.translation import gettext as _

from accounts.models import Clinic, User
from patients.errors import Refused
from patients.models import CareAction, Patient

# Must-dos of a checkout that are care when done.
OF_CHECKOUT: dict[str, str] = {
    "tbi": CareAction.Kind.TBI,
    "vip": CareAction.Kind.VIP,
    "prevention": CareAction.Kind.PREVENTION,
    "basic_item": CareAction.Kind.BASIC_ITEM,
}


@transaction.atomic
def record_care(
    *,
    patient: Patient,
    clinic: Clinic,
    kind: str,
    by: User,
    at: datetime | None = None,
    note: str = "",
    cost: Decimal = Decimal(0),
    subject: str = "",
) -> CareAction | None:
    """Record one thing done for a patient.

    Args: at: when, now unless told; cost: yuan, what the clinic gave; subject: where it was noted, once for each.
    Returns None when that subject noted it already. Raises: Refused for a time to come. Source: DOMAIN §3.
    """
    now = timezone.now()
    if at is not None and at > now:
        raise Refused(_("What was done cannot lie in the future."))
    if kind not in CareAction.Kind.values:
        raise Refused(_("Choose what was done."))
    facts = {"note": note.strip()[:200], "cost": cost, "at": at or now, "by": by, "subject": subject}
    try:
        with transaction.atomic():
            made: CareAction = CareAction.objects.create(clinic=clinic, patient=patient, kind=kind, **facts)
    except IntegrityError:
        return None
    return made


@transaction.atomic
def undo_care(*, action: CareAction, by: User) -> CareAction:
    """Take a record back by a row that names it. Raises: Refused when that was done already."""
    if action.undoes_id is not None:
        raise Refused(_("This was taken back already."))
    try:
        with transaction.atomic():
            back: CareAction = CareAction.objects.create(
                clinic=action.clinic, patient=action.patient, kind=action.kind, at=action.at, by=by, undoes=action
            )
    except IntegrityError:
        raise Refused(_("This was taken back already.")) from None
    return back


def _noted(patient: Patient, clinic: Clinic, kinds: list[str], visit: int) -> QuerySet[CareAction]:
    """Return what a visit's must-dos recorded, taken back or not."""
    rows = CareAction.objects.for_clinic(clinic).filter(patient=patient, kind__in=kinds, undoes=None)
    here = Q(subject=f"visit:{visit}") | Q(subject__startswith=f"visit:{visit}#")
    found: QuerySet[CareAction] = rows.filter(here)
    return found


@transaction.atomic
def of_checkout(*, patient: Patient, clinic: Clinic, code: str, visit: int, by: User) -> None:
    """Record a must-do of a visit that is care: once while it stands, anew after it was taken back."""
    kind = OF_CHECKOUT.get(code)
    if kind is None:
        return
    noted = _noted(patient, clinic, [kind], visit)
    if noted.filter(undone_by=None).exists():
        return
    count = noted.count()
    subject = f"visit:{visit}" if count == 0 else f"visit:{visit}#{count + 1}"
    record_care(patient=patient, clinic=clinic, kind=kind, by=by, subject=subject)


@transaction.atomic
def undo_of_checkout(*, patient: Patient, clinic: Clinic, code: str, visit: int, by: User) -> None:
    """Take back what a must-do of a visit recorded."""
    if code in OF_CHECKOUT:
        for row in _noted(patient, clinic, [OF_CHECKOUT[code]], visit).filter(undone_by=None):
            undo_care(action=row, by=by)
