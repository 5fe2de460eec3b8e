"""A question set as a Django form, so that the field components show it."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.http import QueryDict
from django.utils.translation import gettext as _

from consultations import form_rules
from consultations.form_rules import AnswerError, Answers, Group, Question

PREFIX = "q_"
DETAIL = "_detail"
SEEN = "version"  # the answers a page was built from; autosave puts what the server answers back into it
SEEN_LONGEST = 60_000  # characters


def yes_no_choices() -> list[tuple[str, str]]:
    return list(zip(form_rules.YES_NO, (_("Yes"), _("No"), _("Not sure")), strict=True))


def _widget(question: Question) -> forms.Widget:
    kinds: dict[str, type[forms.Widget]] = {"long": forms.Textarea, "date": forms.DateInput}
    picked: dict[str, list[tuple[str, str]]] = {
        "single": list(question.options),
        "multi": list(question.options),
        "yes_no": yes_no_choices(),
        "scale": [(str(n), str(n)) for n in range(question.least, question.most + 1)],
    }
    if question.type in picked:
        many = forms.CheckboxSelectMultiple if question.type == "multi" else forms.RadioSelect
        return many(choices=picked[question.type])
    widget = kinds.get(question.type, forms.TextInput)()
    longest = form_rules.LONGEST.get(question.type)
    if longest:
        widget.attrs["maxlength"] = longest
    if question.type == "long":
        widget.attrs["rows"] = 2
    if question.type == "number":
        widget.attrs |= {"inputmode": "numeric"}
    if question.type == "month":
        widget.input_type = "month"  # type: ignore[attr-defined]
        widget.attrs |= {"placeholder": "2026-03"}
    return widget


class QuestionField(forms.Field):
    """One question. Required means marked so: a draft may leave it open."""

    def __init__(self, question: Question) -> None:
        self.question = question
        super().__init__(
            label=question.label, help_text=question.help, required=question.required, widget=_widget(question)
        )

    def clean(self, value: Any) -> Any:
        try:
            return form_rules.clean(self.question, value)
        except AnswerError as error:
            raise ValidationError(str(error)) from None


@dataclass(frozen=True)
class Shown:
    """A question as a template shows it."""

    question: Question
    field: forms.BoundField
    detail: forms.BoundField | None

    @property
    def kind(self) -> str:
        """How the field component shows it; empty leaves it to the widget."""
        return {"single": "chips", "yes_no": "chips", "scale": "chips", "multi": "checks"}.get(self.question.type, "")

    @property
    def wide(self) -> bool:
        return self.question.type in {"long", "multi", "scale"} or len(self.question.options) > 4

    @property
    def depends_on(self) -> str:
        """The name of the field this question waits for, if any."""
        return PREFIX + self.question.show_if.answer if self.question.show_if.answer else ""

    @property
    def depends_in(self) -> str:
        return " ".join(sorted(self.question.show_if.within))

    @property
    def detail_label(self) -> str:
        return self.question.detail


class AnswerForm(forms.Form):
    """The questions of some groups with the answers so far."""

    use_required_attribute = False

    def __init__(self, groups: Iterable[Group], answers: Answers, data: QueryDict | None = None) -> None:
        self.groups = tuple(groups)
        self.answers = answers
        super().__init__(data, initial=_initial(answers), prefix=None)
        for question in self.questions:
            self.fields[PREFIX + question.code] = QuestionField(question)
            if question.type == "yes_no" and question.detail:
                words = forms.TextInput({"maxlength": form_rules.DETAIL_LONGEST})
                name = PREFIX + question.code + DETAIL
                self.fields[name] = forms.CharField(label=question.detail, required=False, widget=words, strip=True)

    @property
    def questions(self) -> list[Question]:
        return [question for group in self.groups for question in group.questions]

    def sent(self) -> dict[str, Any]:
        """Return the valid answers sent, None for those emptied; what was not in the request is left out."""
        result: dict[str, Any] = {}
        for question in self.questions:
            name = PREFIX + question.code
            if name not in self.cleaned_data or name in self.errors:
                continue
            value = self.cleaned_data[name]
            if isinstance(value, Mapping):
                detail = self.cleaned_data.get(name + DETAIL) or ""
                value = form_rules.clean(question, value["value"], detail[: form_rules.DETAIL_LONGEST])
            result[question.code] = value
        return result

    def seen(self) -> dict[str, Any]:
        """Return the answers the writer's page was built from; unreadable ones count as none seen."""
        text = str(self.data.get(SEEN, ""))
        try:
            value = json.loads(text) if len(text) <= SEEN_LONGEST else {}
        except ValueError:
            return {}
        return value if isinstance(value, dict) else {}

    def seen_now(self) -> str:
        """What goes into the page, to come back with the next answers.

        After a save: what the page had seen and has sent itself, not what others answered meanwhile.
        """
        codes = {question.code for question in self.questions}
        known = self.seen() | self.sent() if self.is_bound else self.answers
        kept = {code: value for code, value in known.items() if code in codes and value is not None}
        return json.dumps(kept, ensure_ascii=False).encode(errors="replace").decode()  # halves of characters

    def ask_for(self, missing: Iterable[Question]) -> None:
        """Mark questions that must be answered first."""
        for question in missing:
            if PREFIX + question.code in self.fields:
                self.add_error(PREFIX + question.code, _("Please answer this."))

    def shown(self, group: Group) -> list[Shown]:
        """Return the questions of a group as a template shows them."""
        rows = []
        for question in group.questions:
            name = PREFIX + question.code
            detail = self[name + DETAIL] if name + DETAIL in self.fields else None
            rows.append(Shown(question, self[name], detail))
        return rows

    @property
    def sections(self) -> list[dict[str, Any]]:
        return [{"group": group, "rows": self.shown(group)} for group in self.groups]


def _initial(answers: Answers) -> dict[str, Any]:
    initial: dict[str, Any] = {}
    for code, value in answers.items():
        if isinstance(value, Mapping):
            initial[PREFIX + code] = value.get("value", "")
            initial[PREFIX + code + DETAIL] = value.get("detail", "")
        else:
            initial[PREFIX + code] = value
    return initial


def answers_as_sent(groups: Iterable[Group], answers: Answers) -> QueryDict:
    """Return answers the way a browser would send them, to show what is missing beside the fields."""
    data = QueryDict(mutable=True)
    initial = _initial(answers)
    for group in groups:
        for question in group.questions:
            for name in (PREFIX + question.code, PREFIX + question.code + DETAIL):
                value = initial.get(name)
                if value not in (None, ""):
                    data.setlist(name, [str(v) for v in value] if isinstance(value, list) else [str(value)])
    return data
