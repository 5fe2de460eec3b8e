"""Setting what a clinic wants of a figure: added to, never rewritten."""

from datetime import date
from decimal import Decimal

from django.db import transaction

from accounts.audit import record
from accounts.models import Clinic, User
from metrics.kpis import ACCURACY_TARGET, BY_SLUG
from metrics.models import KpiTarget
from metrics.targets import ACCURACY


class TargetRefused(ValueError):
    """The target asked for makes no sense; the code is "unknown", "past" or "range"."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


def usual_target(slug: str) -> Decimal | None:
    """Return the target that holds where a clinic set none ([S1]); None for an unknown figure."""
    if slug == ACCURACY:
        return ACCURACY_TARGET
    return BY_SLUG[slug].target if slug in BY_SLUG else None


@transaction.atomic
def set_target(*, clinic: Clinic, slug: str, value: Decimal, valid_from: date, by: User) -> KpiTarget:
    """Add a target that holds from a day on.

    Args: value: percent, or points for a mean, 0 to 100; valid_from: today or later, in the clinic's days.
    Raises: TargetRefused: an unknown figure, a day gone by (what was judged stays judged), a value out of range.
    """
    if usual_target(slug) is None:
        raise TargetRefused("unknown")
    if valid_from < clinic.today():
        raise TargetRefused("past")
    if not 0 <= value <= 100:
        raise TargetRefused("range")
    target = KpiTarget.objects.create(clinic=clinic, slug=slug, value=value, valid_from=valid_from, created_by=by)
    record(action="kpi_target_set", clinic=clinic, by=by, figure=slug, target=str(value), day=valid_from.isoformat())
    return target
