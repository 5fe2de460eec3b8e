"""A chat as it was read, whatever the file: what the readers hand over, and what is written."""

from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal

from conversations.importing.reasons import Reason

VISITOR, CONSULTANT, BOT, SYSTEM = "visitor", "consultant", "bot", "system"
SENDERS = frozenset({VISITOR, CONSULTANT, BOT, SYSTEM})


@dataclass(slots=True)
class Line:
    """One message as it stands in the file. `role` is "" where only a name says who it was."""

    at: datetime | None
    role: str
    name: str
    text: str


@dataclass(slots=True)
class Draft:
    """One chat as it stands in the file, from row `row` on; `key` is the other system's id, "" without one."""

    row: int
    key: str = ""
    channel: str = ""
    keyword: str = ""
    cost: str = ""
    consultant: str = ""
    team: str = ""
    visitor: str = ""
    started_at: datetime | None = None
    lines: list[Line] = field(default_factory=list)
    oddities: dict[Reason, int] = field(default_factory=dict)

    def note(self, reason: Reason, count: int = 1) -> None:
        """Count something odd."""
        if count:
            self.oddities[reason] = self.oddities.get(reason, 0) + count


@dataclass(frozen=True, slots=True)
class Bad:
    """A row that is left out, and why."""

    row: int
    reason: Reason


@dataclass(frozen=True, slots=True)
class Said:
    """One message, ready to be written."""

    at: datetime | None
    sender: str
    name: str
    text: str


@dataclass(frozen=True, slots=True)
class ReadChat:
    """One chat, ready to be written: messages in the order of their times, counted."""

    row: int
    source_key: str
    content_hash: str
    channel: str
    keyword: str
    cost: Decimal | None
    consultant: str
    team: str
    visitor: str
    started_at: datetime
    ended_at: datetime
    messages: tuple[Said, ...]
    notes: dict[str, int]
    warnings: tuple[Reason, ...]

    def count(self, sender: str) -> tuple[int, int]:
        """Return how many messages and characters (white space aside) a side wrote."""
        texts = [said.text for said in self.messages if said.sender == sender]
        return len(texts), sum(len("".join(text.split())) for text in texts)
