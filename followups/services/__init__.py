"""Writes about appointments, and the free times they need."""

from followups.services.availability import free_slots, length_of, nearest_slots, suggest_slots
from followups.services.booking import book, cancel, confirm, move, restore, undo

__all__ = [
    "book",
    "cancel",
    "confirm",
    "free_slots",
    "length_of",
    "move",
    "nearest_slots",
    "restore",
    "suggest_slots",
    "undo",
]
