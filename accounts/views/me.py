"""What each person sets for themselves: language, theme, current clinic; and accepting an invitation."""

from django.conf import settings
from django.contrib import messages
from django.contrib.auth import login
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods, require_POST

from accounts.access import StaffRequest, public, requires
from accounts.forms import InvitationForm
from accounts.middleware import LANGUAGE_CODES
from accounts.models import Clinic, User
from accounts.permissions import Permission
from accounts.reading import own_address, whole_number
from accounts.second_step import has_second_step
from accounts.services.invitations import accept_invitation, invited_user

BACKEND = "allauth.account.auth_backends.AuthenticationBackend"
THEMES = ("", "light", "dark")
YEAR = 365 * 24 * 3600  # seconds


def _back(request: HttpRequest) -> str:
    """Return the address to go back to, if it is one of ours, else the start."""
    return own_address(request, request.POST.get("next"), "/")


def _remember(response: HttpResponse, name: str, value: str) -> None:
    secure = bool(settings.SESSION_COOKIE_SECURE)
    response.set_cookie(name, value, max_age=YEAR, samesite="Lax", secure=secure, httponly=True)


@public("the sign-in page and patients' forms have a language too; it only sets a cookie")
@require_POST
def switch_language(request: HttpRequest) -> HttpResponse:
    """Keep the language with the person, and in this browser for the sign-in page."""
    language = request.POST.get("language", "")
    response = redirect(_back(request))
    if language in LANGUAGE_CODES:
        if isinstance(request.user, User):
            User.objects.filter(pk=request.user.pk).update(language=language)
        _remember(response, settings.LANGUAGE_COOKIE_NAME, language)
    return response


@public("the sign-in page has a theme too; it only sets a cookie")
@require_POST
def switch_theme(request: HttpRequest) -> HttpResponse:
    """Keep light, dark or the system's choice (empty) with the person, and in this browser."""
    theme = request.POST.get("theme", "")
    response = redirect(_back(request))
    if theme in THEMES:
        if isinstance(request.user, User):
            User.objects.filter(pk=request.user.pk).update(theme=theme)
        _remember(response, "theme", theme)
    return response


@requires(Permission.SIGNED_IN)
@require_POST
def switch_clinic(request: StaffRequest, clinic: Clinic) -> HttpResponse:
    """Work in another of one's clinics from now on; answers 404 for any other."""
    chosen_pk = whole_number(request.POST.get("clinic")) or 0
    chosen = get_object_or_404(Clinic.objects.for_user(request.user), pk=chosen_pk)
    User.objects.filter(pk=request.user.pk).update(current_clinic=chosen)
    return redirect(settings.LOGIN_REDIRECT_URL)


@public("the invited person has no password yet; the link's token is the key")
@require_http_methods(["GET", "POST"])
@never_cache
@sensitive_post_parameters()
def invitation(request: HttpRequest, uid: str, token: str) -> HttpResponse:
    """Let the invited person choose a password, and sign them in."""
    user = invited_user(uid, token)
    if user is None:
        return render(request, "accounts/invitation_over.html", status=410)
    form = InvitationForm(request.POST or None, user=user)
    if request.method == "POST" and form.is_valid():
        try:
            joined = accept_invitation(user=user, token=token, password=form.cleaned_data["password1"], by=user)
        except ValidationError:
            return render(request, "accounts/invitation_over.html", status=410)
        if has_second_step(joined):  # a new password does not take the place of the app
            return redirect(settings.LOGIN_URL)
        login(request, joined, backend=BACKEND)
        messages.success(request, _("Welcome, %(name)s.") % {"name": joined})
        return redirect(settings.LOGIN_REDIRECT_URL)
    status = 422 if form.errors else 200
    return render(request, "accounts/invitation.html", {"form": form, "invited": user}, status=status)
