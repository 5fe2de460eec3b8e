"""Who waited how long, and who wrote how much (DOMAIN §5: neglect)."""

from dataclasses import dataclass
from datetime import datetime

from conversations.inspection.chat import Chat
from conversations.inspection.reading import SPACE


@dataclass(frozen=True)
class Wait:
    """A run of visitor messages and how long it waited: until the next consultant message or, unanswered, the end."""

    message: int  # the first of the run
    seconds: int | None  # None: the times are missing
    is_answered: bool


def waits(chat: Chat) -> list[Wait]:
    """Give every wait of the visitor, in order. Neither a system line nor a bot is an answer."""
    found: list[Wait] = []
    first: int | None = None
    for index, line in enumerate(chat.lines):
        if line.sender == "visitor" and first is None:
            first = index
        elif line.sender == "consultant" and first is not None:
            found.append(Wait(first, seconds_between(chat.lines[first].at, line.at), True))
            first = None
    if first is not None:
        last = max((line.at for line in chat.lines[first:] if line.at is not None), default=None, key=_sortable)
        found.append(Wait(first, seconds_between(chat.lines[first].at, last), False))
    return found


def _sortable(at: datetime) -> float:
    try:
        return at.timestamp()
    except (OverflowError, ValueError, OSError):
        return 0.0


def seconds_between(start: datetime | None, end: datetime | None) -> int | None:
    """Give whole seconds from start to end, at least 0; None without both times."""
    if start is None or end is None:
        return None
    return max(0, round(_sortable(end) - _sortable(start)))


def counts(chat: Chat) -> dict[str, int]:
    """Count messages and characters (without white space) of both sides."""
    numbers = {"visitor_messages": 0, "visitor_chars": 0, "consultant_messages": 0, "consultant_chars": 0}
    for line in chat.lines:
        if line.sender in ("visitor", "consultant"):
            numbers[f"{line.sender}_messages"] += 1
            numbers[f"{line.sender}_chars"] += len(SPACE.sub("", line.text))
    return numbers
