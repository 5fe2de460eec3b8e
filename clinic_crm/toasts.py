"""Messages said while answering htmx reach the page as toasts."""

from collections.abc import Callable
from typing import Any

from django.contrib.messages import get_messages
from django.http import HttpRequest, HttpResponse
from django_htmx.http import trigger_client_event

from clinic_crm.templatetags._messages import toast_of


class ToastMiddleware:
    """Turns pending messages into a "toast" event, when htmx stays on the page.

    A redirect leaves them in the session for the next page. Stands after HtmxMiddleware and MessageMiddleware.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        if not getattr(request, "htmx", False) or _leaves_the_page(response):
            return response
        storage: Any = get_messages(request)
        if storage and not storage.used:
            toasts = [toast_of(message) for message in storage]
            if toasts:
                trigger_client_event(response, "toast", {"toasts": toasts})
        return response


def _leaves_the_page(response: HttpResponse) -> bool:
    headers = ("HX-Redirect", "HX-Refresh", "HX-Location")
    return 300 <= response.status_code < 400 or any(name in response for name in headers)
