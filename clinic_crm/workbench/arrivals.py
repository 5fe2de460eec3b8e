"""Checking patients in: from an appointment, or as a walk-in found by search."""

from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST
from django_htmx.http import HttpResponseClientRedirect, trigger_client_event

from accounts.access import StaffRequest, requires
from accounts.models import Clinic, User
from accounts.permissions import Permission
from clinic_crm.workbench.views import board_parts, on_board
from consultations.errors import AlreadyHere, VisitError
from consultations.models import Visit
from consultations.services.reception import check_in
from followups.errors import BookingError
from followups.models import Appointment
from followups.services import restore
from followups.views.appointments import get_appointment, safe_next
from followups.views.offering import say_also_booked
from patients.models import Patient
from patients.search import Hit, find


def expected_today(clinic: Clinic, patient: Patient) -> Appointment | None:
    """Return the appointment for which a patient who walks in has come, if there is one today."""
    start, end = clinic.day_bounds(clinic.today())
    rows = Appointment.objects.for_clinic(clinic).filter(patient=patient, starts_at__gte=start, starts_at__lt=end)
    return rows.expected().select_related("doctor", "room").order_by("starts_at").first()


def _came_late(clinic: Clinic, patient: Patient, by: User) -> Appointment | None:
    """Somebody who was marked as not having come today has come: the appointment is expected again, and returned."""
    start, end = clinic.day_bounds(clinic.today())
    rows = Appointment.objects.for_clinic(clinic).filter(patient=patient, starts_at__gte=start, starts_at__lt=end)
    missed = rows.filter(status=Appointment.Status.NO_SHOW).order_by("-starts_at").first()
    if missed is None or Visit.objects.for_clinic(clinic).in_clinic_now().filter(patient=patient).exists():
        return None
    try:
        return restore(appointment=missed, by=by)
    except BookingError:
        return None  # changed this very moment: they come as a walk-in


def _say_arrived(request: StaffRequest, visit: Visit) -> None:
    undo = reverse("visit_check_in_undo", args=[visit.pk])
    messages.success(request, _("%(patient)s is checked in.") % {"patient": visit.patient}, extra_tags=f"undo {undo}")


def _say_refused(request: StaffRequest, error: VisitError) -> int:
    """Say why, for somebody who is here already with whom; returns the HTTP status."""
    if not isinstance(error, AlreadyHere):
        messages.error(request, error.message)
        return 422
    here = error.visit
    words = {"patient": here.patient, "stage": here.get_stage_display(), "who": here.coordinator}
    text = _("%(patient)s is here already, with %(who)s: %(stage)s.") if here.coordinator else error.message
    messages.warning(request, text % words if here.coordinator else text, extra_tags=f"see {here.get_absolute_url()}")
    return 409


def _arrive(request: StaffRequest, clinic: Clinic, **whom: Any) -> HttpResponse:
    """Check in and answer: the board anew where one stands before it, else back to where one came from."""
    status = 200
    try:
        visit = check_in(clinic=clinic, by=request.user, **whom)
        _say_arrived(request, visit)
        if visit.appointment is None:  # perhaps they came on another day than they were booked for
            say_also_booked(request, clinic, visit.patient, after=visit.arrived_at)
    except VisitError as error:
        status = _say_refused(request, error)
    if not request.htmx:
        return redirect(safe_next(request, reverse("today")))
    if not on_board(request):
        return HttpResponseClientRedirect(reverse("today"))
    response = board_parts(request, clinic, status=status)
    return trigger_client_event(response, "dialog:close", {}) if status == 200 else response


@requires(Permission.CHECK_IN)
@require_POST
def appointment_check_in(request: StaffRequest, clinic: Clinic, pk: int) -> HttpResponse:
    """The patient of an appointment has come."""
    row = get_appointment(request, clinic, pk)
    return _arrive(request, clinic, patient=row.patient, appointment=row)


@requires(Permission.CHECK_IN)
@require_POST
def check_in_patient(request: StaffRequest, clinic: Clinic, pk: int) -> HttpResponse:
    """A patient has come, with an appointment today or without one."""
    patients = Patient.objects.for_user(request.user).for_clinic(clinic).living()
    patient = get_object_or_404(patients, pk=pk)
    what = (request.POST.get("complaint_text") or request.POST.get("complaint") or "").strip()[:300]
    appointment = expected_today(clinic, patient) or _came_late(clinic, patient, request.user)
    return _arrive(request, clinic, patient=patient, appointment=appointment, complaint_text=what)


@dataclass(frozen=True)
class _Found:
    """Somebody found, and the visit they are here for already."""

    hit: Hit
    here: Visit | None

    def __getattr__(self, name: str) -> Any:
        return getattr(self.hit, name)


def _add_url(said: str) -> str:
    """Where to register the name that the search did not find; what may be a phone number stays out of addresses."""
    is_name = said.strip() and not any(sign.isdigit() for sign in said)
    return f"{reverse('patient_add')}?{urlencode({'name': said.strip()})}" if is_name else ""


@requires(Permission.CHECK_IN)
@require_http_methods(["GET", "POST"])
def walk_in(request: StaffRequest, clinic: Clinic) -> HttpResponse:
    """Find who has come. The search is posted: what is typed may be a phone number."""
    said = request.POST.get("q", "")
    hits = find(said, user=request.user, clinic=clinic) if said.strip() else []
    here = Visit.objects.for_clinic(clinic).in_clinic_now().filter(patient__in=[hit.patient.pk for hit in hits])
    open_visits = {visit.patient_id: visit for visit in here.select_related("coordinator")} if hits else {}
    may_add = request.user.may(Permission.QUICK_ADD, clinic)
    context = {
        "q": said,
        "hits": [_Found(hit, open_visits.get(hit.patient.pk)) for hit in hits],
        "may_add": may_add,
        "add_url": _add_url(said) if may_add else "",
    }
    if request.htmx:
        part = "_walk_in_hits" if request.method == "POST" else "_walk_in_dialog"
        return render(request, f"workbench/{part}.html", context)
    return render(request, "workbench/walk_in.html", context)
