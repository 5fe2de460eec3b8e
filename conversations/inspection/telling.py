"""Which strings a text must hold, one of them at least, before a pattern can match in it.

They are derived from the pattern itself, so they cannot fall behind it. The one search over a chat looks for them
too, and patterns are tried only on messages in which one was found.
"""

import itertools
import re
from collections.abc import Iterable, Sequence
from re import _constants as op  # type: ignore[attr-defined]  # no public way to read a pattern
from re import _parser as parser  # type: ignore[attr-defined]
from typing import Any, Final

WAYS: Final = 400  # up to so many strings are written out
TELLING: Final = 3  # characters that tell enough; more tell no more
CLASS: Final = 12  # characters of a class that are written out
EVERYWHERE: Final = frozenset("我你他她了的有是不没多月要来去好给为问看做们想能会说个一也都在")  # tell nothing alone
_ZERO_WIDTH: Final = (op.AT, op.ASSERT, op.ASSERT_NOT)

Strings = frozenset[str]


def telling(*patterns: re.Pattern[str]) -> Strings:
    """Give strings, lower case, one of which is part of every match of any of the patterns.

    Raises:
        ValueError: a pattern can match without any certain string.
    """
    found: set[str] = set()
    for pattern in patterns:
        needed = _needed(parser.parse(pattern.pattern, pattern.flags & ~re.UNICODE))
        if not needed:
            raise ValueError(f"nothing certain is part of {pattern.pattern[:60]}")
        found |= needed
    lowered = {text.lower() for text in found}
    return frozenset(text for text in lowered if not any(other != text and other in text for other in lowered))


def _rank(strings: Strings) -> tuple[int, int]:
    tells = min(0 if text in EVERYWHERE else len(text) for text in strings)
    return min(tells, TELLING), -len(strings)


def _needed(sequence: Iterable[Any]) -> Strings:
    """Give the most telling strings that a sequence cannot do without; empty when there are none."""
    items = list(sequence)
    best: Strings = frozenset()
    for start in range(len(items)):
        window: Strings = frozenset({""})
        for item in items[start:]:
            step = _written(item)
            if step is None or len(window) * len(step) > WAYS:
                break
            window = frozenset(left + right for left, right in itertools.product(window, step))
            best = _better(best, window)
        best = _better(best, _inside(items[start]))
    return best


def _better(best: Strings, other: Strings) -> Strings:
    if not other or "" in other:
        return best
    return other if not best or _rank(other) > _rank(best) else best


def _inside(item: Any) -> Strings:
    """Give what an item that cannot be written out needs all the same."""
    kind, value = item
    if kind is op.SUBPATTERN:
        return _needed(value[-1])
    if kind is op.BRANCH:
        each = [_needed(choice) for choice in value[1]]
        return frozenset().union(*each) if all(each) else frozenset()
    if kind in (op.MAX_REPEAT, op.MIN_REPEAT) and value[0] > 0:
        return _needed(value[2])
    return frozenset()


def _written(item: Any) -> Strings | None:
    """Write out all that an item can match; None where that is too much."""
    kind, value = item
    if kind is op.LITERAL:
        return frozenset({chr(value)})
    if kind in _ZERO_WIDTH:
        return frozenset({""})
    if kind is op.IN:
        return _of_class(value)
    if kind is op.SUBPATTERN:
        return _of_sequence(value[-1])
    if kind is op.BRANCH:
        each = [_of_sequence(choice) for choice in value[1]]
        known = [strings for strings in each if strings is not None]
        return frozenset().union(*known) if len(known) == len(each) else None
    if kind in (op.MAX_REPEAT, op.MIN_REPEAT) and tuple(value[:2]) == (0, 1):
        once = _of_sequence(value[2])
        return None if once is None else once | {""}
    return None


def _of_class(members: Sequence[Any]) -> Strings | None:
    found: set[str] = set()
    for kind, value in members:
        if kind is op.LITERAL:
            found.add(chr(value))
        elif kind is op.RANGE and value[1] - value[0] < CLASS:
            found.update(map(chr, range(value[0], value[1] + 1)))
        else:
            return None
    return frozenset(found) if len(found) <= CLASS else None


def _of_sequence(sequence: Iterable[Any]) -> Strings | None:
    found: Strings = frozenset({""})
    for item in sequence:
        step = _written(item)
        if step is None or len(found) * len(step) > WAYS:
            return None
        found = frozenset(left + right for left, right in itertools.product(found, step))
    return found
