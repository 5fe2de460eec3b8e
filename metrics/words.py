"""Figures as people read them, the same on paper, in files and in messages."""

from decimal import ROUND_HALF_UP, Decimal
from typing import Final

from django.utils.functional import Promise
from django.utils.translation import pgettext_lazy

from metrics.figures import Figure

DASH = "—"
STATUS: dict[str, str | Promise] = {
    "good": pgettext_lazy("figure", "On target"), "watch": pgettext_lazy("figure", "Close"),
    "bad": pgettext_lazy("figure", "Off target"), "none": "",
}  # fmt: skip
_SAME: Final = object()


def rounded(value: Decimal, places: str = "0.1") -> Decimal:
    """Return the value rounded half up."""
    return value.quantize(Decimal(places), ROUND_HALF_UP)


def number_text(figure: Figure, value: object = _SAME) -> str:
    """Return the figure's value, or another value in its unit, as it is printed: 73.0%, 91.5, ¥1,200 or a dash."""
    shown = figure.value if value is _SAME else value
    if not isinstance(shown, Decimal):
        return DASH
    if figure.of.unit == "percent":
        return f"{rounded(shown)}%"
    if figure.of.unit == "yuan":
        return f"¥{rounded(shown, '1'):,}"
    return f"{rounded(shown)}" if figure.of.unit == "points" else f"{rounded(shown, '1'):,}"


def fraction_text(figure: Figure) -> str:
    """Return numerator and denominator, or for a mean how many there were."""
    if figure.of.unit == "percent":
        return f"{plain(figure.numerator)}/{plain(figure.denominator)}"
    return f"n={plain(figure.denominator)}"


def plain(number: Decimal) -> str:
    """Return a number without needless zeros behind the point."""
    return f"{number.normalize():f}" if number else "0"


def target_text(figure: Figure) -> str:
    """Return the target as a bound: ≥ 80%, ≤ 10%, 100%; empty without one."""
    if figure.target is None:
        return ""
    said = f"{plain(figure.target)}{'%' if figure.of.unit == 'percent' else ''}"
    if figure.of.direction == "down":
        return f"≤ {said}"
    return said if figure.of.unit == "percent" and figure.target == 100 else f"≥ {said}"
