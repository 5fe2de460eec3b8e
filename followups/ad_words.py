"""Words that medical advertising may not use (DOMAIN §7). No database here."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

# Guarantees and superlatives: refused in marketing, flagged elsewhere.
REFUSED = (
    "最好", "最佳", "最先进", "最低", "最高", "最大", "最优", "最新技术", "最专业", "最有效", "第一品牌", "国家级", "顶级", "全国第一",
    "全市第一", "保证治愈", "包治", "根治", "药到病除", "治愈率", "有效率", "成功率", "百分之百", "100%", "绝对", "无效退款", "永不复发",
    "零风险", "无副作用", "永久",
)  # fmt: skip
# Testimonials, scarcity and urging: flagged, and saved when confirmed.
FLAGGED = (
    "患者见证",
    "客户见证",
    "案例对比",
    "专家推荐",
    "院长亲诊",
    "秒杀",
    "仅限今天",
    "错过不再",
    "免费",
    "无痛",
    "首选",
    "权威",
)
BUILT_IN = {"refused": REFUSED, "flagged": FLAGGED}


@dataclass(frozen=True)
class Words:
    """The list of a clinic."""

    refused: tuple[str, ...] = REFUSED
    flagged: tuple[str, ...] = FLAGGED


@dataclass(frozen=True)
class Finding:
    """What a text uses of the list. `refused` is empty for texts that are no marketing: there all are flagged."""

    refused: tuple[str, ...] = ()
    flagged: tuple[str, ...] = ()


def words_of(kept: object) -> Words:
    """Return the list that a clinic keeps, the built-in one when it keeps none or it cannot be read."""
    if not isinstance(kept, dict):
        return Words()
    return Words(_strings(kept.get("refused")), _strings(kept.get("flagged")))


def _strings(value: object) -> tuple[str, ...]:
    return tuple(w for w in value if isinstance(w, str) and w) if isinstance(value, list | tuple) else ()


def check(text: str, *, marketing: bool, words: Words | None = None) -> Finding:
    """Return the words of the list that a text uses, spaces and letter size aside.

    Args: marketing: whether the text is advertising; there guarantees and superlatives are refused.
    """
    listed = words or Words()
    plain = "".join(text.lower().split())
    refused, flagged = _used(listed.refused, plain), _used(listed.flagged, plain)
    if marketing:
        return Finding(refused, flagged)
    return Finding((), (*refused, *flagged))


def _used(words: Iterable[str], plain: str) -> tuple[str, ...]:
    return tuple(dict.fromkeys(w for w in words if "".join(w.lower().split()) in plain))


def lines(words: Sequence[str]) -> str:
    """Return a list of words as it is edited: one a line."""
    return "\n".join(words)
