"""What no request may hold, checked once, before anything reads it."""

from collections.abc import Callable
from urllib.parse import unquote, urlsplit

from django.conf import settings
from django.core.exceptions import BadRequest
from django.http import HttpRequest, HttpResponse
from django.http.request import UnreadablePostError
from django.shortcuts import render
from django.utils import translation
from django.utils.translation import gettext as _

from accounts.api.problems import is_asked_by_program, plain

NUL = "\0"


def _holds_nul(request: HttpRequest) -> bool:
    """Tell whether path, cookies, query or fields hold a NUL; the database keeps none in any text."""
    if NUL in request.path or any(NUL in value for value in request.COOKIES.values()):
        return True
    try:
        fields = [*request.GET.lists(), *(request.POST.lists() if request.method == "POST" else ())]
    except UnreadablePostError:  # the browser has gone
        return False
    return any(NUL in name or any(NUL in value for value in values) for name, values in fields)


def _speak(request: HttpRequest) -> None:
    """Refuse in the reader's language; LocaleMiddleware comes later."""
    translation.activate(translation.get_language_from_request(request))


def too_large(request: HttpRequest) -> HttpResponse:
    """Say that more was sent than is taken (413)."""
    reason = _("What was sent is too large. Choose a smaller file, or send it in parts.")
    return render(request, "400.html", {"reason": reason, "status": 413}, status=413)


def _drop_odd_page(request: HttpRequest) -> None:
    """Forget the page that htmx says it asked from, when that is no address."""
    said = request.META.get("HTTP_HX_CURRENT_URL", "")
    try:
        urlsplit(said)
        urlsplit(unquote(said))
    except ValueError:
        del request.META["HTTP_HX_CURRENT_URL"]


class InputLimitsMiddleware:
    """Refuses a body larger than any upload may be (413), before it is read, and any NUL (400).

    Stands before SessionMiddleware, which looks for what a cookie says.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        length = request.META.get("CONTENT_LENGTH") or "0"
        if length.isdecimal() and int(length[:18]) > settings.REQUEST_MAX_BYTES:
            if is_asked_by_program(request.path):
                return plain("too-large")
            _speak(request)
            return too_large(request)
        _drop_odd_page(request)
        if _holds_nul(request):
            _speak(request)
            raise BadRequest("NUL")
        return self.get_response(request)
