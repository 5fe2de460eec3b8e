"""Chats as JSON: one a line, or all in one array or written over several lines."""

import io
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from conversations.importing.chat import SENDERS, SYSTEM, Bad, Draft, Line
from conversations.importing.content import placeholder
from conversations.importing.reasons import Reason
from conversations.importing.senders import role_of_word
from conversations.importing.times import read_time
from patients.importing.delimited import find_encoding
from patients.importing.errors import Unreadable

LONGEST_LINE = 16 * 1024 * 1024  # characters: a chat of 50,000 messages
BLOCK = 1 << 18
SAMPLE = 4_000
_BLANK = "\ufeff \t\r\n"
_BETWEEN = _BLANK + "[],"  # the brackets of the one array; inside a chat they are the decoder's
_SPREAD = re.compile(r"\[\s*\{|\{\s*[\r\n]\s*\"")


class JsonLines:
    """A file of chats, one JSON object a line."""

    kind = "jsonl"
    trusted = True

    def __init__(self, path: Path, tz: ZoneInfo, *, may_spread: bool = False) -> None:
        """`may_spread`: the file may also be one array of chats, or chats written over several lines."""
        self.path, self.tz = path, tz
        self.encoding, self._skip = find_encoding(path)
        self._spread = may_spread and self._is_spread()

    def _is_spread(self) -> bool:
        """Tell whether the file does not hold one chat a line: it begins with an array, or a line of a brace alone."""
        with self.path.open("rb") as file:
            file.seek(self._skip)
            start = file.read(SAMPLE).decode(self.encoding, "replace").lstrip(_BLANK)
        return bool(_SPREAD.match(start))

    def chats(self) -> Iterator[Draft | Bad]:
        """Yield every chat, or why its line is none; one bad line never costs another."""
        with self.path.open("rb") as binary:
            binary.seek(self._skip)
            text = io.TextIOWrapper(binary, encoding=self.encoding, errors="replace")
            if self._spread:
                yield from self._values(text)
                return
            number = 0
            while line := text.readline(LONGEST_LINE):
                number += 1
                if len(line) >= LONGEST_LINE:
                    while line and not line.endswith("\n"):
                        line = text.readline(LONGEST_LINE)
                    yield Bad(number, Reason.TOO_LONG)
                elif line.strip("\ufeff \t\r\n"):
                    yield self._chat(number, line)

    def _values(self, text: io.TextIOWrapper) -> Iterator[Draft | Bad]:
        """Yield the chats of an array, or those that stand one after the other; what follows a fault is left out."""
        decoder, rest, number, wanted = json.JSONDecoder(), "", 1, BLOCK
        while block := text.read(wanted):
            rest += block
            while True:
                bare = rest.lstrip(_BETWEEN)
                number += rest.count("\n", 0, len(rest) - len(bare))
                rest = bare
                try:
                    said, end = decoder.raw_decode(rest)
                except (ValueError, RecursionError):
                    break
                yield chat_from(number, said, self.tz)
                number += rest.count("\n", 0, end)
                rest = rest[end:]
            wanted = max(BLOCK, len(rest))  # so that a long chat is not tried over and over
            if len(rest) >= LONGEST_LINE:
                yield Bad(number, Reason.TOO_LONG)
                return
        if rest:
            yield Bad(number, Reason.BAD_ROW)

    def _chat(self, number: int, line: str) -> Draft | Bad:
        try:
            said = json.loads(line.strip("\ufeff \t\r\n"))
        except (ValueError, RecursionError):
            return Bad(number, Reason.BAD_ROW)
        return chat_from(number, said, self.tz)


def chat_from(number: int, said: Any, tz: ZoneInfo) -> Draft | Bad:
    """Return the chat that a decoded object holds; labels and other fields are ignored."""
    if not isinstance(said, dict) or not isinstance(said.get("messages"), list):
        return Bad(number, Reason.BAD_CONVERSATION)
    draft = Draft(
        number,
        key=_text(said.get("id")), channel=_text(said.get("channel")), keyword=_text(said.get("keyword")),
        cost=_text(said.get("cost")), consultant=_text(said.get("consultant")), team=_text(said.get("team")),
        visitor=_text(said.get("visitor")),
    )  # fmt: skip
    draft.started_at = _time(said.get("started_at"), tz, draft)
    for message in said["messages"]:
        line = _line(message, tz, draft)
        if line is None:
            return Bad(number, Reason.BAD_CONVERSATION)
        draft.lines.append(line)
    return draft


def _line(message: Any, tz: ZoneInfo, draft: Draft) -> Line | None:
    if not isinstance(message, dict):
        return None
    who = _text(message.get("from") or message.get("sender") or message.get("role"))
    role = who if who in SENDERS else role_of_word(who)
    name = _text(message.get("name") or message.get("sender_name")) or ("" if role else who)
    if not role and not name:
        role = SYSTEM  # a line that nobody said
    text = message.get("text", message.get("content"))
    if not isinstance(text, str | int | float) or isinstance(text, bool) or text == "":
        text = placeholder(message.get("type"))
    return Line(_time(message.get("at", message.get("time")), tz, draft), role, name, str(text))


def _text(value: Any) -> str:
    """Return a text or a number as text; "" for anything else."""
    return str(value) if isinstance(value, str | int | float) and not isinstance(value, bool) else ""


def _time(value: Any, tz: ZoneInfo, draft: Draft) -> Any:
    try:
        return read_time(value, tz)
    except Unreadable:
        draft.note(Reason.BAD_TIME)
        return None
