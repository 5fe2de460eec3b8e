"""Complaints: the list, taking one, and the page of one with everything that was done."""

from typing import Any

from django.contrib import messages
from django.core import signing
from django.db.models import Count, Q, QuerySet
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_GET, require_http_methods

from accounts import reading
from accounts.access import StaffRequest, requires
from accounts.models import Clinic
from accounts.permissions import Permission
from clinic_crm.workbench.complaint_forms import ChangeForm, CloseForm, TakeForm, person_of, settlers_of
from clinic_crm.workbench.complaint_steps import told
from consultations.models import Visit
from conversations import queries
from conversations.models import Conversation
from conversations.views.common import get_chat
from followups.errors import BookingError
from followups.services.complaints import NewComplaint, take
from patients import complaint_rules
from patients.models import ComplaintCase, Patient
from patients.search import find
from patients.views.common import get_registration

SIZE = 50
SALT = "workbench.complaints"
STATES = (
    ("open", gettext_lazy("To settle")),
    ("overdue", gettext_lazy("Overdue")),
    ("closed", gettext_lazy("Settled")),
    ("all", gettext_lazy("All")),
)
LEVELS = {"high": "bad", "medium": "watch", "low": "none"}


def dress(case: ComplaintCase, now: Any) -> ComplaintCase:
    """Give a case what templates show of it: whether it is overdue, and the colour of its severity."""
    facts: Any = case
    facts.overdue = case.joined_to_id is None and complaint_rules.is_overdue(
        due_at=case.due_at, closed_at=case.closed_at, now=now
    )
    facts.level = LEVELS[case.severity]
    return case


def _in_state(rows: "QuerySet[Any]", state: str, now: Any) -> "QuerySet[Any]":
    if state == "overdue":
        return rows.filter(closed_at=None, due_at__lt=now)
    if state == "closed":
        return rows.filter(closed_at__isnull=False)
    return rows if state == "all" else rows.filter(closed_at=None)


def _filtered(request: StaffRequest, clinic: Clinic, chosen: dict[str, str]) -> "QuerySet[Any]":
    rows: QuerySet[Any] = ComplaintCase.objects.visible_to(request.user).for_clinic(clinic).cases()
    rows = _in_state(rows, chosen["state"], timezone.now())
    for name in ("category", "severity"):
        if chosen[name]:
            rows = rows.filter(**{name: chosen[name]})
    if chosen["owner"]:
        rows = rows.filter(owner=chosen["owner"])
    return rows


def _chosen(request: StaffRequest) -> dict[str, str]:
    """Return the filters of the address, "" for what is not known."""
    asked = request.GET
    known = {"category": ComplaintCase.Category.values, "severity": ComplaintCase.Severity.values}
    chosen = {name: asked.get(name, "") if asked.get(name) in values else "" for name, values in known.items()}
    chosen["owner"] = str(reading.whole_number(asked.get("owner")) or "")
    chosen["state"] = asked.get("state", "") if asked.get("state") in dict(STATES) else "open"
    return chosen


def _after(rows: "QuerySet[Any]", cursor: str) -> "QuerySet[Any]":
    """Keep what lies behind a cursor; one that was not made here is as none."""
    try:
        told_at, pk = signing.loads(cursor, salt=SALT)
    except signing.BadSignature:
        return rows
    at = reading.moment(told_at)
    return rows.filter(received_at__lte=at).filter(Q(received_at__lt=at) | Q(pk__lt=pk)) if at else rows


def _address(request: StaffRequest, **other: str) -> str:
    params = request.GET.copy()
    params.pop("after", None)
    for name, value in other.items():
        params[name] = value
    return f"?{params.urlencode()}"


@requires(Permission.TAKE_COMPLAINTS)
@require_GET
def complaint_list(request: StaffRequest, clinic: Clinic) -> HttpResponse:
    """The clinic's complaints, the latest first; ?state= ?category= ?severity= ?owner= ?after=."""
    chosen, now = _chosen(request), timezone.now()
    found = _after(_filtered(request, clinic, chosen), request.GET.get("after", ""))
    rows = found.select_related("patient", "owner", "about").annotate(times=Count("repeats"))
    got = list(rows.order_by("-received_at", "-id")[: SIZE + 1])
    shown = [dress(row, now) for row in got[:SIZE]]
    cursor = signing.dumps([shown[-1].received_at.isoformat(), shown[-1].pk], salt=SALT) if len(got) > SIZE else ""
    settles = request.user.may(Permission.SETTLE_COMPLAINTS, clinic)
    context = {
        "rows": shown,
        "chosen": chosen,
        "states": [(value, label, _address(request, state=value)) for value, label in STATES],
        "categories": ComplaintCase.Category.choices,
        "severities": ComplaintCase.Severity.choices,
        "owners": settlers_of(clinic) if settles else [],
        "filtered": any(chosen[name] for name in ("category", "severity", "owner")),
        "next_url": _address(request, after=cursor) if cursor else "",
        "first_url": _address(request) if request.GET.get("after") else "",
        "settles": settles,
    }
    return render(request, "workbench/complaint_list.html", context)


def _visit_of(request: StaffRequest, clinic: Clinic, asked: str | None) -> Visit | None:
    pk = reading.whole_number(asked)
    if pk is None:
        return None
    rows = Visit.objects.for_user(request.user).for_clinic(clinic).select_related("patient", "doctor")
    found: Visit = get_object_or_404(rows, pk=pk)
    return found


def _chat_of(request: StaffRequest, clinic: Clinic) -> Conversation | None:
    """Return the chat that the address names; 404 for one the person may not read."""
    pk = reading.whole_number(request.GET.get("conversation"))
    if pk is None:
        return None
    if not request.user.may(Permission.VIEW_CONVERSATIONS, clinic):
        raise Http404
    return get_chat(request, clinic, pk)


def _whose(request: StaffRequest, clinic: Clinic, arose: Visit | Conversation | None) -> Patient | None:
    """Return the patient that the address names, or that was picked on the form."""
    if arose is not None and arose.patient is not None:
        person: Patient = arose.patient
        return person
    pk = reading.whole_number(request.GET.get("patient") or request.POST.get("referrer"))
    if pk is None:
        return None
    registration = get_registration(request, clinic, pk, Permission.TAKE_COMPLAINTS)
    found: Patient = registration.patient
    return found


@requires(Permission.TAKE_COMPLAINTS)
@require_http_methods(["GET", "POST"])
def complaint_new(request: StaffRequest, clinic: Clinic) -> HttpResponse:
    """Take a complaint: ?patient=, ?visit= or ?conversation= say whose and from what; else a name is looked for."""
    visit, chat = _visit_of(request, clinic, request.GET.get("visit")), _chat_of(request, clinic)
    patient = _whose(request, clinic, visit or chat)
    source = "visit" if visit else "conversation" if chat else "patient_page" if patient else "phone"
    initial = {"source": source, "about": chat.consultant_id if chat else None}
    form = TakeForm(request.POST or None, clinic=clinic, initial=initial)
    searched = request.POST.get("referrer_q", "").strip()
    hits = find(searched[:60], user=request.user, clinic=clinic, limit=6) if searched and patient is None else []
    error = _("Choose who it was.") if searched and patient is None else ""
    if request.method == "POST" and form.is_valid() and not error:
        details = _details(form, visit, chat)
        try:
            case = take(clinic=clinic, details=details, patient=patient, by=request.user)
        except BookingError as refused:
            form.add_error(None, refused.message)
        else:
            return _taken(request, case)
    context = {"form": form, "patient": patient, "visit": visit, "chat": chat, "hits": hits, "said": searched}
    context |= {"error": error}
    return render(request, "workbench/complaint_new.html", context, status=422 if request.method == "POST" else 200)


def _details(form: TakeForm, visit: Visit | None, chat: Conversation | None) -> NewComplaint:
    data = form.cleaned_data
    arose = f"visit:{visit.pk}" if visit else f"conversation:{chat.pk}" if chat else ""
    return NewComplaint(
        category=data["category"],
        severity=data["severity"],
        what=data["what"],
        wish=data["wish"],
        source=data["source"],
        subject=arose,
        about=person_of(data["about"]),
        owner=person_of(data["owner"]),
    )


def _taken(request: StaffRequest, case: ComplaintCase) -> HttpResponse:
    words = _("Taken: complaint %(number)s.") % {"number": case.number}
    if case.joined_to is not None:
        words += " " + _("Joined to %(number)s, which it repeats.") % {"number": case.joined_to.number}
    messages.success(request, words)
    seen = ComplaintCase.objects.visible_to(request.user).filter(pk=case.pk).exists()
    return redirect("complaint", case.pk) if seen else redirect("complaint_list")


def get_case(request: StaffRequest, clinic: Clinic, pk: int) -> ComplaintCase:
    """Return a case of this clinic that the person may read, else 404."""
    rows = ComplaintCase.objects.visible_to(request.user).for_clinic(clinic)
    people = ("patient", "owner", "about", "received_by", "closed_by", "joined_to", "clinic")
    found: ComplaintCase = get_object_or_404(rows.select_related(*people), pk=pk)
    return found


def others_of(request: StaffRequest, case: ComplaintCase) -> list[ComplaintCase]:
    """Return the other open cases of the same patient, to which this one may be joined."""
    if case.patient_id is None or case.joined_to_id is not None or case.closed_at is not None:
        return []
    rows = ComplaintCase.objects.visible_to(request.user).for_clinic(case.clinic_id).open()
    return list(rows.filter(patient=case.patient_id).exclude(pk=case.pk).order_by("-received_at")[:10])


def _arose_from(request: StaffRequest, case: ComplaintCase) -> tuple[str, str]:
    """Return the address and the name of what a complaint arose from; two empty words where that is not to be read."""
    kind, _colon, number = case.subject.partition(":")
    pk, user = reading.whole_number(number), request.user
    if pk and kind == "visit" and user.may(Permission.VIEW_VISITS, case.clinic_id):
        return reverse("visit", args=[pk]), _("the visit")
    reads_chats = kind == "conversation" and user.may(Permission.VIEW_CONVERSATIONS, case.clinic_id)
    if pk and reads_chats and queries.visible(user, case.clinic).filter(pk=pk).exists():
        return reverse("conversation", args=[pk]), _("the chat")
    return "", ""


def show_case(
    request: StaffRequest, case: ComplaintCase, *, status: int = 200, error: str = "", **forms: Any
) -> HttpResponse:
    """Render the page of a case; `forms` are those that were filled in wrongly, and what was typed."""
    user = request.user
    settles = user.may(Permission.SETTLE_COMPLAINTS, case.clinic_id)
    own = not complaint_rules.may_settle(person_id=user.pk, about_id=case.about_id)
    is_open = case.closed_at is None and case.joined_to_id is None
    people = dict(settlers_of(case.clinic)) if settles else {}
    context = {
        "case": dress(case, timezone.now()),
        "steps": told(case, money=settles),
        "repeats": list(case.repeats.order_by("received_at")),
        "others": others_of(request, case) if settles else [],
        "settles": settles and not own,
        "own": own,
        "is_open": is_open,
        "people": people,
        "arose": _arose_from(request, case),
        "may_reveal": user.may(Permission.REVEAL_CONTACT, case.clinic_id) and bool(case.contact_last4),
        "error": error,
        "change_form": ChangeForm(case=case) if settles else None,
        "close_form": CloseForm(),
    }
    return render(request, "workbench/complaint.html", {**context, **forms}, status=status)


@requires(Permission.TAKE_COMPLAINTS)
@require_GET
def complaint(request: StaffRequest, clinic: Clinic, pk: int) -> HttpResponse:
    """One complaint: what was said, what was done, and what is to be done."""
    return show_case(request, get_case(request, clinic, pk))
