"""Importing chats: streamed, in batches of one transaction each, so that what was done stays done."""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

from django.db import transaction
from django.utils import timezone

from accounts.audit import record
from accounts.models import Clinic, User
from conversations.importing.chat import Bad, Draft, ReadChat
from conversations.importing.finishing import finish
from conversations.importing.opening import MOST_BYTES, Source, open_source
from conversations.importing.people import People
from conversations.importing.writer import Written, write_batch
from conversations.models import ChatMessage, ConsultantName, Conversation
from conversations.services.inspecting import inspect_batch

CHATS_AT_ONCE, MESSAGES_AT_ONCE = 500, 10_000
LISTED = 100_000  # rows that a report names; beyond, only counted


@dataclass
class Tally:
    """What an import has come to so far; `taken` chats and bad rows of the file are settled."""

    taken: int = 0
    created: int = 0
    updated: int = 0
    unchanged: int = 0
    messages: int = 0
    rejected: list[dict[str, Any]] = field(default_factory=list)
    warnings: list[dict[str, Any]] = field(default_factory=list)
    warning_counts: Counter[str] = field(default_factory=Counter)
    rejected_counts: Counter[str] = field(default_factory=Counter)
    unknown: Counter[str] = field(default_factory=Counter)

    def reject(self, bad: Bad) -> None:
        """Count a row that was left out."""
        self.rejected_counts[bad.reason.value] += 1
        if len(self.rejected) < LISTED:
            self.rejected.append({"row": bad.row, "reason": bad.reason.value})

    def add(self, done: Written) -> None:
        """Count a batch."""
        self.created += done.created
        self.updated += done.updated
        self.unchanged += done.unchanged
        self.messages += done.messages
        self.unknown.update(done.unknown)
        for row, reason in done.warnings:
            self.warning_counts[reason.value] += 1
            if len(self.warnings) < LISTED:
                self.warnings.append({"row": row, "reason": reason.value})

    def report(self) -> dict[str, Any]:
        """Return what the command prints."""
        return {
            "conversations": self.created + self.updated + self.unchanged,
            "created": self.created,
            "unchanged": self.unchanged,
            "updated": self.updated,
            "rejected": sorted(self.rejected, key=lambda one: one["row"]),
            "warnings": sorted(self.warnings, key=lambda one: one["row"]),
            "messages": self.messages,
        }


def import_chats(
    *,
    path: Path,
    clinic: Clinic,
    by: User | None,
    name: str = "",
    sheet: str = "",
    mapping: Mapping[str, str] | None = None,
    dry_run: bool = False,
    most_bytes: int = MOST_BYTES,
    tally: Tally | None = None,
    settled: Callable[[Tally], None] | None = None,
) -> Tally:
    """Import a file of chats and inspect what is new.

    Args: tally: how far an earlier try came: so many chats are passed over; settled: called in each batch's
    transaction with what is done by then, so that a try that dies is gone on with. Raises: ImportRefused.
    """
    people = People.of(clinic)
    source = open_source(
        path, tz=clinic.tz, name=name, sheet=sheet, mapping=mapping, staff=people.staff, most_bytes=most_bytes
    )
    tally = tally or Tally()
    now = timezone.now()
    for batch, bad in batches(source, people, now, skip=tally.taken):
        with transaction.atomic():
            done = write_batch(batch, clinic=clinic, people=people, by=by, dry_run=dry_run)
            if done.changed:
                inspect_batch(done.changed)
            tally.add(done)
            for one in bad:
                tally.reject(one)
            tally.taken += len(batch) + len(bad)
            if settled is not None:
                settled(tally)
    if not dry_run:
        record(
            action="import_conversations", clinic=clinic, by=by, file=name or path.name, created=tally.created,
            updated=tally.updated, unchanged=tally.unchanged, rejected=sum(tally.rejected_counts.values()),
        )  # fmt: skip
    return tally


def batches(
    source: Source, people: People, now: datetime, *, skip: int = 0
) -> Iterator[tuple[list[ReadChat], list[Bad]]]:
    """Yield the chats of a file some hundred, or some thousand messages, at a time."""
    chats: list[ReadChat] = []
    bad: list[Bad] = []
    held = 0
    for number, draft in enumerate(source.chats()):
        if number < skip:
            continue
        read = _finished(draft, people, now, source)
        if isinstance(read, Bad):
            bad.append(read)
        else:
            chats.append(read)
            held += len(read.messages)
        if len(chats) + len(bad) >= CHATS_AT_ONCE or held >= MESSAGES_AT_ONCE:
            yield chats, bad
            chats, bad, held = [], [], 0
    if chats or bad:
        yield chats, bad


def _finished(draft: Draft | Bad, people: People, now: datetime, source: Source) -> ReadChat | Bad:
    if isinstance(draft, Bad):
        return draft
    return finish(draft, staff=people.staff, now=now, trusted=source.trusted)


@transaction.atomic
def take_chats(*, drafts: Iterable[Draft | Bad], clinic: Clinic, by: User | None) -> Tally:
    """Take in chats that another system pushed, and inspect them; a row of the answer is a chat's place."""
    people, now, tally = People.of(clinic), timezone.now(), Tally()
    chats = []
    for draft in drafts:
        read = draft if isinstance(draft, Bad) else finish(draft, staff=people.staff, now=now, trusted=True)
        if isinstance(read, Bad):
            tally.reject(read)
        else:
            chats.append(read)
    done = write_batch(chats, clinic=clinic, people=people, by=by)
    if done.changed:
        inspect_batch(done.changed)
    tally.add(done)
    return tally


def unknown_names(clinic: Clinic) -> list[tuple[str, int]]:
    """Return the names that wrote as consultants and are nobody's, with how many chats, most first."""
    people = People.of(clinic)
    rows = ChatMessage.objects.filter(
        conversation__clinic=clinic, sender=ChatMessage.Sender.CONSULTANT, user=None
    ).exclude(sender_name="")
    counts: Counter[str] = Counter()
    for name, _chat in rows.values_list("sender_name", "conversation").distinct():
        if people.user(name) is None:
            counts[name] += 1
    return counts.most_common()


@transaction.atomic
def link_name(*, clinic: Clinic, name: str, user: User, by: User) -> int:
    """Say whose name in the chats it is, for past chats too; returns how many chats it stands in.

    Findings and captures of those chats are credited anew by inspecting them again.
    """
    ConsultantName.objects.update_or_create(clinic=clinic, name=name[:60], defaults={"user": user})
    written = ChatMessage.objects.filter(
        conversation__clinic=clinic, sender=ChatMessage.Sender.CONSULTANT, sender_name=name
    )
    ids = sorted(
        {
            *written.values_list("conversation", flat=True).distinct(),
            *Conversation.objects.for_clinic(clinic).filter(consultant_name=name).values_list("pk", flat=True),
        }
    )
    written.update(user=user)
    Conversation.objects.filter(pk__in=ids, consultant_name=name).update(consultant=user)
    named = Conversation.objects.filter(pk__in=ids, consultant=None)
    named.update(consultant=user)
    for start in range(0, len(ids), CHATS_AT_ONCE):
        inspect_batch(ids[start : start + CHATS_AT_ONCE])
    record(action="consultant_linked", clinic=clinic, by=by, subject=user, words=name, rows=len(ids))
    return len(ids)
