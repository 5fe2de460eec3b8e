"""Which addresses senders may call: in production https alone, and nothing inside our own network."""

import ipaddress
import socket
from urllib.parse import urlsplit

from django.conf import settings
from django.utils.translation import gettext as _


class ForbiddenAddress(ValueError):
    """An address that no sender may call; the message says why."""


def check_address(url: str) -> None:
    """Raise ForbiddenAddress unless `url` may be called (MESSAGE_ALLOW_PRIVATE lets all through)."""
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise ForbiddenAddress(_("Not a web address."))
    if settings.MESSAGE_ALLOW_PRIVATE:
        return
    if parts.scheme != "https":
        raise ForbiddenAddress(_("The address must begin with https."))
    try:
        found = socket.getaddrinfo(parts.hostname, parts.port or 443, type=socket.SOCK_STREAM)
    except OSError as error:
        raise ForbiddenAddress(_("The address cannot be found.")) from error
    if any(not ipaddress.ip_address(str(address[4][0]).split("%")[0]).is_global for address in found):
        raise ForbiddenAddress(_("The address lies inside a private network."))
