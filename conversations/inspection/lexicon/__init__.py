"""The built-in word lists, by category."""

from functools import cache
from typing import Final

from conversations.inspection.lexicon import asked, careless, harsh, insults, marketing, scope, shapes, turns
from conversations.inspection.lexicon.typos import WRONG_WORDS

WORDS: Final[dict[str, tuple[str, ...]]] = {
    "abuse": insults.ABUSE + shapes.ABUSE,
    "taboo.scolding": harsh.SCOLDING + shapes.SCOLDING + turns.SCOLDING,
    "taboo.rhetorical": harsh.RHETORICAL + shapes.RHETORICAL + turns.RHETORICAL,
    "taboo.interrogating": harsh.INTERROGATING + shapes.INTERROGATING + turns.INTERROGATING,
    "taboo.perfunctory": careless.PERFUNCTORY + shapes.PERFUNCTORY + turns.PERFUNCTORY,
    "taboo.shirking": careless.SHIRKING,
    "taboo.colloquial": tuple(careless.COLLOQUIAL),
    "error.typo": tuple(WRONG_WORDS),
    "offer.technique": marketing.TECHNIQUE,
    "offer.expert": marketing.EXPERT,
    "offer.brand": marketing.BRAND,
    "offer.service": marketing.SERVICE,
    "ask.profile": asked.ASK_AGE + asked.ASK_MARRIED,
    "ask.condition": asked.ASK_CONDITION,
    "ask.social": asked.ASK_SOCIAL,
    "invite": marketing.INVITE,
}
#: Looked for too, but not for a clinic to change.
INNER_WORDS: Final[dict[str, tuple[str, ...]]] = {
    "bears": marketing.BEARS,
    "fertility": marketing.GYN_FERTILITY,
    "other": marketing.NOT_BEARING,
    "errand": scope.ERRAND + scope.SURE_ERRAND + scope.DONE_HERE,
    "wish": scope.WISH,
    "notices": scope.NOTICES,
}
#: Word -> what to say instead, where there is one thing to say.
INSTEAD: Final[dict[str, dict[str, str]]] = {"taboo.colloquial": careless.COLLOQUIAL, "error.typo": WRONG_WORDS}


@cache
def builtin_words(category: str) -> dict[str, str]:
    """Give the words of a category with what to say instead ("" where the code's advice holds)."""
    instead = INSTEAD.get(category, {})
    return {word: instead.get(word, "") for word in WORDS.get(category, ())}
