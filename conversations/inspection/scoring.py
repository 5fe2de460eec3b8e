"""The score of a chat: 100 less what its findings cost (DOMAIN §5). Pure."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from typing import Any, Final, Protocol

from conversations.inspection.codes import ABUSE, CODES, GROUPS

FULL: Final = Decimal(100)
#: What one group may cost at most, so that ten typos do not outweigh a brush-off; abuse has no cap.
DEFAULT_CAPS: Final[dict[str, Decimal]] = {
    "taboo": Decimal(45),
    "neglect": Decimal(25),
    "error": Decimal(10),
    "not_asked": Decimal(15),
    "not_offered": Decimal(12),
    "not_invited": Decimal(5),
}


class HasCode(Protocol):
    """A Found or a stored finding."""

    @property
    def code(self) -> str: ...


@dataclass(frozen=True)
class ScoreLine:
    """What one rule cost: `count` findings, `deduction` points after the group's cap."""

    code: str
    group: str
    count: int
    deduction: Decimal


def _number(value: Any, fallback: Decimal) -> Decimal:
    try:
        number = Decimal(str(value))
    except (InvalidOperation, ValueError):
        return fallback
    return min(max(number, Decimal(0)), FULL) if number.is_finite() else fallback


def _numbers(data: Mapping[str, Any], key: str) -> Mapping[str, Any]:
    found = data.get(key)
    return found if isinstance(found, Mapping) else {}


def score(
    findings: Iterable[HasCode], rubric_data: Mapping[str, Any] | None = None
) -> tuple[Decimal, tuple[ScoreLine, ...]]:
    """Give the points of 100 and what each rule cost, dearest first.

    Args:
        findings: those that stand; unknown codes (of a later version) cost nothing.
        rubric_data: {"deductions": {code: points}, "caps": {group: points}}; what is missing is built in.

    An insult leaves nothing (100 − 1, [S2]). Endings cost nothing themselves, so a greeting can only help.
    """
    data = rubric_data or {}
    counts: dict[str, int] = {}
    for finding in findings:
        if finding.code in CODES:
            counts[finding.code] = counts.get(finding.code, 0) + 1
    deductions, caps = _numbers(data, "deductions"), _numbers(data, "caps")
    lines: list[ScoreLine] = []
    left = {group: _number(caps.get(group), DEFAULT_CAPS.get(group, FULL)) for group in GROUPS}
    for code in sorted(counts, key=lambda code: (-CODES[code].severity, code)):
        group = CODES[code].group
        each = FULL if group == ABUSE else _number(deductions.get(code), CODES[code].deduction)
        cost = each * counts[code] if group == ABUSE else min(each * counts[code], left[group])
        left[group] -= cost
        lines.append(ScoreLine(code, group, counts[code], min(cost, FULL)))
    total = FULL - sum((line.deduction for line in lines), Decimal(0))
    lines.sort(key=lambda line: (-line.deduction, line.code))
    return max(total, Decimal(0)).quantize(Decimal("0.01")), tuple(lines)
