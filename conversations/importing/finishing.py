"""From a chat as it stands in a file to one that can be written: senders settled, sorted, counted, named once."""

import hashlib
from collections.abc import Set
from datetime import datetime
from decimal import Decimal, InvalidOperation
from itertools import pairwise

from conversations.importing.chat import CONSULTANT, VISITOR, Bad, Draft, Line, ReadChat, Said
from conversations.importing.content import clean
from conversations.importing.reasons import Reason
from conversations.importing.senders import mark_automatic, settle
from conversations.importing.times import is_future

MOST_MESSAGES = 50_000
KEY, NAME, WORDS = 80, 60, 120  # how much of each text is kept
DEAREST = Decimal("999999.99")
STEADY = 3  # so many first messages tell chats without times apart
# Oddities that a person is warned of; pictures, emoji and HTML are counted alone.
_WARNED = (
    Reason.BAD_BYTES, Reason.BAD_TIME, Reason.NO_TIME, Reason.FUTURE_TIME, Reason.OUT_OF_ORDER, Reason.ONE_SIDED,
    Reason.EMPTY_MESSAGE, Reason.CUT_TEXT, Reason.BAD_COST,
)  # fmt: skip


def finish(draft: Draft, *, staff: Set[str], now: datetime, trusted: bool = False) -> ReadChat | Bad:
    """Return the chat ready to be written, or why it cannot be.

    Args: staff: names known in the clinic, as senders.plain has them; now: times beyond it are noted;
    trusted: the file itself says which lines are a bot's or the system's.
    """
    if len(draft.lines) > MOST_MESSAGES:
        return Bad(draft.row, Reason.TOO_LONG)
    notes: dict[str, int] = {}
    lines = _cleaned(draft, notes)
    if not lines:
        return Bad(draft.row, Reason.NO_MESSAGES)
    visitor, consultant = _name(draft.visitor), _name(draft.consultant)
    settle(lines, visitor=visitor, consultant=consultant, staff=staff)
    if not trusted:
        mark_automatic(lines)
    lines = _in_order(lines, draft)
    for line in lines:
        line.name = line.name or (consultant if line.role == CONSULTANT else visitor if line.role == VISITOR else "")
    draft.note(Reason.ONE_SIDED, int(len({line.role for line in lines} & {VISITOR, CONSULTANT}) < 2))
    draft.note(Reason.FUTURE_TIME, sum(line.at is not None and is_future(line.at, now) for line in lines))
    return _built(draft, lines, notes, consultant or _busiest(lines, CONSULTANT), visitor, now)


def _cleaned(draft: Draft, notes: dict[str, int]) -> list[Line]:
    kept = []
    for line in draft.lines:
        text = clean(line.text)
        for what, count in (("images", text.images), ("emoji", text.emoji), ("html", text.html)):
            if count:
                notes[what] = notes.get(what, 0) + count
        draft.note(Reason.BAD_BYTES, text.unreadable)
        draft.note(Reason.CUT_TEXT, int(text.cut))
        draft.note(Reason.EMPTY_MESSAGE, int(not text.text))
        if text.text:
            kept.append(Line(line.at, line.role, _name(line.name), text.text))
    return kept


def _name(text: str) -> str:
    return clean(text).text[:NAME].strip()


def _in_order(lines: list[Line], draft: Draft) -> list[Line]:
    """Sort by time; lines of one moment stay as they stood, and one without a time stays behind the one before it."""
    times = [line.at for line in lines]
    draft.note(Reason.NO_TIME, times.count(None))
    known = [at for at in times if at is not None]
    late = sum(after < before for before, after in pairwise(known))
    draft.note(Reason.OUT_OF_ORDER, late)
    if not late:
        return lines
    last, keyed = known[0], []
    for line in lines:
        last = line.at or last
        keyed.append((last, line))
    return [line for _at, line in sorted(keyed, key=lambda pair: pair[0])]


def _busiest(lines: list[Line], role: str) -> str:
    counts: dict[str, int] = {}
    for line in lines:
        if line.role == role and line.name:
            counts[line.name] = counts.get(line.name, 0) + 1
    return max(counts, key=counts.__getitem__, default="")


def _built(
    draft: Draft, lines: list[Line], notes: dict[str, int], consultant: str, visitor: str, now: datetime
) -> ReadChat:
    messages = tuple(Said(line.at, line.role, line.name, line.text) for line in lines)
    cost = _cost(draft)
    known = [said.at for said in messages if said.at is not None]
    first = min([*known[:1], *([draft.started_at] if draft.started_at else [])], default=None)
    started = first or now.replace(second=0, microsecond=0)
    visitor = visitor or _busiest(lines, VISITOR)
    facts = [
        _words(draft.channel, NAME),
        _words(draft.keyword, WORDS),
        str(cost),
        consultant,
        _name(draft.team),
        visitor,
    ]
    return ReadChat(
        row=draft.row,
        source_key=_key(draft.key, visitor, first, messages),
        content_hash=_digest(facts, [str(first), *(_line(said) for said in messages)]),
        channel=facts[0],
        keyword=facts[1],
        cost=cost,
        consultant=consultant,
        team=facts[4],
        visitor=visitor,
        started_at=started,
        ended_at=max([started, *known[-1:]]),
        messages=messages,
        notes=notes | {reason.value: count for reason, count in draft.oddities.items() if count},
        warnings=tuple(reason for reason in _WARNED if draft.oddities.get(reason)),
    )


def _words(text: str, most: int) -> str:
    return " ".join(clean(text).text.split())[:most]


def _cost(draft: Draft) -> Decimal | None:
    said = str(draft.cost).replace("¥", "").replace("￥", "").replace("元", "").replace(",", "").strip()
    if not said:
        return None
    try:
        cost = Decimal(said)
        if not 0 <= cost <= DEAREST:  # raises for NaN
            raise InvalidOperation
    except InvalidOperation:
        draft.note(Reason.BAD_COST)
        return None
    return cost.quantize(Decimal("0.01"))


def _key(key: str, visitor: str, started: datetime | None, messages: tuple[Said, ...]) -> str:
    """Return what the chat is known by: the other system's id, else what stays the same when it grows longer."""
    said = clean(key).text
    if said and len(said) <= KEY:
        return said
    if said:
        return f"#{_digest([said])[:40]}"
    steady = [_line(one) for one in messages[: 1 if started else STEADY]]
    return f"#{_digest([visitor, str(started), *steady])[:40]}"


def _line(said: Said) -> str:
    return f"{said.at}\x1f{said.sender}\x1f{said.name}\x1f{said.text}"


def _digest(*lists: list[str]) -> str:
    return hashlib.sha256("\x1e".join(text for texts in lists for text in texts).encode()).hexdigest()
