"""Numbers, money and moments as people write them, in both languages."""

from datetime import date, datetime
from decimal import Decimal, InvalidOperation
from functools import lru_cache

from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import get_language, pgettext


def num(value: object) -> str:
    """A number grouped by thousands: 17200 → 17,200. Anything else is returned as it is."""
    try:
        amount = Decimal(str(value))
    except InvalidOperation:
        return "" if value is None else str(value)
    return f"{amount:,}"


def money(value: object) -> str:
    """Yuan: 16800.00 → ¥16,800; 1.6 → ¥1.60; None → —."""
    try:
        amount = Decimal(str(value))
    except InvalidOperation:
        return "—"
    sign = "−" if amount < 0 else ""
    amount = abs(amount)
    digits = f"{amount:,.0f}" if amount == amount.to_integral_value() else f"{amount:,.2f}"
    return f"{sign}¥{digits}"


def _local(value: datetime) -> datetime:
    return timezone.localtime(value) if timezone.is_aware(value) else value


def clock(value: datetime | None) -> str:
    """The time of day in the clinic: 10:42."""
    return _local(value).strftime("%H:%M") if value else ""


def _as_date(value: date | datetime) -> date:
    return _local(value).date() if isinstance(value, datetime) else value


def day(value: date | datetime | None) -> str:
    """A date with its weekday, the year only when it is another: 11月18日 周三."""
    if value is None:
        return ""
    on = _as_date(value)
    return _day(on, on.year == timezone.localdate().year, get_language())


@lru_cache(maxsize=2048)
def _day(on: date, this_year: bool, _language: str) -> str:
    if this_year:
        words = date_format(on, pgettext("date format", "D j M"))
        return words.replace("星期", "周")  # Django's Chinese weekday is the long one
    return date_format(on, pgettext("date format", "j M Y"))


def short_day(value: date | datetime | None) -> str:
    """A date without its weekday, the year only when it is another: 11月18日."""
    if value is None:
        return ""
    on = _as_date(value)
    return _short_day(on, on.year == timezone.localdate().year, get_language())


@lru_cache(maxsize=2048)
def _short_day(on: date, this_year: bool, _language: str) -> str:
    words = pgettext("date format", "j M") if this_year else pgettext("date format", "j M Y")
    return date_format(on, words)


def when(value: date | datetime | None) -> str:
    """A moment as one says it: 今天 12:00, 昨天 16:30, 明天 9:00, else the date."""
    if value is None:
        return ""
    on = _as_date(value)
    names = {-1: pgettext("day", "Yesterday"), 0: pgettext("day", "Today"), 1: pgettext("day", "Tomorrow")}
    name = names.get((on - timezone.localdate()).days) or day(on)
    return f"{name} {clock(value)}" if isinstance(value, datetime) else name


def when_within(value: date | datetime | None) -> str:
    """The same inside a sentence: "read by Lin today 12:00"."""
    said = when(value)
    for start, within in (
        (pgettext("day", "Yesterday"), pgettext("day within a sentence", "yesterday")),
        (pgettext("day", "Today"), pgettext("day within a sentence", "today")),
        (pgettext("day", "Tomorrow"), pgettext("day within a sentence", "tomorrow")),
    ):
        if said.startswith(start):
            return within + said[len(start) :]
    return said
