"""When the clinic is open, for telling chats of the opening hours from the others (DOMAIN §4)."""

from datetime import date, timedelta

from accounts.models import Clinic
from followups.services.availability import read_hours


def open_times(clinic: Clinic, start: date, end: date) -> str:
    """Return the clinic's opening stretches of [start, end) as a tstzmultirange; three statements.

    Hours, holidays, make-up days and days on which the whole clinic was closed count as they are kept now.
    """
    bounds = clinic.day_bounds(start)[0], clinic.day_bounds(end)[0]
    hours = read_hours(clinic=clinic, start=bounds[0], end=bounds[1])
    days = (start + timedelta(days=n) for n in range((end - start).days))
    slots = (slot for day in days for slot in hours.openings(day))
    return "{" + ",".join(f"[{slot.starts_at.isoformat()},{slot.ends_at.isoformat()})" for slot in slots) + "}"
