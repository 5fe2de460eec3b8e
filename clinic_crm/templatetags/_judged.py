"""Awareness and trust over time: two small lines with the table behind them."""

from collections.abc import Sequence
from datetime import datetime
from html import escape
from typing import Any

from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import gettext as _

from clinic_crm.templatetags import _format, _marks

WIDTH, HEIGHT, LEFT, PAD = 280, 96, 14, 8
LINES = ("awareness", "trust")


def judged_lines(judged: Sequence[dict[str, Any]] | None) -> SafeString | str:
    """Draw what was judged, newest first as it is read; nothing below two judgements.

    Each item: `at` (ISO), `awareness`, `trust` (1 to 5 or None), `code`, `correction`.
    """
    rows = [row | {"when": datetime.fromisoformat(row["at"])} for row in reversed(judged or [])]
    rows = [row for row in rows if row["awareness"] or row["trust"]]
    if len(rows) < 2:
        return ""
    grid = "".join(
        f'<path class="grid" d="M{LEFT} {_y(n)}H{WIDTH}"/><text x="0" y="{_y(n) + 3}">{n}</text>' for n in (1, 3, 5)
    )
    lines = "".join(_line(rows, name) for name in LINES)
    label = escape(_("Awareness and trust over time"))
    keys = " ".join(_key(name) for name in LINES)
    svg = (
        f'<svg class="judged-lines" viewBox="0 0 {WIDTH} {HEIGHT}" role="img" aria-label="{label}">{grid}{lines}</svg>'
    )
    table = _table(rows)
    return mark_safe(f'<div class="judged">{svg}<p class="who-meta">{keys}</p>{table}</div>')  # noqa: S308


def _y(score: int) -> float:
    return round(HEIGHT - PAD - (score - 1) / 4 * (HEIGHT - 2 * PAD), 1)


def _line(rows: Sequence[dict[str, Any]], name: str) -> str:
    start, end = rows[0]["when"], rows[-1]["when"]
    span = (end - start).total_seconds() or 1.0
    room = WIDTH - LEFT - 2 * PAD
    points = [
        (round(LEFT + PAD + (row["when"] - start).total_seconds() / span * room, 1), _y(row[name]))
        for row in rows
        if row[name]
    ]
    dots = "".join(f'<circle class="{name}" cx="{x}" cy="{y}" r="2.5"/>' for x, y in points)
    line = " ".join(f"{x},{y}" for x, y in points)
    return f'<polyline class="{name}" points="{line}"/>{dots}'


def _key(name: str) -> str:
    word = _("Awareness") if name == "awareness" else _("Trust")
    svg = f'<svg class="judged-key" viewBox="0 0 20 8" aria-hidden="true"><path class="{name}" d="M0 4H20"/></svg>'
    return f"<span>{svg} {escape(word)}</span>"


def _table(rows: Sequence[dict[str, Any]]) -> str:
    heads = "".join(f"<th>{escape(word)}</th>" for word in (_("Day"), _("Class"), _("Awareness"), _("Trust")))
    corrected = " " + escape(_("correction"))
    cells = "".join(
        f"<tr><td>{escape(_format.short_day(row['when']))}</td><td>{_marks.class_chip(row['code'])}"
        f"{corrected if row['correction'] else ''}</td>"
        f"<td>{row['awareness'] or '—'}</td><td>{row['trust'] or '—'}</td></tr>"
        for row in reversed(rows)
    )
    summary = escape(_("As a table"))
    return f'<details><summary class="link">{summary}</summary><table class="judged-table"><tr>{heads}</tr>{cells}</table></details>'
