"""Whether staff still want what was queued for them, asked when it is about to leave.

An app above this one says for a purpose of its own who still does; the outbox knows nothing of why.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable

Pair = tuple[int, int]  # clinic, person
Key = tuple[str, int, int | None]  # purpose, clinic, person
Check = Callable[[set[Pair]], set[Pair]]

_checks: dict[str, Check] = {}


def ask(purpose: str, check: Check) -> None:
    """Have `check` asked before messages of `purpose` leave: of the pairs given, it returns those who want them."""
    _checks[purpose] = check


def unwanted(keys: Iterable[Key]) -> set[Key]:
    """Return those whose recipients do not want them any more; purposes without a check are always wanted."""
    asked: dict[str, set[Pair]] = defaultdict(set)
    for purpose, clinic, person in keys:
        if purpose in _checks and person is not None:
            asked[purpose].add((clinic, person))
    return {
        (purpose, clinic, person)
        for purpose, pairs in asked.items()
        for clinic, person in pairs - _checks[purpose](pairs)
    }
