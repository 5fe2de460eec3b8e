"""The lists of chats, and one chat with what was found in it."""

from typing import Any

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.db.models import Count, Q, Sum
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_GET, require_POST

from accounts.access import StaffRequest, requires
from accounts.models import Clinic
from accounts.permissions import Permission
from accounts.reading import own_address, whole_number
from conversations import queries, transcript
from conversations.errors import ChatError, Refused
from conversations.forms import ChatFilterForm, CoachForm
from conversations.inspection.codes import CODES
from conversations.models import CoachingNote, Conversation
from conversations.services import reading
from conversations.views.common import chat_url, get_chat, links, scores
from conversations.views.page import chat_page

SEVERITIES = {
    4: gettext_lazy("Grave"), 3: gettext_lazy("Serious"), 2: gettext_lazy("Moderate"), 1: gettext_lazy("Slight"),
    0: gettext_lazy("Nothing found"),
}  # fmt: skip
ANSWERED = 10  # appeals with their answers on a list


def _grouped(clinic: Clinic, rows: list[Any], every: Any) -> list[dict[str, Any]]:
    """Put the queue's rows under their severity, each with how many and how dear; one statement."""
    facts = every.order_by().values("severity").annotate(n=Count("pk"), money=Sum("cost"))
    totals = {fact["severity"]: fact for fact in facts}
    groups: list[dict[str, Any]] = []
    for row in rows:
        if not groups or groups[-1]["severity"] != row.severity:
            told = totals.get(row.severity, {})
            name = SEVERITIES.get(row.severity, SEVERITIES[0])
            groups.append({"severity": row.severity, "label": name, "rows": [], **told})
        groups[-1]["rows"].append(row)
    return groups


def _page(request: StaffRequest, rows: Any, order: str) -> dict[str, Any]:
    """One page of a list, with the addresses of the next and the first."""
    token = request.GET.get("after", "")
    got = list(queries.for_list(queries.after(rows, token, order))[: queries.SIZE + 1])
    found, more = got[: queries.SIZE], len(got) > queries.SIZE
    queries.gravest(found)
    params = request.GET.copy()
    params.pop("after", None)
    first = f"?{params.urlencode()}" if token else ""
    if more:
        params["after"] = queries.cursor(found[-1], order)
    return {"rows": found, "next_url": f"?{params.urlencode()}" if more else "", "first_url": first}


def _queue(request: StaffRequest, clinic: Clinic) -> dict[str, Any]:
    waiting = queries.queue(queries.visible(request.user, clinic))
    page = _page(request, waiting, "queue")
    overdue = list(queries.coaching_overdue(clinic)[: queries.SIZE]) if scores(request, clinic) else []
    return page | {"groups": _grouped(clinic, page["rows"], waiting), "overdue": overdue}


def _every(request: StaffRequest, clinic: Clinic) -> dict[str, Any]:
    form = ChatFilterForm(request.GET, clinic=clinic, sees_all=scores(request, clinic))
    said = form.said
    rows = queries.filtered(queries.visible(request.user, clinic), clinic, said)
    query = request.GET.copy()
    for name in ("after", "tab"):
        query.pop(name, None)
    return _page(request, rows, "latest") | {
        "form": form, "said": said, "figures": queries.figures(rows), "query": query.urlencode(),
    }  # fmt: skip


def _named(appeals: Any) -> list[Any]:
    """Give each appeal the name of what it is about."""
    rows = list(appeals)
    for row in rows:
        known = CODES.get(row.finding.code)
        row.about = known.label if known else row.finding.code
    return rows


def _mine(request: StaffRequest, clinic: Clinic) -> dict[str, Any]:
    own = queries.visible(request.user, clinic).filter(consultant=request.user)
    unchecked = own.filter(self_checked_at=None, read_at=None)
    return _page(request, unchecked, "queue") | {
        "coaching": list(queries.coaching_open(clinic, of=request.user)[: queries.SIZE]),
        "today": clinic.today(),
        "answers": _named(queries.appeals_answered(clinic, of=request.user)[:ANSWERED]),
    }


def _appeals(request: StaffRequest, clinic: Clinic) -> dict[str, Any]:
    return {
        "waiting": _named(queries.appeals_waiting(clinic)[: queries.SIZE]),
        "answered": _named(queries.appeals_answered(clinic)[:ANSWERED]),
    }


TABS = {"queue": _queue, "all": _every, "mine": _mine, "appeals": _appeals}
FOR_MANAGERS = ("queue", "appeals")


def _counts(request: StaffRequest, clinic: Clinic) -> dict[str, int]:
    """How many stand behind the tabs; two statements."""
    rows = queries.visible(request.user, clinic).order_by()
    own = Q(consultant=request.user, self_checked_at=None)
    counted: dict[str, int] = rows.filter(read_at=None).aggregate(queue=Count("pk"), mine=Count("pk", filter=own))
    counted["appeals"] = queries.appeals_waiting(clinic).count() if scores(request, clinic) else 0
    return counted


@requires(Permission.VIEW_CONVERSATIONS)
@require_GET
def conversations(request: StaffRequest, clinic: Clinic) -> HttpResponse:
    """The queue, all chats with filters, one's own to check, or appeals; ?tab=. Any filter leads to all chats."""
    manages = scores(request, clinic)
    asked = request.GET.get("tab", "")
    filters = set(request.GET) - {"tab", "after"}
    tab = asked if asked in TABS else "all" if filters else "queue" if manages else "mine"
    if tab in FOR_MANAGERS and not manages:
        tab = "mine"
    context = {"tab": tab, "manages": manages, "counts": _counts(request, clinic), **links(request, clinic)}
    return render(request, "conversations/list.html", context | TABS[tab](request, clinic))


@requires(Permission.VIEW_CONVERSATIONS)
@require_GET
def conversation(request: StaffRequest, clinic: Clinic, pk: int) -> HttpResponse:
    """One chat with its findings beside the words they are about."""
    return chat_page(request, clinic, get_chat(request, clinic, pk))


@requires(Permission.VIEW_CONVERSATIONS)
@require_POST
def conversation_open(request: StaffRequest, clinic: Clinic, pk: int) -> HttpResponse:
    """The same page with numbers and ids in full, this once; logged. Needs REVEAL_CONTACT besides."""
    chat = get_chat(request, clinic, pk)
    if not request.user.may(Permission.REVEAL_CONTACT, clinic):
        raise PermissionDenied
    reading.open_hidden(conversation=chat, by=request.user)
    return chat_page(request, clinic, chat, opened=True)


def asked_range(request: StaffRequest, chat: Conversation) -> tuple[int, int] | None:
    """Which positions of a long chat are asked for, as far as there are any; at most a chunk of them."""
    first, last = whole_number(request.GET.get("first")), whole_number(request.GET.get("last"))
    if first is None or last is None or not first <= last or first >= chat.message_count:
        return None
    return first, min(last, first + transcript.CHUNK - 1, chat.message_count - 1)


@requires(Permission.VIEW_CONVERSATIONS)
@require_GET
def conversation_lines(request: StaffRequest, clinic: Clinic, pk: int) -> HttpResponse:
    """Messages of a long chat that were left out; without htmx the page with them shown."""
    chat = get_chat(request, clinic, pk)
    wanted = asked_range(request, chat)
    if wanted is None:
        return redirect(chat_url(pk))
    if not request.htmx:
        return chat_page(request, clinic, chat, also=wanted)
    last = min(whole_number(request.GET.get("last")) or 0, chat.message_count - 1)
    rows = transcript.shown(chat, transcript.findings_of(chat), [wanted], opened=False, within=(wanted[0], last))
    return render(
        request, "conversations/_lines.html", {"rows": rows, "chat": chat, "manages": scores(request, clinic)}
    )


@requires(Permission.SCORE_CONVERSATIONS)
@require_POST
def conversation_read(request: StaffRequest, clinic: Clinic, pk: int) -> HttpResponse:
    """Note that it was read, and go to the next of the queue."""
    chat = get_chat(request, clinic, pk)
    reading.mark_read(conversation=chat, by=request.user)
    following = queries.next_in_queue(queries.visible(request.user, clinic), chat)
    if following is None:
        messages.success(request, _("The queue is empty: every chat has been read."))
        return redirect("conversations")
    return redirect(chat_url(following.pk))


@requires(Permission.VIEW_CONVERSATIONS)
@require_POST
def conversation_self_check(request: StaffRequest, clinic: Clinic, pk: int) -> HttpResponse:
    """The consultant has looked through the own chat."""
    chat = get_chat(request, clinic, pk)
    try:
        reading.self_check(conversation=chat, by=request.user)
    except ChatError as error:
        messages.error(request, error.message)
        return redirect(chat_url(pk))
    messages.success(request, _("Checked by yourself"))
    return redirect("conversations")


@requires(Permission.SCORE_CONVERSATIONS)
@require_POST
def conversation_coach(request: StaffRequest, clinic: Clinic, pk: int) -> HttpResponse:
    """Tell the consultant what to do better."""
    chat = get_chat(request, clinic, pk)
    form = CoachForm(request.POST)
    if form.is_valid():
        try:
            reading.coach(conversation=chat, by=request.user, **form.cleaned_data)
        except Refused as error:
            form.add_error(error.field, error.message)
    if form.errors:
        return chat_page(request, clinic, chat, status=422, coach_form=form)
    messages.success(request, _("Sent to %(name)s") % {"name": chat.consultant})
    return redirect(chat_url(pk))


@requires(Permission.VIEW_CONVERSATIONS)
@require_POST
def coaching_done(request: StaffRequest, clinic: Clinic, pk: int) -> HttpResponse:
    """The consultant did what was asked; `answer` says what."""
    rows = CoachingNote.objects.for_user(request.user).for_clinic(clinic).select_related("conversation__clinic")
    rows = rows.filter(conversation__in=queries.visible(request.user, clinic).values("pk"))
    note = get_object_or_404(rows, pk=pk)
    try:
        reading.coaching_done(note=note, answer=request.POST.get("answer", ""), by=request.user)
        messages.success(request, _("Done. The manager can see it at the chat."))
    except ChatError as error:
        messages.error(request, error.message)
    return redirect(own_address(request, request.POST.get("next"), reverse("conversations")))
