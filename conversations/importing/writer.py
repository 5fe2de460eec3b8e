"""Chats written some hundred at a time: new ones by COPY, longer versions of known ones in place."""

import json
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from django.db import connection
from django.utils import timezone

from accounts.models import Clinic, User
from conversations.importing.chat import CONSULTANT, VISITOR, ReadChat, Said
from conversations.importing.people import People
from conversations.importing.reasons import Reason
from conversations.models import ChatMessage, Conversation
from patients.importing.copying import CopyInto, reserve_ids

_LOCK = 0x43484154  # one batch of a clinic is written at a time
ASIDE = 1_000_000  # added to positions while messages change places
_CONVERSATION = (
    "id", "clinic", "source_key", "content_hash", "channel", "keyword", "cost", "consultant", "consultant_name", "team",
    "team_name", "visitor_name", "started_at", "ended_at", "message_count", "visitor_messages", "visitor_chars",
    "consultant_messages", "consultant_chars", "import_notes", "imported_at", "imported_by",
)  # fmt: skip
_MESSAGE = ("conversation", "position", "at", "sender", "sender_name", "user", "text")


@dataclass
class Written:
    """What one batch came to. `changed` are the conversations to be inspected."""

    created: int = 0
    updated: int = 0
    unchanged: int = 0
    messages: int = 0
    changed: list[int] = field(default_factory=list)
    warnings: list[tuple[int, Reason]] = field(default_factory=list)
    unknown: Counter[str] = field(default_factory=Counter)  # names of consultants


def write_batch(
    chats: Sequence[ReadChat], *, clinic: Clinic, people: People, by: User | None, dry_run: bool = False
) -> Written:
    """Write chats in the caller's transaction; the same ones again change nothing.

    Args: dry_run: only tell what would happen. Of a chat that comes twice the longest is kept.
    """
    done = Written()
    chats = _longest(chats, done)
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s, %s)", [_LOCK, clinic.pk])
    rows = Conversation.objects.filter(clinic=clinic, source_key__in=[chat.source_key for chat in chats])
    known = {row.source_key: row for row in rows}
    fresh = [chat for chat in chats if chat.source_key not in known]
    longer = []
    for chat in (chat for chat in chats if chat.source_key in known):
        there = known[chat.source_key]
        if there.content_hash == chat.content_hash:
            done.unchanged += 1
        elif len(chat.messages) < there.message_count:
            done.unchanged += 1
            done.warnings.append((chat.row, Reason.SHORTER))
        else:
            longer.append((there, chat))
    _warn([*fresh, *(chat for _row, chat in longer)], people, done)
    done.created, done.updated = len(fresh), len(longer)
    done.messages = sum(len(chat.messages) for chat in (*fresh, *(chat for _row, chat in longer)))
    if not dry_run:
        done.changed = _insert(fresh, clinic, people, by)
        for row, chat in longer:
            _update(row, chat, people)
            done.changed.append(row.pk)
    return done


def _longest(chats: Sequence[ReadChat], done: Written) -> list[ReadChat]:
    """Keep of each chat its longest version in the batch."""
    kept: dict[str, ReadChat] = {}
    for chat in chats:
        other = kept.get(chat.source_key)
        if other is not None:
            done.warnings.append((chat.row, Reason.DUPLICATE))
            done.unchanged += 1
        if other is None or len(chat.messages) > len(other.messages):
            kept[chat.source_key] = chat
    return list(kept.values())


def _warn(chats: Iterable[ReadChat], people: People, done: Written) -> None:
    for chat in chats:
        done.warnings += [(chat.row, reason) for reason in chat.warnings]
        names = {said.name for said in chat.messages if said.sender == CONSULTANT and said.name}
        strangers = [name for name in sorted(names | {chat.consultant} - {""}) if people.user(name) is None]
        done.unknown.update(strangers)
        if strangers:
            done.warnings.append((chat.row, Reason.UNKNOWN_CONSULTANT))
        if chat.team and people.team(chat.team) is None:
            done.warnings.append((chat.row, Reason.UNKNOWN_TEAM))


def _insert(chats: list[ReadChat], clinic: Clinic, people: People, by: User | None) -> list[int]:
    if not chats:
        return []
    ids, now = reserve_ids(Conversation, len(chats)), timezone.now()
    into = CopyInto(Conversation, *_CONVERSATION)
    who = by.pk if by is not None else None
    into.send(into.line(_facts(pk, chat, clinic, people, now, who)) for pk, chat in zip(ids, chats, strict=True))
    copy = CopyInto(ChatMessage, *_MESSAGE)
    copy.send(
        copy.line((pk, position, said.at, said.sender, said.name, _user(said, people), said.text))
        for pk, chat in zip(ids, chats, strict=True)
        for position, said in enumerate(chat.messages)
    )
    return ids


def _facts(
    pk: int, chat: ReadChat, clinic: Clinic, people: People, now: datetime, by: int | None
) -> tuple[object, ...]:
    return (
        pk, clinic.pk, chat.source_key, chat.content_hash, chat.channel, chat.keyword, chat.cost,
        main_consultant(chat, people), chat.consultant, people.team(chat.team), chat.team, chat.visitor,
        chat.started_at, chat.ended_at, len(chat.messages), *chat.count(VISITOR), *chat.count(CONSULTANT),
        json.dumps(chat.notes), now, by,
    )  # fmt: skip


def _user(said: Said, people: People) -> int | None:
    return people.user(said.name) if said.sender == CONSULTANT else None


def main_consultant(chat: ReadChat, people: People) -> int | None:
    """Return who wrote most of a chat's consultant messages, else whom its header names."""
    wrote = Counter(user for said in chat.messages if (user := _user(said, people)) is not None)
    return wrote.most_common(1)[0][0] if wrote else people.user(chat.consultant)


def _update(row: Conversation, chat: ReadChat, people: People) -> None:
    """Bring a known chat up to its longer version; messages keep their identity, so findings stay with their words."""
    row.content_hash, row.channel, row.keyword, row.cost = chat.content_hash, chat.channel, chat.keyword, chat.cost
    row.consultant_id, row.consultant_name = main_consultant(chat, people), chat.consultant
    row.team_id, row.team_name, row.visitor_name = people.team(chat.team), chat.team, chat.visitor
    if not chat.notes.get(Reason.NO_TIME) or any(said.at for said in chat.messages):
        row.started_at, row.ended_at = chat.started_at, chat.ended_at
    row.message_count = len(chat.messages)
    row.visitor_messages, row.visitor_chars = chat.count(VISITOR)
    row.consultant_messages, row.consultant_chars = chat.count(CONSULTANT)
    row.import_notes = chat.notes
    row.save()
    _merge_messages(row, chat.messages, people)


def _merge_messages(row: Conversation, said: Sequence[Said], people: People) -> None:
    held = list(ChatMessage.objects.filter(conversation=row).order_by("position"))
    by_words: dict[tuple[str, str], list[ChatMessage]] = {}
    for message in reversed(held):
        by_words.setdefault((message.sender, message.text), []).append(message)
    matched = [found.pop() if (found := by_words.get((one.sender, one.text))) else None for one in said]
    left = sorted((message for found in by_words.values() for message in found), key=lambda m: -m.position)
    moved, fresh = [], []
    for position, (one, same) in enumerate(zip(said, matched, strict=True)):
        message = same or (left.pop() if left else None)
        if message is None:
            message = ChatMessage(conversation=row)
            fresh.append(message)
        else:
            moved.append(message)
        message.position, message.at, message.sender = position, one.at, one.sender
        message.sender_name, message.user_id, message.text = one.name, _user(one, people), one.text
    with connection.cursor() as cursor:  # the position is unique at every moment, so all step aside first
        cursor.execute(
            f"UPDATE {ChatMessage._meta.db_table} SET position = position + %s WHERE conversation_id = %s",  # noqa: S608
            [ASIDE, row.pk],
        )
    ChatMessage.objects.bulk_update(moved, ["position", "at", "sender", "sender_name", "user", "text"], batch_size=1000)
    ChatMessage.objects.bulk_create(fresh, batch_size=1000)
