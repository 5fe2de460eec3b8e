"""What the field component needs to know about a bound field: its kind, its wiring, its choices."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from django import forms
from django.forms import BaseForm, BoundField
from django.utils.html import conditional_escape
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import ngettext

from clinic_crm.templatetags._marks import class_css

CHOICES = {"choice", "score", "class", "chips"}  # pickers of one touch
WORD = 3  # letters: scores and classes are no longer
PICKERS = {"radio", "segmented", "choice", "class", "chips", "checks"}
NATIVE = {  # widget → input type, and the format the browser wants
    forms.DateTimeInput: ("datetime-local", "%Y-%m-%dT%H:%M"),
    forms.DateInput: ("date", "%Y-%m-%d"),
    forms.TimeInput: ("time", "%H:%M"),
}
ICONS = {"date": "calendar", "datetime-local": "calendar", "time": "clock", "select": "chevron-down"}


@dataclass(frozen=True)
class Option:
    value: str
    label: str
    id: str
    checked: bool
    disabled: bool = False
    name: str = ""


@dataclass(frozen=True)
class FieldView:
    """Everything a template prints about one field."""

    id: str
    name: str
    label: str
    kind: str
    required: bool
    help: str
    errors: list[str]
    described_by: str
    widget: SafeString | str = ""
    icon: str = ""
    options: list[Option] = field(default_factory=list)

    @property
    def is_group(self) -> bool:
        return self.kind in PICKERS


def _kind(bound: BoundField, wanted: str) -> str:
    widget = bound.field.widget
    if wanted:
        return wanted
    kinds: list[tuple[type[forms.Widget], str]] = [
        (forms.HiddenInput, "hidden"),
        (forms.CheckboxSelectMultiple, "checks"),
        (forms.RadioSelect, "radio"),
        (forms.CheckboxInput, "checkbox"),
        (forms.SelectMultiple, "multiple"),
        (forms.Select, "select"),
        (forms.Textarea, "textarea"),
    ]
    for klass, kind in kinds:
        if isinstance(widget, klass):
            return kind
    return "input"


def _make_native(widget: forms.Widget) -> None:
    """Let the browser's own date and time pickers be used; they take ISO values alone."""
    for klass, (input_type, layout) in NATIVE.items():
        if isinstance(widget, klass):
            widget.input_type = input_type
            widget.format = layout
            return


def _options(bound: BoundField) -> list[Option]:
    options = []
    for number, sub in enumerate(bound.subwidgets):
        value = sub.data.get("value")
        if value in ("", None):
            continue
        options.append(
            Option(
                value=str(value),
                label=str(sub.data["label"]),
                id=f"{bound.auto_id}_{number}",
                checked=bool(sub.data.get("selected")),
                disabled=bool(bound.field.disabled or sub.data["attrs"].get("disabled")),
                name=bound.html_name,
            )
        )
    return options


def _css(kind: str) -> str:
    return {"checkbox": "box", "switch": "switch"}.get(kind, "input")


def _attrs(bound: BoundField, kind: str, described_by: str) -> dict[str, Any]:
    given = bound.field.widget.attrs.get("class", "")
    attrs: dict[str, Any] = {"class": f"{_css(kind)} {given}".strip()}
    if described_by:
        attrs["aria-describedby"] = described_by
    if bound.errors:
        attrs["aria-invalid"] = "true"
    if kind == "switch":
        attrs["role"] = "switch"
    if kind == "textarea" and bound.field.widget.attrs.get("rows") in (None, "10", 10):
        attrs["rows"] = 3
    return attrs


def field_view(bound: BoundField, wanted: str = "", help_text: object = "", extra: object = "") -> FieldView:
    """Describe a bound field for the field component.

    Args: `wanted` overrides the kind the widget suggests; `help_text` overrides the form's; `extra` is the
    id of one more description on the page.
    """
    kind = _kind(bound, str(wanted or ""))
    words = str(help_text or bound.help_text or "")
    errors = [str(error) for error in bound.errors]
    ids = [f"{bound.auto_id}_error"] * bool(errors) + [f"{bound.auto_id}_help"] * bool(words)
    described_by = " ".join(ids + ([str(extra)] if extra else []))
    _make_native(bound.field.widget)
    group = kind in PICKERS
    input_type = "select" if kind == "select" else getattr(bound.field.widget, "input_type", "")
    return FieldView(
        id=str(bound.auto_id),
        name=bound.html_name,
        label=str(bound.label),
        kind=kind,
        required=bound.field.required,
        help=words,
        errors=errors,
        described_by=described_by,
        widget="" if group else bound.as_widget(attrs=_attrs(bound, kind, described_by)),
        icon=ICONS.get(str(input_type), ""),
        options=_options(bound) if group else [],
    )


@dataclass(frozen=True)
class Problem:
    id: str
    label: str
    error: str


def problems(form_list: Iterable[BaseForm | None]) -> dict[str, Any] | None:
    """All errors of some forms for the summary on top; None when there are none."""
    fields: list[Problem] = []
    general: list[str] = []
    for form in form_list:
        if form is None or not form.is_bound or not form.errors:
            continue
        general += [str(error) for error in form.non_field_errors()]
        fields += [
            Problem(str(bound.auto_id), str(bound.label), str(bound.errors[0])) for bound in form if bound.errors
        ]
    if not fields and not general:
        return None
    count = ngettext("%(count)s thing to correct:", "%(count)s things to correct:", len(fields))
    return {"fields": fields, "general": general, "title": count % {"count": len(fields)}}


def options(choices: Iterable[Any], value: object, name: str, prefix: str = "") -> list[Option]:
    """Options for the pickers used without a form: pairs, or bare values."""
    chosen = {str(v) for v in value} if isinstance(value, (list, tuple, set)) else {str(value)}
    result = []
    for number, choice in enumerate(choices):
        key, label = choice if isinstance(choice, (list, tuple)) else (choice, choice)
        result.append(Option(str(key), str(label), f"{prefix or 'id_' + name}_{number}", str(key) in chosen, name=name))
    return result


def picker(kind: str, choices: Iterable[Option], touch: object = "") -> SafeString:
    """The options of a picker, put together without the template engine: a form has hundreds.

    Used by the components field, choice and segmented. `touch` makes the choices 44 px tall.
    """
    css, label_css = ("segmented", "segment") if kind == "segmented" else ("checks", "check")
    if kind in CHOICES:
        wordy = kind != "chips" and any(len(str(option.label)) > WORD for option in choices)
        css = "choices" + " choices-chips" * (kind == "chips") + " choices-words" * wordy
        css, label_css = css + " choices-touch" * bool(touch), "choice"
    rows = "".join(_choice(kind, option, label_css) for option in choices)
    return mark_safe(f'<div class="{css}">{rows}</div>')  # noqa: S308 - escaped below


def _choice(kind: str, option: Option, css: str) -> str:
    where = str(conditional_escape(option.id))
    flags = f"{' checked' if option.checked else ''}{' disabled' if option.disabled else ''}"
    value = conditional_escape(option.value)
    wiring = f'name="{conditional_escape(option.name)}" value="{value}" id="{where}"{flags}'
    label = conditional_escape(option.label)
    if css == "check":
        shape = 'type="checkbox" class="box"' if kind == "checks" else 'type="radio" class="dot"'
        return f'<label class="check" for="{where}"><input {shape} {wiring}><span>{label}</span></label>'
    tone = f" k-{class_css(option.value)}" if kind == "class" else ""
    return f'<label class="{css}{tone}"><input type="radio" {wiring}>{label}</label>'
