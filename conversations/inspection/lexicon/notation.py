"""How words are written in the lists: (a|b) either, (a|) or nothing, … a gap of none to ten characters in a sentence
(in brackets only alone: (…|) is …), $ the end of the message.

您 and 你 are one, so are upper and lower case.
"""

import itertools
import re
from dataclasses import dataclass
from functools import cached_property
from typing import Final

GAP: Final = "…"
GAP_PATTERN: Final = "[^。！？!?\n\x00]{0,10}?"
#: Up to so many ways an entry is written out whole; beyond it only its most telling part is, and a pattern confirms.
WRITTEN_OUT: Final = 400
TELLING: Final = 3  # characters that a telling part needs; more tell no more


def fold(text: str) -> str:
    """Make 您 你 and A a, keeping every character in its place."""
    lowered = text.lower()
    if len(lowered) != len(text):  # a letter such as İ that has no small one of its own
        lowered = "".join(small if len(small := char.lower()) == 1 else char for char in text)
    return lowered.replace("您", "你").replace("妳", "你")


@dataclass(frozen=True, eq=False)
class Entry:
    """An entry read: `parts` are its pieces in order, each with its alternatives; [GAP] is a gap."""

    word: str
    parts: tuple[tuple[str, ...], ...]

    @cached_property
    def pattern(self) -> re.Pattern[str]:
        """The pattern of the whole entry, compiled when a telling part of it turns up."""
        return re.compile("".join(_pattern(part) for part in self.parts))

    def triggers(self) -> tuple[list[str], bool]:
        """Give the strings to look for, and whether finding one is enough."""
        if (GAP,) not in self.parts and _ways(self.parts) <= WRITTEN_OUT:
            return _written(self.parts), True
        best: tuple[tuple[int, int], tuple[tuple[str, ...], ...]] | None = None
        for start in range(len(self.parts)):
            for end in range(start + 1, len(self.parts) + 1):
                piece = self.parts[start:end]
                if (GAP,) in piece or _ways(piece) > WRITTEN_OUT:
                    break
                shortest = sum(min(map(len, part)) for part in piece)
                rank = (min(shortest, TELLING), -_ways(piece))
                if shortest and (best is None or rank > best[0]):
                    best = (rank, piece)
        return (_written(best[1]), False) if best else ([], False)


def _pattern(part: tuple[str, ...]) -> str:
    if part == (GAP,):
        return GAP_PATTERN
    words = sorted(part, key=len, reverse=True)
    return "(?:" + "|".join(map(re.escape, words)) + ")" if len(words) > 1 else re.escape(words[0])


def _ways(parts: tuple[tuple[str, ...], ...]) -> int:
    ways = 1
    for part in parts:
        ways *= len(part)
    return ways


def _written(parts: tuple[tuple[str, ...], ...]) -> list[str]:
    return list(dict.fromkeys("".join(words) for words in itertools.product(*parts)))


def read(word: str) -> Entry:
    """Read an entry; one whose brackets do not close stands for itself."""
    text = fold(word).replace("$", "\n")
    try:
        parts = _sequence(text)
    except ValueError:
        parts = [(text,)]
    return Entry(word, tuple(part for part in parts if part != ("",)))


def _sequence(text: str) -> list[tuple[str, ...]]:
    """Cut a text into literals, gaps and groups of alternatives (written out where they are nested)."""
    parts: list[tuple[str, ...]] = []
    literal, position = "", 0
    while position < len(text):
        char = text[position]
        if char in ("(", GAP):
            if literal:
                parts.append((literal,))
                literal = ""
            if char == GAP:
                parts.append((GAP,))
            else:
                end = _closing(text, position)
                inside = text[position + 1 : end]
                parts.append((GAP,) if inside.strip("|") == GAP else tuple(_alternatives(inside)))
                position = end
        else:
            literal += char
        position += 1
    if literal:
        parts.append((literal,))
    return parts


def _closing(text: str, position: int) -> int:
    depth = 0
    for index in range(position, len(text)):
        depth += (text[index] == "(") - (text[index] == ")")
        if not depth:
            return index
    raise ValueError("a bracket is not closed")


def _alternatives(text: str) -> list[str]:
    """Write out a|b(c|d); a gap inside of brackets is not possible."""
    choices, depth, start = [], 0, 0
    for index, char in enumerate(text):
        depth += (char == "(") - (char == ")")
        if char == "|" and not depth:
            choices.append(text[start:index])
            start = index + 1
    choices.append(text[start:])
    written: list[str] = []
    for choice in choices:
        if GAP in choice:
            raise ValueError("a gap in brackets")
        written += _written(tuple(_sequence(choice)))
    return list(dict.fromkeys(written))
