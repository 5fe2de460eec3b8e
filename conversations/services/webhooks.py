"""The webhook of a clinic: its address and secret, and what a signed delivery is."""

import hashlib
import hmac
import json
import secrets
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from django.db import IntegrityError, transaction
from django.utils import timezone

from accounts.audit import record
from accounts.models import Clinic, User
from conversations.importing.jsonl import chat_from
from conversations.models import WebhookEvent, WebhookKey
from conversations.services.importing import Tally, take_chats
from patients import crypto

REPLAY_SECONDS = 300
MOST_BYTES = 8 * 1024 * 1024
MOST_CHATS = 200
LONGEST_EVENT = 80


class Refusal(Exception):
    """A delivery that is not taken in: the status and the word that answer it."""

    def __init__(self, status: int, error: str, **detail: Any) -> None:
        self.status, self.error, self.detail = status, error, detail
        super().__init__(error)


@dataclass(frozen=True)
class Delivery:
    """What was pushed, as it came."""

    body: bytes
    timestamp: str
    signature: str
    event_id: str


@transaction.atomic
def make_key(*, clinic: Clinic, by: User) -> WebhookKey:
    """Give the clinic's webhook a new address and secret; the old ones end at once."""
    values = {
        "key": secrets.token_hex(16), "secret_encrypted": crypto.encrypt(secrets.token_urlsafe(32)),
        "created_at": timezone.now(), "created_by": by, "last_used_at": None,
    }  # fmt: skip
    made, is_new = WebhookKey.objects.update_or_create(clinic=clinic, defaults=values)
    record(action="chat_webhook_made" if is_new else "chat_webhook_rotated", clinic=clinic, by=by)
    return made


@transaction.atomic
def end_key(*, clinic: Clinic, by: User) -> None:
    """Close the webhook."""
    if WebhookKey.objects.filter(clinic=clinic).delete()[0]:
        record(action="chat_webhook_ended", clinic=clinic, by=by)


def sign(secret: str, timestamp: str, body: bytes) -> str:
    """Return the signature of a delivery: HMAC-SHA256, hex, of `timestamp.body`."""
    return hmac.new(secret.encode(), timestamp.encode() + b"." + body, hashlib.sha256).hexdigest()


def check(key: WebhookKey, delivery: Delivery) -> None:
    """Raise Refusal unless the delivery was signed with the key's secret within the last five minutes."""
    said = delivery.timestamp
    if not (said.isascii() and said.isdigit() and len(said) <= 12):
        raise Refusal(401, "timestamp")
    if not hmac.compare_digest(
        sign(key.secret, said, delivery.body).encode(), delivery.signature.removeprefix("sha256=").lower().encode()
    ):
        raise Refusal(401, "signature")
    if abs(timezone.now().timestamp() - int(said)) > REPLAY_SECONDS:
        raise Refusal(401, "expired")


def receive(key: WebhookKey, delivery: Delivery, *, take: Callable[..., Tally] = take_chats) -> dict[str, Any]:
    """Take a checked delivery in and return the answer; the same delivery again gets the same answer.

    Raises: Refusal 422 for what cannot be understood, 409 for an event's id with another content.
    """
    chats = _chats(delivery.body)
    body_hash = hashlib.sha256(delivery.body).hexdigest()
    event_id = delivery.event_id or body_hash
    if len(event_id) > LONGEST_EVENT or not event_id.isprintable():
        raise Refusal(422, "event_id")
    try:
        with transaction.atomic():
            event = WebhookEvent.objects.create(clinic=key.clinic, event_id=event_id, body_hash=body_hash)
            drafts = [chat_from(number, one, key.clinic.tz) for number, one in enumerate(chats)]
            event.answer = _answer(take(drafts=drafts, clinic=key.clinic, by=None))
            event.save(update_fields=["answer"])
            WebhookKey.objects.filter(pk=key.pk).update(last_used_at=timezone.now())
    except IntegrityError as error:
        return _again(key.clinic, event_id, body_hash, error)
    return event.answer


def _chats(body: bytes) -> list[Any]:
    try:
        said = json.loads(body.decode())
    except (ValueError, RecursionError) as error:
        raise Refusal(422, "not_json") from error
    chats = said if isinstance(said, list) else said.get("conversations") or [said] if isinstance(said, dict) else None
    if not isinstance(chats, list) or not chats:
        raise Refusal(422, "no_conversations")
    if len(chats) > MOST_CHATS:
        raise Refusal(413, "too_many", most=MOST_CHATS)
    if not all(isinstance(one, dict) and isinstance(one.get("messages"), list) for one in chats):
        raise Refusal(422, "no_messages")
    if not all(isinstance(one.get("id"), str | int) and str(one["id"]).strip() for one in chats):
        raise Refusal(422, "no_id")
    return chats


def _answer(tally: Tally) -> dict[str, Any]:
    report = tally.report()
    if report["rejected"] and not report["conversations"]:
        raise Refusal(422, "rejected", rejected=report["rejected"])
    return {"ok": True, **report}


def _again(clinic: Clinic, event_id: str, body_hash: str, error: IntegrityError) -> dict[str, Any]:
    """Answer a delivery that came before."""
    event = WebhookEvent.objects.filter(clinic=clinic, event_id=event_id).first()
    if event is None:
        raise error
    if event.body_hash != body_hash:
        raise Refusal(409, "event_differs")
    answer: dict[str, Any] = event.answer
    return answer | {"repeated": True}
