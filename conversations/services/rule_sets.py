"""The clinic's rules: versions, trying them on a text, and what they would change of earlier chats."""

import re
import secrets
from collections import defaultdict
from collections.abc import Iterable
from datetime import date, datetime, timedelta
from time import monotonic
from typing import Any

from django.core.cache import cache
from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from accounts.audit import record
from accounts.models import Clinic, User
from conversations.errors import Changed
from conversations.inspection import Chat, Line, Rules, Verdict, inspect
from conversations.models import ChatMessage, Conversation, Finding, ReinspectionJob, RuleSet
from conversations.services.inspecting import verdict_of

LATEST = 1000  # conversations that a preview looks at
STEP = 50  # of them in one answer
STEP_SECONDS = 2.0  # the most an answer takes, more or less
KEPT = 20 * 60  # seconds a preview is remembered
EXAMPLES = 3
Sender = ChatMessage.Sender


def active_rules(clinic: Clinic) -> RuleSet:
    """Return the clinic's rules; where none were saved yet, the built-in ones as version 0, not saved."""
    found: RuleSet | None = (
        RuleSet.objects.for_clinic(clinic).filter(is_active=True).select_related("created_by").first()
    )
    return found or RuleSet(clinic=clinic, version=0, data={})


def _hold(clinic: Clinic) -> None:
    """Let one change of a clinic's rules wait for the other."""
    list(Clinic.objects.select_for_update(no_key=True).filter(pk=clinic.pk).values_list("pk"))


@transaction.atomic
def save_rules(*, clinic: Clinic, data: dict[str, Any], note: str, seen: int, by: User, reinspect: str = "") -> RuleSet:
    """Make a new version of the rules; reinspecting earlier chats is left to the background.

    Args: data: what differs from the built-in rules, readable by Rules.from_data; seen: the version that was being
    changed; reinspect: "", "month" (the last 30 days) or "all".
    Raises: RulesError for data that cannot be used; Changed (409, `now`: the rules as they stand) when somebody
    saved another version meanwhile.
    """
    Rules.from_data(data)
    _hold(clinic)
    former = active_rules(clinic)
    if former.version != seen:
        words = {"name": former.created_by or "—", "n": former.version}
        raise Changed(_("%(name)s saved version %(n)s meanwhile.") % words, now=former)
    RuleSet.objects.for_clinic(clinic).filter(is_active=True).update(is_active=False)
    saved: RuleSet = RuleSet.objects.create(
        clinic=clinic, version=former.version + 1, data=data, note=note.strip()[:200], created_by=by
    )
    record(action="chat_rules_saved", clinic=clinic, by=by, subject=saved, version=saved.version)
    if reinspect:
        since = clinic.today() - timedelta(days=30) if reinspect == "month" else None
        start_reinspection(rule_set=saved, since=since, by=by)
    return saved


def start_reinspection(*, rule_set: RuleSet, since: date | None, by: User) -> ReinspectionJob:
    """Ask the background to inspect earlier chats by these rules; a job that still waits is overtaken."""
    waiting = ReinspectionJob.objects.for_clinic(rule_set.clinic).filter(finished_at=None)
    waiting.update(finished_at=timezone.now(), failure=_("overtaken by version %(n)s") % {"n": rule_set.version})
    rows = Conversation.objects.for_clinic(rule_set.clinic)
    if since is not None:
        rows = rows.filter(started_at__gte=rule_set.clinic.day_bounds(since)[0])
    job: ReinspectionJob = ReinspectionJob.objects.create(
        clinic=rule_set.clinic, rule_set=rule_set, since=since, total=rows.count(), created_by=by
    )
    return job


def differences(old: dict[str, Any], new: dict[str, Any]) -> list[str]:
    """Return what differs between two versions, a line each: `words.taboo.colloquial.added: … → …`."""

    def flat(value: Any, path: str = "") -> Iterable[tuple[str, str]]:
        if isinstance(value, dict):
            for key, inner in value.items():
                yield from flat(inner, f"{path}.{key}" if path else str(key))
        elif isinstance(value, list):
            told = [item.get("word", "") if isinstance(item, dict) else str(item) for item in value]
            yield path, "、".join(told)
        else:
            yield path, str(value)

    before, after = dict(flat(old)), dict(flat(new))
    keys = sorted(before.keys() | after.keys())
    return [f"{k}: {before.get(k, '—')} → {after.get(k, '—')}" for k in keys if before.get(k) != after.get(k)]


# --- trying -------------------------------------------------------------------------------------

SAID = re.compile(
    r"^\s*(?:(?P<day>\d{4}[-/]\d{1,2}[-/]\d{1,2})\s+)?(?:(?P<time>\d{1,2}:\d{2}(?::\d{2})?)\s+)?"
    r"(?P<who>[^：:\s]{1,20})\s*[：:]\s*(?P<text>.*)$"
)
WHO: tuple[tuple[Sender, tuple[str, ...]], ...] = (
    (Sender.VISITOR, ("访客", "客户", "患者", "顾客", "游客", "visitor", "patient")),
    (Sender.BOT, ("机器人", "自动", "bot")),
    (Sender.SYSTEM, ("系统", "system")),
)


def sample_messages(text: str, now: datetime) -> list[ChatMessage]:
    """Read a pasted chat, one message a line, into messages that are not saved.

    `访客：…`, `13:05:12 咨询师：…`; a line without a name is a consultant's. Without a time: unknown.
    """
    found: list[ChatMessage] = []
    for line in text.splitlines():
        if not line.strip():
            continue
        said = SAID.match(line)
        who = said["who"].lower() if said else ""
        sender = next((s for s, names in WHO if who.startswith(names)), Sender.CONSULTANT)
        at = _time(said["time"], now) if said and said["time"] else None
        place = len(found)
        found.append(
            ChatMessage(pk=place + 1, position=place, at=at, sender=sender, sender_name=said["who"] if said else "",
                        text=said["text"] if said else line.strip())
        )  # fmt: skip
    return found


def _time(text: str, now: datetime) -> datetime | None:
    parts = [int(part) for part in text.split(":")]
    hour, minute, second = (*parts, 0)[:3]
    if hour > 23 or minute > 59 or second > 59:
        return None
    return now.replace(hour=hour, minute=minute, second=second, microsecond=0)


def try_on(text: str, rules: Rules) -> tuple[list[ChatMessage], list[Finding], Verdict]:
    """Inspect a pasted chat or sentence; nothing is stored."""
    now = timezone.localtime()
    messages = sample_messages(text, now)
    start = next((m.at for m in messages if m.at), now)
    lines = tuple(Line(m.at, m.sender, m.text) for m in messages)  # type: ignore[arg-type]
    verdict = inspect(Chat(start, lines), rules)
    findings = [
        Finding(pk=n, code=f.code, message=messages[f.message] if f.message is not None else None, quote=f.quote,
                advice=f.own_advice, detail=f.detail)
        for n, f in enumerate(verdict.findings, start=1)
    ]  # fmt: skip
    return messages, findings, verdict


# --- what would change ---------------------------------------------------------------------------


def _key(clinic: Clinic, by: User, token: str) -> str:
    return f"chat-rules:{clinic.pk}:{by.pk}:{token}"


def start_preview(*, clinic: Clinic, data: dict[str, Any], by: User) -> str:
    """Remember rules to be tried on the latest conversations; returns what `preview_step` is asked by."""
    latest = Conversation.objects.for_clinic(clinic).filter(is_error=False).order_by("-started_at", "-id")
    state = {
        "data": data, "ids": list(latest.values_list("pk", flat=True)[:LATEST]), "done": 0, "changed": 0,
        "added": {}, "removed": {}, "examples": {},
    }  # fmt: skip
    token = secrets.token_hex(12)
    cache.set(_key(clinic, by, token), state, KEPT)
    return token


def preview_step(*, clinic: Clinic, token: str, by: User) -> dict[str, Any] | None:
    """Inspect the next conversations of a preview and return how far it is; None when nobody remembers it."""
    key = _key(clinic, by, token)
    state: dict[str, Any] | None = cache.get(key)
    if state is None:
        return None
    ids = state["ids"][state["done"] : state["done"] + STEP]
    if ids:
        state["done"] += _compare(clinic, ids, Rules.from_data(state["data"]), state)
        cache.set(key, state, KEPT)
    return state


def _compare(clinic: Clinic, ids: list[int], rules: Rules, state: dict[str, Any]) -> int:
    """Compare the rules' findings with the stored ones; returns how many chats were looked at within the time."""
    messages = defaultdict(list)
    for message in ChatMessage.objects.filter(conversation__in=ids).order_by("conversation", "position"):
        messages[message.conversation_id].append(message)
    stored, kept = _stored(ids)
    chats = Conversation.objects.for_clinic(clinic).select_related("clinic").in_bulk(ids)
    began, looked = monotonic(), 0
    for pk in ids:
        looked += 1
        if pk not in chats:
            continue
        verdict = verdict_of(chats[pk], messages[pk], rules)
        new = {(f.code, f.message) for f in verdict.findings} - kept[pk]
        added, removed = new - stored[pk], stored[pk] - new
        state["changed"] += bool(added or removed)
        for kind, pairs in (("added", added), ("removed", removed)):
            for code, _place in pairs:
                state[kind][code] = state[kind].get(code, 0) + 1
                shown = state["examples"].setdefault(f"{kind}:{code}", [])
                if len(shown) < EXAMPLES and pk not in shown:
                    shown.append(pk)
        if monotonic() - began > STEP_SECONDS:
            break
    return looked


def _stored(ids: list[int]) -> tuple[dict[int, set[Any]], dict[int, set[Any]]]:
    """Return what the rules found so far, and what inspecting again leaves alone: what people decided."""
    found: dict[int, set[Any]] = defaultdict(set)
    kept: dict[int, set[Any]] = defaultdict(set)
    rows = Finding.objects.filter(conversation__in=ids).exclude(withdrawn_reason="rules")
    for pk, code, place, by, appeal, withdrawn in rows.order_by().values_list(
        "conversation", "code", "message__position", "by", "appeal", "withdrawn_at"
    ):
        (kept if by or appeal or withdrawn else found)[pk].add((code, place))
    return found, kept
