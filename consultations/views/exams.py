"""Capturing exams: order, done, pictures; and serving the pictures to those who may see them."""

from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from django.contrib import messages
from django.http import FileResponse, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST

from accounts.access import StaffRequest, current_clinic, requires
from accounts.models import Clinic
from accounts.permissions import Permission
from consultations.errors import VisitError
from consultations.exam_rules import ExamState, lacking
from consultations.images import BadImage, content_type_of, read_picture
from consultations.models import Exam, ExamFile, ExamKind, Visit
from consultations.services import exams
from consultations.stages import Route, Stage
from consultations.views.workspace import get_visit, may_of, render_visit, visit_errors

MOST_AT_ONCE = 20


@dataclass(frozen=True)
class Row:
    """One kind of exam as the panel shows it."""

    kind: ExamKind
    exam: Exam | None
    state: ExamState
    fee: Decimal
    lacking: bool
    errors: list[str]

    @property
    def free(self) -> bool:
        """Whether it costs nothing because this is a first visit."""
        return self.fee == 0 and self.kind.price > 0

    @property
    def needs_done(self) -> bool:
        return self.exam is not None and self.exam.done_at is None


def rows_of(visit: Visit, upload_errors: dict[int, list[str]] | None = None) -> list[Row]:
    """Return the kinds the clinic does, and those this visit has, each with how it stands."""
    found = {exam.kind_id: exam for exam in visit.exams.select_related("done_by").prefetch_related("files")}
    kinds = [kind for kind in ExamKind.objects.for_clinic(visit.clinic_id) if kind.is_active or kind.pk in found]
    states = {kind.pk: exams.state_of(kind, found.get(kind.pk)) for kind in kinds}
    missing = {state.code for state in lacking(states.values(), visit.route)}
    return [
        Row(
            kind=kind,
            exam=found.get(kind.pk),
            state=states[kind.pk],
            fee=_fee(kind, found.get(kind.pk), first=visit.is_first),
            lacking=kind.code in missing,
            errors=(upload_errors or {}).get(kind.pk, []),
        )
        for kind in kinds
    ]


def _fee(kind: ExamKind, exam: Exam | None, *, first: bool) -> Decimal:
    """Return what was charged once it was done, else what would be."""
    return exam.fee if exam and exam.done_at else kind.fee(first_visit=first)


def exam_panel(
    request: StaffRequest, clinic: Clinic, visit: Visit, upload_errors: dict[int, list[str]] | None = None
) -> dict[str, Any]:
    """What the panel shows; `upload_errors` stand beside the kind (by id) they belong to."""
    rows = rows_of(visit, upload_errors)
    named = [row for row in rows if row.exam or (row.kind.is_required and visit.route == Route.EXAM_FIRST)]
    return {
        "exam_rows": named,
        "other_rows": [row for row in rows if row not in named],
        "missing_exams": [{"label": row.kind.name, "url": f"#exam-{row.kind.pk}"} for row in rows if row.lacking],
        "exam_total": sum((row.fee for row in rows if row.state.done), Decimal(0)),
        "exams_open": visit.is_open and visit.stage != Stage.ARRIVED,
        "may_remove": exams.may_change_pictures(visit, request.user),
        "first_route": visit.route == Route.EXAM_FIRST,
    }


def _fragment(request: StaffRequest, clinic: Clinic, visit: Visit, panel: dict[str, Any]) -> HttpResponse:
    context = {"visit": visit, "patient": visit.patient, "may": may_of(request.user, clinic)} | panel
    status = 422 if any(row.errors for row in panel["exam_rows"] + panel["other_rows"]) else 200
    return render(request, "consultations/panels/_exam_rows.html", context, status=status)


def _answer(request: StaffRequest, clinic: Clinic, visit: Visit, kind_id: int | None = None) -> HttpResponse:
    """Show the exams as they are now: as a fragment for htmx, else by going back to the panel."""
    if request.htmx:  # type: ignore[attr-defined]
        return _fragment(request, clinic, visit, exam_panel(request, clinic, visit))
    place = f"#exam-{kind_id}" if kind_id else ""
    return redirect(f"{visit.get_absolute_url()}?stage={Stage.EXAM}{place}")


def _kind(clinic: Clinic, pk: int) -> ExamKind:
    kind: ExamKind = get_object_or_404(ExamKind.objects.for_clinic(clinic), pk=pk)
    return kind


@requires(Permission.CAPTURE_EXAM)
@require_GET
def exam_list(request: StaffRequest, clinic: Clinic, pk: int) -> HttpResponse:
    """The rows as they are now, asked for every few seconds."""
    visit = get_visit(request, pk)
    return _fragment(request, clinic, visit, exam_panel(request, clinic, visit))


@requires(Permission.CAPTURE_EXAM)
@require_POST
@visit_errors
def exam_act(request: StaffRequest, clinic: Clinic, pk: int, kind: int) -> HttpResponse:
    """Order one exam, take the order back, or mark it done or not done."""
    visit, wanted, by = get_visit(request, pk), _kind(clinic, kind), request.user
    action = request.POST.get("action", "order")
    if action in {"cancel", "undone"}:
        exam = get_object_or_404(visit.exams.select_related("visit"), kind=wanted)
        undo = exams.cancel_exam if action == "cancel" else exams.unmark_done
        undo(exam=exam, by=by)
    else:
        exam = exams.exam_for(visit=visit, kind=wanted, by=by)
        if action == "done":
            exams.mark_done(exam=exam, by=by)
    return _answer(request, clinic, visit, kind)


@requires(Permission.CAPTURE_EXAM)
@require_POST
@visit_errors
def exam_upload(request: StaffRequest, clinic: Clinic, pk: int, kind: int) -> HttpResponse:
    """Take pictures of one exam; a bad one is named beside the upload, the others are kept."""
    visit, wanted = get_visit(request, pk), _kind(clinic, kind)
    files = request.FILES.getlist("files")
    errors = [_("Choose pictures first.")] if not files else []
    if len(files) > MOST_AT_ONCE:
        errors.append(_("At most %(count)d pictures at once; the rest were left out.") % {"count": MOST_AT_ONCE})
    for file in files[:MOST_AT_ONCE]:
        try:
            picture = read_picture(file)
            exam = exams.exam_for(visit=visit, kind=wanted, by=request.user)
            exams.add_file(exam=exam, picture=picture, by=request.user)
        except (BadImage, VisitError) as error:
            errors.append(_("%(name)s: %(problem)s") % {"name": (file.name or "")[:60], "problem": error})
    if not errors:
        return _answer(request, clinic, visit, kind)
    panel = exam_panel(request, clinic, visit, upload_errors={kind: errors})
    if request.htmx:  # type: ignore[attr-defined]
        return _fragment(request, clinic, visit, panel)
    return render_visit(request, clinic, visit, stage=Stage.EXAM, status=422, **panel)


@requires(Permission.CAPTURE_EXAM)
@require_POST
@visit_errors
def exam_file_act(request: StaffRequest, clinic: Clinic, pk: int, file: int) -> HttpResponse:
    """Name a picture, take it out (with undo), or put it back."""
    visit = get_visit(request, pk)
    rows = ExamFile.objects.for_user(request.user).filter(exam__visit=visit).select_related("exam__visit")
    row: ExamFile = get_object_or_404(rows, pk=file)
    action = request.POST.get("action", "")
    if action == "remove":
        exams.remove_file(file=row, by=request.user)
        undo = reverse("exam_file_restore", args=[visit.pk, row.pk])
        messages.success(request, _("Picture removed"), extra_tags=f"undo {undo}")
    elif "caption" in request.POST:
        exams.set_caption(file=row, caption=request.POST.get("caption", ""), by=request.user)
    return _answer(request, clinic, visit, row.exam.kind_id)


@requires(Permission.CAPTURE_EXAM)
@require_POST
@visit_errors
def exam_file_restore(request: StaffRequest, clinic: Clinic, pk: int, file: int) -> HttpResponse:
    """Put a removed picture back."""
    visit = get_visit(request, pk)
    rows = ExamFile.objects.for_user(request.user).filter(exam__visit=visit).select_related("exam__visit")
    row: ExamFile = get_object_or_404(rows, pk=file)
    exams.restore_file(file=row, by=request.user)
    return redirect(f"{visit.get_absolute_url()}?stage={Stage.EXAM}#exam-{row.exam.kind_id}")


@requires(Permission.CAPTURE_EXAM)
@require_POST
@visit_errors
def exams_complete(request: StaffRequest, clinic: Clinic, pk: int) -> HttpResponse:
    """Declare the exam data complete; refused with what is missing."""
    visit = get_visit(request, pk)
    try:
        moved = exams.complete_exams(visit=visit, by=request.user)
    except exams.ExamsLacking as error:
        messages.error(request, error.message)
        return render_visit(request, clinic, visit, stage=Stage.EXAM, status=422)
    if moved.stage == visit.stage:
        messages.success(request, _("Exam data complete. %(who)s goes on from here.") % {"who": _who_goes_on(moved)})
    return redirect(moved)


def _who_goes_on(visit: Visit) -> str:
    person = visit.coordinator if visit.route == Route.EXAM_FIRST else visit.doctor
    return str(person or _("The coordinator"))


@requires(Permission.CAPTURE_EXAM, Permission.READ_HANDOFF)
@require_GET
def exam_file(request: StaffRequest, clinic: Clinic, pk: int) -> FileResponse:
    """One picture, or its thumbnail with ?size=thumb; kept by the person's own browser alone."""
    files = ExamFile.objects.for_user(request.user).for_clinic(current_clinic(request.user)).kept()
    row: ExamFile = get_object_or_404(files, pk=pk)
    stored = row.thumbnail if request.GET.get("size") == "thumb" else row.image
    response = FileResponse(stored.open("rb"), content_type=content_type_of(str(stored.name)))
    response["Cache-Control"] = "private, max-age=86400"
    response["X-Content-Type-Options"] = "nosniff"
    return response
