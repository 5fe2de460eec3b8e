"""Who asks: a token of a program, or a person's own session in the browser."""

from typing import Any

from django.contrib.auth.models import AbstractBaseUser
from django.utils.translation import gettext as _
from knox.auth import TokenAuthentication
from knox.crypto import hash_token
from rest_framework import exceptions
from rest_framework.authentication import SessionAuthentication
from rest_framework.request import Request

from accounts.models import ApiToken
from accounts.services.tokens import mark_used

KEY_LENGTH = 15  # of the token's beginning, by which knox finds the row


class Token(TokenAuthentication):
    """`Authorization: Token …`. Expired and revoked tokens stay in the list of their owner, and are refused."""

    def authenticate_credentials(self, token: bytes) -> tuple[AbstractBaseUser, ApiToken]:
        try:
            said = token.decode("ascii")
        except UnicodeDecodeError:
            raise exceptions.AuthenticationFailed(_("This token is unknown."))
        found = ApiToken.objects.filter(token_key=said[:KEY_LENGTH], digest=hash_token(said))
        row = found.select_related("user").first()
        if row is None:
            raise exceptions.AuthenticationFailed(_("This token is unknown."))
        if row.state == "revoked":
            raise exceptions.AuthenticationFailed(_("This token was revoked."))
        if row.state == "expired":
            raise exceptions.AuthenticationFailed(_("This token has expired."))
        if not row.user.is_active:
            raise exceptions.AuthenticationFailed(_("This account is disabled."))
        mark_used(row)
        return row.user, row


class Session(SessionAuthentication):
    """The product's own session, with its CSRF token; a stranger is told 401, and not sent to a page."""

    def authenticate(self, request: Request) -> tuple[Any, None] | None:
        found = super().authenticate(request)
        if found is not None and found[0].is_service:
            return None
        return found

    def authenticate_header(self, request: Request) -> str:
        return "Session"
