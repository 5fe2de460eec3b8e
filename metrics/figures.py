"""What a key figure comes to: value, n, target, status."""

from dataclasses import dataclass, field
from decimal import ROUND_CEILING, ROUND_HALF_UP, Decimal
from math import sqrt
from typing import Any, Literal

from metrics.kpis import Companion, Kpi

Status = Literal["good", "watch", "bad", "none"]
WORSE: tuple[Status, ...] = ("none", "good", "watch", "bad")
WATCH_WITHIN = Decimal(5)  # points short of the target that are "watch" and not yet "bad"
SMALL_N = 20  # below it a share says little; marked in comparisons
Z95 = 1.959964


@dataclass(frozen=True)
class Figure:
    """One KPI (or one of its companions) in one scope and window.

    Args:
        of: the definition.
        numerator: what counts; a sum of scores for a mean, of yuan for money.
        denominator: of how many.
        target: the target of then, in the figure's unit; None without one.
        companions: what stands beside it, by slug.
    """

    of: Kpi | Companion
    numerator: Decimal
    denominator: Decimal
    target: Decimal | None = None
    companions: "dict[str, Figure]" = field(default_factory=dict)

    @property
    def value(self) -> Decimal | None:
        """The figure in its unit (percent, points, yuan); None with a zero denominator, shown as a dash."""
        if not self.denominator:
            return None
        ratio = self.numerator / self.denominator
        return ratio * 100 if self.of.unit == "percent" else ratio

    @property
    def n(self) -> int:
        return int(self.denominator)

    @property
    def status(self) -> Status:
        """How it stands to its target; with a companion that has a target too, the worse of the two."""
        all_of = [self._own_status, *(one.status for one in self.companions.values())]
        return max(all_of, key=WORSE.index)

    @property
    def _own_status(self) -> Status:
        if self.value is None or self.target is None:
            return "none"
        short = self.target - self.value if self.of.direction == "up" else self.value - self.target
        if short <= 0:
            return "good"
        return "watch" if short <= WATCH_WITHIN else "bad"

    @property
    def shortfall(self) -> int:
        """How many records more (fewer, where less is better) would have met the target; 0 when met."""
        if self._own_status in ("good", "none") or self.target is None or self.of.unit != "percent":
            return 0
        wanted = self.target * self.denominator / 100
        gap = wanted - self.numerator if self.of.direction == "up" else self.numerator - wanted
        return int(gap.to_integral_value(ROUND_CEILING))

    @property
    def interval(self) -> tuple[Decimal, Decimal] | None:
        """The 95 % Wilson interval of a share, in percent; None without a denominator or for a mean."""
        if not self.denominator or self.of.unit != "percent":
            return None
        n, p = float(self.denominator), float(self.numerator / self.denominator)
        centre, spread = p + Z95**2 / (2 * n), Z95 * sqrt(max(0.0, p * (1 - p) / n + Z95**2 / (4 * n * n)))
        scale = 100 / (1 + Z95**2 / n)
        low, high = (centre - spread) * scale, (centre + spread) * scale
        return Decimal(str(round(max(0.0, low), 2))), Decimal(str(round(min(100.0, high), 2)))

    @property
    def is_small(self) -> bool:
        return self.n < SMALL_N


def as_json(figure: Figure) -> dict[str, Any]:
    """Return a figure as it goes out: in the API, the command, exports and frozen months; numbers rounded to cents.

    With `companions` for a KPI; `status` and `shortfall` as the page says them.
    """
    told: dict[str, Any] = {
        "slug": figure.of.slug,
        "value": number(figure.value),
        "numerator": number(figure.numerator),
        "denominator": number(figure.denominator),
    }
    if not isinstance(figure.of, Kpi):
        return told
    return {
        **told,
        "number": figure.of.number,
        "target": number(figure.target),
        "status": figure.status,
        "shortfall": figure.shortfall,
        "companions": {slug: as_json(one) for slug, one in figure.companions.items()},
    }


def number(value: Decimal | None) -> int | float | None:
    """Return a number rounded to two places, half up; a whole one without a point."""
    if value is None:
        return None
    rounded = value.quantize(Decimal("0.01"), ROUND_HALF_UP)
    return int(rounded) if rounded == rounded.to_integral_value() else float(rounded)
