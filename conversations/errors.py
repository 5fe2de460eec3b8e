"""What the services of chats refuse, in words for the person."""

from typing import Any


class ChatError(Exception):
    """A refusal with a message for the person; nothing was written. `field` names where it belongs on a form."""

    field: str | None = None

    @property
    def message(self) -> str:
        return str(self)


class Refused(ChatError):
    """A rule was not kept (HTTP 422)."""

    def __init__(self, message: str, *, field: str | None = None) -> None:
        self.field = field
        super().__init__(message)


class Changed(ChatError):
    """Somebody else changed it meanwhile (HTTP 409); `now` is how it stands."""

    def __init__(self, message: str, *, now: Any = None) -> None:
        self.now = now
        super().__init__(message)
