"""Sign-in and devices: the authenticator app, recovery codes, and where one is signed in."""

import time
from typing import Any

from allauth.account.internal.flows.login import get_authentication_records
from allauth.account.internal.flows.reauthentication import raise_if_reauthentication_required
from allauth.core.exceptions import ReauthenticationRequired
from allauth.mfa.adapter import get_adapter
from allauth.mfa.totp.internal.auth import generate_totp_secret
from allauth.usersessions.models import UserSession
from django.conf import settings
from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from accounts.access import StaffRequest, requires
from accounts.devices import devices_of
from accounts.forms import AppCodeForm, show_refusal
from accounts.middleware import PROVED
from accounts.models import Clinic
from accounts.permissions import Permission
from accounts.qr import qr_svg
from accounts.second_step import has_second_step, needs_second_step
from accounts.services.second_step import new_recovery_codes, recovery_codes, turn_off, turn_on
from accounts.services.sessions import end_other_sessions, end_session

NEW_SECRET = "second_step_secret"  # noqa: S105  session: the secret that is being set up
JUST_NOW = 300  # seconds that a sign-in counts as fresh


@requires(Permission.SIGNED_IN)
@require_GET
def security(request: StaffRequest, clinic: Clinic) -> HttpResponse:
    """Show how one signs in, and where one is signed in."""
    devices = devices_of(request.user, request.session.session_key)
    context = {
        "devices": devices,
        "others": sum(not device.current for device in devices),
        "on": has_second_step(request.user),
        "needed": needs_second_step(request.user),
        "idle_minutes": settings.SESSION_IDLE_MINUTES,
        "idle_hours": settings.SESSION_IDLE_MINUTES // 60 if settings.SESSION_IDLE_MINUTES % 60 == 0 else 0,
        "absolute_hours": settings.SESSION_ABSOLUTE_HOURS,
    }
    return render(request, "accounts/security.html", context)


@requires(Permission.SIGNED_IN)
@require_POST
def session_end(request: StaffRequest, clinic: Clinic, pk: int) -> HttpResponse:
    """End one of one's own sessions."""
    ended = get_object_or_404(UserSession, user=request.user, pk=pk)
    here = ended.session_key == request.session.session_key
    end_session(session=ended, by=request.user)
    if here:
        request.session.flush()
        return redirect(settings.LOGIN_URL)
    messages.success(request, _("Signed out there."))
    return redirect("security")


@requires(Permission.SIGNED_IN)
@require_POST
def sessions_end_others(request: StaffRequest, clinic: Clinic) -> HttpResponse:
    """End all of one's sessions but this."""
    count = end_other_sessions(user=request.user, keep=request.session.session_key or "", by=request.user)
    said = ngettext("Signed out in %(count)s other place.", "Signed out in %(count)s other places.", count)
    messages.success(request, said % {"count": count})
    return redirect("security")


def _require_fresh_sign_in(request: StaffRequest) -> None:
    """Raise ReauthenticationRequired unless the person has just signed in, or proved again who they are."""
    records = get_authentication_records(request, request.user)
    if not records or time.time() - records[-1]["at"] > JUST_NOW:
        raise ReauthenticationRequired


@requires(Permission.SIGNED_IN)
@require_http_methods(["GET", "POST"])
def second_step_set_up(request: StaffRequest, clinic: Clinic) -> HttpResponse:
    """Show the secret as a QR code, and take the first code of the app as proof."""
    if has_second_step(request.user):
        return redirect("security")
    _require_fresh_sign_in(request)
    secret: str = request.session.setdefault(NEW_SECRET, generate_totp_secret())
    form = AppCodeForm(request.POST or None, user=request.user, secret=secret)
    if request.method == "POST" and form.is_valid():
        try:
            turn_on(user=request.user, secret=secret, by=request.user)
        except ValidationError as error:
            show_refusal(form, error)
        else:
            del request.session[NEW_SECRET]
            request.session[PROVED] = request.user.pk
            messages.success(request, _("From now on you sign in with the app's code too."))
            return redirect("second_step_codes")
    return render(
        request, "mfa/set_up.html", _set_up_context(request, form, secret), status=422 if form.errors else 200
    )


def _set_up_context(request: StaffRequest, form: AppCodeForm, secret: str) -> dict[str, Any]:
    url = get_adapter().build_totp_url(request.user, secret)
    spelled = " ".join(secret[start : start + 4] for start in range(0, len(secret), 4))
    needed = needs_second_step(request.user)
    return {"form": form, "qr": qr_svg(url), "spelled": spelled, "needed": needed}


@requires(Permission.SIGNED_IN)
@require_http_methods(["GET", "POST"])
def second_step_codes(request: StaffRequest, clinic: Clinic) -> HttpResponse:
    """Show the recovery codes that are left; a POST makes new ones."""
    if not has_second_step(request.user):
        return redirect("security")
    if request.method == "POST":
        raise_if_reauthentication_required(request, app="allauth.mfa")
        new_recovery_codes(user=request.user, by=request.user)
        messages.success(request, _("These are new; the old codes no longer work."))
        return redirect("second_step_codes")
    _require_fresh_sign_in(request)
    return render(request, "mfa/codes.html", {"codes": recovery_codes(request.user)})


@requires(Permission.SIGNED_IN)
@require_http_methods(["GET", "POST"])
def second_step_off(request: StaffRequest, clinic: Clinic) -> HttpResponse:
    """Turn the app off, after proving again who one is."""
    if not has_second_step(request.user):
        return redirect("security")
    raise_if_reauthentication_required(request, app="allauth.mfa")
    if request.method == "POST":
        turn_off(user=request.user, by=request.user)
        request.session.pop(PROVED, None)
        messages.success(request, _("The authenticator app is turned off."))
        return redirect("security")
    return render(request, "mfa/turn_off.html", {"needed": needs_second_step(request.user)})
