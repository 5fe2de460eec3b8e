"""What a form's answers say about the patient, for the columns of the patient's own record. No database here."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import time
from typing import Any

from consultations.form_rules import EXCLUSIVE, Answers, Question, spoken

PLAIN = {"occupation": 80, "daily_rhythm": 120, "call_tone": 120, "channel": 16, "complaint": 300}  # column: longest
SILENT = frozenset({"no", "unsure", EXCLUSIVE})


@dataclass(frozen=True)
class PatientFacts:
    """Values for the patient's columns; an empty one says nothing."""

    allergies: str = ""
    medical_notes: str = ""
    occupation: str = ""
    daily_rhythm: str = ""
    call_tone: str = ""
    call_from: time | None = None
    call_to: time | None = None
    channel: str = ""
    complaint: str = ""


def _note(question: Question, value: Any) -> str:
    """Return one line of the medical history, empty when there is nothing to note."""
    if value in (None, "", []):
        return ""
    if isinstance(value, dict):
        if value.get("value") != "yes":
            return ""
        name, detail = question.note or question.label, value.get("detail")
        return f"{name}：{detail}" if detail else name
    if value == [EXCLUSIVE] or (isinstance(value, str) and value in SILENT):
        return ""
    return spoken(question, value)


def _hours(value: str) -> tuple[time, time] | None:
    try:
        start, end = value.split("-")
        return time.fromisoformat(start), time.fromisoformat(end)
    except ValueError:
        return None


def facts_from(questions: Iterable[Question], answers: Answers) -> PatientFacts:
    """Return what the answers to `questions` tell about the patient.

    A plain "no" says nothing: only what a doctor or caller must know is carried over.
    """
    found: dict[str, Any] = {}
    notes: list[str] = []
    for question in questions:
        value = answers.get(question.code)
        if not question.fills or value in (None, "", []):
            continue
        if question.fills == "medical_notes":
            notes.append(_note(question, value))
        elif question.fills == "allergies":
            found["allergies"] = str(value.get("detail", ""))[:200] if isinstance(value, dict) else ""
        elif question.fills == "call_hours" and (hours := _hours(str(value))):
            found["call_from"], found["call_to"] = hours
        elif question.fills in PLAIN:
            found[question.fills] = str(value)[: PLAIN[question.fills]]
    return PatientFacts(medical_notes="；".join(note for note in notes if note), **found)
