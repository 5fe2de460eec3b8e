"""The components of which a page has dozens, put together without the template engine.

Each is the body of the component of its name in templates/cotton, where what it takes is described. It reads what the
component was given: the innermost values of the context.
"""

from collections.abc import Iterable
from typing import Any

from django.template.context import Context
from django.utils.html import conditional_escape
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import gettext as _

from clinic_crm.templatetags._marks import html_attrs, icon, kbd

ICON_SIZES = {"56": 20, "28": 14}  # in buttons of these heights; 16 in others


def _text(value: Any) -> str:
    return value if type(value) is SafeString else str(conditional_escape(value))


def _whole(*parts: str) -> SafeString:
    return mark_safe("".join(parts))  # noqa: S308 - every part is escaped where it is made


def _given(context: Context) -> tuple[dict[str, Any], str]:
    values: dict[str, Any] = context.dicts[-1]
    return values, html_attrs(values["attrs"])


def _is_current(values: dict[str, Any]) -> bool:
    return bool(values["value"]) and values["value"] == values["current"]


def timeline_item_part(context: Context) -> SafeString:
    """One thing that happened, with its day when it is the day's first."""
    return _timeline_item(*_given(context))


def timeline_line(item: Any) -> SafeString:
    """A line of the patient's timeline (clinic_crm.workbench.timeline_items.Item) that has words alone."""
    words = f'<span class="prose">{_text(item.text)}</span>' if item.text else ""
    named = {"date": item.day, "date_note": item.day_note, "href": item.url, "slot": _whole(words)}
    same = {name: getattr(item, name) for name in ("icon", "tone", "title", "by", "time")}
    return _timeline_item(named | same, "")


def _timeline_item(v: dict[str, Any], attrs: str) -> SafeString:
    tone = f" tl-{_text(v['tone'])}" if v["tone"] else ""
    note = f"<span>{_text(v['date_note'])}</span>" if v["date_note"] else ""
    day = f"<b>{_text(v['date'])}</b>{note}" if v["date"] else ""
    title = _text(v["title"])
    if v["href"]:
        title = f'<a class="hover:underline" href="{_text(v["href"])}">{title}</a>'
    return _whole(
        f'<li class="tl{tone}{" tl-has-date" if v["date"] else ""}"{attrs}><div class="tl-date">{day}</div>',
        f'<span class="tl-node">{icon(v["icon"], 14)}</span><div><div class="tl-head"><span class="tl-title">{title}',
        f'<span class="tl-by">{_text(v["by"])}</span>' if v["by"] else "",
        "</span>",
        f'<span class="tl-time">{_text(v["time"])}</span>' if v["time"] else "",
        "</div>",
        f'<div class="tl-text">{_text(v["slot"])}</div>' if v["slot"].strip() else "",
        "</div></li>",
    )


def menu_item_part(context: Context) -> SafeString:
    """One action in a menu: a link with href, else a button."""
    v, attrs = _given(context)
    is_link = v["href"] and not v["disabled"]
    off = " disabled" if v["disabled"] else ""
    return _whole(
        f'<a href="{_text(v["href"])}"' if is_link else f'<button type="{_text(v["type"])}"{off}',
        f' class="menu-item{" menu-item-bad" if v["tone"] == "danger" else ""}"',
        ' aria-current="true"' if _is_current(v) else "",
        f"{attrs}>{icon(v['icon']) if v['icon'] else ''}",
        f'<span class="menu-text">{_text(v["slot"])}</span>',
        f'<span class="menu-note">{_text(v["note"])}</span>' if v["note"] else "",
        kbd(v["kbd"]) if v["kbd"] else "",
        "</a>" if is_link else "</button>",
    )


def filter_chip_part(context: Context) -> SafeString:
    """A filter as a link."""
    return _filter_chip(*_given(context))


def kind_chips(chips: Iterable[Any], current: str) -> SafeString:
    """Links that show one kind of what happened; each of the chips has value, label and count."""
    unset = {"current": current, "remove": "", "active": False}
    rows = [{"href": f"?kind={chip['value']}", "slot": chip["label"]} | chip | unset for chip in chips]
    return _whole(*(_filter_chip(row, "") for row in rows))


def _filter_chip(v: dict[str, Any], attrs: str) -> SafeString:
    if v["remove"]:
        cross = icon("x", 12, "", _("remove"))
        href = f'<a href="{_text(v["remove"])}" class="filter-chip filter-chip-on"'
        return _whole(f"{href}{attrs}>{_text(v['slot'])}{cross}</a>")
    on = ' aria-current="true"' if v["active"] or _is_current(v) else ""
    count = f" {_text(v['count'])}" if v["count"] != "" else ""
    href = f'<a href="{_text(v["href"])}" class="filter-chip"'
    return _whole(f"{href}{on}{attrs}><span>{_text(v['slot'])}{count}</span></a>")


def tab_part(context: Context) -> SafeString:
    """One tab."""
    return _tab(*_given(context))


def tab_links(tabs: Iterable[Any], current: str, address: str) -> SafeString:
    """The tabs of a page; each has value, label and count. The first one is the page's own address."""
    unset = {"current": current, "active": False, "disabled": False}
    rows = [
        {"href": f"{address}?tab={tab['value']}" if place else address, "slot": tab["label"]} | tab | unset
        for place, tab in enumerate(tabs)
    ]
    return _whole(*(_tab(row, "") for row in rows))


def _tab(v: dict[str, Any], attrs: str) -> SafeString:
    if v["disabled"]:
        return _whole(f'<span class="tab" aria-disabled="true">{_text(v["slot"])}</span>')
    on = ' aria-current="page"' if v["active"] or _is_current(v) else ""
    count = f' <span class="tab-count">{_text(v["count"])}</span>' if v["count"] != "" else ""
    return _whole(f'<a class="tab" href="{_text(v["href"])}"{on}{attrs}>{_text(v["slot"])}{count}</a>')


def card_part(context: Context) -> SafeString:
    """A white card."""
    v, attrs = _given(context)
    css = f"{' card-flush' if v['flush'] else ''}{' card-' + _text(v['tone']) if v['tone'] else ''}"
    slot = _text(v["slot"])
    return _whole(
        f'<section class="card{css} {_text(v["class"])}"{attrs}>',
        _card_head(v) if v["title"] or v["aside"] else "",
        slot if v["flush"] else f'<div class="card-body">{slot}</div>',
        f'<div class="card-foot">{_text(v["footer"])}</div>' if v["footer"] else "",
        "</section>",
    )


def _card_head(v: dict[str, Any]) -> str:
    level, large = _text(v["level"]), " card-title-16" if v["large"] else ""
    parts = (
        '<div class="card-head">',
        f'<h{level} class="card-title{large}">{_text(v["title"])}</h{level}>' if v["title"] else "",
        f'<span class="card-count">{_text(v["count"])}</span>' if v["count"] != "" else "",
        f'<span class="card-hint">{_text(v["hint"])}</span>' if v["hint"] else "",
        f'<div class="card-aside">{_text(v["aside"])}</div>' if v["aside"] else "",
        "</div>",
    )
    return "".join(parts)


def button_part(context: Context) -> SafeString:
    """A button, or a link that looks like one."""
    v, attrs = _given(context)
    variant, size = _text(v["variant"]), _text(v["size"])
    css = f'class="btn btn-{variant} btn-{size}{" btn-block" if v["block"] else ""} {_text(v["class"])}"'
    if v["href"]:
        to = ' role="link" aria-disabled="true"' if v["disabled"] else f' href="{_text(v["href"])}"'
        opening, closing = f"<a {css}{to}{attrs}>", "</a>"
    else:
        off = " disabled" if v["disabled"] or v["busy"] else ""
        busy = ' aria-busy="true"' if v["busy"] else ""
        opening, closing = f'<button type="{_text(v["type"])}" {css}{off}{busy}{attrs}>', "</button>"
    mark = ""
    if v["busy"]:
        mark = icon("loader-circle", 16, "spin")
    elif v["icon"]:
        mark = icon(v["icon"], ICON_SIZES.get(size, 16))
    end = icon(v["icon_end"], 16) if v["icon_end"] else ""
    key = kbd(v["kbd"]) if v["kbd"] else ""
    return _whole(f'{opening}{mark}<span class="btn-label">{_text(v["slot"])}</span>{end}{key}{closing}')


PARTS = (timeline_item_part, menu_item_part, filter_chip_part, tab_part, card_part, button_part)
