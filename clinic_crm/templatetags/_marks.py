"""Small marks used in rows by the dozen: plain functions, since a component per chip costs too much."""

from collections.abc import Mapping
from datetime import datetime
from functools import lru_cache
from typing import Any

from django.utils import timezone
from django.utils.html import conditional_escape, format_html
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import gettext as _
from lucide.templatetags.lucide import lucide

STATUS_ICONS = {
    "good": "circle-check",
    "watch": "triangle-alert",
    "bad": "circle-alert",
    "info": "info",
    "none": "circle-minus",
    "few": "circle-dashed",
}
CLASSES = ("C-E", "C-D", "C-C", "C-B", "C-A")  # lowest to highest
CHIP_TONES = {"sunken", "accent", "good", "watch", "bad", "info"}


@lru_cache(maxsize=1024)
def _icon(name: str, size: int, css: str, label: str) -> SafeString:
    spoken = {"role": "img", "aria_label": label} if label else {"aria_hidden": "true"}
    svg = lucide(name, size=size, **{"class": f"icon {css}".strip(), "stroke_width": "1.75", **spoken})
    return mark_safe("".join(line.strip() for line in svg.splitlines()))  # noqa: S308


def icon(name: str, size: int | str = 16, css: str = "", label: object = "") -> SafeString:
    """An icon by its Lucide name. Without a label it is decoration, hidden from screen readers."""
    return _icon(str(name), int(size), str(css), str(label or ""))


@lru_cache(maxsize=32)
def _class_chip(code: str, big: bool) -> SafeString:
    level = CLASSES.index(code) + 1
    bars = "".join(
        f'<path{"" if step <= level else " class=off"} d="M{3 * step - 3} {10 - 2 * step}h2v{2 * step}h-2z"/>'
        for step in range(1, 6)
    )
    svg = f'<svg viewBox="0 0 14 10" aria-hidden="true">{bars}</svg>'
    size = " class-chip-big" if big else ""
    return mark_safe(f'<span class="class-chip{size} k-{code.replace("-", "").lower()}">{svg}{code}</span>')  # noqa: S308


def class_chip(code: object, big: bool = False) -> str:
    """The class of an undecided patient: bars and letters. An unknown or empty class prints nothing."""
    text = str(code or "")
    return _class_chip(text, bool(big)) if text in CLASSES else ""


def class_css(code: object) -> str:
    """The CSS suffix of a class: C-E → ce."""
    text = str(code or "")
    return text.replace("-", "").lower() if text in CLASSES else ""


def status(level: str, text: Any = "", soft: bool = False, icon: str = "", size: int | str = 12) -> SafeString:
    """A status: an icon and a word, never colour alone."""
    level = level if level in STATUS_ICONS else "none"
    sizes = " status-14" if int(size) == 14 else ""
    css = f"status{sizes} " + (f"status-soft soft-{level}" if soft else f"tone-{level}")
    mark = _icon(str(icon or STATUS_ICONS[level]), 12 if soft else 14, "", "")
    return mark_safe(f'<span class="{css}">{mark}{conditional_escape(text)}</span>')  # noqa: S308


def chip(text: Any, tone: str = "", icon: str = "") -> SafeString:
    """A short fact in a frame; `tone` is one of CHIP_TONES, else an outline."""
    css = f"chip chip-{tone}" if tone in CHIP_TONES else "chip"
    mark = _icon(str(icon), 12, "", "") if icon else ""
    return mark_safe(f'<span class="{css}">{mark}{conditional_escape(text)}</span>')  # noqa: S308


def avatar(name: object, size: int | str = 24, mine: bool = False) -> SafeString:
    """A person by the first character of the name; the accent marks oneself."""
    return _avatar(str(name or "").strip(), int(size), bool(mine))


@lru_cache(maxsize=1024)
def _avatar(name: str, size: int, mine: bool) -> SafeString:
    css = f"avatar avatar-{size}" + (" avatar-mine" if mine else "")
    return format_html('<span class="{}" title="{}" aria-hidden="true">{}</span>', css, name, name[:1].upper() or "?")


def meter(value: object, maximum: int | str = 5, label: object = "") -> SafeString:
    """A judgement in steps (14 × 6 each); the label says it in words for who cannot see it."""
    steps, on = max(1, min(int(maximum), 10)), _whole(value)
    return _meter(on, steps, str(label) or _("%(value)s of %(max)s") % {"value": on or "—", "max": steps})


@lru_cache(maxsize=512)
def _meter(on: int, steps: int, words: str) -> SafeString:
    bars = "".join(
        f'<path class="{"on" if step < on else "off"}" d="M{16 * step} 0h14v6h-14z"/>' for step in range(steps)
    )
    return format_html(
        '<svg class="meter" viewBox="0 0 {} 6" preserveAspectRatio="xMinYMid" role="img" aria-label="{}">{}</svg>',
        16 * steps - 2,
        words,
        mark_safe(bars),  # noqa: S308
    )


def button(
    text: Any, href: Any = "", variant: str = "default", size: int | str = 28, icon: str = "", **attrs: Any
) -> SafeString:
    """The button of a row; elsewhere use the component. More attributes with underscores: hx_post=url, name="go"."""
    mark = _icon(str(icon), 14, "", "") if icon else ""
    css = f"btn btn-{variant} btn-{size} {attrs.pop('class', '')}".strip()
    more = html_attrs({key.replace("_", "-"): value for key, value in attrs.items() if key != "type"})
    inner = f'{mark}<span class="btn-label">{conditional_escape(text)}</span>'
    if href:
        return mark_safe(f'<a class="{css}" href="{conditional_escape(href)}"{more}>{inner}</a>')  # noqa: S308
    kind = conditional_escape(attrs.get("type", "submit"))
    return mark_safe(f'<button type="{kind}" class="{css}"{more}>{inner}</button>')  # noqa: S308


def kbd(key: object) -> SafeString:
    """A key of the keyboard."""
    return format_html('<kbd class="kbd">{}</kbd>', key)


def elapsed(since: datetime | None, limit: int | None = None) -> str:
    """Whole minutes since a moment, ticking in the browser; over `limit` minutes it is marked."""
    if since is None:
        return ""
    minutes = max(0, int((timezone.now() - since).total_seconds() // 60))
    late = bool(limit) and minutes > int(limit or 0)
    unit = _("%(count)s min")
    return format_html(
        '<time class="elapsed{}" datetime="{}" data-elapsed data-limit="{}" data-unit="{}">{}<span>{}</span></time>',
        " elapsed-late" if late else "",
        since.isoformat(),
        limit or "",
        unit % {"count": "{n}"},
        _icon("triangle-alert", 14, "", ""),
        unit % {"count": minutes},
    )


def html_attrs(attrs: Mapping[str, Any]) -> SafeString:
    """Attributes a component passes on. Unlike printing the mapping, values are escaped and False dropped."""
    items = attrs.attrs_dict() if hasattr(attrs, "attrs_dict") else attrs
    parts = []
    for key, value in items.items():
        if value is None or value is False:
            continue
        name = conditional_escape(key)
        parts.append(f" {name}" if value is True else f' {name}="{conditional_escape(value)}"')
    return mark_safe("".join(parts))  # noqa: S308 - every part is escaped above


def _whole(value: object) -> int:
    try:
        return int(str(value))
    except ValueError:
        return 0


def class_ramp(code: object) -> SafeString:
    """The five classes in a line, filled up to where the patient stands."""
    text = str(code or "")
    level = CLASSES.index(text) + 1 if text in CLASSES else 0
    cells = "".join(
        f"<span{f' class=on-{class_css(name)}' if step <= level else ''}"
        f"{' aria-current=true' if step == level else ''}>{name}</span>"
        for step, name in enumerate(CLASSES, 1)
    )
    return mark_safe(f'<div class="ramp">{cells}</div>')  # noqa: S308
