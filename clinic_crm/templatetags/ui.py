"""Tags and filters of the interface. A built-in library: templates need not load it."""

from collections.abc import Iterable
from typing import Any

from django import template
from django.forms import BaseForm, BoundField
from django.utils.translation import gettext as _

from clinic_crm.templatetags import _components, _fields, _format, _marks, _parts, _quick
from clinic_crm.templatetags._board import board_card
from clinic_crm.templatetags._calendar import calendar_grid
from clinic_crm.templatetags._charts import sparkline
from clinic_crm.templatetags._fixed import fixed
from clinic_crm.templatetags._judged import judged_lines
from clinic_crm.templatetags._messages import toast_of
from clinic_crm.templatetags._patients import patient_rows
from clinic_crm.templatetags._teeth import arch
from clinic_crm.templatetags._undecided import class_bars, undecided_card

register = template.Library()

# In the place of the built-in ones, which print the same and cost more.
register.tag("cotton", _components.component)
register.tag("translate", _quick.translate)
register.tag("trans", _quick.translate)
register.tag("url", _quick.url)

for tag in (
    _marks.icon,
    _marks.class_chip,
    _marks.class_ramp,
    _marks.status,
    _marks.chip,
    _marks.avatar,
    _marks.meter,
    _marks.kbd,
    _marks.button,
    _marks.elapsed,
    sparkline,
    board_card,
    undecided_card,
    class_bars,
    judged_lines,
    calendar_grid,
    fixed,
    patient_rows,
    arch,
    _parts.timeline_line,
    _parts.kind_chips,
    _parts.tab_links,
    _fields.picker,
):
    register.simple_tag(tag)

for part in _parts.PARTS:
    register.simple_tag(part, takes_context=True)

for convert in (
    _marks.html_attrs,
    _marks.class_css,
    _format.num,
    _format.money,
    _format.clock,
    _format.day,
    _format.short_day,
    _format.when,
    _format.when_within,
    toast_of,
):
    register.filter(convert)


@register.simple_tag
def field_parts(field: BoundField, kind: str = "", help: object = "", extra: object = "") -> _fields.FieldView:
    """The parts of a bound field, for the field component."""
    return _fields.field_view(field, kind, help, extra)


@register.simple_tag
def form_problems(form: BaseForm | None = None, forms: Iterable[BaseForm] | None = None) -> dict[str, Any] | None:
    """What is wrong in one form or several, for the summary on top."""
    return _fields.problems([*([form] if form else []), *(forms or [])])


@register.simple_tag
def picker_options(choices: Iterable[Any] | None, value: object, name: str, prefix: str = "") -> list[_fields.Option]:
    """Options of a picker; without choices, the scores 1 to 5."""
    return _fields.options(choices or range(1, 6), value, name, prefix)


@register.filter
def steps(count: object) -> range:
    """A range to loop over: {% for i in 5|steps %} gives 1 to 5."""
    try:
        return range(1, max(0, min(int(str(count)), 60)) + 1)
    except ValueError:
        return range(0)


@register.filter
def at(items: Any, index: int) -> Any:
    """One item by its place, or nothing: {{ points|at:0 }}."""
    try:
        return items[int(index)]
    except (IndexError, KeyError, TypeError, ValueError):
        return ""


@register.simple_tag
def state_word(state: str) -> str:
    """The word a screen reader hears for a stage's state."""
    words = {
        "done": _("done"),
        "current": _("now"),
        "late": _("now, over time"),
        "skipped": _("skipped"),
        "future": _("to come"),
    }
    return words.get(state, "")
