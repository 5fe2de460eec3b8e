"""When each of a campaign's messages leaves. No database here."""

from collections.abc import Iterator
from datetime import datetime, timedelta

from followups.message_rules import Hours
from followups.never import is_forbidden
from patients.classification import PatientClass


def forbidden_classes(nature: str) -> list[str]:
    """Return the classes whose patients must never get a message of this nature (DOMAIN §3)."""
    return [code for code in PatientClass.values if is_forbidden(class_code=code, nature=nature)]


def due_times(*, start: datetime, count: int, per_hour: int, hours: Hours) -> Iterator[datetime]:
    """Yield `count` times from `start` on, evenly apart, at most `per_hour` in any hour, none in quiet hours.

    Raises: ValueError for a pace below one an hour.
    """
    if per_hour < 1:
        raise ValueError("at least one an hour")
    apart = timedelta(hours=1) / per_hour
    at = hours.next_allowed(start)
    for _n in range(count):
        yield at
        at = hours.next_allowed(at + apart)
