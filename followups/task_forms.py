"""What is asked for to make a task by hand, to log a contact, to hand tasks over, and of a playbook's step."""

from datetime import datetime, timedelta
from typing import Any

from django import forms
from django.utils import timezone
from django.utils.translation import gettext, pgettext_lazy
from django.utils.translation import gettext_lazy as _

from accounts.models import Clinic, User
from accounts.reading import YEARS
from followups import task_rules
from followups.models import ContactChannel, ContactOutcome, Nature, PlaybookStep, TaskKind
from followups.models.playbooks import due_words
from followups.playbook_sets import StepDraft
from followups.task_list import owners_of
from followups.task_panel import PLACEHOLDERS

BY_HAND = [choice for choice in TaskKind.choices if choice[0] != TaskKind.RECHECK_PLAN]


def check_script(text: str) -> str:
    """Raise ValidationError for placeholders that nothing fills."""
    unknown = task_rules.unknown_placeholders(text, PLACEHOLDERS)
    if unknown:
        raise forms.ValidationError(gettext("Nothing fills {%(name)s}.") % {"name": "}, {".join(unknown)})
    return text


class TaskForm(forms.Form):
    """A task by hand."""

    kind = forms.ChoiceField(label=pgettext_lazy("task", "What"), choices=BY_HAND, initial=TaskKind.KEEP_IN_TOUCH)
    title = forms.CharField(label=_("Title"), max_length=120)
    day = forms.DateField(label=_("Date"))
    at = forms.TimeField(label=_("Time"))
    channel = forms.ChoiceField(label=_("How"), choices=ContactChannel.choices, initial=ContactChannel.PHONE)
    nature = forms.ChoiceField(label=_("Nature"), choices=Nature.choices, initial=Nature.SERVICE)
    owner = forms.ModelChoiceField(User.objects.none(), label=_("Who"), empty_label=None)
    script = forms.CharField(
        label=_("Script"), max_length=1000, required=False, widget=forms.Textarea(attrs={"rows": 3})
    )

    def __init__(self, *args: Any, clinic: Clinic, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.clinic = clinic
        people = [user.pk for user in owners_of(clinic)]
        self.fields["owner"].queryset = User.objects.filter(pk__in=people).order_by("full_name")  # type: ignore[attr-defined]

    def clean_script(self) -> str:
        return check_script(self.cleaned_data["script"])

    def clean(self) -> dict[str, Any]:
        data: dict[str, Any] = super().clean() or {}
        day, at = data.get("day"), data.get("at")
        if day is not None and at is not None:
            now = timezone.now()
            soon = day.year in YEARS and now - timedelta(days=1) < datetime.combine(day, at, self.clinic.tz)
            if not soon or datetime.combine(day, at, self.clinic.tz) > now + timedelta(days=731):
                self.add_error("day", gettext("Choose a time in the coming two years."))
            else:
                data["due_at"] = datetime.combine(day, at, self.clinic.tz)
        return data


class ContactForm(forms.Form):
    """A contact without a task."""

    channel = forms.ChoiceField(label=_("How"), choices=ContactChannel.choices, initial=ContactChannel.PHONE)
    outcome = forms.ChoiceField(label=_("How it went"), choices=ContactOutcome.choices)
    note = forms.CharField(label=_("Note"), max_length=500, required=False, widget=forms.Textarea(attrs={"rows": 2}))


class HandOverForm(forms.Form):
    """All tasks of a colleague, to one other or shared out."""

    away = forms.ModelChoiceField(User.objects.none(), label=_("Whose tasks"), empty_label=_("Choose"))
    to = forms.ModelChoiceField(
        User.objects.none(), label=_("To whom"), required=False, empty_label=_("share among those of the same role")
    )
    until = forms.DateField(label=_("Also what comes due through"), required=False, widget=forms.DateInput())
    reason = forms.CharField(label=_("Reason"), max_length=200)

    def __init__(self, *args: Any, clinic: Clinic, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        people = User.objects.filter(pk__in=[user.pk for user in owners_of(clinic)]).order_by("full_name")
        with_tasks = User.objects.filter(tasks__clinic=clinic, tasks__status="open")
        self.fields["away"].queryset = (people | with_tasks).distinct()  # type: ignore[attr-defined]
        self.fields["to"].queryset = people  # type: ignore[attr-defined]


class StepForm(forms.Form):
    """One step of a playbook; an empty title leaves it out."""

    position = forms.IntegerField(required=False, min_value=0, max_value=1000, widget=forms.HiddenInput)
    kind = forms.ChoiceField(
        label=pgettext_lazy("task", "What"), choices=TaskKind.choices, initial=TaskKind.KEEP_IN_TOUCH
    )
    title = forms.CharField(label=_("Title"), max_length=80, required=False)
    anchor = forms.ChoiceField(label=_("Counted from"), choices=PlaybookStep.Anchor.choices, initial="left")
    offset_days = forms.IntegerField(label=_("Days after"), min_value=-60, max_value=730, initial=1)
    at_time = forms.TimeField(label=_("At"), required=False)
    repeat_days = forms.IntegerField(label=_("Again every, days"), min_value=7, max_value=730, required=False)
    owner_role = forms.ChoiceField(label=_("Who"), initial="coordinator")
    channel = forms.ChoiceField(label=_("How"), choices=ContactChannel.choices, initial=ContactChannel.PHONE)
    nature = forms.ChoiceField(label=_("Nature"), choices=Nature.choices, initial=Nature.SERVICE)
    closed_by = forms.ChoiceField(label=_("Closed by"), choices=PlaybookStep.ClosedBy.choices, initial="contact")
    wechat = forms.CharField(
        label=_("Words for WeChat"), max_length=480, required=False, widget=forms.Textarea(attrs={"rows": 3})
    )
    phone = forms.CharField(
        label=_("Words for the phone, when others"),
        max_length=480,
        required=False,
        widget=forms.Textarea(attrs={"rows": 3}),
    )
    leave_out = forms.BooleanField(label=_("Leave this step out"), required=False)

    def __init__(self, *args: Any, forbidden: frozenset[str] = frozenset(), **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.forbidden = forbidden
        roles = PlaybookStep._meta.get_field("owner_role").choices
        self.fields["owner_role"].choices = roles  # type: ignore[attr-defined]

    def clean_wechat(self) -> str:
        return check_script(self.cleaned_data["wechat"])

    def clean_phone(self) -> str:
        return check_script(self.cleaned_data["phone"])

    def clean_nature(self) -> str:
        nature: str = self.cleaned_data["nature"]
        if nature in self.forbidden and not self.data.get(self.add_prefix("leave_out")):
            raise forms.ValidationError(gettext("Never for this class."))
        return nature

    def clean(self) -> dict[str, Any]:
        data: dict[str, Any] = super().clean() or {}
        before = data.get("offset_days") is not None and data["offset_days"] < 0
        if before and data.get("anchor") != PlaybookStep.Anchor.APPOINTMENT:
            self.add_error("offset_days", gettext("Only an appointment has days before it."))
        dated = (PlaybookStep.Anchor.LEFT, PlaybookStep.Anchor.CLASS_SET)
        if data.get("repeat_days") and data.get("anchor") not in dated:
            self.add_error("repeat_days", gettext("Only steps after leaving or setting the class repeat."))
        return data

    @property
    def anchor_words(self) -> str:
        """Return when the step is due, for its line in the editor."""
        anchor = dict(PlaybookStep.Anchor.choices).get(self["anchor"].value() or "", "")
        days = str(self["offset_days"].value() or 0)
        known = anchor and len(days) < 6 and days.removeprefix("-").isdecimal()
        return due_words(str(anchor), int(days)) if known else str(anchor)

    @property
    def is_kept(self) -> bool:
        return bool(self.cleaned_data.get("title", "").strip()) and not self.cleaned_data.get("leave_out")

    def draft(self) -> StepDraft:
        data = self.cleaned_data
        words = {"script": task_rules.join_scripts(data["wechat"], data["phone"]), "title": data["title"].strip()}
        names = set(StepDraft.__dataclass_fields__) - set(words)
        return StepDraft(**{name: data[name] for name in names}, **words)


def initial_of(step: StepDraft) -> dict[str, Any]:
    """Return a step as the form shows it."""
    words = task_rules.scripts_of(step.script)
    both = {"wechat": words[ContactChannel.WECHAT], "phone": words[ContactChannel.PHONE]}
    if both["phone"] == both["wechat"]:
        both["phone"] = ""
    fields = {name: getattr(step, name) for name in StepDraft.__dataclass_fields__ if name != "script"}
    return fields | both
