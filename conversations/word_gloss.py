"""How a word of the lists is shown to people: the built-in ones are patterns, (他|她)妈的 stands for several words."""

from django.utils.translation import ngettext, pgettext

from conversations.inspection.lexicon.notation import GAP, read

EXAMPLES = 3
SIGNS = "\n，。！？,.!?"  # where a sentence or the message ends, which says nothing to a reader of the list


def gloss(word: str) -> str:
    """Return a word list entry in plain words: a pattern as a few of the words it stands for, and how many more.

    A gap is shown as …; a word that is no pattern stays as it is.
    """
    parts = [_plain(part) for part in read(word.replace(f"({GAP}|)", GAP)).parts]
    every = 1
    for part in parts:
        every *= len(part)
    if every == 1 and not any(sign in word for sign in "(|)$"):
        return word
    shown: list[str] = []
    for turn in range(max(len(part) for part in parts)):
        example = "".join(part[turn % len(part)] for part in parts)
        if example.strip(GAP) and example not in shown:
            shown.append(example)
    words = pgettext("list", ", ").join(shown[:EXAMPLES])
    more = every - len(shown[:EXAMPLES])
    if more <= 0:
        return words
    return ngettext("%(words)s and %(n)s more", "%(words)s and %(n)s more", more) % {
        "words": words, "n": f"{more:,}",
    }  # fmt: skip


def _plain(part: tuple[str, ...]) -> tuple[str, ...]:
    """Return the alternatives without the signs that end a sentence, each once."""
    return tuple(dict.fromkeys(choice.rstrip(SIGNS) for choice in part))
