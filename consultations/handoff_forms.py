"""The coordinator's form for the handoff note."""

from collections.abc import Iterable
from typing import Any

from django import forms
from django.http import QueryDict
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from accounts.models import User
from consultations.handoff_rules import REQUIRED, Part, clean_points, missing_parts
from consultations.models import Exam, Visit
from consultations.services.handoff import LABELS, Content, suggestion_of
from patients.classification import PatientClass, Suggestion

SCORES = [(n, str(n)) for n in range(1, 6)]
POINT_LENGTH = 200


def _text(name: str, length: int, rows: int = 3) -> forms.CharField:
    widget = forms.Textarea(attrs={"rows": rows})
    return forms.CharField(label=LABELS[name], max_length=length, required=False, widget=widget)


class HandoffForm(forms.Form):
    """All parts of the note. A draft keeps what is valid of it; `require_whole` asks for the rest."""

    use_required_attribute = False
    version = forms.IntegerField(min_value=0, widget=forms.HiddenInput, required=False)
    class_code = forms.ChoiceField(label=LABELS["class_code"], choices=PatientClass.choices, required=False)
    class_reason = forms.CharField(label=LABELS["class_reason"], max_length=300, required=False)
    awareness = forms.TypedChoiceField(
        label=LABELS["awareness"], choices=SCORES, coerce=int, required=False, empty_value=None
    )
    trust = forms.TypedChoiceField(label=LABELS["trust"], choices=SCORES, coerce=int, required=False, empty_value=None)
    awareness_note = forms.CharField(label=LABELS["awareness_note"], max_length=120, required=False)
    trust_note = forms.CharField(label=LABELS["trust_note"], max_length=120, required=False)
    opinion = _text("opinion", 1000)
    told_patient = _text("told_patient", 1000)
    situation = forms.CharField(label=LABELS["situation"], max_length=500, required=False)
    wished_words = _text("wished_words", 300, rows=2)
    attached_exams = forms.TypedMultipleChoiceField(label=LABELS["attached_exams"], coerce=int, required=False)
    attach_form = forms.BooleanField(label=LABELS["attach_form"], required=False)
    doctor = forms.TypedChoiceField(label=gettext_lazy("Doctor"), coerce=int, required=False, empty_value=None)

    def __init__(
        self,
        data: QueryDict | None = None,
        *,
        visit: Visit,
        doctors: Iterable[User] = (),
        exams: Iterable[Exam] = (),
        **kwargs: Any,
    ) -> None:
        super().__init__(data, **kwargs)
        self.visit = visit
        self.doctors = {doctor.pk: doctor for doctor in doctors}
        self.exams = list(exams)
        self._choices("doctor", [(pk, str(doctor)) for pk, doctor in self.doctors.items()])
        self._choices("attached_exams", [(exam.pk, str(exam.kind)) for exam in self.exams])
        self.typed_points = (
            data.getlist("stress_points") if data is not None else list(self.initial.get("stress_points", ()))
        )
        for part in REQUIRED:
            if part in self.fields:
                self.fields[part].required = True
                self.fields[part].error_messages["required"] = _("Needed before the note is sent.")

    def _choices(self, name: str, pairs: list[tuple[Any, str]]) -> None:
        field = self.fields[name]
        assert isinstance(field, forms.ChoiceField)
        field.choices = pairs

    @property
    def points(self) -> list[str]:
        return [point[:POINT_LENGTH] for point in clean_points(self.typed_points)]

    def content(self) -> Content:
        """Return what is valid of the note, as the services take it."""
        data: dict[str, Any] = getattr(self, "cleaned_data", {})
        simple = (
            "class_code",
            "class_reason",
            "awareness_note",
            "trust_note",
            "situation",
            "opinion",
            "told_patient",
            "wished_words",
        )
        return Content(
            **{name: data.get(name, "") for name in simple},
            awareness=data.get("awareness"),
            trust=data.get("trust"),
            stress_points=tuple(self.points),
            attached_exams=tuple(sorted(data.get("attached_exams", ()))),
            attach_form=data.get("attach_form", False),
        )

    def suggestion(self) -> Suggestion:
        """Return the class suggested with the awareness as it stands in the form."""
        raw = self["awareness"].value()
        return suggestion_of(self.visit, int(raw) if str(raw) in {"1", "2", "3", "4", "5"} else None)

    def require_whole(self) -> bool:
        """Ask for the parts that a sent note must have. Returns whether it has them all."""
        self.full_clean()
        lacking = missing_parts(self.content().note, self.suggestion().code)
        if Part.STRESS in lacking:
            self.add_error(None, _("Name at least one point for the doctor to stress."))
        if Part.REASON in lacking:
            self.add_error(Part.REASON.value, _("Say why the class differs from the suggestion."))
        if self.chosen_doctor() is None:
            self.add_error(None, _("Choose the doctor who treats."))
        return not self.errors

    def chosen_doctor(self) -> User | None:
        return self.doctors.get(self.cleaned_data.get("doctor") or 0)
