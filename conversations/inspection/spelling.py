"""Wrong homophones and characters in a consultant's words ([S2]: the visitor takes it for carelessness).

Wrong forms are made in advance from the words a clinic uses, so that one search finds them; a found one is confirmed
by cutting the sentence into words (rjieba): 种值 in 半口种值 is a slip for 种植, in 这种值得 it is not.
"""

from functools import cache
from typing import Final

from conversations.inspection.lexicon.sounds import SAME_SOUND
from conversations.inspection.lexicon.typos import EVERYDAY, LOOK_ALIKE, RIGHT_WORDS, WRONG_WORDS
from conversations.inspection.lexicon.vocabulary import MORE_WORDS, RIGHT_AFTER_ALL

#: So many words fewer tell that a sentence reads better (顾|客满|易|度 → 顾客|满意度), or so many characters left over
#: fewer (内|冶|疗效|果 → 内|治疗|效果).
MENDS: Final = 2
AROUND: Final = 12  # characters on each side that are cut into words with a suspect


@cache
def _homophones() -> dict[str, frozenset[str]]:
    """The commonest characters, each with those of its sound."""
    return {char: frozenset(group) for group in SAME_SOUND for char in group}


@cache
def _alike() -> dict[str, frozenset[str]]:
    groups: dict[str, set[str]] = {}
    for group in LOOK_ALIKE:
        for char in group:
            groups.setdefault(char, set()).update(group)
    return {char: frozenset(group) for char, group in groups.items()}


@cache
def wrong_forms() -> dict[str, str]:
    """Wrong form -> right word, for every word of the list; forms that are words themselves are left out."""
    import rjieba

    words = (*RIGHT_WORDS, *MORE_WORDS)
    right = {*words, *RIGHT_AFTER_ALL}
    forms: dict[str, str] = {}
    for word in words:
        for index, char in enumerate(word):
            for other in _homophones().get(char, frozenset()) | _alike().get(char, frozenset()):
                if other == char or (other in EVERYDAY and not 0 < index < len(word) - 1):
                    continue
                wrong = word[:index] + other + word[index + 1 :]
                if wrong not in right and wrong not in forms and not rjieba.has_word(wrong):
                    forms[wrong] = word
    forms.update(WRONG_WORDS)
    return forms


def is_slip(text: str, start: int, end: int, right: str) -> bool:
    """Tell whether the suspect text[start:end] stands on its own and not across two other words.

    Args:
        text: the message; start, end: where the suspect is; right: the word it would stand for.
    """
    import rjieba

    left = max(0, start - AROUND)
    piece = text[left : end + AROUND]
    bounds, position, alone = {0}, 0, 0
    for word in rjieba.cut(piece, False):
        position += len(word)
        bounds.add(position)
        alone += len(word) == 1
    stands = start - left in bounds and end - left in bounds
    broken = len(bounds)
    mended = piece[: start - left] + right + piece[end - left :]
    position, wanted = 0, (start - left, start - left + len(right))
    bounds = {0}
    words = rjieba.cut(mended, False)
    reads_better = len(words) <= broken - 1 - MENDS or alone - sum(len(word) == 1 for word in words) >= MENDS
    if not stands and not reads_better:
        return False  # it lies across two other words, and reads no better mended
    for word in words:
        if position <= wanted[0] and wanted[1] <= position + len(word):
            return True  # the right word, or a longer one with it (月经周期)
        position += len(word)
        bounds.add(position)
    return wanted[0] in bounds and wanted[1] in bounds
