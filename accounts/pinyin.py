"""Pinyin of Chinese characters, one by one, as names are spelled.

The library's dictionary of phrases is left out: it tells how a character sounds in a common word, which says nothing
about a name, and it would take 45 MB in every process.
"""

import os

os.environ.setdefault("PYPINYIN_NO_PHRASES", "1")  # read by the library as it is imported

from pypinyin import Style, lazy_pinyin


def syllables(text: str) -> list[str]:
    """Return the syllables without tones, in lower case; what is no Chinese character stays as it is."""
    return [syllable.lower() for syllable in lazy_pinyin(text, style=Style.NORMAL)]
