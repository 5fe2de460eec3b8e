"""How a view says who may use it. A view without one of these fails the guard test."""

from collections.abc import Callable
from functools import wraps
from typing import Any

from django.conf import settings
from django.contrib.auth.views import redirect_to_login
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect, resolve_url
from django.utils import timezone

from accounts.models import Clinic, User
from accounts.permissions import Permission
from accounts.reading import page_before

View = Callable[..., HttpResponseBase]


class StaffRequest(HttpRequest):
    """A request as views behind `requires` get it: somebody is signed in. For type checkers."""

    user: User  # type: ignore[assignment]
    htmx: Any  # django_htmx.middleware.HtmxDetails
    task_count: int  # how many own tasks are due, where the view has counted them already


def current_clinic(user: User) -> Clinic | None:
    """Return the clinic the person works in now: the chosen one if still allowed, else the first."""
    return user.working_in


def requires(permission: Permission, *more: Permission) -> Callable[[View], View]:
    """Let a signed-in person through who has any of the permissions in the current clinic.

    The view gets the clinic as its second argument, and runs in its time zone. Raises PermissionDenied (403)
    otherwise; an anonymous visitor is sent to sign in (a fragment's request gets 401: the page says so).
    """
    accepted = (permission, *more)

    def decorate(view: View) -> View:
        @wraps(view)
        def wrapper(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
            user = request.user
            if not isinstance(user, User):
                return _ask_to_sign_in(request)
            clinic = current_clinic(user)
            if clinic is None or not any(user.may(p, clinic) for p in accepted):
                raise PermissionDenied
            with timezone.override(clinic.tz):
                response = view(request, clinic, *args, **kwargs)
            # Nothing of a patient stays in a browser that the next person uses: "back" after signing out asks anew.
            response.headers.setdefault("Cache-Control", "private, no-store")
            return response

        wrapper.access = accepted  # type: ignore[attr-defined]
        return wrapper

    return decorate


def _ask_to_sign_in(request: HttpRequest) -> HttpResponseBase:
    if "HX-Request" in request.headers:
        return HttpResponse(status=401)
    back = request.get_full_path() if request.method == "GET" else page_before(request)
    return redirect_to_login(back, resolve_url(settings.LOGIN_URL)) if back else redirect(settings.LOGIN_URL)


def public(why: str) -> Callable[[View], View]:
    """Declare a view open to anyone, and say why."""

    def decorate(view: View) -> View:
        view.access = why  # type: ignore[attr-defined]
        return view

    return decorate
