"""What of forms and exams goes out and comes in."""

from collections.abc import Mapping
from typing import Any

from django.utils.translation import gettext as _
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from accounts.api.fields import MoneyField, ScopedField
from accounts.permissions import Permission
from consultations import form_rules
from consultations.api.visits_out import Guarded
from consultations.images import BadImage, Picture, read_picture
from consultations.models import ConsultationForm, Exam, ExamFile, ExamKind, FormTemplate, Visit
from consultations.services.forms import Sheet, sheet_of

ANY_VALUE: dict[str, Any] = {
    "type": ["string", "integer", "array", "object"],
    "description": "A text, a number, a list of codes, or for yes and no {value, detail}; null while not answered.",
}


class ChoiceOut(serializers.Serializer):
    code = serializers.CharField()
    label = serializers.CharField()  # type: ignore[assignment]


@extend_schema_field(ANY_VALUE)
class ValueField(serializers.JSONField):
    """An answer as it is stored."""


class QuestionOut(serializers.Serializer):
    """One question as it is asked of this patient. `answer`: the value in words."""

    code = serializers.CharField()
    question = serializers.CharField()
    type = serializers.CharField()
    options = ChoiceOut(many=True)
    required = serializers.BooleanField()  # type: ignore[assignment]
    value = ValueField(allow_null=True)
    answer = serializers.CharField()


class FormOut(serializers.ModelSerializer):
    kind = serializers.CharField(source="template.kind", read_only=True)
    template_version = serializers.IntegerField(source="template.version", read_only=True)
    questions = serializers.SerializerMethodField()
    missing = serializers.SerializerMethodField()

    class Meta:
        model = ConsultationForm
        fields = [
            "id", "visit", "kind", "template_version", "questions", "missing", "consented_at", "patient_submitted_at",
            "completed_at", "completed_by", "version", "created_at", "updated_at",
        ]  # fmt: skip
        read_only_fields = fields

    @extend_schema_field(QuestionOut(many=True))
    def get_questions(self, form: ConsultationForm) -> list[dict[str, Any]]:
        return [_told(question, form.answers.get(question.code)) for question in sheet_of(form).asked_questions]

    @extend_schema_field(serializers.ListField(child=serializers.CharField()))
    def get_missing(self, form: ConsultationForm) -> list[str]:
        return [question.code for question in sheet_of(form).progress.missing]


def _told(question: form_rules.Question, value: Any) -> dict[str, Any]:
    return {
        "code": question.code,
        "question": question.label,
        "type": question.type,
        "options": [{"code": code, "label": label} for code, label in question.options],
        "required": question.required,
        "value": value,
        "answer": form_rules.spoken(question, value),
    }


class StartIn(serializers.Serializer):
    visit = ScopedField(Visit)
    kind = serializers.ChoiceField(choices=FormTemplate.Kind.choices, required=False, allow_blank=True, default="")


class AnswersIn(serializers.Serializer):
    answers = serializers.DictField(child=ValueField(allow_null=True), allow_empty=False)


class CompleteIn(serializers.Serializer):
    """`fill`: take what the patient's record lacks over from the answers."""

    fill = serializers.BooleanField(required=False, default=True)


def cleaned(sheet: Sheet, answers: Mapping[str, Any]) -> dict[str, Any]:
    """Return the answers as they are stored. Raises ValidationError by code for what is no answer to its question."""
    known = {question.code: question for group in sheet.groups for question in group.questions}
    sent: dict[str, Any] = {}
    errors: dict[str, list[str]] = {}
    for code, value in answers.items():
        try:
            sent[code] = _clean(known.get(code), value)
        except form_rules.AnswerError as error:
            errors[f"answers.{code}"] = [str(error)]
    if errors:
        raise serializers.ValidationError(errors)
    return sent


def _clean(question: form_rules.Question | None, value: Any) -> Any:
    if question is None:
        raise form_rules.AnswerError(_("There is no such question in this form."))
    if value is None:
        return None
    if question.type == "yes_no" and isinstance(value, Mapping):
        return form_rules.clean(question, value.get("value"), str(value.get("detail") or ""))
    if question.type == "multi":
        if not isinstance(value, list):
            raise form_rules.AnswerError(_("Choose among the answers: a list of codes."))
        return form_rules.clean(question, value)
    if isinstance(value, list | dict):
        raise form_rules.AnswerError(_("Enter a single value."))
    return form_rules.clean(question, value)


class ExamKindOut(Guarded):
    price = MoneyField(read_only=True, allow_null=True)
    guarded = {"price": Permission.VIEW_MONEY}

    class Meta:
        model = ExamKind
        fields = ["id", "code", "name", "price", "is_basic", "is_required", "needs_files", "one_of", "is_active"]
        read_only_fields = fields


class ExamFileOut(serializers.ModelSerializer):
    kind = serializers.CharField(source="exam.kind.code", read_only=True)

    class Meta:
        model = ExamFile
        fields = ["id", "exam", "kind", "width", "height", "caption", "sha256", "uploaded_at", "uploaded_by"]
        read_only_fields = fields


class ExamOut(Guarded):
    """`files`: ids of the pictures (/exam-files/)."""

    code = serializers.CharField(source="kind.code", read_only=True)
    name = serializers.CharField(source="kind.name", read_only=True)
    fee = MoneyField(read_only=True, allow_null=True)
    files = serializers.SerializerMethodField()
    guarded = {"fee": Permission.VIEW_MONEY}

    class Meta:
        model = Exam
        fields = [
            "id", "visit", "kind", "code", "name", "ordered_at", "ordered_by", "done_at", "done_by", "fee", "note",
            "files",
        ]  # fmt: skip
        read_only_fields = fields

    @extend_schema_field(serializers.ListField(child=serializers.IntegerField()))
    def get_files(self, exam: Exam) -> list[int]:
        return [file.pk for file in exam.pictures]


class OrderIn(serializers.Serializer):
    visit = ScopedField(Visit)
    kind = ScopedField(ExamKind)


class PictureIn(serializers.Serializer):
    file = serializers.FileField()
    caption = serializers.CharField(max_length=60, required=False, allow_blank=True, default="")

    def validate_file(self, file: Any) -> Picture:
        try:
            return read_picture(file)
        except BadImage as error:
            raise serializers.ValidationError(str(error))


class CaptionIn(serializers.Serializer):
    caption = serializers.CharField(max_length=60, allow_blank=True)
