"""One card of the today board, put together without the template engine: sixty of them make most of that page."""

from html import escape as escaped
from typing import Any

from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import gettext as _
from django.utils.translation import pgettext

from clinic_crm.templatetags import _marks


def escape(text: object) -> str:
    """Escape a text; Django's own also keeps lazy texts lazy, which costs more than the escaping."""
    return escaped(str(text))


def board_card(card: Any, query: str = "", csrf_token: object = "") -> SafeString:
    """A card (clinic_crm.workbench.cards.Card) as an article; everything a person typed is escaped here."""
    visit, pk = card.visit, card.visit.pk
    patient = visit.patient
    parts = [
        f'<article class="board-card" id="card-{pk}"><div class="board-who">',
        f'<a class="who row-link" href="{escape(card.url)}" id="open-{pk}">{escape(patient.name)}</a>',
        f'<span class="who-meta ellipsis">{escape(card.who)}</span><span class="ml-auto">{_kind(visit)}</span></div>',
        f'<p class="board-what">{escape(card.what)}</p>' if card.what else "",
        f'<p class="board-people">{_people(card)}<span class="board-time">',
        f"{_marks.elapsed(visit.stage_since, card.limit)}</span></p>",
        _missing(card.missing) if card.missing else "",
        f"<p>{_marks.status(*card.note)}</p>" if card.note else "",
        _action(card.action, pk, query, csrf_token) if card.action else "",
        "</article>",
    ]
    return mark_safe("".join(parts))  # noqa: S308 - every part is escaped above or below


def _kind(visit: Any) -> str:
    if visit.patient.class_code:
        return _marks.class_chip(visit.patient.class_code)
    return _marks.chip(pgettext("visit", "First")) if visit.is_first else ""


def _people(card: Any) -> str:
    """Coordinator › doctor, as far as they are known."""
    coordinator = _marks.avatar(card.coordinator, 20, card.coordinator_is_me) if card.coordinator else ""
    arrow = _marks.icon("chevron-right", 12) if coordinator and card.doctor else ""
    return f'{coordinator}{arrow}<span class="ellipsis">{escape(card.doctor)}</span>'


def _missing(missing: Any) -> str:
    links = [f'<a class="link" href="{escape(item.url)}">{escape(item.label)}</a>' for item in missing]
    head, comma = escape(_("Missing:")), escape(pgettext("list", ", "))
    return f'<p class="missing">{head} {comma.join(links)}</p>'


def _action(action: Any, pk: int, query: str, csrf_token: object) -> str:
    """The button of a card: a link, or a form that posts the step and has the board drawn anew."""
    label = f'<span class="btn-label">{escape(action.label)}</span>'
    css = f'class="btn btn-accent btn-28 btn-block" id="do-{pk}"'
    if not action.step:
        return f'<a {css} href="{escape(action.url)}">{label}</a>'
    url = escape(action.url + query)
    token = f'<input type="hidden" name="csrfmiddlewaretoken" value="{escape(csrf_token)}">'
    return f'<form method="post" action="{url}" hx-post="{url}" hx-swap="none">{token}<button {css}>{label}</button></form>'
