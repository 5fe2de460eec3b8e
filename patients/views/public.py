"""Pages for anybody who scans a printed code: what they share, and the one a friend brings along."""

from collections.abc import Callable
from functools import wraps
from typing import Any

from django.core.cache import cache
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone, translation
from django.utils.http import urlencode
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_safe

from accounts.access import current_clinic, public
from accounts.middleware import chosen_language
from accounts.models import User
from accounts.permissions import Permission
from accounts.qr import qr_svg
from patients.models import PublicLink
from patients.services.referral_links import live

WHY = "a printed code is the key: it shows the clinic's name, and nothing of a patient"
LANGUAGES = ("zh-hans", "en")
PER_MINUTE = 120  # requests to one link
GUESSES_PER_MINUTE = 20  # wrong codes from one address
PageView = Callable[..., HttpResponse]


def too_many(key: str, limit: int, seconds: int = 60) -> bool:
    """Count a request; tell whether the limit of this stretch of time is passed. Without the cache nobody is held up."""
    try:
        cache.add(key, 0, timeout=seconds)
        return cache.incr(key) > limit
    except Exception:
        return False


def address_of(request: HttpRequest) -> str:
    return str(request.META.get("REMOTE_ADDR", ""))


def _language(request: HttpRequest) -> str:
    asked = request.GET.get("lang", "")
    return asked if asked in LANGUAGES else LANGUAGES[0]


def browser_language(request: HttpRequest) -> str:
    """Return the language of a page that leads nowhere: the one asked for, else what this browser chose.

    Living pages start in Chinese whatever the browser chose: a patient reads them on the clinic's tablet too.
    """
    return _language(request) if request.GET.get("lang") else chosen_language(request)


def show(request: HttpRequest, template: str, context: dict[str, Any], status: int = 200) -> HttpResponse:
    """Render a public page; notices meant for staff who use the same browser stay out."""
    language = translation.get_language() or LANGUAGES[0]
    other = ("en", "English") if language != "en" else (LANGUAGES[0], "中文")
    shared = {"messages": (), "clinic": None, "other": other, "lang": "" if language != "en" else "?lang=en"}
    return render(request, template, {**shared, **context}, status=status)


def _answer(view: PageView, request: HttpRequest, code: str, purpose: str) -> HttpResponse:
    link = live(code, purpose)
    if link is None:
        guessed = too_many(f"public-wrong:{address_of(request)}", GUESSES_PER_MINUTE)
        with translation.override(browser_language(request)):
            return show(request, "patients/public_closed.html", {"busy": guessed}, 429 if guessed else 404)
    if too_many(f"public:{link.pk}", PER_MINUTE):
        return show(request, "patients/public_closed.html", {"busy": True}, 429)
    with timezone.override(link.clinic.tz):
        return view(request, link)


def public_page(purpose: str) -> Callable[[PageView], PageView]:
    """Give the view the live link of the code in the address; a revoked one is answered kindly with 404.

    Without cookies there is nothing that a check for forged requests could protect.
    """

    def decorate(view: PageView) -> PageView:
        @wraps(view)
        def wrapper(request: HttpRequest, code: str) -> HttpResponse:
            with translation.override(_language(request)):
                response = _answer(view, request, code, purpose)
            response["Cache-Control"] = "no-store"
            response["Referrer-Policy"] = "no-referrer"
            response["X-Robots-Tag"] = "noindex, nofollow"
            return response

        return csrf_exempt(wrapper)

    return decorate


@public(WHY)
@require_safe
@public_page(PublicLink.Purpose.REFERRAL)
def referral_public(request: HttpRequest, link: PublicLink) -> HttpResponse:
    """What a friend shows at the desk: the clinic and the code, nothing of who gave it. Staff go on to quick-add."""
    user = request.user
    if isinstance(user, User):
        clinic = current_clinic(user)
        if clinic is not None and user.may(Permission.QUICK_ADD, clinic):
            return redirect(f"{reverse('patient_add')}?{urlencode({'code': link.code})}")
    url = request.build_absolute_uri(reverse("referral_public", args=[link.code]))
    return show(request, "patients/public_referral.html", {"link": link, "qr": qr_svg(url)})
