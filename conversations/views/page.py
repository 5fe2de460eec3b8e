"""The page of one chat: what it shows, for whoever reads it."""

from typing import Any

from django.db.models import Count, Sum
from django.http import HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext as _

from accounts.access import StaffRequest
from accounts.models import Clinic
from accounts.permissions import Permission
from conversations import queries, transcript
from conversations.forms import CoachForm, ScoreForm
from conversations.inspection.codes import CODES, MARKETING
from conversations.models import Capture, Conversation, Rubric
from conversations.services import appeals, reading
from conversations.services.rubrics import active_rubric
from conversations.services.scoring import card_of, proposal
from conversations.views.common import chat_url, links, scores

BESIDE = 15  # chats of the queue beside the one that is read
GOAL, LOW = 90, 60  # points: the target of KPI 3 (DOMAIN §6), and where it is bad


def level_of(score: Any) -> str:
    """Return the status colour of a score."""
    return "good" if score >= GOAL else "watch" if score >= LOW else "bad"


def _score(chat: Conversation, findings: list[Any], bound: ScoreForm | None) -> dict[str, Any]:
    """The card that holds, or what the rules give; with the form of a new one."""
    card = card_of(chat)
    total, lines = proposal(chat, findings)
    proposed = {line["code"]: line["points"] for line in lines}
    given = {line["code"]: line["points"] for line in card.lines} if card else {}
    codes = [line["code"] for line in lines]
    form = bound or ScoreForm(codes=codes, initial={"seen": card.pk if card else None})
    shown = []
    for line in lines:
        code = line["code"]
        points = given.get(code, line["points"])
        numbers = [finding.number for finding in findings if finding.code == code]
        field = form[code] if code in form.fields else None
        shown.append(
            {"code": code, "known": CODES[code], "numbers": numbers, "points": points, "proposed": proposed[code],
             "field": field, "value": field.value() if field and form.is_bound else f"{points:g}",
             "tone": transcript.tone_of(CODES[code].severity)}
        )  # fmt: skip
    shown.sort(key=lambda line: line["numbers"] or [0])
    value = card.score if card else total
    return {
        "parts": _parts(shown),
        "card": card,
        "score": value,
        "score_level": level_of(value),
        "lines": shown,
        "score_form": form,
    }


def _parts(lines: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """What was lost in service and in marketing (DOMAIN §5), as far as anything was."""
    found = []
    for label, is_marketing in ((_("service"), False), (_("marketing"), True)):
        points = sum(line["points"] for line in lines if (line["known"].group in MARKETING) is is_marketing)
        if points:
            found.append({"label": label, "points": points})
    return found


def _costs(findings: list[Any], lines: list[dict[str, Any]]) -> None:
    """Give each finding what it costs: its rule's points shared among the findings of the rule."""
    points = {line["code"]: line["points"] / max(1, len(line["numbers"])) for line in lines}
    for finding in findings:
        finding.cost = round(points.get(finding.code, 0), 1)


def _capture(chat: Conversation) -> dict[str, Any]:
    capture = Capture.objects.filter(conversation=chat).prefetch_related("contacts").first()
    contacts = list(capture.contacts.all()) if capture else []
    if capture is not None:
        capture.conversation = chat
    if capture is not None:
        capture.conversation = chat
    return {"capture": capture, "contacts": contacts, "booking_at": capture.booking_at if capture else None}


def _beside(request: StaffRequest, clinic: Clinic) -> dict[str, Any]:
    """The head of the queue, for the list at the left."""
    waiting = queries.queue(queries.visible(request.user, clinic))
    rows = list(waiting.select_related("consultant")[:BESIDE])
    queries.gravest(rows)
    facts = list(waiting.order_by().values("severity").annotate(n=Count("pk"), money=Sum("cost")))
    return {"queue": rows, "queue_facts": {f["severity"]: f for f in facts}, "queue_count": sum(f["n"] for f in facts)}


def chat_page(
    request: StaffRequest, clinic: Clinic, chat: Conversation, *, opened: bool = False,
    also: tuple[int, int] | None = None, status: int = 200, score_form: ScoreForm | None = None, **extra: Any,
) -> HttpResponse:  # fmt: skip
    """Render the page of a chat.

    Args: opened: numbers and ids in full; also: positions of a long chat to show besides; score_form: a bound one with
    its errors; extra: what a refused form on the page said.
    """
    findings = transcript.findings_of(chat)
    marked = [finding.message.position for finding in findings if finding.message]
    ranges = transcript.first_ranges(chat.message_count, marked)
    scored = _score(chat, findings, score_form)
    _costs(findings, scored["lines"])
    for finding in findings:
        finding.conversation = chat
        finding.appealed = getattr(finding, "appeal", None)
        finding.may_appeal = finding.appealed is None and appeals.may_appeal(finding, request.user)
    captured = _capture(chat)
    if captured["capture"] is not None and request.user.may(Permission.CAPTURE_CONTACTS, clinic):
        captured |= {
            "capture_template": "conversations/_capture_card.html",
            "may_capture": True,
            "here": chat_url(chat.pk),
        }
    manages = scores(request, clinic)
    context = {
        "chat": chat, "manages": manages, "opened": opened,
        "findings": findings,
        "whole": [finding for finding in findings if finding.message_id is None],
        "rows": transcript.shown(chat, findings, [*ranges, *([also] if also else [])], opened=opened),
        "checks": transcript.checks(
            chat, findings, {contact.kind for contact in captured["contacts"]}, booked=bool(captured["booking_at"])
        ),
        "appeals": [finding for finding in findings if finding.appealed],
        "at_once": queries.at_once(chat) if any(finding.appealed for finding in findings) else 0,
        "coach_form": CoachForm(initial={"due_on": clinic.today() + reading.WEEK}), "today": clinic.today(),
        "coaching": list(chat.coaching_notes.select_related("created_by").order_by("-created_at")[:5]),
        "is_mine": chat.consultant_id == request.user.pk,
        "may_capture": request.user.may(Permission.CAPTURE_CONTACTS, clinic),
        "may_open": request.user.may(Permission.REVEAL_CONTACT, clinic),
        "rubric_version": active_rubric(clinic, Rubric.Kind.CHAT).version,
        **scored, **captured, **links(request, clinic), **extra,
    }  # fmt: skip
    if manages:
        context |= _beside(request, clinic) | {"appeals_waiting": queries.appeals_waiting(clinic).count()}
    return render(request, "conversations/conversation.html", context, status=status)
