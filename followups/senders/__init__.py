"""By what messages leave: one small class per provider behind one interface."""

from followups.senders.base import Found, NotConfigured, Outcome, Outgoing, Reply, Result, Sender
from followups.senders.registry import PROVIDERS, sender_of

__all__ = ["PROVIDERS", "Found", "NotConfigured", "Outcome", "Outgoing", "Reply", "Result", "Sender", "sender_of"]
