"""The arithmetic of a report: shares with their uncertainty, money per result. No database here."""

from dataclasses import dataclass, field
from decimal import Decimal
from math import sqrt

SMALL = 20  # below it a share says little; it is marked
Z95 = 1.959964


@dataclass(frozen=True)
class Share:
    """`n` of `of`. Credit goes to who wrote: somebody may get contacts in chats that others led, then n > of."""

    n: int
    of: int

    @property
    def percent(self) -> float | None:
        """None with a zero denominator, shown as a dash."""
        return 100 * self.n / self.of if self.of else None

    @property
    def is_small(self) -> bool:
        return 0 < self.of < SMALL

    @property
    def interval(self) -> tuple[float, float] | None:
        """The 95 % Wilson interval in percent; None where it makes no sense."""
        if not self.of or self.n > self.of:
            return None
        n, p = self.of, self.n / self.of
        centre, spread = p + Z95**2 / (2 * n), Z95 * sqrt(p * (1 - p) / n + Z95**2 / (4 * n * n))
        scale = 100 / (1 + Z95**2 / n)
        return max(0.0, (centre - spread) * scale), min(100.0, (centre + spread) * scale)


RESULTS = ("contact", "booking", "arrival", "acceptance")  # what a chat may bring, each after the one before
KINDS = ("phone", "wechat", "qq")


@dataclass(frozen=True)
class Line:
    """What the chats of one consultant, team, channel … come to. Money in yuan.

    `found` counts chats by result; `paid` only those of them whose cost is known, for the cost of each.
    """

    chats: int = 0
    effective: int = 0
    costed: int = 0  # chats with a known cost
    costed_effective: int = 0
    cost: Decimal = Decimal(0)
    lost: int = 0  # chats without any contact
    lost_cost: Decimal = Decimal(0)
    score: Decimal | None = None  # the rules' mean
    scored: int = 0
    card: Decimal | None = None  # the managers' mean
    carded: int = 0
    found: dict[str, int] = field(default_factory=dict)
    paid: dict[str, int] = field(default_factory=dict)

    def share(self, part: str) -> Share:
        """Return how many of the chats: `effective`, `lost`, or a result."""
        named = {"effective": self.effective, "lost": self.lost}
        return Share(named.get(part, self.found.get(part, 0)), self.chats)

    def cost_per(self, part: str) -> Decimal | None:
        """Return the money spent for each chat, effective chat or result; None when there was none.

        Only chats with a known cost are looked at, above and below the line.
        """
        named = {"chats": self.costed, "effective": self.costed_effective}
        number = named.get(part, self.paid.get(part, 0))
        return self.cost / number if number else None

    def plus(self, other: "Line") -> "Line":
        """Return both together; right where no chat stands in both."""
        counts = ("chats", "effective", "costed", "costed_effective", "cost", "lost", "lost_cost", "scored", "carded")
        return Line(
            **{name: getattr(self, name) + getattr(other, name) for name in counts},
            score=_mean(self.score, self.scored, other.score, other.scored),
            card=_mean(self.card, self.carded, other.card, other.carded),
            found={part: self.found.get(part, 0) + other.found.get(part, 0) for part in {*self.found, *other.found}},
            paid={part: self.paid.get(part, 0) + other.paid.get(part, 0) for part in {*self.paid, *other.paid}},
        )


def _mean(one: Decimal | None, n: int, other: Decimal | None, m: int) -> Decimal | None:
    return ((one or 0) * n + (other or 0) * m) / Decimal(n + m) if n + m else None
