"""Low-level errors in the consultant's messages (DOMAIN §5): wrong characters and punctuation."""

import re
from typing import Final

from conversations.inspection import spelling
from conversations.inspection.chat import Found
from conversations.inspection.lexicon.marketing import SURNAMES, TITLES
from conversations.inspection.lexicon.typos import WRONG_WORDS
from conversations.inspection.matcher import SLIP, Hit
from conversations.inspection.reading import LONGEST, Reading, bits

#: Characters without any mark from which on a sentence is hard to read.
RUN: Final = 26

CJK = "\u3400-\u9fff"
DOUBLED = re.compile(
    r"[，。？！；：、][，。？！；：、,?;!.]|[,?;!][，。？！；：、]|[,?;!]{2,}|(?<![.\d])\.{2,}(?![.\d])|…{3,}"
)
HALF = re.compile(
    rf"(?<=[{CJK}”）》」])[,?;.]|[,?;](?=[{CJK}“（《「])|(?<![\d\w])\.(?=[{CJK}])|(?<=[{CJK}])[,?;.]$|(?<=[{CJK}])[^\n]{{0,40}}(?<=[0-9A-Za-z])[,;?]\s*$"
)
UNMARKED = re.compile(rf"[{CJK}0-9A-Za-z]{{{RUN},}}")
#: A message that holds neither a half-width mark, nor two marks in a row, nor a long run has no fault of these.
_SUSPECT = re.compile(r"[,?;.，。？！；：、!…](?:(?<=[,?;.])|[，。？！；：、!]|(?<=…)…{2})")
_LONG = re.compile(rf"(?<![{CJK}0-9A-Za-z])[{CJK}0-9A-Za-z]{{{RUN}}}")
ADDRESS = re.compile(
    r"(?:https?://|www\.)[^\s\u3400-\u9fff]+|[\w.+-]+@[\w-]+\.[\w.]+|[a-z0-9-]+\.(?:com|cn|net|org)[^\s\u3400-\u9fff]*",
    re.I,
)


def punctuation(reading: Reading, findings: list[Found]) -> None:
    """Find doubled or mixed marks, half-width marks in Chinese text, and long runs without any; once a message."""
    raws = reading.raws
    said = "\n".join([raws[index] for index in reading.consultant])
    if not (_SUSPECT.search(said) or _LONG.search(said)):
        return
    for index in reading.consultant:
        text = raws[index][:LONGEST]
        if not (_SUSPECT.search(text) or _LONG.search(text)):
            continue
        if "." in text:
            text = ADDRESS.sub(lambda match: " " * len(match[0]), text)
        for pattern, kind in ((DOUBLED, "doubled"), (HALF, "half_width"), (UNMARKED, "unmarked")):
            match = pattern.search(text)
            if match and (kind != "unmarked" or _is_chinese(match[0])):
                left = max(0, match.start() - 6)
                quote = match[0][:60] if kind == "unmarked" else text[left : match.end()]
                advice = reading.rules.own_advice("error.punctuation")
                findings.append(Found("error.punctuation", index, quote, advice, {"kind": kind}))
                break


def _is_chinese(run: str) -> bool:
    return sum("\u3400" <= char <= "\u9fff" for char in run) >= RUN - 4


def typos(reading: Reading, findings: list[Found]) -> None:
    """Find wrong homophones and characters; one finding a message, the first."""
    if not reading.consultant_mask & bits(SLIP, "error.typo"):
        return
    found: set[int] = set()
    own = reading.rules.added.get("error.typo", {})
    removed = reading.rules.removed.get("error.typo", frozenset())
    candidates = reading.slips() + [item for item in reading.hits("error.typo", "consultant") if item[1].word in own]
    for line, hit in sorted(candidates, key=lambda item: (item[0], item[1].start)):
        if line in found or hit.word in removed:
            continue
        right = own.get(hit.word) or spelling.wrong_forms().get(hit.word, "")
        if hit.word in own or _stands_alone(reading, line, hit, right):
            found.add(line)
            advice = _advice(reading, hit.word, right)
            findings.append(Found("error.typo", line, reading.quote(hit), advice, {"right": right}))


def _stands_alone(reading: Reading, line: int, hit: Hit, right: str) -> bool:
    offset = reading.offsets[line]
    text = reading.texts[line]
    if (
        hit.word not in WRONG_WORDS
        and text.startswith(TITLES, hit.end - offset)
        and text[hit.end - offset - 1] in SURNAMES
    ):
        return False  # 计生科|石主任
    return spelling.is_slip(text, hit.start - offset, hit.end - offset, right)


def _advice(reading: Reading, word: str, right: str) -> str:
    return reading.rules.own_advice("error.typo", word) if word in WRONG_WORDS or not right else ""
