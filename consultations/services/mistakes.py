"""A visit that was entered in error: it never counts."""

from django.db import transaction
from django.db.models import F
from django.utils import timezone
from django.utils.translation import gettext as _

from accounts.audit import record
from accounts.models import User
from consultations.errors import Refused
from consultations.models import Visit
from consultations.services.moves import locked


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
    return fresh
