"""The statements of the sweep: each handles a whole batch."""

import uuid
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from django.db import connection

from followups.models import Message

_SHOWN = """
SELECT m.id, m.clinic_id, m.patient_id, m.staff_id, m.channel, m.purpose, m.nature, m.due_at, m.stale_at,
       m.language, m.variables, m.attempts, p.class_code, p.merged_into_id, p.wechat_id, a.status, t.status,
       c.status, u.username
FROM followups_message m
LEFT JOIN patients_patient p ON p.id = m.patient_id
LEFT JOIN followups_appointment a ON a.id = m.appointment_id
LEFT JOIN followups_task t ON t.id = m.task_id
LEFT JOIN followups_campaign c ON c.id = m.campaign_id
LEFT JOIN accounts_user u ON u.id = m.staff_id AND u.is_active
"""
BY_ID = f"{_SHOWN} WHERE m.id = ANY(%s)"
CLAIM = f"""{_SHOWN}
WHERE m.state = 'queued' AND m.not_before <= %s
ORDER BY m.not_before, m.id LIMIT %s
FOR NO KEY UPDATE OF m SKIP LOCKED
"""

STILL_MINE = """
SELECT id FROM followups_message WHERE state = 'sending' AND lease_token = %s AND id = ANY(%s) FOR NO KEY UPDATE
"""

CHANGE = """
UPDATE followups_message m SET
    state = v.state, suppressed_reason = v.reason, failure = v.failure,
    body = CASE WHEN v.body = '' THEN m.body ELSE v.body END,
    provider = CASE WHEN v.provider = '' THEN m.provider ELSE v.provider END,
    provider_id = CASE WHEN v.provider_id = '' THEN m.provider_id ELSE v.provider_id END,
    attempts = greatest(0, m.attempts + v.attempts),
    not_before = coalesce(v.not_before, m.not_before),
    accepted_at = CASE WHEN v.state IN ('accepted', 'delivered') THEN coalesce(m.accepted_at, %s) ELSE m.accepted_at END,
    delivered_at = CASE WHEN v.state = 'delivered' THEN %s ELSE m.delivered_at END,
    lease_token = CASE WHEN v.state = 'sending' THEN %s::uuid END,
    lease_until = CASE WHEN v.state = 'sending' THEN %s::timestamptz END
FROM unnest(%s::bigint[], %s::text[], %s::text[], %s::text[], %s::text[], %s::text[], %s::text[], %s::int[],
            %s::timestamptz[]) AS v(id, state, reason, failure, body, provider, provider_id, attempts, not_before)
WHERE m.id = v.id
"""

TELL = """
INSERT INTO followups_messageevent (message_id, old_state, new_state, detail, at)
SELECT v.id, %s, v.state, v.detail, %s FROM unnest(%s::bigint[], %s::text[], %s::text[]) AS v(id, state, detail)
"""


def fetch(statement: str, arguments: Sequence[Any]) -> list[tuple[Any, ...]]:
    """Run a statement and return its rows."""
    with connection.cursor() as cursor:
        cursor.execute(statement, arguments)
        found: list[tuple[Any, ...]] = cursor.fetchall()
    return found


class Changes:
    """What becomes of some messages; written, with their history, by two statements."""

    def __init__(self, now: datetime, *, old: str = Message.State.QUEUED) -> None:
        self.now, self.old = now, old
        self._rows: list[tuple[Any, ...]] = []
        self._details: list[str] = []

    def __len__(self) -> int:
        return len(self._rows)

    def add(
        self,
        pk: int,
        state: str,
        *,
        reason: str = "",
        failure: str = "",
        body: str = "",
        provider: str = "",
        provider_id: str = "",
        attempts: int = 0,
        not_before: datetime | None = None,
        detail: str = "",
    ) -> None:
        """Note a message's new state. Args: attempts: how many tries more, or fewer."""
        self._rows.append(
            (pk, str(state), str(reason), failure[:300], body, provider, provider_id, attempts, not_before)
        )
        self._details.append(detail[:300].replace("\x00", ""))

    def write(self, *, token: uuid.UUID | None, until: datetime | None) -> None:
        """Write everything noted; the rows are locked by the caller's transaction."""
        if not self._rows:
            return
        columns = [list(column) for column in zip(*self._rows, strict=True)]
        with connection.cursor() as cursor:
            cursor.execute(CHANGE, [self.now, self.now, token and str(token), until, *columns])
            cursor.execute(TELL, [self.old, self.now, columns[0], columns[1], self._details])
