"""What follows from a contact, when to try again, and the words to say. No database here."""

import re
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from enum import StrEnum
from zoneinfo import ZoneInfo

from followups.models.playbooks import ContactChannel
from followups.models.tasks import ContactOutcome, TaskKind

OPENS, CLOSES = time(9), time(20)  # nobody is called outside, unless they asked for it
LATER = timedelta(hours=4)  # after a call that was not answered
PHONE_PART = "\n---\n"  # parts the words for WeChat from those for the phone in one script

# What an open wish for an appointment is: it comes back until one stands.
WANT_BOOKING = frozenset({TaskKind.BOOK_RECHECK, TaskKind.NO_SHOW, TaskKind.PLAN_SENT})
# What does not step aside when the patient was spoken to about something else.
URGENT = frozenset({TaskKind.CONFIRM, TaskKind.RECHECK_PLAN, TaskKind.CARE, TaskKind.COMPLAINT})
NOT_A_CONTACT = frozenset({TaskKind.RECHECK_PLAN})  # prepared among ourselves
UNANSWERED = frozenset({ContactOutcome.NO_ANSWER, ContactOutcome.CALL_LATER, ContactOutcome.WRONG_NUMBER})
FINAL = frozenset({ContactOutcome.REFUSES, ContactOutcome.NOT_INTERESTED})

ABSOLUTE = ("保证", "包治", "根治", "治愈", "百分之百", "100%", "无痛", "零风险", "不好意思", "国家级")
BEST = re.compile(r"最(?!近|后|初|晚|早|多|少|终)")


class Then(StrEnum):
    """What becomes of a task after a contact."""

    DONE = "done"
    AGAIN = "again"  # the same task, later
    ASIDE = "aside"  # the same task, after the clinic's days of rest, unless an appointment stands by then


def after(*, kind: str, outcome: str, has_appointment: bool) -> Then:
    """Return what becomes of a task. `has_appointment`: a later appointment stands already."""
    if outcome in UNANSWERED:
        return Then.AGAIN
    if outcome in FINAL or kind not in WANT_BOOKING or has_appointment:
        return Then.DONE
    return Then.ASIDE


def within_hours(moment: datetime, *, start: time | None, end: time | None, tz: ZoneInfo) -> bool:
    """Tell whether a patient may be called at `moment`; without wishes, in the usual hours."""
    first, last = hours_of(start, end)
    clock = moment.astimezone(tz).time()
    return first <= clock < last if first < last else clock >= first or clock < last


def hours_of(start: time | None, end: time | None) -> tuple[time, time]:
    """Return from when until when to call; one wish alone is filled up with the usual hours."""
    first, last = start or OPENS, end or CLOSES
    if start and not end and start >= CLOSES:
        last = time(22)
    if first == last:
        return OPENS, CLOSES
    return first, last


def next_inside(moment: datetime, *, start: time | None, end: time | None, tz: ZoneInfo) -> datetime:
    """Return the first moment from `moment` on at which the patient may be called, to full ten minutes."""
    local = moment.astimezone(tz)
    minutes = -(-local.minute // 10) * 10
    local = local.replace(minute=0, second=0, microsecond=0) + timedelta(minutes=minutes)
    if within_hours(local, start=start, end=end, tz=tz):
        return local
    first, _last = hours_of(start, end)
    found = datetime.combine(local.date(), first, tz)
    return found if found >= local else datetime.combine(local.date() + timedelta(days=1), first, tz)


@dataclass(frozen=True)
class NextDates:
    """When to try again: after no answer, and when the patient asks for another time."""

    no_answer: datetime
    again: datetime


def next_dates(*, now: datetime, start: time | None, end: time | None, tz: ZoneInfo) -> NextDates:
    """Suggest when to contact again, inside the hours the patient prefers (DOMAIN §4, [S2])."""
    tomorrow = datetime.combine(now.astimezone(tz).date() + timedelta(days=1), start or time(10), tz)
    return NextDates(
        no_answer=next_inside(now + LATER, start=start, end=end, tz=tz),
        again=next_inside(tomorrow, start=start, end=end, tz=tz),
    )


def fill(text: str, values: dict[str, str]) -> str:
    """Put what is known in the place of {name} and the like; anything else in braces stays as written."""
    return re.sub(r"\{(\w+)\}", lambda found: values.get(found[1], found[0]), text)


def unknown_placeholders(text: str, known: frozenset[str]) -> list[str]:
    """Return the placeholders that nothing fills."""
    return sorted(set(re.findall(r"\{(\w*)\}", text)) - known)


def scripts_of(script: str) -> dict[str, str]:
    """Return the words per channel: WeChat's first, the phone's after the parting line; one text serves both."""
    first, _mark, second = script.replace("\r\n", "\n").partition(PHONE_PART)
    return {ContactChannel.WECHAT: first.strip(), ContactChannel.PHONE: (second or first).strip()}


def join_scripts(wechat: str, phone: str) -> str:
    """Return one script of the words for both channels."""
    first, second = wechat.strip(), phone.strip()
    return first if not second or second == first else f"{first}{PHONE_PART}{second}"


def flagged(text: str) -> list[str]:
    """Return words that medical advertising rules or good manners forbid (DOMAIN §7, [S1])."""
    found = [word for word in ABSOLUTE if word in text]
    return found + ["最"] * bool(BEST.search(text))
