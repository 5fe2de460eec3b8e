"""The today board: the page, its refresh, and the steps taken on it."""

from typing import Any
from urllib.parse import urlsplit

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST

from accounts.access import StaffRequest, requires
from accounts.models import Clinic
from accounts.permissions import Permission
from clinic_crm.workbench.cards import COLUMNS
from clinic_crm.workbench.navigation import first_url
from clinic_crm.workbench.pulse import pulse_of
from clinic_crm.workbench.today import Board, View, board_context
from consultations.errors import StageConflict, VisitError
from consultations.models import Visit
from consultations.services.leaving import close
from consultations.services.reception import receive


@requires(Permission.SIGNED_IN)
@require_GET
def home(request: StaffRequest, clinic: Clinic) -> HttpResponse:
    """Where one's work begins: a doctor's at the queue, everybody else's at the board."""
    queue = first_url("doctor_queue") if request.user.may(Permission.TREAT, clinic) else ""
    return redirect(queue or "today")


@requires(Permission.VIEW_TODAY)
@require_GET
def today(request: StaffRequest, clinic: Clinic) -> HttpResponse:
    """The board; ?scope=me ?doctor= ?stage= (the column that a phone shows)."""
    return render(request, "workbench/today.html", _context(request, clinic))


@requires(Permission.VIEW_TODAY)
@require_GET
def today_board(request: StaffRequest, clinic: Clinic) -> HttpResponse:
    """The board's parts anew, or 204 when nothing changed since `pulse`."""
    if request.GET.get("pulse") == pulse_of(clinic, request.user, timezone.now()):
        return HttpResponse(status=204)
    return board_parts(request, clinic)


@requires(Permission.COORDINATE)
@require_POST
def today_step(request: StaffRequest, clinic: Clinic, pk: int, step: str) -> HttpResponse:
    """Take a step from a card: receive, close. The card moves; who came too late learns who was first."""
    visits = Visit.objects.for_user(request.user).for_clinic(clinic).with_people().select_related("clinic")
    visit = get_object_or_404(visits, pk=pk)
    status = 200
    try:
        _take(request, visit, step)
    except StageConflict as error:
        status = 409
        messages.warning(request, error.message, extra_tags=f"see {visit.get_absolute_url()}")
    except VisitError as error:
        status = 422
        messages.error(request, error.message, extra_tags=f"see {visit.get_absolute_url()}")
    if not request.htmx:
        return redirect(reverse("today") + View.of(request.GET).query())
    return board_parts(request, clinic, status=status)


def _take(request: StaffRequest, visit: Visit, step: str) -> None:
    see = f"see {visit.get_absolute_url()}"
    if step == "receive":
        receive(visit=visit, by=request.user)
        undo = f"undo {reverse('visit_receive_undo', args=[visit.pk])}"
        messages.success(request, _("%(patient)s is received.") % {"patient": visit.patient}, extra_tags=undo)
    elif step == "close":
        close(visit=visit, by=request.user)
        messages.success(request, _("Visit of %(patient)s ended.") % {"patient": visit.patient}, extra_tags=see)
    else:
        raise Http404


def _context(request: StaffRequest, clinic: Clinic) -> dict[str, Any]:
    view = View.of(request.GET)
    context = board_context(clinic, request.user, view)
    if context["tasks"]:
        request.task_count = context["tasks"].total  # the frame shows it too
    return context | _links(view, context["board"]) | {"gap_count": sum(len(g.people) for g in context["gaps"])}


def _links(view: View, board: Board) -> dict[str, Any]:
    """Return the addresses of the other ways to look at the board."""
    waiting = next((c.column.code for c in board.columns if c.waiting), COLUMNS[0].code)
    today_url = reverse("today")
    return {
        "today_url": today_url,
        "stage": view.stage or waiting,
        "query": view.query(),
        "query_me": view.query(scope="me"),
        "query_all": view.query(scope="all"),
        "query_any_doctor": view.query(doctor=None),
        "doctor_name": dict(board.doctors).get(view.doctor or 0, _("Doctor")),
        "doctor_links": [(pk, name, view.query(doctor=pk)) for pk, name in board.doctors],
        "stage_links": [(c, today_url + view.query(stage=c.column.code)) for c in board.columns],
    }


def board_parts(request: StaffRequest, clinic: Clinic, *, status: int = 200) -> HttpResponse:
    """Return the board's parts, each to be put into its place by htmx."""
    return render(request, "workbench/_today_parts.html", _context(request, clinic) | {"oob": True}, status=status)


def on_board(request: StaffRequest) -> bool:
    """Tell whether htmx asks from the today board."""
    return bool(request.htmx) and urlsplit(request.htmx.current_url or "").path == reverse("today")
