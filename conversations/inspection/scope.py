"""Whether a chat is about a possible treatment at all (DOMAIN §5)."""

import re
from typing import Final

from conversations.inspection.lexicon.scope import DONE_HERE, STRONG_ERRAND, SURE_ERRAND, WISH
from conversations.inspection.matcher import Hit
from conversations.inspection.reading import Reading

GREETING = re.compile(r"^[\s你好您在吗么有人嗨哈喽hihello，,。.!！?？医生老师请问咨询下一亲呢啊客服的~～]*$")

#: The consultant tells a wrong address, or looks a patient up.
_NOT_OURS = re.compile(
    r"(?:你|是不是|可能)[^，。]{0,4}(?:找错|打错|走错|发错|加错)|(?:提供|报|说|告诉|发)[^，。？]{0,8}(?:卡号|病历号|就诊号|住院号|尾号|就诊日期|订单号)"
)


def is_in_scope(reading: Reading) -> bool:
    """Tell whether the chat is about a possible treatment, not an errand, a complaint, directions or a wrong address."""
    if any(_NOT_OURS.search(reading.texts[index]) for index in reading.consultant):
        return False
    errands = reading.hits("errand", "visitor")
    if not errands:
        return True
    first = [index for index in reading.visitor if not GREETING.match(reading.texts[index])][:2]
    early = [hit for line, hit in errands if line in first and not _is_elsewhere(reading, hit)]
    if not early:
        return True
    if any(
        reading.text[hit.start : hit.end].startswith(STRONG_ERRAND)
        or hit.word.startswith(("(驾校", "(发错"))
        or hit.word in SURE_ERRAND
        for hit in early
    ):
        return bool(re.search(r"(?:如果|要是|万一|不满意|没效果|不成功|失败).{0,8}退", reading.visitor_text))
    wishes = [hit for _line, hit in reading.hits("wish", "visitor")]
    if any(hit.word in DONE_HERE for hit in early):
        wishes = [hit for hit in wishes if hit.word in _FIRM]
    return any(
        not any(early_hit.start < hit.end and hit.start < early_hit.end for early_hit in _errands_only(early))
        for hit in wishes
    )


def _is_elsewhere(reading: Reading, hit: Hit) -> bool:
    """不是在你们这做的: another clinic's patient."""
    return hit.word in DONE_HERE and reading.clause_before(hit.start).endswith(("不是", "没", "没有", "不", "想", "要"))


#: A new treatment or a price is wished for; that something hurts is none of it.
_FIRM: Final = (WISH[0], WISH[1], WISH[-1])


def _errands_only(hits: list[Hit]) -> list[Hit]:
    """The errands that swallow a wish: done with you already (在你们那做的)."""
    return [hit for hit in hits if hit.word.startswith("(上次")]
