"""What a handoff note must hold, and words a doctor should not be asked to say. No database here."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

MOST_POINTS = 3  # the doctor reads them in fifteen seconds


class Part(StrEnum):
    """A part of the note that must be there before it is sent (DOMAIN §2.7, [S1])."""

    CLASS = "class_code"
    REASON = "class_reason"
    AWARENESS = "awareness"
    TRUST = "trust"
    OPINION = "opinion"
    TOLD = "told_patient"
    STRESS = "stress_points"
    WISHED = "wished_words"


REQUIRED = (Part.CLASS, Part.AWARENESS, Part.TRUST, Part.OPINION, Part.TOLD, Part.STRESS, Part.WISHED)


@dataclass(frozen=True)
class Note:
    """A note as it stands. Awareness and trust are 1 to 5, None while not judged."""

    class_code: str = ""
    class_reason: str = ""
    awareness: int | None = None
    trust: int | None = None
    opinion: str = ""
    told_patient: str = ""
    stress_points: tuple[str, ...] = ()
    wished_words: str = ""


def missing_parts(note: Note, suggested: str) -> tuple[Part, ...]:
    """Return what the note still lacks; a class other than the `suggested` one needs its reason."""
    lacking = [part for part in REQUIRED if not _filled(getattr(note, part.value))]
    if note.class_code and note.class_code != suggested and not note.class_reason.strip():
        lacking.insert(1 if Part.CLASS in lacking else 0, Part.REASON)
    return tuple(lacking)


def _filled(value: object) -> bool:
    if isinstance(value, str):
        return bool(value.strip())
    if isinstance(value, tuple):
        return any(point.strip() for point in value)
    return bool(value)


def clean_points(points: Iterable[str]) -> list[str]:
    """Return the points that say something, in order, at most three."""
    return [text for point in points if (text := point.strip())][:MOST_POINTS]


class Fault(StrEnum):
    """Why a doctor should not be asked to say something."""

    GUARANTEE = "guarantee"  # of a cure: forbidden in medical advertising (DOMAIN §7)
    SUPERLATIVE = "superlative"  # "最" and its like: forbidden there too
    PRICE = "price"  # price, time and choice are the coordinator's to explain ([S1])


@dataclass(frozen=True)
class Found:
    """Words to leave out, and why."""

    words: str
    fault: Fault


_GUARANTEE = re.compile(
    r"保证|包治|包好|包您满意|根治|治愈|断根|百分之?百|百分百|100\s*[%％]|绝对|肯定(?:能|会)?[^。！？，,]{0,4}好"
    r"|一定(?:能|会)[^。！？，,]{0,4}好|永(?:久|不复发|远不)|终身|零风险|没有(?:任何)?风险|完全不疼|一点都?不疼"
    r"|\bguarantee[ds]?\b|\bcured?\b|\brisk[- ]free\b|\bpainless\b|\b100\s?%",
    re.IGNORECASE,
)
_SUPERLATIVE = re.compile(
    # 最近、最后、最多 … count or date; 最担心、最在意 speak of the patient, not of the clinic.
    r"最(?!近|后|初|终|多|少|早|晚|迟|低|担心|在意|关心|怕)[^。！？，,、\s]{0,3}|第一品牌|(?:全国|全市|行业|业内)第一|顶[级尖]|国家级|独一无二"
    r"|\b(?:the )?best\b|\bnumber one\b|\btop[- ]class\b",
    re.IGNORECASE,
)
_AMOUNT = re.compile(
    r"[¥￥]\s*\d[\d,.]*\s*万?|\d[\d,.]*\s*(?:万|千)?\s*(?:元|块钱|块|RMB|yuan)|\d+(?:\.\d+)?\s*万"
    r"|[0-9一二三四五六七八九]\s*折|打折|折扣|优惠|便宜|划算|降价|特价|分期|不贵"
    r"|\bdiscounts?\b|\bcheap(?:er|est)?\b|\bspecial offer\b",
    re.IGNORECASE,
)
_PRICE_WORD = re.compile(r"费用|价格|价钱|收费|多少钱|\bprices?\b|\bcosts?\b", re.IGNORECASE)
# Naming the price is right where the sentence hands it over to the coordinator.
_HANDED_OVER = re.compile(r"由|陪|老师|咨询师|说明|讲解|请您跟|coordinator|explain|will go through", re.IGNORECASE)
_SENTENCE = re.compile(r"[^。！？!?；;\n]+")


def words_to_leave_out(text: str) -> list[Found]:
    """Return words in `text` that promise a cure, praise by superlatives, or make the doctor talk price.

    Each once, in the order of their faults. Price may be named in a sentence that hands it to the coordinator.
    Source: DOMAIN §2.8 and §7, [S1].
    """
    found = [Found(match.group().strip(), Fault.GUARANTEE) for match in _GUARANTEE.finditer(text)]
    found += [Found(match.group().strip(), Fault.SUPERLATIVE) for match in _SUPERLATIVE.finditer(text)]
    found += [Found(match.group().strip(), Fault.PRICE) for match in _AMOUNT.finditer(text)]
    for sentence in _SENTENCE.findall(text):
        if not _HANDED_OVER.search(sentence):
            found += [Found(match.group(), Fault.PRICE) for match in _PRICE_WORD.finditer(sentence)]
    return list(dict.fromkeys(found))


_CLAUSE = re.compile(r"[。；;\n]+")


def as_lines(text: str) -> list[str]:
    """Return a text as the short lines a doctor reads: one a sentence."""
    return [line.strip(" ，,") for line in _CLAUSE.split(text) if line.strip(" ，,")]
