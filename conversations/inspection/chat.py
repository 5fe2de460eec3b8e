"""What goes into an inspection and what comes out of it. No model, no database."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal

from conversations.inspection.advice import advice

Sender = Literal["visitor", "consultant", "bot", "system"]
Ending = Literal["greeting", "visitor", "consultant", "system"]


@dataclass(frozen=True)
class Line:
    """One message. `at` is None where the source gave no time."""

    at: datetime | None
    sender: Sender
    text: str


@dataclass(frozen=True)
class Chat:
    """One conversation in its order; relative words (明天, 下周三) count from `started_at`."""

    started_at: datetime
    lines: tuple[Line, ...]


@dataclass(slots=True)
class Found:
    """One thing that lost, or may lose, the visitor.

    `message` is an index into Chat.lines, None when the whole chat is meant. `quote` are the words, `own_advice` what
    the clinic's own rules say to do instead ("" where what is built in holds), `detail` what was measured or meant,
    e.g. {"seconds": 75} or {"word": "不好意思"}.
    """

    code: str
    message: int | None
    quote: str
    own_advice: str = ""
    detail: dict[str, Any] = field(default_factory=dict)

    @property
    def advice(self) -> str:
        """What to say or do instead, in the language that is active."""
        return self.own_advice or advice(self.code, self.detail)


@dataclass(slots=True)
class Captured:
    """What the visitor gave or agreed to, each with the index of the message that shows it."""

    phone: str | None = None
    wechat: str | None = None
    qq: str | None = None
    booking: datetime | None = None
    phone_message: int | None = None
    wechat_message: int | None = None
    qq_message: int | None = None
    booking_message: int | None = None


@dataclass(slots=True)
class Verdict:
    """All that the rules say about one chat.

    `first_reply_seconds` is None when nobody ever answered or the times are missing; `counts` has visitor_messages,
    visitor_chars, consultant_messages, consultant_chars. Characters are counted without white space.
    """

    ending: Ending
    third_party: bool
    in_scope: bool
    is_effective: bool
    captured: Captured
    findings: tuple[Found, ...]
    first_reply_seconds: int | None
    longest_silence_seconds: int | None
    counts: dict[str, int]
