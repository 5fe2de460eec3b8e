"""Finds all words of all lists in one pass over a chat."""

import re
from collections.abc import Iterable, Mapping
from functools import cache
from typing import Final, NamedTuple

from ahocorasick_rs import AhoCorasick

from conversations.inspection import lexicon, spelling
from conversations.inspection.lexicon import notation
from conversations.inspection.lexicon.notation import Entry

SLIP: Final = "slip"  # a wrong form made from the list of right words

REACH: Final = 30  # characters around a telling part that the rest of its entry may take


class Hit(NamedTuple):
    """A word of a list, found at text[start:end] of the whole chat."""

    start: int
    end: int
    word: str  # as written in the list


class Matcher:
    """Words of categories, compiled once."""

    def __init__(self, words: Mapping[str, Iterable[str]], *, slips: bool = False) -> None:
        meanings: dict[str, list[tuple[str, str, Entry | None]]] = {}
        for category, entries in words.items():
            for word in entries:
                entry = notation.read(word)
                triggers, is_enough = entry.triggers()
                for text in triggers:
                    if text:
                        meanings.setdefault(text, []).append((category, word, None if is_enough else entry))
        if slips:
            for wrong in spelling.wrong_forms():
                meanings.setdefault(wrong, []).append((SLIP, wrong, None))
        self._meanings = list(meanings.values())
        self._automaton = AhoCorasick(list(meanings)) if meanings else None

    def plain_search(self, text: str) -> int:
        """Count the strings found, without looking at what they mean; what a search costs at least."""
        return len(self._automaton.find_matches_as_indexes(text, overlapping=True)) if self._automaton else 0

    def search(self, text: str) -> dict[str, list[Hit]]:
        """Give all hits by category, in the order of their ends."""
        found: dict[str, list[Hit]] = {}
        if self._automaton is None:
            return found
        meanings = self._meanings
        for index, start, end in self._automaton.find_matches_as_indexes(text, overlapping=True):
            for category, word, entry in meanings[index]:
                if entry is None:
                    hit = Hit(start, end, word)
                else:
                    match = _around(entry, text, start, end)
                    if match is None:
                        continue
                    hit = Hit(match.start(), match.end(), word)
                if category in found:
                    found[category].append(hit)
                else:
                    found[category] = [hit]
        return found


def _around(entry: Entry, text: str, start: int, end: int) -> re.Match[str] | None:
    """Look for the whole entry around its telling part."""
    for match in entry.pattern.finditer(text, max(0, start - REACH), end + REACH):
        if match.start() < end and start < match.end():
            return match
    return None


@cache
def builtin() -> Matcher:
    """The matcher of the built-in words."""
    return Matcher({**lexicon.WORDS, **lexicon.INNER_WORDS}, slips=True)
