"""Keeping for a while what no copy of the database should show: answers of the API."""

import os
from functools import lru_cache

from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from django.conf import settings

NONCE_BYTES = 12


@lru_cache
def _cipher(purpose: str) -> AESGCM:
    key = HKDF(algorithm=SHA256(), length=32, salt=None, info=purpose.encode()).derive(settings.DATA_KEY.encode())
    return AESGCM(key)


def seal(data: bytes, purpose: str) -> bytes:
    """Return nonce and ciphertext of `data` under a key of its own for the purpose; different every time."""
    nonce = os.urandom(NONCE_BYTES)
    return nonce + _cipher(purpose).encrypt(nonce, data, None)


def unseal(data: bytes | memoryview, purpose: str) -> bytes:
    """Return the data. Raises cryptography.exceptions.InvalidTag when key or data are wrong."""
    data = bytes(data)
    return _cipher(purpose).decrypt(data[:NONCE_BYTES], data[NONCE_BYTES:], None)
