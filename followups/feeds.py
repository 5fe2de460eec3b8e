"""Appointments as an iCalendar feed: initials and patient number only, no names, no phones. No database here."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime

from icalendar import Calendar, Event

REFRESH = "PT15M"  # how often a calendar program should ask again


@dataclass(frozen=True)
class Entry:
    """One appointment as the feed tells it; times are aware."""

    pk: int
    starts_at: datetime
    ends_at: datetime
    initials: str
    number: str
    kind: str
    room: str
    is_certain: bool
    changed_at: datetime


def calendar_of(entries: Iterable[Entry], *, name: str, code: str) -> bytes:
    """Return the feed's text (RFC 5545).

    Args: name: what calendar programs call it; code: the clinic's, part of the events' ids.
    The same entries give the same bytes: nothing in it says when it was made.
    """
    calendar = Calendar()
    calendar.add("prodid", "-//clinic-crm//appointments//")
    calendar.add("version", "2.0")
    calendar.add("method", "PUBLISH")
    calendar.add("x-wr-calname", name)
    calendar.add("x-published-ttl", REFRESH)
    for entry in entries:
        calendar.add_component(_event(entry, code))
    text: bytes = calendar.to_ical()
    return text


def _event(entry: Entry, code: str) -> Event:
    event = Event()
    event.add("uid", f"appointment-{entry.pk}@{code.lower()}")
    event.add("dtstamp", entry.changed_at.astimezone(UTC))
    event.add("last-modified", entry.changed_at.astimezone(UTC))
    event.add("dtstart", entry.starts_at.astimezone(UTC))
    event.add("dtend", entry.ends_at.astimezone(UTC))
    event.add("summary", f"{entry.initials.upper()} {entry.number}".strip())
    event.add("description", entry.kind)
    if entry.room:
        event.add("location", entry.room)
    event.add("status", "CONFIRMED" if entry.is_certain else "TENTATIVE")
    return event
