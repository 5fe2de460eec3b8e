"""Webhooks: whom to tell, what happened, and telling it again.

Whatever happens is written down for each address in the transaction in which it happens (DESIGN §4); a job of
followups.services.hook_sending brings it there. What is told names records by id and says no names or numbers.
"""

import secrets
import uuid
from collections.abc import Mapping, Sequence
from typing import Any

from django.db import transaction
from django.db.models import F
from django.utils import timezone
from django.utils.translation import gettext as _

from accounts.audit import record
from accounts.models import Clinic, User
from followups.errors import Refused
from followups.models import Hook, HookDelivery, HookEvent
from followups.senders.addresses import ForbiddenAddress, check_address
from patients import crypto

MOST_HOOKS = 20
State = HookDelivery.State


def emit(*, clinic_id: int, event: str, data: Mapping[str, Any]) -> int:
    """Write an event down for every address that asked for it; returns how many. Call inside the transaction.

    Args: event: a HookEvent; data: ready for JSON; ids and states, nothing that tells who the patient is.
    """
    hooks = list(Hook.objects.filter(clinic=clinic_id, is_active=True, removed_at=None, events__contains=[event]))
    if not hooks:
        return 0
    now, event_id = timezone.now(), uuid.uuid4()
    told = {"id": str(event_id), "event": str(event), "clinic": hooks[0].clinic.code, "at": now.isoformat()}
    rows = [
        HookDelivery(hook=hook, event_id=event_id, event=event, payload=told | {"data": dict(data)}) for hook in hooks
    ]
    return len(HookDelivery.objects.bulk_create(rows))


@transaction.atomic
def save_hook(
    *, clinic: Clinic, name: str, url: str, events: Sequence[str], is_active: bool, by: User, hook: Hook | None = None
) -> tuple[Hook, str]:
    """Make an address, or change one; returns it with its secret when it is new, else with "".

    Raises: Refused for an address that may not be called, no or unknown events, or too many addresses.
    """
    try:
        check_address(url)
    except ForbiddenAddress as error:
        raise Refused(str(error), field="url") from error
    if not events or set(events) - set(HookEvent.values):
        raise Refused(_("Choose what is to be told."), field="events")
    values = {"name": name.strip()[:60], "url": url, "events": sorted(set(events)), "is_active": is_active}
    if hook is not None:
        for field, value in values.items():
            setattr(hook, field, value)
        hook.save(update_fields=[*values, "updated_at"])
        record(action="hook_changed", clinic=clinic, by=by, subject=hook, url=url)
        return hook, ""
    if Hook.objects.for_clinic(clinic).filter(removed_at=None).count() >= MOST_HOOKS:
        raise Refused(_("A clinic has at most %(count)s webhooks.") % {"count": MOST_HOOKS})
    secret = secrets.token_urlsafe(32)
    made = Hook.objects.create(clinic=clinic, secret_encrypted=crypto.encrypt(secret), created_by=by, **values)
    record(action="hook_made", clinic=clinic, by=by, subject=made, url=url)
    return made, secret


@transaction.atomic
def new_secret(*, hook: Hook, by: User) -> str:
    """Give the address another secret, and return it; the old one signs nothing from now on."""
    secret = secrets.token_urlsafe(32)
    hook.secret_encrypted = crypto.encrypt(secret)
    hook.save(update_fields=["secret_encrypted", "updated_at"])
    record(action="hook_secret_made", clinic=hook.clinic, by=by, subject=hook)
    return secret


@transaction.atomic
def remove_hook(*, hook: Hook, by: User) -> None:
    """Tell this address nothing any more; what waits is not sent, what was sent stays to be read."""
    Hook.objects.filter(pk=hook.pk, removed_at=None).update(removed_at=timezone.now(), is_active=False)
    waiting = HookDelivery.objects.filter(hook=hook, state=State.QUEUED)
    waiting.update(state=State.FAILED, failure=_("the webhook was removed"))
    record(action="hook_removed", clinic=hook.clinic, by=by, subject=hook)


@transaction.atomic
def replay(*, delivery: HookDelivery, by: User) -> HookDelivery:
    """Tell an event again, under the same id. Raises: Refused while it is under way, or for a removed address."""
    fresh = HookDelivery.objects.select_for_update(of=("self",)).select_related("hook__clinic").get(pk=delivery.pk)
    if fresh.hook.removed_at is not None:
        raise Refused(_("The webhook was removed."))
    if fresh.state in (State.QUEUED, State.SENDING):
        raise Refused(_("It is on its way already."))
    HookDelivery.objects.filter(pk=fresh.pk).update(
        state=State.QUEUED, attempts=0, not_before=timezone.now(), lease_token=None, replays=F("replays") + 1
    )
    record(action="hook_replayed", clinic=fresh.hook.clinic, by=by, subject=fresh)
    fresh.refresh_from_db()
    return fresh
