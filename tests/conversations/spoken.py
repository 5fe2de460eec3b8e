"""A chat said in short, and what the inspection makes of it."""

from datetime import UTC, datetime, timedelta

from conversations.inspection import inspect
from conversations.inspection.chat import Chat, Line, Sender, Verdict

START = datetime(2026, 6, 10, 10, tzinfo=UTC)  # a Wednesday


def chat(*texts: str) -> Verdict:
    """Lines beginning with > are the consultant's, those with = the system's."""
    senders: dict[str, Sender] = {">": "consultant", "=": "system"}
    lines = [
        Line(START + timedelta(seconds=10 * n), senders.get(text[0], "visitor"), text.lstrip(">="))
        for n, text in enumerate(texts)
    ]
    return inspect(Chat(START, tuple(lines)))


def codes(*texts: str) -> set[str]:
    return {found.code for found in chat(*texts).findings}
