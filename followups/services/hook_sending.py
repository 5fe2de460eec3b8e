"""Bringing what happened to the addresses that want to hear of it.

Claimed under a lease, posted outside any transaction, recorded. A crash in between leaves the lease to run out:
the event is told again under the same id, which is why the receiver has to know a repetition by it.
"""

import json
import random
import time
import uuid
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime, timedelta

import httpx
from django.conf import settings
from django.db import transaction
from django.utils import timezone

from followups.models import HookAttempt, HookDelivery
from followups.senders.addresses import ForbiddenAddress, check_address
from followups.senders.webhook import signature

BATCH = 40
AT_ONCE = 4
MOST_TRIES = 12  # about a day and a half
FIRST_WAIT, LONGEST_WAIT = timedelta(seconds=30), timedelta(hours=6)
SPARE = timedelta(seconds=30)
OK = range(200, 300)
State = HookDelivery.State


@dataclass(frozen=True)
class Answer:
    """What came of one try; `status` None when nobody answered."""

    status: int | None
    detail: str = ""
    seconds: float = 0.0

    @property
    def arrived(self) -> bool:
        return self.status in OK


def send_due(*, now: datetime, limit: int = 2000) -> int:
    """Tell what is due, at most `limit` events; returns how many tries were made."""
    done = 0
    while done < limit:
        token = uuid.uuid4()
        claimed = claim(now=now, token=token, limit=min(BATCH, limit - done))
        if not claimed:
            break
        with ThreadPoolExecutor(AT_ONCE) as pool:
            answers = list(pool.map(post, claimed))
        record(token, claimed, answers)
        done += len(claimed)
    return done


@transaction.atomic
def claim(*, now: datetime, token: uuid.UUID, limit: int) -> list[HookDelivery]:
    """Take what is due and nobody else has, or had until a lease ran out."""
    due = HookDelivery.objects.filter(state__in=[State.QUEUED, State.SENDING], not_before__lte=now)
    due = due.filter(hook__is_active=True).select_related("hook").order_by("not_before", "id")
    rows = list(due.select_for_update(skip_locked=True, of=("self",))[:limit])
    until = max(now, timezone.now()) + timedelta(seconds=settings.MESSAGE_TIMEOUT_SECONDS * BATCH / AT_ONCE) + SPARE
    HookDelivery.objects.filter(pk__in=[row.pk for row in rows]).update(
        state=State.SENDING, lease_token=token, not_before=until
    )
    return rows


def post(row: HookDelivery) -> Answer:
    """Post one event to its address, signed; says what came of it, and raises nothing."""
    body = json.dumps(row.payload, ensure_ascii=False).encode()
    stamp = str(int(time.time()))
    headers = {
        "Content-Type": "application/json",
        "Idempotency-Key": str(row.event_id),
        "X-Event": row.event,
        "X-Timestamp": stamp,
        "X-Signature": signature(row.hook.secret, stamp, body),
    }
    began = time.monotonic()
    try:
        check_address(row.hook.url)
        answer = httpx.post(row.hook.url, content=body, headers=headers, timeout=settings.MESSAGE_TIMEOUT_SECONDS)
    except (httpx.HTTPError, httpx.InvalidURL, ForbiddenAddress) as error:
        return Answer(None, f"{type(error).__name__}: {error}"[:200], time.monotonic() - began)
    detail = "" if answer.status_code in OK else answer.reason_phrase
    return Answer(answer.status_code, detail[:200], time.monotonic() - began)


@transaction.atomic
def record(token: uuid.UUID, rows: Sequence[HookDelivery], answers: Sequence[Answer]) -> None:
    """Write down what came of the tries; what another worker took over meanwhile is left alone."""
    mine = HookDelivery.objects.select_for_update().filter(pk__in=[row.pk for row in rows], lease_token=token)
    held = {row.pk: row for row in mine.order_by("pk")}
    now = timezone.now()
    for row, answer in zip(rows, answers, strict=True):
        if row.pk in held:
            _note(held[row.pk], answer, now)
    HookDelivery.objects.bulk_update(
        held.values(),
        ["state", "attempts", "not_before", "lease_token", "last_status", "failure", "delivered_at"],
    )
    HookAttempt.objects.bulk_create(
        HookAttempt(delivery=row, status=answer.status, detail=answer.detail, seconds=round(answer.seconds, 3), at=now)
        for row, answer in zip(rows, answers, strict=True)
        if row.pk in held
    )


def _note(row: HookDelivery, answer: Answer, now: datetime) -> None:
    row.attempts += 1
    row.lease_token, row.last_status, row.failure = None, answer.status, answer.detail
    if answer.arrived:
        row.state, row.delivered_at = State.DELIVERED, now
    elif row.attempts >= MOST_TRIES:
        row.state = State.FAILED
    else:
        row.state = State.QUEUED
        row.not_before = now + min(FIRST_WAIT * 2 ** (row.attempts - 1), LONGEST_WAIT) * random.uniform(0.75, 1.25)  # noqa: S311
