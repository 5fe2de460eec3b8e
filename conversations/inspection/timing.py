"""Who waited how long, and who wrote how much (DOMAIN §5: neglect)."""

from collections.abc import Sequence
from datetime import datetime, timezone
from typing import NamedTuple

from conversations.inspection.chat import Chat
from conversations.inspection.reading import Reading


class Wait(NamedTuple):
    """A run of visitor messages and how long it waited: until the next consultant message or, unanswered, the end."""

    message: int  # the first of the run
    seconds: int | None  # None: the times are missing
    is_answered: bool


def waits(chat: Chat) -> list[Wait]:
    """Give every wait of the visitor, in order. Neither a system line nor a bot is an answer."""
    found: list[Wait] = []
    first: int | None = None
    lines = chat.lines
    for index, line in enumerate(lines):
        sender = line.sender
        if sender == "visitor":
            if first is None:
                first = index
        elif sender == "consultant" and first is not None:
            found.append(Wait(first, seconds_between(lines[first].at, line.at), True))
            first = None
    if first is not None:
        last = max((line.at for line in lines[first:] if line.at is not None), default=None, key=_sortable)
        found.append(Wait(first, seconds_between(lines[first].at, last), False))
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
    if type(start.tzinfo) is timezone and type(end.tzinfo) is timezone:  # as a rule; others may change their clocks
        between = end - start
        seconds = between.days * 86_400 + between.seconds
        if between.microseconds:
            seconds = round(between.total_seconds())
        return seconds if seconds > 0 else 0
    return max(0, round(_sortable(end) - _sortable(start)))


def counts(reading: Reading) -> dict[str, int]:
    """Count messages and characters (without white space) of both sides."""
    return {
        "visitor_messages": len(reading.visitor),
        "visitor_chars": _characters(reading.raws, reading.visitor),
        "consultant_messages": len(reading.consultant),
        "consultant_chars": _characters(reading.raws, reading.consultant),
    }


def _characters(texts: Sequence[str], indices: Sequence[int]) -> int:
    return len("".join("".join([texts[index] for index in indices]).split()))
