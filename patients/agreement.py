"""How far two raters agree: share, confusion matrix, Cohen's kappa; pure."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from fractions import Fraction

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

FEW = 20  # below so many pairs a kappa says little

# Landis and Koch's reading, by the lowest kappa of each step.
READINGS: tuple[tuple[Fraction, str | Promise], ...] = (
    (Fraction(81, 100), _("almost perfect agreement")),
    (Fraction(61, 100), _("substantial agreement")),
    (Fraction(41, 100), _("moderate agreement")),
    (Fraction(21, 100), _("fair agreement")),
    (Fraction(0), _("slight agreement")),
)


@dataclass(frozen=True)
class Agreement:
    """`matrix`: rows are the first rater's class, columns the second's, in the order of `labels`.

    `share` and `kappa` are None where they are not defined: nothing was rated; for kappa also when chance alone
    would make both agree always.
    """

    n: int
    agreed: int
    labels: tuple[str, ...]
    matrix: tuple[tuple[int, ...], ...]
    share: Fraction | None
    kappa: Fraction | None

    @property
    def percent(self) -> int | None:
        """The share as a whole percentage, rounded half up."""
        return None if self.share is None else int(self.share * 100 + Fraction(1, 2))

    @property
    def kappa_text(self) -> str:
        """Kappa with two places, a dash where it is not defined."""
        return "—" if self.kappa is None else f"{float(self.kappa):.2f}"

    @property
    def is_few(self) -> bool:
        return self.n < FEW


def agreement(pairs: Iterable[tuple[str, str]], labels: Sequence[str]) -> Agreement:
    """Compare two raters. Args: pairs: (first, second) of each thing rated; labels: every class, in order.

    Source: Cohen 1960: kappa = (share agreed - share expected by chance) / (1 - share expected by chance).
    """
    counted = Counter(pairs)
    matrix = tuple(tuple(counted[first, second] for second in labels) for first in labels)
    n = sum(map(sum, matrix))
    agreed = sum(matrix[place][place] for place in range(len(labels)))
    if n == 0:
        return Agreement(0, 0, tuple(labels), matrix, None, None)
    rows = [sum(row) for row in matrix]
    columns = [sum(column) for column in zip(*matrix, strict=True)]
    share = Fraction(agreed, n)
    chance = Fraction(sum(r * c for r, c in zip(rows, columns, strict=True)), n * n)
    kappa = None if chance == 1 else (share - chance) / (1 - chance)
    return Agreement(n, agreed, tuple(labels), matrix, share, kappa)


def reading(found: Agreement) -> str | Promise:
    """Say in plain words what the kappa means."""
    if found.n == 0:
        return _("Nothing has been rated yet.")
    if found.kappa is None:
        return _("Both always chose the same single class, so chance cannot be told from agreement.")
    return next((words for least, words in READINGS if found.kappa >= least), _("less agreement than by chance"))
