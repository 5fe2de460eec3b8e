"""How a view says who may use it. A view without one of these fails the guard test."""

from collections.abc import Callable
from functools import wraps
from typing import Any

from django.contrib.auth.decorators import login_required
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponseBase

from accounts.models import Clinic, User
from accounts.permissions import Permission

View = Callable[..., HttpResponseBase]


def current_clinic(user: User) -> Clinic | None:
    """Return the clinic the person works in now: the chosen one if still allowed, else the first."""
    ids = user.clinic_ids()
    if user.current_clinic_id in ids:
        return user.current_clinic
    return Clinic.objects.filter(pk__in=ids).first()


def requires(permission: Permission, *more: Permission) -> Callable[[View], View]:
    """Let a signed-in person through who has any of the permissions in the current clinic.

    The view gets the clinic as its second argument. Raises PermissionDenied (403) otherwise;
    an anonymous visitor is sent to sign in.
    """
    accepted = (permission, *more)

    def decorate(view: View) -> View:
        @wraps(view)
        def wrapper(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
            user = request.user
            assert isinstance(user, User)
            clinic = current_clinic(user)
            if clinic is None or not any(user.may(p, clinic) for p in accepted):
                raise PermissionDenied
            return view(request, clinic, *args, **kwargs)

        guarded = login_required(wrapper)
        guarded.access = accepted  # type: ignore[attr-defined]
        return guarded

    return decorate


def public(why: str) -> Callable[[View], View]:
    """Declare a view open to anyone, and say why."""

    def decorate(view: View) -> View:
        view.access = why  # type: ignore[attr-defined]
        return view

    return decorate
