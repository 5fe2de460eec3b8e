"""What a POST with an Idempotency-Key was answered, for its repetitions within a day."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import OperationalError, connection, transaction
from django.utils import timezone

from accounts.models import IdempotentRequest, User
from accounts.sealing import seal, unseal

KEPT = timedelta(hours=24)
WAIT_SECONDS = 30  # for the same request, still running
PURPOSE = "api answers"
LOCK_TIMEOUT = "55P03"

# Whoever comes second waits here until the first has committed, with the answer, or has failed and left nothing.
_CLAIM = """
INSERT INTO accounts_idempotentrequest (user_id, key, method, path, fingerprint, status, headers, body, created_at)
VALUES (%(user)s, %(key)s, %(method)s, %(path)s, %(fingerprint)s, 0, '{}', '', %(now)s)
ON CONFLICT (user_id, key) DO UPDATE
SET method = excluded.method, path = excluded.path, fingerprint = excluded.fingerprint, status = 0,
    created_at = excluded.created_at
WHERE accounts_idempotentrequest.created_at < %(old)s
RETURNING id
"""


class StillRunning(Exception):
    """The same request has been running longer than anybody waits."""


@dataclass(frozen=True)
class Kept:
    """An answer as it was given."""

    status: int
    headers: dict[str, str]
    body: bytes
    fingerprint: str


def claim(*, key: str, method: str, path: str, fingerprint: str, by: User) -> int | Kept:
    """Take the key for a request about to run: returns the row's id; or what was answered to the key before.

    Waits while a request with the key runs. Call inside the transaction of what the request does: both become
    visible together, or neither does. Raises StillRunning.
    """
    now = timezone.now()
    values: dict[str, int | str | datetime] = {
        "user": by.pk,
        "key": key,
        "method": method,
        "path": path[:500],
        "fingerprint": fingerprint,
    }
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL lock_timeout = %s", [f"{WAIT_SECONDS}s"])
        try:
            cursor.execute(_CLAIM, values | {"now": now, "old": now - KEPT})
        except OperationalError as error:
            if getattr(error.__cause__, "pgcode", "") == LOCK_TIMEOUT:
                raise StillRunning from error
            raise
        row = cursor.fetchone()
        cursor.execute("SET LOCAL lock_timeout TO DEFAULT")
    if row is not None:
        return int(row[0])
    held = IdempotentRequest.objects.get(user=by, key=key)
    return Kept(held.status, held.headers, unseal(held.body, PURPOSE), held.fingerprint)


def keep(*, pk: int, status: int, headers: dict[str, str], body: bytes) -> None:
    """Store the answer with the claim, in the same transaction."""
    IdempotentRequest.objects.filter(pk=pk).update(status=status, headers=headers, body=seal(body, PURPOSE))


@transaction.atomic
def drop_old() -> int:
    """Delete answers older than a day; returns how many."""
    return IdempotentRequest.objects.filter(created_at__lt=timezone.now() - KEPT).delete()[0]
