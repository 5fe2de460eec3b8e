"""Reading what a browser sends, where no form does it: numbers, days, times, addresses to go back to."""

from datetime import date, datetime
from urllib.parse import urlsplit

from django.http import HttpRequest
from django.utils.dateparse import parse_datetime
from django.utils.http import url_has_allowed_host_and_scheme

MOST_DIGITS = 18  # more the database does not count to
# The years at both ends of the calendar are left out: a zone or a length added to them leaves it.
YEARS = range(1900, 2200)


def whole_number(text: object) -> int | None:
    """Return the number that plain digits stand for; None for anything else, or too large for an id."""
    said = text if isinstance(text, str) else ""
    return int(said) if said.isascii() and said.isdigit() and len(said) <= MOST_DIGITS else None


def moment(text: object) -> datetime | None:
    """Return the aware time in a text like 2026-11-22T10:00:00+08:00; None for anything else."""
    try:
        found = parse_datetime(text) if isinstance(text, str) else None
    except ValueError:  # written well, but no such day
        return None
    return found if found is not None and found.tzinfo is not None and found.year in YEARS else None


def day(text: object) -> date | None:
    """Return the day in a text like 2026-11-22; None for anything else."""
    try:
        found = date.fromisoformat(text) if isinstance(text, str) else None
    except ValueError:
        return None
    return found if found is not None and found.year in YEARS else None


def own_address(request: HttpRequest, target: str | None, fallback: str) -> str:
    """Return `target` when it is an address of this site, written from its root; else `fallback`."""
    said = target or ""
    ours = url_has_allowed_host_and_scheme(said, {request.get_host()}, require_https=request.is_secure())
    return said if ours and said.startswith("/") else fallback


def page_before(request: HttpRequest) -> str:
    """Return the page of ours that led here, written from the root; empty when none did, or it was this one."""
    page = request.headers.get("Referer", "")
    if not url_has_allowed_host_and_scheme(page, {request.get_host()}):
        return ""
    parts = urlsplit(page)
    if request.method == "GET" and parts.path == request.path:
        return ""
    return f"{parts.path}?{parts.query}" if parts.query else parts.path
