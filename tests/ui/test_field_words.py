"""What a wrong field is told, in plain words."""

from pathlib import Path

import django
from babel.messages.pofile import read_po
from django import forms
from django.utils import translation

from clinic_crm.field_words import COUNTED_WORDS, FIELD_WORDS

STIFF = ("确保", "该值", "有效的选项", "该变量", "编码类型")


class Everything(forms.Form):
    number = forms.IntegerField(min_value=1, max_value=9)
    most = forms.IntegerField(max_value=9)
    whole = forms.IntegerField()
    money = forms.DecimalField(max_digits=5, decimal_places=2)
    chosen = forms.ChoiceField(choices=[("a", "A")])
    long = forms.CharField(max_length=3)
    short = forms.CharField(min_length=3)
    mail = forms.EmailField()


WRONG = {
    "number": "0",
    "most": "10",
    "whole": "x",
    "money": "1.234",
    "chosen": "b",
    "long": "一二三四",
    "short": "一",
    "mail": "x",
}
SAID = {
    "number": "不能小于 1。",
    "most": "不能大于 9。",
    "whole": "请填整数。",
    "money": "小数点后最多 2 位。",
    "chosen": "没有“b”这个选项，请重新选择。",
    "long": "最多 3 个字，现在是 4 个。",
    "short": "至少 3 个字，现在是 1 个。",
    "mail": "邮箱地址不对，请检查。",
}


def test_a_wrong_field_is_told_in_plain_chinese():
    with translation.override("zh-hans"):
        errors = Everything(WRONG).errors
        assert {name: str(errors[name][0]) for name in errors} == SAID


def test_a_wrong_field_is_told_in_english_as_ever():
    with translation.override("en"):
        errors = Everything(WRONG).errors
        assert errors["number"][0] == "Ensure this value is greater than or equal to 1."
        assert errors["long"][0] == "Ensure this value has at most 3 characters (it has 4)."


def test_the_words_are_still_what_django_says_and_none_is_stiff():
    with (Path(django.__file__).parent / "conf/locale/zh_Hans/LC_MESSAGES/django.po").open("rb") as file:
        known = {message.id if isinstance(message.id, str) else message.id[0] for message in read_po(file)}
    with translation.override("en"):
        named = [str(word) for word in FIELD_WORDS]
    assert set(named) <= known
    assert len(COUNTED_WORDS) == 6
    with translation.override("zh-hans"):
        assert not [str(word) for word in FIELD_WORDS if any(stiff in str(word) for stiff in STIFF)]
