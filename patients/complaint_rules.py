"""When a complaint is due, and when two are one; no database here (DOMAIN §4)."""

from dataclasses import dataclass
from datetime import datetime, timedelta

# From being taken to being settled. Counted by the clock: neither nights nor closed days stretch it, for the person
# who waits for an answer has none.
DUE = {"high": timedelta(hours=4), "medium": timedelta(days=1), "low": timedelta(days=3)}
REPEAT_WITHIN = timedelta(days=30)
FOLLOW_UP_AFTER = timedelta(days=3)


@dataclass(frozen=True)
class Said:
    """What tells one complaint from another. `subject` is what it arose from, e.g. "visit:12", or empty."""

    patient_id: int | None
    category: str
    received_at: datetime
    subject: str = ""


def due_at(*, severity: str, received_at: datetime) -> datetime:
    """Return until when a complaint is to be settled: 4 hours, 1 day or 3 days after it was received.

    An unknown severity is as the middle one.
    """
    return received_at + DUE.get(severity, DUE["medium"])


def is_repeat(earlier: Said, later: Said) -> bool:
    """Tell whether the later one is the earlier one again: the same patient, and the same visit or, within 30 days,
    the same category (DOMAIN §4: repeats of one issue by one patient are one case)."""
    if earlier.patient_id is None or earlier.patient_id != later.patient_id:
        return False
    if earlier.subject and earlier.subject == later.subject:
        return True
    return earlier.category == later.category and later.received_at - earlier.received_at <= REPEAT_WITHIN


def is_overdue(*, due_at: datetime, closed_at: datetime | None, now: datetime) -> bool:
    """Tell whether an open complaint is past its time."""
    return closed_at is None and due_at < now


def may_settle(*, person_id: int, about_id: int | None) -> bool:
    """Tell whether a person may settle a complaint: nobody judges what is said of themselves."""
    return about_id is None or person_id != about_id
