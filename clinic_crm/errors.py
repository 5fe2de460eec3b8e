"""The pages for what cannot be answered; the API's addresses answer with problems instead."""

from collections.abc import Callable
from http import HTTPStatus

from django.conf import settings
from django.core.exceptions import PermissionDenied, RequestDataTooBig
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.template.loader import render_to_string
from django.utils import translation

from accounts.api.problems import is_asked_by_program, plain
from accounts.api.views import asked_language
from accounts.middleware import LANGUAGE_CODES
from accounts.reading import page_before
from clinic_crm.input_limits import too_large


def _problem(request: HttpRequest, slug: str) -> HttpResponse:
    """Return a problem in the language that a program asks for."""
    wanted = asked_language(request) if "Authorization" in request.headers else ""
    with translation.override(wanted or translation.get_language()):
        return plain(slug)


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:
    if is_asked_by_program(request.path):
        return _problem(request, "bad-request")
    if isinstance(exception, RequestDataTooBig):
        return too_large(request)
    return render(request, "400.html", status=400)


def forbidden(request: HttpRequest, exception: Exception) -> HttpResponse:
    """Say the reason that the code gave, if it gave one in words for the person."""
    if is_asked_by_program(request.path):
        return _problem(request, "forbidden")
    reason = str(exception) if isinstance(exception, PermissionDenied) else ""
    return render(request, "403.html", {"reason": reason}, status=403)


def not_found(request: HttpRequest, exception: Exception) -> HttpResponse:
    if is_asked_by_program(request.path):
        return _problem(request, "not-found")
    return render(request, "404.html", status=404)


def server_error(request: HttpRequest) -> HttpResponse:
    """500.html stands alone: whatever broke may break the frame of pages too. Asks neither database nor session."""
    if is_asked_by_program(request.path):
        return _problem(request, "server-error")
    asked = request.COOKIES.get(settings.LANGUAGE_COOKIE_NAME, "")
    language = getattr(request, "LANGUAGE_CODE", asked if asked in LANGUAGE_CODES else settings.LANGUAGE_CODE)
    context = {
        "theme": request.COOKIES.get("theme", ""),
        "again": request.get_full_path() if request.method == "GET" else "",
        "back": page_before(request),
    }
    with translation.override(language):
        return HttpResponse(render_to_string("500.html", context), status=500)


class NoPageMiddleware:
    """Shows a page instead of nothing to who opens an address that only takes what a form sends (405).

    After a form with faults the bar of the browser holds such an address; opened anew it is asked by GET.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        if response.status_code != HTTPStatus.METHOD_NOT_ALLOWED or request.method != "GET":
            return response
        if is_asked_by_program(request.path) or "HX-Request" in request.headers:
            return response
        page = render(request, "405.html", status=HTTPStatus.METHOD_NOT_ALLOWED)
        page.headers["Allow"] = response.headers.get("Allow", "POST")
        return page
