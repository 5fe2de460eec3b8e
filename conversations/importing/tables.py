"""Chats from CSV and XLSX, one message a row."""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from django.utils.translation import gettext as _

from conversations.importing.chat import Bad, Draft, Line
from conversations.importing.columns import CHAT_COLUMNS
from conversations.importing.content import placeholder
from conversations.importing.reasons import Reason
from conversations.importing.senders import role_of_word
from conversations.importing.sorting import by_chat
from conversations.importing.times import read_time
from patients.importing.delimited import BAD_BYTES
from patients.importing.errors import ImportRefused, Unreadable
from patients.importing.reader import Row, Table, open_table
from patients.importing.text import content, kept, shown

MOST_ROWS = 5_000_000
OF_CHAT = ("channel", "keyword", "cost", "consultant", "team", "visitor")
DIRECTIONS = {
    "in": "visitor",
    "out": "consultant",
    "接收": "visitor",
    "发送": "consultant",
    "收": "visitor",
    "发": "consultant",
}


def open_chat_table(path: Path, *, sheet: str, mapping: Mapping[str, str], name: str, most_bytes: int) -> Table:
    """Open a file of messages at its header. Raises ImportRefused, saying why."""
    table = open_table(path, CHAT_COLUMNS, sheet=sheet, mapping=mapping, name=name, most_bytes=most_bytes)
    return replace(table, most_rows=MOST_ROWS, has_totals=False)  # “总计多少钱？” is a question


class ChatTable:
    """A table of messages: rows of one chat need not stand together."""

    kind = "table"
    trusted = False

    def __init__(self, table: Table, tz: ZoneInfo) -> None:
        self.table, self.tz = table, tz
        self.column = {field: position for position, field in reversed(table.header.fields.items())}
        if "text" not in self.column:
            raise ImportRefused(_("Say which column holds the text."))
        if not {"sender", "role"} & self.column.keys():
            raise ImportRefused(_("Say which column holds who said it."))
        if not {"conversation", "visitor"} & self.column.keys():
            raise ImportRefused(_("Say which column holds the conversation or the visitor."))

    def chats(self) -> Iterator[Draft | Bad]:
        """Yield the rows that are left out, then every chat."""
        left_out: list[Bad] = []
        rows = by_chat(self._keyed(left_out))
        for values in rows:
            yield from left_out
            left_out.clear()
            yield self._draft(values)
        yield from left_out

    def _keyed(self, left_out: list[Bad]) -> Iterator[tuple[str, int, tuple[Any, ...]]]:
        for row in self.table.rows():
            found = self._message(row)
            if isinstance(found, Bad):
                left_out.append(found)
            else:
                yield found

    def _message(self, row: Row) -> tuple[str, int, tuple[Any, ...]] | Bad:
        """Return a row as plain values: all text, so that it can be sorted in a file."""
        odd = row.broken and any(BAD_BYTES in cell for cell in row.cells)
        if row.broken and not (odd and len(row.cells) == len(self.table.header.names)):
            return Bad(row.number, Reason.BAD_ROW)
        cells = (
            [cell.replace(BAD_BYTES, "\ufffd").encode(errors="replace").decode() for cell in row.cells]
            if odd
            else row.cells
        )

        def cell(field: str) -> str:
            return content(cells[self.column[field]]) if field in self.column else ""

        key, visitor, time = cell("conversation"), cell("visitor"), cell("time")
        if not key and ("conversation" in self.column or not visitor):
            return Bad(row.number, Reason.MISSING_CONVERSATION)
        sender, role = cell("sender"), cell("role")
        if not sender and not role:
            return Bad(row.number, Reason.NO_SPEAKER)
        said = self._text(cells) or placeholder(cell("kind"))
        about = tuple(cell(field) for field in OF_CHAT)
        group = key or f"{visitor}\x1f{time[:10]}"
        return group, row.number, (row.number, key, time, sender, role, said, cell("started"), *about)

    def _text(self, cells: list[str]) -> str:
        """Return what was said as it was written: 无 is an answer here, not an empty cell."""
        raw = cells[self.column["text"]]
        return kept(raw) or shown(raw)

    def _draft(self, rows: list[tuple[Any, ...]]) -> Draft:
        number, key = rows[0][:2]
        draft = Draft(number, key=key)
        for position, field in enumerate(OF_CHAT, 7):
            setattr(draft, field, next((row[position] for row in rows if row[position]), ""))
        draft.started_at = self._time(next((row[6] for row in rows if row[6]), ""), draft)
        for _number, _key, time, sender, role, text, *_rest in rows:
            known = role_of_word(role) or DIRECTIONS.get(role.casefold(), "")
            if not known:
                known = role_of_word(sender)
            name = sender if sender and not role_of_word(sender) else "" if known else role
            draft.lines.append(Line(self._time(time, draft), known, name, text))
        return draft

    def _time(self, text: str, draft: Draft) -> datetime | None:
        try:
            return read_time(text, self.tz, epoch=self.table.epoch)
        except Unreadable:
            draft.note(Reason.BAD_TIME)
            return None
