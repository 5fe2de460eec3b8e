"""Findings by hand, and the score of a chat: proposed by the rubric, given by a manager (KPI 3, DOMAIN §6)."""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from accounts.audit import record
from accounts.models import User
from conversations.errors import Changed, Refused
from conversations.inspection.codes import ABUSE, CODES
from conversations.inspection.scoring import FULL, score
from conversations.models import ChatMessage, Conversation, Finding, Rubric, ScoreCard
from conversations.services.rubrics import active_rubric, ensure_rubric

ZERO = Decimal(0)
Lines = list[dict[str, Any]]


def _hold(conversation: Conversation) -> Conversation:
    """Lock the chat, so that its findings and its score change one after the other."""
    row: Conversation = (
        Conversation.objects.select_for_update(of=("self",), no_key=True)
        .select_related("clinic", "consultant")
        .get(pk=conversation.pk)
    )
    return row


def standing_of(conversation: Conversation) -> list[Any]:
    """Return the findings that nobody took back."""
    return list(Finding.objects.standing().filter(conversation=conversation).order_by("pk"))


def card_of(conversation: Conversation) -> ScoreCard | None:
    """Return the manager's score that holds, if any."""
    rows = ScoreCard.objects.filter(conversation=conversation, replaced_at=None)
    found: ScoreCard | None = rows.select_related("scored_by", "rubric").first()
    return found


def proposal(conversation: Conversation, findings: list[Any] | None = None) -> tuple[Decimal, Lines]:
    """Return what the clinic's rubric gives, and what each rule costs: [{"code", "points", "count"}]."""
    found = standing_of(conversation) if findings is None else findings
    total, lines = score(found, active_rubric(conversation.clinic, Rubric.Kind.CHAT).data)
    return total, [{"code": x.code, "points": float(x.deduction), "count": x.count} for x in lines]


@transaction.atomic
def refresh(*, conversation: Conversation) -> None:
    """Write the rules' score and the gravest severity anew after findings changed."""
    found = standing_of(conversation)
    total, _lines = proposal(conversation, found)
    conversation.score = total
    conversation.severity = max((CODES[f.code].severity for f in found if f.code in CODES), default=0)
    conversation.save(update_fields=["score", "severity"])


def _total(lines: Lines) -> Decimal:
    """A hundred less what the lines cost; an insult leaves nothing ([S2]: 100 − 1)."""
    if any(line["code"] == ABUSE for line in lines):
        return ZERO
    cost = sum((Decimal(str(line["points"])) for line in lines), ZERO)
    return max(FULL - cost, ZERO).quantize(Decimal("0.01"))


@transaction.atomic
def give_score(
    *, conversation: Conversation, points: Mapping[str, Decimal], note: str, seen: int | None, by: User
) -> ScoreCard:
    """Score a chat; the new card replaces the former.

    Args: points: what each rule of the proposal costs in the manager's eyes; a rule left out costs what was proposed;
    seen: id of the card that held when the form was drawn. Raises: Refused for a change without a note;
    Changed (409, `now`: the card that holds) when somebody else scored it meanwhile.
    """
    chat = _hold(conversation)
    former = card_of(chat)
    if (former.pk if former else None) != seen:
        raise Changed(_("Somebody else scored this chat meanwhile."), now=former)
    lines = proposal(chat)[1]
    for line in lines:
        line["proposed"] = line["points"]
        if line["code"] in points:
            line["points"] = float(min(max(points[line["code"]], ZERO), FULL))
    if any(line["points"] != line["proposed"] for line in lines) and not note.strip():
        raise Refused(_("Say why the points differ from the rubric's."), field="note")
    return _replace(chat, former, lines, note=note.strip(), by=by)


def _replace(chat: Conversation, former: ScoreCard | None, lines: Lines, *, note: str, by: User) -> ScoreCard:
    rubric = ensure_rubric(clinic=chat.clinic, kind=Rubric.Kind.CHAT, by=by)
    if former is not None:
        ScoreCard.objects.filter(pk=former.pk).update(replaced_at=timezone.now())
    card: ScoreCard = ScoreCard.objects.create(
        conversation=chat, rubric=rubric, consultant=chat.consultant, score=_total(lines), lines=lines, note=note,
        scored_by=by,
    )  # fmt: skip
    was = str(former.score) if former else None
    record(action="chat_scored", clinic=chat.clinic, by=by, subject=chat, was=was, now=str(card.score))
    return card


def _rescore(chat: Conversation, *, note: str, by: User) -> None:
    """Bring the scores up to the findings; what a manager added to or took off a rule stays as long as it is found."""
    refresh(conversation=chat)
    former = card_of(chat)
    if former is None:
        return
    shifts = {x["code"]: x["points"] - x.get("proposed", x["points"]) for x in former.lines}
    lines = proposal(chat)[1]
    for line in lines:
        line["proposed"] = line["points"]
        line["points"] = min(max(line["points"] + shifts.get(line["code"], 0), 0), 100)
    _replace(chat, former, lines, note=f"{former.note} · {note}".strip(" ·")[:500], by=by)


@transaction.atomic
def add_finding(
    *, conversation: Conversation, code: str, by: User, message: ChatMessage | None = None, quote: str = "",
    advice: str = "", note: str = "",
) -> Finding:  # fmt: skip
    """Add a manager's own finding; inspecting again leaves it alone.

    Args: quote: words of the message; advice: the code's own when left out. Raises: Refused for an unknown code, words
    that the message does not hold, a visitor's message, or what is found there already.
    """
    chat = _hold(conversation)
    known = CODES.get(code)
    if known is None:
        raise Refused(_("Choose what it is."), field="code")
    if (
        message is not None
        and message.sender != ChatMessage.Sender.CONSULTANT
        and known.group in ("taboo", "error", ABUSE)
    ):
        raise Refused(_("This was not said by a consultant."), field="code")
    quote = quote.strip()
    if quote and (message is None or quote not in message.text):
        raise Refused(_("These words are not in the message."), field="quote")
    if Finding.objects.standing().filter(conversation=chat, code=code, message=message).exists():
        raise Refused(_("This was found there already."), field="code")
    said_by = message.user if message is not None and message.user_id else chat.consultant
    finding: Finding = Finding.objects.create(
        conversation=chat, code=code, message=message, user=said_by, quote=quote,
        advice=advice.strip()[:300], note=note.strip(), by=by,
    )  # fmt: skip
    record(action="finding_added", clinic=chat.clinic, by=by, subject=chat, code=code)
    _rescore(chat, note=_("finding added"), by=by)
    return finding


@transaction.atomic
def withdraw_finding(*, finding: Finding, reason: str, by: User) -> None:
    """Take a finding back; the scores follow. Once withdrawn, nothing happens again.

    Args: reason: "manager", or "appeal" when one was upheld.
    """
    chat = _hold(finding.conversation)
    taken = Finding.objects.standing().filter(pk=finding.pk)
    if not taken.update(withdrawn_at=timezone.now(), withdrawn_reason=reason):
        return
    record(action="finding_withdrawn", clinic=chat.clinic, by=by, subject=chat, code=finding.code, reason=reason)
    _rescore(chat, note=_("appeal upheld") if reason == "appeal" else _("finding withdrawn"), by=by)
