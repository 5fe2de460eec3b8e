"""Forms of the patients' pages."""

from datetime import date
from typing import Any

from django import forms
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from accounts.models import Clinic
from patients.models import Channel, Registration, Sex
from patients.phones import clean_number
from patients.queries import age_to_birth, doctors, owners
from patients.typed import OLDEST, check_birth, clean_name

SEXES = [(Sex.FEMALE.value, Sex.FEMALE.label), (Sex.MALE.value, Sex.MALE.label)]
PHONE_ATTRS = {"inputmode": "tel", "autocomplete": "off"}


class PhoneField(forms.CharField):
    """One phone number; cleans to its digits."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(max_length=40, **kwargs)

    def clean(self, value: Any) -> str:
        return clean_number(super().clean(value))

    def widget_attrs(self, widget: forms.Widget) -> dict[str, Any]:
        return {**super().widget_attrs(widget), **PHONE_ATTRS}


class QuickAddForm(forms.Form):
    """A new patient in a minute; `referrer` is a patient's id that the view looks up."""

    name = forms.CharField(label=gettext_lazy("Name"), max_length=120)
    phone = PhoneField(label=gettext_lazy("Phone"), required=False)
    phone2 = PhoneField(label=gettext_lazy("Second phone"), required=False)
    phone2_label = forms.CharField(label=gettext_lazy("Whose"), max_length=20, required=False)
    sex = forms.ChoiceField(label=gettext_lazy("Sex"), choices=SEXES, required=False)
    birth_date = forms.DateField(label=gettext_lazy("Birth date"), required=False)
    age = forms.IntegerField(label=gettext_lazy("Or age"), min_value=0, max_value=OLDEST, required=False)
    channel = forms.ChoiceField(
        label=gettext_lazy("Channel"), choices=[("", gettext_lazy("Choose")), *Channel.choices], required=False
    )
    complaint = forms.CharField(label=gettext_lazy("Chief complaint"), max_length=200, required=False)
    referrer = forms.IntegerField(required=False, widget=forms.HiddenInput)
    referrer_q = forms.CharField(label=gettext_lazy("Referred by"), max_length=120, required=False)
    same = forms.BooleanField(required=False, widget=forms.HiddenInput)  # another person with this name and number

    def __init__(self, *args: Any, clinic: Clinic, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.today = clinic.today()
        if not self.is_bound:
            self.fields["name"].widget.attrs["autofocus"] = True

    def clean_name(self) -> str:
        return clean_name(self.cleaned_data["name"])

    def clean_birth_date(self) -> date | None:
        day: date | None = self.cleaned_data["birth_date"]
        check_birth(day, self.today)
        return day

    def born(self) -> tuple[date | None, bool]:
        """Return the birth date and whether its day is known; an age stands for a year."""
        data = self.cleaned_data
        if data["birth_date"] is None and data["age"] is not None:
            return age_to_birth(data["age"], self.today), False
        return data["birth_date"], True

    def phones(self) -> list[tuple[str, str]]:
        """Return (digits, whose) pairs."""
        data = self.cleaned_data
        pairs = [(data["phone"], ""), (data["phone2"], data["phone2_label"])]
        return [(number, label) for number, label in pairs if number]


class PatientForm(forms.Form):
    """Everything about a person, and how the clinic knows them. Contact ids stay closed: empty keeps them."""

    name = forms.CharField(label=gettext_lazy("Name"), max_length=120)
    sex = forms.ChoiceField(label=gettext_lazy("Sex"), choices=SEXES, required=False)
    birth_date = forms.DateField(label=gettext_lazy("Birth date"), required=False)
    birth_day_known = forms.BooleanField(label=gettext_lazy("Month and day are known"), required=False)
    guardian_name = forms.CharField(label=gettext_lazy("Guardian's name"), max_length=60, required=False)
    guardian_relation = forms.CharField(label=gettext_lazy("Relation"), max_length=20, required=False)
    allergies = forms.CharField(label=gettext_lazy("Allergies"), max_length=200, required=False)
    medical_notes = forms.CharField(
        label=gettext_lazy("Medical history"), max_length=4000, required=False, widget=forms.Textarea
    )
    wechat_id = forms.CharField(label=gettext_lazy("WeChat id"), max_length=64, required=False)
    qq = forms.CharField(label="QQ", max_length=20, required=False)
    call_from = forms.TimeField(label=gettext_lazy("Call from"), required=False)
    call_to = forms.TimeField(label=gettext_lazy("Call until"), required=False)
    call_tone = forms.CharField(label=gettext_lazy("Tone for calls"), max_length=120, required=False)
    occupation = forms.CharField(label=gettext_lazy("Occupation"), max_length=80, required=False)
    daily_rhythm = forms.CharField(label=gettext_lazy("Daily rhythm"), max_length=120, required=False)
    region = forms.CharField(label=gettext_lazy("Region or address"), max_length=200, required=False)
    family = forms.CharField(label=gettext_lazy("Family"), max_length=120, required=False)
    complaint = forms.CharField(label=gettext_lazy("Chief complaint"), max_length=200, required=False)
    owner = forms.ChoiceField(label=gettext_lazy("Coordinator"), required=False)
    doctor = forms.ChoiceField(label=gettext_lazy("Doctor"), required=False)
    channel = forms.ChoiceField(
        label=gettext_lazy("Channel"), choices=[("", gettext_lazy("Choose")), *Channel.choices], required=False
    )
    channel_detail = forms.CharField(label=gettext_lazy("Channel, in words"), max_length=120, required=False)
    tags = forms.CharField(
        label=gettext_lazy("Tags"), max_length=400, required=False, help_text=gettext_lazy("Separated by commas")
    )
    is_important = forms.BooleanField(label=gettext_lazy("Important patient"), required=False)
    notes = forms.CharField(label=gettext_lazy("Notes"), max_length=8000, required=False, widget=forms.Textarea)
    new_phone = PhoneField(label=gettext_lazy("Add a phone"), required=False)
    new_phone_label = forms.CharField(label=gettext_lazy("Whose"), max_length=20, required=False)

    def __init__(self, *args: Any, registration: Registration, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.clinic = registration.clinic
        people = {
            "owner": (_("Nobody yet"), owners(self.clinic), registration.owner),
            "doctor": (_("Not named yet"), doctors(self.clinic), registration.doctor),
        }
        fields: dict[str, Any] = self.fields
        for name, (nobody, staff, now) in people.items():
            former = [(str(now.pk), str(now))] if now and str(now.pk) not in dict(staff) else []
            fields[name].choices = [("", nobody), *staff, *former]  # who has left stays until another is chosen

    def difference(self, name: str, theirs: str, yours: str) -> dict[str, str]:
        """Return one field as two people would have it, in words."""
        return {
            "name": name,
            "label": str(self.fields[name].label),
            "theirs": self._words(name, theirs),
            "yours": self._words(name, yours),
        }

    def _words(self, name: str, value: str) -> str:
        field: Any = self.fields[name]
        if isinstance(field, forms.BooleanField):
            return _("yes") if value else _("no")
        return str(dict(getattr(field, "choices", ())).get(value, value)) or "—"

    def clean_name(self) -> str:
        return clean_name(self.cleaned_data["name"])

    def clean_birth_date(self) -> date | None:
        day: date | None = self.cleaned_data["birth_date"]
        check_birth(day, self.clinic.today())
        return day

    def clean_tags(self) -> list[str]:
        return split_tags(self.cleaned_data["tags"])

    def clean(self) -> dict[str, Any]:
        data: dict[str, Any] = super().clean() or {}
        if bool(data.get("call_from")) != bool(data.get("call_to")):
            missing = "call_to" if data.get("call_from") else "call_from"
            if missing not in self.errors:
                self.add_error(missing, _("Give both ends of the hours, or neither."))
        return data


def split_tags(text: str) -> list[str]:
    """Return the tags in a line, each once, cut to 40 characters; commas of both kinds part them."""
    for mark in ("，", "、", ";", "；"):
        text = text.replace(mark, ",")
    return list(dict.fromkeys(tag.strip()[:40] for tag in text.split(",") if tag.strip()))


class AllergyForm(forms.Form):
    """What treating must heed."""

    allergies = forms.CharField(label=gettext_lazy("Allergies"), max_length=200, required=False)
    medical_notes = forms.CharField(
        label=gettext_lazy("Medical history"), max_length=4000, required=False, widget=forms.Textarea
    )


class ExportForm(forms.Form):
    """Why a list leaves the house, and in which shape."""

    reason = forms.CharField(label=gettext_lazy("What is it for?"), max_length=300, min_length=2)
    format = forms.ChoiceField(label=gettext_lazy("Format"), choices=[("xlsx", "Excel"), ("csv", "CSV")])
    phones = forms.BooleanField(label=gettext_lazy("Phones in full (logged)"), required=False)
