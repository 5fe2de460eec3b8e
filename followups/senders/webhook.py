"""A signed webhook: the clinic's own gateway gets JSON, and drops what it has already had by its Idempotency-Key.

X-Signature is the hex HMAC-SHA256 of "<X-Timestamp>.<body>" under the shared secret; the receiver refuses old
timestamps. GET <status address>/<id> answers {"status": "accepted" | "delivered" | "failed"}, or 404.
"""

import hashlib
import hmac
import json
import time
from collections.abc import Mapping
from urllib.parse import quote

import httpx

from followups.senders.addresses import check_address
from followups.senders.base import MULTIPLE, OK, Found, Outcome, Outgoing, Reply, Result, Sender, Unclear

NOT_FOUND, TIMED_OUT, CONFLICT = 404, 408, 409
FRESH_SECONDS = 300
STATES = {"accepted": Found.ACCEPTED, "delivered": Found.DELIVERED, "failed": Found.FAILED}


def signature(secret: str, timestamp: str, body: bytes) -> str:
    """Return what X-Signature must be."""
    return hmac.new(secret.encode(), timestamp.encode() + b"." + body, hashlib.sha256).hexdigest()


def is_signed(secret: str, headers: Mapping[str, str], body: bytes, *, now: float | None = None) -> bool:
    """Tell whether a request was signed with the secret within the last five minutes."""
    timestamp, said = headers.get("X-Timestamp", ""), headers.get("X-Signature", "")
    if not timestamp.isdigit() or abs((now or time.time()) - int(timestamp[:12])) > FRESH_SECONDS:
        return False
    return hmac.compare_digest(signature(secret, timestamp, body).encode(), said.encode())


class WebhookSender(Sender):
    provider = "webhook"
    required = ("endpoint", "secret")

    def _send(self, message: Outgoing) -> Result:
        told = {"id": message.uid, "to": message.to, "channel": message.channel, "text": message.body}
        body = json.dumps(told, ensure_ascii=False).encode()
        response = self._ask("POST", self.base, content=body, headers=self._headers(body, message.uid))
        if OK <= response.status_code < MULTIPLE:
            said = self._json(response)
            if said.get("id") != message.uid:
                raise Unclear("the answer is about another message")
            return Result(Outcome.ACCEPTED, provider_id=str(said.get("reference") or message.uid)[:80])
        if response.status_code in (TIMED_OUT, CONFLICT):
            raise Unclear(f"HTTP {response.status_code}")
        return Result(Outcome.REJECTED, detail=f"HTTP {response.status_code}")

    def _query(self, message: Outgoing) -> Reply:
        where = self.config.get("status_endpoint", "").rstrip("/")
        if not where:
            return Reply(Found.CANNOT_TELL)
        check_address(where)
        response: httpx.Response = self._ask(
            "GET", f"{where}/{quote(message.uid, safe='')}", headers=self._headers(b"", message.uid)
        )
        if response.status_code == NOT_FOUND:
            return Reply(Found.ABSENT)
        if response.status_code != OK:
            return Reply(Found.CANNOT_TELL, detail=f"HTTP {response.status_code}")
        said = self._json(response)
        if said.get("id") != message.uid:
            return Reply(Found.CANNOT_TELL, detail="the answer is about another message")
        return Reply(STATES.get(said.get("status", ""), Found.CANNOT_TELL), str(said.get("reference") or "")[:80])

    def _headers(self, body: bytes, uid: str) -> dict[str, str]:
        now = str(int(time.time()))
        signed = signature(self.config["secret"], now, body)
        return {"Content-Type": "application/json", "Idempotency-Key": uid, "X-Timestamp": now, "X-Signature": signed}
