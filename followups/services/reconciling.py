"""Messages in doubt: the provider is asked what became of them, and nothing is sent again before it has answered."""

import uuid
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta

from django.conf import settings
from django.db import transaction
from django.utils import timezone

from followups.message_rules import MAX_ATTEMPTS, ask_again_after
from followups.models import Message
from followups.senders import Found, Reply
from followups.services import sending_sql as sql
from followups.services.sending_facts import Due, Surroundings

State = Message.State
AT_ONCE = 4
BATCH = 40

ABANDONED = """
SELECT id FROM followups_message WHERE state = 'sending' AND lease_until < %s ORDER BY lease_until LIMIT %s
FOR NO KEY UPDATE SKIP LOCKED
"""
TO_ASK = """
UPDATE followups_message SET lease_token = %s, lease_until = %s WHERE id IN (
    SELECT id FROM followups_message WHERE state = 'unknown' AND not_before <= %s
    AND (lease_until IS NULL OR lease_until < %s) ORDER BY not_before, id LIMIT %s FOR NO KEY UPDATE SKIP LOCKED)
RETURNING id
"""
MINE = (
    "SELECT id FROM followups_message WHERE state = 'unknown' AND lease_token = %s AND id = ANY(%s) FOR NO KEY UPDATE"
)
STATES = {Found.ACCEPTED: State.ACCEPTED, Found.DELIVERED: State.DELIVERED, Found.FAILED: State.FAILED}


def reconcile(*, now: datetime, limit: int = 400) -> int:
    """Take abandoned messages for unknown, and ask about unknown ones; returns how many were looked at."""
    done = give_up_leases(now=now, limit=limit)
    while done < limit:
        asked = _ask_some(now, min(BATCH, limit - done))
        if not asked:
            break
        done += asked
    return done


@transaction.atomic
def give_up_leases(*, now: datetime, limit: int) -> int:
    """Whoever was sending these is gone: nobody knows whether they left."""
    changes = sql.Changes(now, old=State.SENDING)
    for (pk,) in sql.fetch(ABANDONED, [now, limit]):
        changes.add(pk, State.UNKNOWN, not_before=now, detail="lease")
    changes.write(token=None, until=None)
    return len(changes)


def _ask_some(now: datetime, limit: int) -> int:
    token = uuid.uuid4()
    until = timezone.now() + timedelta(seconds=settings.MESSAGE_LEASE_SECONDS)
    with transaction.atomic():
        ids = [pk for (pk,) in sql.fetch(TO_ASK, [token, until, now, now, limit])]
    if not ids:
        return 0
    rows = {row.id: row for row in (Due(*row) for row in sql.fetch(sql.BY_ID, [ids]))}
    around = Surroundings(list(rows.values()), now)
    kept = {m.pk: m for m in Message.objects.filter(pk__in=ids)}
    asked = [(kept[pk], around.asking(row, kept[pk]), around.sender(row)) for pk, row in rows.items()]
    with ThreadPoolExecutor(AT_ONCE) as pool:
        replies = list(pool.map(lambda one: one[2].query(one[1]), asked))
    record(token, [(message, reply) for (message, _o, _s), reply in zip(asked, replies, strict=True)])
    return len(ids)


@transaction.atomic
def record(token: uuid.UUID, replies: Sequence[tuple[Message, Reply]]) -> None:
    """Write down what the providers said; what a person or a report settled meanwhile is left alone."""
    now = timezone.now()
    mine = {pk for (pk,) in sql.fetch(MINE, [token, [message.pk for message, _reply in replies]])}
    changes = sql.Changes(now, old=State.UNKNOWN)
    for message, reply in replies:
        if message.pk not in mine:
            continue
        detail = reply.detail or reply.found.value
        if reply.found in STATES:
            changes.add(message.pk, STATES[reply.found], provider_id=reply.provider_id, detail=detail,
                        failure=reply.detail if reply.found == Found.FAILED else "")  # fmt: skip
        elif reply.found == Found.ABSENT and message.attempts >= MAX_ATTEMPTS:
            changes.add(message.pk, State.FAILED, failure=detail, detail=detail)
        elif reply.found == Found.ABSENT:
            changes.add(message.pk, State.QUEUED, not_before=now, detail=detail)
    changes.write(token=None, until=None)
    for message, reply in replies:
        if message.pk in mine and reply.found == Found.CANNOT_TELL:
            again = now + ask_again_after(now - max(message.due_at, message.created_at))
            Message.objects.filter(pk=message.pk).update(not_before=again, lease_token=None, lease_until=None)
