"""Consultation forms filled in as an invented patient would."""

import random
from collections.abc import Mapping
from functools import lru_cache
from typing import Any

from consultations.form_rules import Group, Person, Question, asked, read
from consultations.models import FormTemplate
from patients.models import Patient


@lru_cache(maxsize=64)
def _groups(template_id: int, sex: str, age: int) -> tuple[Group, ...]:
    groups = FormTemplate.objects.get(pk=template_id).groups
    return read(groups, "zh", Person(sex, age))


def _one(question: Question, dice: random.Random) -> Any:
    """Return an answer of the question's type: mostly harmless ones."""
    codes = [code for code, _label in question.options]
    plain = {
        "text": "没有",
        "long": "没有",
        "yes_no": {"value": "no"},
        "number": max(question.least, 60),
        "scale": dice.randint(question.least, question.most // 2),
        "month": "2026-03",
        "date": "2027-02-01",
    }
    if question.type == "multi":
        return ["none"] if "none" in codes else [dice.choice(codes)]
    return dice.choice(codes) if question.type == "single" else plain[question.type]


def answers_of(
    template: FormTemplate, patient: Patient, text: str, dice: random.Random, *, groups: int | None = None
) -> Mapping[str, Any]:
    """Return answers to the first `groups` groups that `patient` is asked (None: to all)."""
    age = patient.age or 30
    person = Person(patient.sex, age)
    answers: dict[str, Any] = {}
    for group in _groups(template.pk, patient.sex, age)[:groups]:
        for question in asked(group, answers, person):
            answers[question.code] = _one(question, dice)
            if question.code == "main_complaint":
                answers[question.code] = text
            if question.code == "allergies" and patient.allergies:
                answers[question.code] = {"value": "yes", "detail": patient.allergies}
        for question in asked(group, answers, person):  # what an answer has opened
            answers.setdefault(question.code, _one(question, dice))
    return answers
