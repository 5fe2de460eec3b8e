"""A handoff note as it is read: by the doctor, in the coordinator's preview, on paper."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from accounts.statements import Statement
from consultations.form_rules import EXCLUSIVE, Question, spoken
from consultations.handoff_rules import as_lines
from consultations.models import ConsultationForm, ExamFile, Handoff, Visit
from consultations.services.forms import sheet_of
from patients.models import ClassChange

# What of the form bears on the handoff, under short labels.
SHOWN = {
    "worries": gettext_lazy("Worries"),
    "worries_note": gettext_lazy("For the doctor"),
    "wish": gettext_lazy("Hopes for"),
    "decide_with": gettext_lazy("Decides with"),
    "with_you": gettext_lazy("Here with"),
    "budget": gettext_lazy("Budget"),
}
OF_SITUATION = ("worries", "worries_note", "decide_with", "with_you")
MOST_PICTURES = 8


@dataclass(frozen=True)
class FormFacts:
    """What the consultation form says that bears on the handoff, as label and words."""

    rows: list[tuple[str, str]] = field(default_factory=list)
    situation: str = ""  # what matters to the patient, in one line
    has_form: bool = False


def form_facts(visit: Visit) -> FormFacts:
    """Read worries, expectations, who decides and budget from the visit's form (one query)."""
    form: ConsultationForm | None = getattr(visit, "form", None)  # with its template, as `get_visit` reads it
    if form is None:
        return FormFacts()
    form.visit = visit
    said = {q.code: _said(q, form.answers.get(q.code)) for q in sheet_of(form).asked_questions if q.code in SHOWN}
    rows = [(str(label), said[code]) for code, label in SHOWN.items() if said.get(code)]
    pairs = [{"label": SHOWN[code], "value": said[code]} for code in OF_SITUATION if said.get(code)]
    named = [_("%(label)s: %(value)s") % pair for pair in pairs]
    return FormFacts(rows, _("; ").join(named), has_form=True)


def _said(question: Question, value: Any) -> str:
    """Return an answer in words; a plain "none" or "no" has nothing to say here."""
    if value == [EXCLUSIVE] or (isinstance(value, dict) and value.get("value") != "yes"):
        return ""
    return spoken(question, value)


def note_context(visit: Visit, note: Handoff | None = None) -> dict[str, Any]:
    """What reading a note needs. Args: note: an unsaved one for a preview, else the stored one is read."""
    note = note or note_of(visit)
    if note is None:
        return {"note": None}
    return {
        "note": note,
        "class_why": note.class_reason or visit.consultation.get_complaint_display(),
        "last": last_judgement(visit),
        "told_lines": as_lines(note.told_patient),
        "situation_lines": as_lines(note.situation),
        "opinion_lines": as_lines(note.opinion),
        "pictures": pictures_of(visit, note),
    }


def note_of(visit: Visit) -> Handoff | None:
    """Return the visit's note with who sent and who read it (one statement)."""
    found: list[Handoff] = _NOTE.rows(visit=visit.pk)
    return found[0] if found else None


def _note(*, visit: int) -> Any:
    return Handoff.objects.filter(visit=visit).select_related("sent_by", "acknowledged_by")


_NOTE = Statement(_note)


def last_judgement(visit: Visit) -> ClassChange | None:
    """Return the patient's last classification before this visit, None without one (one statement)."""
    found: list[ClassChange] = _JUDGED.rows(patient=visit.patient_id, before=visit.arrived_at)
    return found[0] if found else None


def _judged(*, patient: int, before: datetime) -> Any:
    return ClassChange.objects.filter(patient=patient, at__lt=before).order_by("-at")[:1]


_JUDGED = Statement(_judged)


def _pictures(*, visit: int) -> Any:
    files = ExamFile.objects.kept().filter(exam__visit=visit).select_related("exam__kind")
    return files.order_by("exam__kind__position", "id")


_PICTURES = Statement(_pictures)


def pictures_of(visit: Visit, note: Handoff) -> list[ExamFile]:
    """Return the pictures that go with the note: those of the exams attached, and what was taken after it."""
    shown = [
        file
        for file in _PICTURES.rows(visit=visit.pk)
        if file.exam_id in note.attached_exams or (note.sent_at is not None and file.uploaded_at > note.sent_at)
    ]
    return shown[:MOST_PICTURES]
