"""What the views of chats share."""

from typing import Any

from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import NoReverseMatch, reverse
from django_htmx.http import HttpResponseClientRedirect, HttpResponseClientRefresh

from accounts.access import StaffRequest
from accounts.models import Clinic
from accounts.permissions import Permission
from conversations import queries
from conversations.models import Conversation, Finding


def get_chat(request: StaffRequest, clinic: Clinic, pk: int) -> Conversation:
    """Return a chat that the person may read; 404 for anybody else's."""
    rows = queries.visible(request.user, clinic)
    rows = rows.select_related("clinic", "consultant", "team", "patient", "appointment", "read_by")
    chat: Conversation = get_object_or_404(rows, pk=pk)
    return chat


def get_finding(request: StaffRequest, clinic: Clinic, pk: int) -> Finding:
    """Return a finding of a chat that the person may read."""
    rows = Finding.objects.for_user(request.user).for_clinic(clinic)
    rows = rows.filter(conversation__in=queries.visible(request.user, clinic).values("pk"))
    finding: Finding = get_object_or_404(rows.select_related("conversation__clinic", "conversation__consultant"), pk=pk)
    return finding


def scores(request: StaffRequest, clinic: Clinic) -> bool:
    """Tell whether the person reads everybody's chats."""
    return request.user.may(Permission.SCORE_CONVERSATIONS, clinic)


def links(request: StaffRequest, clinic: Clinic) -> dict[str, Any]:
    """Addresses of the neighbouring pages that exist and that the person may open."""
    may = request.user.may
    wanted = {
        "import_url": ("conversation_import", Permission.IMPORT_CONVERSATIONS),
        "captures_url": ("captures", Permission.CAPTURE_CONTACTS),
        "reports_url": ("conversation_reports", Permission.VIEW_CONVERSATIONS),
        "rules_url": ("chat_rules", Permission.EDIT_CHAT_RULES),
        "export_url": ("conversation_export", Permission.VIEW_CONVERSATIONS),
        "fronts_url": ("fronts", Permission.VIEW_CONVERSATIONS),
    }
    found = {}
    for key, (name, permission) in wanted.items():
        try:
            found[key] = reverse(name) if may(permission, clinic) else ""
        except NoReverseMatch:
            found[key] = ""
    return found


def dialog(
    request: StaffRequest, body: str, context: dict[str, Any], *, title: str, back: str, status: int = 200
) -> HttpResponse:
    """Render a form as a dialog over the page (htmx), or as a page of its own."""
    shell = "conversations/_dialog.html" if request.htmx else "conversations/alone.html"
    return render(request, shell, {**context, "body": body, "title": title, "back": back}, status=status)


def done(request: StaffRequest, url: str) -> HttpResponse:
    """Answer a form that did its work: the page below is drawn anew."""
    if not request.htmx:
        return redirect(url)
    here = (request.htmx.current_url_abs_path or "").split("?")[0]
    return HttpResponseClientRefresh() if here == url else HttpResponseClientRedirect(url)


def chat_url(pk: int) -> str:
    return reverse("conversation", args=[pk])
