"""The doctor's queue and page: read the note, examine, order exams, leave."""

from collections.abc import Callable
from functools import wraps
from typing import Any
from zlib import crc32

from django.contrib import messages
from django.db.models import prefetch_related_objects
from django.http import HttpResponse, HttpResponseBase
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST

from accounts.access import StaffRequest, requires
from accounts.models import Clinic
from accounts.permissions import Permission
from accounts.reading import whole_number
from accounts.statements import Statement
from consultations.doctor_steps import current_step, steps_of
from consultations.errors import AlreadyHere, StageConflict, VisitError
from consultations.models import ExamKind, Handoff, Plan, Visit
from consultations.notes import note_context, note_of
from consultations.plan_rules import plan_lacks
from consultations.services import exams as exam_service
from consultations.services import handoff as handoff_service
from consultations.services import questions
from consultations.services.findings import EXAMINING
from consultations.services.plans import PlanChanged, come_back, draft_of, leave_room, plan_of, send_to_exam
from consultations.services.queue import Card, first_open, queue_of
from consultations.services.rechecks import plan_words
from consultations.stages import Route, Stage
from consultations.views.findings import findings_context
from consultations.views.handoff import exams_of, status_context
from consultations.views.workspace import get_visit, visit_by
from followups.services import recheck_plans


def doctor_panel(request: StaffRequest, clinic: Clinic, visit: Visit) -> dict[str, Any]:
    """The doctor's stage as the coordinator sees it: read or not, questions, the note, findings and plan."""
    found = list(visit.tooth_findings.filter(removed_at=None).order_by("tooth", "id"))
    note = note_of(visit)
    return note_context(visit, note) | status_context(visit, note) | {"findings": found, "plan": plan_of(visit)}


def queue_context(
    request: StaffRequest, clinic: Clinic, open_id: int | None, cards: list[Card] | None = None
) -> dict[str, Any]:
    """The queue beside the page; `cards` when they were read already."""
    cards = queue_of(request.user, clinic) if cards is None else cards
    return {
        "cards": cards,
        "open_id": open_id,
        "queue_count": sum(1 for card in cards if card.visit_id),
        "now": timezone.now(),
        "seen": crc32(repr(cards).encode()),
    }


def visit_here(request: StaffRequest, pk: int) -> Visit:
    """Return a visit of this clinic with its note and plan loaded, or answer 404."""
    return visit_by(_VISIT, request, pk)


def _visit(*, visit: int, clinic: int) -> Any:
    visits = Visit.objects.for_clinic(clinic).filter(pk=visit).with_people()
    visits = visits.annotate(recheck_plan=plan_words())
    return visits.select_related("room", "handoff__acknowledged_by", "plan__made_by")


_VISIT = Statement(_visit)


def page_context(request: StaffRequest, clinic: Clinic, visit: Visit) -> dict[str, Any]:
    """Everything on the doctor's page of one visit, as `visit_here` gives it."""
    exams = exams_of(visit)
    note: Handoff | None = getattr(visit, "handoff", None)
    plan: Plan | None = getattr(visit, "plan", None)
    if plan is not None:
        prefetch_related_objects([plan], "options__items")
    now = current_step(visit, exams, plan)
    teeth = findings_context(request, visit)
    context = {
        "visit": visit,
        "patient": visit.patient,
        "exams": exams,
        "plan": plan,
        "step": now,
        "steps": steps_of(visit, now, exams=exams, examined=plan is not None or teeth["has_findings"]),
        "may_mark": visit.stage in EXAMINING and visit.handoff_at is not None and visit.doctor_left_at is None,
        "plan_whole": plan is not None and not plan_lacks(draft_of(plan)),
        "exam_kinds": _kinds_to_order(clinic, visit, {exam.kind_id for exam in exams}),
        "exams_open": [exam for exam in exams if exam.done_at is None],
        "doctor_first": visit.route == Route.DOCTOR_FIRST,
    }
    return context | note_context(visit, note) | status_context(visit, note) | teeth


def _kinds_to_order(clinic: Clinic, visit: Visit, ordered: set[int]) -> list[ExamKind]:
    if visit.stage != Stage.DOCTOR or visit.handoff_acknowledged_at is None:
        return []
    return [kind for kind in _KINDS.rows(clinic=clinic.pk) if kind.pk not in ordered]


_KINDS = Statement(lambda *, clinic: ExamKind.objects.for_clinic(clinic).filter(is_active=True))


def render_doctor(
    request: StaffRequest,
    clinic: Clinic,
    visit: Visit | None,
    *,
    status: int = 200,
    cards: list[Card] | None = None,
    **extra: Any,
) -> HttpResponse:
    """Render the doctor's page with a visit open, or with none."""
    context = queue_context(request, clinic, visit.pk if visit else None, cards)
    context["recheck_plans"] = recheck_plans.for_doctor(clinic=clinic, doctor=request.user, now=timezone.now())
    if visit is not None:
        context |= page_context(request, clinic, visit)
    return render(request, "consultations/doctor/page.html", context | extra, status=status)


def doctor_errors(view: Callable[..., HttpResponseBase]) -> Callable[..., HttpResponseBase]:
    """Turn a refusal of the services into words on the doctor's page."""

    @wraps(view)
    def wrapper(request: StaffRequest, clinic: Clinic, pk: int, *args: Any, **kwargs: Any) -> HttpResponseBase:
        try:
            return view(request, clinic, pk, *args, **kwargs)
        except (StageConflict, AlreadyHere, handoff_service.NoteChanged, PlanChanged) as error:
            messages.warning(request, error.message)
            return render_doctor(request, clinic, visit_here(request, pk), status=409)
        except VisitError as error:
            messages.error(request, error.message)
            return render_doctor(request, clinic, visit_here(request, pk), status=422)

    return wrapper


@requires(Permission.TREAT)
@require_GET
def doctor_queue(request: StaffRequest, clinic: Clinic) -> HttpResponse:
    """My queue; the most urgent patient is open already."""
    cards: list[Card] = queue_of(request.user, clinic)
    pk = first_open(cards)
    return render_doctor(request, clinic, visit_here(request, pk) if pk else None, cards=cards)


@requires(Permission.TREAT)
@require_GET
def doctor_visit(request: StaffRequest, clinic: Clinic, pk: int) -> HttpResponse:
    """The page of one patient."""
    return render_doctor(request, clinic, visit_here(request, pk))


@requires(Permission.TREAT)
@require_GET
def doctor_cards(request: StaffRequest, clinic: Clinic) -> HttpResponse:
    """The queue as it is now, and what changed about the patient who is open; asked for every few seconds."""
    visits = Visit.objects.for_user(request.user).for_clinic(clinic).with_people()
    visit = visits.filter(pk=whole_number(request.GET.get("open")) or 0).first()
    context = queue_context(request, clinic, visit.pk if visit else None)
    if visit is not None:
        context |= {"visit": visit} | status_context(visit)
        context["seen"] = crc32(repr([context["seen"], visit.version, *_news_of(context)]).encode())
    if request.GET.get("seen") == str(context["seen"]):
        return HttpResponse(status=204)  # nothing changed: nothing is drawn anew
    return render(request, "consultations/doctor/_cards.html", context | {"is_part": True})


def _news_of(context: dict[str, Any]) -> list[Any]:
    note = context["note"]
    return [note and note.version, *((q.pk, q.answered_at) for q in context["questions"])]


@requires(Permission.TREAT)
@require_POST
@doctor_errors
def handoff_acknowledge(request: StaffRequest, clinic: Clinic, pk: int) -> HttpResponse:
    """Read; the examination begins."""
    visit = get_visit(request, pk)
    version = whole_number(request.POST.get("version")) or 0
    handoff_service.acknowledge(visit=visit, version=version, by=request.user)
    return redirect("doctor_visit", visit.pk)


@requires(Permission.TREAT)
@require_POST
@doctor_errors
def handoff_ask(request: StaffRequest, clinic: Clinic, pk: int) -> HttpResponse:
    """Ask the coordinator back."""
    visit = get_visit(request, pk)
    questions.ask_coordinator(visit=visit, question=request.POST.get("question", ""), by=request.user)
    messages.success(request, _("Asked %(coordinator)s") % {"coordinator": visit.coordinator or _("the coordinator")})
    return redirect("doctor_visit", visit.pk)


@requires(Permission.TREAT)
@require_POST
@doctor_errors
def doctor_exams(request: StaffRequest, clinic: Clinic, pk: int) -> HttpResponse:
    """Order exams; on the doctor-first route send the patient there."""
    visit, by = get_visit(request, pk), request.user
    wanted = [whole_number(raw) or 0 for raw in request.POST.getlist("kinds")]
    chosen = ExamKind.objects.for_clinic(clinic).filter(pk__in=wanted)
    if chosen:
        exam_service.order_exams(visit=visit, kinds=list(chosen), by=by)
        names = _(", ").join(kind.name for kind in chosen)
        messages.success(request, _("Ordered: %(names)s") % {"names": names})
    elif request.POST.get("action") == "order":
        messages.error(request, _("Choose an exam first."))
    if request.POST.get("action") == "send":
        send_to_exam(visit=visit, by=by)
        messages.success(request, _("%(patient)s goes to the exam.") % {"patient": visit.patient})
    return redirect("doctor_visit", visit.pk)


@requires(Permission.TREAT)
@require_POST
@doctor_errors
def doctor_leave(request: StaffRequest, clinic: Clinic, pk: int) -> HttpResponse:
    """Leave the room; the coordinator explains from here on."""
    visit = get_visit(request, pk)
    expected = request.POST.get("expected") or None
    moved = leave_room(visit=visit, by=request.user, expected=expected)
    who = {"coordinator": moved.coordinator or _("The coordinator"), "patient": moved.patient}
    undo = reverse("doctor_come_back", args=[visit.pk])
    said = _("%(coordinator)s explains price and time to %(patient)s from here on.")
    messages.success(request, said % who, extra_tags=f"undo {undo}")
    return redirect("doctor_queue")


@requires(Permission.TREAT)
@require_POST
@doctor_errors
def doctor_come_back(request: StaffRequest, clinic: Clinic, pk: int) -> HttpResponse:
    """Not left after all."""
    visit = come_back(visit=get_visit(request, pk), by=request.user)
    messages.success(request, _("You are with %(patient)s again.") % {"patient": visit.patient})
    return redirect("doctor_visit", visit.pk)
