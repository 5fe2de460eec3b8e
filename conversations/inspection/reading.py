"""A chat made ready for the rules: one folded text, whose line is where, and all words found in it."""

import re
from bisect import bisect_right
from functools import cached_property
from typing import Final

from conversations.inspection import matcher
from conversations.inspection.chat import Chat
from conversations.inspection.lexicon.notation import fold
from conversations.inspection.matcher import SLIP, Hit
from conversations.inspection.rules import Rules

#: Longer messages are read to here; nobody types that much, and time must stay bounded.
LONGEST: Final = 20_000
QUOTED = re.compile(r"“[^”\n]{0,200}”|「[^」\n]{0,200}」|『[^』\n]{0,200}』|‘[^’\n]{0,200}’|\"[^\"\n]{0,200}\"")
TAG = re.compile(r"</?[a-z][^<>\n]{0,200}>")  # HTML stays text; a tag only parts what stands around it
SPACE = re.compile(r"\s+")
SENTENCE_END = re.compile(r"[。！？!?；;\n]")
ASKING = re.compile(
    r"[吗么呢](?:[，,\s]|$)|没有?(?:[，,\s]|$)|有没有|是不是|有没|多久|多大|几岁|什么时候|哪[里个儿边天位颗年]|为什么|怎么样|几[点颗个年天次]|(.)不\1"
)


class Reading:
    """One chat, read once. Positions are those of `text`; every line begins after a line break."""

    def __init__(self, chat: Chat, rules: Rules) -> None:
        self.chat, self.rules = chat, rules
        lines = chat.lines
        self.senders = [line.sender for line in lines]
        texts: list[str] = []
        self.offsets: list[int] = []
        position = 1
        for line in lines:
            text = fold(line.text[:LONGEST].replace("\n", " ").replace("\r", " "))
            if line.sender == "consultant" and (
                "“" in text or '"' in text or "「" in text or "『" in text or "‘" in text
            ):
                text = QUOTED.sub(lambda quote: "\x00" * len(quote[0]), text)
            if "<" in text:
                text = TAG.sub(lambda tag: "，" * len(tag[0]), text)
            texts.append(text)
            self.offsets.append(position)
            position += len(text) + 1
        self.texts = texts
        self.text = "\n" + "\n".join(texts) + "\n"
        self.visitor = [index for index, sender in enumerate(self.senders) if sender == "visitor"]
        self.consultant = [index for index, sender in enumerate(self.senders) if sender == "consultant"]
        self._by_sender: dict[tuple[str, str], list[tuple[int, Hit]]] = {}
        self._hits = matcher.builtin().search(self.text)
        if rules.added:
            for category, hits in rules.own_matcher().search(self.text).items():
                self._hits.setdefault(category, []).extend(hits)

    @cached_property
    def visitor_text(self) -> str:
        """All that the visitor wrote, a line a message."""
        return "\n".join(self.texts[index] for index in self.visitor)

    def line_of(self, position: int) -> int:
        """Give the index of the line that the position is in."""
        return max(0, bisect_right(self.offsets, position) - 1)

    def hits(self, category: str, sender: str) -> list[tuple[int, Hit]]:
        """Give the words of a category that this side said, with their lines; without those a clinic removed."""
        found = self._by_sender.get((category, sender))
        if found is None:
            if not self.senders:
                return []
            removed = self.rules.removed.get(category, frozenset())
            found = []
            for hit in self._hits.get(category, ()):
                line = self._line_of_hit(hit)
                if self.senders[line] == sender and hit.word not in removed:
                    found.append((line, hit))
            self._by_sender[category, sender] = found
        return found

    def _line_of_hit(self, hit: Hit) -> int:
        """A hit may begin with the line break before its line."""
        return self.line_of(min(hit.start + (self.text[hit.start] == "\n"), len(self.text) - 1))

    def has(self, category: str, sender: str) -> bool:
        """Tell whether this side said a word of the category."""
        return bool(self.hits(category, sender))

    def slips(self) -> list[tuple[int, Hit]]:
        """Give the suspects of wrong spelling in the consultant's lines."""
        return self.hits(SLIP, "consultant")

    def clause_before(self, start: int, stops: str = "，。！？!?；;,\n") -> str:
        """Give what stands before a position in its clause."""
        left = start
        while left > 0 and start - left < 40 and self.text[left - 1] not in stops:
            left -= 1
        return self.text[left:start]

    def sentence(self, start: int) -> str:
        """Give the sentence around a position, with its closing mark."""
        left = start
        while left > 0 and self.text[left - 1] not in "。！？!?；;\n":
            left -= 1
        end = SENTENCE_END.search(self.text, start)
        return self.text[left : end.end() if end else len(self.text)]

    def is_question(self, start: int) -> bool:
        """Tell whether the sentence around a position asks."""
        sentence = self.sentence(start)
        return sentence[-1:] in "？?" or ASKING.search(sentence.rstrip("。！!；;\n")) is not None

    def quote(self, hit: Hit) -> str:
        """Give the words of a hit as they were typed."""
        line = self._line_of_hit(hit)
        left = max(hit.start - self.offsets[line], 0)
        return self.chat.lines[line].text[left : hit.end - self.offsets[line]].strip("\n，。！,. ")[:200]
