"""The language of each answer, how long sessions last, and who is asked for an authenticator app."""

import time
from collections.abc import Callable
from typing import Any

from allauth.usersessions.models import UserSession
from django.conf import settings
from django.contrib import messages
from django.contrib.auth import logout
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils import timezone, translation
from django.utils.translation import gettext as _

from accounts.api.problems import plain
from accounts.devices import SEEN, STARTED, is_over
from accounts.models import User
from accounts.second_step import has_second_step, needs_second_step

SEEN_EVERY = 60  # seconds; a session is written once in so long at most
PROVED = "second_step"  # session: whose authenticator app was seen to be there
# Where somebody may go who has yet to set up the app.
FREE = frozenset({
    "second_step_set_up", "second_step_codes", "account_reauthenticate", "mfa_reauthenticate",
    "account_logout", "switch_language", "switch_theme", "healthz", "readyz", "metrics",
})  # fmt: skip

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


class SessionLimitsMiddleware:
    """Ends sessions that were unused too long, or began too long ago. Stands after MessageMiddleware.

    Pages that ask for news by themselves (header X-Poll) do not count as use.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        now = time.time()
        if request.user.is_authenticated and STARTED in request.session:
            if is_over(request.session, now):
                logout(request)
                if "HX-Request" not in request.headers:
                    messages.info(request, _("You were signed out because the session ran out."))
            elif "X-Poll" not in request.headers and now - request.session[SEEN] >= SEEN_EVERY:
                request.session[SEEN] = now
                UserSession.objects.filter(session_key=request.session.session_key).update(last_seen_at=timezone.now())
        response = self.get_response(request)
        if request.user.is_authenticated and STARTED not in request.session:
            _begin(request, now)
        return response


def _begin(request: HttpRequest, now: float) -> None:
    """Note when a session began that has just been made, by whichever way of signing in."""
    if request.session.session_key is None:  # signed in by something else than a session
        return
    request.session[STARTED] = request.session[SEEN] = now
    UserSession.objects.create_from_request(request)


class SecondStepMiddleware:
    """Leads managers and administrators to setting up an authenticator app, if REQUIRE_TOTP is on."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        return self.get_response(request)

    def process_view(self, request: HttpRequest, *_view: Any) -> HttpResponse | None:
        """Return where to go instead, or None."""
        user = request.user
        if not isinstance(user, User) or not needs_second_step(user):
            return None
        if request.session.get(PROVED) == user.pk or getattr(request.resolver_match, "url_name", "") in FREE:
            return None
        if has_second_step(user):
            request.session[PROVED] = user.pk
            return None
        return _set_up_first(request)


def _set_up_first(request: HttpRequest) -> HttpResponse:
    where = reverse("second_step_set_up")
    if request.path.startswith("/api/"):
        return plain("forbidden", _("Set up an authenticator app first."))
    if "HX-Request" in request.headers:
        return HttpResponse(status=204, headers={"HX-Redirect": where})
    return redirect(where)
