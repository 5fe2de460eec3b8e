"""Inspection of online chats (DOMAIN §5, [S2]): pure rules, no model and no database.

verdict = inspect(Chat(started_at, lines))            # built-in rules
verdict = inspect(chat, Rules.from_data(rule_set.data))
"""

from conversations.inspection.chat import Captured, Chat, Ending, Found, Line, Sender, Verdict
from conversations.inspection.inspector import inspect
from conversations.inspection.rules import SCHEMA, Rules, RulesError, describe

__all__ = [
    "SCHEMA",
    "Captured",
    "Chat",
    "Ending",
    "Found",
    "Line",
    "Rules",
    "RulesError",
    "Sender",
    "Verdict",
    "describe",
    "inspect",
]
