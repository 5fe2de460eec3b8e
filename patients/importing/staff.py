"""Finding the clinic's staff by the names that files give them."""

import unicodedata
from collections.abc import Iterable
from typing import NamedTuple

TITLES = ("医生", "主任", "老师")
REMEMBERED = 10_000


class StaffMember(NamedTuple):
    """One person who works in the clinic."""

    id: int
    name: str
    role: str


def staff_key(text: str) -> str:
    """Return the form in which names of staff are compared: NFKC, no spaces, no case."""
    return "".join(unicodedata.normalize("NFKC", text).split()).casefold()


class StaffDirectory:
    """The staff of one clinic, by full name."""

    def __init__(self, members: Iterable[StaffMember]) -> None:
        self._by_name: dict[str, list[StaffMember]] = {}
        self._found: dict[tuple[str, str], int | None] = {}
        for member in members:
            self._by_name.setdefault(staff_key(member.name), []).append(member)

    def find(self, text: str, role: str) -> int | None:
        """Return the id of the one person named, or None.

        Of several with one name the one in `role` is meant; a surname with a title is nobody.
        """
        if (text, role) not in self._found:
            if len(self._found) >= REMEMBERED:
                self._found.clear()
            self._found[text, role] = self._look_up(text, role)
        return self._found[text, role]

    def _look_up(self, text: str, role: str) -> int | None:
        key = staff_key(text)
        while key not in self._by_name and key.endswith(TITLES):
            key = key[:-2]
        people = self._by_name.get(key, [])
        if len(people) > 1:
            people = [person for person in people if person.role == role]
        return people[0].id if len(people) == 1 else None
