"""The visit page: who, where on the route, the panel of one stage, what helps beside it."""

from collections.abc import Callable
from datetime import datetime
from functools import wraps
from types import SimpleNamespace
from typing import Any

from django.contrib import messages
from django.db.models import Exists, OuterRef, QuerySet
from django.http import Http404, HttpResponse, HttpResponseBase
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST

from accounts.access import StaffRequest, current_clinic, requires
from accounts.models import Clinic, User
from accounts.permissions import Permission
from accounts.statements import Statement
from consultations.errors import AlreadyHere, MoveRefused, StageConflict, VisitError
from consultations.models import ExamFile, Refund, Visit
from consultations.scripts import scripts_for
from consultations.services.decision import leave_unseen
from consultations.services.facts import actor_of, facts_of
from consultations.services.moves import move
from consultations.services.reception import receive
from consultations.services.rechecks import plan_for, written_plans
from consultations.services.refunds import payable, standing_refunds
from consultations.stages import PLAIN_STEPS, Missing, Stage, check_move, next_stage
from consultations.steps import steps_of


def get_visit(request: StaffRequest, pk: int) -> Visit:
    """Return a visit of the clinic the person works in now, with its people loaded, or answer 404.

    Only that clinic's, because the role that was checked is the role in it.
    """
    return visit_by(_VISIT, request, pk)


def visit_by(statement: Statement, request: StaffRequest, pk: int) -> Visit:
    """Return the visit that a statement reads by `visit` and `clinic`, in the clinic worked in now, or answer 404."""
    clinic = current_clinic(request.user)
    found: list[Visit] = statement.rows(visit=pk, clinic=clinic.pk) if clinic else []
    if clinic is None or not found:
        raise Http404
    found[0].clinic = clinic
    return found[0]


def _visit(*, visit: int, clinic: int) -> Any:
    visits = Visit.objects.for_clinic(clinic).filter(pk=visit).with_people().select_related("room", "form__template")
    refunds = Refund.objects.filter(consultation=OuterRef("consultation")).standing()
    return visits.annotate(has_refunds=Exists(refunds), has_recheck_plan=Exists(written_plans()))


_VISIT = Statement(_visit)


def may_of(user: User, clinic: Clinic) -> SimpleNamespace:
    """Return what the person may do in the clinic, by name, for templates."""
    return SimpleNamespace(**{p.value: user.may(p, clinic) for p in Permission})


# Where a missing thing is mended.
MENDED_AT: dict[str, str] = {
    Missing.FORM: Stage.INTAKE,
    Missing.COMPLAINT: Stage.COMPLAINT,
    Missing.EXAMS: Stage.EXAM,
    Missing.HANDOFF: Stage.HANDOFF,
    Missing.ACKNOWLEDGEMENT: Stage.DOCTOR,
    Missing.PLAN: Stage.DOCTOR,
    Missing.EXPLAINED: Stage.EXPLAINING,
    Missing.DECISION: Stage.DECISION,
    Missing.CHECKOUT: Stage.LEAVING,
}


def missing_for_next(visit: Visit, user: User) -> list[dict[str, str]]:
    """Return what the visit's next step lacks, each with the link that goes there."""
    facts = facts_of(visit)
    following = next_stage(facts)
    if following is None:
        return []
    lacking = check_move(facts, following, actor_of(user, visit)).missing
    return [
        {"label": str(m.label), "url": f"{visit.get_absolute_url()}?stage={MENDED_AT[m]}"}
        for m in lacking
        if m in MENDED_AT
    ]


def panel_stage(visit: Visit, asked: str | None) -> str:
    """Return the stage whose panel is shown: the one asked for if it is one, else the current."""
    return asked if asked in Stage.values else visit.stage


def render_visit(
    request: StaffRequest, clinic: Clinic, visit: Visit, *, stage: str | None = None, status: int = 200, **extra: Any
) -> HttpResponse:
    """Render the whole page with the panel of `stage`; `extra` overrides what its builder gives."""
    from consultations.panels import PANELS, READERS

    shown = panel_stage(visit, stage)
    may = may_of(request.user, clinic)
    readable = may.coordinate or getattr(may, READERS.get(shown, ""), False)
    known: Any = visit  # with what `_visit` tells of it
    context: dict[str, Any] = {
        "visit": visit,
        "patient": visit.patient,
        "may": may,
        "shown": shown,
        "is_current": shown == visit.stage,
        "steps": steps_of(visit, shown),
        "panel_template": f"consultations/panels/_{shown}.html" if readable else "consultations/panels/_summary.html",
        "scripts": scripts_for(visit, shown) if may.coordinate else [],
        "images": pictures_of(visit) if may.capture_exam or may.read_handoff else [],
        "last_visit": last_visit(visit),
        "recheck_plan": plan_for(visit) if known.has_recheck_plan and (may.coordinate or may.read_handoff) else None,
        "payable": may.refund and payable(visit.consultation),
        "refunds": standing_refunds(visit) if known.has_refunds else [],
        "now": timezone.now(),
    }
    if readable:
        context |= PANELS[shown](request, clinic, visit)
    return render(request, "consultations/visit.html", context | extra, status=status)


def pictures_of(visit: Visit) -> list[ExamFile]:
    """Return the newest few pictures of a visit."""
    return _PICTURES.rows(visit=visit.pk)


def _pictures(*, visit: int) -> QuerySet[ExamFile]:
    files = ExamFile.objects.kept().filter(exam__visit=visit).select_related("exam__kind")
    found: QuerySet[ExamFile] = files.only("caption", "exam__visit", "exam__kind__name")[:6]
    return found


_PICTURES = Statement(_pictures)


def last_visit(visit: Visit) -> Visit | None:
    """Return the patient's received visit before this one, in the same clinic: others' are not shown here."""
    found: list[Visit] = _EARLIER.rows(clinic=visit.clinic_id, patient=visit.patient_id, before=visit.arrived_at)
    return found[0] if found else None


def _earlier(*, clinic: int, patient: int, before: datetime) -> Any:
    visits = Visit.objects.for_clinic(clinic).filter(patient=patient, arrived_at__lt=before, is_error=False)
    visits = visits.filter(received_at__isnull=False)
    shown = visits.only("arrived_at", "decision", "decision_amount")
    return shown.order_by("-arrived_at")[:1]


_EARLIER = Statement(_earlier)


def visit_errors(view: Callable[..., HttpResponseBase]) -> Callable[..., HttpResponseBase]:
    """Turn a refusal of the services into words on the visit page, with nothing lost."""

    @wraps(view)
    def wrapper(request: StaffRequest, clinic: Clinic, pk: int, *args: Any, **kwargs: Any) -> HttpResponseBase:
        try:
            return view(request, clinic, pk, *args, **kwargs)
        except (StageConflict, AlreadyHere) as error:
            messages.warning(request, error.message)
            return render_visit(request, clinic, get_visit(request, pk), status=409)
        except VisitError as error:
            messages.error(request, error.message)
            stage = MENDED_AT.get(error.missing[0]) if isinstance(error, MoveRefused) else None
            visit = get_visit(request, pk)
            return render_visit(request, clinic, visit, stage=stage or request.GET.get("stage"), status=422)

    return wrapper


@requires(Permission.VIEW_VISITS)
@require_GET
def visit_page(request: StaffRequest, clinic: Clinic, pk: int) -> HttpResponse:
    """The page of a visit; ?stage= opens another stage's panel."""
    return render_visit(request, clinic, get_visit(request, pk), stage=request.GET.get("stage"))


@requires(Permission.COORDINATE)
@require_POST
@visit_errors
def visit_move(request: StaffRequest, clinic: Clinic, pk: int) -> HttpResponse:
    """Take the visit one stage on, where the step itself records nothing more."""
    visit = get_visit(request, pk)
    to = request.POST.get("to", "")
    if to not in PLAIN_STEPS:
        raise MoveRefused([Missing.ORDER])
    return redirect(move(visit=visit, to=to, by=request.user, expected=request.POST.get("expected")))


@requires(Permission.COORDINATE)
@require_POST
@visit_errors
def visit_receive(request: StaffRequest, clinic: Clinic, pk: int) -> HttpResponse:
    """Take the patient over."""
    return redirect(receive(visit=get_visit(request, pk), by=request.user))


@requires(Permission.COORDINATE)
@require_POST
@visit_errors
def visit_unseen(request: StaffRequest, clinic: Clinic, pk: int) -> HttpResponse:
    """End the visit of a patient who left without being seen."""
    visit = get_visit(request, pk)
    expected = request.POST.get("expected")
    leave_unseen(visit=visit, reason=request.POST.get("reason", ""), by=request.user, expected=expected)
    messages.success(request, _("%(patient)s left without being seen.") % {"patient": visit.patient})
    return redirect("today")
