"""Finds all words of all lists in one pass over a chat."""

import itertools
import re
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from functools import cache
from typing import Final, NamedTuple

from ahocorasick_rs import AhoCorasick

from conversations.inspection import lexicon, spelling
from conversations.inspection.lexicon import notation
from conversations.inspection.lexicon.notation import Entry
from conversations.inspection.telling import telling

SLIP: Final = "slip"  # a wrong form made from the list of right words

REACH: Final = 30  # characters around a telling part that the rest of its entry may take
WATCHED: Final[dict[str, frozenset[str]]] = {}  # name -> strings without which no pattern of that name can match


class Hit(NamedTuple):
    """A word of a list, found at text[start:end] of the whole chat."""

    start: int
    end: int
    word: str  # as written in the list


Match = tuple[int, int, int]  # which string, from where, to where


def watch(name: str, *patterns: re.Pattern[str]) -> str:
    """Have the pass over a chat tell, as a category of this name, where any of the patterns may match."""
    WATCHED[name] = telling(*patterns)
    return name


class Matcher:
    """Words of categories, compiled once."""

    def __init__(
        self,
        words: Mapping[str, Iterable[str]],
        *,
        slips: bool = False,
        watched: Mapping[str, Iterable[str]] | None = None,
    ) -> None:
        meanings = _meanings(words)
        if slips:
            for wrong in spelling.wrong_forms():
                meanings.setdefault(wrong, []).append((SLIP, wrong, None))
        for name, strings in (watched or {}).items():
            for text in strings:
                meanings.setdefault(text, []).append((name, "", None))
        shared: dict[tuple[str, ...], tuple[str, ...]] = {}  # most strings are of one category: one tuple for all
        self._categories = []
        for found in meanings.values():
            kinds = (found[0][0],) if len(found) == 1 else tuple(dict.fromkeys(meaning[0] for meaning in found))
            self._categories.append(shared.setdefault(kinds, kinds))
        #: Category -> its bit in `masks`.
        self.bits: dict[str, int] = {}
        for category in itertools.chain.from_iterable(shared):
            self.bits.setdefault(category, 1 << len(self.bits))
        #: The bits of all that a string may be part of.
        together = {kinds: sum(self.bits[category] for category in kinds) for kinds in shared}
        self.masks = [together[kinds] for kinds in self._categories]
        self._meanings: dict[str, dict[int, list[tuple[str, Entry | None]]]] = {category: {} for category in self.bits}
        for index, found in enumerate(meanings.values()):
            for category, word, whole in found:
                self._meanings[category].setdefault(index, []).append((word, whole))
        self._automaton = AhoCorasick(list(meanings)) if meanings else None

    def plain_search(self, text: str) -> int:
        """Count the strings found, without looking at what they mean; what a search costs at least."""
        return len(self._automaton.find_matches_as_indexes(text, overlapping=True)) if self._automaton else 0

    def matches(self, text: str) -> Sequence[Match]:
        """Give what was found, in the order of the ends."""
        return self._automaton.find_matches_as_indexes(text, overlapping=True) if self._automaton else ()

    def sort(self, matches: Sequence[Match]) -> dict[str, list[int]]:
        """Give by category which of the matches may be of it."""
        found: dict[str, list[int]] = defaultdict(list)
        categories = self._categories
        for place, match in enumerate(matches):
            for category in categories[match[0]]:
                found[category].append(place)
        return found

    def hits(self, category: str, match: Match, text: str, line: int, found: list[tuple[int, Hit]]) -> None:
        """Add the words of a category that are really there: of some a part was found, and the rest is looked for."""
        index, start, end = match
        for word, entry in self._meanings[category][index]:
            if entry is None:
                found.append((line, Hit(start, end, word)))
            elif (whole := _around(entry, text, start, end)) is not None:
                found.append((line, Hit(whole.start(), whole.end(), word)))


def _meanings(words: Mapping[str, Iterable[str]]) -> dict[str, list[tuple[str, str, Entry | None]]]:
    """Give the strings to look for, each with whose it is and, where it is not enough, the whole entry."""
    meanings: dict[str, list[tuple[str, str, Entry | None]]] = {}
    for category, entries in words.items():
        for word in entries:
            entry = notation.read(word)
            triggers, is_enough = entry.triggers()
            for text in triggers:
                if text:
                    meanings.setdefault(text, []).append((category, word, None if is_enough else entry))
    return meanings


def _around(entry: Entry, text: str, start: int, end: int) -> re.Match[str] | None:
    """Look for the whole entry around its telling part."""
    for match in entry.pattern.finditer(text, max(0, start - REACH), end + REACH):
        if match.start() < end and start < match.end():
            return match
    return None


@cache
def builtin() -> Matcher:
    """The matcher of the built-in words."""
    return Matcher({**lexicon.WORDS, **lexicon.INNER_WORDS}, slips=True, watched=WATCHED)
