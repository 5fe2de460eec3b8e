"""The outbox: what was sent to whom, when, why, and what became of it."""

from collections.abc import Callable
from typing import Any

from django.contrib import messages
from django.core import signing
from django.db.models import Q, QuerySet
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_GET, require_POST
from django_htmx.http import HttpResponseClientRefresh

from accounts import reading
from accounts.access import StaffRequest, requires
from accounts.models import Clinic
from accounts.permissions import Permission
from followups import jobs
from followups.errors import BookingError
from followups.message_forms import OutboxFilterForm
from followups.models import JobRun, Message
from followups.services import outbox as service
from patients.models import PatientPhone

SIZE = 50
SALT = "followups.outbox"
PAST, COMING = "past", "coming"
State = Message.State
LEVELS = {
    State.QUEUED: "info", State.SENDING: "info", State.ACCEPTED: "good", State.DELIVERED: "good", State.FAILED: "bad",
    State.UNKNOWN: "watch", State.SUPPRESSED: "none",
}  # fmt: skip
# Why, as it is noted in the history; other details are the provider's own words.
WHY = {
    "quiet": gettext_lazy("quiet hours"),
    "cap": gettext_lazy("the day's limit was reached"),
    "lease": gettext_lazy("whoever was sending it stopped half-way"),
    "circuit": gettext_lazy("the provider is failing; left alone for a while"),
    "absent": gettext_lazy("the provider never got it"),
    "accepted": gettext_lazy("the provider has it"),
    "delivered": gettext_lazy("the provider delivered it"),
    "failed": gettext_lazy("the provider could not deliver it"),
    "by_hand": gettext_lazy("by hand"),
    "settled_by_hand": gettext_lazy("settled by hand"),
    "restored": gettext_lazy("the appointment was restored"),
    "template code missing": gettext_lazy("the text has no template code of the provider"),
    **dict(Message.Suppressed.choices),
}


def why(detail: str) -> str:
    """Return a note of the history in words."""
    return str(WHY.get(detail, detail))


def _cursor(row: Message) -> str:
    return signing.dumps([row.due_at.isoformat(), row.pk], salt=SALT)


def _after(rows: "QuerySet[Any]", cursor: str, *, coming: bool) -> "QuerySet[Any]":
    """Order the rows and keep what lies behind a cursor; one that was not made here is as none."""
    rows = rows.order_by("due_at", "id") if coming else rows.order_by("-due_at", "-id")
    try:
        told, pk = signing.loads(cursor, salt=SALT)
    except signing.BadSignature:
        return rows
    at = reading.moment(told)
    if at is None:
        return rows
    if coming:
        return rows.filter(due_at__gte=at).filter(Q(due_at__gt=at) | Q(pk__gt=pk))
    return rows.filter(due_at__lte=at).filter(Q(due_at__lt=at) | Q(pk__lt=pk))


def _found(clinic: Clinic, form: OutboxFilterForm, when: str) -> "QuerySet[Any]":
    rows: QuerySet[Any] = Message.objects.for_clinic(clinic)
    midnight = clinic.day_bounds(clinic.today())[1]
    if when:
        rows = rows.filter(due_at__gte=midnight) if when == COMING else rows.filter(due_at__lt=midnight)
    data = form.cleaned_data if form.is_valid() else {}
    for name in ("state", "purpose", "patient"):
        if data.get(name):
            rows = rows.filter(**{name: data[name]})
    if data.get("day"):
        start, end = clinic.day_bounds(data["day"])
        rows = rows.filter(due_at__gte=start, due_at__lt=end)
    return rows


def _dress(rows: list[Any]) -> None:
    """Give each row its masked number and the words for its state; one statement for all."""
    phones: dict[int, str] = {}
    for phone in PatientPhone.objects.filter(patient__in=[r.patient_id for r in rows if r.patient_id]):
        phones.setdefault(phone.patient_id, phone.masked)
    for row in rows:
        row.level = LEVELS[row.state]
        row.to_number = phones.get(row.patient_id, "") if row.channel != "wecom" else ""
        row.why = row.get_suppressed_reason_display() if row.suppressed_reason else why(row.failure)


@requires(Permission.VIEW_OUTBOX)
@require_GET
def outbox(request: StaffRequest, clinic: Clinic) -> HttpResponse:
    """What was due until tonight, the latest first, or what is coming; ?when= ?state= ?purpose= ?day= ?patient=."""
    form = OutboxFilterForm(request.GET or None)
    filtered = any(request.GET.get(name) for name in form.fields)
    when = "" if filtered else COMING if request.GET.get("when") == COMING else PAST
    found = _after(_found(clinic, form, when), request.GET.get("after", ""), coming=when == COMING)
    got = list(found.select_related("patient", "staff")[: SIZE + 1])
    rows, more = got[:SIZE], len(got) > SIZE
    _dress(rows)
    params = request.GET.copy()
    params["after"] = _cursor(rows[-1]) if more else ""
    context = {
        "when": when,
        "form": form,
        "rows": rows,
        "next_url": f"?{params.urlencode()}" if more else "",
        "first_url": f"?{_without_cursor(request)}" if request.GET.get("after") else "",
        "filtered": filtered,
        "doubtful": Message.objects.for_clinic(clinic).filter(state=State.UNKNOWN)[:100].count(),
        "may_manage": request.user.may(Permission.MANAGE_MESSAGES, clinic),
        "patient": rows[0].patient if rows and request.GET.get("patient") else None,
    }
    return render(request, "followups/outbox.html", context)


def _without_cursor(request: StaffRequest) -> str:
    params = request.GET.copy()
    params.pop("after", None)
    return params.urlencode()


def _message(request: StaffRequest, clinic: Clinic, pk: int) -> Message:
    rows = Message.objects.for_user(request.user).for_clinic(clinic).select_related("patient", "staff", "clinic")
    row: Message = get_object_or_404(rows, pk=pk)
    return row


@requires(Permission.VIEW_OUTBOX)
@require_GET
def outbox_message(request: StaffRequest, clinic: Clinic, pk: int) -> HttpResponse:
    """One message with its history: a drawer over the page, or a page of its own."""
    return _show(request, clinic, _message(request, clinic, pk))


def _show(request: StaffRequest, clinic: Clinic, row: Message, *, error: str = "", status: int = 200) -> HttpResponse:
    _dress([row])
    events = list(row.events.select_related("by").order_by("-at", "-id"))
    for event in events:
        event.words = why(event.detail)
        event.level = LEVELS[event.new_state]
    context = {
        "m": row,
        "events": events,
        "error": error,
        "may_manage": request.user.may(Permission.MANAGE_MESSAGES, clinic),
        "can_retry": row.state in service.RETRIED,
    }
    shell = "followups/_outbox_drawer.html" if request.htmx else "followups/outbox_message.html"
    return render(request, shell, context, status=status)


def _act(request: StaffRequest, clinic: Clinic, pk: int, act: Callable[[Message], Any], said: str) -> HttpResponse:
    """Do something to a message; a refusal is shown with the message."""
    row = _message(request, clinic, pk)
    try:
        act(row)
    except BookingError as error:
        status = 409 if type(error).__name__ == "Outdated" else 422
        return _show(request, clinic, _message(request, clinic, pk), error=error.message, status=status)
    messages.success(request, said)
    if request.htmx:
        return HttpResponseClientRefresh()
    return redirect("outbox_message", pk)


@requires(Permission.MANAGE_MESSAGES)
@require_POST
def outbox_retry(request: StaffRequest, clinic: Clinic, pk: int) -> HttpResponse:
    """Have a failed or suppressed message sent after all."""
    return _act(request, clinic, pk, lambda m: service.retry(message=m, by=request.user), _("It is queued again"))


@requires(Permission.MANAGE_MESSAGES)
@require_POST
def outbox_cancel(request: StaffRequest, clinic: Clinic, pk: int) -> HttpResponse:
    """Withdraw a message that still waits."""
    return _act(request, clinic, pk, lambda m: service.cancel(message=m, by=request.user), _("It is withdrawn"))


@requires(Permission.MANAGE_MESSAGES)
@require_POST
def outbox_settle(request: StaffRequest, clinic: Clinic, pk: int) -> HttpResponse:
    """Say what became of a message that nobody knew of."""
    to = request.POST.get("to", "")
    return _act(request, clinic, pk, lambda m: service.settle(message=m, to=to, by=request.user), _("It is settled"))


JOB_WORDS = {
    "send_due": gettext_lazy("Send what is due"),
    "reconcile": gettext_lazy("Ask about messages in doubt"),
    "send_hooks": gettext_lazy("Tell other systems what happened"),
    "generate_due": gettext_lazy("Make the tasks that come due"),
    "appointment_imports": gettext_lazy("Read files of appointments"),
    "sweep_playbooks": gettext_lazy("Start playbooks"),
    "mark_no_shows": gettext_lazy("Mark who did not come"),
    "finish_campaigns": gettext_lazy("Close campaigns that are through"),
    "overdue_digest": gettext_lazy("Digest of overdue tasks"),
    "suggest_classes": gettext_lazy("Suggest other classes"),
    "retention": gettext_lazy("Delete old import files"),
}


@requires(Permission.MANAGE_MESSAGES)
@require_GET
def outbox_jobs(request: StaffRequest, clinic: Clinic) -> HttpResponse:
    """When each periodic job last ran."""
    runs = {run.name: run for run in JobRun.objects.all()}
    late = set(jobs.late_jobs())
    rows = [
        {"label": job.label or JOB_WORDS[name], "job": job, "run": runs.get(name), "late": name in late}
        for name, job in jobs.JOBS.items()
    ]
    return render(request, "followups/outbox_jobs.html", {"rows": rows, "may_manage": True})
