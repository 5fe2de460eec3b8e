"""Booking and moving an appointment: who, what, with whom, and a time that is free."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any
from urllib.parse import urlsplit

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST

from accounts.access import StaffRequest, requires
from accounts.models import Clinic, User
from accounts.permissions import Permission
from accounts.reading import whole_number
from clinic_crm.templatetags._format import clock, when, when_within
from consultations.models import Visit
from consultations.stages import Decision
from followups.errors import BookingError, ClosedThen, Refused
from followups.forms import BookingForm, MoveForm, SlotForm, doctors_of
from followups.models import Appointment, Room
from followups.recheck_rules import Suggestion, suggested
from followups.services import book, free_slots, length_of, move, suggest_slots, undo
from followups.services.availability import check_open
from followups.slots import Slot
from followups.views.appointments import day_url, get_appointment, parse_day, safe_next
from patients.models import Patient, Registration
from patients.search import find

Kind = Appointment.Kind
TREATED = frozenset({Decision.ACCEPTED, Decision.DEPOSIT})


@dataclass(frozen=True)
class Wish:
    """What is known so far of a booking; times are offered for it."""

    clinic: Clinic
    patient: Patient
    kind: str
    doctor: User | None
    room: Room | None
    length: timedelta
    day: date
    but: int | None = None
    treatment: str = ""  # the complaint that an accepted plan treats

    @property
    def usual(self) -> Suggestion:
        """When the next appointment is suggested first, and why."""
        return suggested(kind=self.kind, class_code=self.patient.class_code or "", treatment=self.treatment)

    def suggestions(self) -> list[Slot]:
        if self.doctor is None and self.room is None:
            return []
        return suggest_slots(
            clinic=self.clinic,
            patient=self.patient,
            doctor=self.doctor,
            kind=self.kind,
            length=self.length,
            room=self.room,
            but=self.but,
            treatment=self.treatment,
        )

    def free(self) -> list[Slot]:
        if self.doctor is None and self.room is None:
            return []
        return free_slots(
            clinic=self.clinic,
            start=self.day,
            length=self.length,
            doctor=self.doctor,
            room=self.room,
            patient=self.patient,
            but=self.but,
        )


def _pick(rows: Any, pk: Any) -> Any:
    """Return the row with the id that an address or form names, None for anything else."""
    number = whole_number(str(pk or ""))
    return rows.filter(pk=number).first() if number else None


def _visit_for(request: StaffRequest, clinic: Clinic, patient: Patient) -> Visit | None:
    """Return the visit whose next appointment this is, as the address or form names it."""
    rows = Visit.objects.for_user(request.user).for_clinic(clinic).filter(patient=patient).select_related("doctor")
    found: Visit | None = _pick(rows, request.POST.get("visit") or request.GET.get("visit"))
    return found


def usual_kind(patient: Patient, visit: Visit | None) -> str:
    """Return what an appointment is most likely for."""
    if visit is not None and visit.decision:
        return Kind.TREATMENT if visit.decision in TREATED else Kind.RECHECK
    seen = patient.visits.filter(received_at__isnull=False, is_error=False).exists()
    return Kind.RECHECK if seen or visit is not None else Kind.FIRST


def usual_doctor(clinic: Clinic, patient: Patient, visit: Visit | None) -> int | None:
    """Return the id of the doctor a patient most likely comes to."""
    if visit is not None and visit.doctor_id:
        return visit.doctor_id
    owned = Registration.objects.for_clinic(clinic).filter(patient=patient).values_list("doctor", flat=True).first()
    last = Appointment.objects.for_clinic(clinic).filter(patient=patient, doctor__isnull=False).order_by("-starts_at")
    return owned or last.values_list("doctor", flat=True).first()


def _treatment(visit: Visit | None) -> str:
    """Return what an accepted plan treats; nothing before a decision."""
    return visit.consultation.complaint if visit is not None and visit.decision in TREATED else ""


def wish_of(
    clinic: Clinic,
    patient: Patient,
    params: Mapping[str, Any],
    *,
    kind: str,
    but: int | None = None,
    treatment: str = "",
) -> Wish:
    """Read leniently what was chosen so far; anything unreadable counts as not chosen yet."""
    minutes = whole_number(str(params.get("minutes") or "")) or 0
    length = timedelta(minutes=minutes) if 0 < minutes <= 480 else length_of(kind, clinic=clinic)
    return Wish(
        clinic=clinic,
        patient=patient,
        kind=kind,
        doctor=_pick(doctors_of(clinic), params.get("doctor")),
        room=_pick(Room.objects.for_clinic(clinic), params.get("room")),
        length=length,
        day=parse_day(str(params.get("day") or ""), clinic.today() + timedelta(days=1)),
        but=but,
        treatment=treatment,
    )


def _times(wish: Wish, chosen: str, nearest: list[Slot]) -> dict[str, Any]:
    """Return what the part of the page with the times shows."""
    free = wish.free()
    return {
        "wish": wish,
        "minutes": int(wish.length.total_seconds() // 60),
        "suggestions": wish.suggestions(),
        "free": [(clock(slot.starts_at), clock(slot.starts_at)) for slot in free],
        "chosen": chosen,
        "nearest": nearest,
    }


def _with_defaults(params: Mapping[str, Any], defaults: dict[str, Any]) -> dict[str, Any]:
    given = {key: params[key] for key in ("kind", "doctor", "room", "minutes", "day", "purpose", "at") if key in params}
    return defaults | given


def _show(
    request: StaffRequest,
    form: SlotForm,
    wish: Wish,
    *,
    status: int = 200,
    error: BookingError | None = None,
    **more: Any,
) -> HttpResponse:
    """Render the page, or for htmx's question about times that part alone."""
    nearest = getattr(error, "nearest", [])
    more["may_insist"] = isinstance(error, ClosedThen) and error.may_insist
    chosen = str(form["at"].value() or "")
    context = {"form": form, "patient": wish.patient} | more | _times(wish, chosen, nearest)
    only_times = request.htmx and request.method == "GET"
    return render(request, "workbench/_times.html" if only_times else "workbench/booking.html", context, status=status)


def _blame(form: SlotForm, error: BookingError) -> int:
    """Put a refusal beside its field; returns the HTTP status."""
    field = error.field if error.field in form.fields else None
    form.add_error(field, error.message)
    return 422 if isinstance(error, Refused) else 409


@requires(Permission.BOOK)
@require_http_methods(["GET", "POST"])
def appointment_new(request: StaffRequest, clinic: Clinic) -> HttpResponse:
    """Book for ?patient=, as the next appointment of ?visit=. Without a patient: first find one."""
    params = request.POST if request.method == "POST" else request.GET
    patients = Patient.objects.for_user(request.user).for_clinic(clinic).living()
    patient = _pick(patients, params.get("patient"))
    if patient is None:
        return _choose_patient(request, clinic)
    visit = _visit_for(request, clinic, patient)
    asked = params.get("kind", "")
    kind = asked if asked in Kind.values else usual_kind(patient, visit)
    defaults = {"kind": kind, "doctor": usual_doctor(clinic, patient, visit), "purpose": _purpose(visit)}
    values = _with_defaults(params, defaults)
    wish = wish_of(clinic, patient, values, kind=kind, treatment=_treatment(visit))
    more: dict[str, Any] = {"visit": visit, "next": safe_next(request, "")}
    if request.method == "GET":
        if "day" not in values:
            wish = _from_first(wish)
        form = BookingForm(clinic=clinic, initial=values | {"day": wish.day})
        return _show(request, form, wish, **more)
    form = BookingForm(request.POST, clinic=clinic)
    if not form.is_valid():
        return _show(request, form, wish, status=422, **more)
    data = form.cleaned_data
    what = {key: data[key] for key in ("doctor", "room", "kind", "starts_at", "ends_at", "purpose")}
    try:
        _check_hours(request, clinic, what)
        row = book(clinic=clinic, patient=patient, by=request.user, **what)
    except BookingError as error:
        return _show(request, form, wish, status=_blame(form, error), error=error, **more)
    return _booked(request, row, visit)


def _check_hours(request: StaffRequest, clinic: Clinic, what: dict[str, Any]) -> None:
    """Raise ClosedThen for a time outside the hours, unless the person insists on it."""
    where = {key: what[key] for key in ("doctor", "room", "starts_at", "ends_at")}
    check_open(clinic=clinic, insist=request.POST.get("insist") == "1", **where)


def _purpose(visit: Visit | None) -> str:
    return visit.consultation.complaint_text[:200] if visit is not None else ""


def _from_first(wish: Wish) -> Wish:
    """Open on the day of the first suggestion."""
    first = next(iter(wish.suggestions()), None)
    day = first.starts_at.astimezone(wish.clinic.tz).date() if first else wish.day
    return Wish(**(vars(wish) | {"day": day}))


def _booked(request: StaffRequest, row: Appointment, visit: Visit | None) -> HttpResponse:
    undo = reverse("appointment_undo", args=[row.pk])
    words = {"when": when(row.starts_at), "who": row.doctor or row.room}
    messages.success(request, _("Booked: %(when)s, %(who)s.") % words, extra_tags=f"undo {undo}")
    home = (
        visit.get_absolute_url() if visit is not None and visit.is_open else reverse("patient", args=[row.patient_id])
    )
    return _to_it(safe_next(request, home), row)


def _to_it(url: str, row: Appointment) -> HttpResponse:
    """Go there; the calendar's address names the appointment, so that it is in sight and has the focus."""
    is_calendar = urlsplit(url).path == reverse("appointments")
    return redirect(f"{url}#a-{row.pk}" if is_calendar else url)


def _choose_patient(request: StaffRequest, clinic: Clinic) -> HttpResponse:
    """Find whom to book for. The search is posted: what is typed may be a phone number."""
    said = request.POST.get("q", "")
    context = {
        "q": said,
        "hits": find(said, user=request.user, clinic=clinic) if said.strip() else [],
        "booking_url": request.get_full_path(),
    }
    template = "workbench/_booking_hits.html" if request.htmx else "workbench/booking_patient.html"
    return render(request, template, context)


@requires(Permission.BOOK)
@require_http_methods(["GET", "POST"])
def appointment_move(request: StaffRequest, clinic: Clinic, pk: int) -> HttpResponse:
    """Move an appointment to another time, doctor or room; the old row is kept as moved."""
    old = get_appointment(request, clinic, pk)
    params = request.POST if request.method == "POST" else request.GET
    local = timezone.localtime(old.starts_at)
    usual = {
        "doctor": old.doctor_id,
        "room": old.room_id,
        "minutes": int((old.ends_at - old.starts_at).total_seconds() // 60),
        "day": max(local.date(), clinic.today()),
    }
    values = _with_defaults(params, usual)
    wish = wish_of(clinic, old.patient, values, kind=old.kind, but=old.pk)
    more: dict[str, Any] = {"old": old, "next": safe_next(request, day_url(old))}
    if request.method == "GET":
        return _show(request, MoveForm(clinic=clinic, kind=old.kind, initial=values), wish, **more)
    form = MoveForm(request.POST, clinic=clinic, kind=old.kind)
    if not form.is_valid():
        return _show(request, form, wish, status=422, **more)
    data = form.cleaned_data
    why = ("reason", "absence_reason", "absence_side")
    what = {key: data[key] for key in ("doctor", "room", "starts_at", "ends_at", *why)}
    try:
        _check_hours(request, clinic, what)
        row = move(appointment=old, by=request.user, **what)
    except BookingError as error:
        return _show(request, form, wish, status=_blame(form, error), error=error, **more)
    messages.success(
        request, _("%(patient)s moved to %(when)s.") % {"patient": row.patient, "when": when_within(row.starts_at)}
    )
    return _to_it(safe_next(request, day_url(row)), row)


@requires(Permission.BOOK)
@require_POST
def appointment_undo(request: StaffRequest, clinic: Clinic, pk: int) -> HttpResponse:
    """Take back a booking just made."""
    row = get_appointment(request, clinic, pk)
    try:
        undo(appointment=row, by=request.user)
        messages.success(request, _("The booking was taken back."))
    except BookingError as error:
        messages.error(request, error.message)
    return redirect(safe_next(request, day_url(row)))
