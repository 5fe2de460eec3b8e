"""One card of the undecided board, put together without the template engine: a hundred make most of that page."""

from html import escape as escaped
from typing import Any

from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from clinic_crm.templatetags import _format, _marks

LEVELS = {"bad": ("circle-alert", "tone-bad"), "watch": ("triangle-alert", "tone-watch")}


def escape(text: object) -> str:
    return escaped(str(text))


def undecided_card(card: Any) -> SafeString:
    """A card (clinic_crm.workbench.undecided_cards.UndecidedCard); everything a person typed is escaped here."""
    pk, name = card.patient_id, escape(card.name)
    age = ngettext("%(n)s day", "%(n)s days", card.age) % {"n": card.age}
    move = escape(_("Change the class of %(name)s") % {"name": card.name})
    blocker = f'{_marks.icon("circle-minus", 14)}<span class="ellipsis">{escape(card.blocker)}</span>'
    parts = [
        f'<article class="board-card und-card" id="und-{pk}" data-und-card="{pk}" data-klass="{escape(card.klass)}" ',
        f'data-name="{name}" draggable="true"><div class="und-line">',
        f'<a class="who row-link ellipsis" href="{escape(card.url)}" id="und-open-{pk}" draggable="false">{name}</a>',
        f'<a class="und-move" href="{escape(card.classify_url)}" data-und-pick draggable="false" aria-label="{move}" ',
        f'title="{move}">{_marks.icon("arrow-left-right", 14)}</a>',
        f'<b class="und-sum">{_format.money(card.amount) if card.amount is not None else ""}</b></div>',
        f'<div class="und-line"><span class="ellipsis">{escape(card.complaint)}</span>',
        f'<span class="und-side">{escape(age)}</span></div>',
        f'<div class="und-line und-small"><span class="und-block">{blocker if card.blocker else ""}</span>',
        f'<span class="und-side">{escape(card.last)}</span></div>',
        f"{_foot(card.next)}</article>",
    ]
    return mark_safe("".join(parts))  # noqa: S308 - every part is escaped above or below


def _foot(step: Any) -> str:
    icon, tone = LEVELS.get(step.level, ("calendar-check", "text-accent"))
    words = f'{_marks.icon(icon, 14)}<span class="ellipsis">{escape(step.words)}</span>'
    if step.url and not step.label:
        words = f'<a class="und-here" href="{escape(step.url)}" draggable="false">{words}</a>'
    url, label = escape(step.url), escape(step.label)
    link = f'<a class="link" href="{url}" draggable="false">{label}</a>' if step.label else ""
    return f'<div class="und-foot"><span class="und-next {tone}">{words}</span>{link}</div>'


def class_bars(code: str) -> SafeString:
    """The five bars of a class without its letters, in the colour of the text."""
    level = _marks.CLASSES.index(code) + 1 if code in _marks.CLASSES else 0
    faint = ' opacity="0.3"'
    bars = "".join(
        f'<path d="M{3 * n - 3} {10 - 2 * n}h2v{2 * n}h-2z" fill="currentColor"{"" if n <= level else faint}/>'
        for n in range(1, 6)
    )
    return mark_safe(f'<svg viewBox="0 0 14 10" aria-hidden="true">{bars}</svg>')  # noqa: S308
