"""Writing what an inspection of many chats came to, in a fixed number of statements."""

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, NamedTuple

from django.db import connection

from conversations.models import ChatMessage, Conversation, Finding
from patients.importing.copying import CopyInto, reserve_ids

_FINDING = (
    "id", "conversation", "code", "message", "created_at", "rule_set", "quote", "advice", "detail", "user",
)  # fmt: skip
_FACTS = {
    "ending": "text", "third_party": "boolean", "in_scope": "boolean", "is_effective": "boolean",
    "first_reply_seconds": "integer", "longest_silence_seconds": "integer", "inspected_at": "timestamptz",
    "rule_set_id": "bigint", "score": "numeric", "severity": "integer",
}  # fmt: skip


class Said(NamedTuple):
    """A stored message, as far as an inspection needs it."""

    pk: int
    conversation_id: int
    position: int
    at: datetime | None
    sender: str
    user_id: int | None
    text: str


def messages_of(conversations: Sequence[Conversation]) -> dict[int, list[Said]]:
    """Read the messages of some chats, by chat and in their order."""
    found: dict[int, list[Said]] = {conversation.pk: [] for conversation in conversations}
    rows = ChatMessage.objects.filter(conversation__in=list(found)).order_by("conversation", "position")
    for row in rows.values_list(*Said._fields).iterator(chunk_size=5_000):
        found[row[1]].append(Said(*row))
    return found


@dataclass(slots=True)
class New:
    """A finding that is not stored yet."""

    conversation: Conversation
    code: str
    message_id: int | None
    created_at: datetime
    rule_set_id: int | None
    quote: str
    advice: str
    detail: dict[str, Any]
    user_id: int | None
    pk: int = field(default=0)

    def stored(self) -> Finding:
        """Return it as the model has it."""
        return Finding(
            pk=self.pk, conversation=self.conversation, code=self.code, message_id=self.message_id, quote=self.quote,
            advice=self.advice, detail=self.detail, user_id=self.user_id, created_at=self.created_at,
            rule_set_id=self.rule_set_id,
        )  # fmt: skip


def write_new(findings: Sequence[New]) -> None:
    """Store findings, giving them their keys. What the model states as defaults holds for all other fields."""
    if not findings:
        return
    for finding, pk in zip(findings, reserve_ids(Finding, len(findings)), strict=True):
        finding.pk = pk
    copy = CopyInto(Finding, *_FINDING)
    copy.send(
        copy.line(
            (one.pk, one.conversation.pk, one.code, one.message_id, one.created_at, one.rule_set_id, one.quote,
             one.advice, json.dumps(one.detail, ensure_ascii=False), one.user_id)
        )
        for one in findings
    )  # fmt: skip


def write_facts(conversations: Sequence[Conversation]) -> None:
    """Store what the inspection says of the chats themselves."""
    table = connection.ops.quote_name(Conversation._meta.db_table)
    columns = ", ".join(f"%s::{kind}[]" for kind in _FACTS.values())
    changes = ", ".join(f"{name} = new.{name}" for name in _FACTS)
    values = [[getattr(one, name) for one in conversations] for name in _FACTS]
    with connection.cursor() as cursor:
        cursor.execute(
            f"UPDATE {table} old SET {changes} FROM unnest(%s::bigint[], {columns})"  # noqa: S608 - names of our own
            f" AS new (id, {', '.join(_FACTS)}) WHERE old.id = new.id",
            [[one.pk for one in conversations], *values],
        )
