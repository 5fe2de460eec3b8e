"""What to say or do instead: told in the language of whoever reads, not of whoever inspected."""

from collections.abc import Mapping
from typing import Any

from django.utils.translation import gettext as _

from conversations.inspection import lexicon
from conversations.inspection.codes import CODES


def advice(code: str, detail: Mapping[str, Any]) -> str:
    """Give the built-in advice on a finding; "" for a code that is not known (any more).

    Args:
        detail: what the finding holds: "word", as the list has it, or "right", the word that was meant.
    """
    if code == "error.typo":
        right = detail.get("right")
        if isinstance(right, str) and right:
            return _("Write “%(word)s”.") % {"word": right}
    instead = lexicon.INSTEAD.get(code, {}).get(str(detail.get("word", "")))
    if instead:
        return _("Say “%(word)s” instead.") % {"word": instead}
    return str(CODES[code].advice) if code in CODES else ""
