"""The charts of the report on paper, as vector drawings. Shapes and dashes tell what colour tells, too."""

from collections.abc import Sequence
from decimal import Decimal
from typing import Any

from reportlab.graphics.shapes import Circle, Drawing, Group, Line, Polygon, PolyLine, Rect, String
from reportlab.lib import colors
from reportlab.lib.units import mm
from reportlab.pdfbase.pdfmetrics import stringWidth

from metrics.figures import Figure
from metrics.words import STATUS, fraction_text, number_text, target_text
from patients.rights_report import PRINTED

FONT = "STSong-Light"  # known to every PDF reader, embedded nowhere
INK, MUTED = colors.HexColor("#10201E"), colors.HexColor("#42524F")
LINE, ACCENT = colors.HexColor("#C3CFCC"), colors.HexColor("#0B5F5B")
TONES = {
    "good": colors.HexColor("#1D743A"), "watch": colors.HexColor("#8F4E00"), "bad": colors.HexColor("#B42318"),
    "none": MUTED,
}  # fmt: skip
ACROSS, GAP = 5, 2.5 * mm
CARD_HEIGHT = 33 * mm

Values = Sequence[Decimal | None]


def cards_drawing(whole: Sequence[Figure], history: Sequence[Sequence[Figure]], width: float) -> Drawing:
    """Draw the figures as cards, five in a row, each with its trend."""
    rows = -(-len(whole) // ACROSS)
    drawing = Drawing(width, rows * (CARD_HEIGHT + GAP) - GAP)
    across = (width - GAP * (ACROSS - 1)) / ACROSS
    for place, figure in enumerate(whole):
        past = [period[place].value for period in history]
        x = place % ACROSS * (across + GAP)
        y = (rows - 1 - place // ACROSS) * (CARD_HEIGHT + GAP)
        card = _card(figure, past, across)
        card.translate(x, y)
        drawing.add(card)
    return drawing


def _card(figure: Figure, past: Values, width: float) -> Group:
    group, pad = Group(), 2 * mm
    group.add(Rect(0, 0, width, CARD_HEIGHT, rx=2, ry=2, fillColor=None, strokeColor=LINE, strokeWidth=0.6))
    inner = width - 2 * pad
    group.add(_text(pad, CARD_HEIGHT - 5 * mm, fitted(str(figure.of.name), 8, inner), 8, MUTED))
    group.add(_text(pad, CARD_HEIGHT - 12 * mm, number_text(figure), 16, INK))
    group.add(_text(pad, CARD_HEIGHT - 16 * mm, fitted(fraction_text(figure), 7, inner), 7, MUTED))
    line = spark(past, figure.target, inner, 6.5 * mm)
    line.translate(pad, 7.5 * mm)
    group.add(line)
    group.add(_text(pad, 2.5 * mm, target_text(figure), 7, MUTED))
    said = str(STATUS[figure.status])
    if said:
        group.add(_mark(figure.status, width - pad - stringWidth(said, FONT, 7) - 3.2 * mm, 2.9 * mm))
        group.add(_text(width - pad, 2.5 * mm, said, 7, TONES[figure.status], "end"))
    return group


def _mark(status: str, x: float, y: float) -> Any:
    """Return the sign of a status: a disc, a triangle or a square, so that it is told without colour."""
    tone, half = TONES[status], 1 * mm
    if status == "good":
        return Circle(x + half, y, half, fillColor=tone, strokeColor=None)
    if status == "watch":
        return Polygon([x, y - half, x + 2 * half, y - half, x + half, y + half], fillColor=tone, strokeColor=None)
    return Rect(x, y - half, 2 * half, 2 * half, fillColor=tone, strokeColor=None)


def spark(past: Values, goal: Decimal | None, width: float, height: float) -> Group:
    """Draw a line over the periods with the goal dashed; where there is no value the line is broken."""
    group = Group()
    known = [float(value) for value in past if value is not None]
    if not known:
        return group
    bounds = [*known, *([float(goal)] if goal is not None else [])]
    low, high = min(bounds), max(bounds)
    span = (high - low) or 1.0
    step = width / max(1, len(past) - 1)

    def height_of(value: float) -> float:
        return (value - low) / span * height

    if goal is not None:
        y = height_of(float(goal))
        group.add(Line(0, y, width, y, strokeColor=MUTED, strokeWidth=0.5, strokeDashArray=[1.5, 1.5]))
    for run in _runs(past):
        points = [c for n, value in run for c in (n * step, height_of(float(value)))]
        if len(run) > 1:
            group.add(PolyLine(points, strokeColor=ACCENT, strokeWidth=1))
        group.add(Circle(points[-2], points[-1], 0.5 * mm, fillColor=ACCENT, strokeColor=None))
    return group


def _runs(past: Values) -> list[list[tuple[int, Decimal]]]:
    """Split the values where one is missing."""
    runs: list[list[tuple[int, Decimal]]] = [[]]
    for n, value in enumerate(past):
        if value is None:
            runs.append([])
        else:
            runs[-1].append((n, value))
    return [run for run in runs if run]


def trends_drawing(
    whole: Sequence[Figure], history: Sequence[Sequence[Figure]], names: Sequence[str], width: float
) -> Drawing:
    """Draw each figure's trend larger, two in a row, with its bounds, its goal and the first and last period."""
    high, across = 26 * mm, (width - 6 * mm) / 2
    rows = -(-len(whole) // 2)
    drawing = Drawing(width, rows * high)
    for place, figure in enumerate(whole):
        chart = _trend(figure, [period[place].value for period in history], names, across, high - 5 * mm)
        chart.translate(place % 2 * (across + 6 * mm), (rows - 1 - place // 2) * high + 1 * mm)
        drawing.add(chart)
    return drawing


def _trend(figure: Figure, past: Values, names: Sequence[str], width: float, height: float) -> Group:
    group, left, low = Group(), 14 * mm, 4 * mm
    known = [value for value in past if value is not None]
    bounds = [*known, *([figure.target] if figure.target is not None and known else [])]
    group.add(_text(0, height - 1 * mm, fitted(f"{figure.of.name}  {target_text(figure)}", 8, width), 8, INK))
    top = height - 5 * mm
    group.add(Line(left, low, width, low, strokeColor=LINE, strokeWidth=0.5))
    if bounds:
        group.add(_text(left - 1 * mm, top - 2, number_text(figure, max(bounds)), 6, MUTED, "end"))
        group.add(_text(left - 1 * mm, low, number_text(figure, min(bounds)), 6, MUTED, "end"))
    line = spark(past, figure.target, width - left - 1 * mm, top - low - 1 * mm)
    line.translate(left, low + 0.5 * mm)
    group.add(line)
    if names:
        group.add(_text(left, 1 * mm, names[0], 6, MUTED))
        group.add(_text(width, 1 * mm, names[-1], 6, MUTED, "end"))
    return group


def _text(x: float, y: float, text: str, size: float, tone: Any, anchor: str = "start") -> String:
    return String(x, y, text.translate(PRINTED), fontName=FONT, fontSize=size, fillColor=tone, textAnchor=anchor)


def fitted(text: str, size: float, width: float) -> str:
    """Return the text cut so that it is no wider than `width`."""
    if stringWidth(text, FONT, size) <= width:
        return text
    while text and stringWidth(f"{text}…", FONT, size) > width:
        text = text[:-1]
    return f"{text}…"
