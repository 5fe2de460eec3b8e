"""The waiting list: putting somebody on it, asking them, giving them a free time."""

from datetime import timedelta
from typing import Any

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from accounts import reading
from accounts.access import StaffRequest, requires
from accounts.models import Clinic
from accounts.permissions import Permission
from followups.calendar_forms import OPEN, DropForm, WaitingForm, waiting_initial
from followups.calendar_look import Look
from followups.errors import BookingError, Refused
from followups.forms import doctors_of
from followups.models import Room, WaitingEntry
from followups.services.availability import check_open, length_of
from followups.services.waiting import (
    add_waiting,
    book_waiting,
    fitting,
    offer_waiting,
    reopen_waiting,
    with_coming,
    withdraw_waiting,
)
from followups.views.appointments import safe_next
from followups.views.calendar import calendar_parts, column_of
from followups.views.offering import say_also_booked
from followups.waiting_rules import Gap
from patients.models import Patient


def get_entry(request: StaffRequest, clinic: Clinic, pk: int) -> WaitingEntry:
    found = WaitingEntry.objects.for_user(request.user).for_clinic(clinic).select_related("patient", "doctor", "clinic")
    entry: WaitingEntry = get_object_or_404(found, pk=pk)
    return entry


@requires(Permission.BOOK)
@require_GET
def waiting_list(request: StaffRequest, clinic: Clinic) -> HttpResponse:
    """Everybody who waits, the longest wait first."""
    rows = WaitingEntry.objects.for_user(request.user).for_clinic(clinic).filter(status__in=OPEN)
    living = rows.filter(patient__merged_into=None).select_related("patient", "doctor", "created_by")
    shown = with_coming(living, timezone.now())[:500]
    return render(request, "followups/waiting_list.html", {"rows": shown, "today": clinic.today()})


@requires(Permission.BOOK)
@require_http_methods(["GET", "POST"])
def waiting_new(request: StaffRequest, clinic: Clinic) -> HttpResponse:
    """Put ?patient= on the list."""
    params = request.POST if request.method == "POST" else request.GET
    patients = Patient.objects.for_user(request.user).for_clinic(clinic).living()
    if not params.get("patient"):
        messages.info(request, _("Open the patient who is to wait, and put them on the list from there."))
        return redirect("patient_list")
    patient: Patient = get_object_or_404(patients, pk=reading.whole_number(params["patient"]) or 0)
    form = WaitingForm(request.POST or None, clinic=clinic, initial=waiting_initial(clinic, request.GET))
    if request.method == "POST" and form.is_valid() and _added(request, clinic, patient, form):
        return redirect(safe_next(request, reverse("patient", args=[patient.pk])))
    context = {"form": form, "patient": patient, "next": safe_next(request, "")}
    return render(request, "followups/waiting_new.html", context, status=422 if request.method == "POST" else 200)


def _added(request: StaffRequest, clinic: Clinic, patient: Patient, form: WaitingForm) -> bool:
    data = form.cleaned_data
    usual = int(length_of(data["kind"], clinic=clinic).total_seconds() // 60)
    try:
        row = add_waiting(
            clinic=clinic, patient=patient, by=request.user, **(data | {"minutes": data["minutes"] or usual})
        )
    except BookingError as error:
        form.add_error(error.field if error.field in form.fields else None, error.message)
        return False
    undo = reverse("waiting_withdraw", args=[row.pk])
    messages.success(
        request, _("%(patient)s is on the waiting list.") % {"patient": patient}, extra_tags=f"undo {undo}"
    )
    return True


@requires(Permission.BOOK)
@require_POST
def waiting_book(request: StaffRequest, clinic: Clinic, pk: int) -> HttpResponse:
    """Give a free time to somebody who waits: where they were dropped, or the one suggested."""
    entry = get_entry(request, clinic, pk)
    form = DropForm(request.POST, clinic=clinic)
    if not form.is_valid():
        messages.error(request, _("Choose a free time."))
        return _back(request, clinic, 422)
    doctor, room = column_of(clinic, form)
    ends_at = form.starts_at + timedelta(minutes=entry.minutes)
    status = 200
    try:
        check_open(clinic=clinic, starts_at=form.starts_at, ends_at=ends_at, doctor=doctor, room=room)
        row = book_waiting(entry=entry, starts_at=form.starts_at, doctor=doctor, room=room, by=request.user)
        words = {"patient": row.patient, "time": timezone.localtime(row.starts_at).strftime("%H:%M")}
        undo = reverse("waiting_reopen", args=[entry.pk])
        messages.success(request, _("%(patient)s is booked at %(time)s.") % words, extra_tags=f"undo {undo}")
        say_also_booked(request, clinic, row.patient, after=row.starts_at)
    except BookingError as error:
        status = 422 if isinstance(error, Refused) else 409
        messages.error(request, error.message)
    return _back(request, clinic, status)


def _back(request: StaffRequest, clinic: Clinic, status: int = 200) -> HttpResponse:
    """Draw the calendar anew where the request came from it, else go back."""
    if request.htmx and "day" in request.GET:
        return calendar_parts(request, clinic, Look.of(request.GET, clinic), status=status, done=True)
    return redirect(safe_next(request, reverse("appointments")))


def _act(request: StaffRequest, clinic: Clinic, pk: int, action: Any, said: str, undo: str = "") -> HttpResponse:
    entry = get_entry(request, clinic, pk)
    try:
        action(entry=entry, by=request.user)
        tags = f"undo {reverse(undo, args=[entry.pk])}" if undo else ""
        messages.success(request, said % {"patient": entry.patient}, extra_tags=tags)
    except BookingError as error:
        messages.error(request, error.message)
    return _back(request, clinic)


@requires(Permission.BOOK)
@require_POST
def waiting_withdraw(request: StaffRequest, clinic: Clinic, pk: int) -> HttpResponse:
    """Take somebody off the list."""
    said = _("%(patient)s is off the waiting list.")
    return _act(request, clinic, pk, withdraw_waiting, said, undo="waiting_reopen")


@requires(Permission.BOOK)
@require_POST
def waiting_reopen(request: StaffRequest, clinic: Clinic, pk: int) -> HttpResponse:
    """Let somebody wait again; a booking just made for them is taken back."""
    return _act(request, clinic, pk, reopen_waiting, _("%(patient)s is on the waiting list."))


@requires(Permission.BOOK)
@require_POST
def waiting_offer(request: StaffRequest, clinic: Clinic, pk: int) -> HttpResponse:
    """Note that somebody is being asked about a time."""
    get_entry(request, clinic, pk)
    start = reading.moment(request.POST.get("start"))
    if start is None:
        messages.error(request, _("Choose a free time."))
        return _back(request, clinic, 422)

    def offer(*, entry: WaitingEntry, by: Any) -> None:
        offer_waiting(entry=entry, starts_at=start, by=by)

    return _act(request, clinic, pk, offer, _("%(patient)s is being asked."))


@requires(Permission.BOOK)
@require_GET
def waiting_fits(request: StaffRequest, clinic: Clinic) -> HttpResponse:
    """Who would fit a time that has become free: ?start= ?end= ?doctor= ?room=."""
    start, end = (reading.moment(request.GET.get(name)) for name in ("start", "end"))
    if start is None or end is None or end <= start:
        return redirect("waiting_list")
    doctor = doctors_of(clinic).filter(pk=reading.whole_number(request.GET.get("doctor")) or 0).first()
    room = Room.objects.for_clinic(clinic).filter(pk=reading.whole_number(request.GET.get("room")) or 0).first()
    gap = Gap(start, end, doctor=doctor.pk if doctor else None, room=room.pk if room else None)
    day = timezone.localtime(start).date()
    context = {
        "fits": fitting(clinic=clinic, gap=gap),
        "gap": gap,
        "day": day,
        "by": "doctor" if doctor else "room",
        "col": gap.doctor or gap.room or 0,
        "back": f"{reverse('appointments')}?day={day.isoformat()}",
        "look": Look(day=day, today=clinic.today()),
    }
    template = "followups/_waiting_fits_dialog.html" if request.htmx else "followups/waiting_fits.html"
    return render(request, template, context)
