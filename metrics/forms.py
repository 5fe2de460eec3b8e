"""Forms of the inspection of etiquette."""

import re
from collections.abc import Iterable
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

from django import forms
from django.core.validators import RegexValidator
from django.utils.translation import get_language, gettext_lazy, pgettext_lazy
from django.utils.translation import gettext as _

from accounts.models import Clinic, User
from metrics import etiquette_rules as rules
from metrics.etiquette_audio import BadRecording, Recording, read_recording

MOST_RECORDINGS = 3  # of one inspection at once
DAYS = 30  # shown when no days were chosen
CODE = re.compile(r"\A[a-z0-9_-]{1,40}\Z")
ANSWER_WORDS = (
    ("1", pgettext_lazy("etiquette", "Yes")),
    ("0.5", pgettext_lazy("etiquette", "In part")),
    ("0", pgettext_lazy("etiquette", "No")),
    ("na", pgettext_lazy("etiquette", "N/A")),
)


def _field(code: str) -> str:
    return f"a-{code}"


class InspectionForm(forms.Form):
    """The answers to the items of one rubric, with a note."""

    note = forms.CharField(
        label=gettext_lazy("Note"), max_length=500, required=False, widget=forms.Textarea({"rows": 2})
    )

    def __init__(self, items: Iterable[rules.Item], *args: Any, language: str = "", **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.items, self.language = tuple(items), language
        for item in self.items:
            self.fields[_field(item.code)] = forms.ChoiceField(
                label=item.words(language), choices=ANSWER_WORDS, widget=forms.RadioSelect,
                error_messages={"required": _("Choose an answer.")},
            )  # fmt: skip

    def rows(self) -> list[dict[str, Any]]:
        """Return the items with their fields and hints, for the page."""
        return [
            {"item": item, "field": self[_field(item.code)], "hint": item.hint(self.language)} for item in self.items
        ]

    def answers(self) -> dict[str, Decimal | None]:
        """Return the answers by item."""
        return {item.code: rules.ANSWERS[self.cleaned_data[_field(item.code)]] for item in self.items}

    def filled(self) -> dict[str, str]:
        """Return what was typed, with "yes" for every item that has no answer yet."""
        typed = {name: self.data.get(name, "") for name in self.fields}
        return typed | {_field(i.code): typed[_field(i.code)] or "1" for i in self.items}


def read_recordings(files: Iterable[Any]) -> tuple[list[Recording], list[str]]:
    """Read uploaded recordings; returns those that are taken, and what is wrong with the others."""
    taken: list[Recording] = []
    wrong: list[str] = []
    for number, file in enumerate(files):
        if number >= MOST_RECORDINGS:
            wrong.append(_("At most %(count)d recordings at once.") % {"count": MOST_RECORDINGS})
            break
        try:
            taken.append(read_recording(file))
        except BadRecording as error:
            wrong.append(_("%(name)s: %(problem)s") % {"name": (file.name or "")[:60], "problem": error})
    return taken, wrong


class RubricItemForm(forms.Form):
    """One item of a rubric; left without any name, it is dropped."""

    code = forms.CharField(required=False, widget=forms.HiddenInput, validators=[RegexValidator(CODE)])
    label_zh = forms.CharField(
        label=gettext_lazy("What is looked for, Chinese"), max_length=rules.LONGEST_LABEL, required=False
    )
    label = forms.CharField(
        label=gettext_lazy("What is looked for, English"), max_length=rules.LONGEST_LABEL, required=False
    )
    points = forms.IntegerField(label=gettext_lazy("Points"), min_value=1, max_value=rules.WHOLE, required=False)
    help_zh = forms.CharField(label=gettext_lazy("Hint, Chinese"), max_length=rules.LONGEST_HELP, required=False)
    help = forms.CharField(label=gettext_lazy("Hint, English"), max_length=rules.LONGEST_HELP, required=False)

    @property
    def shown_name(self) -> str:
        """Its name in the reader's language, in the other one where that has none."""
        chinese, english = (str(self[name].value() or "") for name in ("label_zh", "label"))
        return (chinese or english) if (get_language() or "").startswith("zh") else (english or chinese)

    @property
    def is_kept(self) -> bool:
        return bool(self.cleaned_data["label"].strip() or self.cleaned_data["label_zh"].strip())

    def clean(self) -> dict[str, Any]:
        data: dict[str, Any] = super().clean() or {}
        named = (data.get("label") or "").strip() or (data.get("label_zh") or "").strip()
        if named and not data.get("points") and "points" not in self.errors:
            self.add_error("points", _("How many points?"))
        return data


def draft_of(rows: Iterable[RubricItemForm]) -> list[rules.Item]:
    """Return the items of checked forms; new ones get a code of their own."""
    kept = [form.cleaned_data for form in rows if form.is_kept]
    taken = {data["code"] for data in kept}
    free = (code for n in range(1, 1000) if (code := f"own-{n}") not in taken)
    names = ("label", "label_zh", "help", "help_zh")
    return [
        rules.Item(
            code=data["code"] or next(free), points=data["points"], **{name: data[name].strip() for name in names}
        )
        for data in kept
    ]


class EtiquetteFilterForm(forms.Form):
    """Which inspections are shown."""

    staff = forms.ModelChoiceField(
        label=pgettext_lazy("etiquette", "Person"), queryset=User.objects.none(), required=False
    )
    kind = forms.ChoiceField(label=pgettext_lazy("etiquette", "Where"), required=False)
    start = forms.DateField(
        label=gettext_lazy("From"), required=False, widget=forms.DateInput({"type": "date"}, format="%Y-%m-%d")
    )
    end = forms.DateField(
        label=gettext_lazy("To"), required=False, widget=forms.DateInput({"type": "date"}, format="%Y-%m-%d")
    )
    version = forms.IntegerField(required=False, min_value=1, max_value=10**6, widget=forms.HiddenInput)

    def __init__(self, data: Any, *, clinic: Clinic) -> None:
        self.clinic = clinic
        today = clinic.today()
        usual = {"start": (today - timedelta(days=DAYS - 1)).isoformat(), "end": today.isoformat()}
        super().__init__({name: data.get(name) or usual.get(name, "") for name in self.base_fields})
        self.fields["staff"].queryset = User.objects.for_clinic(clinic).persons().order_by("full_name")  # type: ignore[attr-defined]
        self.fields["staff"].empty_label = _("All")  # type: ignore[attr-defined]
        kinds = [("", _("All")), (rules.VISIT, _("In person")), (rules.CALL, _("By telephone"))]
        self.fields["kind"].choices = kinds  # type: ignore[attr-defined]

    def clean(self) -> dict[str, Any]:
        data: dict[str, Any] = super().clean() or {}
        start, end = data.get("start"), data.get("end")
        for name, said in (("start", start), ("end", end)):
            if said is not None and not 1900 <= said.year < 2200:
                self.add_error(name, _("Enter a valid date."))
        if start and end and end < start:
            self.add_error("end", _("The end lies before the beginning."))
        return data

    def kept(self, rows: Any) -> Any:
        """Keep the rows that the filters mean; none when they mean nothing."""
        if not self.is_valid():
            return rows.none()
        data = self.cleaned_data
        start: date = data["start"]
        rows = rows.filter(inspected_at__gte=self.clinic.day_bounds(start)[0])
        rows = rows.filter(inspected_at__lt=self.clinic.day_bounds(data["end"])[1])
        named = {"staff": "staff", "kind": "rubric__kind", "version": "rubric__version"}
        return rows.filter(**{path: data[name] for name, path in named.items() if data[name]})
