"""The appointments of a day, and one appointment: confirm, cancel, take back."""

from datetime import date
from typing import Any

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST
from django_htmx.http import HttpResponseClientRefresh

from accounts import reading
from accounts.access import StaffRequest, requires
from accounts.models import Clinic
from accounts.permissions import Permission
from followups.days import chain_of, day_of, describe
from followups.errors import BookingError, Refused
from followups.forms import CancelForm, CorrectForm, WhyForm
from followups.models import Appointment
from followups.outcomes import CORRECTABLE, is_late, still_to_ask
from followups.services import cancel, confirm, restore
from followups.services.outcomes import correct_outcome, say_why
from followups.views.offering import offer_freed


def get_appointment(request: StaffRequest, clinic: Clinic, pk: int) -> Appointment:
    """Return an appointment of the clinic the person works in now, with its people, or answer 404."""
    found = Appointment.objects.for_user(request.user).for_clinic(clinic).with_people().select_related("clinic")
    appointment: Appointment = get_object_or_404(found, pk=pk)
    return appointment


def parse_day(text: str | None, fallback: date) -> date:
    """Return the date that an address names, else `fallback`."""
    return reading.day(text) or fallback


def safe_next(request: StaffRequest, fallback: str) -> str:
    """Return the address to go back to that a form or link names, if it is ours."""
    return reading.own_address(request, request.POST.get("next") or request.GET.get("next"), fallback)


def day_url(appointment: Appointment) -> str:
    day = timezone.localtime(appointment.starts_at, appointment.clinic.tz).date()
    return f"{reverse('appointments')}?day={day.isoformat()}"


@requires(Permission.BOOK)
@require_GET
def appointments(request: StaffRequest, clinic: Clinic) -> HttpResponse:
    """The list of a day; ?day= ?doctor= ?show=gone."""
    day = parse_day(request.GET.get("day"), clinic.today())
    doctor = request.GET.get("doctor", "")
    chosen = reading.whole_number(doctor)
    gone = request.GET.get("show") == "gone"
    shown = day_of(user=request.user, clinic=clinic, day=day, doctor=chosen, gone=gone)
    now = timezone.now()
    context = {
        "day": shown,
        "rows": [describe(a, clinic=clinic, now=now) for a in shown.rows],
        "doctor": chosen,
        "gone": gone,
        "is_today": day == clinic.today(),
        "may_check_in": request.user.may(Permission.CHECK_IN, clinic),
        "base": f"?view=list&day={day.isoformat()}",
    }
    return render(request, "followups/appointments.html", context)


@requires(Permission.BOOK)
@require_GET
def appointment(request: StaffRequest, clinic: Clinic, pk: int) -> HttpResponse:
    """One appointment with its history: a drawer over the page, or a page of its own."""
    return _show(request, clinic, get_appointment(request, clinic, pk))


def _show(request: StaffRequest, clinic: Clinic, row: Appointment, status: int = 200) -> HttpResponse:
    context = describe(row, clinic=clinic, now=timezone.now()) | {
        "changes": row.changes.select_related("by").order_by("-at", "-id"),
        "chain": chain_of(row),
        "ask_why": still_to_ask(row),
        "may_say_why": row.status in CORRECTABLE
        or (row.status == Appointment.Status.MOVED and bool(row.absence_reason)),
        "may_check_in": request.user.may(Permission.CHECK_IN, clinic),
        "back": day_url(row),
        "next": safe_next(request, "") or _page_of(request),
    }
    template = "followups/_appointment_drawer.html" if request.htmx else "followups/appointment.html"
    return render(request, template, context, status=status)


def _page_of(request: StaffRequest) -> str:
    """Return the path of the page that htmx asked from."""
    return request.htmx.current_url_abs_path or "" if request.htmx else ""


@requires(Permission.BOOK)
@require_POST
def appointment_confirm(request: StaffRequest, clinic: Clinic, pk: int) -> HttpResponse:
    """The patient said they will come; from a list only the row is drawn anew."""
    row = get_appointment(request, clinic, pk)
    try:
        row = confirm(appointment=row, by=request.user)
        undo = reverse("appointment_restore", args=[row.pk])
        messages.success(request, _("%(patient)s is confirmed.") % {"patient": row.patient}, extra_tags=f"undo {undo}")
    except BookingError as error:
        messages.error(request, error.message)
        row.refresh_from_db()
    if request.htmx and request.POST.get("row"):
        return _row(request, clinic, row)
    return _back(request, row)


def _row(request: StaffRequest, clinic: Clinic, row: Appointment) -> HttpResponse:
    context: dict[str, Any] = {"r": describe(row, clinic=clinic, now=timezone.now())}
    context["may_check_in"] = request.user.may(Permission.CHECK_IN, clinic)
    return render(request, "followups/_row.html", context)


def _back(request: StaffRequest, row: Appointment) -> HttpResponse:
    if request.htmx:
        return HttpResponseClientRefresh()
    return redirect(safe_next(request, day_url(row)))


@requires(Permission.BOOK)
@require_http_methods(["GET", "POST"])
def appointment_cancel(request: StaffRequest, clinic: Clinic, pk: int) -> HttpResponse:
    """Ask what happened and why, and free the slot."""
    row = get_appointment(request, clinic, pk)
    form = CancelForm(request.POST or None, past=row.starts_at <= timezone.now())
    status = 200
    if request.method == "POST":
        if form.is_valid():
            try:
                data = form.cleaned_data
                row = cancel(appointment=row, by=request.user, **data)
            except BookingError as error:
                form.add_error(error.field if isinstance(error, Refused) else None, error.message)
            else:
                words = {"patient": row.patient, "status": row.get_status_display()}
                undo = reverse("appointment_restore", args=[row.pk])
                messages.success(request, _("%(patient)s: %(status)s.") % words, extra_tags=f"undo {undo}")
                offer_freed(request, clinic, row)
                return _back(request, row)
        status = 422
    template = "followups/_cancel_dialog.html" if request.htmx else "followups/cancel.html"
    context = {"a": row, "form": form, "back": safe_next(request, day_url(row)), "late": _would_be_late(row)}
    return render(request, template, context, status=status)


def _would_be_late(row: Appointment) -> bool:
    hours = row.clinic.late_cancel_hours
    return is_late(starts_at=row.starts_at, at=timezone.now(), hours=hours)


def _why_form(request: StaffRequest, row: Appointment) -> WhyForm | CorrectForm:
    known = {name: getattr(row, name) for name in ("absence_reason", "absence_side")} | {"reason": row.absence_note}
    if row.status in CORRECTABLE:
        return CorrectForm(request.POST or None, row=row, initial=known)
    return WhyForm(request.POST or None, initial=known)


@requires(Permission.BOOK)
@require_http_methods(["GET", "POST"])
def appointment_why(request: StaffRequest, clinic: Clinic, pk: int) -> HttpResponse:
    """Ask afterwards, or correct, how and why it fell through; what was said before stays in the history."""
    row = get_appointment(request, clinic, pk)
    form = _why_form(request, row)
    status = 200
    if request.method == "POST":
        if form.is_valid():
            data = form.cleaned_data | {"note": form.cleaned_data["reason"]}
            del data["reason"]
            try:
                (correct_outcome if "outcome" in data else say_why)(appointment=row, by=request.user, **data)
            except BookingError as error:
                form.add_error(error.field if isinstance(error, Refused) else None, error.message)
            else:
                messages.success(request, _("Noted why %(patient)s did not come.") % {"patient": row.patient})
                return _back(request, row)
        status = 422
    template = "followups/_appointment_why_dialog.html" if request.htmx else "followups/appointment_why.html"
    return render(request, template, {"a": row, "form": form, "back": safe_next(request, day_url(row))}, status=status)


@requires(Permission.BOOK)
@require_POST
def appointment_restore(request: StaffRequest, clinic: Clinic, pk: int) -> HttpResponse:
    """Take the last step back: a confirmation, a cancellation, a no-show."""
    row = get_appointment(request, clinic, pk)
    try:
        row = restore(appointment=row, by=request.user)
        messages.success(request, _("%(patient)s is booked again.") % {"patient": row.patient})
    except BookingError as error:
        messages.error(request, error.message)
    return _back(request, row)
