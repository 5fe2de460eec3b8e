"""The patient's own link to one consultation form: signed, for a day, dead once a new one is made."""

import secrets
from dataclasses import dataclass

from django.core import signing

SALT = "consultations.patient_form"
HOURS = 24
KEY_BYTES = 12


@dataclass(frozen=True)
class Link:
    """Which form a link opens and with which key."""

    form_id: int
    key: str


class LinkExpired(Exception):
    """The link was good once."""


class LinkInvalid(Exception):
    """Nobody made this link."""


def new_key() -> str:
    """Return a key that makes every earlier link of a form useless."""
    return secrets.token_urlsafe(KEY_BYTES)


def token_for(link: Link) -> str:
    """Return the token that stands in the address."""
    return signing.dumps([link.form_id, link.key], salt=SALT)


def read_token(token: str) -> Link:
    """Return what a token opens. Raises LinkExpired after 24 hours, LinkInvalid when it was not made here."""
    try:
        form_id, key = signing.loads(token, salt=SALT, max_age=HOURS * 3600)
    except signing.SignatureExpired:
        raise LinkExpired from None
    except (signing.BadSignature, ValueError, TypeError):
        raise LinkInvalid from None
    return Link(int(form_id), str(key))
