"""The ten cards of the dashboard."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from decimal import Decimal

from django.urls import reverse

from metrics.figures import Figure
from metrics.filters import Asked
from metrics.views.board_words import SHORTFALL, STATUS, Words, change_of, change_tone, target_text, unit_of
from metrics.words import fraction_text, number_text, plain, rounded

WORSE = ("none", "good", "watch", "bad")


@dataclass(frozen=True)
class Part:
    """One value on a card with its own fraction."""

    figure: Figure
    label: Words
    value: str
    fraction: str
    url: str


@dataclass(frozen=True)
class Card:
    """One KPI as its card shows it. `trend` and `goal` are for the line; `change` is against the window beside."""

    figure: Figure
    parts: list[Part]
    url: str
    target: str
    status: str
    status_text: Words
    link: str = ""
    link_url: str = ""
    trend: list[Decimal] = field(default_factory=list)
    goal: Decimal | None = None
    change: str = ""
    change_tone: str = ""

    @property
    def slug(self) -> str:
        return self.figure.of.slug


def cards_of(
    asked: Asked, found: Sequence[Figure], history: Sequence[Sequence[Figure]] = (), then: Sequence[Figure] = ()
) -> list[Card]:
    """Return the cards of `found` (in the order of KPIS).

    Args: history: the same figures of the windows up to this one, oldest first; then: of the window beside.
    """
    cards = []
    for place, figure in enumerate(found):
        before = then[place] if then else None
        past = [period[place].value for period in history]
        cards.append(_card(asked, figure, [rounded(v) for v in past if v is not None], before))
    return cards


def _card(asked: Asked, figure: Figure, trend: list[Decimal], before: Figure | None) -> Card:
    accuracy = figure.companions.get("classification.accuracy")
    shown = [figure] if accuracy is None else [figure, accuracy]
    parts = [_part(asked, figure, one, alone=len(shown) == 1) for one in shown]
    status = max((part.figure.status for part in parts), key=WORSE.index)
    change = change_of(figure, before)
    link, link_url = _shortfall(asked, figure)
    return Card(
        figure=figure,
        parts=parts,
        url=asked.url("kpi_records", figure.of.slug),
        target=" / ".join(filter(None, (target_text(part.figure) for part in parts))),
        status=status,
        status_text=STATUS[status],
        link=link,
        link_url=link_url,
        trend=trend,
        goal=figure.target,
        change="" if change is None else f"{'+' if change > 0 else '−' if change < 0 else '±'}{abs(change)}",
        change_tone="" if change is None else change_tone(figure, change),
    )


def _part(asked: Asked, whole: Figure, figure: Figure, *, alone: bool) -> Part:
    of, unit = figure.of, unit_of(figure.of) if alone else ""
    said = fraction_text(figure) if of.unit == "percent" else plain(figure.denominator)
    query = asked.query() if of is whole.of else asked.query(figure=of.slug)
    return Part(
        figure=figure,
        label=of.name,
        value=number_text(figure),
        fraction=f"{said} {unit}".strip() if figure.denominator else "",
        url=reverse("kpi_records", args=[whole.of.slug]) + query,
    )


def _shortfall(asked: Asked, figure: Figure) -> tuple[str, str]:
    """Return the records that keep a figure from all or none, in words, with the address of their list."""
    part, words = SHORTFALL[figure.of.slug]
    if figure.of.unit != "percent":
        return "", ""
    n = int(figure.denominator - figure.numerator) if part == "failing" else int(figure.numerator)
    if n <= 0:
        return "", ""
    return str(words % {"n": n}), asked.url("kpi_records", figure.of.slug, part=part)
