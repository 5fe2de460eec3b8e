"""Whose a sentence is: credit and blame go to the sender of the message, never to a bot."""

from collections.abc import Sequence
from typing import Protocol

from conversations.models import ChatMessage, Conversation


class Sent(Protocol):
    """A message, however it was read."""

    @property
    def position(self) -> int: ...
    @property
    def sender(self) -> str: ...
    @property
    def user_id(self) -> int | None: ...


class Credit:
    """The consultants of one chat, by message."""

    def __init__(self, conversation: Conversation, messages: Sequence[Sent]) -> None:
        self._main = conversation.consultant_id
        self._wrote = [(m.position, m.user_id) for m in messages if m.sender == ChatMessage.Sender.CONSULTANT]

    def of(self, message: Sent | None) -> int | None:
        """Return whom a finding is about: the sender; for a visitor's line whoever answered (late) after it."""
        if message is None:
            return self._main
        if message.sender == ChatMessage.Sender.CONSULTANT:
            return message.user_id
        return next((user for position, user in self._wrote if position > message.position), self._main)

    def got(self, message: Sent | None) -> int | None:
        """Return who got what a message holds: its sender, or who wrote last before the visitor gave it."""
        if message is None:
            return self._main
        before = [user for position, user in self._wrote if position <= message.position]
        return before[-1] if before else self._main
