"""How names are compared and found: Chinese, pinyin, initials."""

import unicodedata
from functools import lru_cache

from accounts.pinyin import syllables

TITLES = ("先生", "女士")
MAX_KEY = 120


def compare_key(name: str) -> str:
    """Return the form in which two names are the same person's: NFKC, no spaces, no closing title, no case."""
    key = "".join(unicodedata.normalize("NFKC", name).split()).casefold()
    for title in TITLES:
        if key.endswith(title) and len(key) - len(title) >= 2:
            return key.removesuffix(title)
    return key


@lru_cache(maxsize=20_000)
def _syllable(character: str) -> str:
    return "".join(c for c in syllables(character)[0] if c.isalnum())


def pinyin(name: str) -> str:
    """Return the name's pinyin without tones or spaces ("沈雨薇" → "shenyuwei"), cut to 120 characters."""
    return "".join(_syllable(c) for c in compare_key(name))[:MAX_KEY]


def initials(name: str) -> str:
    """Return the first letter of each character's pinyin ("沈雨薇" → "syw"), words' for a Latin name."""
    text = unicodedata.normalize("NFKC", name)
    if text.isascii():
        return "".join(word[0] for word in text.lower().split() if word[0].isalnum())[:MAX_KEY]
    return "".join(_syllable(c)[:1] for c in compare_key(name))[:MAX_KEY]


def bigrams(name: str) -> list[str]:
    """Return the distinct pairs of neighbouring characters, by which a two-character fragment is found."""
    key = compare_key(name)[:MAX_KEY]
    return sorted({key[i : i + 2] for i in range(len(key) - 1)})
