"""Storing what the inspection says: facts, findings and captures of a chat in one transaction, again and again.

A second inspection withdraws what no longer holds and adds what is new. It leaves alone what people decided: a
manager's own findings, appealed ones, those that an appeal or a manager took back, and captures somebody corrected.
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django.db import transaction
from django.utils import timezone, translation
from django.utils.translation import gettext as _

from accounts.models import Clinic
from conversations.inspection import Chat, Found, Line, Rules, RulesError, Verdict, inspect
from conversations.inspection.codes import ABUSE, CODES
from conversations.inspection.scoring import HasCode, score
from conversations.models import ChatMessage, Conversation, Finding, Rubric, RuleSet
from conversations.services.captures import CaptureWriter
from conversations.services.credit import Credit
from conversations.services.inspected import New, Said, messages_of, write_facts, write_new
from followups.models.hooks import HookEvent
from followups.models.messages import MessagePurpose
from followups.models.playbooks import Nature
from followups.services import hooks, outbox
from followups.services.complaints import managers

KEPT_BACK = ("appeal", "manager")  # who took a finding back for good


@dataclass(frozen=True)
class Standards:
    """By what a clinic's chats are inspected and scored."""

    clinic: Clinic
    rules: Rules
    rule_set: RuleSet | None
    rubric: dict[str, Any]

    @classmethod
    def of(cls, clinic: Clinic, rule_set: RuleSet | None = None) -> "Standards":
        """Read the active rules (or the version given) and rubric of a clinic."""
        chosen = rule_set or RuleSet.objects.for_clinic(clinic).filter(is_active=True).first()
        rubric = Rubric.objects.for_clinic(clinic).filter(kind=Rubric.Kind.CHAT, is_active=True).first()
        try:
            rules = Rules.from_data(chosen.data) if chosen is not None else Rules.builtin()
        except RulesError:  # of another version of the product; what is built in always holds
            rules = Rules.builtin()
        return cls(clinic, rules, chosen, rubric.data if rubric is not None else {})


def inspect_conversation(conversation: Conversation, standards: Standards | None = None) -> bool:
    """Inspect one chat; returns whether its findings differ from before."""
    return bool(inspect_batch([conversation.pk], standards))


def verdict_of(conversation: Conversation, messages: Sequence[ChatMessage | Said], rules: Rules) -> Verdict:
    """Inspect stored messages without storing anything; relative days count in the clinic's zone."""
    lines = tuple(Line(m.at, m.sender, m.text) for m in messages)  # type: ignore[arg-type]
    return inspect(Chat(timezone.localtime(conversation.started_at, conversation.clinic.tz), lines), rules)


@transaction.atomic
def inspect_batch(ids: Iterable[int], standards: Standards | None = None) -> int:
    """Inspect chats of one clinic; returns for how many the findings differ from before.

    Args: standards: the clinic's own unless given. A fixed number of statements, however many chats.
    """
    rows = Conversation.objects.filter(pk__in=list(ids)).select_related("clinic").order_by("pk")
    conversations = list(rows.select_for_update(of=("self",), no_key=True))
    if not conversations:
        return 0
    standards = standards or Standards.of(conversations[0].clinic)
    messages = messages_of(conversations)
    work = _Work(standards, conversations)
    for conversation in conversations:
        said = messages.pop(conversation.pk)
        work.judge(conversation, said, verdict_of(conversation, said, standards.rules))
    return work.write()


@dataclass
class _Standing:
    """The findings of one chat before it is inspected (again)."""

    by_rules: dict[tuple[str, int | None], Finding] = field(default_factory=dict)
    by_people: dict[tuple[str, int | None], Finding] = field(default_factory=dict)
    taken_back: set[tuple[str, int | None]] = field(default_factory=set)


class _Work:
    """One batch: everything is read once, judged in memory, and written once."""

    def __init__(self, standards: Standards, conversations: list[Conversation]) -> None:
        self.standards, self.conversations = standards, conversations
        self.now = timezone.now()
        self.rule_set = standards.rule_set.pk if standards.rule_set is not None else None
        self.before = _findings(conversations)
        self.captures = CaptureWriter(conversations)
        self.made: list[New] = []
        self.kept: list[Finding] = []
        self.withdrawn: list[Finding] = []
        self.changed = 0

    def judge(self, conversation: Conversation, messages: list[Said], verdict: Verdict) -> None:
        """Compare a verdict with what stands, and set the facts of the chat."""
        credit = Credit(conversation, messages)
        standing = self.before.get(conversation.pk, _Standing())
        holds: list[Finding | New] = list(standing.by_people.values())
        found = {_place(one, messages): one for one in verdict.findings}
        added = 0
        for place, one in found.items():
            if place in standing.by_people or place in standing.taken_back:
                continue
            there = standing.by_rules.pop(place, None)
            finding = self._finding(conversation, one, messages, credit, there)
            added += there is None
            holds.append(finding)
        self.withdrawn += standing.by_rules.values()
        self.changed += bool(added or standing.by_rules)
        self._facts(conversation, verdict, holds)
        self.captures.take(conversation, messages, verdict.captured, credit)

    def _finding(
        self, conversation: Conversation, one: Found, messages: list[Said], credit: Credit, there: Finding | None
    ) -> Finding | New:
        message = messages[one.message] if one.message is not None else None
        user, quote, advice = credit.of(message), one.quote[:200], one.own_advice[:300]
        if there is None:
            place = message.pk if message is not None else None
            made = New(conversation, one.code, place, self.now, self.rule_set, quote, advice, one.detail, user)
            self.made.append(made)
            return made
        values = {"quote": quote, "advice": advice, "detail": one.detail, "user_id": user}
        if any(getattr(there, name) != value for name, value in values.items()):
            for name, value in values.items():
                setattr(there, name, value)
            self.kept.append(there)
        return there

    def _facts(self, conversation: Conversation, verdict: Verdict, holds: list[Finding | New]) -> None:
        conversation.ending, conversation.third_party = verdict.ending, verdict.third_party
        conversation.in_scope, conversation.is_effective = verdict.in_scope, verdict.is_effective
        conversation.first_reply_seconds = verdict.first_reply_seconds
        conversation.longest_silence_seconds = verdict.longest_silence_seconds
        conversation.inspected_at, conversation.rule_set = self.now, self.standards.rule_set
        conversation.score = score(holds, self.standards.rubric)[0]
        conversation.severity = severity_of(holds)

    def write(self) -> int:
        """Write everything; returns how many chats' findings differ from before."""
        for finding in self.withdrawn:
            finding.withdrawn_at, finding.withdrawn_reason = self.now, "rules"
        Finding.objects.bulk_update(self.withdrawn, ["withdrawn_at", "withdrawn_reason"], batch_size=1000)
        Finding.objects.bulk_update(self.kept, ["quote", "advice", "detail", "user"], batch_size=1000)
        write_new(self.made)
        write_facts(self.conversations)
        self.captures.write()
        for finding in (one.stored() for one in self.made if one.code == ABUSE):
            alert(finding, self.standards.clinic)
        return self.changed


def severity_of(findings: Iterable[HasCode]) -> int:
    """Return how grave the gravest finding is, 0 without any."""
    return max((CODES[one.code].severity for one in findings if one.code in CODES), default=0)


def rescore(conversation: Conversation) -> None:
    """Set score and severity anew after a finding was added or taken back by a person."""
    standards = Standards.of(conversation.clinic)
    standing = list(Finding.objects.filter(conversation=conversation).standing())
    conversation.score, conversation.severity = score(standing, standards.rubric)[0], severity_of(standing)
    conversation.save(update_fields=["score", "severity"])


def _place(found: Found, messages: list[Said]) -> tuple[str, int | None]:
    return found.code, messages[found.message].pk if found.message is not None else None


def _findings(conversations: list[Conversation]) -> dict[int, _Standing]:
    before: dict[int, _Standing] = defaultdict(_Standing)
    for one in Finding.objects.filter(conversation__in=conversations).select_related("appeal").order_by("pk"):
        standing, place = before[one.conversation_id], (one.code, one.message_id)
        if one.withdrawn_at is not None:
            if one.withdrawn_reason in KEPT_BACK:
                standing.taken_back.add(place)
        elif one.by_id is not None or hasattr(one, "appeal"):
            standing.by_people[place] = one
        else:
            standing.by_rules[place] = one
    return before


def alert(finding: Finding, clinic: Clinic, *, now: datetime | None = None) -> int:
    """Tell the clinic's managers of an insult at once, each once a finding; returns how many. No visitor is named."""
    count = 0
    for person in managers(clinic):
        with translation.override(person.language or "zh-hans"):
            who = finding.user or finding.conversation.consultant_name or "—"
            words = _("Abuse in a chat by %(who)s: “%(quote)s” (chat %(number)s).") % {
                "who": who, "quote": finding.quote[:40], "number": finding.conversation_id,
            }  # fmt: skip
        queued = outbox.queue(
            clinic=clinic, purpose=MessagePurpose.ALERT, subject=f"abuse:{finding.pk}",
            due_at=now or finding.created_at, nature=Nature.SERVICE, staff=person,
            variables={"name": str(person), "clinic": clinic.name, "text": words},
        )  # fmt: skip
        count += queued is not None
    told = {"conversation": finding.conversation_id, "finding": finding.pk, "consultant": finding.user_id}
    hooks.emit(clinic_id=clinic.pk, event=HookEvent.CHAT_ABUSE, data=told)
    return count
