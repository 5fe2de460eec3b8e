"""What providers tell us: delivery reports and replies. Open to anyone who knows the secret address."""

import json
from typing import Any

from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST

from accounts.access import public
from followups.models import SenderAccount
from followups.senders.registry import config_of
from followups.senders.webhook import is_signed
from followups.services.messaging import is_callback_token
from followups.services.replies import Answer, Report, take_answers, take_reports

MOST_BYTES, MOST_ITEMS = 512 * 1024, 1000
THANKS = {
    "aliyun": {"code": 0, "msg": "OK"},
    "tencent": {"result": 0, "errmsg": "OK"},
    "webhook": {"ok": True},
}


@public("a provider reports what became of messages, at an address that only it knows")
@csrf_exempt
@require_POST
@never_cache
def message_callback(request: HttpRequest, pk: int, token: str) -> HttpResponse:
    """Take a provider's delivery reports and replies; the same one twice changes nothing."""
    account = SenderAccount.objects.select_related("clinic").filter(pk=pk, provider__in=THANKS).first()
    if account is None or not is_callback_token(account, token):
        raise Http404
    body = request.read(MOST_BYTES + 1)
    if len(body) > MOST_BYTES:
        return JsonResponse({"error": "too large"}, status=413)
    if account.provider == "webhook" and not is_signed(config_of(account).get("secret", ""), request.headers, body):
        return JsonResponse({"error": "signature"}, status=401)
    items = _items(body)
    if items is None:
        return JsonResponse({"error": "not understood"}, status=400)
    take_reports(account=account, reports=[r for item in items if (r := _report(account.provider, item))])
    take_answers(account=account, answers=[a for item in items if (a := _answer(account.provider, item))])
    return JsonResponse(THANKS[account.provider])


def _items(body: bytes) -> list[dict[str, Any]] | None:
    """Return the objects of a JSON body, one or a list; None for anything else."""
    try:
        said = json.loads(body.decode())
    except (ValueError, RecursionError):
        return None
    listed = said if isinstance(said, list) else [said]
    if len(listed) > MOST_ITEMS or not all(isinstance(item, dict) for item in listed):
        return None
    return listed


def _text(item: dict[str, Any], name: str) -> str:
    value = item.get(name)
    return str(value)[:500].replace("\x00", "") if isinstance(value, str | int) else ""


def _report(provider: str, item: dict[str, Any]) -> Report | None:
    if provider == "aliyun" and "biz_id" in item:
        ok = item.get("success") in (True, "true")
        return Report(_text(item, "out_id"), _text(item, "biz_id"), ok, _text(item, "err_msg"))
    if provider == "tencent" and "sid" in item:
        ok = item.get("report_status") == "SUCCESS"
        return Report("", _text(item, "sid"), ok, _text(item, "description"))
    if provider == "webhook" and item.get("status") in ("delivered", "failed"):
        ok = item["status"] == "delivered"
        return Report(_text(item, "id"), _text(item, "reference"), ok, _text(item, "detail"))
    return None


def _answer(provider: str, item: dict[str, Any]) -> Answer | None:
    if provider == "aliyun" and "content" in item:
        return Answer(_text(item, "phone_number"), _text(item, "content"))
    if provider == "tencent" and "text" in item:
        return Answer(_text(item, "mobile"), _text(item, "text"))
    if provider == "webhook" and "reply" in item:
        return Answer(_text(item, "from"), _text(item, "reply"))
    return None
