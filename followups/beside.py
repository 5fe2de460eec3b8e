"""What stands over the task list and is about no patient: an app above this one has it shown here.

A task is about a patient. Work that is not (what a manager asks of a consultant after reading a chat) is kept by the
app that knows of it, which says here how it looks.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from accounts.models import Clinic, User


@dataclass(frozen=True)
class Beside:
    """Rows under one title, each shown by `template` as `note`."""

    title: str
    template: str
    rows: list[Any]


Reader = Callable[[User, Clinic, str], Beside]

_readers: list[Reader] = []


def show(reader: Reader) -> None:
    """Have `reader` asked for what it has to show to a person in a clinic, for a scope: mine, team or all."""
    if reader not in _readers:
        _readers.append(reader)


def beside(user: User, clinic: Clinic, scope: str) -> list[Beside]:
    """Return what is to be shown; nothing of a reader that has no rows."""
    return [found for reader in _readers if (found := reader(user, clinic, scope)).rows]
