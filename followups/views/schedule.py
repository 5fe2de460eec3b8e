"""Hours, absences, kinds and holidays, rooms: what the calendar stands on."""

from datetime import date, timedelta
from typing import Any

from django.contrib import messages
from django.core import signing
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST

from accounts import reading
from accounts.access import StaffRequest, requires
from accounts.models import Clinic
from accounts.permissions import Permission
from followups.calendar_forms import AbsenceForm, HoursForm, RoomForm, SettingsForm, owners_of
from followups.calendar_look import WEEKDAYS
from followups.errors import BookingError
from followups.holidays_cn import holidays_of, makeup_days_of
from followups.hours import ALWAYS, Span
from followups.models import Absence, CalendarSettings, Room, WorkingHours
from followups.services.schedule import (
    add_absence,
    delete_absence,
    falling_into,
    save_hours,
    save_room,
    save_settings,
    set_room_active,
)

SALT = "absence"
UNDO_FOR = 3600  # seconds


@requires(Permission.MANAGE_CALENDAR)
@require_http_methods(["GET", "POST"])
def schedule_hours(request: StaffRequest, clinic: Clinic) -> HttpResponse:
    """The week of ?of=clinic|doctor-5|room-3."""
    owners = owners_of(clinic)
    key = request.GET.get("of", "clinic")
    if key not in owners:
        raise Http404
    name, owner = owners[key]
    own = _week(clinic, owner)
    usual = own or _week(clinic, {}) or {weekday: list(spans) for weekday, spans in ALWAYS.items()}
    form = HoursForm(_copied(request) if request.method == "POST" else None, week=usual)
    if request.method == "POST" and form.is_valid() and "copy" not in request.POST:
        week = {} if "reset" in request.POST else form.week
        save_hours(clinic=clinic, week=week, by=request.user, **owner)
        messages.success(request, _("Saved: the hours of %(who)s.") % {"who": name})
        return redirect(f"{reverse('schedule')}?of={key}")
    wrong = request.method == "POST" and not form.is_valid()
    has_own = set(_owners_with_hours(clinic))
    context = {
        "form": form,
        "key": key,
        "name": name,
        "is_own": bool(own),
        "owners": [(k, n, k in has_own) for k, (n, _facts) in owners.items()],
    }
    return render(request, "followups/schedule_hours.html", context, status=422 if wrong else 200)


def _copied(request: StaffRequest) -> Any:
    """Return what was posted; "copy" puts Monday's hours on the other working days."""
    data = request.POST.copy()
    if "copy" in data:
        for weekday in range(1, 5):
            data[f"day_{weekday}"] = data.get("day_0", "")
    return data


def _week(clinic: Clinic, owner: dict[str, Any]) -> dict[int, list[Span]]:
    rows = WorkingHours.objects.for_clinic(clinic).filter(doctor=owner.get("doctor"), room=owner.get("room"))
    week: dict[int, list[Span]] = {}
    for row in rows:
        week.setdefault(row.weekday, []).append((row.opens, row.closes))
    return week


def _owners_with_hours(clinic: Clinic) -> list[str]:
    rows = WorkingHours.objects.for_clinic(clinic).order_by().values_list("doctor", "room").distinct()
    return [f"doctor-{doctor}" if doctor else f"room-{room}" if room else "clinic" for doctor, room in rows]


@requires(Permission.MANAGE_CALENDAR)
@require_http_methods(["GET", "POST"])
def schedule_absences(request: StaffRequest, clinic: Clinic) -> HttpResponse:
    """Who is away; adding one names the appointments that fall into it."""
    today = clinic.today()
    form = AbsenceForm(request.POST or None, clinic=clinic, initial={"from_day": today, "until_day": today})
    if request.method == "POST" and form.is_valid():
        data = form.cleaned_data
        facts = {key: data[key] for key in ("starts_at", "ends_at", "kind", "note")}
        row = add_absence(clinic=clinic, by=request.user, **facts, **form.owner)
        undo = reverse("absence_delete", args=[row.pk])
        messages.success(request, _("Saved: %(what)s.") % {"what": row.get_kind_display()}, extra_tags=f"undo {undo}")
        return redirect(f"{reverse('schedule_absences')}?new={row.pk}")
    rows = Absence.objects.for_user(request.user).for_clinic(clinic).select_related("doctor", "room")
    rows = rows.filter(ends_at__gte=timezone.now() - timedelta(days=7))
    new = rows.filter(pk=reading.whole_number(request.GET.get("new")) or 0).first()
    context = {"form": form, "rows": rows, "new": new, "hit": falling_into(new) if new else []}
    return render(request, "followups/schedule_absences.html", context, status=422 if form.errors else 200)


def _absence(request: StaffRequest, clinic: Clinic, pk: int) -> Absence:
    rows = Absence.objects.for_user(request.user).for_clinic(clinic).select_related("clinic", "doctor", "room")
    row: Absence = get_object_or_404(rows, pk=pk)
    return row


@requires(Permission.MANAGE_CALENDAR)
@require_POST
def absence_delete(request: StaffRequest, clinic: Clinic, pk: int) -> HttpResponse:
    """Give the time back; the undo carries what was deleted."""
    row = _absence(request, clinic, pk)
    told = {"clinic": clinic.pk, "doctor": row.doctor_id, "room": row.room_id, "kind": row.kind, "note": row.note}
    times = {"starts_at": row.starts_at.isoformat(), "ends_at": row.ends_at.isoformat()}
    token = signing.dumps(told | times, salt=SALT)
    delete_absence(absence=row, by=request.user)
    undo = reverse("absence_restore", args=[token])
    messages.success(request, _("Deleted: %(what)s.") % {"what": row.get_kind_display()}, extra_tags=f"undo {undo}")
    return redirect("schedule_absences")


@requires(Permission.MANAGE_CALENDAR)
@require_POST
def absence_restore(request: StaffRequest, clinic: Clinic, token: str) -> HttpResponse:
    """Bring a deleted absence back, within an hour and in its own clinic."""
    try:
        told = signing.loads(token, salt=SALT, max_age=UNDO_FOR)
    except signing.BadSignature as error:
        raise Http404 from error
    if told.pop("clinic") != clinic.pk:
        raise Http404
    owners = owners_of(clinic)
    doctor, room = told.pop("doctor"), told.pop("room")
    key = f"doctor-{doctor}" if doctor else f"room-{room}" if room else "clinic"
    if key not in owners:
        raise Http404
    times: dict[str, Any] = {name: reading.moment(told.pop(name)) for name in ("starts_at", "ends_at")}
    add_absence(clinic=clinic, by=request.user, **told, **times, **owners[key][1])
    return redirect("schedule_absences")


@requires(Permission.MANAGE_CALENDAR)
@require_http_methods(["GET", "POST"])
def schedule_settings(request: StaffRequest, clinic: Clinic) -> HttpResponse:
    """Grid, lengths of the kinds, and public holidays of this and the next year."""
    row = CalendarSettings.objects.for_clinic(clinic).first() or CalendarSettings(clinic=clinic)
    lengths = {f"length_{kind}": minutes for kind, minutes in row.lengths.items()}
    usual = {name: getattr(row, name) for name in ("grid_minutes", "closed_on_holidays", "open_on_makeup_days")}
    form = SettingsForm(request.POST or None, initial=usual | lengths)
    worked = set(row.open_anyway)
    if request.method == "POST":
        worked = {day for text in request.POST.getlist("open_anyway")[:200] if (day := reading.day(text))}
        if form.is_valid():
            facts = {name: form.cleaned_data[name] for name in usual}
            save_settings(clinic=clinic, by=request.user, lengths=form.lengths, open_anyway=worked, **facts)
            messages.success(request, _("Saved."))
            return redirect("schedule_settings")
    context = {"form": form, "years": _years(clinic.today(), worked), "is_set": row.pk is not None}
    return render(request, "followups/schedule_settings.html", context, status=422 if form.errors else 200)


def _years(today: date, worked: set[date]) -> list[dict[str, Any]]:
    """Return what the page lists: the days off of this and the next year, and the weekends worked for them."""
    return [
        {
            "year": year,
            "days": [(day, WEEKDAYS[day.weekday()], name, day in worked) for day, name in holidays_of(year)],
            "makeup": [(day, WEEKDAYS[day.weekday()]) for day in makeup_days_of(year)],
        }
        for year in (today.year, today.year + 1)
    ]


@requires(Permission.MANAGE_CALENDAR)
@require_http_methods(["GET", "POST"])
def schedule_rooms(request: StaffRequest, clinic: Clinic) -> HttpResponse:
    """The rooms and chairs; adding one."""
    form = RoomForm(request.POST or None)
    if request.method == "POST" and form.is_valid() and _saved(request, clinic, form, None):
        return redirect("schedule_rooms")
    return _rooms(request, clinic, form)


def _saved(request: StaffRequest, clinic: Clinic, form: RoomForm, room: Room | None) -> bool:
    try:
        row = save_room(clinic=clinic, name=form.cleaned_data["name"], by=request.user, room=room)
    except BookingError as error:
        form.add_error("name", error.message)
        return False
    messages.success(request, _("Saved: %(what)s.") % {"what": row.name})
    return True


def _rooms(request: StaffRequest, clinic: Clinic, form: RoomForm, edited: Room | None = None) -> HttpResponse:
    rows = Room.objects.for_user(request.user).for_clinic(clinic).order_by("-is_active", "name")
    context = {"form": form, "rows": rows, "edited": edited}
    return render(request, "followups/schedule_rooms.html", context, status=422 if form.errors else 200)


def _room(request: StaffRequest, clinic: Clinic, pk: int) -> Room:
    row: Room = get_object_or_404(Room.objects.for_user(request.user).for_clinic(clinic), pk=pk)
    return row


@requires(Permission.MANAGE_CALENDAR)
@require_http_methods(["GET", "POST"])
def room_edit(request: StaffRequest, clinic: Clinic, pk: int) -> HttpResponse:
    """Give a room another name."""
    room = _room(request, clinic, pk)
    form = RoomForm(request.POST or None, initial={"name": room.name})
    if request.method == "POST" and form.is_valid() and _saved(request, clinic, form, room):
        return redirect("schedule_rooms")
    return _rooms(request, clinic, form, edited=room)


@requires(Permission.MANAGE_CALENDAR)
@require_POST
def room_active(request: StaffRequest, clinic: Clinic, pk: int) -> HttpResponse:
    """Take a room out of use, or back into it."""
    room = set_room_active(room=_room(request, clinic, pk), active=request.POST.get("active") == "1", by=request.user)
    said = _("%(room)s is in use.") if room.is_active else _("%(room)s is out of use; its appointments stay.")
    messages.success(request, said % {"room": room.name})
    return redirect("schedule_rooms")
