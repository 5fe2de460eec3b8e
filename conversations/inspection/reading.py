"""A chat made ready for the rules: one folded text, whose line is where, and all words found in it."""

import re
from bisect import bisect_right
from collections.abc import Sequence
from functools import cache
from typing import Final

from conversations.inspection import matcher
from conversations.inspection.chat import Chat
from conversations.inspection.lexicon.notation import fold
from conversations.inspection.matcher import SLIP, Hit, Match
from conversations.inspection.rules import Rules

#: Longer messages are read to here; nobody types that much, and time must stay bounded.
LONGEST: Final = 20_000
QUOTED = re.compile(r"“[^”\n]{0,200}”|「[^」\n]{0,200}」|『[^』\n]{0,200}』|‘[^’\n]{0,200}’|\"[^\"\n]{0,200}\"")
TAG = re.compile(r"</?[a-z][^<>\n]{0,200}>")  # HTML stays text; a tag only parts what stands around it
#: A chat without one of these needs no look at its single lines to be made ready.
_SPECIAL = re.compile(r"[\r“「『‘\"<]")
SENTENCE_END = re.compile(r"[。！？!?；;\n]")
_CLAUSE_END: Final = frozenset("，。！？!?；;,\n")
_CLOSED: Final = frozenset("。！？!?；;\n")
ASKING = re.compile(
    r"[吗么呢](?:[，,\s]|$)|没有?(?:[，,\s]|$)|有没有|是不是|有没|多久|多大|几岁|什么时候|哪[里个儿边天位颗年]|为什么|怎么样|(?<![十好这那缓歇等过前头养停忌攒隔住])几[点颗个年天次](?!就|后|看|左右|以|内|之|能|才|都|也)|(.)不\1"
)
#: 做个检查，看有没有病变 tells what for.
_TO_SEE = re.compile(
    r"(?<![您你])(?:看看|看|查|了解|确认|判断|分清|知道|评估|测|弄清)[^，。你]{0,8}(?:有没有|是不是|有多久|有多大|在哪|(.)不\1)[^，。]*"
    r"|(?:([\u3400-\u9fff])不\2|有没有|是不是|多久|多大|几[颗个次])[^，。你]{0,8}(?:[要得]看|取决|因人|[拍查检看][^，。你]{0,6}才)[^，。]*"
)
_MAY_ASK = re.compile(r"[吗么呢没有是多几什哪为怎不]")
_NOTHING: Final[list[tuple[int, Hit]]] = []


class Reading:
    """One chat, read once. Positions are those of `text`; every line begins after a line break."""

    __slots__ = (
        "_by_sender", "_found", "_lines", "_matcher", "_matches", "_own", "_visitor_text", "chat", "consultant",
        "consultant_mask", "is_plain", "offsets", "raws", "rules", "senders", "text", "texts", "visitor", "visitor_mask",
    )  # fmt: skip

    def __init__(self, chat: Chat, rules: Rules) -> None:
        self.chat, self.rules = chat, rules
        lines = chat.lines
        self.raws = raws = [line.text for line in lines]
        self.senders = senders = [line.sender for line in lines]
        self.visitor = [index for index, sender in enumerate(senders) if sender == "visitor"]
        self.consultant = [index for index, sender in enumerate(senders) if sender == "consultant"]
        text = _plainly_folded(raws)
        self.is_plain = bool(text)  # every line stands in `text` as it was typed, but for upper case and 您
        self.text = text = text or _folded(chat, raws)
        self.texts: list[str] = text[1:-1].split("\n") if senders else []
        self.offsets: list[int] = []  # where each line begins
        position = 1
        for line_text in self.texts:
            self.offsets.append(position)
            position += len(line_text) + 1
        self._visitor_text: str | None = None
        self._matcher = matcher.builtin()
        self._matches: Sequence[Match] = self._matcher.matches(text) if senders else ()
        self._found: dict[str, list[int]] | None = None
        self._by_sender: dict[tuple[str, str], list[tuple[int, Hit]]] = {}
        self._place()
        self._own: dict[str, list[tuple[int, Hit]]] = self._own_words() if rules.added and senders else {}

    def _place(self) -> None:
        """Find each match's line, and the `bits` of all that either side may have said."""
        masks, senders = self._matcher.masks, self.senders
        visitor = consultant = 0
        self._lines: list[int] = []
        lines = self._lines
        ends = [*self.offsets[1:], len(self.text)]
        line, end_of_line = 0, ends[0] if ends else 0
        for index, _start, end in self._matches:  # they come in the order of their ends
            while end > end_of_line:
                line += 1
                end_of_line = ends[line]
            lines.append(line)
            sender = senders[line]
            if sender == "consultant":
                consultant |= masks[index]
            elif sender == "visitor":
                visitor |= masks[index]
        self.consultant_mask, self.visitor_mask = consultant, visitor

    def _own_words(self) -> dict[str, list[tuple[int, Hit]]]:
        """Find the words that the clinic added."""
        own = self.rules.own_matcher()
        matches = own.matches(self.text)
        found: dict[str, list[tuple[int, Hit]]] = {}
        for category, places in own.sort(matches).items():
            hits: list[tuple[int, Hit]] = []
            for place in places:
                own.hits(category, matches[place], self.text, 0, hits)
            found[category] = [(self._line_of_hit(hit), hit) for _line, hit in hits]
            self.consultant_mask |= self._matcher.bits[category]
            self.visitor_mask |= self._matcher.bits[category]
        return found

    @property
    def visitor_text(self) -> str:
        """All that the visitor wrote, a line a message."""
        if self._visitor_text is None:
            self._visitor_text = "\n".join([self.texts[index] for index in self.visitor])
        return self._visitor_text

    def line_of(self, position: int) -> int:
        """Give the index of the line that the position is in."""
        return max(0, bisect_right(self.offsets, position) - 1)

    def hits(self, category: str, sender: str) -> list[tuple[int, Hit]]:
        """Give the words of a category that this side said, with their lines; without those a clinic removed."""
        mask = self.consultant_mask if sender == "consultant" else self.visitor_mask
        if not mask & self._matcher.bits[category]:
            return _NOTHING
        found = self._by_sender.get((category, sender))
        if found is None:
            found = self._by_sender[category, sender] = self._said(category, sender)
        return found

    def _said(self, category: str, sender: str) -> list[tuple[int, Hit]]:
        if self._found is None:
            self._found = self._matcher.sort(self._matches)
        lines, senders, matches, hits, text = self._lines, self.senders, self._matches, self._matcher.hits, self.text
        found: list[tuple[int, Hit]] = []
        for place in self._found.get(category, ()):
            line = lines[place]
            if senders[line] == sender:
                hits(category, matches[place], text, line, found)
        if category in self._own:
            found += [(line, hit) for line, hit in self._own[category] if senders[line] == sender]
        removed = self.rules.removed.get(category)
        return [(line, hit) for line, hit in found if hit.word not in removed] if removed else found

    def _line_of_hit(self, hit: Hit) -> int:
        """A hit may begin with the line break before its line."""
        return self.line_of(min(hit.start + (self.text[hit.start] == "\n"), len(self.text) - 1))

    def has(self, category: str, sender: str) -> bool:
        """Tell whether this side said a word of the category."""
        return bool(self.hits(category, sender))

    def lines_with(self, category: str, sender: str) -> list[int]:
        """Give the lines in which this side said something of a category."""
        hits = self.hits(category, sender)
        return sorted({line for line, _hit in hits}) if hits else []

    def slips(self) -> list[tuple[int, Hit]]:
        """Give the suspects of wrong spelling in the consultant's lines."""
        return self.hits(SLIP, "consultant")

    def clause_before(self, start: int) -> str:
        """Give what stands before a position in its clause."""
        text, left = self.text, start
        furthest = max(0, start - 40)
        while left > furthest and text[left - 1] not in _CLAUSE_END:
            left -= 1
        return text[left:start]

    def sentence(self, start: int) -> str:
        """Give the sentence around a position, with its closing mark."""
        text, left = self.text, start
        while left > 0 and text[left - 1] not in _CLOSED:
            left -= 1
        end = SENTENCE_END.search(text, start)
        return text[left : end.end() if end else len(text)]

    def is_question(self, start: int) -> bool:
        """Tell whether the sentence around a position asks."""
        sentence = self.sentence(start)
        if sentence[-1:] in "？?":
            return True
        sentence = sentence.rstrip("。！!；;\n")
        if _MAY_ASK.search(sentence) is None or ASKING.search(sentence) is None:
            return False
        told = _TO_SEE.sub("", sentence)
        return told == sentence or ASKING.search(told) is not None

    def quote(self, hit: Hit) -> str:
        """Give the words of a hit as they were typed."""
        line = self._line_of_hit(hit)
        left = max(hit.start - self.offsets[line], 0)
        return self.raws[line][left : hit.end - self.offsets[line]].strip("\n，。！,. ")[:200]


@cache
def bits(*categories: str) -> int:
    """Give the bits that stand for categories in the masks of a Reading."""
    return sum(matcher.builtin().bits[category] for category in categories)


def _plainly_folded(raws: list[str]) -> str:
    """Fold all lines at once; "" where one of them needs a closer look."""
    joined = "\n" + "\n".join(raws) + "\n"
    if len(joined) > LONGEST or joined.count("\n") != len(raws) + 1 or _SPECIAL.search(joined):
        return ""
    text = joined.lower()
    return text.replace("您", "你").replace("妳", "你") if len(text) == len(joined) else ""


def _folded(chat: Chat, raws: list[str]) -> str:
    """Fold line by line; what a consultant quotes is blanked, for it is not said."""
    texts: list[str] = []
    for line, raw in zip(chat.lines, raws, strict=True):
        text = fold(raw[:LONGEST].replace("\n", " ").replace("\r", " "))
        if line.sender == "consultant":
            text = QUOTED.sub(lambda quote: "\x00" * len(quote[0]), text)
        if "<" in text:
            text = TAG.sub(lambda tag: "，" * len(tag[0]), text)
        texts.append(text)
    return "\n" + "\n".join(texts) + "\n"
