"""The coordinator's handoff note: panel, draft, sending, preview; the state the doctor gives back."""

from dataclasses import replace
from typing import Any

from django.contrib import messages
from django.db.models import Count, Q, QuerySet
from django.http import HttpResponse, JsonResponse, QueryDict
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST

from accounts.access import StaffRequest, requires
from accounts.models import Clinic, User
from accounts.permissions import Permission
from accounts.reading import whole_number
from accounts.statements import Statement
from consultations.errors import MoveRefused, StageConflict, VisitError
from consultations.handoff_forms import HandoffForm
from consultations.handoff_rules import REQUIRED, Part, words_to_leave_out
from consultations.models import Exam, Handoff, HandoffQuestion, Visit
from consultations.notes import FormFacts, form_facts, last_judgement, note_context, note_of
from consultations.services import handoff as service
from consultations.services import questions
from consultations.stages import Stage
from consultations.views.workspace import MENDED_AT, get_visit, may_of, render_visit, visit_errors


def exams_of(visit: Visit) -> list[Exam]:
    """Return the visit's exams with how many pictures each has."""
    return _EXAMS.rows(visit=visit.pk)


def _exams(*, visit: int) -> QuerySet[Exam]:
    pictures = Count("files", filter=Q(files__removed_at=None))
    rows = Exam.objects.filter(visit=visit).select_related("kind")
    found: QuerySet[Exam] = rows.annotate(picture_count=pictures).order_by("kind__position")
    return found


_EXAMS = Statement(_exams)


def _initial(
    visit: Visit, note: Handoff | None, exams: list[Exam], situation: str, doctors: list[User]
) -> dict[str, Any]:
    if note is None:
        content = service.Content(attached_exams=service.exams_to_attach(exams), situation=situation)
    else:
        content = service.content_of(note)
    values = {name: getattr(content, name) for name in service.LABELS}
    return values | {
        "version": note.version if note else 0,
        "doctor": visit.doctor_id or (doctors[0].pk if len(doctors) == 1 else None),
        "saved_at": note.saved_at if note else None,
    }


def _stored_form(visit: Visit, facts: FormFacts) -> HandoffForm:
    doctors, exams = list(service.doctors_of(visit.clinic_id)), exams_of(visit)
    initial = _initial(visit, note_of(visit), exams, facts.situation, doctors)
    return HandoffForm(visit=visit, doctors=doctors, exams=exams, initial=initial)


def _posted_form(visit: Visit, data: QueryDict) -> HandoffForm:
    doctors, exams = service.doctors_of(visit.clinic_id), exams_of(visit)
    return HandoffForm(data, visit=visit, doctors=doctors, exams=exams)


def handoff_panel(request: StaffRequest, clinic: Clinic, visit: Visit) -> dict[str, Any]:
    """The note in writing; once the doctor has left, as it was read."""
    context: dict[str, Any] = {"side_template": "consultations/panels/_handoff_side.html"}
    if not may_of(request.user, clinic).coordinate or visit.stage not in service.WRITABLE or visit.doctor_left_at:
        note = note_of(visit)
        return context | note_context(visit, note) | status_context(visit, note)
    facts = form_facts(visit)
    return context | writing_context(visit, _stored_form(visit, facts), facts)


def writing_context(visit: Visit, form: HandoffForm, facts: FormFacts) -> dict[str, Any]:
    """What the note needs while it is written."""
    last = last_judgement(visit)
    doctor = next((d for d in form.doctors.values() if d.pk == _doctor_id(form)), None)
    return {
        "form": form,
        "facts": facts,
        "suggestion": form.suggestion(),
        "last": last,
        "chosen_doctor": doctor,
        "doctor_busy_with": busy_with(doctor, visit) if doctor else None,
        "needed": [{"name": str(part), "label": service.LABELS[part], "open": _open(form, part)} for part in REQUIRED],
        "open_count": sum(_open(form, part) for part in REQUIRED),
        "found": words_to_leave_out(form["wished_words"].value() or ""),
        "attached": {str(pk) for pk in form["attached_exams"].value() or ()},
        "is_sent": visit.handoff_at is not None,
        "saved_at": form.initial.get("saved_at"),
    }


def _doctor_id(form: HandoffForm) -> int | None:
    return whole_number(str(form["doctor"].value() or ""))


def _open(form: HandoffForm, part: Part) -> bool:
    value = form.points if part == Part.STRESS else form[part.value].value()
    return not (value.strip() if isinstance(value, str) else value)


def busy_with(doctor: User, visit: Visit) -> str:
    """Return the name of the patient whom the doctor is treating now, empty when free."""
    names: list[str] = _BUSY.rows(clinic=visit.clinic_id, doctor=doctor.pk, visit=visit.pk)
    return names[0] if names else ""


def _busy(*, clinic: int, doctor: int, visit: int) -> QuerySet[Any, str]:
    here = Visit.objects.for_clinic(clinic).filter(doctor=doctor, stage=Stage.DOCTOR)
    busy = here.filter(handoff_acknowledged_at__isnull=False).exclude(pk=visit).order_by("pk")
    names: QuerySet[Any, str] = busy.values_list("patient__name", flat=True)[:1]
    return names


_BUSY = Statement(_busy)


def status_context(visit: Visit, note: Handoff | None = None) -> dict[str, Any]:
    """Whether the doctor has read the note, and the questions both ways."""
    note = note or note_of(visit)
    return {
        "note": note,
        "questions": _QUESTIONS.rows(handoff=note.pk) if note else [],
        "changed_since_read": note is not None and service.is_changed_since_read(note),
    }


def _questions(*, handoff: int) -> QuerySet[HandoffQuestion]:
    return HandoffQuestion.objects.filter(handoff=handoff).select_related("asked_by", "answered_by")


_QUESTIONS = Statement(_questions)


@requires(Permission.COORDINATE)
@require_POST
def handoff_draft(request: StaffRequest, clinic: Clinic, pk: int) -> JsonResponse:
    """Keep the note while it is typed. Answers with the time and version kept, or why not."""
    visit = get_visit(request, pk)
    form = _posted_form(visit, request.POST)
    form.is_valid()  # what is valid of a draft is kept
    version = form.cleaned_data.get("version") or 0
    try:
        note = service.save_draft(visit=visit, content=form.content(), version=version, by=request.user)
    except service.NoteChanged as error:
        return JsonResponse({"error": error.message}, status=409)
    except VisitError as error:
        return JsonResponse({"error": error.message}, status=422)
    return JsonResponse({"saved_at": timezone.localtime(note.saved_at).strftime("%H:%M"), "version": note.version})


@requires(Permission.COORDINATE)
@require_POST
@visit_errors
def handoff_send(request: StaffRequest, clinic: Clinic, pk: int) -> HttpResponse:
    """Send the note to the doctor, or save the change of one that was sent."""
    visit = get_visit(request, pk)
    form = _posted_form(visit, request.POST)
    if request.POST.get("action") == "draft":  # without scripts
        form.is_valid()
        version = form.cleaned_data.get("version") or 0
        service.save_draft(visit=visit, content=form.content(), version=version, by=request.user)
        return redirect(f"{visit.get_absolute_url()}?stage={Stage.HANDOFF}")
    if not form.require_whole():
        return _again(request, clinic, visit, form, 422)
    version = form.cleaned_data.get("version") or 0
    content, by, doctor = form.content(), request.user, form.chosen_doctor()
    try:
        if visit.handoff_at:
            service.change_sent(visit=visit, content=content, version=version, by=by, doctor=doctor)
            messages.success(request, _("Changed; the doctor sees it."))
        else:
            expected = request.POST.get("expected")
            moved = service.send(visit=visit, content=content, version=version, doctor=doctor, by=by, expected=expected)
            messages.success(request, _("Given to %(doctor)s") % {"doctor": moved.doctor})
    except service.NoteChanged as error:
        return _compare(request, clinic, visit, form, error)
    except VisitError as error:
        return _refused(request, clinic, visit, form, error)
    return redirect(f"{visit.get_absolute_url()}?stage={Stage.DOCTOR}")


def _again(
    request: StaffRequest, clinic: Clinic, visit: Visit, form: HandoffForm, status: int, **extra: Any
) -> HttpResponse:
    context = writing_context(visit, form, form_facts(visit)) | extra
    return render_visit(request, clinic, visit, stage=Stage.HANDOFF, status=status, **context)


def _refused(request: StaffRequest, clinic: Clinic, visit: Visit, form: HandoffForm, error: VisitError) -> HttpResponse:
    """Say why, with links to what is missing; what was typed stays."""
    stages = [MENDED_AT[what] for what in error.missing if what in MENDED_AT] if isinstance(error, MoveRefused) else []
    links = [{"label": Stage(stage).label, "url": f"{visit.get_absolute_url()}?stage={stage}"} for stage in stages]
    form.add_error(None, error.message)
    status = 409 if isinstance(error, StageConflict) else 422
    return _again(request, clinic, get_visit(request, visit.pk), form, status, missing=links)


def _compare(
    request: StaffRequest, clinic: Clinic, visit: Visit, form: HandoffForm, error: service.NoteChanged
) -> HttpResponse:
    """Show both versions field by field; sending again is then a choice made knowingly."""
    data = request.POST.copy()
    data["version"] = str(error.handoff.version)
    mine = HandoffForm(data, visit=visit, doctors=form.doctors.values(), exams=form.exams)
    return _again(request, clinic, visit, mine, 409, differences=error.differences, problem=error.message)


@requires(Permission.COORDINATE)
@require_POST
def handoff_check(request: StaffRequest, clinic: Clinic, pk: int) -> HttpResponse:
    """While typing: the suggested class, or (?part=words) words the doctor should not be asked to say."""
    if request.GET.get("part") == "words":
        found = words_to_leave_out(request.POST.get("wished_words", "")[:1000])
        return render(request, "consultations/panels/_handoff_words.html", {"found": found})
    visit = get_visit(request, pk)
    form = HandoffForm(request.POST, visit=visit)
    context = {"form": form, "suggestion": form.suggestion(), "visit": visit}
    return render(request, "consultations/panels/_handoff_suggestion.html", context)


@requires(Permission.COORDINATE)
@require_POST
def handoff_preview(request: StaffRequest, clinic: Clinic, pk: int) -> HttpResponse:
    """What the doctor will see, from the form as it stands; nothing is kept."""
    visit = get_visit(request, pk)
    form = _posted_form(visit, request.POST)
    form.is_valid()
    content = replace(form.content(), stress_points=tuple(form.points))
    note = Handoff(visit=visit, **{name: getattr(content, name) for name in service.LABELS})
    context = {"visit": visit, "patient": visit.patient} | note_context(visit, note)
    is_part = request.htmx or request.headers.get("X-Part")  # type: ignore[attr-defined]
    return render(request, f"consultations/doctor/{'_preview' if is_part else 'preview'}.html", context)


@requires(Permission.COORDINATE, Permission.READ_HANDOFF)
@require_GET
def handoff_status(request: StaffRequest, clinic: Clinic, pk: int) -> HttpResponse:
    """Read or not, and the doctor's questions; asked for every few seconds."""
    visit = get_visit(request, pk)
    context = {"visit": visit, "may": may_of(request.user, clinic)} | status_context(visit)
    return render(request, "consultations/panels/_handoff_status.html", context)


@requires(Permission.READ_HANDOFF)
@require_GET
def handoff_print(request: StaffRequest, clinic: Clinic, pk: int) -> HttpResponse:
    """The note on one A4 sheet."""
    visit = get_visit(request, pk)
    get_object_or_404(Handoff, visit=visit)
    context = {"visit": visit, "patient": visit.patient} | note_context(visit) | status_context(visit)
    return render(request, "consultations/print/handoff.html", context)


@requires(Permission.COORDINATE, Permission.TREAT)
@require_POST
@visit_errors
def question_answer(request: StaffRequest, clinic: Clinic, pk: int, question: int) -> HttpResponse:
    """Answer a question about the note or the plan."""
    visit = get_visit(request, pk)
    row = get_object_or_404(HandoffQuestion.objects.for_user(request.user).filter(handoff__visit=visit), pk=question)
    questions.answer(question=row, text=request.POST.get("answer", ""), by=request.user)
    messages.success(request, _("Answered"))
    if row.for_doctor:
        return redirect("doctor_visit", visit.pk)
    return redirect(f"{visit.get_absolute_url()}?stage={Stage.DOCTOR}")
