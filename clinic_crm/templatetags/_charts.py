"""Charts small enough for one number card."""

from collections.abc import Sequence
from typing import Any

from django.utils.html import format_html
from django.utils.safestring import SafeString

WIDTH, HEIGHT, PAD = 92, 40, 4


def sparkline(values: Sequence[float] | None, goal: Any = None) -> SafeString | str:
    """A trend line of 92 × 40 with the target dotted; the numbers stand beside it, so it is decoration."""
    points = [float(value) for value in values or [] if value is not None]
    if len(points) < 2:
        return ""
    target = [] if goal in (None, "") else [float(goal)]
    low, high = min(points + target), max(points + target)
    span = (high - low) or 1.0

    def y(value: float) -> float:
        return round(HEIGHT - PAD - (value - low) / span * (HEIGHT - 2 * PAD), 1)

    step = (WIDTH - PAD) / (len(points) - 1)
    line = " ".join(f"{round(number * step, 1)},{y(value)}" for number, value in enumerate(points))
    dotted = format_html('<path class="goal" d="M0 {}H{}"/>', y(target[0]), WIDTH) if target else ""
    return format_html(
        '<svg class="spark" viewBox="0 0 {} {}" aria-hidden="true">{}<polyline points="{}"/>'
        '<circle cx="{}" cy="{}" r="2.5"/></svg>',
        WIDTH,
        HEIGHT,
        dotted,
        line,
        WIDTH - PAD,
        y(points[-1]),
    )
