"""Contacts and bookings that chats captured: taken over into the CRM, corrected, filed."""

from typing import Any

from django.contrib import messages
from django.db.models import Prefetch, Q
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from accounts.access import StaffRequest, requires
from accounts.models import Clinic
from accounts.permissions import Permission
from accounts.reading import own_address, whole_number
from conversations.capture_forms import CorrectForm, FileForm, TakeOverForm
from conversations.models import Capture, CapturedContact, Conversation
from conversations.services import capturing
from conversations.services.capturing import TakenOver
from followups.errors import BookingError
from patients.errors import PatientError
from patients.models import Patient

PAGE = 50
TABS = ("open", "unfinished", "done")
Kind = CapturedContact.Kind


def _tab(rows: Any, tab: str) -> Any:
    if tab == "open":
        waits = Q(conversation__patient=None, contacts__isnull=False) | Q(
            conversation__appointment=None, booking_at__gt=timezone.now(), contacts__isnull=False
        )
        return rows.filter(waits).distinct()
    if tab == "unfinished":
        return rows.filter(pk__in=_unfinished().values("capture")).distinct()
    return rows.exclude(conversation__patient=None).distinct()


def _unfinished() -> Any:
    contacts = CapturedContact.objects.filter(kind__in=(Kind.WECHAT, Kind.QQ))
    return contacts.filter(Q(group_name="") | Q(remark="") | Q(added_at=None))


def _capture(request: StaffRequest, clinic: Clinic, pk: int) -> Capture:
    """Return what chat `pk` captured, where the person may work on it."""
    rows = capturing.visible(request.user, clinic).select_related(
        "conversation__clinic", "conversation__consultant", "conversation__patient", "conversation__appointment__doctor"
    )
    found: Capture = get_object_or_404(rows.prefetch_related("contacts__user"), conversation=pk)
    return found


@requires(Permission.CAPTURE_CONTACTS)
@require_GET
def captures(request: StaffRequest, clinic: Clinic) -> HttpResponse:
    """Contacts and bookings to take over, the latest first; those without group and remark; what was taken over."""
    tab = request.GET.get("tab", "")
    tab = tab if tab in TABS else TABS[0]
    rows = capturing.visible(request.user, clinic)
    counts = {name: _tab(rows, name).count() for name in TABS[:2]}
    found = _tab(rows, tab)
    before = whole_number(request.GET.get("before"))
    if before:
        found = found.filter(pk__lt=before)
    people = Prefetch("contacts", CapturedContact.objects.select_related("user").order_by("kind", "pk"))
    found = found.select_related(
        "conversation__consultant", "conversation__patient", "conversation__appointment__doctor", "conversation__clinic"
    ).prefetch_related(people)
    page = list(found.order_by("-pk")[: PAGE + 1])
    context = {
        "tab": tab,
        "counts": counts,
        "rows": page[:PAGE],
        "more": page[PAGE - 1].pk if len(page) > PAGE else None,
    }
    return render(request, "conversations/captures.html", context | {"now": timezone.now()})


@requires(Permission.CAPTURE_CONTACTS)
@require_http_methods(["GET", "POST"])
def capture_take_over(request: StaffRequest, clinic: Clinic, pk: int) -> HttpResponse:
    """Make a patient and an appointment of what chat `pk` captured: one click where nothing is in doubt."""
    conversation = _capture(request, clinic, pk).conversation
    known = capturing.candidates(conversation)
    form = _take_over_form(request, clinic, conversation, known)
    nearest: list[Any] = []
    status = 200
    if request.method == "POST":
        status = 422
        if form.is_valid():
            try:
                done = capturing.take_over(conversation=conversation, wish=form.wish(), by=request.user)
                return _told(request, conversation, done)
            except (BookingError, PatientError) as error:
                nearest = getattr(error, "nearest", [])
                status = 409 if nearest or not getattr(error, "field", None) else 422
                field = getattr(error, "field", None)
                form.add_error(field if field in form.fields else None, str(error))
    context = {"form": form, "capture": conversation.capture, "c": conversation, "nearest": nearest, "known": known}
    return render(request, "conversations/capture_take_over.html", context, status=status)


def _take_over_form(
    request: StaffRequest, clinic: Clinic, conversation: Conversation, known: list[Patient]
) -> TakeOverForm:
    """Return the form as it was filled in; of one click all that is not said is as the chat suggests it."""
    facts: dict[str, Any] = {"clinic": clinic, "conversation": conversation, "known": known}
    if request.method != "POST":
        return TakeOverForm(**facts)
    data = request.POST.copy()
    if data.get("quick"):
        for name, value in TakeOverForm(**facts).initial.items():
            data[name] = str(data.get(name) or value or "")
    if data.get("slot"):
        data["at"] = str(data["slot"])
    return TakeOverForm(data, **facts)


def _told(request: StaffRequest, conversation: Conversation, done: TakenOver) -> HttpResponse:
    words = _("%(patient)s was taken over already.") if done.done_before else _("%(patient)s is registered.")
    if not done.done_before and not done.is_new:
        words = _("The chat now belongs to %(patient)s.")
    text = words % {"patient": done.patient}
    if done.appointment is not None:
        at = done.appointment.starts_at.astimezone(conversation.clinic.tz)
        text += " " + _("Booked for %(day)s %(time)s.") % {"day": f"{at:%m-%d}", "time": f"{at:%H:%M}"}
    undo = "" if done.done_before else f"undo {reverse('capture_undo', args=[conversation.pk])}"
    messages.success(request, text, extra_tags=undo)
    return redirect(own_address(request, request.POST.get("next"), reverse("captures")))


@requires(Permission.CAPTURE_CONTACTS)
@require_POST
def capture_undo(request: StaffRequest, clinic: Clinic, pk: int) -> HttpResponse:
    """Take a taking-over back, as far as its booking allows."""
    conversation = _capture(request, clinic, pk).conversation
    try:
        name = str(conversation.patient or "")
        if capturing.undo_take_over(conversation=conversation, by=request.user):
            told = _("Taken back. %(patient)s, registered by it, is removed again.") % {"patient": name}
        else:
            told = _(
                "Taken back. %(patient)s stays registered: they were known before, or something was written since."
            )
            told %= {"patient": name}
        messages.success(request, told)
    except BookingError as error:
        messages.error(request, error.message)
    return redirect(own_address(request, request.POST.get("next"), reverse("captures")))


@requires(Permission.CAPTURE_CONTACTS)
@require_http_methods(["GET", "POST"])
def capture_correct(request: StaffRequest, clinic: Clinic, pk: int) -> HttpResponse:
    """Correct what was captured in chat `pk`; its contacts are shown in full, which is logged."""
    capture = _capture(request, clinic, pk)
    back = own_address(request, request.POST.get("next") or request.GET.get("next"), reverse("captures"))
    if request.method == "POST":
        form = CorrectForm(request.POST)
        if form.is_valid():
            booking = form.cleaned_data["booking_at"]
            capturing.correct(capture=capture, values=form.values, booking_at=booking, by=request.user)
            messages.success(request, _("Corrected."))
            return redirect(back)
    else:
        for contact in capture.contacts.all():  # type: ignore[misc]
            capturing.reveal(contact=contact, clinic=clinic, by=request.user)
        form = CorrectForm(initial=CorrectForm.held(capture))
    context = {"form": form, "capture": capture, "c": capture.conversation, "back": back}
    return render(request, "conversations/capture_correct.html", context, status=422 if form.is_bound else 200)


def _contact(request: StaffRequest, clinic: Clinic, pk: int) -> CapturedContact:
    mine = capturing.visible(request.user, clinic).values("pk")
    rows = CapturedContact.objects.for_user(request.user).filter(capture__in=mine)
    found: CapturedContact = get_object_or_404(rows.select_related("capture__conversation"), pk=pk)
    return found


@requires(Permission.CAPTURE_CONTACTS)
@require_http_methods(["GET", "POST"])
def capture_file(request: StaffRequest, clinic: Clinic, pk: int) -> HttpResponse:
    """Say into which group, and with which remark, a contact was added."""
    contact = _contact(request, clinic, pk)
    back = own_address(request, request.POST.get("next") or request.GET.get("next"), reverse("captures"))
    held = {"group_name": contact.group_name, "remark": contact.remark}
    form = FileForm(request.POST if request.method == "POST" else None, initial=held)
    if request.method == "POST" and form.is_valid():
        capturing.file_contact(contact=contact, by=request.user, **form.cleaned_data)
        messages.success(request, _("Added as a contact, with group and remark."))
        return redirect(back)
    context = {"form": form, "contact": contact, "c": contact.capture.conversation, "back": back}
    return render(request, "conversations/capture_file.html", context, status=422 if form.is_bound else 200)


@requires(Permission.CAPTURE_CONTACTS)
@require_POST
def capture_reveal(request: StaffRequest, clinic: Clinic, pk: int) -> HttpResponse:
    """Open one contact in full; logged. Answers the fragment that replaces the masked one."""
    contact = _contact(request, clinic, pk)
    shown = capturing.reveal(contact=contact, clinic=clinic, by=request.user)
    page = "conversations/_capture_shown.html" if request.htmx else "conversations/capture_shown.html"
    return render(request, page, {"shown": shown, "contact": contact})
