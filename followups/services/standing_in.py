"""Whose turn it is while a colleague is away: what comes due by itself goes to who stands in."""

from datetime import date, datetime, timedelta

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from accounts.audit import record
from accounts.models import Clinic, User
from followups.errors import Refused
from followups.models import StandIn

AHEAD = timedelta(days=731)


def on_duty(*, clinic: Clinic, owner: User | None, due_at: datetime) -> User | None:
    """Return who does what comes due then: the owner, or who stands in for them; one statement."""
    if owner is None:
        return None
    rows = StandIn.objects.for_clinic(clinic).filter(away=owner, ended_at=None, ends_at__gt=due_at, to__is_active=True)
    found: StandIn | None = rows.select_related("to").first()
    return found.to if found is not None else owner


@transaction.atomic
def stand_in(*, clinic: Clinic, away: User, to: User, until: date, batch: str, reason: str, by: User) -> StandIn:
    """Have a colleague get what comes due for another through `until` (a date in the clinic's zone).

    Takes the place of an earlier one; whoever `away` stood in for goes to `to` as well.
    Raises: Refused for a day that has passed or lies years ahead, or when `to` is away too.
    """
    now, ends_at = timezone.now(), clinic.day_bounds(until)[1]
    if ends_at <= now:
        raise Refused(_("This day has passed."), field="until")
    if ends_at > now + AHEAD:
        raise Refused(_("Choose a time in the coming two years."), field="until")
    if StandIn.objects.for_clinic(clinic).standing().filter(away=to).exists():
        raise Refused(_("%(name)s is away too.") % {"name": to}, field="to")
    mine = StandIn.objects.for_clinic(clinic).filter(ended_at=None)
    mine.filter(away=away).update(ended_at=now, ended_by=by)
    mine.filter(to=away).exclude(away=to).update(to=to)
    made: StandIn = StandIn.objects.create(
        clinic=clinic, away=away, to=to, ends_at=ends_at, batch=batch, reason=reason, created_by=by
    )
    record(action="stand_in_set", clinic=clinic, by=by, subject=away, to=to.pk, until=str(until))
    return made


@transaction.atomic
def end_stand_in(*, row: StandIn, by: User) -> bool:
    """End it now; what was made so far stays where it is. Returns False when it had ended already."""
    ended = StandIn.objects.filter(pk=row.pk, ended_at=None).update(ended_at=timezone.now(), ended_by=by)
    if ended:
        record(action="stand_in_ended", clinic=row.clinic, by=by, subject=row.away)
    return bool(ended)
