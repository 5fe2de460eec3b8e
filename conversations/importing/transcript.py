"""Chats from pasted or exported text: `2026-11-20 13:05:12 访客1234：…` and its kin, several in one text."""

import io
import re
from collections.abc import Iterator
from datetime import date, datetime, timedelta
from itertools import islice
from pathlib import Path
from zoneinfo import ZoneInfo

from conversations.importing import transcript_lines as lines
from conversations.importing.chat import SYSTEM, VISITOR, Bad, Draft, Line
from conversations.importing.finishing import MOST_MESSAGES
from conversations.importing.reasons import Reason
from conversations.importing.senders import EVENT, plain, role_of_name
from conversations.importing.times import YEARS, read_time
from patients.importing.delimited import find_encoding
from patients.importing.errors import Unreadable

LONGEST_LINE = 100_000
SAMPLE = 300  # lines by which a transcript is known
_NUMBERED = re.compile(r".*\d+")


class Transcript:
    """A text of one or more chats."""

    kind = "text"
    trusted = False

    def __init__(self, path: Path, tz: ZoneInfo, *, staff: frozenset[str] = frozenset()) -> None:
        self.path, self.tz, self.staff = path, tz, staff
        self.encoding, self._skip = find_encoding(path)

    def _lines(self) -> Iterator[str]:
        with self.path.open("rb") as binary:
            binary.seek(self._skip)
            text = io.TextIOWrapper(binary, encoding=self.encoding, errors="replace")
            while line := text.readline(LONGEST_LINE):
                yield line.strip("\ufeff\u200b \t\r\n\u3000")

    def looks_right(self) -> bool:
        """Tell whether the text has heads of messages at all."""
        sample = (line for line in islice(self._lines(), SAMPLE) if line)
        return any(
            ((head := lines.read_head(line)) is not None and not head.notice)
            or lines.read_spoken(line, frozenset(), "", self.staff) is not None
            for line in sample
        )

    def chats(self) -> Iterator[Draft | Bad]:
        """Yield every chat, and the lines that belong to none."""
        reader = _Reader(self.tz, self.staff)
        for number, line in enumerate(self._lines(), 1):
            if line:
                yield from reader.take(number, line)
        yield from reader.end()


class _Reader:
    """Reads line after line; holds one chat at a time."""

    def __init__(self, tz: ZoneInfo, staff: frozenset[str]) -> None:
        self.tz, self.staff = tz, staff
        self._start()

    def _start(self) -> None:
        self.draft: Draft | None = None
        self.day: date | None = None
        self.speakers: set[str] = set()
        self.last_at: datetime | None = None
        self.announced: lines.When | None = None  # by a line of its own, for those below
        self.about = False  # its header has begun
        self.too_many = False

    def end(self) -> Iterator[Draft | Bad]:
        """Yield the chat read so far, if any."""
        draft = self.draft
        self._start()
        if draft is None:
            return
        yield Bad(draft.row, Reason.TOO_LONG) if len(draft.lines) > MOST_MESSAGES else draft

    def take(self, number: int, line: str) -> Iterator[Draft | Bad]:
        """Read one line that is not blank."""
        if (key := lines.read_heading(line)) is not None and not self._may_be_text(line):
            yield from self._anew(number, key)
        elif lines.is_rule(line):
            if self.draft is not None and self.draft.lines:
                yield from self.end()
        elif (day := lines.read_day(line)) is not None:
            self.day = day
        elif (alone := lines.read_time_alone(line)) is not None:
            self.announced = alone
        elif (about := lines.read_about(line, inside=self.about)) is not None and self._takes(about[0]):
            yield from self._header(number, *about)
        else:
            yield from self._said(number, line)

    def _may_be_text(self, line: str) -> bool:
        """Tell whether what looks like a heading rather goes on with a message (a number after 咨询, say)."""
        return (
            self.draft is not None
            and bool(self.draft.lines)
            and not re.search(r"ID|编号|号|标识|^[=\-—#*【\[]", line, re.I)
        )

    def _takes(self, field: str) -> bool:
        """Tell whether a header line is one here: in a chat that has begun, only what begins another."""
        return self.draft is None or not self.draft.lines or field in ("key", "channel", "started")

    def _anew(self, number: int, key: str) -> Iterator[Draft | Bad]:
        if self.draft is not None and (self.draft.lines or self.draft.key):
            yield from self.end()
        self._draft(number).key = key
        self.about = True

    def _header(self, number: int, field: str, value: str) -> Iterator[Draft | Bad]:
        if self.draft is not None and (self.draft.lines or (field == "key" and self.draft.key)):
            yield from self.end()
        draft = self._draft(number)
        self.about = True
        if field == "started":
            try:
                draft.started_at = read_time(value, self.tz)
            except Unreadable:
                draft.note(Reason.BAD_TIME)
            if draft.started_at is not None:
                self.day = draft.started_at.astimezone(self.tz).date()
        elif field:
            setattr(draft, field, value)

    def _draft(self, number: int) -> Draft:
        if self.draft is None:
            self.draft = Draft(number)
        return self.draft

    def _said(self, number: int, line: str) -> Iterator[Draft | Bad]:
        head = lines.read_head(line)
        if head is None or self._goes_on(head):
            visitor = self.draft.visitor if self.draft is not None else ""
            head = lines.read_spoken(line, frozenset(self.speakers), visitor, self.staff) or (
                _notice(line) if _is_notice(line) else None
            )
        if head is None:
            if self.draft is None or not self.draft.lines:
                yield Bad(number, Reason.NO_SPEAKER)
            else:
                last = self.draft.lines[-1]
                last.text = f"{last.text}\n{line}" if last.text else line
            return
        if self._is_other_visitor(head.name):
            yield from self._to_other(number)
        self._add(self._draft(number), head)

    def _goes_on(self, head: lines.Head) -> bool:
        """Tell whether a clock without a day only stands in a sentence of the message above (13:05 的时候…)."""
        if not (self.draft and self.draft.lines) or (head.when is not None and head.when.day is not None):
            return False
        if head.notice:
            return not EVENT.search(head.text)
        sure = plain(head.name) in self.speakers or role_of_name(head.name, self.draft.visitor, self.staff)
        return head.below and not sure and not (head.when is not None and head.when.exact)

    def _to_other(self, number: int) -> Iterator[Draft | Bad]:
        day = self.day
        yield from self.end()
        self.day = day

    def _is_other_visitor(self, name: str) -> bool:
        """Tell whether a numbered visitor speaks who is not this chat's: then another chat has begun."""
        if self.draft is None or not _NUMBERED.fullmatch(name) or role_of_name(name, "", self.staff) != VISITOR:
            return False
        mine = {said for line in self.draft.lines if (said := line.name) and _NUMBERED.fullmatch(said)}
        visitors = {plain(said) for said in mine if role_of_name(said, "", self.staff) == VISITOR}
        return bool(visitors) and plain(name) not in visitors

    def _add(self, draft: Draft, head: lines.Head) -> None:
        if len(draft.lines) > MOST_MESSAGES:
            return
        role = SYSTEM if head.notice else ""
        draft.lines.append(Line(self._at(draft, head.when), role, head.name, head.text))
        if head.name:
            self.speakers.add(plain(head.name))

    def _at(self, draft: Draft, when: lines.When | None) -> datetime | None:
        """Return when it was said; a clock alone counts on the day announced, and past midnight on the next."""
        when = when or self.announced
        if when is None:
            return None
        day = when.day or self.day
        if when.bad or day is None or day.year not in YEARS:
            draft.note(Reason.BAD_TIME)
            return None
        at = datetime(day.year, day.month, day.day, tzinfo=self.tz) + timedelta(seconds=when.seconds)
        if when.day is None and self.last_at is not None and self.last_at - at > timedelta(hours=12):
            at += timedelta(days=1)
            self.day = day + timedelta(days=1)
        elif when.day is not None:
            self.day = when.day
        self.last_at = at
        return at


def _is_notice(line: str) -> bool:
    """Tell whether a line without time or name says that something happened."""
    return (
        len(line) <= 40
        and bool(re.match(r"[\[【(（<《-]*\s*(系统|提示|访客已|客户已|会话已|对话已|本次会话|本次对话)", line))
        and bool(EVENT.search(line))
    )


def _notice(line: str) -> lines.Head:
    """Return a notice without a time."""
    return lines.Head(None, "", line, notice=True)
