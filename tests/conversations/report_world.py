"""Chats with all that may become of them, told as plain facts, and counted once more in plain Python."""

from collections import defaultdict
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from consultations.models import Refund
from conversations.inspection.codes import CODES
from conversations.models import Capture, Conversation, Finding, Rubric, ScoreCard
from conversations.services.captures import build_contact
from followups.models import Appointment
from tests.factories import AppointmentFactory, ConversationFactory, PatientFactory, VisitFactory

DAY = timedelta(days=1)


@dataclass
class Told:
    """One chat as told: who led it and what came of it. People are users or None."""

    at: datetime
    led: Any = None
    team: Any = None
    channel: str = "百度"
    keyword: str = "种植牙"
    cost: Decimal | None = Decimal(150)
    effective: bool = False
    ending: str = "greeting"
    reply: int | None = 20
    silence: int | None = 60
    score: Decimal | None = None
    card: Decimal | None = None
    error: bool = False
    contacts: list[tuple[str, Any]] = field(default_factory=list)
    booking: Any = ()  # () none; else who got it
    findings: list[tuple[str, Any]] = field(default_factory=list)
    withdrawn: list[tuple[str, Any]] = field(default_factory=list)
    visits: list[tuple[int, str, str]] = field(default_factory=list)  # days after, decision, "" error refunded reopened
    kept: int | None = None  # days after of an appointment kept without a visit
    coming: list[str] = field(default_factory=list)  # states of the appointment and those it moved to
    row: Conversation | None = None

    @property
    def lost(self) -> bool:
        return not self.contacts

    def arrived(self) -> bool:
        came = any(days >= 0 and fate != "error" for days, _decision, fate in self.visits)
        return came or (self.kept is not None and self.kept >= 0) or "kept" in self.coming

    def accepted(self) -> bool:
        good = ("accepted", "deposit")
        return any(days >= 0 and decision in good and fate == "" for days, decision, fate in self.visits)

    def faults(self) -> list[tuple[str, Any]]:
        found = list(dict.fromkeys(self.findings))
        if self.ending == "consultant":
            found.append(("ending.consultant", self.led))
        elif not self.findings:
            found.append(("nothing", self.led))
        return found


def make(clinic: Any, told: list[Told], by: Any) -> None:
    """Put the chats into the database."""
    for n, chat in enumerate(told):
        patient = PatientFactory(clinic=clinic) if chat.visits or chat.kept is not None or chat.coming else None
        chat.row = ConversationFactory(
            clinic=clinic, started_at=chat.at, consultant=chat.led, team=chat.team, channel=chat.channel,
            keyword=chat.keyword, cost=chat.cost, is_effective=chat.effective, ending=chat.ending, score=chat.score,
            first_reply_seconds=chat.reply, longest_silence_seconds=chat.silence, is_error=chat.error,
            patient=patient, inspected_at=chat.at,
        )  # fmt: skip
        _facts(chat, n, by)
        if patient is not None:
            _outcomes(clinic, chat, patient, by)


def _facts(chat: Told, n: int, by: Any) -> None:
    row = chat.row
    if chat.contacts or chat.booking != ():
        capture = Capture.objects.create(conversation=row)
        if chat.booking != ():
            capture.booking_at, capture.booking_user = chat.at + DAY, chat.booking
            capture.save()
        for place, (kind, user) in enumerate(chat.contacts):
            contact = build_contact(capture=capture, kind=kind, value=f"1990{n:04d}{place:03d}")
            contact.user = user
            contact.save()
    for code, user in dict.fromkeys(chat.findings):
        Finding.objects.create(conversation=row, code=code, user=user)
    for code, user in chat.withdrawn:
        Finding.objects.create(conversation=row, code=code, user=user, withdrawn_at=chat.at)
    if chat.card is not None:
        rubric, _new = Rubric.objects.get_or_create(clinic=row.clinic, kind="chat", version=1, defaults={"data": {}})
        facts = {"conversation": row, "rubric": rubric, "consultant": chat.led, "scored_by": by}
        ScoreCard.objects.create(**facts, score=1, replaced_at=chat.at)  # a former one never counts
        ScoreCard.objects.create(**facts, score=chat.card)


def _outcomes(clinic: Any, chat: Told, patient: Any, by: Any) -> None:
    for days, decision, fate in chat.visits:
        at = chat.at + days * DAY
        visit = VisitFactory(
            clinic=clinic, patient=patient, stage="closed", arrived_at=at, decision=decision,
            decided_at=at if decision else None, deposit_amount=100 if decision == "deposit" else None,
            is_error=fate == "error",
        )  # fmt: skip
        case = visit.consultation
        case.status = "open" if fate == "reopened" else (decision or "open")
        case.save()
        if fate in ("refunded", "refund_undone"):
            facts = {"clinic": clinic, "consultation": case, "amount": 10, "is_full": True, "reason": "?", "by": by}
            Refund.objects.create(**facts)
    if chat.kept is not None:
        start = chat.at + chat.kept * DAY
        facts = {"starts_at": start, "ends_at": start + timedelta(minutes=30), "status": "kept", "holds_slot": False}
        AppointmentFactory(clinic=clinic, patient=patient, doctor=None, **facts)
    former: Appointment | None = None
    for n, status in enumerate(chat.coming):
        start, (state, _sign, reason) = chat.at + (2 + n) * DAY, status.partition(":")
        facts = {"absence_reason": reason, "absence_side": "ours" if reason else "", "moved_from": former}
        facts |= {"status": state, "starts_at": start, "ends_at": start + timedelta(minutes=30), "holds_slot": False}
        former = AppointmentFactory(clinic=clinic, patient=patient, doctor=None, **facts)
        if n == 0:
            chat.row.appointment = former
            chat.row.save()


# --- the same counted slowly ----------------------------------------------------------------------


def key_of(chat: Told, person: Any, by: str, tz: Any) -> str | None:
    local = chat.at.astimezone(tz)
    return {
        "whole": lambda: "",
        "consultant": lambda: str(person.pk) if person else None,
        "team": lambda: str(chat.team.pk) if chat.team else None,
        "channel": lambda: chat.channel,
        "keyword": lambda: chat.keyword,
        "hour": lambda: str(local.hour),
        "weekday": lambda: str(local.isoweekday()),
        "week": lambda: (local.date() - timedelta(days=local.weekday())).isoformat(),
        "month": lambda: local.date().replace(day=1).isoformat(),
    }[by]()


def credited(chat: Told) -> list[tuple[Any, str]]:
    """Who is credited with what in one chat."""
    holds = {
        "chats": True, "effective": chat.effective, "lost": chat.lost, "arrival": chat.arrived(),
        "acceptance": chat.accepted(), "scored": chat.score is not None, "carded": chat.card is not None,
    }  # fmt: skip
    found = [(chat.led, name) for name, so in holds.items() if so]
    for kind, who in chat.contacts:
        found += [(who, kind), (who, "contact")]
    if chat.booking != ():
        found.append((chat.booking, "booking"))
    for code, who in chat.faults():
        found += [(who, f"loss {code}"), (who, f"loss {CODES[code].group if code in CODES else code}")]
    return found


def counted(told: list[Told], by: str, tz: Any, person: Any = None) -> dict[Any, dict[str, Any]]:
    """Count chats by key and under "*" for the whole, fact by fact, each chat once per key."""
    found: dict[Any, dict[str, Any]] = defaultdict(lambda: defaultdict(set))
    for chat in told:
        for who, name in [] if chat.error else credited(chat):
            for key in (key_of(chat, who, by, tz), "*") if person in (None, who) else ():
                found[key][name].add(chat.row.pk)
    return found


def money(told: list[Told], ids: set[int]) -> Decimal:
    return sum((chat.cost or Decimal(0) for chat in told if chat.row.pk in ids), Decimal(0))
