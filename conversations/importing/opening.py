"""The one way in for every kind of file of chats."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Protocol
from zoneinfo import ZoneInfo

from django.utils.translation import gettext as _

from conversations.importing.chat import Bad, Draft
from conversations.importing.jsonl import JsonLines
from conversations.importing.tables import ChatTable, open_chat_table
from conversations.importing.transcript import Transcript
from patients.importing.delimited import find_encoding
from patients.importing.errors import ImportRefused

JSON_SUFFIXES = frozenset({".jsonl", ".ndjson", ".json"})
TABLE_SUFFIXES = frozenset({".csv", ".tsv", ".xlsx", ".xlsm"})
TEXT_SUFFIXES = frozenset({".txt", ".log", ".text"})
SUFFIXES = JSON_SUFFIXES | TABLE_SUFFIXES | TEXT_SUFFIXES
MOST_UPLOADED = 50 * 1024 * 1024
MOST_BYTES = 8 * 1024**3  # of the command; everything is streamed


class Source(Protocol):
    """A file of chats; `chats` can be read any number of times, and gives the same each time."""

    kind: str
    trusted: bool  # the file says itself what is a bot's and what the system's

    def chats(self) -> Iterator[Draft | Bad]: ...


def open_source(
    path: Path,
    *,
    tz: ZoneInfo,
    name: str = "",
    sheet: str = "",
    mapping: Mapping[str, str] | None = None,
    staff: frozenset[str] = frozenset(),
    most_bytes: int = MOST_BYTES,
) -> Source:
    """Open a file by its name and what it holds.

    Args: tz: the zone of times that name none; name: the file's own name, where `path` has another; sheet, mapping:
    of a table, as patients.importing.reader.open_table has them; staff: names known in the clinic.
    Raises: ImportRefused, saying why.
    """
    suffix = Path(name or path.name).suffix.lower()
    size = path.stat().st_size
    if not size:
        raise ImportRefused(_("The file is empty."))
    if size > most_bytes:
        raise ImportRefused(_("The file is larger than %(most)s MB. Split it.") % {"most": most_bytes >> 20})
    if suffix in TABLE_SUFFIXES:
        table = open_chat_table(path, sheet=sheet, mapping=mapping or {}, name=name, most_bytes=most_bytes)
        return ChatTable(table, tz)
    if suffix not in SUFFIXES:
        raise ImportRefused(_("Only .jsonl, .csv, .tsv, .xlsx and .txt files can be imported."))
    if sheet or (mapping and suffix in JSON_SUFFIXES):
        raise ImportRefused(_("Only a table has sheets and columns."))
    if suffix in JSON_SUFFIXES or _starts_with_brace(path):
        return JsonLines(path, tz, may_spread=suffix == ".json")
    return _text(path, tz, name=name, mapping=mapping or {}, staff=staff, most_bytes=most_bytes)


def _text(
    path: Path, tz: ZoneInfo, *, name: str, mapping: Mapping[str, str], staff: frozenset[str], most_bytes: int
) -> Source:
    """Open a .txt: a transcript, or a table that somebody named so."""
    transcript = Transcript(path, tz, staff=staff)
    named = name or path.name
    as_table = named if Path(named).suffix.lower() == ".txt" else f"{named}.txt"
    try:
        table = open_chat_table(path, sheet="", mapping=mapping, name=as_table, most_bytes=most_bytes)
        return ChatTable(table, tz)
    except ImportRefused:
        if mapping:
            raise
    if not transcript.looks_right():
        raise ImportRefused(_("No messages were found. Expected are lines such as “2026-11-20 13:05:12 访客1234：…”."))
    return transcript


def _starts_with_brace(path: Path) -> bool:
    encoding, skip = find_encoding(path)
    with path.open("rb") as file:
        file.seek(skip)
        return file.read(200).decode(encoding, "replace").lstrip("\ufeff \t\r\n").startswith("{")
