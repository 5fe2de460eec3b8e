"""How allauth behaves here: people are invited, nobody signs up."""

import ipaddress
from typing import Any

from allauth.account.adapter import DefaultAccountAdapter
from django.conf import settings
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from accounts.models import User
from accounts.services.passwords import change_password


def attempted_username(request: HttpRequest, credentials: dict[str, Any] | None) -> str:
    """Return the username as attempts are counted by: in one case, as sign-in ignores it too.

    Upper case first, because that is how the database compares (for it ı is I).
    """
    name = (credentials or {}).get("username") or request.POST.get("login", "")
    return str(name).strip().upper().lower()


def client_address(request: HttpRequest) -> str:
    """Return where the request comes from; behind our proxy that is what the proxy itself wrote, the last entry."""
    forwarded = request.headers.get("X-Forwarded-For", "") if settings.BEHIND_PROXY else ""
    return forwarded.rpartition(",")[2].strip() or request.META.get("REMOTE_ADDR", "")


class StaffAdapter(DefaultAccountAdapter):
    """Sign-in by username alone; no sign-up, no mail."""

    error_messages = DefaultAccountAdapter.error_messages | {
        "username_password_mismatch": gettext_lazy("The username and the password do not belong together."),
        "enter_current_password": gettext_lazy("This is not your current password."),
    }

    def is_open_for_signup(self, request: HttpRequest) -> bool:
        return False

    def set_password(self, user: User, password: str) -> None:
        change_password(user=user, password=password, by=user)

    def pre_authenticate(self, request: HttpRequest, **credentials: Any) -> None:
        """Leave throttling of passwords to axes, which locks by account and address."""
        self._login_failed_rl_usage = None

    def get_client_ip(self, request: HttpRequest) -> str:
        """Return the address as sessions show it; what is none (a socket's) becomes 0.0.0.0."""
        try:
            return str(ipaddress.ip_address(client_address(request)))
        except ValueError:
            return "0.0.0.0"  # noqa: S104  shown, not bound to

    def respond_user_inactive(self, request: HttpRequest, user: User) -> HttpResponse:
        return render(request, "account/inactive.html", status=403)

    def add_message(
        self, request: HttpRequest, level: int, message_template: str | None = None, *args: Any, **kwargs: Any
    ) -> None:
        """Say only what needs saying; being signed in shows by itself."""
        if message_template == "account/messages/password_changed.txt":
            messages.success(request, _("Your password was changed. Other devices were signed out."))

    def get_password_change_redirect_url(self, request: HttpRequest) -> str:
        return self.get_login_redirect_url(request)
