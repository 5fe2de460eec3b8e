"""Tags that stand in the place of Django's and django-cotton's print what those print."""

import pytest
from django.template import engines
from django.template.defaulttags import url as django_url
from django.templatetags.i18n import do_translate
from django.test import RequestFactory
from django.utils import translation
from django_cotton.compiler_regex import CottonCompiler
from django_cotton.templatetags._component import cotton_component

from clinic_crm.templatetags import ui

ITS_OWN = {"cotton": cotton_component, "translate": do_translate, "url": django_url}
PAGES = [
    "{% translate 'Save' %}",
    "{% translate 'Save' as word %}<b>{{ word }}</b>",
    "{% translate 'Contact' context 'action' %}",
    "{% translate name %}",
    "{% url 'patient' 7 %}",
    "{% url 'patient' pk %}?tab=visits",
    "{% url 'patient' pk as there %}{{ there }}",
    "{% url 'today' %}",
    "{% url 'patient' pk=pk %}",
    "<c-fact label=\"{% translate 'Doctor' %}\">{{ name }}</c-fact><c-fact label='x'></c-fact>",
    '<c-card title="{{ name }}" count="{{ pk }}" flush><c-slot name="aside">{{ name }}</c-slot>in</c-card>',
    '<c-card :flush="{% if pk %}True{% endif %}" tone="bad" data-x="{{ name }}" :large="yes">in</c-card>',
    '<c-button href="{% url \'patient\' pk %}" icon="phone" data-key="c" hx-get="/a?b=1&c=2">{{ name }}</c-button>',
    '<c-button type="button" size="56" :disabled="yes" icon="x" kbd="e" block>x</c-button>',
    '<c-select name="a" :options="pairs" value="2" empty="{% translate \'Choose\' %}" />',
    "<c-facts>{% for n in many %}<c-fact label='{{ n }}'>{{ name }}</c-fact>{% endfor %}</c-facts>",
]


@pytest.mark.parametrize("source", PAGES)
@pytest.mark.parametrize("language", ["en", "zh-hans"])
def test_a_cheap_tag_prints_what_the_original_prints(
    source: str, language: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    context = {"pk": 12345, "name": "<王>", "yes": True, "pairs": [(1, "一"), (2, "二")], "many": range(3)}
    with translation.override(language):
        cheap = [_printed(source, context) for _ in range(2)]
        for name, tag in ITS_OWN.items():
            monkeypatch.setitem(ui.register.tags, name, tag)
        assert cheap == [_printed(source, context)] * 2


def _printed(source: str, context: dict[str, object]) -> str:
    template = engines["django"].from_string(CottonCompiler().process(source))
    return str(template.render(context, RequestFactory().get("/")))


def test_an_address_without_such_a_page_is_refused() -> None:
    from django.urls import NoReverseMatch

    template = engines["django"].from_string("{% url 'no_such_page' 1 %}")
    with pytest.raises(NoReverseMatch):
        template.render({})
