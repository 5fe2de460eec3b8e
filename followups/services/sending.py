"""Due messages leave: claimed under a lease, judged, sent, recorded; and those in doubt are asked about.

One claim is one transaction with a fixed number of statements, whatever its size. "Being sent" is committed before
a provider hears of a message, so that after a crash the message counts as unknown, and is asked about before
anything is sent again. Running this twice, late, or on two machines changes nothing. Source: DESIGN §4.
"""

import random
import uuid
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from django.conf import settings
from django.db import transaction
from django.utils import timezone

from followups.message_rules import MAX_ATTEMPTS, backoff, judge
from followups.models import Message
from followups.senders import Outcome, Outgoing, Result, Sender
from followups.services import sending_sql as sql
from followups.services.sending_facts import Due, Surroundings

State = Message.State
BATCH = 500
CALLING = 40  # of a batch, how many may wait for a provider; the rest stays queued for the next claim
AT_ONCE = 4  # calls to providers at the same time
SAFETY = timedelta(seconds=2)


@dataclass
class Claimed:
    """What a claim has settled at once, and what is left to be sent, under the lease `token` until `until`."""

    handled: int = 0
    seen: int = 0
    to_send: list[tuple[Outgoing, Sender, Due]] = field(default_factory=list)
    token: uuid.UUID = field(default_factory=uuid.uuid4)
    until: datetime | None = None


def send_due(*, now: datetime, limit: int = 5000) -> int:
    """Send, put off or suppress what is due, at most `limit` messages; returns how many were handled."""
    done = 0
    size = BATCH
    while done < limit:
        claimed = claim(now=now, limit=min(size, limit - done))
        if not claimed.seen:
            break
        _send(claimed)
        done += claimed.handled + len(claimed.to_send)
        size = CALLING if claimed.to_send else BATCH
    return done


@transaction.atomic
def claim(*, now: datetime, limit: int) -> Claimed:
    """Take due messages that nobody else has, judge them, and record what follows; calls no provider."""
    claimed = Claimed()
    rows = [Due(*row) for row in sql.fetch(sql.CLAIM, [now, limit])]
    claimed.seen = len(rows)
    if not rows:
        return claimed
    around = Surroundings(rows, now)
    claimed.until = max(now, timezone.now()) + timedelta(seconds=settings.MESSAGE_LEASE_SECONDS)
    changes = sql.Changes(now)
    for row in rows:
        _decide(row, around, claimed, changes)
    changes.write(token=claimed.token, until=claimed.until)
    claimed.handled = len(changes) - len(claimed.to_send)
    return claimed


def _decide(row: Due, around: Surroundings, claimed: Claimed, changes: sql.Changes) -> None:
    """Judge one message and note what becomes of it."""
    verdict = judge(around.facts(row), changes.now)
    if verdict.suppress:
        changes.add(row.id, State.SUPPRESSED, reason=verdict.suppress, detail=verdict.suppress)
        return
    if verdict.until is not None:
        changes.add(row.id, State.QUEUED, not_before=verdict.until, detail=verdict.why)
        return
    sender = around.sender(row)
    if sender.calls_out and len(claimed.to_send) >= CALLING:
        return  # it stays as it is, for the next claim
    around.count(row)
    body = around.body(row)
    if not sender.calls_out:  # nobody is called, so nothing can be in doubt: one step does
        changes.add(row.id, State.ACCEPTED, body=body, provider=sender.provider, provider_id=around.uid(row))
        return
    changes.add(row.id, State.SENDING, body=body, provider=sender.provider, attempts=1)
    claimed.to_send.append((around.outgoing(row, body), sender, row))


def _send(claimed: Claimed) -> None:
    """Call the providers outside any transaction, a few at a time, and record each answer at once."""
    waiting = list(claimed.to_send)
    needed = timedelta(seconds=settings.MESSAGE_TIMEOUT_SECONDS) + SAFETY
    with ThreadPoolExecutor(AT_ONCE) as pool:
        while waiting:
            if claimed.until is None or timezone.now() + needed > claimed.until:
                record(claimed.token, [(row, Result(Outcome.HELD, detail="lease")) for _m, _s, row in waiting])
                return
            now, waiting = waiting[:AT_ONCE], waiting[AT_ONCE:]
            results = list(pool.map(lambda one: one[1].send(one[0]), now))
            record(claimed.token, [(row, result) for (_m, _s, row), result in zip(now, results, strict=True)])


@transaction.atomic
def record(token: uuid.UUID, results: Sequence[tuple[Due, Result]]) -> int:
    """Write down what providers answered; messages whose lease was taken over meanwhile are left alone."""
    now = timezone.now()
    ids = [row.id for row, _result in results]
    mine = {pk for (pk,) in sql.fetch(sql.STILL_MINE, [token, ids])}
    changes = sql.Changes(now, old=State.SENDING)
    for row, result in results:
        if row.id in mine:
            _note(row, result, changes)
    changes.write(token=None, until=None)
    return len(changes)


def _note(row: Due, result: Result, changes: sql.Changes) -> None:
    tries = row.attempts + 1
    if result.outcome == Outcome.ACCEPTED:
        changes.add(row.id, State.ACCEPTED, provider_id=result.provider_id)
    elif result.outcome == Outcome.UNKNOWN:
        soon = changes.now + timedelta(seconds=settings.MESSAGE_LEASE_SECONDS / 2)
        changes.add(row.id, State.UNKNOWN, not_before=soon, failure=result.detail, detail=result.detail)
    elif result.outcome == Outcome.HELD:
        later = changes.now + timedelta(seconds=settings.MESSAGE_CIRCUIT_SECONDS)
        changes.add(row.id, State.QUEUED, not_before=later, detail=result.detail, attempts=-1)
    elif result.outcome == Outcome.RETRY and tries < MAX_ATTEMPTS:
        later = changes.now + backoff(tries, random.random())  # noqa: S311
        changes.add(row.id, State.QUEUED, not_before=later, failure=result.detail, detail=result.detail)
    else:
        changes.add(row.id, State.FAILED, failure=result.detail, detail=result.detail)
