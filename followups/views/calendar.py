"""The calendar: a day or a week, its refresh, and moving by hand."""

from typing import Any

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.utils.translation import pgettext
from django.views.decorators.http import require_GET, require_POST
from django_htmx.http import HttpResponseClientRefresh

from accounts.access import StaffRequest, requires
from accounts.models import Clinic, User
from accounts.permissions import Permission
from followups.calendar import Board, board_of
from followups.calendar_forms import DropForm
from followups.calendar_look import Look, month_of
from followups.calendar_pulse import calendar_pulse
from followups.errors import BookingError, Refused
from followups.forms import doctors_of
from followups.models import Appointment, Room
from followups.services.dropping import drop, undo_move
from followups.services.waiting import fitting
from followups.slots import Slot
from followups.views.appointments import appointments as day_list
from followups.views.appointments import day_url, get_appointment, safe_next
from followups.waiting_rules import Gap


@requires(Permission.BOOK)
@require_GET
def calendar(request: StaffRequest, clinic: Clinic) -> HttpResponse:
    """?day= ?view=day|week|list ?by=doctor|room ?col= ?month=; on a phone the list opens unless something is said."""
    view = request.GET.get("view")
    if view == "list" or (not view and _is_phone(request)):
        return day_list(request)  # type: ignore[return-value]  # a page, not a stream
    return render(request, "followups/calendar.html", calendar_context(request, clinic, Look.of(request.GET, clinic)))


def _is_phone(request: StaffRequest) -> bool:
    """Whether the browser says that it is a phone's."""
    return request.headers.get("Sec-CH-UA-Mobile") == "?1" or "Mobi" in request.headers.get("User-Agent", "")


def calendar_context(request: StaffRequest, clinic: Clinic, look: Look) -> dict[str, Any]:
    """Return what the page and its parts show."""
    now = timezone.now()
    pulse = calendar_pulse(clinic=clinic, look=look, now=now)  # read first: what changes meanwhile shows next time
    board = board_of(user=request.user, clinic=clinic, look=look, now=now)
    return {
        "board": board,
        "look": board.look,
        "asked": look,
        "pulse": pulse,
        "month": month_of(look),
        "may_check_in": request.user.may(Permission.CHECK_IN, clinic),
        "may_manage": request.user.may(Permission.MANAGE_CALENDAR, clinic),
        "shown": _shown(board),
    }


def _shown(board: Board) -> int:
    """Return the column that a phone shows: the one asked for, else the first."""
    look = board.look
    if look.view == "week":
        return next((n for n, c in enumerate(board.columns) if c.day == look.day), 0)
    return next((n for n, c in enumerate(board.columns) if c.key == look.col), 0)


@requires(Permission.BOOK)
@require_GET
def calendar_board(request: StaffRequest, clinic: Clinic) -> HttpResponse:
    """The parts of the calendar anew, or 204 when nothing changed since `pulse`."""
    look = Look.of(request.GET, clinic)
    if request.GET.get("pulse") == calendar_pulse(clinic=clinic, look=look, now=timezone.now()):
        return HttpResponse(status=204)
    return calendar_parts(request, clinic, look)


def calendar_parts(
    request: StaffRequest, clinic: Clinic, look: Look, *, status: int = 200, **more: Any
) -> HttpResponse:
    context = calendar_context(request, clinic, look) | more
    return render(request, "followups/_calendar_parts.html", context, status=status)


def column_of(clinic: Clinic, form: DropForm) -> tuple[User | None, Room | None]:
    """Return whom a column belongs to; 404 for somebody of another clinic."""
    pk = form.cleaned_data["col"]
    if not pk:
        return None, None
    if form.cleaned_data["by"] == "room":
        return None, get_object_or_404(Room.objects.for_clinic(clinic), pk=pk)
    return get_object_or_404(doctors_of(clinic), pk=pk), None


@requires(Permission.BOOK)
@require_POST
def calendar_drop(request: StaffRequest, clinic: Clinic, pk: int) -> HttpResponse:
    """Move an appointment to where it was dropped; a taken time is said at once, with the nearest free ones."""
    row = get_appointment(request, clinic, pk)
    form = DropForm(request.POST, clinic=clinic)
    if not form.is_valid():
        messages.error(request, _("Choose a time."))
        return _answer(request, clinic, row, status=422)
    doctor, room = column_of(clinic, form)
    by_room = form.cleaned_data["by"] == "room"
    doctor, room = (row.doctor, room) if by_room else (doctor, row.room)
    try:
        new = drop(
            appointment=row, starts_at=form.starts_at, doctor=doctor, room=room, by=request.user, by_room=by_room
        )
    except BookingError as error:
        return _refused(request, clinic, row, form, error)
    _say_moved(request, row, new)
    return _answer(request, clinic, new, freed=row)


def _say_moved(request: StaffRequest, row: Appointment, new: Appointment) -> None:
    words = {"patient": new.patient, "when": _in_words(row, new)}
    said = _("%(patient)s moved to %(when)s.") % words
    if row.room_id and not new.room_id:
        said += " " + _("The room is taken then, so it has none yet.")
    messages.success(request, said, extra_tags=f"undo {reverse('appointment_move_back', args=[new.pk])}")


def _in_words(row: Appointment, new: Appointment) -> str:
    """Return the new time, with its date when that is another."""
    was, local = (timezone.localtime(a.starts_at) for a in (row, new))
    clock = local.strftime("%H:%M")
    day = date_format(local, pgettext("date format", "j M"))
    return clock if was.date() == local.date() else f"{day} {clock}"


def _refused(
    request: StaffRequest, clinic: Clinic, row: Appointment, form: DropForm, error: BookingError
) -> HttpResponse:
    """Draw the calendar as it is, with the nearest free times to choose from."""
    status = 422 if isinstance(error, Refused) else 409
    nearest: list[Slot] = getattr(error, "nearest", [])
    if not nearest or not request.htmx:
        messages.error(request, error.message)
        return _answer(request, clinic, row, status=status)
    context = {"refused": error.message, "moving": row, "nearest": nearest, "drop": form.cleaned_data}
    return calendar_parts(request, clinic, Look.of(request.GET, clinic), status=status, **context)


def _answer(
    request: StaffRequest, clinic: Clinic, row: Appointment, *, status: int = 200, freed: Appointment | None = None
) -> HttpResponse:
    if not request.htmx:
        return redirect(safe_next(request, day_url(row)))
    more = {"freed": freed, "fits": fits_of(clinic, freed), "done": True} if freed is not None else {}
    return calendar_parts(request, clinic, Look.of(request.GET, clinic), status=status, **more)


def fits_of(clinic: Clinic, freed: Appointment) -> list[Any]:
    """Return who on the waiting list would fit the time of an appointment that was moved or cancelled."""
    gap = Gap(freed.starts_at, freed.ends_at, doctor=freed.doctor_id, room=freed.room_id)
    return fitting(clinic=clinic, gap=gap)


@requires(Permission.BOOK)
@require_POST
def appointment_move_back(request: StaffRequest, clinic: Clinic, pk: int) -> HttpResponse:
    """Take back a move just made."""
    row = get_appointment(request, clinic, pk)
    try:
        row = undo_move(appointment=row, by=request.user)
        messages.success(request, _("The move was taken back."))
    except BookingError as error:
        messages.error(request, error.message)
    return HttpResponseClientRefresh() if request.htmx else redirect(safe_next(request, day_url(row)))
