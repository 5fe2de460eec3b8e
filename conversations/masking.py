"""Hiding numbers and ids in the text of a chat until somebody opens them. Pure; lengths stay as they are."""

import re
from collections.abc import Iterable

HIDDEN = "*"
SHOWN_LAST = 4
FEWEST = 7  # digits; prices, dates and ages are shorter
_DIGIT = r"[0-9０-９〇零一二三四五六七八九幺]"
# Digits with at most one space, dash or dot between two of them.
NUMBER = re.compile(rf"{_DIGIT}(?:[\s\-—–.·_]?{_DIGIT}){{{FEWEST - 1},24}}")
ACCOUNT = re.compile(
    r"(?:微信|威信|薇信|v信|wechat|weixin|wx|vx|qq|扣扣)[号呢是为:：\s]{0,6}([a-z0-9][a-z0-9_\-]{4,28})", re.IGNORECASE
)
DATE = re.compile(r"(?<!\d)(?:19|20)\d{2}[-.]\d{1,2}[-.]\d{1,2}(?!\d)")


def hidden(text: str, known: Iterable[str] = ()) -> str:
    """Return the text with phone-like numbers and account names hidden, each sign by one sign.

    Args: known: what was captured in this chat; hidden wherever it stands. The last four signs stay.
    """
    undated = DATE.sub(lambda match: "|" * len(match.group()), text)
    spans = [match.span() for match in NUMBER.finditer(undated)]
    spans += [match.span(1) for match in ACCOUNT.finditer(text)]
    lower = text.casefold()
    if len(lower) == len(text):  # a few letters grow when folded
        spans += [
            match.span()
            for value in known
            if len(value) >= SHOWN_LAST
            for match in re.finditer(re.escape(value.casefold()), lower)
        ]
    letters = list(text)
    for start, end in spans:
        keep = end - SHOWN_LAST if end - start > SHOWN_LAST else end
        for place in range(start, keep):
            if letters[place].isalnum():
                letters[place] = HIDDEN
    return "".join(letters)
