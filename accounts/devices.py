"""The sessions of a person: where they are signed in, in words, and since when."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from allauth.usersessions.models import UserSession
from django.conf import settings
from django.contrib.auth import HASH_SESSION_KEY
from django.contrib.sessions.models import Session
from django.utils import timezone
from django.utils.crypto import constant_time_compare

from accounts.models import User

STARTED, SEEN = "started_at", "seen_at"  # session: seconds since 1970
BROWSERS = (
    ("MicroMessenger/", "WeChat"), ("Edg/", "Edge"), ("Firefox/", "Firefox"), ("Chrome/", "Chrome"), ("Safari/", "Safari"),
)  # fmt: skip
SYSTEMS = (
    ("iPad", "iPad"), ("iPhone", "iPhone"), ("Android", "Android"), ("Windows", "Windows"), ("Mac OS", "macOS"),
    ("Linux", "Linux"),
)  # fmt: skip


@dataclass(frozen=True)
class Device:
    """One place where a person is signed in."""

    pk: int
    name: str  # empty when the browser does not tell
    address: str
    started: datetime
    seen: datetime
    current: bool


def device_name(agent: str) -> str:
    """Return browser and system from a User-Agent header: "Chrome · Windows"; empty for an unknown one."""
    found = (next((name for mark, name in names if mark in agent), "") for names in (BROWSERS, SYSTEMS))
    return " · ".join(name for name in found if name)


def is_over(session: Any, now: float) -> bool:
    """Tell whether a session (or its decoded data) ran out: too long unused, or too long ago begun."""
    started, seen = session.get(STARTED), session.get(SEEN)
    if started is None or seen is None:
        return False
    return now - seen > settings.SESSION_IDLE_MINUTES * 60 or now - started > settings.SESSION_ABSOLUTE_HOURS * 3600


def devices_of(user: User, current_key: str | None) -> list[Device]:
    """Return where the person is signed in now, this place first, then the last used. Two statements."""
    rows = list(UserSession.objects.filter(user=user).order_by("-last_seen_at"))
    keys, now = [row.session_key for row in rows], timezone.now()
    stored = Session.objects.filter(session_key__in=keys, expire_date__gt=now)
    expected = user.get_session_auth_hash()
    alive = {row.session_key for row in stored if _is_alive(row.get_decoded(), expected, now.timestamp())}
    found = [
        Device(row.pk, device_name(row.user_agent), row.ip, row.created_at, row.last_seen_at,
               current=row.session_key == current_key)
        for row in rows if row.session_key in alive
    ]  # fmt: skip
    return sorted(found, key=lambda device: not device.current)


def _is_alive(data: dict[str, Any], expected: str, now: float) -> bool:
    return constant_time_compare(data.get(HASH_SESSION_KEY, ""), expected) and not is_over(data, now)


def oldest_worth_keeping(now: datetime) -> datetime:
    """Return when the oldest session began that can still be open."""
    return now - timedelta(hours=settings.SESSION_ABSOLUTE_HOURS)
