"""A worked example of the handbook: signing and checking webhooks. Run by tests/docs/test_examples.py."""

# Sign.
import hashlib
import hmac
import time
from collections.abc import Mapping


def headers(secret: str, body: bytes, event: str) -> dict[str, str]:
    """Return what goes beside the body."""
    now = str(int(time.time()))
    signed = hmac.new(secret.encode(), now.encode() + b"." + body, hashlib.sha256).hexdigest()
    return {"X-Timestamp": now, "X-Signature": signed, "X-Event-Id": event, "Content-Type": "application/json"}


# Check.
def is_genuine(secret: str, headers: Mapping[str, str], body: bytes) -> bool:
    """Tell whether a delivery was signed with the secret within the last five minutes."""
    stamp, said = headers.get("X-Timestamp", ""), headers.get("X-Signature", "")
    if not stamp.isdigit() or abs(time.time() - int(stamp)) > 300:
        return False
    signed = hmac.new(secret.encode(), stamp.encode() + b"." + body, hashlib.sha256).hexdigest()
    return hmac.compare_digest(signed, said)
