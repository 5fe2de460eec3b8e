"""China's public holidays and make-up workdays, as a kept library lists them. No database here.

The State Council announces a year in the autumn before; until the library has it, a year shows its statutory days
without the moved weekends. Source: https://www.gov.cn, by the package `holidays`.
"""

from datetime import date, timedelta
from functools import lru_cache

import holidays
from django.utils.translation import get_language

SATURDAY = 5


def _words() -> str:
    return "zh_CN" if (get_language() or "zh").startswith("zh") else "en_US"


@lru_cache(maxsize=64)
def _year(year: int, words: str) -> dict[date, str]:
    """Return the days off of a year: those listed and the weekends that touch them, unless they are worked."""
    listed = _listed(year, words)
    found = dict(listed)
    for day in sorted(listed):
        for step in (timedelta(days=-1), timedelta(days=1)):
            beside = day + step
            while beside.year == year and beside.weekday() >= SATURDAY and not is_makeup(beside):
                found.setdefault(beside, listed[day])
                beside += step
    return dict(sorted(found.items()))


def _listed(year: int, words: str) -> dict[date, str]:
    """Return what the library lists; a day off that was moved here has the name of the holiday it stands beside."""
    plain = holidays.China(years=year, language="en_US")
    moved = {day for day, name in plain.items() if name.startswith("Day off")}
    found = {day: _plain(name) for day, name in holidays.China(years=year, language=words).items() if day not in moved}
    for day in sorted(moved):
        beside = min(found, key=lambda other: abs(other - day), default=None)
        found[day] = found[beside] if beside is not None else ""
    return found


def _plain(name: str) -> str:
    """Return the first name of a day, without what the library says about how it was reckoned."""
    return name.split(";")[0].split("(observed")[0].split("（")[0].strip()


@lru_cache(maxsize=64)
def _worked_weekends(year: int) -> frozenset[date]:
    return frozenset(day for day in holidays.China(years=year).weekend_workdays if day.year == year)


def is_makeup(day: date) -> bool:
    """Whether a Saturday or Sunday is worked in exchange for a day off."""
    return day in _worked_weekends(day.year)


def holiday_name(day: date) -> str:
    """Return the name of the public holiday that a day belongs to, in the reader's language; else nothing."""
    return _year(day.year, _words()).get(day, "")


def is_holiday(day: date) -> bool:
    """Whether everybody has this day off."""
    return day in _year(day.year, "zh_CN")


def holidays_of(year: int) -> list[tuple[date, str]]:
    """Return a year's days off with their names, in order."""
    return sorted(_year(year, _words()).items())


def makeup_days_of(year: int) -> list[date]:
    """Return a year's worked Saturdays and Sundays, in order; empty until they are announced."""
    return sorted(_worked_weekends(year))


def clock_weekday(day: date) -> int:
    """Return the weekday whose hours a make-up workday keeps: Friday's on a Saturday, Monday's on a Sunday."""
    return 4 if day.weekday() == SATURDAY else 0
