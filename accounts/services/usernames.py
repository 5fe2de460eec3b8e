"""A username from a Chinese name."""

import re

from accounts.models import User
from accounts.pinyin import syllables

LONGEST = 30


def pinyin_of(name: str) -> str:
    """Return the name in plain latin letters and digits, without spaces: 谢美林 → xiemeilin; "staff" if none remain."""
    return re.sub(r"[^a-z0-9]", "", "".join(syllables(name)))[:LONGEST] or "staff"


def free_username(name: str) -> str:
    """Return a username nobody has: the pinyin of `name`, with 2, 3 … behind it if needed."""
    base = pinyin_of(name)
    taken = set(User.objects.filter(username__iregex=rf"^{base}[0-9]*$").values_list("username", flat=True))
    if base not in taken:
        return base
    return next(f"{base}{n}" for n in range(2, len(taken) + 3) if f"{base}{n}" not in taken)
