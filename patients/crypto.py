"""Encryption of phones and identity numbers, and the blind index that finds them again.

Numbers are stored with AES-GCM under a key derived from DATA_KEY; equality is searched by an
HMAC of the number, so that a copy of the database alone shows no number.
"""

import hashlib
import hmac
import os
from functools import lru_cache

from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from django.conf import settings

NONCE_BYTES = 12
INDEX_BYTES = 16


@lru_cache
def _key(purpose: str) -> bytes:
    return HKDF(algorithm=SHA256(), length=32, salt=None, info=purpose.encode()).derive(settings.DATA_KEY.encode())


@lru_cache
def _cipher() -> AESGCM:
    return AESGCM(_key("encryption"))


def encrypt(text: str) -> bytes:
    """Return nonce and ciphertext of `text`; different every time."""
    nonce = os.urandom(NONCE_BYTES)
    return nonce + _cipher().encrypt(nonce, text.encode(), None)


def decrypt(data: bytes | memoryview) -> str:
    """Return the text. Raises cryptography.exceptions.InvalidTag when key or data are wrong."""
    data = bytes(data)
    return _cipher().decrypt(data[:NONCE_BYTES], data[NONCE_BYTES:], None).decode()


def blind_index(text: str) -> bytes:
    """Return the 16-byte keyed hash by which equal texts are found."""
    return hmac.new(_key("blind index"), text.encode(), hashlib.sha256).digest()[:INDEX_BYTES]
