"""In what steps a report's trend goes, and the windows it is made of."""

from datetime import date, timedelta
from typing import Literal

from accounts.windows import EARLIEST, Window, plus_months

Step = Literal["week", "month"]
PERIODS = 13  # of a trend
SHORT_DAYS = 45  # of a free window, up to which its trend goes by weeks


def step_of(window: Window) -> Step:
    """Return weeks for up to a month and a half, else months."""
    short = window.unit == "free" and (window.end - window.start).days < SHORT_DAYS
    return "week" if short or window.unit in ("day", "week") else "month"


def trend_of(window: Window, step: Step) -> list[Window]:
    """Return the 13 whole weeks or months up to the one that holds the last day, oldest first."""
    last = Window.of(step, window.last_day)
    earliest = Window.of(step, EARLIEST + timedelta(days=7)).start
    starts = [_stepped(last.start, step, -n) for n in range(PERIODS - 1, -1, -1)]
    return [Window.of(step, day) for day in starts if day >= earliest]


def _stepped(day: date, step: Step, steps: int) -> date:
    return day + timedelta(days=7 * steps) if step == "week" else plus_months(day, steps)
