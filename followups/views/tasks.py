"""Follow-ups: the task list, one task beside it, its outcome in one gesture."""

import json
from datetime import datetime
from typing import Any
from urllib.parse import urlencode, urlsplit

from django.contrib import messages
from django.db import transaction
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST

from accounts import reading
from accounts.access import StaffRequest, requires
from accounts.models import Clinic
from accounts.permissions import Permission
from followups.beside import beside
from followups.errors import BookingError, Refused, TaskEnded, TaskHeld
from followups.models import AbsenceReason, Contact, ContactOutcome, Side, Task, TaskKind
from followups.outcomes import USUAL_SIDE
from followups.services import outcomes
from followups.services.contacts import log_contact, undo_contact
from followups.services.recheck_plans import write_plan
from followups.services.tasks import claim, close_tasks, locked_open
from followups.task_list import View, due_words, listing, owners_of, person_of, subject_of
from followups.task_panel import first_words, panel_of
from followups.views.appointments import safe_next
from patients.classification import PatientClass

Outcome = ContactOutcome
CLAIMING = (Permission.FOLLOW_UP, Permission.TREAT)


def get_task(request: StaffRequest, clinic: Clinic, pk: int) -> Task:
    """Return a task of the clinic the person works in now, with its people, or answer 404."""
    rows = Task.objects.for_user(request.user).for_clinic(clinic).with_people().prefetch_related("patient__phones")
    task: Task = get_object_or_404(rows, pk=pk)
    return task


def _view(request: StaffRequest, clinic: Clinic) -> View:
    """A manager sees everybody's tasks first, everyone else their own."""
    return View.of(request.GET, usual="all" if request.user.may(Permission.HAND_OVER, clinic) else "mine")


@requires(Permission.FOLLOW_UP)
@require_GET
def tasks(request: StaffRequest, clinic: Clinic) -> HttpResponse:
    """What is to be done today; ?scope= ?kind= ?class= ?owner= say whose and which."""
    return _page(request, clinic, None)


@requires(*CLAIMING)
@require_GET
def task(request: StaffRequest, clinic: Clinic, pk: int) -> HttpResponse:
    """One task beside the list; on a narrow screen a page of its own."""
    row = _seen(request, clinic, pk)
    if not request.user.may(Permission.FOLLOW_UP, clinic):
        return _alone(request, clinic, row)
    return _page(request, clinic, row)


def _seen(request: StaffRequest, clinic: Clinic, pk: int) -> Task:
    """The task, 404 for a doctor whom it does not name."""
    row = get_task(request, clinic, pk)
    if not request.user.may(Permission.FOLLOW_UP, clinic) and row.doctor_id != request.user.pk:
        raise Http404
    return row


def _alone(
    request: StaffRequest, clinic: Clinic, row: Task, *, status: int = 200, error: BookingError | None = None
) -> HttpResponse:
    """A recheck plan for the doctor who is named in it, without the list."""
    context = _panel(request, clinic, row, timezone.now(), error)
    return render(request, "followups/task_alone.html", context, status=status)


def _page(
    request: StaffRequest, clinic: Clinic, row: Task | None, *, status: int = 200, error: BookingError | None = None
) -> HttpResponse:
    now, view = timezone.now(), _view(request, clinic)
    person = person_of(request.user, clinic)
    shown = listing(person=person, clinic=clinic, view=view, now=now)
    context: dict[str, Any] = {
        "view": view,
        "shown": shown,
        "query": view.query(),
        "person": person,
        "kinds": TaskKind.choices,
        "classes": PatientClass.values,
        "owners": owners_of(clinic),
        "owner": view.owner or "",
        "may_hand_over": request.user.may(Permission.HAND_OVER, clinic),
        "may_playbooks": request.user.may(Permission.EDIT_PLAYBOOKS, clinic),
        "may_book": request.user.may(Permission.BOOK, clinic),
        "beside": [] if view.is_filtered else beside(request.user, clinic, view.scope),
        "today": clinic.today(),
        "scopes": {scope: view.query(scope=scope) or "?" for scope in ("mine", "team", "all")},
    }
    if row is not None:
        context |= _panel(request, clinic, row, now, error)
    return render(request, "followups/tasks.html", context, status=status)


def _panel(
    request: StaffRequest, clinic: Clinic, row: Task, now: datetime, error: BookingError | None
) -> dict[str, Any]:
    title, at = subject_of(row)
    words = timezone.localtime(row.appointment.starts_at, clinic.tz) if row.appointment else None
    said = f"{words.month}月{words.day}日{words:%H:%M}" if words else ""
    panel = panel_of(task=row, user=request.user, clinic=clinic, now=now, when=said)
    typed = request.POST if request.method == "POST" else {}
    return {
        "panel": panel,
        "task": row,
        "patient": row.patient,
        "subject": title,
        "subject_at": at,
        "now": now,
        "first_label": first_words(row),
        "late": due_words(now - row.due_at) if row.due_at < now and row.status == Task.Status.OPEN else "",
        "error": error,
        "error_field": getattr(error, "field", None) or "",
        "note": typed.get("note", ""),
        "reasons": AbsenceReason.choices,
        "reason": typed.get("absence_reason", "") or (row.appointment.absence_reason if row.appointment else ""),
        "sides": Side.choices,
        "side": typed.get("absence_side", "") or (row.appointment.absence_side if row.appointment else ""),
        "usual_sides": json.dumps({str(key): str(value) for key, value in USUAL_SIDE.items()}),
        "may_log": request.user.may(Permission.FOLLOW_UP, clinic),
        "may_reveal": request.user.may(Permission.REVEAL_CONTACT, clinic)
        or request.user.may(Permission.CALL_PATIENTS, clinic),
    }


@requires(*CLAIMING)
@require_POST
def task_claim(request: StaffRequest, clinic: Clinic, pk: int) -> HttpResponse:
    """Take the patient's tasks for ten minutes; answers the line that says who is on it (409: somebody else)."""
    row = _seen(request, clinic, pk)
    held, status = "", 200
    try:
        claim(task=row, by=request.user)
    except TaskHeld as error:
        held, status = error.holder, 409
    except TaskEnded:
        status = 409
    if not request.htmx:
        return redirect(reverse("task", args=[pk]) + _view(request, clinic).query())
    return render(request, "followups/_task_claim.html", {"task": row, "held_by": held}, status=status)


@requires(Permission.FOLLOW_UP)
@require_POST
def task_log(request: StaffRequest, clinic: Clinic, pk: int) -> HttpResponse:
    """Write how the contact went, and why a patient did not come; then the next task is open."""
    row = get_task(request, clinic, pk)
    following = _following(request, clinic, row)
    try:
        contact = _logged(request, clinic, row)
    except (TaskHeld, TaskEnded) as error:
        messages.error(request, error.message)
        return _page(request, clinic, get_task(request, clinic, pk), status=409, error=error)
    except BookingError as error:
        return _page(request, clinic, row, status=422, error=error)
    _told(request, contact)
    if request.POST.get("book") and request.user.may(Permission.BOOK, clinic):
        return redirect(_booking(request, row))
    return redirect(following)


@transaction.atomic  # why the patient did not come and how the contact went: both are kept, or neither
def _logged(request: StaffRequest, clinic: Clinic, row: Task) -> Contact:
    outcome = request.POST.get("outcome", "")
    if request.POST.get("absence_reason") and row.appointment is not None:
        locked_open(row, request.user)
        _say_why(request, row)
    return log_contact(
        task=row,
        patient=row.patient,
        clinic=clinic,
        channel=request.POST.get("channel", "") or row.channel,
        outcome=outcome,
        note=request.POST.get("note", ""),
        next_at=reading.moment(request.POST.get(f"next_{outcome}")),
        by=request.user,
    )


def _say_why(request: StaffRequest, row: Task) -> None:
    """Keep why the patient did not come, unless it is said already as it stands."""
    reason, side = request.POST.get("absence_reason", ""), request.POST.get("absence_side", "")
    appointment = row.appointment
    assert appointment is not None
    if (reason, side or appointment.absence_side) != (appointment.absence_reason, appointment.absence_side):
        note = request.POST.get("note", "")[:300]
        outcomes.say_why(appointment=appointment, absence_reason=reason, absence_side=side, note=note, by=request.user)


def _told(request: StaffRequest, contact: Contact) -> None:
    words = {"patient": contact.patient, "outcome": contact.get_outcome_display()}
    undo = reverse("contact_undo", args=[contact.pk])
    messages.success(request, _("%(patient)s: %(outcome)s.") % words, extra_tags=f"undo {undo}")


def _following(request: StaffRequest, clinic: Clinic, row: Task) -> str:
    """Return the address of the task after this one in the list as it is looked at, else of the list."""
    view = _view(request, clinic)
    shown = listing(person=person_of(request.user, clinic), clinic=clinic, view=view, now=timezone.now())
    others = [
        pk for group in shown.groups for pk in (r.task.pk for r in group.rows if r.task.patient_id != row.patient_id)
    ]
    order, rest = shown.order, set(others)
    at = order.index(row.pk) if row.pk in order else -1
    after = next((pk for pk in order[at + 1 :] if pk in rest), None) or next(iter(others), None)
    return (reverse("task", args=[after]) if after else reverse("tasks")) + view.query()


def _booking(request: StaffRequest, row: Task) -> str:
    """Return the address of the booking page, filled in with the suggestion that was shown."""
    slot = reading.moment(request.POST.get("slot"))
    query: dict[str, Any] = {"patient": row.patient_id, "kind": "recheck", "next": reverse("tasks")}
    if doctor := reading.whole_number(request.POST.get("doctor")):
        query["doctor"] = doctor
    if slot is not None:
        local = timezone.localtime(slot, row.clinic.tz)
        query |= {"day": local.date().isoformat(), "at": f"{local:%H:%M}"}
    return f"{reverse('appointment_new')}?{urlencode(query)}"


@requires(*CLAIMING)
@require_POST
def task_plan(request: StaffRequest, clinic: Clinic, pk: int) -> HttpResponse:
    """Write a recheck plan, or correct it: by the coordinator, or the doctor who is named."""
    row = get_task(request, clinic, pk)
    if not request.user.may(Permission.FOLLOW_UP, clinic) and row.doctor_id != request.user.pk:
        raise Http404
    again = _page if request.user.may(Permission.FOLLOW_UP, clinic) else _alone
    try:
        instead = reading.whole_number(request.POST.get("instead_of"))
        write_plan(task=row, note=request.POST.get("note", ""), by=request.user, instead_of=instead)
    except (TaskHeld, TaskEnded) as error:
        messages.error(request, error.message)
        return again(request, clinic, get_task(request, clinic, pk), status=409, error=error)
    except Refused as error:
        return again(request, clinic, row, status=422, error=error)
    messages.success(request, _("The recheck plan of %(patient)s is ready.") % {"patient": row.patient})
    fallback = reverse("tasks") if request.user.may(Permission.FOLLOW_UP, clinic) else reverse("home")
    return redirect(reading.own_address(request, request.POST.get("next"), fallback))


@requires(Permission.FOLLOW_UP)
@require_POST
def task_close(request: StaffRequest, clinic: Clinic, pk: int) -> HttpResponse:
    """Close a task that is not needed."""
    row = get_task(request, clinic, pk)
    try:
        with transaction.atomic():
            locked = locked_open(row, request.user) if row.status == Task.Status.OPEN else row
            close_tasks(Task.objects.filter(pk=locked.pk), reason=Task.Closed.BY_HAND, by=request.user)
    except BookingError as error:
        messages.error(request, error.message)
        return redirect(reverse("task", args=[pk]))
    messages.success(request, _("Closed: %(title)s") % {"title": row.title})
    return redirect(reverse("tasks") + _view(request, clinic).query())


@requires(Permission.FOLLOW_UP)
@require_POST
def contact_undo(request: StaffRequest, clinic: Clinic, pk: int) -> HttpResponse:
    """Take one's own contact back that was just logged."""
    rows = Contact.objects.for_user(request.user).for_clinic(clinic).select_related("task")
    contact = get_object_or_404(rows, pk=pk)
    try:
        undo_contact(contact=contact, by=request.user)
        messages.success(request, _("Taken back."))
    except BookingError as error:
        messages.error(request, error.message)
    fallback = (
        reverse("task", args=[contact.task_id]) if contact.task_id else reverse("patient", args=[contact.patient_id])
    )
    return redirect(_as_filtered(fallback, request))


def _as_filtered(url: str, request: StaffRequest) -> str:
    """Add to a task's address how the list was filtered on the page that asked."""
    came = urlsplit(safe_next(request, ""))
    return f"{url}?{came.query}" if came.query and came.path.startswith(reverse("tasks")) else url
