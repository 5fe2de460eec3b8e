"""Reading numbers and times from what a browser sends, where no form does it."""

from datetime import datetime

from django.utils.dateparse import parse_datetime

MOST_DIGITS = 18  # more the database does not count to


def whole_number(text: object) -> int | None:
    """Return the number that plain digits stand for; None for anything else, or too large for an id."""
    said = text if isinstance(text, str) else ""
    return int(said) if said.isascii() and said.isdigit() and len(said) <= MOST_DIGITS else None


def moment(text: object) -> datetime | None:
    """Return the aware time in a text like 2026-11-22T10:00:00+08:00; None for anything else.

    The years at both ends of the calendar are left out: a zone or a length added to them leaves it.
    """
    try:
        found = parse_datetime(text) if isinstance(text, str) else None
    except ValueError:  # written well, but no such day
        return None
    return found if found is not None and found.tzinfo is not None and 1900 <= found.year < 2200 else None
