"""Which days a clinic works on, as far as tasks need it."""

from datetime import date, timedelta

from accounts.models import Clinic
from followups import playbook_rules
from followups.services.availability import read_hours


def working_day_before(clinic: Clinic, day: date) -> date:
    """Return the last day before `day` on which the clinic is open, by its hours and China's holidays."""
    days = [day - timedelta(days=n) for n in range(1, 15)]
    hours = read_hours(clinic=clinic, start=clinic.day_bounds(days[-1])[0], end=clinic.day_bounds(day)[0])
    is_working = {each: bool(hours.openings(each, doctor=None, room=None)) for each in days}
    return playbook_rules.working_day_before(day, is_working=is_working)
