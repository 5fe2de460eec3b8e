"""A calendar that looks worked in: hours with a lunch break, a training, and people who wait for a time."""

from datetime import datetime, time, timedelta

from clinic_crm.demo.history import History
from clinic_crm.demo.staff import DemoClinic
from followups.hours import LENGTHS
from followups.models import Absence, CalendarSettings, WaitingEntry, WorkingHours

STRETCHES = ((time(9), time(12)), (time(14), time(18)))
WAITING = (("recheck", 30, "冷热敏感，越早越好"), ("treatment", 60, "补牙，下午方便"), ("first", 30, "想早点看矫正"))


def furnish(history: History, group: DemoClinic) -> None:
    """Give a clinic its hours and settings, today's training, and who waits. The caller writes the history."""
    clinic, today = group.clinic, group.clinic.today()
    CalendarSettings.objects.get_or_create(clinic=clinic, defaults={"lengths": dict(LENGTHS)})
    if not WorkingHours.objects.for_clinic(clinic).exists():
        WorkingHours.objects.bulk_create(
            WorkingHours(clinic=clinic, weekday=weekday, opens=opens, closes=closes)
            for weekday in range(7)
            for opens, closes in STRETCHES
        )
    start, end = (datetime.combine(today, clock, clinic.tz) for clock in (time(15, 30), time(18)))
    facts = {"doctor": group.doctors[-1], "kind": Absence.Kind.TRAINING, "note": "院内培训"}
    Absence.objects.get_or_create(clinic=clinic, starts_at=start, ends_at=end, defaults=facts)
    for kind, minutes, note in WAITING:
        case = history.person(group)
        history.rows[WaitingEntry].append(
            WaitingEntry(
                id=history.ids.take(WaitingEntry), clinic=clinic, patient=case.patient, kind=kind, minutes=minutes,
                from_day=today, until_day=today + timedelta(days=10), note=note, created_by=case.coordinator,
            )
        )  # fmt: skip
