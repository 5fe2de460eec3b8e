"""The language of each answer."""

from collections.abc import Callable

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.utils import translation

LANGUAGE_CODES = frozenset(code for code, _name in settings.LANGUAGES)


def chosen_language(request: HttpRequest) -> str:
    """Return the person's language, else this browser's choice, else the default.

    The browser's Accept-Language is not asked: a clinic's computers are often set up in English.
    """
    own = getattr(request.user, "language", "")
    for code in (own, request.COOKIES.get(settings.LANGUAGE_COOKIE_NAME, "")):
        if code in LANGUAGE_CODES:
            return code
    return settings.LANGUAGE_CODE


class StaffLocaleMiddleware:
    """Answers in the person's language. Stands after AuthenticationMiddleware."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        language = chosen_language(request)
        with translation.override(language):
            request.LANGUAGE_CODE = language  # type: ignore[attr-defined]
            response = self.get_response(request)
        response.headers.setdefault("Content-Language", language)
        return response
