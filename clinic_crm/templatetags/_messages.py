"""How a Django message becomes a toast.

A message may carry one action in its extra tags: "undo URL" (a POST) or "see URL" (a link).
"""

from typing import Any

from django.contrib.messages.storage.base import Message

ACTIONS = ("undo", "see")


def toast_of(message: Message) -> dict[str, Any]:
    """Level, text and action of a message."""
    words = (message.extra_tags or "").split()
    action = {words[0]: words[1]} if len(words) >= 2 and words[0] in ACTIONS and words[1].startswith("/") else {}
    return {"level": message.level_tag, "text": str(message.message), **action}
