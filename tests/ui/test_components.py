"""The components print what they promise, wired for screen readers and safe against what people type."""

import re
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest
from django import forms
from django.conf import settings
from django.contrib.messages import constants
from django.contrib.messages.storage.base import Message
from django.template import engines
from django.test import RequestFactory
from django.utils import translation

from clinic_crm.templatetags import _format, _marks
from clinic_crm.templatetags._fields import Option, picker
from clinic_crm.templatetags._messages import toast_of

TEMPLATES = Path(settings.BASE_DIR) / "templates"
NASTY = '"><script>alert(1)</script>'


def show(template: str, **context: Any) -> str:
    """Render a piece of a page in English."""
    with translation.override("en"):
        compiled = engines["django"].from_string(_compile(template))
        return compiled.render(context, RequestFactory().get("/"))


def _compile(template: str) -> str:
    from django_cotton.compiler_regex import CottonCompiler

    return CottonCompiler().process(template)


class _Tags(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str | None]]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, dict(attrs)))


def tags(html: str, name: str) -> list[dict[str, str | None]]:
    parser = _Tags()
    parser.feed(html)
    return [attrs for tag, attrs in parser.found if tag == name]


class PatientForm(forms.Form):
    name = forms.CharField(help_text="As on the card")
    born = forms.DateField(required=False)
    klass = forms.ChoiceField(choices=[("", "—"), ("C-E", "C-E"), ("C-A", "C-A")])
    remind = forms.BooleanField(required=False)


def test_button_is_a_link_when_it_leads_somewhere() -> None:
    assert tags(show('<c-button href="/x">Go</c-button>'), "a")[0]["href"] == "/x"
    button = tags(show('<c-button variant="primary">Go</c-button>'), "button")[0]
    assert button["type"] == "submit"
    assert "btn-primary" in (button["class"] or "")


def test_disabled_link_cannot_be_followed() -> None:
    link = tags(show('<c-button href="/x" disabled>Go</c-button>'), "a")[0]
    assert "href" not in link
    assert link["aria-disabled"] == "true"


def test_busy_button_takes_no_second_press() -> None:
    button = tags(show("<c-button busy>Saving</c-button>"), "button")[0]
    assert "disabled" in button
    assert button["aria-busy"] == "true"


def test_attributes_pass_through_and_false_ones_are_dropped() -> None:
    html = show('<c-button hx-post="/x" :data-no="no" :data-yes="yes">Go</c-button>', no=False, yes=True)
    button = tags(html, "button")[0]
    assert button["hx-post"] == "/x"
    assert "data-yes" in button
    assert "data-no" not in button


@pytest.mark.parametrize(
    "template",
    [
        "<c-button>{{ text }}</c-button>",
        '<c-button :title="text">x</c-button>',
        '<c-button href="/" :data-x="text">x</c-button>',
        '<c-card title="{{ text }}" aside="{{ text }}">x</c-card>',
        '<c-card :title="text">x</c-card>',
        "{% status 'good' text %}",
        "{% chip text %}",
        "{% avatar text %}",
        "{% meter 2 label=text %}",
        "{% kbd text %}",
        "{% button text href=text title=text %}",
        "{% button text name=text type=text %}",
        "{% icon 'x' 16 '' text %}",
        "{% class_chip text %}",
        '<c-empty-state :title="text" :text="text" />',
        '<c-toast level="error" :text="text" />',
        '<c-script title="x" :text="text" />',
        '<c-timeline-item :title="text" :by="text">{{ text }}</c-timeline-item>',
        '<c-stepper :stages="stages" />',
        '<c-choice name="a" :options="pairs" label="x" />',
        '<c-select name="a" :options="pairs" />',
        '<c-input name="a" :value="text" />',
        '<c-textarea name="a" :value="text" />',
        '<c-search-option href="/" :title="text" :meta="text" />',
        '<c-sort-list name="p" :items="texts" label="x" />',
        '<c-thumb href="/" src="/" :alt="text" :caption="text" />',
        '<c-stat :label="text" :value="text" :fraction="text" />',
    ],
)
def test_what_people_type_is_escaped(template: str) -> None:
    html = show(template, text=NASTY, texts=[NASTY], pairs=[(NASTY, NASTY)], stages=[{"label": NASTY, "state": "done"}])
    assert "<script>" not in html
    assert not tags(html, "script")


def test_field_ties_label_help_and_error_to_its_input() -> None:
    html = show('<c-field :field="form.name" />', form=PatientForm({}))
    field = tags(html, "input")[0]
    assert tags(html, "label")[0]["for"] == field["id"] == "id_name"
    assert field["aria-invalid"] == "true"
    assert "required" in field
    described = (field["aria-describedby"] or "").split()
    assert described == ["id_name_error", "id_name_help"]
    assert {attrs.get("id") for attrs in tags(html, "p")} == set(described)


def test_field_without_error_says_nothing_wrong() -> None:
    html = show('<c-field :field="form.name" />', form=PatientForm())
    assert "aria-invalid" not in tags(html, "input")[0]
    assert "field-note-bad" not in html


def test_date_field_uses_the_browsers_picker_with_an_iso_value() -> None:
    html = show('<c-field :field="form.born" />', form=PatientForm(initial={"born": "2026-11-25"}))
    assert tags(html, "input")[0] | {"type": "date", "value": "2026-11-25"} == tags(html, "input")[0]


def test_picker_is_a_labelled_radio_group_without_the_blank_choice() -> None:
    html = show('<c-field :field="form.klass" as="class" />', form=PatientForm({"klass": "C-A"}))
    group = next(attrs for attrs in tags(html, "div") if attrs.get("role") == "radiogroup")
    assert group["aria-labelledby"] == "id_klass_label"
    assert group["id"] == "id_klass"
    radios = tags(html, "input")
    assert [radio["value"] for radio in radios] == ["C-E", "C-A"]
    assert "checked" in radios[1]
    assert "checked" not in radios[0]


def test_switch_has_its_role() -> None:
    field = tags(show('<c-field :field="form.remind" as="switch" />', form=PatientForm()), "input")[0]
    assert field["role"] == "switch"
    assert field["type"] == "checkbox"


def test_error_summary_links_to_each_wrong_field() -> None:
    html = show('<c-error-summary :form="form" />', form=PatientForm({}))
    assert [attrs["href"] for attrs in tags(html, "a")] == ["#id_name", "#id_klass"]
    assert "2 things to correct" in html
    assert show('<c-error-summary :form="form" />', form=PatientForm()).strip() == ""


@pytest.mark.parametrize("code", _marks.CLASSES)
def test_class_chip_shows_letters_and_as_many_bars_as_its_step(code: str) -> None:
    html = str(_marks.class_chip(code))
    assert code in html
    assert f"k-{code.replace('-', '').lower()}" in html
    assert html.count("<path") == 5
    assert html.count("class=off") == 4 - _marks.CLASSES.index(code)


def test_unknown_class_prints_nothing() -> None:
    assert _marks.class_chip(None) == ""
    assert _marks.class_chip("C-Z") == ""


@pytest.mark.parametrize("level", ["good", "watch", "bad", "info", "none", "few"])
def test_status_has_an_icon_and_a_word(level: str) -> None:
    html = _marks.status(level, "word")
    assert "<svg" in html
    assert "word" in html


def test_empty_card_parts_print_no_empty_boxes() -> None:
    html = show("<c-card>x</c-card>")
    assert "card-head" not in html
    assert "card-foot" not in html


def test_defaults_do_not_leak_from_the_page() -> None:
    html = show("<c-card>{{ title }}</c-card>", title="page title", footer="page foot", aside="page aside")
    assert html.count("page") == 1


def test_stepper_marks_the_current_stage() -> None:
    stages = [{"label": "A", "state": "done"}, {"label": "B", "state": "late", "note": "23 min"}]
    steps = tags(show('<c-stepper :stages="stages" label="Stages" />', stages=stages), "li")
    assert [step.get("aria-current") for step in steps] == [None, "step"]


def test_current_tab_is_said() -> None:
    html = show('<c-tab href="?a" value="a" current="{{ tab }}" count="2">A</c-tab>', tab="a")
    assert tags(html, "a")[0]["aria-current"] == "page"


def test_sorted_head_says_its_direction() -> None:
    html = show('<c-th href="?s" sort="last" current="-last">Last</c-th>')
    assert tags(html, "th")[0]["aria-sort"] == "descending"


def test_message_carries_its_undo() -> None:
    assert toast_of(Message(constants.SUCCESS, "Booked", extra_tags="undo /a/1/undo/")) == {
        "level": "success",
        "text": "Booked",
        "undo": "/a/1/undo/",
    }
    assert "undo" not in toast_of(Message(constants.INFO, "x", extra_tags="undo https://elsewhere/"))


@pytest.mark.parametrize(
    ("value", "words"), [(16800, "¥16,800"), ("1.6", "¥1.60"), (None, "—"), (-200, "−¥200"), (0, "¥0")]
)
def test_money_reads_as_people_write_it(value: object, words: str) -> None:
    assert _format.money(value) == words


def test_ids_are_not_grouped_by_thousands() -> None:
    with translation.override("en"):
        assert show("{{ pk }}", pk=12345) == "12345"
    assert _format.num(17200) == "17,200"


def _all_templates() -> list[Path]:
    return sorted(TEMPLATES.rglob("*.html"))


def test_no_template_breaks_the_content_security_policy() -> None:
    """No style attributes, inline handlers or scripts, and nothing that htmx would evaluate."""
    broken = re.compile(
        r"""\sstyle\s*=|\son(click|change|submit|input|load)\s*=|\shx-on|hx-vals=["']js:|<script(?![^>]*\bsrc=)""", re.I
    )
    faults = [
        f"{path.relative_to(TEMPLATES)}: {found.group()}"
        for path in _all_templates()
        for found in broken.finditer(_without_comments(path.read_text(encoding="utf-8")))
    ]
    assert not faults


def test_every_htmx_link_and_form_works_without_scripts() -> None:
    """What htmx drives also has an address of its own."""
    driven = re.compile(r"<(a|form)\b[^>]*\shx-(?:get|post)=[^>]*>")
    faults = [
        f"{path.relative_to(TEMPLATES)}: {found.group()[:80]}"
        for path in _all_templates()
        for found in driven.finditer(_without_comments(path.read_text(encoding="utf-8")))
        if not re.search(r"\s(href|action)=", found.group())
    ]
    assert not faults


def test_each_component_says_how_it_is_used() -> None:
    silent = [path.name for path in (TEMPLATES / "cotton").glob("*.html") if not path.read_text().startswith("{#")]
    assert not silent


def _without_comments(text: str) -> str:
    return re.sub(r"\{#.*?#\}", "", text)


def test_words_to_pick_from_wrap_on_a_phone_while_scores_stay_in_one_line() -> None:
    def listed(*labels: str) -> list[Option]:
        return [Option(str(n), label, f"id_{n}", checked=False, name="x") for n, label in enumerate(labels)]

    assert "choices-words" in picker("choice", listed("已成交", "无需治疗"))
    assert "choices-words" not in picker("choice", listed("1", "5"))
    assert "choices-words" not in picker("class", listed("C-E", "C-A"))
    assert "choices-words" not in picker("chips", listed("怕疼", "想和家人商量"))
