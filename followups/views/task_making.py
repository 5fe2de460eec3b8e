"""Making a task by hand, logging a contact without one, and handing a colleague's tasks over."""

from datetime import timedelta
from typing import Any

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST

from accounts.access import StaffRequest, requires
from accounts.models import Clinic
from accounts.permissions import Permission
from accounts.reading import whole_number
from followups.errors import BookingError
from followups.models import StandIn, TaskEvent, TaskKind
from followups.services.contacts import log_contact
from followups.services.handing_over import hand_over, undo_hand_over
from followups.services.standing_in import end_stand_in
from followups.services.tasks import create_task
from followups.task_forms import ContactForm, HandOverForm, TaskForm
from followups.task_rules import WANT_BOOKING
from patients.models import Registration
from patients.search import find
from patients.views.common import done, get_registration, panel, patient_url


def _fault(form: Any, error: BookingError) -> None:
    form.add_error(error.field if error.field in form.fields else None, error.message)


def _registered(request: StaffRequest, clinic: Clinic, pk: int) -> Registration:
    """Return how a patient is registered in the clinic the person works in now, or answer 404."""
    rows = Registration.objects.for_user(request.user).for_clinic(clinic).filter(patient__merged_into=None)
    registration: Registration = get_object_or_404(rows.select_related("patient", "clinic", "owner"), patient=pk)
    return registration


@requires(Permission.FOLLOW_UP)
@require_http_methods(["GET", "POST"])
def task_add(request: StaffRequest, clinic: Clinic) -> HttpResponse:
    """Make a task for ?patient=; without one, ask for whom."""
    pk = whole_number(request.GET.get("patient"))
    if pk is None:
        return _for_whom(request, clinic)
    registration = _registered(request, clinic, pk)
    patient, now = registration.patient, timezone.localtime(timezone.now(), clinic.tz)
    initial = {"owner": request.user.pk, "day": (now + timedelta(days=1)).date(), "at": "10:00"}
    form = TaskForm(request.POST or None, clinic=clinic, initial=initial)
    if request.method == "POST" and form.is_valid():
        data = form.cleaned_data
        given = {name: data[name] for name in ("kind", "title", "due_at", "channel", "nature", "owner", "script")}
        closed_by = "booked" if data["kind"] in WANT_BOOKING else "contact"
        try:
            create_task(clinic=clinic, patient=patient, by=request.user, closed_by=closed_by, **given)
        except BookingError as error:
            _fault(form, error)
        else:
            messages.success(request, _("Task for %(patient)s made.") % {"patient": patient})
            return done(request, reverse("tasks"))
    context = {"form": form, "patient": patient, "kind": TaskKind}
    status = 422 if form.is_bound else 200
    return panel(
        request, "followups/_task_form.html", context, title=_("New task"), back=reverse("tasks"), status=status
    )


def _for_whom(request: StaffRequest, clinic: Clinic) -> HttpResponse:
    words = request.POST.get("q", "")[:60]
    asked = bool(words.strip())  # before anything was asked for, "nobody found" would be no answer
    found = [hit for hit in find(words, user=request.user, clinic=clinic) if not hit.elsewhere] if asked else None
    context = {"q": words, "found": found}
    return panel(request, "followups/_task_for_whom.html", context, title=_("New task"), back=reverse("tasks"))


@requires(Permission.FOLLOW_UP)
@require_http_methods(["GET", "POST"])
def contact_add(request: StaffRequest, clinic: Clinic, pk: int) -> HttpResponse:
    """Log a contact with a patient that no task asked for."""
    registration = get_registration(request, clinic, pk, Permission.FOLLOW_UP)
    form = ContactForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            contact = log_contact(
                patient=registration.patient, clinic=registration.clinic, by=request.user, **form.cleaned_data
            )
        except BookingError as error:
            _fault(form, error)
        else:
            words = {"patient": registration.patient, "outcome": contact.get_outcome_display()}
            undo = reverse("contact_undo", args=[contact.pk])
            messages.success(request, _("%(patient)s: %(outcome)s.") % words, extra_tags=f"undo {undo}")
            return done(request, patient_url(pk))
    context = {"form": form, "patient": registration.patient}
    status = 422 if form.is_bound else 200
    return panel(
        request, "followups/_contact_form.html", context, title=_("Log a contact"), back=patient_url(pk), status=status
    )


@requires(Permission.HAND_OVER)
@require_http_methods(["GET", "POST"])
def task_hand_over(request: StaffRequest, clinic: Clinic) -> HttpResponse:
    """Give all open tasks of a colleague who is away to another, or share them out."""
    form = HandOverForm(request.POST or None, clinic=clinic)
    if request.method == "POST" and form.is_valid():
        try:
            made = hand_over(clinic=clinic, by=request.user, **form.cleaned_data)
        except BookingError as error:
            _fault(form, error)
        else:
            shares = _(", ").join(f"{name} {n}" for name, n in made.counts.items() if n or form.cleaned_data["until"])
            undo = reverse("task_hand_over_undo", args=[made.batch])
            messages.success(request, _("Handed over: %(shares)s") % {"shares": shares}, extra_tags=f"undo {undo}")
            return done(request, reverse("tasks"))
    standing = StandIn.objects.for_clinic(clinic).standing().select_related("away", "to", "clinic").order_by("ends_at")
    context = {"form": form, "standing": standing}
    status = 422 if form.is_bound else 200
    return panel(
        request,
        "followups/_task_hand_over.html",
        context,
        title=_("Hand over tasks"),
        back=reverse("tasks"),
        status=status,
    )


@requires(Permission.HAND_OVER)
@require_POST
def task_hand_over_undo(request: StaffRequest, clinic: Clinic, batch: str) -> HttpResponse:
    """Take a hand-over back."""
    rows = StandIn.objects.for_clinic(clinic).filter(batch=batch)
    if not rows.exists():
        get_object_or_404(TaskEvent.objects.for_clinic(clinic).filter(detail__batch=batch)[:1])
    try:
        count = undo_hand_over(clinic=clinic, batch=batch, by=request.user)
        messages.success(request, _("Given back: %(count)s") % {"count": count})
    except BookingError as error:
        messages.error(request, error.message)
    return redirect("tasks")


@requires(Permission.HAND_OVER)
@require_POST
def stand_in_end(request: StaffRequest, clinic: Clinic, pk: int) -> HttpResponse:
    """A colleague is back before the day that was said."""
    row = get_object_or_404(StandIn.objects.for_clinic(clinic).select_related("clinic", "away", "to"), pk=pk)
    if end_stand_in(row=row, by=request.user):
        messages.success(request, _("What comes due for %(name)s stays with them again.") % {"name": row.away})
    return done(request, reverse("tasks"))
