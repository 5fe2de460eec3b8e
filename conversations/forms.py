"""Forms of reading chats: filters, findings, scores, rubrics."""

from typing import Any

from django import forms
from django.db.models import QuerySet
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from accounts.models import Clinic, Team, User
from accounts.permissions import Role
from conversations.inspection.codes import CODES, GROUPS
from conversations.models import CapturedContact, Conversation

ANY = ("", _("Any"))
DAY = {"type": "date"}


def code_choices(*, groups: bool = False) -> list[Any]:
    """Return the codes by group; with `groups` a whole group may be chosen too."""
    found: list[Any] = []
    for group, name in GROUPS.items():
        codes = [(code, known.label) for code, known in CODES.items() if known.group == group]
        whole = [(group, _("all of these"))] if groups and group not in CODES else []
        found.append((name, [*whole, *codes]))
    return found


def consultants(clinic: Clinic) -> QuerySet[User]:
    """Return who may lead chats here: online consultants, managers, and whoever ever did."""
    return User.objects.working_in(clinic, Role.ONLINE_CONSULTANT, Role.COORDINATOR, Role.MANAGER)


class ChatFilterForm(forms.Form):
    """Which chats the list shows; every filter stands in the address."""

    consultant = forms.ModelChoiceField(
        User.objects.none(), label=_("Consultant"), required=False, empty_label=_("Any")
    )
    team = forms.ModelChoiceField(Team.objects.none(), label=_("Team"), required=False, empty_label=_("Any"))
    channel = forms.CharField(label=_("Channel"), required=False, max_length=60)
    keyword = forms.CharField(label=_("Keyword"), required=False, max_length=120)
    code = forms.ChoiceField(label=_("What was found"), required=False)
    ending = forms.ChoiceField(label=_("Ending"), required=False, choices=[ANY, *Conversation.Ending.choices])
    captured = forms.ChoiceField(
        label=_("Captured"), required=False,
        choices=[ANY, ("any", _("Any contact")), ("none", _("No contact")), *CapturedContact.Kind.choices,
                 ("booking", pgettext_lazy("agreed", "Booking"))],
    )  # fmt: skip
    start = forms.DateField(label=_("From"), required=False, widget=forms.DateInput(attrs=DAY, format="%Y-%m-%d"))
    end = forms.DateField(label=_("Until"), required=False, widget=forms.DateInput(attrs=DAY, format="%Y-%m-%d"))
    money = forms.DecimalField(
        label=_("Costs at least"), required=False, min_value=0, max_digits=8, decimal_places=2,
        widget=forms.NumberInput(attrs={"inputmode": "decimal", "step": "any"}),
    )  # fmt: skip
    # Not on the form; reports link by them.
    severity = forms.IntegerField(required=False, min_value=0, max_value=4, widget=forms.HiddenInput)
    effective = forms.BooleanField(required=False, widget=forms.HiddenInput)
    hour = forms.IntegerField(required=False, min_value=0, max_value=23, widget=forms.HiddenInput)
    weekday = forms.IntegerField(required=False, min_value=1, max_value=7, widget=forms.HiddenInput)

    def __init__(self, data: Any, *, clinic: Clinic, sees_all: bool) -> None:
        super().__init__(_with_days(data))
        if sees_all:
            self.fields["consultant"].queryset = User.objects.for_clinic(clinic).persons().order_by("full_name", "pk")  # type: ignore[attr-defined]
            self.fields["team"].queryset = Team.objects.for_clinic(clinic)  # type: ignore[attr-defined]
        self.fields["code"].choices = [ANY, *code_choices(groups=True)]  # type: ignore[attr-defined]

    @property
    def said(self) -> dict[str, Any]:
        """The filters that could be read; what could not is as not said."""
        self.is_valid()
        return {name: value for name, value in self.cleaned_data.items() if value not in (None, "", False)}


def _with_days(data: Any) -> Any:
    """Reports write from= and to=, which Python has its own use for."""
    said = data.copy()
    for short, name in (("from", "start"), ("to", "end")):
        if said.get(short) and not said.get(name):
            said[name] = said[short]
    return said


class FindingForm(forms.Form):
    """A manager's own finding."""

    code = forms.ChoiceField(label=_("What it is"))
    quote = forms.CharField(label=_("The words"), required=False, max_length=200)
    advice = forms.CharField(
        label=_("What to say instead"), required=False, max_length=300, widget=forms.Textarea(attrs={"rows": 2})
    )
    note = forms.CharField(label=_("Note"), required=False, max_length=300)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["code"].choices = [("", "—"), *code_choices()]  # type: ignore[attr-defined]


class AppealForm(forms.Form):
    """Why a finding does not hold."""

    text = forms.CharField(label=_("Why it does not hold"), max_length=1000, widget=forms.Textarea(attrs={"rows": 4}))


class AnswerForm(forms.Form):
    """What a manager says to an appeal; the button says whether it is upheld."""

    answer = forms.CharField(max_length=1000, required=False)
    upheld = forms.ChoiceField(choices=[("yes", "yes"), ("no", "no")])


class ScoreForm(forms.Form):
    """A manager's score: the points of each rule that was found, and why they differ."""

    note = forms.CharField(label=_("Note"), required=False, max_length=500)
    seen = forms.IntegerField(required=False, min_value=1, max_value=10**15, widget=forms.HiddenInput)

    def __init__(self, data: Any = None, *, codes: list[str], **kwargs: Any) -> None:
        super().__init__(data, **kwargs)
        self.codes = codes
        for code in codes:
            self.fields[code] = forms.DecimalField(
                label=str(CODES[code].label), required=False, min_value=0, max_value=100, max_digits=5, decimal_places=2
            )

    @property
    def points(self) -> dict[str, Any]:
        """The points given, by code; what was left empty is as proposed."""
        return {code: self.cleaned_data[code] for code in self.codes if self.cleaned_data.get(code) is not None}


class ChatRubricForm(forms.Form):
    """What each fault in a chat costs, and what a group costs at most."""

    seen = forms.IntegerField(min_value=0, max_value=10**9, widget=forms.HiddenInput)

    def __init__(self, data: Any = None, *, rubric: Any) -> None:
        super().__init__(data, initial={"seen": rubric.version})
        deductions, caps = rubric.data.get("deductions", {}), rubric.data.get("caps", {})
        for code, known in CODES.items():
            if code != "abuse":
                self._add(f"d.{code}", known.label, deductions.get(code, float(known.deduction)))
        for group, label in GROUPS.items():
            if group != "abuse":
                self._add(f"c.{group}", label, caps.get(group, 100))

    def _add(self, name: str, label: Any, value: Any) -> None:
        number = forms.NumberInput(attrs={"step": "0.5", "inputmode": "decimal", "class": "input"})
        self.fields[name] = forms.DecimalField(
            label=label, min_value=0, max_value=100, max_digits=4, decimal_places=1, widget=number,
            initial=f"{float(value):g}",
        )  # fmt: skip

    def groups(self) -> list[dict[str, Any]]:
        """The fields by group, for the page."""
        return [
            {
                "label": label,
                "fields": [self[f"d.{c}"] for c, known in CODES.items() if known.group == group],
                "cap": self[f"c.{group}"],
            }
            for group, label in GROUPS.items()
            if group != "abuse"
        ]

    @property
    def rubric_data(self) -> dict[str, Any]:
        """What stands in Rubric.data."""
        said = self.cleaned_data
        return {
            "deductions": {code: float(said[f"d.{code}"]) if code != "abuse" else 100.0 for code in CODES},
            "caps": {group: float(said[f"c.{group}"]) for group in GROUPS if group != "abuse"},
        }


class FrontItemForm(forms.Form):
    """One item of the rubric for fronts."""

    code = forms.SlugField(max_length=24, required=False, widget=forms.HiddenInput)
    label = forms.CharField(label=_("Item"), max_length=30, required=False)
    points = forms.IntegerField(label=_("Points"), min_value=0, max_value=100, required=False)
    help = forms.CharField(label=_("When the points are given in full"), max_length=200, required=False)


FrontItems = forms.formset_factory(FrontItemForm, extra=2, max_num=12, absolute_max=12)


class CoachForm(forms.Form):
    """What a consultant is to do better, and until when."""

    text = forms.CharField(
        label=_("What to do better"), max_length=1000,
        widget=forms.Textarea(attrs={"rows": 3, "placeholder": _("What to do better next time")}),
        error_messages={"required": _("Say what to do better.")},
    )  # fmt: skip
    due_on = forms.DateField(label=_("Until"), widget=forms.DateInput(attrs=DAY, format="%Y-%m-%d"))


class FrontScoreForm(forms.Form):
    """The points of one consultant's front in one month."""

    note = forms.CharField(label=_("Note"), required=False, max_length=500, widget=forms.Textarea(attrs={"rows": 3}))

    def __init__(self, data: Any = None, *, items: list[dict[str, Any]], **kwargs: Any) -> None:
        super().__init__(data, **kwargs)
        self.codes = [item["code"] for item in items]
        for item in items:
            number = forms.NumberInput(attrs={"inputmode": "numeric"})
            self.fields[item["code"]] = forms.IntegerField(
                label=item["label"], min_value=0, max_value=item["points"], help_text=item["help"], widget=number
            )
        self.order_fields([*self.codes, "note"])

    @property
    def points(self) -> dict[str, int]:
        """The points by item."""
        return {code: self.cleaned_data[code] for code in self.codes}
