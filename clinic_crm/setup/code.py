"""The one-time code that opens the first-start page; it is printed where the server is started.

It lies in Valkey: every web process knows it, and losing it only means to have a new one printed.
"""

import secrets

from django.core.cache import cache
from django.utils.crypto import constant_time_compare

KEY, TRIES = "setup-code", "setup-code-tries"
LETTERS = "ABCDEFGHJKLMNPQRSTUVWXYZ23456789"  # none that look alike
LASTS = 24 * 3600  # seconds
MOST_TRIES = 20


def new_code() -> str:
    """Make a code that takes the place of any other, and return it: XXXXX-XXXXX."""
    code = "".join(secrets.choice(LETTERS) for _ in range(10))
    cache.set(KEY, code, LASTS)
    cache.set(TRIES, 0, LASTS)
    return f"{code[:5]}-{code[5:]}"


def is_code(typed: str) -> bool:
    """Tell whether this is the code; after twenty wrong ones none is any more."""
    code, wanted = "".join(typed.upper().split()).replace("-", ""), cache.get(KEY)
    if wanted is None:
        return False
    if constant_time_compare(code, wanted):
        return True
    cache.add(TRIES, 0, LASTS)
    if cache.incr(TRIES) >= MOST_TRIES:
        cache.delete(KEY)
    return False


def forget_code() -> None:
    """End the code, once it was used."""
    cache.delete(KEY)
