"""Every string that a person may see has its Chinese, with the same placeholders."""

import pytest
from babel.messages.catalog import Catalog

from tools import messages


def test_every_string_is_translated():
    faults = messages.check()
    assert not faults, "run `make messages`, then translate:\n" + "\n".join(faults)


def test_strings_are_found_in_code_and_templates(tmp_path):
    template = tmp_path / "page.html"
    template.write_text(
        '<c-card title="{% translate "It\'s a card" %}">\n    {% if x %}\n  {{ _("Inline") }} don\'t\n'
        "{% blocktranslate trimmed count n=rows|length with who=user.name %}\n  One for {{ who }}\n{% plural %}\n"
        '  {{ n }} for {{ who }}\n{% endblocktranslate %}{% endif %}{% translate "Open" context "state" %}</c-card>\n'
    )
    found = messages.extract("python", messages.io.BytesIO(messages._python_text(template)), messages.KEYWORDS)
    assert [(message, context) for _, message, _, context in found] == [
        ("It's a card", None),
        ("Inline", None),
        (("One for %(who)s", "%(n)s for %(who)s"), None),
        ("Open", "state"),
    ]


@pytest.mark.parametrize(
    ("identifier", "string", "fault"),
    [
        ("%(count)s visits", "%(count)s 次到诊", None),
        ("%(count)s visits", "%(cuont)s 次到诊", "placeholders differ"),
        ("%(count)s visits", "次到诊", "placeholders differ"),
        ("Hello {name}", "您好 {name}", None),
        ("Hello {name}", "您好", "placeholders differ"),
        ("50%% off", "五折", None),
        (("One patient", "%(n)s patients"), ("%(n)s 位患者",), None),
        (("One patient", "%(n)s patients"), ("",), "untranslated"),
        ("Save", "", "untranslated"),
    ],
)
def test_a_bad_translation_is_found(identifier, string, fault):
    catalog = Catalog(locale="zh_Hans")
    catalog.add(identifier, string)
    found = messages.faults(catalog)
    assert found == [] if fault is None else found[0].startswith(fault)


def test_a_fuzzy_translation_is_found():
    catalog = Catalog(locale="zh_Hans")
    catalog.add("Save", "保存", flags=["fuzzy"])
    assert messages.faults(catalog)[0].startswith("fuzzy")
