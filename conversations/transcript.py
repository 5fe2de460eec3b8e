"""A chat as the page shows it: messages, how long each waited, and the findings beside the words they quote.

A short chat is shown whole; of a long one what surrounds its findings, with the rest behind links.
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django.db.models import Q
from django.utils.timezone import localdate
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, pgettext

from conversations.inspection.codes import CODES
from conversations.masking import hidden
from conversations.models import CapturedContact, ChatMessage, Conversation, Finding

WHOLE = 300  # messages of a chat that is shown at once
AROUND = 3  # messages before and after one with a finding
MOST_MARKED = 60  # findings whose surroundings are shown at first
CHUNK = 200  # messages that one link brings
HOUR = 60  # minutes
LONG_WAIT = 60  # seconds from which on a wait is told
WAITED = ("neglect.slow_first_reply", "neglect.silence")
Sender = ChatMessage.Sender


@dataclass
class Part:
    """A piece of a message; `number` is the finding's whose words these are."""

    text: str
    number: int | None = None
    tone: str = ""


@dataclass
class Row:
    """One message, with what stands before and beside it."""

    message: ChatMessage
    parts: list[Part]
    waited: int | None = None  # seconds until this answer
    waited_words: str = ""
    waited_findings: list[Any] = field(default_factory=list)
    findings: list[Any] = field(default_factory=list)
    day: datetime | None = None  # printed above the first message of a day


@dataclass
class Hole:
    """Messages that are not shown yet: positions from `first` to `last`."""

    first: int
    last: int

    @property
    def count(self) -> int:
        return self.last - self.first + 1

    @property
    def until(self) -> int:
        """Where the next link's chunk ends."""
        return min(self.last, self.first + CHUNK - 1)


def dressed(findings: Iterable[Any]) -> list[Any]:
    """Number the findings in the order of the chat, and give each its code's name and weight."""
    rows = sorted(findings, key=lambda f: (f.message is None, f.message.position if f.message else 0, f.pk))
    for number, finding in enumerate(rows, start=1):
        finding.number = number
        finding.known = CODES.get(finding.code)
        finding.label = finding.known.label if finding.known else finding.code
        finding.measured = measured(finding.detail)
        finding.tone = tone_of(finding.known.severity if finding.known else 1)
    return rows


def tone_of(severity: int) -> str:
    """How grave, in the page's colours."""
    return "bad" if severity >= 2 else "watch"


def findings_of(conversation: Conversation) -> list[Any]:
    """Return the standing findings of a chat, dressed."""
    rows = Finding.objects.standing().filter(conversation=conversation)
    return dressed(rows.select_related("message", "user", "by", "rule_set", "appeal__made_by", "appeal__answered_by"))


def first_ranges(count: int, marked: Sequence[int]) -> list[tuple[int, int]]:
    """Return which positions are shown at first, as ranges (both ends in), in order and apart from each other."""
    if count <= WHOLE:
        return [(0, count - 1)] if count else []
    places = sorted({0, count - 1, *sorted(marked)[:MOST_MARKED]})
    ranges: list[tuple[int, int]] = []
    for place in places:
        first, last = max(0, place - AROUND), min(count - 1, place + AROUND)
        if ranges and first <= ranges[-1][1] + 2:  # a hole of one message is none
            ranges[-1] = (ranges[-1][0], max(last, ranges[-1][1]))
        else:
            ranges.append((first, last))
    return ranges


def known_values(conversation: Conversation) -> list[str]:
    """Return the contacts that were captured in a chat, to hide them in its text."""
    rows = CapturedContact.objects.filter(capture__conversation=conversation)
    return [row.value for row in rows]


def shown(
    conversation: Conversation,
    findings: Sequence[Any],
    ranges: Sequence[tuple[int, int]],
    *,
    opened: bool,
    within: tuple[int, int] | None = None,
) -> list[Row | Hole]:
    """Return the rows of some ranges and the holes between them, in order; two statements.

    Args: within: of these positions alone; None: of the whole chat.
    """
    wanted = Q(pk__in=[])
    for first, last in ranges:
        wanted |= Q(position__range=(first, last))
    messages = ChatMessage.objects.filter(wanted, conversation=conversation).select_related("user").order_by("position")
    known = [] if opened else known_values(conversation)
    rows = rows_of(list(messages), findings, None if opened else known)
    first, last = within or (0, conversation.message_count - 1)
    return with_holes(rows, first, last)


def with_holes(rows: Sequence[Row], first: int, last: int) -> list[Row | Hole]:
    """Put a hole wherever positions are missing between `first` and `last`."""
    found: list[Row | Hole] = []
    due = first
    for row in rows:
        if row.message.position > due:
            found.append(Hole(due, row.message.position - 1))
        found.append(row)
        due = row.message.position + 1
    if due <= last:
        found.append(Hole(due, last))
    return found


def rows_of(messages: Sequence[ChatMessage], findings: Sequence[Any], known: list[str] | None) -> list[Row]:
    """Return the messages as rows. Args: known: what to hide; None shows everything."""
    beside: dict[int, list[Any]] = defaultdict(list)
    for finding in findings:
        if finding.message_id is not None:
            beside[finding.message_id].append(finding)
    rows: list[Row] = []
    asked: ChatMessage | None = None  # the first message of the visitor that waits
    pending: list[Any] = []  # findings on waiting, shown where the wait ends
    before: ChatMessage | None = None
    for message in messages:
        if before is not None and message.position != before.position + 1:
            asked, pending = None, []
        of_message = beside.get(message.pk, [])
        waits = [f for f in of_message if f.code in WAITED]
        row = Row(message, _parts(message.text, of_message, known), findings=[f for f in of_message if f not in waits])
        if message.at and (before is None or before.at is None or localdate(before.at) != localdate(message.at)):
            row.day = message.at
        if message.sender == Sender.VISITOR:
            asked, pending = asked or message, pending + waits
        elif message.sender == Sender.CONSULTANT:
            row.waited, row.waited_findings = _waited(asked, message, bool(pending)), pending
            row.waited_words = stretch(row.waited) if row.waited is not None else ""
            asked, pending = None, []
        rows.append(row)
        before = message
    for finding in pending:  # never answered
        next(row for row in rows if row.message.pk == finding.message_id).findings.append(finding)
    return rows


def _waited(asked: ChatMessage | None, answer: ChatMessage, is_found: bool) -> int | None:
    if asked is None or asked.at is None or answer.at is None:
        return None
    seconds = int((answer.at - asked.at).total_seconds())
    return seconds if seconds >= LONG_WAIT or is_found else None


def _parts(text: str, findings: Sequence[Any], known: list[str] | None) -> list[Part]:
    """Cut a message where findings quote it. Hiding keeps lengths, so that quotes are found in the words as said."""
    masked = text if known is None else hidden(text, known)
    spans = []
    for finding in findings:
        start = text.find(finding.quote) if finding.quote and finding.code not in WAITED else -1
        if start >= 0:
            spans.append((start, start + len(finding.quote), finding))
    parts, at = [], 0
    for start, end, finding in sorted(spans, key=lambda span: (span[0], -span[1])):
        if start < at:  # words inside words that are marked already
            continue
        if start > at:
            parts.append(Part(masked[at:start]))
        parts.append(Part(masked[start:end], finding.number, finding.tone))
        at = end
    if at < len(masked):
        parts.append(Part(masked[at:]))
    return parts


# --- what was asked, offered and kept ------------------------------------------------------------

ASKED = {
    "not_asked.profile": gettext_lazy("Age, marriage"),
    "not_asked.condition": gettext_lazy("Condition"),
    "not_asked.social": gettext_lazy("Circumstances"),
}
OFFERED = {
    "not_offered.technique": gettext_lazy("Technique"),
    "not_offered.expert": gettext_lazy("Expert"),
    "not_offered.brand": gettext_lazy("Brand"),
    "not_offered.service": gettext_lazy("Service"),
}
Check = tuple[Any, bool]


def checks(
    conversation: Conversation, findings: Iterable[Any], kinds: set[str], *, booked: bool
) -> list[dict[str, Any]]:
    """Return what was asked, offered and kept, each as [(name, whether)]. Asked and offered count in scope only."""
    missed = {finding.code for finding in findings}
    lists: list[tuple[Any, list[Check]]] = []
    if conversation.is_effective:
        asked: list[Check] = [(name, code not in missed) for code, name in ASKED.items()]
        if conversation.third_party:
            asked.append((_("Asks for"), "third_party_missed" not in missed))
        lists.append((pgettext("chat", "Asked"), asked))
        lists.append((_("Offered"), [(name, code not in missed) for code, name in OFFERED.items()]))
    kept: list[Check] = [(label, kind in kinds) for kind, label in CapturedContact.Kind.choices]
    lists.append((_("Kept"), [*kept, (pgettext("agreed", "Booking"), booked)]))
    return [
        {"label": label, "items": items, "done": sum(done for _name, done in items), "of": len(items)}
        for label, items in lists
    ]


def stretch(seconds: int) -> str:
    """Return a time in words: 2 min 27 s."""
    minutes, rest = divmod(int(seconds), 60)
    if not minutes:
        return _("%(s)s s") % {"s": rest}
    if minutes >= HOUR:
        return _("%(h)s h %(m)s min") % {"h": minutes // HOUR, "m": minutes % HOUR}
    return _("%(m)s min %(s)s s") % {"m": minutes, "s": rest} if rest else _("%(m)s min") % {"m": minutes}


def measured(detail: Any) -> str:
    """Return what a rule measured, in words; empty when it measured nothing that a person wants to know."""
    if not isinstance(detail, dict):
        return ""
    seconds, limit = detail.get("seconds"), detail.get("limit")
    if isinstance(seconds, int | float):
        told = {"t": stretch(int(seconds)), "limit": stretch(int(limit)) if limit else ""}
        return _("%(t)s, limit %(limit)s") % told if limit else told["t"]
    chars = detail.get("consultant_chars")
    if isinstance(chars, int):
        return _("%(n)s characters to %(m)s") % {"n": chars, "m": detail.get("visitor_chars", "—")}
    return ""
