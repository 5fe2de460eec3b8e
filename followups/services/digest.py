"""The daily digest of what is overdue, for the managers of a clinic."""

from datetime import datetime, timedelta

from accounts.models import Clinic, Membership
from accounts.permissions import Role
from followups.models.messages import MessagePurpose
from followups.models.playbooks import Nature
from followups.services import generation, outbox

NAMED = 5


def send_digest(*, clinic: Clinic, now: datetime) -> int:
    """Queue one digest a day for each manager, when anything is overdue; returns how many were queued."""
    counts = generation.overdue_digest(clinic=clinic, now=now)
    total = sum(count for _person, count in counts)
    if not total:
        return 0
    day, end = clinic.day_bounds(now.astimezone(clinic.tz).date())
    named = "，".join(f"{person or '未分配'} {count}" for person, count in counts[:NAMED])
    managers = Membership.objects.people().with_role(Role.MANAGER).filter(clinic=clinic).select_related("user")
    queued = 0
    for membership in managers:
        made = outbox.queue(
            clinic=clinic,
            staff=membership.user,
            purpose=MessagePurpose.DIGEST,
            subject=f"overdue:{day:%Y-%m-%d}",
            due_at=day + timedelta(hours=9),
            stale_at=end,
            nature=Nature.SERVICE,
            variables={"name": str(membership.user), "clinic": clinic.name, "count": str(total), "text": named},
        )
        queued += made is not None
    return queued
