"""The rows of the tooth chart, put together without the template engine: up to 52 teeth."""

from collections.abc import Iterable
from functools import lru_cache
from html import escape
from typing import Any

from django.utils.safestring import SafeString, mark_safe

GONE = '<rect class="t-missing" x="1" y="1" width="32" height="32" rx="6"/>'
IMPLANT = (
    '<rect class="t-implant" x="1" y="1" width="32" height="32" rx="5"/>'
    '<path class="t-screw" d="M12 8h10M17 8v18M13 13l8 2M13.500 18l7 2M14.500 23l5 1.500"/>'
)
LINES = "M2.500 2.500l8 8M31.500 2.500l-8 8M2.500 31.500l8-8M31.500 31.500l-8-8M10.500 10.500h13v13h-13z"
MARKS = {
    "caries": '<circle class="t-caries" cx="17" cy="17" r="5"/>',
    "tilted": '<path class="t-tilted" d="M26 17H9M15 10.500L8.500 17l6.500 6.500"/>',
    "loose": '<path class="t-loose" d="M4 27c3-3 5 3 8 0s5 3 8 0 5 3 8 0"/>',
    "periapical": '<circle class="t-periapical" cx="27" cy="7" r="4"/>',
}


@lru_cache(maxsize=256)
def _drawing(kinds: frozenset[str]) -> str:
    """One tooth from above: its five faces, and what is the matter with it."""
    if "missing" in kinds:
        shape = GONE
    elif "planned_implant" in kinds:
        shape = IMPLANT
    else:
        mended = "restored" in kinds
        face = f'<rect class="t-face{" t-restored" if mended else ""}" x="1" y="1" width="32" height="32" rx="5"/>'
        lines = f'<path class="t-lines{" t-on" if mended else ""}" d="{LINES}"/>'
        shape = face + lines + "".join(mark for kind, mark in MARKS.items() if kind in kinds)
    return f'<svg class="tooth-svg" viewBox="0 0 34 34" aria-hidden="true">{shape}</svg>'


def _tooth(tooth: Any) -> str:
    number, words = tooth.number, f" {escape(tooth.words)}" if tooth.words else ""
    current = ' aria-current="true"' if tooth.selected else ""
    return (
        f'<a class="tooth{" has" if tooth.kinds else ""}" href="?tooth={number}#teeth" data-tooth="{number}" '
        f'data-kinds="{escape(tooth.kind_list)}"{current} aria-label="{number}{words}">'
        f'<span class="tooth-number">{number}</span>{_drawing(tooth.kinds)}</a>'
    )


def arch(row: Iterable[Any], upper: bool, wide: bool) -> SafeString:
    """One row of teeth (consultations.views.findings.Tooth). `upper`: numbers stand above; `wide`: sixteen, else ten."""
    css = f"arch {'arch-upper' if upper else 'arch-lower'}{'' if wide else ' arch-milk'}"
    return mark_safe(f'<div class="{css}">{"".join(map(_tooth, row))}</div>')  # noqa: S308 - escaped above
