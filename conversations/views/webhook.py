"""The webhook by which chat systems push, and the page where its address and secret are made."""

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_GET, require_POST

from accounts.access import StaffRequest, public, requires
from accounts.audit import record
from accounts.models import Clinic
from accounts.permissions import Permission
from conversations.models import WebhookKey
from conversations.services import webhooks
from conversations.services.webhooks import Delivery, Refusal


@public("another system pushes chats, signed with a secret that only it and the clinic know")
@csrf_exempt
@require_POST
@never_cache
def chat_webhook(request: HttpRequest, key: str) -> HttpResponse:
    """Take in chats that are pushed; the same delivery twice changes nothing."""
    found = WebhookKey.objects.select_related("clinic").filter(key=key[:64], clinic__is_active=True).first()
    if found is None:
        return JsonResponse({"error": "unknown_key"}, status=404)
    body = request.read(webhooks.MOST_BYTES + 1)
    if len(body) > webhooks.MOST_BYTES:
        return JsonResponse({"error": "too_large", "most_bytes": webhooks.MOST_BYTES}, status=413)
    said = request.headers
    delivery = Delivery(
        body, said.get("X-Timestamp", ""), said.get("X-Signature", ""), said.get("X-Event-Id", "").strip()
    )
    try:
        webhooks.check(found, delivery)
        return JsonResponse(webhooks.receive(found, delivery))
    except Refusal as refusal:
        return JsonResponse({"error": refusal.error, **refusal.detail}, status=refusal.status)


@requires(Permission.EDIT_CHAT_RULES)
@require_GET
def chat_webhook_settings(request: StaffRequest, clinic: Clinic) -> HttpResponse:
    """The webhook's address, and how a delivery is signed."""
    found = WebhookKey.objects.for_clinic(clinic).select_related("created_by").first()
    return render(request, "conversations/import_webhook.html", _context(request, found))


def _context(request: HttpRequest, found: WebhookKey | None, secret: str = "") -> dict[str, object]:
    address = request.build_absolute_uri(f"/conversations/webhook/{found.key}/") if found is not None else ""
    return {"webhook": found, "address": address, "secret": secret, "most_mb": webhooks.MOST_BYTES >> 20,
            "most_chats": webhooks.MOST_CHATS, "minutes": webhooks.REPLAY_SECONDS // 60}  # fmt: skip


@requires(Permission.EDIT_CHAT_RULES)
@require_POST
def chat_webhook_make(request: StaffRequest, clinic: Clinic) -> HttpResponse:
    """Make a new address and secret; the old ones end."""
    webhooks.make_key(clinic=clinic, by=request.user)
    messages.success(request, _("The webhook has a new address and a new secret."))
    return redirect("chat_webhook_settings")


@requires(Permission.EDIT_CHAT_RULES)
@require_POST
def chat_webhook_secret(request: StaffRequest, clinic: Clinic) -> HttpResponse:
    """Show the secret, which is logged."""
    found = WebhookKey.objects.for_clinic(clinic).select_related("created_by").first()
    if found is None:
        return redirect("chat_webhook_settings")
    record(action="chat_webhook_secret_shown", clinic=clinic, by=request.user)
    return render(request, "conversations/import_webhook.html", _context(request, found, found.secret))


@requires(Permission.EDIT_CHAT_RULES)
@require_POST
def chat_webhook_end(request: StaffRequest, clinic: Clinic) -> HttpResponse:
    """Close the webhook."""
    webhooks.end_key(clinic=clinic, by=request.user)
    messages.success(request, _("The webhook is closed."))
    return redirect("chat_webhook_settings")
