"""A manager's own findings and score."""

from typing import Any

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST

from accounts.access import StaffRequest, requires
from accounts.models import Clinic
from accounts.permissions import Permission
from accounts.reading import whole_number
from conversations.errors import Changed, Refused
from conversations.forms import FindingForm, ScoreForm
from conversations.masking import hidden
from conversations.models import ChatMessage, Conversation
from conversations.services import scoring
from conversations.transcript import known_values
from conversations.views.common import chat_url, dialog, done, get_chat, get_finding
from conversations.views.page import chat_page


def _message(chat: Conversation, pk: object) -> ChatMessage | None:
    """The message that a finding is about; none when the whole chat is meant."""
    number = whole_number(pk)
    return get_object_or_404(ChatMessage.objects.filter(conversation=chat), pk=number) if number else None


@requires(Permission.SCORE_CONVERSATIONS)
@require_http_methods(["GET", "POST"])
def finding_add(request: StaffRequest, clinic: Clinic, pk: int) -> HttpResponse:
    """Add a finding on a message (?message=), or on the whole chat."""
    chat = get_chat(request, clinic, pk)
    message = _message(chat, request.POST.get("message") or request.GET.get("message"))
    form = FindingForm(request.POST or None, initial={"quote": request.GET.get("quote", "")[:200]})
    if request.method == "POST" and form.is_valid():
        try:
            scoring.add_finding(conversation=chat, message=message, by=request.user, **form.cleaned_data)
        except Refused as error:
            form.add_error(error.field, error.message)
        else:
            messages.success(request, _("Finding added"))
            return done(request, chat_url(pk))
    shown = hidden(message.text, known_values(chat)) if message else ""
    context = {"form": form, "chat": chat, "message": message, "shown": shown}
    body = "conversations/_finding_form.html"
    status = 422 if form.errors else 200
    return dialog(request, body, context, title=_("Add a finding"), back=chat_url(pk), status=status)


@requires(Permission.SCORE_CONVERSATIONS)
@require_POST
def finding_withdraw(request: StaffRequest, clinic: Clinic, pk: int) -> HttpResponse:
    """Take a finding back."""
    finding = get_finding(request, clinic, pk)
    scoring.withdraw_finding(finding=finding, reason="manager", by=request.user)
    messages.success(request, _("Finding withdrawn; the score follows."))
    return redirect(chat_url(finding.conversation_id))


@requires(Permission.SCORE_CONVERSATIONS)
@require_POST
def conversation_score(request: StaffRequest, clinic: Clinic, pk: int) -> HttpResponse:
    """Score the chat; the card replaces the former."""
    chat = get_chat(request, clinic, pk)
    form = ScoreForm(request.POST, codes=[line["code"] for line in scoring.proposal(chat)[1]])
    if not form.is_valid():
        return chat_page(request, clinic, chat, status=422, score_form=form)
    told: dict[str, Any] = {"note": form.cleaned_data["note"], "seen": form.cleaned_data["seen"]}
    try:
        card = scoring.give_score(conversation=chat, points=form.points, by=request.user, **told)
    except Refused as error:
        form.add_error(error.field, error.message)
        return chat_page(request, clinic, chat, status=422, score_form=form)
    except Changed as error:
        return chat_page(request, clinic, chat, status=409, score_conflict=error)
    messages.success(request, _("Scored: %(score)s of 100") % {"score": f"{card.score:g}"})
    return redirect(chat_url(pk))
