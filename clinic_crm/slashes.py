"""Addresses without their last slash."""

from django.http import HttpResponsePermanentRedirect
from django.middleware.common import CommonMiddleware


class SamePermanentRedirect(HttpResponsePermanentRedirect):
    """308: the same method and body, at another address."""

    def __init__(self, to: str) -> None:
        super().__init__(to, preserve_request=True)


class SlashMiddleware(CommonMiddleware):
    """Leads to the address with its slash by 308: a program sends its POST again, and not a GET without the body."""

    response_redirect_class = SamePermanentRedirect
